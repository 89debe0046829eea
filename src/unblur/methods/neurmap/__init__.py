"""NeurMAP: a deblurring network trained on photos without partners (Zhang, Wang, Tao, arXiv 2204.12139)."""
