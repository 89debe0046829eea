"""Time and memory of DMPHN: the method against the network as it is written down, each in a process of its own.

python speed/dmphn.py                    1280x720, one thread, processor time
python speed/dmphn.py --side 320         smaller, to try it out

The network as written down runs in float32 with the allocator as glibc has it; the method with bfloat16, where the
processor computes with it, `channels_last` weights, and freed memory kept.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from functools import partial

import torch
from torch import Tensor

from unblur.backbones.dmphn import CENTRE, Dmphn, dmphn_1_2_4
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.weights.checkpoint import Checkpoint

WAYS = ("eager", "method, float32", "method, auto")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=1280, help="width; the height is 9/16 of it, in multiples of 8")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        measure(given.way, given.side)
        return
    for way in WAYS:
        subprocess.run([sys.executable, __file__, "--side", str(given.side), "--way", way], check=True)  # noqa: S603


def measure(way: str, width: int) -> None:
    """Processor seconds of one way in this process, after a small photo to warm up, and the most memory it had."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = dmphn_1_2_4().requires_grad_(False)
    image = torch.rand(1, 3, width * 9 // 16 // 8 * 8, width)
    run = _run_eager if way == "eager" else partial(_run_method, precision=way.removeprefix("method, "))
    run(network, image[..., :64, :64])
    started = time.process_time()
    run(network, image)
    taken = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{way:16} {taken:6.2f} processor seconds, process peak {peak:.2f} GB", flush=True)


def _run_eager(network: Dmphn, image: Tensor) -> Tensor:
    return network(image - CENTRE) + CENTRE


def _run_method(network: Dmphn, image: Tensor, precision: str) -> Tensor:
    method = load_method("dmphn", {"precision": precision}, Checkpoint("random", network.state_dict()))
    return restore_tensor(image, method, RestoreOptions()).image


if __name__ == "__main__":
    main()
