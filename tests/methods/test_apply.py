"""The single entry point: the answer has the form of the photo, and what is the same for all methods is done once."""

import io
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from unblur.errors import ImageError, KernelError, RegionError, UnblurError, UsageError
from unblur.images.files import read_image
from unblur.images.picture import Picture
from unblur.methods.apply import restore, restore_picture, restore_tensor
from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step, seconds_left
from unblur.methods.options import RestoreOptions


@dataclass
class Probe:
    """A method that applies a function and remembers what it got."""

    function: object = torch.Tensor.clone
    traits: Traits = field(default_factory=Traits)
    settings: object = None
    seen: list = field(default_factory=list)
    options: list = field(default_factory=list)

    def restore(self, blurry: torch.Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration:
        self.seen.append(blurry)
        self.options.append(options)
        return Restoration(image=self.function(blurry), kernel=torch.ones(blurry.shape[0], 1, 1, 1))


def darken(image):
    return image * 0.5


ARRAYS = [
    ((5, 7), np.uint8),
    ((5, 7, 1), np.uint8),
    ((5, 7, 2), np.uint8),
    ((5, 7, 3), np.uint8),
    ((5, 7, 4), np.uint8),
    ((5, 7, 3), np.uint16),
    ((5, 7), np.float16),
    ((5, 7, 3), np.float32),
    ((5, 7, 4), np.float64),
]


def random_array(shape, dtype):
    values = np.random.default_rng(3).random(shape)
    return (values * np.iinfo(dtype).max).astype(dtype) if np.issubdtype(dtype, np.integer) else values.astype(dtype)


@pytest.mark.parametrize(("shape", "dtype"), ARRAYS)
def test_arrays(shape, dtype):
    blurry = random_array(shape, dtype)
    before = blurry.copy()
    same = restore(blurry, Probe()).image
    darker = restore(blurry, Probe(darken)).image
    for answer in (same, darker):
        assert (answer.shape, answer.dtype) == (blurry.shape, blurry.dtype)
    assert np.array_equal(blurry, before)
    assert np.allclose(same, blurry, atol=1e-6)
    colour = slice(None, -1) if shape[-1] in (2, 4) else slice(None)
    tolerance = 0.5 if np.issubdtype(dtype, np.integer) else 1e-3
    shown = blurry if blurry.ndim == 2 else blurry[..., colour]
    assert np.abs((darker if blurry.ndim == 2 else darker[..., colour]) - shown * 0.5).max() <= tolerance
    if shape[-1] in (2, 4):
        assert np.array_equal(darker[..., -1], blurry[..., -1])


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "P", "1", "I;16", "F"])
def test_pillow_images(mode):
    rgb = Image.fromarray(random_array((6, 9, 3), np.uint8))
    if mode == "I;16":
        blurry = Image.fromarray(random_array((6, 9), np.uint16))
    elif mode == "F":
        blurry = Image.fromarray(random_array((6, 9), np.float32))
    else:
        blurry = rgb.convert(mode)
    blurry.info["dpi"] = (300, 300)
    before = blurry.tobytes()
    for method in (Probe(), Probe(darken), "input"):
        answer = restore(blurry, method).image
        assert (answer.mode, answer.size, answer.info["dpi"]) == (mode, blurry.size, (300, 300))
    assert blurry.tobytes() == before
    if mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        assert restore(blurry, Probe()).image.tobytes() == before


@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 6, 5), (2, 3, 6, 5)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_tensors(shape, dtype):
    blurry = torch.rand(shape).to(dtype)
    before = blurry.clone()
    probe = Probe(darken)
    answer = restore(blurry, probe).image
    assert (answer.shape, answer.dtype) == (blurry.shape, dtype)
    assert torch.equal(blurry, before)
    assert torch.allclose(answer, blurry * 0.5, atol=1e-3)
    assert probe.seen[0].dtype in (torch.float32, torch.float64)


def test_files_and_bytes(make_photo):
    photo = make_photo()
    picture = restore(photo, Probe()).image
    assert isinstance(picture, Picture)
    assert np.array_equal(picture.pixels, read_image(str(photo)).pixels)
    data = restore(photo.read_bytes(), Probe(darken)).image
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        assert np.abs(np.asarray(image) - picture.pixels * 0.5).max() <= 0.5


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"blurry": 3}, TypeError, "blurry is a int"),
        ({"blurry": [[1.0]]}, TypeError, "blurry is a list"),
        ({"blurry": np.zeros((3, 3), np.int64)}, TypeError, "int64"),
        ({"blurry": np.zeros((3, 3), bool)}, TypeError, "bool"),
        ({"blurry": np.zeros(3)}, ValueError, "blurry has shape"),
        ({"blurry": np.zeros((0, 3))}, ValueError, "blurry has shape"),
        ({"blurry": np.zeros((3, 3, 5))}, ValueError, "blurry has shape"),
        ({"blurry": np.full((3, 3), np.nan)}, ValueError, "not finite"),
        ({"blurry": np.full((3, 3), 255.0)}, ValueError, "are in"),
        ({"blurry": torch.zeros(3, 3)}, ValueError, "shape"),
        ({"blurry": torch.zeros(3, 3, 3, dtype=torch.uint8)}, TypeError, "uint8"),
        ({"blurry": torch.full((3, 3, 3), torch.inf)}, ImageError, "not finite"),
        ({"blurry": b"no picture"}, ImageError, "not an image"),
        ({"blurry": "/no/such/file.png"}, ImageError, "does not exist"),
        ({"method": "magic"}, UsageError, "magic"),
        ({"settings": {"a": 1}}, UsageError, "'a'"),
        ({"method": Probe(), "settings": {"a": 1}}, TypeError, "settings"),
        ({"kernel": 3}, TypeError, "kernel is a int"),
        ({"kernel": np.zeros((3, 3))}, KernelError, "zero"),
        ({"kernel": -torch.ones(3, 3)}, KernelError, "negative"),
        ({"kernel": np.ones((3, 3, 3))}, KernelError, "two dimensions"),
        ({"kernel": np.ones((17, 3))}, KernelError, "larger than the photo"),
        ({"kernel_size": 4}, UsageError, "kernel size"),
        ({"kernel_size": 99}, KernelError, "kernel size"),
        ({"region": (0, 0, 99, 1)}, RegionError, "outside the photo"),
        ({"region": (0, 0, 0, 1)}, RegionError, "empty"),
        ({"region": (0, 0, 1)}, RegionError, "four numbers"),
        ({"strength": 2}, UsageError, "strength"),
        ({"strength": float("nan")}, UsageError, "strength"),
        ({"encoding": "dim"}, UsageError, "encoding"),
        ({"solver": "magic"}, UsageError, "solver 'magic'"),
        ({"refine": "map"}, UsageError, "refiner 'map'"),
        ({"wishes": 1}, TypeError, "wishes"),
        ({"method": Probe(), "device": "quantum"}, UsageError, "quantum"),
    ],
)
def test_misuse_names_the_argument(arguments, error, says):
    with pytest.raises(error, match=says):
        restore(**{"blurry": np.zeros((16, 16), np.uint8), "method": "input", **arguments})


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_array_ends_well_or_with_a_clear_error(data):
    dtype = data.draw(
        st.sampled_from([np.uint8, np.uint16, np.float32, np.float64, np.int32, np.complex64, bool, ">u2"])
    )
    shape = data.draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    blurry = data.draw(arrays.arrays(dtype, shape))
    if blurry.ndim:
        blurry = data.draw(st.sampled_from([blurry, blurry[::-1], np.asfortranarray(blurry), blurry.T]))
    blurry.setflags(write=False)
    before = blurry.tobytes()
    try:
        answer = restore(blurry, Probe(darken)).image
    except (TypeError, ValueError, UnblurError) as refusal:
        assert "blurry" in str(refusal)  # noqa: PT017 - either end is right
    else:
        assert (answer.shape, answer.dtype) == (blurry.shape, blurry.dtype)
    assert blurry.tobytes() == before


def test_strength_mixes():
    blurry = torch.rand(1, 3, 8, 8)
    for strength in (0.0, 0.25, 1.0):
        mixed = restore_tensor(blurry, Probe(darken), RestoreOptions(strength=strength)).image
        assert torch.allclose(mixed, blurry * (1 - strength / 2), atol=1e-6)


def test_strength_zero_is_the_photo_itself():
    picture = Picture(random_array((5, 5, 4), np.uint8), "cmyk")
    assert restore_picture(picture, Probe(darken), RestoreOptions(strength=0.0)).image is picture


def test_the_answer_is_clamped_once():
    overshoot = restore_tensor(torch.rand(1, 1, 8, 8), Probe(lambda image: image * 4 - 2), RestoreOptions()).image
    assert overshoot.min() == 0
    assert overshoot.max() == 1


@pytest.mark.parametrize(("wanted", "channels", "shape"), [("rgb", 1, (2, 3)), ("any", 2, (2, 2))])
def test_channels(wanted, channels, shape):
    probe = Probe(darken, Traits(channels=wanted))
    blurry = torch.rand(2, channels, 6, 5)
    answer = restore_tensor(blurry, probe, RestoreOptions())
    assert probe.seen[0].shape[:2] == shape
    assert torch.allclose(answer.image, blurry * 0.5, atol=1e-6)
    assert answer.kernel.shape == (2, 1, 1, 1)


def test_sizes_are_padded_and_cropped():
    probe = Probe(darken, Traits(size_multiple=16))
    blurry = torch.rand(1, 3, 5, 21)
    answer = restore_tensor(blurry, probe, RestoreOptions()).image
    assert probe.seen[0].shape == (1, 3, 16, 32)
    assert torch.allclose(answer, blurry * 0.5)


def test_tiles():
    def box(image):
        return torch.nn.functional.avg_pool2d(image, 5, 1, 2, count_include_pad=False)

    blurry = torch.rand(1, 3, 150, 90)
    steps: list[Step] = []
    probe = Probe(box, Traits(tile_halo=8))
    answer = restore_tensor(blurry, probe, RestoreOptions(tile=64), steps.append)
    assert torch.allclose(answer.image, box(blurry), atol=1e-5)
    assert len(probe.seen) == 6
    assert answer.kernel is None
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize("tile", [32, 50, 64])
def test_tiles_have_sizes_that_the_method_takes(tile):
    probe = Probe(darken, Traits(tile_halo=10, size_multiple=16))
    blurry = torch.rand(1, 3, 90, 150)
    answer = restore_tensor(blurry, probe, RestoreOptions(tile=tile)).image
    assert torch.allclose(answer, blurry * 0.5, atol=1e-6)
    assert len(probe.seen) > 1
    assert all(side % 16 == 0 for part in probe.seen for side in part.shape[2:])


def test_the_fraction_never_falls():
    class Restless(Probe):
        def restore(self, blurry, options, on_step):
            for fraction in (0.5, 0.2, 1.5):
                on_step(Step(fraction, "working"))
            return super().restore(blurry, options, on_step)

    seen = []
    restore_tensor(torch.rand(1, 1, 4, 4), Restless(), RestoreOptions(), lambda step: seen.append(step.fraction))
    assert seen == [0.5, 0.5, 1.0]


def test_values_that_are_not_finite_get_a_second_try_in_double():
    def overflow(image):
        return image * 1e30 * 1e30 * 1e-60

    blurry = torch.rand(1, 1, 4, 4) + 0.1
    answer = restore_tensor(blurry.clamp(0, 1), Probe(overflow), RestoreOptions()).image
    assert torch.allclose(answer, blurry.clamp(0, 1), atol=1e-6)
    with pytest.raises(ImageError, match="not finite"):
        restore_tensor(blurry, Probe(lambda image: image / 0), RestoreOptions())


def test_methods_may_learn_on_the_photo():
    def learn(image):
        with torch.enable_grad():
            weight = torch.zeros((), requires_grad=True)
            (weight * image).sum().backward()
        return image * weight.grad.isfinite()

    blurry = torch.rand(1, 1, 4, 4)
    assert torch.equal(restore_tensor(blurry, Probe(learn), RestoreOptions()).image, blurry)


def test_a_kernel_arrives_normalised(tmp_path):
    kernel = np.random.default_rng(0).random((3, 5))
    np.save(tmp_path / "k.npy", kernel)
    for given_kernel in (kernel, torch.from_numpy(kernel), torch.from_numpy(kernel)[None, None], tmp_path / "k.npy"):
        probe = Probe()
        restore(np.zeros((8, 8), np.uint8), probe, kernel=given_kernel)
        assert torch.allclose(
            probe.options[0].kernel_for(torch.zeros(1))[0, 0], torch.from_numpy(kernel / kernel.sum()).float()
        )


def test_time_is_measured():
    assert restore(np.zeros((8, 8), np.uint8), "slow-input", settings={"steps": 2, "nap": 0.02}).seconds >= 0.04


def test_what_the_file_says_of_itself_comes_first(tmp_path):
    frames = [Image.new("L", (4, 4), level) for level in (0, 200)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert "frame" in restore(Path(tmp_path / "two.gif"), "input").warnings[0]


def test_options_that_have_no_effect_are_named():
    blurry = torch.rand(1, 1, 8, 8)
    options = RestoreOptions(kernel_size=3, encoding="linear", tile=64)
    assert restore_tensor(blurry, Probe(traits=Traits(uses=frozenset({"encoding"}))), options).warnings == (
        "this method does not use kernel-size, so it has no effect",
        "this method does not use tile, so it has no effect",
    )


def test_options_leave_torch_out_and_stay_as_they_are():
    options = RestoreOptions(kernel=np.ones((3, 3)), region=(0, 0, 2, 2))
    assert isinstance(options.kernel, np.ndarray)
    assert replace(options).kernel is options.kernel
    assert list(options.given()) == ["kernel", "region"]
    assert "device" not in options.as_plain()
    assert options.limited_to(frozenset({"region"})) == RestoreOptions(region=(0, 0, 2, 2))


@pytest.mark.parametrize(("name", "expected"), [("a.jpg", "linear"), ("a.png", "auto")])
def test_photos_from_cameras_were_blurred_in_linear_light(make_photo, name, expected):
    probe = Probe(traits=Traits(uses=frozenset({"encoding"})))
    restore(make_photo(name), probe)
    restore(make_photo(name), probe, encoding="encoded")
    assert [options.encoding for options in probe.options] == [expected, "encoded"]


@pytest.mark.parametrize(
    ("elapsed", "fraction", "photos", "expected"),
    [
        (5.0, 0.001, 1, None),
        (5.0, 0.25, 1, 15.0),
        (5.0, 0.0, 1000, None),
        (5.0, 0.001, 1000, 4995.0),
        (5.0, 1.0, 1, 0.0),
    ],
)
def test_time_left_is_told_once_the_speed_is_known(elapsed, fraction, photos, expected):
    assert seconds_left(elapsed, fraction, photos) == (None if expected is None else pytest.approx(expected))
