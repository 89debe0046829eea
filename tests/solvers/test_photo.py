import math

import pytest
import torch

from planted import draw_picture, plant, psnr, shake
from unblur.blur.convolve import convolve
from unblur.blur.kernels import fit_box
from unblur.errors import Cancelled, UsageError
from unblur.methods.known_kernel.settings import KnownKernelSettings
from unblur.methods.settings import describe_settings
from unblur.solvers.names import SOLVER_NAMES
from unblur.solvers.photo import choose_encoding, estimate_noise, restore_with_kernel
from unblur.solvers.registry import SOLVERS

KERNEL = shake(15, 3, (15, 20))


def test_settings_name_every_solver():
    solver = next(item for item in describe_settings(KnownKernelSettings) if item.name == "solver")
    assert solver.choices == SOLVER_NAMES == tuple(SOLVERS)


@pytest.mark.parametrize("light", ["encoded", "linear"])
def test_the_light_of_strong_contrast_is_recognised(light):
    """Ten pictures from black to white; on photos of little contrast the two lights hardly differ."""
    kernels = [shake(15, seed, (15, 20)) for seed in range(10)]
    photos = [plant(kernel, (150, 150), seed=seed, light=light).blurry for seed, kernel in enumerate(kernels)]
    right = [choose_encoding(photo, kernel) == light for photo, kernel in zip(photos, kernels, strict=True)]
    assert sum(right) >= 9


@pytest.mark.parametrize("solver", SOLVER_NAMES)
def test_the_right_light_restores_better(solver):
    planted = plant(KERNEL, light="linear")
    right, wrong = (
        psnr(restore_with_kernel(planted.blurry, KERNEL, solver=solver, encoding=light).clamp(0, 1), planted.sharp)
        for light in ("linear", "encoded")
    )
    assert right > max(wrong, planted.psnr + 2)


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.05])
def test_noise_is_estimated_through_blur(noise):
    planted = plant(KERNEL, (128, 128), noise=noise)
    assert estimate_noise(planted.blurry) == pytest.approx(noise, rel=0.15)


def test_noise_of_a_large_photo_is_estimated_on_a_part():
    photo = torch.full((1, 3, 1400, 1500), 0.5)
    photo += 0.02 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    assert estimate_noise(photo) == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("size", [(1, 1), (2, 50), (20, 20)])
def test_without_noise_there_is_still_rounding(size):
    assert estimate_noise(torch.full((1, 1, *size), 0.5)) == pytest.approx(1 / 255 / math.sqrt(12))


@pytest.mark.parametrize("solver", SOLVER_NAMES)
def test_smoothness_smooths(solver):
    planted = plant(KERNEL, noise=0.003)

    def roughness(smoothness: float) -> float:
        restored = restore_with_kernel(planted.blurry, KERNEL, solver=solver, smoothness=smoothness, encoding="encoded")
        return float(restored.diff(dim=-1).abs().mean())

    assert roughness(8) < roughness(1) < roughness(0.2)


def test_a_grey_photo_stays_grey_and_two_colours_are_restored_one_by_one():
    photos = [plant(KERNEL, (40, 50), seed=seed, noise=0.0).blurry for seed in range(2)]
    alone = [restore_with_kernel(photo, KERNEL, encoding="encoded") for photo in photos]
    both = restore_with_kernel(torch.cat(photos, 1), KERNEL, encoding="encoded")
    torch.testing.assert_close(both, torch.cat(alone, 1))
    grey = restore_with_kernel(photos[0].expand(-1, 3, -1, -1), KERNEL, encoding="encoded")
    torch.testing.assert_close(grey, alone[0].expand(-1, 3, -1, -1), atol=1e-3, rtol=0)


def test_tiles_cost_nothing(monkeypatch):
    planted = plant(KERNEL, (150, 170))
    whole = restore_with_kernel(planted.blurry, KERNEL, encoding="encoded")
    for name in ("_WHOLE", "_TILE"):
        monkeypatch.setattr(f"unblur.solvers.photo.{name}", 96)
    tiled = restore_with_kernel(planted.blurry, KERNEL, encoding="encoded")
    assert (tiled - whole).abs().mean() <= 1 / 255
    assert psnr(tiled, planted.sharp) > psnr(whole, planted.sharp) - 0.3


def test_progress_rises_to_one_and_can_stop():
    seen = []
    photo = draw_picture(20, 24).expand(1, 3, -1, -1)
    restore_with_kernel(photo, KERNEL, encoding="encoded", on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] < 0.2
    assert seen[-1] == 1
    assert len(set(seen)) > 10, "every step of the solver is reported and can be stopped"

    def stop(_: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        restore_with_kernel(photo, KERNEL, encoding="encoded", on_progress=stop)


def test_several_photos_of_one_scene_become_one():
    kernels = torch.cat([fit_box(shake(side, side), 11) for side in (7, 11)])
    sharp = draw_picture(70, 80, seed=6).expand(-1, 3, -1, -1)
    photos = torch.cat([convolve(sharp, one, "replicate") for one in kernels.split(1)])
    known = torch.ones(2, 1, 70, 80)
    known[1, ..., :20, :] = 0
    together = restore_with_kernel(photos, kernels, encoding="encoded", jpeg_coarseness=0)
    one_in_part = restore_with_kernel(photos, kernels, encoding="encoded", jpeg_coarseness=0, known=known)
    alone = restore_with_kernel(photos[:1], kernels[:1], encoding="encoded", jpeg_coarseness=0)
    assert together.shape == one_in_part.shape == alone.shape == (1, 3, 70, 80)
    assert psnr(together, sharp, 12) > psnr(one_in_part, sharp, 12) > psnr(alone, sharp, 12)
    with pytest.raises(UsageError, match="takes one photo"):
        restore_with_kernel(photos, kernels, encoding="encoded", solver="richardson-lucy")
