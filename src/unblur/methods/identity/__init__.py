"""Methods that change nothing: they separate faults of file handling from faults of deblurring."""
