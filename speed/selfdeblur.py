"""Steps a second of SelfDeblur's fit: the method's own against a direct transcription, in one run.

python speed/selfdeblur.py                      271x271, one thread, processor time
python speed/selfdeblur.py --side 181 --width 64
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median

import torch

from unblur.backbones.skipnet import image_prior
from unblur.methods.optimisation.run import StepSchedule, optimise
from unblur.methods.selfdeblur.fit_schedules import FitSchedule
from unblur.methods.selfdeblur.problem import BlurModel, PhotoFit
from unblur.system.allocator import keep_freed_memory
from unblur.system.precision import choose_precision

KERNEL = 17
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=271, help="of what the image network makes, kernel margin included")
    parser.add_argument("--width", type=int, default=128, help="channels of the image network")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    blurry = torch.rand(1, 1, arguments.side - KERNEL + 1, arguments.side - KERNEL + 1)
    transcription = transcribe(blurry, arguments.width)
    taken = {"transcription": [seconds(transcription) for _ in range(ROUNDS + 1)][1:]}
    # Cannot be undone in a process, so the transcription comes first.
    keep_freed_memory()
    precisions = dict.fromkeys((torch.float32, choose_precision("auto", blurry.device)))
    for precision in precisions:
        taken[f"method, {precision}"] = time_method(blurry, arguments.width, precision)
    slow = median(taken["transcription"])
    for name, times in taken.items():
        print(f"{name:24} {1 / median(times):.2f} steps a second, {slow / median(times):.2f} x")


def transcribe(blurry: torch.Tensor, width: int) -> Callable[[], object]:
    """One step as the formulas have it: planes in their usual order, float32, one kernel of Adam for each tensor."""
    torch.manual_seed(0)
    network = image_prior(width=width)
    kernel_layers = torch.nn.Sequential(
        torch.nn.Linear(200, 1000), torch.nn.ReLU6(), torch.nn.Linear(1000, KERNEL**2), torch.nn.Softmax(0)
    )
    code = torch.rand(1, 8, *(side + KERNEL - 1 for side in blurry.shape[-2:])) / 10
    kernel_code = torch.rand(200) / 10
    groups = [{"params": network.parameters(), "lr": 1e-2}, {"params": kernel_layers.parameters(), "lr": 1e-4}]
    adam = torch.optim.Adam(groups, foreach=False)

    def step() -> None:
        adam.zero_grad()
        image = network(code + 1e-3 * torch.randn_like(code))
        reblurred = torch.nn.functional.conv2d(image, kernel_layers(kernel_code).view(1, 1, KERNEL, KERNEL))
        (reblurred - blurry).square().mean().backward()
        adam.step()

    return step


def time_method(blurry: torch.Tensor, width: int, precision: torch.dtype) -> list[float]:
    """Processor seconds of steps of the method, with everything that its loop keeps."""
    fit_schedule = FitSchedule(StepSchedule(ROUNDS + 1), squares_until=ROUNDS + 1, width=width)
    fit = PhotoFit(blurry, BlurModel((KERNEL, KERNEL), "encoded"), fit_schedule, seed=0, precision=precision)
    moments: list[float] = []

    def note(*_: object) -> None:
        moments.append(time.process_time())

    optimise(fit, fit_schedule.schedule, on_step=note)
    return [after - before for before, after in pairwise(moments)]


def seconds(step: Callable[[], object]) -> float:
    """Processor seconds of one step; other programs hardly count."""
    started = time.process_time()
    step()
    return time.process_time() - started


if __name__ == "__main__":
    main()
