"""A large photo that is restored part by part has the answer that it has as a whole."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from planted import plant, shake
from unblur.images import large
from unblur.images.large import LargePhoto
from unblur.images.picture import Picture
from unblur.methods import pipeline
from unblur.methods.apply import restore_picture
from unblur.methods.base import Restoration, Step, Traits
from unblur.methods.kernel_method import BlurEstimate, KernelMethod, Reduced
from unblur.methods.known_kernel.method import KnownKernel
from unblur.methods.known_kernel.settings import KnownKernelSettings
from unblur.methods.loading import load_method
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.reduced_size import Size

KERNEL = shake(15, 3, (18, 24))


@pytest.fixture(scope="module")
def photo() -> Picture:
    grey = plant(KERNEL, (300, 340), light="linear").blurry[0, 0].numpy()
    tinted = np.stack([grey, 0.9 * grey, 0.8 * grey], -1)
    return Picture(np.rint(255 * tinted).astype(np.uint8), "rgb")


@pytest.fixture
def both(monkeypatch):
    """Restores a photo as a whole, and in strips of a few rows, none of which is the whole."""

    def restore(picture, method, **options):
        answers = []
        for largest in (10**9, 1000):
            monkeypatch.setattr(pipeline, "LARGE", largest)
            monkeypatch.setattr(large, "_STRIP", 8000)
            answers.append(restore_picture(picture, method, RestoreOptions(**options)))
        return answers

    return restore


def assert_nearly_the_same(parts, whole) -> None:
    difference = np.abs(parts.image.pixels.astype(int) - whole.image.pixels)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


class Given(KernelMethod):
    """Knows the kernel, or what else there is to know."""

    traits = Traits(uses=frozenset({"kernel"}))
    settings = None

    def __init__(self, estimate: BlurEstimate, *, overlays: bool = False) -> None:
        self.known, self.leaves_out_overlays = estimate, overlays
        self.seen: list[type] = []

    def takes_large(self, photo, options):
        return True

    def estimate(self, blurry, options, on_step=lambda _: None):
        self.seen.append(type(blurry))
        return self.known


class Darker:
    """A network of sorts that works on half the sides."""

    settings = None
    traits = Traits(channels="rgb", size_multiple=8, tile_halo=8, tile_side=96, scale_for=lambda *_: 0.5)

    def __init__(self, change: float) -> None:
        self.change = change

    def restore(self, blurry, options, on_step=lambda _: None):
        on_step(Step(1.0, "darker", lambda: blurry))
        return Restoration(image=blurry - self.change)


@pytest.mark.parametrize("name", ["known-kernel", "map"])
def test_the_same_bytes(both, photo, name):
    """So far as powers of the same number are the same: vectors of pixels and single ones have two algorithms."""
    named = {"kernel": KERNEL} if name == "known-kernel" else {"kernel_size": 15}
    whole, parts = both(photo, load_method(name), **named)
    assert_nearly_the_same(parts, whole)
    assert not np.array_equal(whole.image.pixels, photo.pixels)
    assert parts.facts == whole.facts
    assert torch.equal(parts.kernel, whole.kernel)


@pytest.mark.parametrize("strength", [0.0, 0.6])
def test_strength(both, photo, strength):
    whole, parts = both(photo, load_method("known-kernel"), kernel=KERNEL, strength=strength)
    assert_nearly_the_same(parts, whole)
    assert np.array_equal(whole.image.pixels, photo.pixels) == (strength == 0)


def test_depth_alpha_and_grey_are_kept(both, photo):
    deep = np.concatenate([photo.pixels[..., :1].astype(np.uint16) * 257, np.full((300, 340, 1), 9, np.uint16)], -1)
    whole, parts = both(Picture(deep, "grey", has_alpha=True), load_method("known-kernel"), kernel=KERNEL)
    assert parts.image.pixels.dtype == np.uint16
    assert np.array_equal(parts.image.pixels[..., 1], deep[..., 1])
    assert_nearly_the_same(parts, whole)


def test_what_changes_at_a_reduced_size_is_added(both, photo):
    """To rounding: each pixel that is added is summed up in another order."""
    small = Reduced(Size(150, 170), torch.nn.functional.avg_pool2d(KERNEL, 3, 1, 1))
    method = Given(BlurEstimate(KERNEL, "linear", reduced=small))
    whole, parts = both(photo, method)
    assert method.seen == [torch.Tensor, LargePhoto]
    assert_nearly_the_same(parts, whole)
    assert parts.facts == whole.facts


def test_a_photo_that_stays_as_it_is(both, photo):
    whole, parts = both(photo, Given(BlurEstimate(None, refusal="it is sharp")))
    assert parts.unchanged
    assert parts.warnings == whole.warnings == ("it is sharp",)
    assert parts.image is photo


def test_bars_are_returned_bit_for_bit(both, photo):
    pixels = np.pad(photo.pixels, ((40, 30), (0, 50), (0, 0)))
    method = Given(BlurEstimate(KERNEL, "linear"), overlays=True)
    whole, parts = both(Picture(pixels, "rgb"), method)
    assert method.seen == [torch.Tensor, LargePhoto]
    assert_nearly_the_same(parts, whole)
    assert not parts.image.pixels[:40].any()
    assert parts.facts == whole.facts
    assert "340x300" in parts.facts["laid_over"]


def test_what_needs_the_whole_photo_gets_it(both, photo):
    """A region that is restored alone, letters over the photo, a refiner, an estimate that cannot read parts."""
    method = Given(BlurEstimate(KERNEL, "linear"), overlays=True)
    both(photo, method, only_region=Region(10, 10, 200, 200))
    stamped = Image.fromarray(photo.pixels)
    ImageDraw.Draw(stamped).text((40, 210), "12 08 '03", fill=(255, 160, 40), font=ImageFont.load_default(26))
    both(Picture(np.asarray(stamped), "rgb"), method)
    method.takes_large = lambda photo, options: False
    both(photo, method)
    assert set(method.seen) == {torch.Tensor}


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_at_a_reduced_size(both, photo, channels):
    one = Picture(photo.pixels[..., :channels], "grey" if channels == 1 else "rgb")
    whole, parts = both(one, Darker(0.11))
    assert_nearly_the_same(parts, whole)
    assert parts.facts == whole.facts == {"restored_at": (150, 170)}


def test_a_wrong_answer_of_a_network_is_not_taken(both, photo):
    method = Darker(0.5)
    method.checkpoint = type("Weights", (), {"name": "made", "sha256": ""})()
    whole, parts = both(photo, method)
    assert parts.image is photo
    assert parts.warnings == whole.warnings
    assert "its colours are others" in parts.warnings[0]


def test_an_answer_that_is_not_finite_gets_its_second_try(monkeypatch, photo):
    """As a whole, in double precision."""
    seen = []

    class Overflowing(KnownKernel):
        def restore_large(self, photo, options, on_step=lambda _: None):
            seen.append("parts")
            return Restoration(photo.mapped(lambda part: part / 0))

        def restore(self, blurry, options, on_step=lambda _: None):
            seen.append("whole")
            return Restoration(blurry)

    monkeypatch.setattr(pipeline, "LARGE", 1000)
    answer = restore_picture(photo, Overflowing(KnownKernelSettings()), RestoreOptions(kernel=KERNEL))
    assert seen == ["parts", "whole"]
    assert np.array_equal(answer.image.pixels, photo.pixels)
