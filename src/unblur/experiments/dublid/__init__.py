"""Experiments with DUBLID."""
