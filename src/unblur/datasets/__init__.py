"""Data sets: a catalogue of them, and their pairs of blurry and sharp images, read one at a time.

`open_dataset(name, root)` gives the pairs of any set of the catalogue, `open_photos` the photos of sets without pairs.
Importing this costs no torch.
"""

from unblur.datasets.catalog import DatasetEntry, datasets, find_dataset, open_dataset, open_photos

__all__ = ["DatasetEntry", "datasets", "find_dataset", "open_dataset", "open_photos"]
