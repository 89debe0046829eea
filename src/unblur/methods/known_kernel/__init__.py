"""Deconvolution with a kernel that the caller knows."""
