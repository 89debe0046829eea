"""Time of DUBLID: a forward pass by how many filters are worked on at a time, and a training step.

    python speed/dublid.py              255x255 grey, one thread
    python speed/dublid.py --train      batch of 4 crops of 128x128, all threads, and where the time goes
    python speed/dublid.py --restore PHOTO      the whole method on the middle of a blurry photo, one thread

Wall and processor seconds: where other programs run, the latter tell more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile

from unblur.datasets.image_files import read_tensor
from unblur.methods.apply import restore_tensor
from unblur.methods.dublid.model import Dublid
from unblur.methods.dublid.objective import DublidObjective
from unblur.methods.loading import load_method
from unblur.system.allocator import keep_freed_memory

ROUNDS = 9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true", help="a training step instead of the forward pass")
    parser.add_argument(
        "--restore", metavar="PHOTO", help="the whole method, on 255x255 and 1280x720 pixels of a photo"
    )
    given = parser.parse_args()
    if given.train:
        time_training()
    elif given.restore:
        time_restoration(given.restore)
    else:
        time_forward()


def time_forward() -> None:
    """The same network with groups of different sizes, in turns."""
    keep_freed_memory()  # as the method does
    torch.set_num_threads(1)
    photo = torch.rand(1, 1, 255, 255, generator=torch.Generator().manual_seed(0))
    networks = {group: Dublid(group=group).requires_grad_(False) for group in (16, 4, 2, 1)}
    taken: dict[int, list[tuple[float, float]]] = {group: [] for group in networks}
    for _ in range(ROUNDS):
        for group, network in networks.items():
            taken[group].append(seconds(lambda network=network: network(photo)))
    for group, times in taken.items():
        print(f"{group:2} filters at a time: {describe_times(times[1:])}")


def time_restoration(path: str) -> None:
    """The method as `unblur restore` runs it, without reading and writing."""
    torch.set_num_threads(1)
    photo, method = read_tensor(Path(path)), load_method("dublid")
    for height, width in ((255, 255), (720, 1280)):
        top, left = (photo.shape[-2] - height) // 2, (photo.shape[-1] - width) // 2
        part = photo[..., top : top + height, left : left + width]
        times = [seconds(lambda part=part: restore_tensor(part, method)) for _ in range(5)]
        print(f"{part.shape[-1]}x{part.shape[-2]} of {path}: {describe_times(times[1:])}")


def time_training() -> None:
    """Forward, backward, step of Adam and projection."""
    objective = DublidObjective(frame_multiple=8, group=4)
    optimiser = torch.optim.Adam(objective.parameters())
    generator = torch.Generator().manual_seed(0)
    batch = {
        "blurry": torch.rand(4, 1, 128, 128, generator=generator),
        "sharp": torch.rand(4, 1, 144, 144, generator=generator),
        "kernel": torch.rand(4, 1, 45, 45, generator=generator) / 1012,
    }

    def step() -> None:
        terms = objective(batch)
        optimiser.zero_grad(set_to_none=True)
        torch.stack([objective.term_weights[name] * term for name, term in terms.items()]).sum().backward()
        optimiser.step()
        objective.project()

    times = [seconds(step) for _ in range(ROUNDS)]
    print(f"training step, {torch.get_num_threads()} thread(s): {describe_times(times[1:])}")
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        step()
    print(profiled.key_averages().table(sort_by="self_cpu_time_total", row_limit=12, max_name_column_width=40))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def describe_times(times: list[tuple[float, float]]) -> str:
    """Median and least of both clocks."""
    wall, processor = zip(*times, strict=True)
    return (
        f"{median(wall):.3f} s (least {min(wall):.3f}), {median(processor):.3f} processor seconds "
        f"(least {min(processor):.3f})"
    )


if __name__ == "__main__":
    main()
