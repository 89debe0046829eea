"""Several photos of one scene, each blurred in its own way, solved for one sharp photo."""
