import torch

from unblur.blur.convolve import convolve
from unblur.solvers.differences import differences
from unblur.solvers.frame import Frame
from unblur.solvers.wiener import deconvolve_wiener


def matrix_of(operator, size: tuple[int, int]) -> torch.Tensor:
    """The dense matrix of a linear operator on images: its answers to all impulses."""
    impulses = torch.eye(size[0] * size[1], dtype=torch.float64).view(-1, 1, *size)
    return operator(impulses).flatten(1).T


def test_equals_dense_least_squares():
    generator = torch.Generator().manual_seed(0)
    blurry = torch.rand(1, 1, 9, 12, generator=generator, dtype=torch.float64)
    kernel = torch.rand(1, 1, 3, 5, generator=generator, dtype=torch.float64)
    kernel /= kernel.sum()
    frame = Frame.around((9, 12), (3, 5))
    blur = matrix_of(lambda image: convolve(image, kernel, "circular"), frame.size)
    right, down = (matrix_of(lambda image, i=i: differences(image)[i], frame.size) for i in range(2))
    stacked = torch.cat([blur, 0.1 * right, 0.1 * down])
    wanted = torch.cat([frame.extend(blurry).flatten(), torch.zeros(2 * blur.shape[0], dtype=torch.float64)])
    expected = frame.crop(torch.linalg.lstsq(stacked, wanted).solution.view(1, 1, *frame.size))
    torch.testing.assert_close(deconvolve_wiener(blurry, kernel, prior_strength=0.01), expected)


def test_a_kernel_for_each_photo():
    generator = torch.Generator().manual_seed(1)
    blurry, kernels = torch.rand(2, 1, 20, 20, generator=generator), torch.rand(2, 1, 5, 5, generator=generator)
    kernels /= kernels.sum((-2, -1), keepdim=True)
    together = deconvolve_wiener(blurry, kernels, prior_strength=0.01)
    for i in range(2):
        alone = deconvolve_wiener(blurry[i : i + 1], kernels[i : i + 1], prior_strength=0.01)
        torch.testing.assert_close(together[i : i + 1], alone)
