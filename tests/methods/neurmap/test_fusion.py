import torch

from unblur.methods.neurmap.fusion import FusionNet


def images(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(seed))


def test_a_new_network_takes_an_eighth_of_what_descent_changes():
    blurry, restored, descended = (images(seed) for seed in range(3))
    fused = FusionNet()(FusionNet.stack(blurry, restored, descended, torch.zeros(2, 2, 24, 32)))
    share = torch.sigmoid(torch.tensor(-2.0))
    assert torch.allclose(fused, restored + share * (descended - restored), atol=1e-6)


def test_everything_that_it_sees_counts():
    torch.manual_seed(0)
    network = FusionNet()
    torch.nn.init.normal_(network.tail.weight, std=0.02)
    seen = FusionNet.stack(*(images(seed) for seed in range(3)), images(3)[:, :2])
    before = network(seen)
    for channel in range(seen.shape[1]):
        other = seen.clone()
        other[:, channel] += 0.1
        assert (network(other) - before).abs().max() > 1e-3
