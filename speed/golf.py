"""Time and memory of the Golf Optimizer: prepared networks against those that are written down, in one run.

python speed/golf.py                256x256, one thread, processor time
python speed/golf.py --frame        1280x720, all threads, with peak memory
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median

import torch

from unblur.backbones.golf import first_shot, putt
from unblur.backbones.golf_inference import PreparedNet
from unblur.methods.apply import restore_tensor
from unblur.methods.golf.method import Golf
from unblur.methods.golf.model import GolfOptimizer
from unblur.methods.golf.settings import GolfSettings
from unblur.methods.options import RestoreOptions
from unblur.system.precision import choose_precision
from unblur.weights.checkpoint import Checkpoint

ROUNDS = 9
PUTTS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frame", action="store_true", help="one full frame instead of the comparison")
    networks = GolfOptimizer(first_shot(), putt(), iters=PUTTS).requires_grad_(False)
    if parser.parse_args().frame:
        time_frame(networks)
    else:
        compare(networks)


def compare(networks: GolfOptimizer) -> None:
    """Processor seconds of F + 3 G for 256x256 on one thread, ways in turns; other programs hardly count."""
    torch.set_num_threads(1)
    image = torch.rand(1, 3, 256, 256)
    ways = {"as written down": lambda: networks(image)}
    for precision in dict.fromkeys((torch.float32, choose_precision("auto", image.device))):
        nets = [PreparedNet(net, image.device, precision) for net in (networks.first_shot, networks.putt)]
        ways[f"prepared, {precision}"] = lambda nets=nets: chain(nets, image)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            spent = seconds(way, time.process_time)
            if number > 0:  # the first round warms up
                taken[name].append(spent)
    eager = median(taken["as written down"])
    for name, times in taken.items():
        print(f"{name:25} median {median(times):.3f} s, least {min(times):.3f} s, {eager / median(times):.2f} x")


def time_frame(networks: GolfOptimizer) -> None:
    """Seconds and peak memory of the whole method for 1280x720."""
    method = Golf(GolfSettings(iters=PUTTS), Checkpoint("random", networks.state_dict()))
    cpu_before = time.process_time()
    taken = seconds(lambda: restore_tensor(torch.rand(1, 3, 720, 1280), method, RestoreOptions()), time.perf_counter)
    cpu = time.process_time() - cpu_before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    threads = torch.get_num_threads()
    print(f"1280x720 on {threads} thread(s): {taken:.1f} s, {cpu:.1f} processor seconds, process peak {peak:.2f} GB")


def chain(nets: list[PreparedNet], image: torch.Tensor) -> torch.Tensor:
    """F once, G again and again."""
    latent = nets[0].whole(image)
    for _ in range(PUTTS):
        latent = nets[1].whole(latent)
    return latent


def seconds(way: Callable[[], object], clock: Callable[[], float]) -> float:
    """Time of one call."""
    started = clock()
    way()
    return clock() - started


if __name__ == "__main__":
    main()
