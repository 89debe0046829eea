import torch

from unblur.backbones.folded import FoldedNet


def network(levels: int = 2) -> FoldedNet:
    torch.manual_seed(0)
    return FoldedNet(
        4, 1, 3, channels=8, depth=4, coarse_channels=12, coarse_depth=2, coarse_levels=levels
    ).requires_grad_(False)


def images(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 4, 32, 48, generator=torch.Generator().manual_seed(0))


def test_a_new_network_gives_zeros():
    answer = network().run(images(), torch.ones(2))
    assert answer.shape == (2, 3, 32, 48)
    assert answer.abs().max() == 0


def test_sides_are_multiples_of_the_coarsest_resolution():
    assert [network(levels).multiple for levels in (0, 1, 2)] == [2, 4, 8]


def test_coarser_resolutions_see_farther():
    reach = []
    for levels in (0, 2):
        net = network(levels)
        torch.nn.init.normal_(net.tail.weight)
        for module in net.modules():
            if isinstance(module, torch.nn.ConvTranspose2d):
                torch.nn.init.normal_(module.weight)
        seen = torch.zeros(1, 4, 96, 96)
        changed = seen.clone()
        changed[..., 48, 48] = 1
        rows = (net.run(changed, torch.ones(1)) - net.run(seen, torch.ones(1))).abs().amax((0, 1, 3)).nonzero()
        reach.append(int(rows.max() - rows.min()))
    assert reach[1] > 2 * reach[0]


def test_each_photo_has_its_own_numbers():
    net = network()
    torch.nn.init.normal_(net.tail.weight)
    both = net.run(images(), torch.tensor([0.0, 2.0]))
    assert torch.allclose(both[1:], net.run(images()[1:], torch.tensor([2.0])), atol=1e-5)
    assert not torch.allclose(both[1:], net.run(images()[1:], torch.tensor([0.0])), atol=1e-3)
