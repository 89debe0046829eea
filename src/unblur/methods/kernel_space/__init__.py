"""A space of blurs: each point of it is a blur that a network can find in a pair of photos and give to another."""
