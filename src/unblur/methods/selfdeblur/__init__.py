"""SelfDeblur: two untrained networks, one for the image and one for the kernel, fitted to the one photo."""
