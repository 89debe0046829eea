"""NeurMAP: a deblurring network trained on unpaired photos (Zhang, Wang, Tao, arXiv 2204.12139)."""
