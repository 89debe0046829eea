"""Files to arrays and back, without torch; the step to tensors is in `tensors` and `tiling`."""
