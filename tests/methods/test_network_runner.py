import pytest
import torch
from torch import nn

from unblur.methods.network_runner import NetworkRunner, WatchedNetwork


def network(*layers: nn.Module) -> WatchedNetwork:
    return WatchedNetwork(nn.Sequential(*layers).requires_grad_(False))


def test_shares_are_those_of_the_work():
    """On 4 x 6 pixels: 24 places of 27 weights, 6 of 108, and back: 6 places of 64."""
    seen: list[float] = []
    layers = (
        nn.Conv2d(3, 1, 3, padding=1),
        nn.Conv2d(1, 12, 3, 2, padding=1),
        nn.ConvTranspose2d(12, 1, 4, 2, padding=1),
    )
    image = torch.rand(1, 3, 4, 6)
    answer = network(*layers)(image, seen.append)
    assert torch.equal(answer, nn.Sequential(*layers)(image))
    work = torch.tensor([24 * 27, 6 * 108, 6 * 192], dtype=torch.float64)
    assert seen == pytest.approx((work.cumsum(0) / work.sum()).tolist())


def test_shares_are_those_of_images_of_any_size_and_number():
    watched = network(nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 1))
    for count, side in ((1, 5), (1, 9), (2, 5), (1, 130)):
        seen: list[float] = []
        watched(torch.rand(count, 3, side, side), seen.append)
        assert seen == pytest.approx([0.9, 1.0])


def test_work_is_counted_once_and_on_a_corner():
    sizes: list[torch.Size] = []
    layer = nn.Conv2d(3, 3, 3, padding=1)
    layer.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape[2:]))
    watched = network(layer)
    for _ in range(2):
        watched(torch.rand(1, 3, 128, 192), lambda _: None)
    assert sizes == [(64, 64), (128, 192), (128, 192)]


def test_whoever_is_told_can_stop_it():
    seen: list[float] = []

    def stop(share: float) -> None:
        seen.append(share)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1))(torch.rand(1, 3, 2, 2), stop)
    assert len(seen) == 1


@pytest.mark.parametrize(("throughout", "weights"), [(False, torch.float32), (True, torch.bfloat16)])
def test_weights_are_in_bfloat16_where_the_network_is_throughout(throughout, weights):
    seen: list[torch.dtype] = []

    class Network(nn.Conv2d):
        def forward(self, image):
            features = super().forward(image.to(self.weight.dtype))
            seen.extend((features.dtype, self.weight.dtype))
            return image

    runner = NetworkRunner(Network(3, 3, 1), "bfloat16", throughout=throughout)
    for photo in (torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8).double()):
        seen.clear()
        runner(photo, lambda _: None)
        assert set(seen) == ({torch.float64} if photo.dtype == torch.float64 else {torch.bfloat16, weights})


def test_what_was_prepared_is_applied_in_place_of_the_network():
    made: list[tuple[torch.device, torch.dtype]] = []

    def prepare(layer: nn.Module, device: torch.device, precision: torch.dtype):
        made.append((device, precision))
        return lambda image: 2 * layer(image)

    layer, image, shares = nn.Conv2d(3, 3, 1), torch.rand(1, 3, 4, 4), []
    runner = NetworkRunner(layer, "float32", prepare=prepare)
    for _ in range(2):
        assert torch.allclose(runner(image, shares.append), 2 * layer(image))
    assert made == [(torch.device("cpu"), torch.float32)]
    assert shares == [1.0, 1.0]
