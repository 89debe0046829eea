"""A part of the photo is restored; the rest has its stored values, bit for bit."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image

from planted import plant, shifted_psnr
from unblur.blur.kernels import linear_kernel
from unblur.errors import KernelError, RegionError
from unblur.images.picture import Picture
from unblur.methods.apply import restore, restore_picture, restore_tensor
from unblur.methods.base import Restoration, Step, Traits
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.methods.part import choose_part

BOX = (7, 5, 20, 16)
INSIDE = np.s_[5:21, 7:27]


class Inverter:
    """A method that inverts what it gets, shows it, and remembers its options."""

    settings = None

    def __init__(self, uses: frozenset[str] = frozenset()) -> None:
        self.traits = Traits(uses=uses)
        self.options: list[RestoreOptions] = []
        self.sizes: list[tuple[int, ...]] = []

    def restore(self, blurry, options, on_step):
        self.options.append(options)
        self.sizes.append(tuple(blurry.shape[-2:]))
        on_step(Step(0.5, "half", lambda: 1 - blurry))
        field = torch.ones(1, 2, *blurry.shape[-2:])
        return Restoration(image=1 - blurry, motion_field=field)


def random_pixels(dtype, channels=3, shape=(32, 40)):
    values = np.random.default_rng(1).random((*shape, channels))
    return (values * np.iinfo(dtype).max).astype(dtype) if np.issubdtype(dtype, np.integer) else values.astype(dtype)


def outside(mask=INSIDE):
    left = np.ones((32, 40), bool)
    left[mask] = False
    return left


@pytest.mark.parametrize(
    ("space", "channels", "alpha", "dtype"),
    [("cmyk", 4, False, np.uint8)]
    + [
        (*kind, dtype) for kind in (("grey", 1, False), ("rgb", 4, True)) for dtype in (np.uint8, np.uint16, np.float32)
    ],
)
def test_the_rest_keeps_its_stored_values(space, channels, alpha, dtype):
    pixels = random_pixels(dtype, channels)
    if dtype == np.float32:
        pixels = pixels * 3 - 0.5  # beyond [0, 1], as in files of high dynamic range
    picture = Picture(pixels, space, alpha)
    answer = restore_picture(picture, Inverter(), RestoreOptions(only_region=BOX))
    assert np.array_equal(answer.image.pixels[outside()], pixels[outside()])
    middle = np.s_[12:14, 16:18]
    assert not np.array_equal(answer.image.pixels[middle], pixels[middle])
    assert answer.facts["part"] == "7,5,20,16"


def test_a_mask_is_the_part_and_its_bounds_are_what_the_method_gets():
    marked = np.zeros((32, 40), bool)
    marked[4:20, 6:30] = True
    marked[4:10, 6:12] = False
    method = Inverter()
    blurry = torch.rand(1, 3, 32, 40)
    answer = restore_tensor(blurry, method, RestoreOptions(mask=marked)).image
    kept = torch.from_numpy(~marked)
    assert torch.equal(answer[..., kept], blurry[..., kept])
    assert method.sizes == [(16, 24)]
    assert np.array_equal(method.options[0].mask, marked[4:20, 6:30])


def test_mask_and_region_are_what_lies_in_both():
    marked = np.zeros((32, 40), bool)
    marked[:, 10:] = True
    method = Inverter()
    restore_tensor(torch.rand(1, 1, 32, 40), method, RestoreOptions(mask=marked, only_region=BOX))
    assert method.sizes == [(16, 17)]
    assert method.options[0].mask is None  # all of what it gets is meant


def test_the_edge_is_feathered_inside_the_part_but_not_at_the_border_of_the_photo():
    part = choose_part(RestoreOptions(only_region=(0, 4, 30, 20)), 40, 60)
    assert part is not None
    weight = part.weight[0, 0]
    assert float(weight[10, 0]) == 1
    ramp = weight[10, -8:].flip(0)
    assert 0 < float(ramp[0]) < 0.1
    assert (ramp.diff() >= 0).all()
    assert float(ramp[6]) == 1


def test_previews_and_motion_have_the_size_of_the_photo():
    steps: list[Step] = []
    blurry = torch.rand(1, 3, 32, 40)
    answer = restore_tensor(blurry, Inverter(), RestoreOptions(only_region=BOX), steps.append)
    assert all(step.preview.shape == blurry.shape for step in steps)
    assert answer.motion_field.shape == (1, 2, 32, 40)
    assert answer.motion_field[0, 0].sum() == 16 * 20


def test_the_region_for_the_blur_is_counted_from_the_part():
    method = Inverter(frozenset({"region"}))
    options = RestoreOptions(only_region=BOX, region=(9, 8, 10, 10))
    restore_tensor(torch.rand(1, 3, 32, 40), method, options)
    assert method.options[0].region == (2, 3, 10, 10)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"only_region": (30, 0, 20, 10)}, RegionError, "outside the photo"),
        ({"only_region": BOX, "region": (0, 0, 10, 10)}, RegionError, "outside the part"),
        ({"only_region": BOX, "kernel": np.ones((19, 3))}, KernelError, "larger than the photo"),
        ({"mask": np.ones((32, 41), bool)}, RegionError, "41x32"),
        ({"mask": np.zeros((32, 40))}, RegionError, "no pixel"),
        ({"mask": "none.png"}, RegionError, "none.png: does not exist"),
        ({"mask": 3}, TypeError, "mask is a int"),
    ],
)
def test_parts_that_cannot_be(given, error, says):
    with pytest.raises(error, match=says):
        restore(random_pixels(np.uint8), Inverter(), **given)


def test_options_with_masks_compare_by_value():
    marked = np.eye(8, dtype=bool)
    options = RestoreOptions(mask=marked)
    assert options == replace(options, mask=torch.from_numpy(marked))
    assert hash(options) == hash(RestoreOptions(mask=marked.copy()))
    assert options != RestoreOptions(mask=~marked)
    assert list(options.given()) == ["mask"]


def test_one_blurred_thing_in_a_sharp_photo():
    """The thing gains 3 dB or more, the rest is the photo."""
    thing = plant(linear_kernel(9, 20), (96, 140))
    around = (40, 40, 30, 30)
    truth, blurry = (F.pad(one, around, mode="reflect") for one in (thing.sharp, thing.sharp))
    blurry[..., 30:126, 40:180] = thing.blurry
    options = RestoreOptions(only_region=(40, 30, 140, 96), encoding="encoded")
    answer = restore_tensor(blurry, load_method("map", {"hypotheses": 1}), options).image
    rest = torch.ones(blurry.shape[-2:], dtype=torch.bool)
    rest[30:126, 40:180] = False
    assert torch.equal(answer[..., rest], blurry[..., rest])
    restored, sharp = (one[..., 30:126, 40:180] for one in (answer, truth))
    assert shifted_psnr(restored, sharp, margin=8) > shifted_psnr(thing.blurry, sharp, margin=8) + 3


def test_command_line_report_and_resume(run, tmp_path):
    """The rest of a PNG comes back bit for bit; of a JPEG it is said that it cannot."""
    pixels = random_pixels(np.uint8)
    marked = np.zeros((32, 40), np.uint8)
    marked[INSIDE] = 255
    for name, values in (("photo.png", pixels), ("photo.jpg", pixels), ("mask.png", marked)):
        Image.fromarray(values).save(tmp_path / name)
    np.save(tmp_path / "kernel.npy", np.ones((1, 3), np.float32))
    mask = ("--mask", tmp_path / "mask.png")
    known = ("--method", "known-kernel", "--kernel", tmp_path / "kernel.npy")
    for given in (mask, ("--only-region", "7,5,20,16")):
        out, report = tmp_path / f"{given[0]}.png", tmp_path / f"{given[0]}.jsonl"
        ran = run("restore", tmp_path / "photo.png", "-o", out, *given, *known, "--report", report)
        assert ran.code == 0, ran.err
        assert np.array_equal(np.asarray(Image.open(out))[outside()], pixels[outside()])
        assert not np.array_equal(np.asarray(Image.open(out)), pixels)
        assert json.loads(report.read_text())["facts"]["part"] == "7,5,20,16"
    ran = run("restore", tmp_path / "photo.jpg", "-o", tmp_path / "out.jpg", *mask, *known)
    assert "as near to the input as encoding it again allows" in ran.err
    out = tmp_path / "--mask.png"
    again = run("restore", tmp_path / "photo.png", "-o", out, *mask, *known, "--resume")
    assert "1 skipped" in again.err
    marked[:8] = 0
    Image.fromarray(marked).save(tmp_path / "mask.png")
    assert "1 skipped" not in run("restore", tmp_path / "photo.png", "-o", out, *mask, *known, "--resume").err
    refused = run("restore", tmp_path / "photo.png", "-o", tmp_path / "mask.png", *mask, *known, "--overwrite")
    assert refused.code == 2
