"""DUBLID, an unrolled network: ten steps of blind deconvolution with learnt filters and thresholds."""
