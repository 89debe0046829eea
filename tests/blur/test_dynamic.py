import math

import pytest
import torch

from unblur.blur.convolve import convolve
from unblur.blur.dynamic import expose, random_blobs, sample_layer_paths
from unblur.blur.kernels import kernel_from_trajectory
from unblur.errors import ShapeError

NO_OBJECTS = torch.zeros(0, 40, 50, dtype=torch.bool)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photo() -> torch.Tensor:
    return torch.rand(1, 3, 40, 50, generator=seeded(0))


def straight(right: float, down: float, steps: int = 21) -> torch.Tensor:
    time = torch.linspace(-0.5, 0.5, steps)
    return torch.stack([right * time, down * time, torch.zeros(steps)], -1)


def square() -> torch.Tensor:
    mask = torch.zeros(1, 40, 50, dtype=torch.bool)
    mask[0, 10:30, 15:35] = True
    return mask


def test_nothing_moves_nothing_changes():
    exposure = expose(photo(), random_blobs((40, 50), 2, seeded(1)), torch.zeros(3, 9, 3))
    torch.testing.assert_close(exposure.blurry, photo(), rtol=0, atol=1e-6)
    assert not exposure.motion_field.any()


def test_convention_a_moving_background_is_the_convolution_with_its_path():
    paths = straight(6, -3)[None]
    exposure = expose(photo(), NO_OBJECTS, paths)
    expected = convolve(photo(), kernel_from_trajectory(paths[0, :, :2], 9), "replicate")
    torch.testing.assert_close(exposure.blurry[..., 4:-4, 4:-4], expected[..., 4:-4, 4:-4], rtol=0, atol=1e-4)
    torch.testing.assert_close(exposure.motion_field[0, :, 5, 7], torch.tensor([6.0, -3.0]))


def test_an_object_moves_and_the_rest_stays():
    paths = torch.stack([torch.zeros(21, 3), straight(8, 0)])
    exposure = expose(photo(), square(), paths)
    torch.testing.assert_close(exposure.blurry[..., :8, :], photo()[..., :8, :], rtol=0, atol=1e-6)
    torch.testing.assert_close(exposure.blurry[..., :, 42:], photo()[..., :, 42:], rtol=0, atol=1e-6)
    # well inside the object the background never shows
    expected = convolve(photo(), kernel_from_trajectory(paths[1, :, :2], 9), "replicate")
    torch.testing.assert_close(exposure.blurry[..., 12:28, 22:28], expected[..., 12:28, 22:28], rtol=0, atol=1e-4)
    moved = exposure.motion_field[0, 0]
    assert set(moved.unique().tolist()) == {0.0, 8.0}
    assert torch.equal(moved > 0, square()[0])


def test_occlusion_mixes_object_and_background_by_their_time():
    image = torch.zeros(1, 1, 40, 50)
    image[..., square()[0]] = 1.0
    paths = torch.stack([torch.zeros(101, 3), straight(10, 0, 101)])
    row = expose(image, square(), paths).blurry[0, 0, 20]
    # the left border runs from 10 to 20: at 15 + s the object is there for a share of 1/2 + s/10
    expected = torch.tensor([(s + 0.5) / 10 + 0.5 for s in (-4, -2, 0, 2, 4)])
    torch.testing.assert_close(row[[11, 13, 15, 17, 19]], expected, rtol=0, atol=0.06)
    assert row[8] == 0
    assert row[25] == 1


def test_a_nearer_object_hides_one_behind():
    near = torch.zeros(1, 40, 50, dtype=torch.bool)
    near[0, 15:25, 20:30] = True
    paths = torch.stack([torch.zeros(9, 3), straight(6, 0, 9), straight(0, 4, 9)])
    field = expose(photo(), torch.cat([square(), near]), paths).motion_field[0]
    assert field[:, 20, 25].tolist() == [0.0, 4.0]
    assert field[:, 12, 17].tolist() == [6.0, 0.0]


def test_turning_moves_points_round_the_middle_clockwise():
    path = torch.zeros(1, 3, 3)
    path[0, :, 2] = torch.tensor([-0.05, 0.0, 0.05])
    field = expose(photo(), NO_OBJECTS, path).motion_field[0]
    top, right_side = field[:, 0, 24], field[:, 19, 49]
    chord = 2 * math.sin(0.05)
    assert top[0].item() == pytest.approx(19.5 * chord, rel=1e-3)
    assert right_side[1].item() == pytest.approx(24.5 * chord, rel=1e-3)


def test_paths_are_centred_in_time_and_share_the_camera():
    paths = sample_layer_paths(3, seeded(2), object_length=(10, 10), shake_length=5, turn=0.1)
    assert paths.shape == (4, 33, 3)
    assert not paths[:, 16].any()
    own = paths[1:] - paths[:1]
    ways = (own[:, -1, :2] - own[:, 0, :2]).norm(dim=-1)
    torch.testing.assert_close(ways, torch.full((3,), 10.0))
    assert paths[0].diff(dim=0)[:, :2].norm(dim=-1).sum().item() == pytest.approx(5, rel=1e-3)
    tripod = sample_layer_paths(1, seeded(2), object_length=(1, 2), shake_length=0, turn=0)
    assert not tripod[0].any()


def test_blobs_are_neither_empty_nor_everything():
    blobs = random_blobs((60, 80), 12, seeded(3))
    shares = blobs.flatten(1).float().mean(1)
    assert shares.min() > 0.005
    assert shares.max() < 0.5
    assert random_blobs((60, 80), 0, seeded(3)).shape == (0, 60, 80)


@pytest.mark.parametrize("paths", [torch.zeros(1, 9, 3), torch.zeros(2, 8, 3)])
def test_wrong_paths_are_refused(paths):
    with pytest.raises(ShapeError, match="expected 2 paths of an odd number"):
        expose(photo(), square(), paths)
