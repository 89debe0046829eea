"""Many machines: photos of a batch restored in a Ray cluster."""
