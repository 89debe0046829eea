import pytest
import torch

from planted import plant, psnr, shake
from unblur.methods.apply import restore
from unblur.solvers.sparsity import looks_turned

KERNEL = shake(15, 3, (15, 20))


@pytest.mark.parametrize("light", ["encoded", "linear"])
@pytest.mark.parametrize("seed", range(3))
def test_a_turned_kernel_is_told_from_one_the_right_way_round(light, seed):
    blurry = plant(KERNEL, (200, 200), light=light, seed=seed).blurry
    assert looks_turned(blurry, KERNEL.flip(-2, -1))
    assert not looks_turned(blurry, KERNEL)


def test_where_nothing_tells_the_kernel_stays():
    blurry = plant(KERNEL, (48, 200)).blurry
    assert not looks_turned(blurry, KERNEL.flip(-2, -1))  # too small
    noise = torch.rand(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    assert not looks_turned(noise, KERNEL)
    assert not looks_turned(torch.full((1, 3, 128, 128), 0.5), KERNEL)


def test_turned_kernel_is_used_the_right_way_round_and_said():
    planted = plant(KERNEL, (160, 160))
    right, turned = (restore(planted.blurry, "known-kernel", kernel=kernel) for kernel in (KERNEL, KERNEL.flip(-2, -1)))
    torch.testing.assert_close(turned.image, right.image)
    torch.testing.assert_close(turned.kernel, KERNEL)
    assert psnr(turned.image, planted.sharp) > planted.psnr + 3
    assert right.warnings == ()
    assert "turned by 180 degrees" in turned.warnings[0]
