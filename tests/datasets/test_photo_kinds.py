import numpy as np
import pytest
import torch

from unblur.blur.convolve import convolve
from unblur.datasets.photo_kinds.kinds import (
    large_photo_kinds,
    large_photos_suite,
    make_photo,
    photo_kinds,
    photos_suite,
)
from unblur.datasets.photo_kinds.names import is_sharp_kind, kind_of_pair
from unblur.datasets.photo_kinds.scenes import OVERLAYS, code_page, lay_over
from unblur.datasets.photos import kodak
from unblur.errors import DataError
from unblur.images.labels import label_parts
from unblur.images.tensors import linear_to_srgb, srgb_to_linear


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    folder = root / "kernels" / "gyro"
    folder.mkdir(parents=True)
    rates = np.random.default_rng(0).normal(0, 0.3, (400, 3))
    np.savez(folder / "gopro_made.npz", gyro_rad_s=rates, pan_tilt_axes=np.array([0, 1]), rate_hz=np.array(400.0))
    return photo_kinds(root)


def photo(side: int = 200) -> torch.Tensor:
    coarse = torch.rand(1, 3, side // 8, side // 8, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)


KINDS = [
    "sharp-png", "sharp-jpeg", "shake-5-15", "shake-15-31", "shake-31-75", "shake-turning", "line-2-5", "line-5-15",
    "line-15-45", "disk-2-4", "disk-4-10", "gaussian-1-4", "moving", "moving-shaken", "text", "lamps", "overlay",
    "noise", "jpeg-30",
]  # fmt: skip


def test_all_kinds_are_tested(kinds):
    assert list(kinds) == KINDS


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_gives_one_pair(kinds, name):
    first, again, other = (make_photo(photo(), kinds[name], seed, name=name) for seed in (1, 1, 2))
    assert torch.equal(first.pair.blurry, again.pair.blurry)
    assert first.jpeg_quality == again.jpeg_quality
    if name != "sharp-png":
        assert not torch.equal(first.pair.blurry, other.pair.blurry)
    assert first.pair.blurry.shape == first.pair.sharp.shape
    levels = first.pair.blurry * 255
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    lost = float((first.pair.blurry - first.pair.sharp).abs().mean())
    assert lost == 0 if name == "sharp-png" else lost > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_turning_camera_leaves_one_path_around_the_truth(kinds, seed):
    # a small light at a corner of the scene, where the roll moves it most
    scene = torch.zeros(1, 1, 240, 320)
    scene[..., 60:62, 80:82] = 1
    seen = kinds["shake-turning"].blur(scene, torch.Generator().manual_seed(seed))
    light = seen.image[0, 0].double()
    assert len(label_parts(seen.image > 1e-6).unique()) == 2  # one part, and what lies around it
    rows, columns = (torch.arange(side, dtype=torch.float64) for side in light.shape)
    middle = float(light.sum(1) @ rows / light.sum()), float(light.sum(0) @ columns / light.sum())
    for found, true, crop in zip(middle, (60.5, 80.5), seen.crop, strict=True):
        assert abs(found + crop - true) < 0.25


def test_the_kernel_blurs_in_linear_light(kinds):
    pair = make_photo(photo(), kinds["shake-5-15"], 4).pair
    light = convolve(srgb_to_linear(pair.sharp), pair.kernel, "valid")
    reach = pair.kernel.shape[-1] // 2
    inner = pair.blurry[..., reach : pair.blurry.shape[-2] - reach, reach : pair.blurry.shape[-1] - reach]
    assert float((linear_to_srgb(light.clamp(0, 1)) - inner).abs().mean()) < 0.02


def test_a_size_cuts_a_window(kinds):
    made = make_photo(photo(), kinds["sharp-png"], 0, size=96)
    assert made.pair.sharp.shape == (1, 3, 96, 96)


@pytest.mark.parametrize("kind", OVERLAYS)
def test_overlays_leave_the_rest_alone(kind):
    image = photo()
    over = lay_over(image, kind, torch.Generator().manual_seed(1))
    changed = (over != image).any(1).float().mean()
    assert 0 < changed < 0.6


def test_names_tell_the_kind():
    assert kind_of_pair("shake-5-15/kodim01") == "shake-5-15"
    assert [is_sharp_kind(name) for name in ("sharp-png", "shake-5-15")] == [True, False]


def test_the_suite_needs_its_data(tmp_path):
    with pytest.raises(DataError):
        photos_suite(tmp_path)


def test_the_suite_shows_every_photo_in_every_kind(data_folder):
    pairs = photos_suite(data_folder)
    assert len(pairs) == 24 * len(KINDS)
    assert {kind_of_pair(name) for name in pairs.names[: len(KINDS)]} == set(KINDS)
    assert pairs[0].sharp.shape[1] == 3


def test_the_large_suite_shows_every_photo_in_every_kind(data_folder):
    kinds = large_photo_kinds()
    pairs = large_photos_suite(data_folder)
    assert len(pairs) == 24 * len(kinds)
    names = list(kinds)
    sharp, shaken = (pairs[names.index(name)] for name in ("sharp-large", "shake-15-45"))
    [photo, *_] = kodak(data_folder)
    assert sharp.sharp.shape[-1] == 3 * photo.shape[-1]
    assert shaken.kernel is not None
    assert shaken.kernel.shape[-1] >= 15


def test_codes_are_dark_modules_on_even_paper():
    page = code_page((300, 400), torch.Generator().manual_seed(3))
    assert page.shape == (1, 3, 300, 400)
    light = page[0, 1] / page[0, 1].amax(0)
    assert ((light < 0.01) | (light > 0.99)).all()
    assert 0.15 < float((light < 0.01).float().mean()) < 0.5
    assert torch.equal(page, code_page((300, 400), torch.Generator().manual_seed(3)))
    assert not torch.equal(page, code_page((300, 400), torch.Generator().manual_seed(4)))
