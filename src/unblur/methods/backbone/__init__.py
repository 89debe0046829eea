"""Networks of others, applied once to the photo: DMPHN, MPRNet, NAFNet."""
