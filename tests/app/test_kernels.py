"""Kernels as the page edits them."""

import io
import json

import numpy as np
import pytest

from unblur.app.kernels import BLANK, as_cells, encode_npy, from_cells, thin
from unblur.errors import KernelError
from unblur.images.kernels import read_kernel


def line_kernel(side: int = 15) -> np.ndarray:
    """A horizontal path whose flanks fall off as a Gaussian."""
    flank = np.exp(-0.5 * ((np.arange(side) - side // 2) / 1.2) ** 2)
    along = np.zeros(side)
    along[3:-3] = 1
    kernel = np.outer(flank, along)
    return (kernel / kernel.sum()).astype(np.float32)


def width_of(kernel: np.ndarray) -> float:
    """Standard deviation across the path."""
    rows = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    return float(np.sqrt((kernel.sum(1) * rows**2).sum() / kernel.sum()))


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (15, 7), (31, 31)])
def test_cells_are_the_kernel_again(shape, tmp_path):
    kernel = np.random.default_rng(0).random(shape, np.float32) + 0.1
    kernel /= kernel.sum()
    cells = as_cells(kernel)
    assert len(cells) > shape[0]
    assert len(cells[0]) > shape[1]
    again = from_cells(json.dumps(cells))
    assert again.shape == shape
    np.testing.assert_allclose(again, kernel, rtol=1e-6)
    path = tmp_path / "kernel.npy"
    path.write_bytes(encode_npy(again))
    np.testing.assert_allclose(read_kernel(path), again, rtol=1e-6)
    assert np.load(io.BytesIO(encode_npy(again)), allow_pickle=False).dtype == np.float32


def test_middle_stays_in_the_middle():
    cells = [[0.0] * 9 for _ in range(9)]
    cells[4][6] = 1.0
    kernel = from_cells(json.dumps(cells))
    assert kernel.shape == (1, 5)
    assert kernel[0, 4] == 1


def test_thinning_narrows_the_path_and_keeps_its_length():
    kernel = line_kernel()
    thinner = thin(kernel)
    assert width_of(thinner) < 0.8 * width_of(kernel)
    assert thinner.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(thinner[7] > 0, kernel[7] > 0)


@pytest.mark.parametrize("text", ["", "{", "[]", "[[]]", '["a"]', json.dumps(BLANK), "[[-1]]", "[[NaN]]", "[1, 2]"])
def test_what_is_no_kernel_is_refused(text):
    with pytest.raises(KernelError):
        from_cells(text)
