"""Training samples under one kernel each: the same by number, true to their kernel, of the promised shapes."""

import numpy as np
import pytest
import torch
from PIL import Image

from planted import draw_picture
from unblur.blur.convolve import convolve
from unblur.datasets.streams import UniformBlurStream
from unblur.errors import DataError, ReadError, SettingsError


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(3):
        pixels = (draw_picture(120, 140, seed=number)[0, 0].numpy() * 255).astype(np.uint8)
        Image.fromarray(np.stack([pixels, pixels[::-1], pixels], axis=-1)).save(folder / f"{number}.png")
    return str(folder)


def make(photos: str, kind: str = "linear", **changes) -> UniformBlurStream:
    blur = {"linear": {"length_max": 12, "kernel_size": 15}}.get(kind, {"kernel_size": 15})
    return UniformBlurStream([photos], kind, **{"blur": blur, "size": 40, "margin": 4, "kernel_box": 21, **changes})


def test_a_sample_depends_on_its_number_and_the_seed_alone(photos):
    first, again, other = make(photos), make(photos), make(photos, seed=1)
    later = [again.sample(index) for index in (7, 3, 5)]
    for name, value in first.sample(5).items():
        assert torch.equal(value, later[2][name])
        assert not torch.equal(value, other.sample(5)[name])
        assert not torch.equal(value, later[1][name])


@pytest.mark.parametrize("kind", ["linear", "shake"])
@pytest.mark.parametrize("grey", [True, False])
def test_the_blurry_patch_is_the_sharp_one_under_the_kernel(photos, kind, grey):
    for index in range(6):
        sample = make(photos, kind, grey=grey).sample(index)
        channels = 1 if grey else 3
        assert sample["blurry"].shape == (channels, 40, 40)
        assert sample["sharp"].shape == (channels, 48, 48)
        assert sample["kernel"].shape == (1, 21, 21)
        assert float(sample["kernel"].sum()) == pytest.approx(1, abs=1e-5)
        blurred = convolve(sample["sharp"][None], sample["kernel"][None], "replicate")[0, :, 4:-4, 4:-4]
        inner = slice(10, -10)  # beyond that the kernel reaches outside the sharp patch
        difference = (blurred - sample["blurry"])[..., inner, inner]
        assert float(difference.abs().max()) < 2 / 255


def test_noise_and_compression_are_added(photos):
    clean = make(photos).sample(0)
    noisy = make(photos, noise=(0.02, 0.02)).sample(0)
    assert torch.equal(clean["sharp"], noisy["sharp"])
    assert float((noisy["blurry"] - clean["blurry"]).std()) == pytest.approx(0.02, rel=0.2)
    squeezed = make(photos, jpeg=(30, 30), jpeg_share=1.0).sample(0)
    assert float((squeezed["blurry"] - clean["blurry"]).abs().max()) > 1 / 255


def test_patches_without_edges_are_drawn_again(tmp_path):
    pixels = np.full((200, 400), 128, np.uint8)
    pixels[:, :60] = (draw_picture(200, 60)[0, 0].numpy() * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "calm.png")
    stream = make(str(tmp_path))
    flat = sum(float(stream.sample(index)["sharp"].std()) < 0.01 for index in range(20))
    assert flat <= 4  # a single draw would find nothing in three of four


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "dynamic", "blur": {}}, "no kernel"),
        ({"kernel_box": 13}, "box of 13"),
        ({"blur": {"colour": 1}}, "no setting 'colour'"),
        ({"kind": "mystery"}, "no kind of blur named 'mystery'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(photos, changes, words):
    with pytest.raises(SettingsError, match=words):
        make(photos, **changes)


def test_missing_folders_and_broken_photos_are_named(tmp_path):
    with pytest.raises(DataError):
        make(str(tmp_path / "nowhere"))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(ReadError, match=r"broken\.png"):
        make(str(tmp_path)).sample(0)
