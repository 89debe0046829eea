import pytest
import torch

from unblur.losses.content import content_loss, log_mean_square, mean_absolute, mean_square


def images() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 3, 8, 9, generator=generator), torch.rand(3, 3, 8, 9, generator=generator)


def test_each_image_by_itself():
    restored, sharp = images()
    restored[1] = sharp[1]
    restored[2] = sharp[2] + 0.1
    values = mean_square(restored, sharp)
    assert values.shape == (3,)
    assert values[1] == 0
    assert torch.isclose(values[2], torch.tensor(0.01), rtol=1e-4)


def test_sizes_of_differences():
    restored, sharp = images()
    assert torch.allclose(mean_absolute(restored, sharp), (restored - sharp).abs().flatten(1).mean(1))


def test_names():
    found = [content_loss(kind) for kind in ("mean-square", "mean-absolute", "log")]
    assert found == [mean_square, mean_absolute, log_mean_square]


def test_log_flattens_out():
    restored, sharp = images()
    assert torch.allclose(log_mean_square(restored, sharp), (mean_square(restored, sharp) + 1e-3).log())
    assert log_mean_square(sharp, sharp).isfinite().all()


@pytest.mark.parametrize("loss", [mean_square, log_mean_square])
def test_gradients_are_right(loss):
    restored, sharp = (image[:1, :, :3, :3].double().requires_grad_() for image in images())
    assert torch.autograd.gradcheck(lambda image: loss(image, sharp.detach()), restored, eps=1e-4, atol=1e-3)


def test_half_precision_is_summed_in_full():
    restored, sharp = images()
    exact = mean_square(restored.bfloat16().float(), sharp)
    assert torch.equal(mean_square(restored.bfloat16(), sharp), exact)
