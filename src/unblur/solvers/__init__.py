"""Deconvolution with a known kernel, and the parts it is made of: frames, differences, priors."""
