"""What concerns the machine: files written whole, processes, threads, memory, locks, signals, hardware facts."""
