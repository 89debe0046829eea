import pytest
import torch

from unblur.blur.noise import add_gaussian_noise, add_poisson_noise, quantise, saturate


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_gaussian_noise_has_its_standard_deviation():
    image = torch.full((1, 3, 200, 200), 0.5)
    noise = add_gaussian_noise(image, 0.02, seeded()) - image
    assert noise.std().item() == pytest.approx(0.02, rel=0.02)
    assert abs(noise.mean().item()) < 3e-4


def test_poisson_noise_grows_with_the_light():
    for value in (0.1, 0.8):
        image = torch.full((1, 1, 300, 300), value)
        noisy = add_poisson_noise(image, 500, seeded())
        assert noisy.mean().item() == pytest.approx(value, rel=0.01)
        assert noisy.var().item() == pytest.approx(value / 500, rel=0.03)


def test_poisson_noise_leaves_darkness_dark():
    assert not add_poisson_noise(torch.tensor([[[[0.0, -0.2]]]]), 100, seeded()).any()


def test_saturation_clips_what_the_gain_lifts_over_one():
    image = torch.tensor([[[[-0.1, 0.2, 0.4, 0.9]]]])
    torch.testing.assert_close(saturate(image, 2.5), torch.tensor([[[[0.0, 0.5, 1.0, 1.0]]]]))


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_quantisation_rounds_to_the_nearest_level(bits):
    image = torch.rand(1, 1, 50, 50, generator=seeded(), dtype=torch.float64)
    levels = quantise(image, bits) * (2**bits - 1)
    torch.testing.assert_close(levels, levels.round(), atol=1e-9, rtol=0)
    assert (quantise(image, bits) - image).abs().max() <= 0.5 / (2**bits - 1) + 1e-12


def test_convention_noise_comes_from_the_generator_and_keeps_the_dtype():
    image = torch.rand(1, 1, 8, 8, generator=seeded(), dtype=torch.float64)
    for noise, amount in ((add_gaussian_noise, 0.1), (add_poisson_noise, 50)):
        first, again, other = (noise(image, amount, seeded(s)) for s in (1, 1, 2))
        assert first.dtype == torch.float64
        torch.testing.assert_close(first, again, rtol=0, atol=0)
        assert not torch.equal(first, other)
