"""Blur as physics: kernels, convolution and its adjoint, camera shake, noise. Knows nothing of files or sRGB."""
