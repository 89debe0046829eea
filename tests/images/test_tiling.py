"""Tiled equals untiled, wherever the halo is as large as what the function looks at."""

import threading
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unblur.errors import ShapeError
from unblur.images.tiling import run_in_smaller_tiles, run_tiled


@settings(deadline=None, max_examples=80)
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.integers(1, 40),
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
    st.sampled_from([1, 4, 16]),
    st.integers(0, 9),
)
def test_any_convolution_within_the_halo(
    size: tuple[int, int], tile: int, reach: tuple[int, int], multiple: int, seed: int
) -> None:
    radius, spare = reach
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, 3, *size, dtype=torch.float64, generator=generator)
    kernel = torch.randn(3, 1, 2 * radius + 1, 2 * radius + 1, dtype=torch.float64, generator=generator)

    def convolve(part: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(part, kernel, padding=radius, groups=3)

    tiled = run_tiled(image, convolve, tile, radius + spare, multiple=multiple)
    torch.testing.assert_close(tiled, convolve(image), atol=1e-10, rtol=1e-10)


def test_too_small_a_halo_is_seen() -> None:
    """The property above is not true of just any tiler: without a halo a blur differs at the borders."""
    image = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    blur = torch.nn.AvgPool2d(5, stride=1, padding=2)
    assert (run_tiled(image, blur, 16, 0) - blur(image)).abs().max() > 0.1
    torch.testing.assert_close(run_tiled(image, blur, 16, 2), blur(image))


def test_seams_of_differing_tiles_are_smooth() -> None:
    """Tiles that come back with different brightness are blended by a ramp, not by a step."""
    calls = iter(range(9))
    tiled = run_tiled(torch.zeros(1, 1, 16, 96), lambda part: torch.full_like(part, next(calls)), 32, 16)
    assert tiled[0, 0, 0, 0] == 0
    assert tiled[0, 0, 0, -1] == 2
    steps = tiled[0, 0, 0].diff()
    assert (steps >= 0).all()
    assert steps.max() <= 1 / 16 + 1e-6


def test_progress_memory_and_channels() -> None:
    seen: list[tuple[int, int]] = []
    largest: list[int] = []

    def grey(part: Tensor) -> Tensor:
        largest.append(max(part.shape[2:]))
        return part.mean(dim=1, keepdim=True)

    image = torch.rand(1, 3, 50, 70)
    answer = run_tiled(image, grey, 32, 8, lambda done, total: seen.append((done, total)))
    torch.testing.assert_close(answer, image.mean(dim=1, keepdim=True))
    assert seen == [(number, 6) for number in range(1, 7)]
    assert max(largest) <= 32 + 2 * 8 + 2 * 4


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 12), st.integers(1, 90), st.integers(0, 40))
def test_parts_begin_and_end_at_multiples(sixteens: int, tile: int, halo: int) -> None:
    """The image says where each pixel of it lies."""
    places = torch.arange(16.0 * sixteens).expand(1, 1, 16, -1)
    parts: list[Tensor] = []

    def keep(part: Tensor) -> Tensor:
        parts.append(part)
        return part

    torch.testing.assert_close(run_tiled(places, keep, tile, halo, multiple=16), places)
    assert all(int(part[..., 0, 0]) % 16 == 0 and part.shape[3] % 16 == 0 for part in parts)


def test_tiles_are_about_equal() -> None:
    sides: list[int] = []

    def keep(part: Tensor) -> Tensor:
        sides.append(part.shape[3])
        return part

    run_tiled(torch.zeros(1, 1, 8, 720), keep, 640, 0)
    run_tiled(torch.zeros(1, 1, 8, 1280), keep, 512, 0, multiple=64)
    assert sides == [360, 360, 448, 448, 384]


def test_dtype_is_kept() -> None:
    assert run_tiled(torch.rand(1, 1, 9, 9).half(), lambda part: part * 2, 4, 2).dtype == torch.float16


def test_misuse_is_refused() -> None:
    image = torch.zeros(1, 1, 8, 8)
    with pytest.raises(ShapeError, match="came back"):
        run_tiled(image, lambda part: part[..., 1:], 4, 1)
    for tile, halo in ((0, 1), (4, -1)):
        with pytest.raises(ShapeError, match="expected a tile"):
            run_tiled(image, lambda part: part, tile, halo)
    with pytest.raises(ShapeError, match="at least one pixel"):
        run_tiled(torch.zeros(1, 1, 0, 8), lambda part: part, 4, 1)


def test_tiles_side_by_side_give_the_same_bits() -> None:
    image = torch.rand(1, 2, 90, 130, generator=torch.Generator().manual_seed(3))
    blur = torch.nn.AvgPool2d(5, stride=1, padding=2)
    before = torch.get_num_threads()
    answers: list[Tensor] = []
    steps: list[int] = []

    def blur_in_steps(part: Tensor, on_step: Callable[[], None]) -> Tensor:
        on_step()
        return blur(part)

    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            answers.append(run_tiled(image, blur_in_steps, 32, 8, on_step=lambda: steps.append(threading.get_ident())))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*answers)
    assert torch.equal(answers[0], run_tiled(image, blur, 32, 8))
    assert steps == [threading.get_ident()] * (2 * 3 * 5)


@pytest.mark.parametrize("threads", [1, 2])
def test_tiles_stop_between_their_steps(threads: int) -> None:
    before = torch.get_num_threads()
    done: list[int] = []

    def endless(part: Tensor, on_step: Callable[[], None]) -> Tensor:
        while True:
            done.append(0)
            on_step()

    def stop() -> None:
        if len(done) > 20:
            raise InterruptedError

    torch.set_num_threads(threads)
    try:
        with pytest.raises(InterruptedError):
            run_tiled(torch.zeros(1, 1, 40, 40), endless, 16, 2, on_step=stop)
    finally:
        torch.set_num_threads(before)


def test_smaller_tiles_are_tried_where_memory_is_short():
    tried = []

    def run(side: int) -> int:
        tried.append(side)
        if side > 300:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory")
        return side

    assert run_in_smaller_tiles(run, 2048) == 256
    assert tried == [2048, 1024, 512, 256]


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("other")])
def test_what_no_tile_mends_is_raised(error):
    tried = []

    def run(side: int) -> int:
        tried.append(side)
        raise error

    with pytest.raises(type(error)):
        run_in_smaller_tiles(run, 512)
    assert tried == ([512] if "other" in str(error) else [512, 256, 128])
