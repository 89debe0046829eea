"""Times of the methods on the devices of this machine: seconds a photo, the median of three after one to warm up.

python speed/devices.py [--side 256]
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import torch

from unblur.methods.apply import name_device, restore_tensor
from unblur.methods.base import Method
from unblur.methods.catalog import CATALOG, find_entry
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

REPEAT = 3


def main() -> None:
    """Measure and print a row for each method that needs torch and has weights of its own, or needs none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256, help="height and width of the photo in pixels")
    side = parser.parse_args().side
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    print(f"seconds for {side}x{side} pixels on {', '.join(map(name_device, devices))}")
    print(f"{'':14}" + "".join(f"{device:>10}" for device in devices))
    for name in CATALOG:
        entry = find_entry(name)
        if not entry.needs_torch or (entry.takes_weights and not entry.weights):
            continue
        method = load_method(name, {"preset": "smoke"} if name in ("selfdeblur", "kernel-space") else {})
        print(f"{name:14}" + "".join(f"{describe(method, side, device):>10}" for device in devices), flush=True)


def describe(method: Method, side: int, device: str) -> str:
    """The seconds of one photo; what went wrong instead, so that the other methods still get their rows."""
    try:
        return f"{seconds_of(method, side, device):.3f}"
    except Exception as error:  # whatever a device that was never tried comes up with
        return f"  {type(error).__name__}: {error}".partition("\n")[0]


def seconds_of(method: Method, side: int, device: str) -> float:
    """Median wall seconds of one photo; the first photo on a device, which prepares it, is left out."""
    photo = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)).to(device)
    kernel = torch.full((1, 1, 5, 5), 1 / 25)
    options = RestoreOptions(kernel=kernel if "kernel" in method.traits.uses else None)
    times: list[float] = []
    for _ in range(REPEAT + 1):
        start = time.perf_counter()
        restore_tensor(photo, method, options).image.cpu()  # waits for the device
        times.append(time.perf_counter() - start)
    return median(times[1:])


if __name__ == "__main__":
    main()
