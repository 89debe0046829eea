import pytest
import torch

from unblur.blur.kernels import check_kernel
from unblur.blur.trajectories import sample_motion_kernel, sample_trajectory
from unblur.errors import KernelError


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("length", [0.5, 12.0, 80.0])
def test_a_path_has_its_length_and_is_centred(length):
    path = sample_trajectory(seeded(1), length=length)
    assert path.diff(dim=0).norm(dim=-1).sum().item() == pytest.approx(length, rel=1e-3)
    torch.testing.assert_close(path.mean(0), torch.zeros(2), atol=1e-4, rtol=0)


def test_without_pushes_a_path_is_straight():
    path = sample_trajectory(seeded(2), length=10, anxiety=0, centripetal=0, impulse_rate=0)
    ends = path[-1] - path[0]
    assert ends.norm().item() == pytest.approx(10, rel=1e-4)


def test_pull_and_jerks_keep_a_path_together():
    def mean_extent(**shake: float) -> float:
        paths = [sample_trajectory(seeded(s), length=20, **shake) for s in range(40)]
        return sum(float((p[-1] - p[0]).norm()) for p in paths) / 40

    free = mean_extent(anxiety=0.1, centripetal=0, impulse_rate=0)
    assert mean_extent(anxiety=0.1, centripetal=8, impulse_rate=0) < 0.9 * free
    assert mean_extent(anxiety=0.1, centripetal=0, impulse_rate=3) < 0.9 * free


def test_convention_the_generator_alone_decides():
    first, again, other = (sample_trajectory(seeded(s), length=20) for s in (5, 5, 6))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("size", [3, 11, 31])
def test_motion_kernels_are_kernels_and_differ(size):
    generator = seeded(0)
    kernels = [sample_motion_kernel(size, generator) for _ in range(20)]
    for kernel in kernels:
        assert kernel.shape == (1, 1, size, size)
        check_kernel(kernel)
    assert len({tuple(k.flatten().tolist()) for k in kernels}) == 20


def test_longer_ways_spread_wider():
    def mean_spread(way: float) -> float:
        generator = seeded(3)
        return sum(float((sample_motion_kernel(41, generator, length=(way, way)) > 0).sum()) for _ in range(10)) / 10

    assert mean_spread(8) < mean_spread(16) < mean_spread(32)


def test_a_size_that_holds_no_shake_is_refused():
    for size in (1, 8):
        with pytest.raises(KernelError, match="odd side"):
            sample_motion_kernel(size, seeded(0))
