"""Experiments with the method `auto`: answers of its search, its judge and its refiner."""
