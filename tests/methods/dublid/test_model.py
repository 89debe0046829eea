"""The unrolled network: sizes, filters, closed forms, gradients, and what the released weights compute with it."""

import math

import numpy as np
import pytest
import torch

from planted import plant
from unblur.blur.fft import from_spectrum, kernel_spectrum
from unblur.blur.kernels import linear_kernel
from unblur.errors import ShapeError
from unblur.images.files import read_image
from unblur.images.tensors import BT709, brightness
from unblur.methods.dublid.model import Dublid, move
from unblur.methods.dublid.networks import load_network
from unblur.methods.dublid.retrieval import RetrievalSystem, retrieve
from unblur.methods.dublid.spectra import filter_step, shrink, to_spectrum
from unblur.methods.dublid.start import start_from_derivatives
from unblur.metrics.luma import luma_skimage
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.loading import load_into
from unblur.weights.shipped import read_weights


def small(**changes) -> Dublid:
    torch.manual_seed(0)
    return Dublid(**{"channels": 4, "layers": 3, "kernel_size": 7, "frame_multiple": 4, **changes})


def test_parameter_counts_of_the_paper():
    assert sum(p.numel() for p in Dublid().parameters()) == 21_268
    assert sum(p.numel() for p in Dublid(in_channels=3).parameters()) == 21_556


def test_first_values_are_those_of_the_paper():
    network = Dublid()
    assert all(bool((bias == 0.02).all()) for bias in network.bias_list)
    assert all(bool((prox == 1).all()) for prox in network.prox_list)
    assert [float(b.detach()) for b in network.kernel_bias_list] == [0.0] * 10


def test_features_are_linear_and_blind_to_brightness():
    network = small()
    a, b = torch.rand(1, 1, 12, 14), torch.rand(1, 1, 12, 14)
    for of_sum, of_a, of_b in zip(network.features(2 * a - b), network.features(a), network.features(b), strict=True):
        torch.testing.assert_close(of_sum, 2 * of_a - of_b, rtol=1e-4, atol=1e-5)
    for stage in network.features(torch.full((1, 1, 12, 14), 0.7)):
        assert float(stage.detach().abs().max()) < 1e-6


def test_first_stage_convolves_with_flipped_filters():
    network = small()
    impulse = torch.zeros(1, 1, 9, 9)
    impulse[..., 4, 4] = 1
    response = network.features(impulse)[0]
    torch.testing.assert_close(response[:, :, 3:6, 3:6], network.first_filters().transpose(0, 1))


@pytest.mark.parametrize("frame", [(4, 6), (5, 7)])
def test_spectra_have_exact_gradients(frame):
    torch.manual_seed(0)

    def real(*size):
        return torch.rand(size, dtype=torch.float64).sub(0.5).requires_grad_()

    image = real(1, 2, 3, 4)
    assert torch.autograd.gradcheck(lambda x: torch.view_as_real(to_spectrum(x, frame)), (image,))
    zeta, threshold = real(1, 2, 1, 1).detach().abs().add(0.5), torch.full((1, 2, 1, 1), 0.05, dtype=torch.float64)

    def step(seen, sparse, kernel, zeta, threshold):
        spectra = (to_spectrum(part, frame) for part in (seen, sparse, kernel))
        latent, found, votes, weights = filter_step(*spectra, zeta=zeta, threshold=threshold, frame=frame)
        return latent, torch.view_as_real(found), torch.view_as_real(votes), weights

    inputs = (real(1, 2, 3, 4), real(1, 2, 3, 4), real(1, 1, 3, 3), zeta.requires_grad_(), threshold.requires_grad_())
    assert torch.autograd.gradcheck(step, inputs)


def test_shrink_is_the_soft_threshold():
    values = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0]).view(1, 1, 1, 5)
    expected = torch.tensor([-1.0, 0.0, 0.0, 0.0, 1.0]).view(1, 1, 1, 5)
    assert torch.equal(shrink(values, torch.ones(1, 1, 1, 1)), expected)


def circulant(kernel: torch.Tensor) -> torch.Tensor:
    """The dense matrix of circular convolution on the kernel's own grid."""
    side = kernel.shape[-1]
    columns = [torch.roll(kernel, (n // side, n % side), (-2, -1)).flatten() for n in range(side * side)]
    return torch.stack(columns, dim=1)


def test_image_step_is_the_least_squares_solution():
    torch.manual_seed(0)
    side, zeta = 8, 3.0
    seen, sparse, kernel = (torch.rand(side, side, dtype=torch.float64) for _ in range(3))
    spectra = (to_spectrum(part[None, None], (side, side)) for part in (seen, sparse, kernel))
    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    latent, *_ = filter_step(*spectra, zeta=zeta * one, threshold=0 * one, frame=(side, side))
    blur = circulant(kernel)
    dense = torch.linalg.solve(
        zeta * blur.mT @ blur + torch.eye(side**2).double(), zeta * blur.mT @ seen.flatten() + sparse.flatten()
    )
    torch.testing.assert_close(latent.flatten(), dense)


@pytest.mark.parametrize("variant", ["code", "paper"])
def test_kernel_step_is_the_least_squares_solution(variant):
    torch.manual_seed(0)
    side, trust = 8, 0.5
    network = Dublid(channels=2, layers=1, kernel_size=7, variant=variant).double()
    torch.nn.init.constant_(network.kernel_prox_list[0], trust)
    # far from the threshold, which is a share of the largest value, nothing is cut off
    seen, found = (torch.rand(1, 2, side, side, dtype=torch.float64) for _ in range(2))
    previous = torch.rand(side, side, dtype=torch.float64)
    seen_spectra, found_spectra = (torch.fft.rfft2(part) for part in (seen, found))
    votes = (found_spectra.conj() * seen_spectra).sum(1, keepdim=True)
    weights = found_spectra.abs().square().sum(1, keepdim=True)
    kernel = network._kernel_step(0, votes, weights, torch.fft.rfft2(previous[None, None]), (side, side))
    matrices = [circulant(part) for part in found[0]]
    right = sum(m.mT @ s.flatten() for m, s in zip(matrices, seen[0], strict=True))
    system = trust * sum(m.mT @ m for m in matrices) + torch.eye(side**2).double()
    dense = torch.linalg.solve(system, trust * right + (previous.flatten() if variant == "code" else 0))
    box = dense.view(side, side)[:7, :7].clamp_min(0)
    torch.testing.assert_close(kernel.detach()[0, 0], box / box.sum(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("variant", ["code", "paper"])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_kernels_are_kernels_and_gradients_reach_every_weight(variant, in_channels):
    network = small(variant=variant, in_channels=in_channels)
    torch.nn.init.constant_(network.kernel_bias_list[0], 0.1)
    blurry = plant(linear_kernel(5, 30, size=7), size=(24, 26)).blurry.expand(2, in_channels, -1, -1)
    estimate = network(blurry)
    assert estimate.image.shape == blurry.shape
    for kernel in estimate.kernels:
        assert kernel.shape == (2, 1, 7, 7)
        assert float(kernel.detach().min()) >= 0
        torch.testing.assert_close(kernel.detach().sum((-2, -1)), torch.ones(2, 1), atol=1e-6, rtol=0)
    (estimate.image.square().mean() + estimate.kernel.square().mean()).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert bool(torch.isfinite(weight.grad).all()), name


def test_working_on_few_filters_at_a_time_changes_nothing():
    whole, parts = small(), small(group=1)
    blurry = torch.rand(1, 1, 20, 22)
    torch.testing.assert_close(whole(blurry).image, parts(blurry).image, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("in_channels", [1, 3])
def test_retrieval_with_the_true_kernel_and_details_is_exact(in_channels):
    sharp = plant(linear_kernel(3, 0), size=(32, 32)).sharp.double()
    sharp = torch.cat([sharp, sharp.flip(-1), sharp.mT], dim=1)[:, :in_channels]
    frame = (32, 32)
    kernel = to_spectrum(linear_kernel(7, 20).double(), frame)
    filters = torch.zeros(2 * in_channels, in_channels, 3, 3, dtype=torch.float64)
    for channel in range(in_channels):
        filters[2 * channel, channel, 1, 1:] = torch.tensor([1.0, -1.0])
        filters[2 * channel + 1, channel, 1:, 1] = torch.tensor([1.0, -1.0])
    spectra = kernel_spectrum(filters, frame)
    image = to_spectrum(sharp, frame)
    system = RetrievalSystem(
        blurry=kernel * image,
        kernel=kernel,
        filters=spectra,
        details=torch.einsum("cihf,bihf->bchf", spectra, image),
        strengths=torch.full((1, len(filters), 1, 1), 0.1, dtype=torch.float64),
    )
    torch.testing.assert_close(from_spectrum(retrieve(system), frame), sharp, atol=1e-9, rtol=0)


def test_a_moved_photo_moves_its_estimate_along():
    network = Dublid(frame_multiple=2)
    start_from_derivatives(network)
    wide = plant(linear_kernel(9, 30), size=(70, 74)).blurry
    with torch.no_grad():
        here, there = (network(wide[..., n : n + 64, n : n + 64]) for n in (0, 3))
    inner = slice(16, -16)
    same_place = here.image[..., 3:, 3:] - there.image[..., :-3, :-3]
    same_pixel = here.image - there.image
    apart, beside = (float(d[..., inner, inner].abs().mean()) for d in (same_place, same_pixel))
    assert apart < beside / 2


def test_centring_moves_kernel_and_image_against_each_other():
    network = Dublid(frame_multiple=2)
    start_from_derivatives(network)
    blurry = plant(linear_kernel(9, 30, offset=(3.0, 2.0), size=21), size=(64, 66)).blurry
    with torch.no_grad():
        plain, centred = network(blurry), network(blurry, centred=True)
    axis = torch.arange(45.0) - 22
    for dim in (-1, -2):
        assert abs(float(centred.kernel[0, 0].sum(dim) @ axis)) <= 0.75
    down, right = ((plain.kernel[0, 0].sum(dim) @ axis).round().long() for dim in (-1, -2))
    moved = move(plain.image, torch.tensor([[down, right]]))
    inner = slice(24, -24)
    torch.testing.assert_close(moved[..., inner, inner], centred.image[..., inner, inner])


def test_projection_leaves_nothing_negative():
    network = small()
    for values in (*network.bias_list, *network.prox_list, *network.kernel_bias_list, *network.kernel_prox_list):
        torch.nn.init.constant_(values, -0.5)
    before = network.weight_list[0].detach().clone()
    network.project()
    assert all(float(v.detach().min()) == 0 for v in (*network.bias_list, *network.prox_list))
    assert all(float(v.detach()) == 0 for v in (*network.kernel_bias_list, *network.kernel_prox_list))
    assert torch.equal(network.weight_list[0], before)


@pytest.mark.parametrize("shape", [(1, 3, 16, 16), (1, 1, 1, 16)])
def test_what_it_cannot_take_is_refused(shape):
    with pytest.raises(ShapeError, match=r"\(B, 1, H, W\)"):
        small()(torch.rand(shape))


@pytest.fixture(scope="module")
def released(data_folder):
    """The network with the released weights."""
    path = data_folder.parent / "weights" / "dublid" / "16channel_10layer.ckpt"
    if not path.is_file():
        pytest.skip("the released weights of DUBLID are not there")
    network = Dublid(group=2)
    load_into(network, read_checkpoint(path), expected="DUBLID")
    return network.eval()


def test_a_tight_frame_holds_all_that_the_photo_shows():
    """What a trained network finds does not depend on more zeros around."""
    photo = brightness(plant(linear_kernel(9, 20), (120, 150)).blurry, BT709)
    network = load_network(read_weights("dublid-linear")).requires_grad_(False)
    assert network.frame_size(120, 150) == (192, 224)
    tight = network(photo, centred=True)
    network.frame, network.frame_multiple = "released", 64
    assert network.frame_size(120, 150) == (256, 256)
    large = network(photo, centred=True)
    assert float((tight.kernel - large.kernel).abs().sum()) < 0.1
    assert float((tight.image - large.image).square().mean()) < 1e-4


def read_grey(path) -> torch.Tensor:
    """As the released loader does: luma, even sizes."""
    pixels = torch.from_numpy(read_image(path).pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
    grey = luma_skimage(pixels)
    return grey[..., : grey.shape[-2] // 2 * 2, : grey.shape[-1] // 2 * 2]


def test_released_weights_compute_what_they_always_did(released, data_folder):
    blurry = read_grey(data_folder / "dublid-bsds" / "blurred" / "blurred_000_00.png")
    assert blurry.shape[-2:] == (290, 450)
    assert float(blurry.mean()) == pytest.approx(0.67305, abs=1e-4)
    with torch.no_grad():
        estimate = released(blurry)
    image, kernel = estimate.image, estimate.kernel[0, 0]
    found = [image.mean(), image.std(), image.min(), image.max(), image[0, 0, 100, 200]]
    assert [float(v) for v in found] == pytest.approx([0.66817, 0.18541, 0.01648, 0.96568, 0.69206], abs=1e-3)
    axis = torch.arange(45.0)
    assert int((kernel > 0).sum()) == 58
    assert divmod(int(kernel.argmax()), 45) == (22, 22)
    assert float(kernel.max()) == pytest.approx(0.06583, abs=1e-3)
    assert float(kernel.sum(1) @ axis) == pytest.approx(22.732, abs=1e-3)
    assert float(kernel.sum(0) @ axis) == pytest.approx(23.847, abs=1e-3)


@pytest.mark.slow
def test_released_weights_score_as_printed(released, data_folder):
    """Three photos, four kernels, quarter-pixel alignment, 16 px of border left out: 28.83 dB."""
    from unblur.metrics.shift import align_by_shift

    folder = data_folder / "dublid-bsds"
    scores = []
    for photo in ("000", "050", "150"):
        sharp = read_grey(next((folder / "sharp").glob(f"*{photo}*")))
        for kernel in range(4):
            blurry = read_grey(folder / "blurred" / f"blurred_{photo}_{kernel:02}.png")
            with torch.no_grad():
                restored = released(blurry).image.clamp(0, 1)
            aligned = align_by_shift(restored, sharp)
            inner = (aligned.restored - aligned.sharp)[..., 1:-1, 1:-1]
            scores.append(-10 * math.log10(float(inner.square().mean())))
    assert np.mean(scores) == pytest.approx(28.83, abs=0.1)
