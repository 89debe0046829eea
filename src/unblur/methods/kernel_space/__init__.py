"""A space of blurs: each point is a blur that a network estimates from a pair of photos and applies to another."""
