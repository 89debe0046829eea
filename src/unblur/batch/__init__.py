"""Many photos: outputs for inputs, worker processes, and a report on each."""
