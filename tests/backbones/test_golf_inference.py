import pytest
import torch

from unblur.backbones.golf import GolfNet, first_shot, putt
from unblur.backbones.golf_inference import RADIUS, PreparedNet

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _same_weights_in_any_order():
    torch.manual_seed(0)


def shaken(network: GolfNet) -> GolfNet:
    """Weights with an answer of a few hundredths beside the image, as trained ones have."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    network.tail.weight.data = 0.002 * torch.randn(network.tail.weight.shape, generator=generator)
    return network.requires_grad_(False)


def picture(height: int, width: int) -> torch.Tensor:
    small = torch.rand(1, 3, height // 4 + 1, width // 4 + 1, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("build", [first_shot, putt])
@pytest.mark.parametrize(("precision", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_prepared_networks_are_the_networks(build, precision, tolerance):
    network, image = shaken(build()), picture(25, 37).to(precision)
    answer = PreparedNet(network, CPU, precision).whole(image)
    assert answer.dtype == precision
    assert (answer - network.to(precision)(image)).abs().max() < tolerance


def test_prepared_networks_work_at_unit_contrast_too():
    network, image = shaken(putt(unit_contrast=True)), picture(100, 140)
    net = PreparedNet(network, CPU, torch.float32)
    whole = network(image)
    assert (net.whole(image) - whole).abs().max() < 1e-4
    faint = net.in_tiles(0.1 * image, 80, lambda _done, _total: None)
    assert (faint - 0.1 * net.in_tiles(image, 80, lambda _done, _total: None)).abs().max() < 1e-4


def test_bfloat16_stays_within_a_grey_level():
    network, image = shaken(first_shot()), picture(64, 96)
    exact = network(image)
    assert (exact - image).abs().mean() > 0.005
    difference = PreparedNet(network, CPU, torch.bfloat16).whole(image) - exact
    assert difference.abs().mean() < 0.5 / 255


def test_the_image_is_left_alone():
    image = picture(48, 48)
    before = image.clone()
    PreparedNet(shaken(putt()), CPU, torch.float32).whole(image)
    assert torch.equal(image, before)


def test_without_skip():
    network = shaken(first_shot(skip=False))
    image = picture(40, 40)
    assert torch.allclose(PreparedNet(network, CPU, torch.float32).whole(image), network(image), atol=1e-4)


def test_tiles_have_no_seams():
    """With shared statistics a tile answers exactly what the whole does."""
    net = PreparedNet(shaken(putt()), CPU, torch.float32)
    image = picture(100, 140)
    statistics = net.survey(image)
    tiles = net.in_tiles(image, 80, lambda _done, _total: None)
    assert (tiles - net.given(image, statistics)).abs().max() < 1e-5


@pytest.mark.slow
def test_statistics_of_a_sample_are_near_those_of_the_whole():
    """A fifth of what the network does to the image at all."""
    net = PreparedNet(shaken(putt()), CPU, torch.float32)
    image = picture(200, 240)
    whole = net.whole(image)
    difference = net.given(image, net.survey(image)) - whole
    assert difference.abs().mean() < 0.2 * (whole - image).abs().mean()


def test_survey_of_a_small_image_has_every_statistic():
    statistics = PreparedNet(shaken(putt()), CPU, torch.float32).survey(picture(96, 97))
    assert len(statistics) == 17
    assert all(mean.isfinite().all() and inverse.isfinite().all() for mean, inverse in statistics)


def test_radius_is_that_of_the_convolutions():
    assert RADIUS == (7 // 2) + 8 * (7 // 2 + 5 // 2) + (7 // 2)
