"""Photos of the kinds that people bring, made from sharp ones with fixed seeds: the suite `photos`."""
