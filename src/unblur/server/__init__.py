"""Photos restored for others: a queue of jobs with worker processes, an HTTP API above it, and its client."""
