"""Kernels in files."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hostile
from unblur.errors import ImageError, KernelError, UnblurError, WriteError
from unblur.images.decoder import decoder
from unblur.images.files import read_image
from unblur.images.kernels import normalise_kernel, read_kernel, write_kernel


def _kernel(height: int = 7, width: int = 9) -> np.ndarray:
    values = np.random.default_rng(0).random((height, width)).astype(np.float32)
    return values / values.sum()


def test_both_files_give_the_kernel_back(tmp_path: Path) -> None:
    kernel = _kernel()
    image, exact = write_kernel(tmp_path / "k", kernel)
    assert (image.name, exact.name) == ("k.png", "k.npy")
    np.testing.assert_allclose(read_kernel(exact), kernel, rtol=1e-6)
    np.testing.assert_allclose(read_kernel(image), kernel, atol=kernel.max() / 65535)
    picture = read_image(image)
    assert (picture.facts.bits, picture.space, picture.pixels.max()) == (16, "grey", 65535)


def test_suffix_and_dots_in_names(tmp_path: Path) -> None:
    assert write_kernel(tmp_path / "a.png", _kernel())[1].name == "a.npy"
    assert write_kernel(tmp_path / "b.c", _kernel())[0].name == "b.c.png"
    with pytest.raises(WriteError, match="exists already"):
        write_kernel(tmp_path / "a", _kernel())
    write_kernel(tmp_path / "a", _kernel(3, 3), overwrite=True)
    assert read_kernel(tmp_path / "a.npy").shape == (3, 3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colour_is_averaged(tmp_path: Path, dtype: str) -> None:
    pixels = hostile.photo(5, 5, 3, dtype)
    path = tmp_path / "k.tif"
    path.write_bytes(hostile.encode_tiff(pixels, photometric="rgb"))
    expected = pixels.mean(axis=2)
    np.testing.assert_allclose(read_kernel(path), expected / expected.sum(), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:a kernel has odd sizes")
def test_convention_kernels_are_odd_non_negative_sum_one() -> None:
    for shape in ((4, 4), (4, 5), (5, 4), (1, 2), (1, 1)):
        kernel = normalise_kernel(np.ones(shape))
        assert (kernel.shape[0] % 2, kernel.shape[1] % 2) == (1, 1)
        assert kernel.dtype == np.float32
        assert kernel.min() >= 0
        assert kernel.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(normalise_kernel(np.ones((2, 3)))[2], 0)


@pytest.mark.parametrize("extra", [((0, 1), (0, 1)), ((1, 0), (1, 0)), ((0, 1), (1, 0)), ((0, 1), (0, 0))])
def test_even_kernel_is_centred_by_its_mass_and_said(extra: tuple[tuple[int, int], ...]) -> None:
    path = np.zeros((7, 7))
    path[3, 1:6] = path[2, 3] = path[4, 3] = 1  # its centre of mass is its middle
    with pytest.warns(UserWarning, match=r"a kernel has odd sizes, and this one has \d+x\d+"):
        kernel = normalise_kernel(np.pad(path, extra))
    middle = np.argwhere(kernel > 0).mean(axis=0)
    np.testing.assert_array_equal(middle, [side // 2 for side in kernel.shape])


def test_inverted_picture_is_used_inverted_and_said(tmp_path: Path) -> None:
    pixels = np.zeros((9, 11), np.uint8)
    pixels[4, 2:9] = 200
    expected = pixels / pixels.sum()
    for ground, noise in ((255, 0), (200, 0), (255, 20)):
        dark = ground - pixels - (np.random.default_rng(0).integers(0, noise + 1, pixels.shape) * (pixels == 0))
        Image.fromarray(dark.astype(np.uint8)).save(tmp_path / "k.png")
        with pytest.warns(UserWarning, match="dark path on a bright ground, so it was used inverted"):
            kernel = read_kernel(tmp_path / "k.png")
        assert np.abs(kernel - expected).sum() < 1 if noise else np.allclose(kernel, expected, atol=1e-6)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((5, 5), 255),  # a box
        np.full((1, 9), 255),
        np.pad(np.full((3, 3), 255), 1, constant_values=160),
        np.outer([0, 1, 0], [100, 255, 255, 255, 100]),
        np.hypot(*np.mgrid[-3:4, -3:4]) <= 3.2,  # a disk
    ],
)
def test_bright_kernels_are_no_inverted_ones(tmp_path: Path, pixels: np.ndarray) -> None:
    values = (pixels * (255 if pixels.dtype == bool else 1)).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "k.png")
    np.testing.assert_allclose(read_kernel(tmp_path / "k.png"), values / values.sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 3)), "zero everywhere"),
        (np.array([[1.0, -0.1]]), "negative"),
        (np.array([[1.0, np.nan]]), "finite"),
        (np.array([[np.inf]]), "finite"),
        (np.array([[0x7FA00000]], np.uint32).view(np.float32), "finite"),  # a signalling NaN
        (np.ones((2, 2, 2)), "two dimensions"),
        (np.ones(3), "two dimensions"),
        (np.ones((0, 3)), "two dimensions"),
        (np.array([["a"]]), "real numbers"),
        (np.array([[1j]]), "real numbers"),
    ],
)
def test_what_is_no_kernel_is_refused(values: np.ndarray, words: str) -> None:
    with pytest.raises(KernelError, match=words):
        normalise_kernel(values)


def test_huge_and_tiny_values_are_normalised() -> None:
    for scale in (1e300, 1e-300):
        np.testing.assert_allclose(normalise_kernel(np.full((3, 3), scale)), 1 / 9, rtol=1e-6)


def test_numpy_archives(tmp_path: Path) -> None:
    kernel = _kernel()
    np.savez(tmp_path / "one.npz", anything=kernel)
    np.savez(tmp_path / "named.npz", other=np.zeros(3), kernel=kernel)
    np.savez(tmp_path / "many.npz", a=kernel, b=kernel)
    np.testing.assert_allclose(read_kernel(tmp_path / "one.npz"), kernel, rtol=1e-6)
    np.testing.assert_allclose(read_kernel(tmp_path / "named.npz"), kernel, rtol=1e-6)
    with pytest.raises(KernelError, match="2 arrays"):
        read_kernel(tmp_path / "many.npz")


def _inflating_archive(path: Path, shape: tuple[int, ...], megabytes: int, members: int = 1) -> None:
    """An `.npz` of some kilobytes whose arrays of zeros inflate to many megabytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(members):
            with archive.open(f"a{number}.npy", "w") as member:
                member.write(header.getvalue())
                for _ in range(megabytes):
                    member.write(bytes(1 << 20))


@pytest.mark.parametrize(("shape", "words"), [((20_000, 20_000), "400000000 values"), ((9, 9), "zero everywhere")])
def test_inflating_archive_costs_no_memory(tmp_path: Path, shape: tuple[int, ...], words: str) -> None:
    _inflating_archive(tmp_path / "k.npz", shape, 100)
    read_image(hostile.seeds()["rgba.png"])
    before = peak_of(decoder.pid), peak_of("self")
    with pytest.raises(UnblurError, match=words):
        read_kernel(tmp_path / "k.npz")
    assert peak_of(decoder.pid) - before[0] < 60
    assert peak_of("self") - before[1] < 60


@pytest.mark.parametrize("filling", [b" ", b"-", b"(", b"1,"])
def test_long_headers_are_neither_read_nor_parsed(tmp_path: Path, filling: bytes) -> None:
    """Of an array in an archive of some kilobytes, a header that inflates to 200 MB."""
    with (
        zipfile.ZipFile(tmp_path / "k.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("kernel.npy", "w") as member,
    ):
        member.write(b"\x93NUMPY\x02\x00" + (200 << 20).to_bytes(4, "little"))
        for _ in range(200):
            member.write(filling * ((1 << 20) // len(filling)))
    short = tmp_path / "k.npy"
    short.write_bytes(b"\x93NUMPY\x01\x00" + (9000).to_bytes(2, "little") + filling * 9000)
    read_image(hostile.seeds()["rgba.png"])
    before = peak_of(decoder.pid)
    for path in (tmp_path / "k.npz", short):
        with pytest.raises(UnblurError, match="damaged NumPy file"):
            read_kernel(path)
    assert peak_of(decoder.pid) - before < 60


def test_many_arrays_and_large_pictures_are_refused(tmp_path: Path) -> None:
    _inflating_archive(tmp_path / "many.npz", (9, 9), 0, members=25_000)
    with pytest.raises(UnblurError, match="more arrays"):
        read_kernel(tmp_path / "many.npz")
    (tmp_path / "photo.png").write_bytes(hostile.encode_pillow(np.zeros((2500, 2500), np.uint8), "PNG"))
    with pytest.raises(UnblurError, match="million are allowed"):
        read_kernel(tmp_path / "photo.png")


def peak_of(process: object) -> float:
    """Peak memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)

    np.save(tmp_path / "k.npy", np.array([[Trap()]], object), allow_pickle=True)
    with pytest.raises(ImageError, match="NumPy"):
        read_kernel(tmp_path / "k.npy")
    assert not (tmp_path / "sprung").exists()


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, _kernel())
    for number, data in enumerate(hostile.cuts(file.getvalue())):
        path = tmp_path / f"{number}.npy"
        path.write_bytes(data)
        with pytest.raises((ImageError, KernelError)):
            read_kernel(path)
    with pytest.raises(ImageError, match="does not exist"):
        read_kernel(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="folder"):
        read_kernel(tmp_path)


def test_black_picture_is_no_kernel(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "k.png")
    with pytest.raises(KernelError, match="zero everywhere"):
        read_kernel(tmp_path / "k.png")


@pytest.mark.fuzz
@pytest.mark.timeout(24 * 3600)
@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
@pytest.mark.filterwarnings("ignore:a kernel")
def test_thousands_of_mutated_kernels(tmp_path: Path, save: Callable[..., None]) -> None:
    file = io.BytesIO()
    save(file, _kernel())
    path = tmp_path / "k.npz"
    refused = 0
    for _, data in hostile.mutations(hostile.FUZZ_COUNT, given={"k": file.getvalue()}):
        path.write_bytes(data)
        refused += not _is_read(path)
    assert refused > hostile.FUZZ_COUNT / 10


def _is_read(path: Path) -> bool:
    """Whether a file is read as a kernel; anything but a kernel or our error fails the test."""
    try:
        kernel = read_kernel(path)
    except UnblurError:
        return False
    return kernel.sum() == pytest.approx(1, abs=1e-5)
