"""Detail of the photo that a refined answer lost."""

import pytest
import torch

from planted import plant, psnr, shake
from unblur.blur.convolve import convolve
from unblur.blur.kernels import gaussian_kernel
from unblur.methods.auto.consistency import restore_consistency

KERNEL = shake(9, 2, (10, 12))


def softened(sharp):
    return convolve(sharp, gaussian_kernel(0.8), "replicate")


@pytest.mark.parametrize("encoding", ["encoded", "linear"])
def test_detail_comes_back(encoding):
    planted = plant(KERNEL, (120, 110), noise=0.002, light=encoding)
    soft = softened(planted.sharp)
    answer = restore_consistency(soft, planted.blurry, KERNEL, encoding=encoding, is_jpeg=False)
    assert psnr(answer, planted.sharp) > psnr(soft, planted.sharp) + 0.5


def test_the_truth_stays_as_it_is():
    planted = plant(KERNEL, (120, 110), noise=0.03)
    answer = restore_consistency(planted.sharp, planted.blurry, KERNEL, encoding="encoded", is_jpeg=False)
    assert float((answer - planted.sharp).square().mean().sqrt()) < 0.003


def test_compressed_photos_are_trusted_less():
    planted = plant(KERNEL, (120, 110), noise=0.002)
    soft = softened(planted.sharp)
    changes = [
        float((restore_consistency(soft, planted.blurry, KERNEL, encoding="encoded", is_jpeg=jpeg) - soft).abs().mean())
        for jpeg in (False, True)
    ]
    assert 0 < changes[1] < 0.7 * changes[0]


def test_what_is_not_known_says_nothing():
    planted = plant(KERNEL, (120, 110), noise=0.002)
    known = torch.ones_like(planted.blurry)
    known[..., 20:60, 30:70] = 0
    spoilt = torch.where(known > 0, planted.blurry, 1 - planted.blurry)
    first, second = (
        restore_consistency(softened(planted.sharp), one, KERNEL, encoding="encoded", is_jpeg=False, known=known)
        for one in (planted.blurry, spoilt)
    )
    assert torch.equal(first, second)


def test_tiles_do_not_show(monkeypatch):
    planted = plant(KERNEL, (120, 110), noise=0.002)
    images = (softened(planted.sharp), planted.blurry, KERNEL)
    whole = restore_consistency(*images, encoding="encoded", is_jpeg=True)
    monkeypatch.setattr("unblur.methods.auto.consistency._TILE", 60)
    assert float((restore_consistency(*images, encoding="encoded", is_jpeg=True) - whole).abs().max()) < 0.02


def test_several_photos_say_more_than_one():
    kernels = [shake(9, seed, (10, 12)) for seed in (2, 3, 4)]
    taken = [plant(kernel, (120, 110), noise=0.01) for kernel in kernels]
    soft, sharp = softened(taken[0].sharp), taken[0].sharp
    photos, known = torch.cat([one.blurry for one in taken]), torch.ones(3, 1, 120, 110)
    settings = {"encoding": "encoded", "is_jpeg": False}
    alone = restore_consistency(soft, photos[:1], kernels[0], **settings)
    together = restore_consistency(soft, photos, torch.cat(kernels), known=known, **settings)
    assert psnr(together, sharp) > psnr(alone, sharp) + 0.5
    known[1:] = 0  # photos that say nothing leave the first
    spoilt = torch.cat([photos[:1], 1 - photos[1:]])
    torch.testing.assert_close(
        restore_consistency(soft, spoilt, torch.cat(kernels), known=known, **settings),
        restore_consistency(soft, photos, torch.cat(kernels), known=known, **settings),
    )
