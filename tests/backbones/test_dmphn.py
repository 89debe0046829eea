import pytest
import torch

from filled import assert_numbers, fill, wave_image
from unblur.backbones.dmphn import CENTRE, Dmphn, dmphn_1_2_4, dmphn_1_2_4_8
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.loading import load_into


@pytest.fixture(scope="module")
def released(data_folder) -> Dmphn:
    """The network with the weights of its authors, in float64."""
    folder = data_folder.parent / "weights" / "dmphn"
    if not folder.is_dir():
        pytest.skip("no released weights")
    network = dmphn_1_2_4()
    for path in sorted(folder.glob("*.pkl")):
        load_into(network.get_submodule(path.stem), read_checkpoint(path), expected="a part of DMPHN")
    return network.double().requires_grad_(False)


@pytest.mark.parametrize(
    ("build", "count", "tensors"), [(dmphn_1_2_4, 5_424_393, 180), (dmphn_1_2_4_8, 7_232_524, 240)]
)
def test_parameters(build, count, tensors):
    network = build()
    assert sum(weight.numel() for weight in network.parameters()) == count
    assert len(network.state_dict()) == tensors


def test_names_are_those_of_the_released_files():
    state = dmphn_1_2_4().state_dict()
    singles, pairs = (1, 5, 9), (2, 3, 6, 7, 10, 11)
    kinds = ("weight", "bias")
    encoder = {f"layer{n}.{kind}" for n in singles for kind in kinds}
    encoder |= {f"layer{n}.{place}.{kind}" for n in pairs for place in (0, 2) for kind in kinds}
    decoder = {f"layer{n}.{kind}" for n in (16, 20, 24) for kind in kinds}
    decoder |= {f"layer{n}.{place}.{kind}" for n in (13, 14, 17, 18, 21, 22) for place in (0, 2) for kind in kinds}
    expected = {f"encoder_lv{level}.{name}" for level in (1, 2, 3) for name in encoder}
    expected |= {f"decoder_lv{level}.{name}" for level in (1, 2, 3) for name in decoder}
    assert set(state) == expected
    assert state["decoder_lv1.layer16.weight"].shape == (128, 64, 4, 4)
    assert state["decoder_lv1.layer20.weight"].shape == (64, 32, 4, 4)


def test_four_levels():
    answer = fill(dmphn_1_2_4_8())(wave_image())
    assert_numbers(answer, (-0.00654589, 0.06907651, 0.10878848, -0.04100687))


def test_released_weights(released):
    answer = released(wave_image() - CENTRE) + CENTRE
    assert_numbers(answer, (0.46531183, 0.37355507, 0.50588210, 0.56185799))


def test_released_weights_without_centring(released):
    assert_numbers(released(wave_image()), (0.35672919, 0.27041205, 0.42094375, 0.66373270))


@pytest.mark.parametrize(("build", "multiples"), [(dmphn_1_2_4, (8, 8)), (dmphn_1_2_4_8, (16, 8))])
def test_sizes(build, multiples):
    network = build().requires_grad_(False)
    assert network.multiples == multiples
    image = torch.rand(2, 3, 3 * multiples[0], 5 * multiples[1])
    before = image.clone()
    assert network(image).shape == image.shape
    assert torch.equal(image, before)


def test_every_weight_learns():
    network = dmphn_1_2_4()
    network(torch.rand(1, 3, 16, 16)).square().mean().backward()
    assert all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in network.parameters())


@pytest.mark.parametrize("levels", [3, 4])
def test_a_network_that_begins_as_the_identity(levels):
    network = Dmphn(levels).double()
    network.begin_as_identity()
    image = wave_image(32)
    assert torch.equal(network(image - CENTRE) + CENTRE, image)


def test_all_of_it_learns_from_the_identity():
    torch.manual_seed(0)
    network = Dmphn(3)
    network.begin_as_identity()
    blurry, sharp = torch.rand(2, 1, 3, 32, 32)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(4):
        optimiser.zero_grad()
        (network(blurry) - sharp).square().mean().backward()
        optimiser.step()
    assert [name for name, weight in network.named_parameters() if not weight.grad.abs().sum() > 0] == []
