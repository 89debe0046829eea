import numpy as np
import pytest
import torch

from planted import plant, psnr, shake
from unblur.errors import Cancelled, KernelError
from unblur.methods.apply import restore, restore_tensor
from unblur.methods.base import Step
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.solvers.photo import SOLVERS

KERNEL = shake(15, 3, (15, 20))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("light", ["encoded", "linear"])
def test_a_planted_blur_is_removed(solver, light):
    planted = plant(KERNEL, (150, 150), light=light)
    answer = restore_tensor(
        planted.blurry, load_method("known-kernel", {"solver": solver}), RestoreOptions(kernel=KERNEL)
    )
    assert psnr(answer.image, planted.sharp) > planted.psnr + 3
    assert answer.facts["encoding"] == light
    assert answer.warnings == ()


def test_the_kernel_comes_back_as_it_was_given():
    blurry = torch.cat([plant(KERNEL, (24, 30), seed=seed).blurry for seed in range(2)])
    answer = restore_tensor(blurry, load_method("known-kernel"), RestoreOptions(kernel=KERNEL))
    torch.testing.assert_close(answer.kernel, KERNEL.expand(2, -1, -1, -1))


def test_a_noisy_photo_does_not_smooth_its_neighbour():
    blurry = torch.cat([plant(KERNEL, (48, 48), noise=noise).blurry for noise in (0.003, 0.1)])
    method, options = load_method("known-kernel"), RestoreOptions(kernel=KERNEL)
    together = restore_tensor(blurry, method, options).image
    for i in range(2):
        torch.testing.assert_close(together[i : i + 1], restore_tensor(blurry[i : i + 1], method, options).image)


def test_the_encoding_can_be_stated():
    planted = plant(KERNEL, (48, 48))
    answers = [
        restore_tensor(planted.blurry, load_method("known-kernel"), RestoreOptions(kernel=KERNEL, encoding=encoding))
        for encoding in ("encoded", "linear")
    ]
    assert [answer.facts["encoding"] for answer in answers] == ["encoded", "linear"]
    assert psnr(answers[0].image, planted.sharp) > psnr(answers[1].image, planted.sharp)


def test_without_a_kernel_there_is_one_sentence():
    with pytest.raises(KernelError, match="--kernel"):
        restore_tensor(torch.rand(1, 1, 20, 20), load_method("known-kernel"), RestoreOptions())


def test_double_precision_stays():
    planted = plant(KERNEL, (40, 40))
    answer = restore_tensor(planted.blurry.double(), load_method("known-kernel"), RestoreOptions(kernel=KERNEL))
    assert answer.image.dtype == torch.float64
    assert psnr(answer.image, planted.sharp) > planted.psnr + 3


def test_progress_rises_over_the_whole_batch_and_can_stop():
    seen: list[float] = []

    def stop_after_half(step: Step) -> None:
        seen.append(step.fraction)
        if step.fraction >= 1 / 2:
            raise Cancelled("stopped")

    options = RestoreOptions(kernel=KERNEL)
    with pytest.raises(Cancelled):
        restore_tensor(torch.rand(2, 3, 20, 20), load_method("known-kernel"), options, stop_after_half)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1 / 2)
    assert len(set(seen)) > 4


def test_stored_pixels_are_restored_as_tensors_are():
    planted = plant(KERNEL, (60, 60))
    blurry, sharp = ((image[0, 0] * 255).round().byte().numpy() for image in (planted.blurry, planted.sharp))
    image = restore(blurry, "known-kernel", kernel=KERNEL[0, 0].numpy()).image
    assert image.dtype == np.uint8
    before, after = (np.square(one.astype(float) - sharp).mean() for one in (blurry, image))
    assert after < before / 4
