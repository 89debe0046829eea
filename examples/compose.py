"""Put a method together from an estimator, a solver and a refiner, and compare the combinations on one photo.

    python examples/compose.py

The estimator finds the kernel, the solver makes the image with it, and a refiner, if there is one, improves the image
with what it learned from photos. Prints PSNR of every combination.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product

from shaken import shaken_photo

import unblur


def main(words: Sequence[str] | None = None) -> None:
    given = read_options(words)
    photo = shaken_photo(side=144, kernel_size=9, seed=0)
    estimators = ("dublid",) if given.quick else ("map", "dublid")
    solvers = ("hyper-laplacian", "wiener") if given.quick else ("hyper-laplacian", "wiener", "tv", "richardson-lucy")

    print(f"{'blurry':36} {photo.psnr(photo.blurry):6.2f} dB")
    for estimator, solver, refiner in product(estimators, solvers, (None, "golf")):
        options = unblur.RestoreOptions(solver=solver, refine=refiner, encoding="linear")
        answer = unblur.restore(photo.blurry, estimator, options=options)
        name = " + ".join(part for part in (estimator, solver, refiner) if part)
        print(f"{name:36} {photo.psnr(answer.image):6.2f} dB in {answer.seconds:.1f} s")


def read_options(words: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="few combinations, for tests")
    return options.parse_args(words)


if __name__ == "__main__":
    main()
