from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import data_trees as trees
from unblur.blur.convolve import convolve
from unblur.blur.kernels import check_kernel, kernel_from_trajectory, linear_kernel
from unblur.blur.motion_fields import blur_by_motion_field
from unblur.datasets.blur_settings import (
    DefocusBlur,
    DynamicBlur,
    FrameAverage,
    GaussianBlur,
    LinearBlur,
    MotionFieldBlur,
    Sensor,
    ShakeBlur,
    Synthesis,
)
from unblur.datasets.gyro import read_gyro, sample_gyro_path
from unblur.datasets.photos import photos_of
from unblur.datasets.segments import choose_objects, read_segments
from unblur.datasets.synthesis import make_pair, seed_for, synthetic_set
from unblur.errors import DataError, SettingsError, ShapeError
from unblur.images.tensors import linear_to_srgb, srgb_to_linear

KERNEL_BLURS = [
    LinearBlur(kernel_size=17, length_max=15, offset=0.6),
    ShakeBlur(kernel_size=17),
    DefocusBlur(kernel_size=17, radius_max=7),
    GaussianBlur(kernel_size=17, sigma_max=2.5, round=False),
]
BLURS = [*KERNEL_BLURS, MotionFieldBlur("mild"), DynamicBlur(length_max=9, steps=9)]
STEP = 1 / 255


def photo(height: int = 96, width: int = 112, channels: int = 3) -> torch.Tensor:
    pixels = trees.photo(height, width, channels, 0)
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / 255


def id_of(settings: object) -> str:
    return type(settings).__name__


@pytest.mark.parametrize("encoding", ["linear", "encoded"])
@pytest.mark.parametrize("blur", KERNEL_BLURS, ids=id_of)
def test_convention_the_kernel_explains_the_pair_in_its_encoding(blur, encoding):
    pair = make_pair(photo(), Synthesis(blur, encoding=encoding), 5).pair
    check_kernel(pair.kernel)
    assert pair.kernel.shape[-2:] == (17, 17)
    assert pair.encoding == encoding
    assert pair.blurry.shape == pair.sharp.shape == (1, 3, 80, 96)
    torch.testing.assert_close(pair.sharp, photo()[..., 8:-8, 8:-8], rtol=0, atol=1e-6)
    # what lies outside the pair is that of the photo
    stored = photo() if encoding == "encoded" else srgb_to_linear(photo())
    expected = convolve(stored, pair.kernel, "valid")
    expected = expected if encoding == "encoded" else linear_to_srgb(expected)
    torch.testing.assert_close(pair.blurry, expected, rtol=0, atol=0.51 * STEP)


def test_convention_the_motion_field_explains_the_pair():
    pair = make_pair(photo(), Synthesis(MotionFieldBlur("mild"), encoding="encoded"), 1).pair
    assert pair.motion_field.shape == (1, 2, *pair.blurry.shape[-2:])
    assert pair.kernel is None
    assert (pair.motion_field[:, 0] >= 0).all()
    again = blur_by_motion_field(pair.sharp, pair.motion_field)
    torch.testing.assert_close(again[..., 16:-16, 16:-16], pair.blurry[..., 16:-16, 16:-16], rtol=0, atol=0.51 * STEP)


def test_a_moving_scene_without_objects_is_a_shake():
    made = make_pair(photo(), Synthesis(DynamicBlur(objects=0, shake=8), encoding="encoded"), 3)
    assert made.trajectory.shape == (1, 33, 3)
    kernel = kernel_from_trajectory(made.trajectory[0, :, :2], 17)
    expected = convolve(photo(), kernel, "replicate")
    crop = (photo().shape[-1] - made.pair.blurry.shape[-1]) // 2
    torch.testing.assert_close(made.pair.blurry, expected[..., crop:-crop, crop:-crop], rtol=0, atol=1.6 * STEP)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("blur", BLURS, ids=id_of)
def test_the_seed_alone_decides(blur, channels):
    synthesis = Synthesis(blur, Sensor(photons=900, noise_sigma=0.01, jpeg_quality=80), size=48)
    first, again, other = (make_pair(photo(channels=channels), synthesis, seed) for seed in (1, 1, 2))
    assert first.pair.blurry.shape == first.pair.sharp.shape == (1, channels, 48, 48)
    assert torch.equal(first.pair.blurry, again.pair.blurry)
    assert torch.equal(first.pair.sharp, again.pair.sharp)
    assert first.facts == again.facts
    assert not torch.equal(first.pair.blurry, other.pair.blurry)


@pytest.mark.parametrize("blur", BLURS, ids=id_of)
def test_a_photo_that_is_too_small_is_continued_by_its_mirror_image(blur):
    pair = make_pair(photo(40, 30), Synthesis(blur, size=64), 0).pair
    assert pair.blurry.shape == pair.sharp.shape == (1, 3, 64, 64)
    assert torch.isfinite(pair.blurry).all()


def test_a_crop_takes_the_blur_from_around_it():
    pair = make_pair(photo(), Synthesis(KERNEL_BLURS[0], encoding="encoded", size=32), 4).pair
    places = photo().unfold(-2, 32, 1).unfold(-2, 32, 1)[0]
    [[top, left]] = (places == pair.sharp[0][:, None, None]).all(0).all(-1).all(-1).nonzero().tolist()
    around = photo()[..., top - 8 : top + 40, left - 8 : left + 40]
    torch.testing.assert_close(pair.blurry, convolve(around, pair.kernel, "valid"), rtol=0, atol=0.51 * STEP)


def test_gain_saturates_both_images():
    dark = make_pair(photo(), Synthesis(KERNEL_BLURS[1]), 2).pair
    bright = make_pair(photo(), Synthesis(KERNEL_BLURS[1], Sensor(gain=3.0)), 2).pair
    assert (bright.sharp == 1).float().mean() > (dark.sharp == 1).float().mean() + 0.1
    expected = linear_to_srgb((3 * srgb_to_linear(dark.sharp)).clamp(max=1))
    torch.testing.assert_close(bright.sharp, expected, rtol=0, atol=1.1 * STEP)


def test_noise_has_its_size_in_the_light_of_the_blur():
    flat = torch.full((1, 1, 200, 200), 0.5)
    synthesis = Synthesis(LinearBlur(), Sensor(noise_sigma=0.02), encoding="encoded")
    noisy = make_pair(flat, synthesis, 0).pair.blurry
    assert noisy.std().item() == pytest.approx(0.02, rel=0.05)
    counted = make_pair(flat, replace(synthesis, sensor=Sensor(photons=500)), 0).pair.blurry
    assert counted.std().item() == pytest.approx((0.5 / 500) ** 0.5, rel=0.05)
    linear = make_pair(flat, replace(synthesis, encoding="linear"), 0).pair.blurry
    assert srgb_to_linear(linear).std().item() == pytest.approx(0.02, rel=0.05)


def test_jpeg_leaves_its_traces_on_the_blurry_image_alone():
    synthesis = Synthesis(KERNEL_BLURS[0])
    plain = make_pair(photo(), synthesis, 0).pair
    fine, coarse = (
        make_pair(photo(), replace(synthesis, sensor=Sensor(jpeg_quality=quality)), 0).pair for quality in (95, 20)
    )
    assert torch.equal(fine.sharp, plain.sharp)
    errors = [(pair.blurry - plain.blurry).abs().mean() for pair in (fine, coarse)]
    assert 0 < errors[0] < errors[1] < 0.1


def test_drawn_numbers_make_the_kernel_again():
    made = make_pair(photo(), Synthesis(LinearBlur(offset=0.5)), 9)
    drawn = made.facts
    kernel = linear_kernel(
        drawn["length"], drawn["angle"], offset=(drawn["offset_right"], drawn["offset_down"]), size=31
    )
    torch.testing.assert_close(made.pair.kernel, kernel, rtol=0, atol=0)


def test_a_folder_of_photos_is_a_data_set(tmp_path):
    for n in range(3):
        trees.save(tmp_path / f"{n}.png", trees.photo(64, 64, 3, n))
    photos = photos_of(tmp_path)
    pairs = synthetic_set(photos, Synthesis(ShakeBlur(kernel_size=9)), seed=4)
    assert pairs.names == ("0", "1", "2")
    alone = synthetic_set(photos[2:], Synthesis(ShakeBlur(kernel_size=9)), seed=4)[0]
    assert torch.equal(pairs[2].blurry, alone.blurry)
    assert torch.equal(pairs[2].blurry, pairs[2].blurry)
    assert not torch.equal(pairs[0].kernel, pairs[1].kernel)


def test_seeds_differ_with_name_and_run():
    seeds = {seed_for(run, name) for run in range(20) for name in ("a", "b", "a/b", "\udcff")}
    assert len(seeds) == 80
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_what_cannot_be_blurred_is_our_error(tmp_path):
    with pytest.raises(ShapeError, match="fits nowhere inside"):
        make_pair(photo(16, 16), Synthesis(ShakeBlur(kernel_size=17)), 0)
    with pytest.raises(ShapeError, match="a photo of 10x9 pixels is too small for this motion"):
        make_pair(photo(9, 10), Synthesis(MotionFieldBlur()), 0)
    with pytest.raises(SettingsError, match="frames are added up from sequences"):
        make_pair(photo(), Synthesis(FrameAverage()), 0)
    with pytest.raises(SettingsError, match="a segmentation fits a whole photo"):
        make_pair(photo(), Synthesis(DynamicBlur(segmentations=str(tmp_path)), size=32), 0)
    for sensor in ({"gain": 0}, {"noise_sigma": -1}, {"jpeg_quality": 101}, {"photons": -1}):
        with pytest.raises(SettingsError, match="gain is above 0"):
            Sensor(**sensor)


def test_objects_are_regions_of_the_label_map(tmp_path):
    labels = np.ones((96, 112), np.uint8)
    labels[20:50, 30:60], labels[0, 0] = 2, 3  # the rest is too large, one pixel too small
    np.savez(tmp_path / "scene.npz", seg0=labels)
    read = read_segments(tmp_path / "scene.npz", (96, 112))
    [mask] = choose_objects(read, 2, torch.Generator().manual_seed(0))
    assert torch.equal(mask, read == 2)
    synthesis = Synthesis(DynamicBlur(segmentations=str(tmp_path), shake=0, turn=0, length_min=9, length_max=9))
    pair = make_pair(photo(), synthesis, 0, "folder/scene").pair
    assert torch.equal(pair.motion_field[0].norm(dim=0) > 0, mask)
    with pytest.raises(DataError, match="expected a label map of 100x96"):
        read_segments(tmp_path / "scene.npz", (96, 100))


def recording(path: Path, rate: float = 200.0) -> Path:
    times = np.arange(400) / rate
    np.savez(
        path,
        gyro_rad_s=np.stack([np.zeros(400), 0.2 * np.cos(9 * times), 0.1 * np.ones(400)], -1),
        rate_hz=rate,
        pan_tilt_axes=np.array([2, 1]),
    )
    return path


def test_a_recorded_shake_is_a_kernel(tmp_path):
    place = recording(tmp_path / "gyro.npz")
    made = make_pair(photo(), Synthesis(ShakeBlur(gyro=str(place), focal_length=300.0)), 1)
    assert 1 / 30 <= made.facts["exposure"] <= 1 / 4
    torch.testing.assert_close(made.pair.kernel, kernel_from_trajectory(made.trajectory, 31))
    # the first axis named is pan: a steady turn to the right, 0.1 rad/s times focal length and exposure
    way = made.trajectory[-1, 0] - made.trajectory[0, 0]
    assert way.item() == pytest.approx(0.1 * 300 * made.facts["exposure"], rel=1e-3)


def test_an_exposure_is_never_longer_than_the_recording(tmp_path):
    track = read_gyro(recording(tmp_path / "gyro.npz", rate=4000.0))
    _, start, lasts = sample_gyro_path(track, torch.Generator(), exposure=(1.0, 2.0), focal_length=1.0)
    assert (start, lasts) == (0.0, pytest.approx(399 / 4000))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"gyro_rad_s": np.zeros((9, 3)), "rate_hz": 100.0}, "with the arrays"),
        ({"gyro_rad_s": np.zeros((9, 3)), "rate_hz": 100.0, "pan_tilt_axes": [0, 3]}, "two of their columns"),
        ({"gyro_rad_s": np.zeros((9, 3)), "rate_hz": 0.0, "pan_tilt_axes": [0, 1]}, "at a rate above 0"),
    ],
)
def test_a_recording_that_is_none_is_told_in_one_sentence(tmp_path, facts, message):
    np.savez(tmp_path / "g.npz", **facts)
    with pytest.raises(DataError, match=message):
        read_gyro(tmp_path / "g.npz")


def test_every_shared_recording_is_read(data_folder):
    places = sorted((data_folder / "kernels/gyro").glob("*.npz"))
    assert len(places) == 9
    for place in places:
        made = make_pair(photo(), Synthesis(ShakeBlur(gyro=str(place))), 0)
        check_kernel(made.pair.kernel)
