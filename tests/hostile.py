"""Generators of good, odd, malformed and hostile image files.

Everything is made here, by other libraries than those under test where there are such, and nothing is stored.
`good_files` are to be read right, `bad_files` to be refused with one clean sentence; `mutations` may end either way.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

__all__ = [
    "FUZZ_COUNT",
    "HOSTILE_NAMES",
    "bad_files",
    "bombs",
    "cuts",
    "encode_pillow",
    "encode_tiff",
    "exif_block",
    "good_files",
    "icc_profile",
    "many_frames",
    "many_pages",
    "moving",
    "mutations",
    "overlapping_exif",
    "photo",
    "scan_bomb",
    "seeds",
    "with_chunk",
    "without_app14",
]

FUZZ_COUNT = int(os.environ.get("UNBLUR_FUZZ", "2000"))
"""Damaged versions of each file in `make fuzz`; more of them begin with the same ones."""

HOSTILE_NAMES = (
    b"plain.png",
    b"two words.png",
    b" leading.png",
    b"trailing .png",
    b"-o.png",
    b"--help.png",
    b"new\nline.png",
    b"tab\there.png",
    b"\x1b[31mred.png",
    b"\x1b]0;title\x07.png",
    b"bell\x07.png",
    b"back\\slash.png",
    b"quote'quote.png",
    b'double"quote.png',
    b"$(touch pwned).png",
    b"`touch pwned`.png",
    b"; rm x.png",
    b"| cat.png",
    b"&.png",
    b"*.png",
    b"?.png",
    b"[a-z].png",
    b"{a,b}.png",
    b"~.png",
    b"#hash.png",
    b"%s%n.png",
    b"%2e%2e.png",
    b"=cmd().png",
    b"@sum.png",
    b"+1.png",
    b"comma,semicolon;.png",
    b"<script>alert(1)<script>.png",
    b"<img src=x onerror=alert(1)>.png",
    b"&lt;.png",
    b".hidden.png",
    b"..png",
    b"...png",
    b"two.dots.png",
    b"UPPER.PNG",
    b"no extension",
    "grün.png".encode(),
    "gru\u0308n.png".encode(),
    "日本語.png".encode(),
    "مرحبا.png".encode(),
    "\u202egnp.exe.png".encode(),
    "zero\u200bwidth.png".encode(),
    "🙂.png".encode(),
    b"latin1-\xe9.png",
    b"\xff\xfe.png",
    b"x" * 251 + b".png",
)
"""Names that a Linux file system allows and that careless programs stumble over."""


def photo(height: int = 24, width: int = 32, channels: int = 3, dtype: str = "uint8", seed: int = 0) -> NDArray:
    """A smooth picture with some noise: `(H, W, C)`, more than 256 levels where the dtype has them."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j][:, :, :, None]
    phase = np.arange(channels) * 0.7
    values = (
        0.5 + 0.3 * np.sin(5 * x + phase) * np.cos(4 * y - phase) + random.normal(0, 0.02, (height, width, channels))
    )
    values = values.clip(0, 1)
    return values.astype(dtype) if dtype == "float32" else np.rint(values * np.iinfo(dtype).max).astype(dtype)


def encode_pillow(pixels: NDArray | Image.Image, kind: str, **options: object) -> bytes:
    """An image file by Pillow."""
    if isinstance(pixels, Image.Image):
        image = pixels
    else:
        image = Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def encode_tiff(pixels: NDArray, **options: object) -> bytes:
    """A TIFF file by tifffile."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


@cache  # it holds the second in which it was made
def icc_profile(space: str = "sRGB") -> bytes:
    """A colour profile as littleCMS makes it: `"sRGB"`, or `"swapped"`, where red and green change places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if space == "swapped":
        # Swapping the primaries' tags is enough: a red pixel is a green one there.
        red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
        profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def exif_block(orientation: int | None = None, *, thumbnail: bool = False, order: str = "<") -> bytes:
    """An EXIF block (TIFF structure) with make, orientation, size tags, a maker note, GPS and a thumbnail."""
    mark = {"<": b"II*\x00", ">": b"MM\x00*"}[order]
    tail = bytearray()

    def directory(entries: list[tuple[int, int, int, bytes]], at: int, following: int = 0) -> bytes:
        data = struct.pack(order + "H", len(entries))
        for tag, kind, count, value in entries:
            data += struct.pack(order + "HHL", tag, kind, count) + value.ljust(4, b"\x00")
        return data + struct.pack(order + "L", following)

    short = lambda value: struct.pack(order + "H", value)  # noqa: E731
    long = lambda value: struct.pack(order + "L", value)  # noqa: E731
    # fixed places keep this readable: IFD0 at 8, EXIF at 120, GPS at 200, IFD1 at 240, texts from 300, thumbnail at 400
    ifd0 = [(0x010F, 2, 9, long(300))]
    if orientation is not None:
        ifd0.append((0x0112, 3, 1, short(orientation)))
    ifd0 += [(0x8769, 4, 1, long(120)), (0x8825, 4, 1, long(200))]
    exif = [(0x9003, 2, 20, long(320)), (0x927C, 7, 16, long(350)), (0xA002, 3, 1, short(9)), (0xA003, 4, 1, long(9))]
    gps = [(1, 2, 2, b"N\x00")]
    block = bytearray(400)
    for at, part in (
        (0, mark + long(8)),
        (8, directory(ifd0, 8, 240 if thumbnail else 0)),
        (120, directory(exif, 120)),
    ):
        block[at : at + len(part)] = part
    part = directory(gps, 200)
    block[200 : 200 + len(part)] = part
    block[300:310] = b"Nonesuch\x00\x00"
    block[320:340] = b"2020:02:02 02:02:02\x00"
    block[350:366] = b"maker note bytes"
    if thumbnail:
        small = encode_pillow(photo(8, 8), "JPEG")
        part = directory([(0x0201, 4, 1, long(400)), (0x0202, 4, 1, long(len(small)))], 240)
        block[240 : 240 + len(part)] = part
        tail += small
    return bytes(block + tail)


def without_app14(jpeg: bytes) -> bytes:
    """The JPEG without its Adobe segment."""
    at = jpeg.index(b"\xff\xee")
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") :]


@cache
def seeds() -> dict[str, bytes]:
    """Twelve small files, one of each kind of structure, to mutate."""
    grey, rgb, rgba = photo(channels=1), photo(), photo(channels=4)
    return {
        "baseline.jpg": encode_pillow(rgb, "JPEG", exif=b"Exif\x00\x00" + exif_block(6, thumbnail=True)),
        "progressive.jpg": encode_pillow(rgb, "JPEG", progressive=True, icc_profile=icc_profile()),
        "cmyk.jpg": encode_pillow(Image.fromarray(rgba, "RGBA").convert("CMYK"), "JPEG"),
        "rgba.png": encode_pillow(rgba, "PNG", exif=exif_block(3)),
        "palette.png": encode_pillow(Image.fromarray(rgb).quantize(16), "PNG"),
        "grey16.png": encode_pillow(photo(channels=1, dtype="uint16"), "PNG"),
        "planar16.tif": encode_tiff(
            np.moveaxis(photo(dtype="uint16"), 2, 0).copy(), photometric="rgb", planarconfig="separate"
        ),
        "lzw.tif": encode_pillow(rgb, "TIFF", compression="tiff_lzw"),
        "float.tif": encode_tiff(photo(channels=1, dtype="float32")[..., 0], photometric="minisblack"),
        "lossy.webp": encode_pillow(rgba, "WEBP", quality=80),
        "plain.bmp": encode_pillow(grey, "BMP"),
        "one.gif": encode_pillow(Image.fromarray(rgb).quantize(32), "GIF"),
    }


def moving() -> dict[str, bytes]:
    """Small files of several frames or pages, one of each kind."""
    first, second = (Image.fromarray(photo(seed=number)) for number in (0, 1))
    return {
        "animated.gif": encode_pillow(first.quantize(16), "GIF", save_all=True, append_images=[second.quantize(16)]),
        "animated.webp": encode_pillow(first, "WEBP", save_all=True, append_images=[second], duration=20),
        "animated.png": encode_pillow(first, "PNG", save_all=True, append_images=[second], duration=20),
        "pages.tif": encode_pillow(first, "TIFF", save_all=True, append_images=[second]),
    }


@cache
def good_files() -> dict[str, bytes]:
    """Files that every careful program reads; names say what is odd about them."""
    rgb, deep = photo(), photo(dtype="uint16")
    grey, alpha = photo(channels=1)[..., 0], photo(channels=4)
    bilevel = grey > 128
    return seeds() | {
        "wrong-extension.png": encode_pillow(rgb, "JPEG"),
        "one-pixel.png": encode_pillow(photo(1, 1), "PNG"),
        "one-row.jpg": encode_pillow(photo(1, 70), "JPEG"),
        "one-column.webp": encode_pillow(photo(70, 1), "WEBP"),
        "constant.png": encode_pillow(np.full((20, 20, 3), 77, np.uint8), "PNG"),
        "bilevel.png": encode_pillow(Image.fromarray(bilevel), "PNG"),
        "bilevel.tif": encode_tiff(bilevel, photometric="minisblack"),
        "bilevel.bmp": encode_pillow(Image.fromarray(bilevel), "BMP"),
        "grey-alpha.png": encode_pillow(Image.fromarray(alpha).convert("LA"), "PNG"),
        "min-is-white16.tif": encode_tiff(deep[..., 0], photometric="miniswhite"),
        "big.tif": encode_tiff(rgb, photometric="rgb", bigtiff=True),
        "tiled.tif": encode_tiff(photo(40, 50), photometric="rgb", tile=(16, 16), compression="zlib"),
        "big-endian.tif": encode_tiff(deep, photometric="rgb", byteorder=">"),
        "cmyk.tif": encode_tiff(alpha, photometric="separated"),
        "no-app14.jpg": without_app14(encode_pillow(Image.fromarray(alpha).convert("CMYK"), "JPEG")),
        "trailing-bytes.jpg": encode_pillow(rgb, "JPEG") + b"<script>" * 9,
        "palette.bmp": encode_pillow(Image.fromarray(rgb).quantize(16), "BMP"),
        "photo.avif": encode_pillow(rgb, "AVIF"),
        "lossless.webp": encode_pillow(alpha, "WEBP", lossless=True),
        "interlaced.gif": encode_pillow(Image.fromarray(rgb).quantize(8), "GIF", interlace=1),
    }


@cache
def bad_files() -> dict[str, bytes]:
    """Files that are no images, or damaged beyond use."""
    png, jpeg = encode_pillow(photo(), "PNG"), encode_pillow(photo(), "JPEG")
    return {
        "empty.png": b"",
        "zeros.jpg": bytes(1000),
        "text.png": b"this is not an image\n" * 9,
        "page.jpg": b"<!DOCTYPE html>\n<html><body>404</body></html>",
        "pointer.png": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/pwned) (w) file\n",
        "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "document.png": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n",
        "movie.mvg": b"push graphic-context\nfill 'url(https://127.0.0.1/)'\npop graphic-context\n",
        "pickle.png": b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.",
        "start-only.jpg": jpeg[:3],
        "start-only.png": png[:8],
        "start-only.tif": b"II*\x00",
        "start-only.webp": b"RIFF\x04\x00\x00\x00WEBP",
        "start-only.bmp": b"BM" + bytes(12) + b"\x28\x00\x00\x00",
        "start-only.gif": b"GIF89a",
        "start-only.avif": b"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00",
        "loop.tif": b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00",
        "no-size.png": _png(0, 0, b""),
        "lab.tif": encode_tiff(photo(), photometric="cielab"),
        "integers.tif": encode_tiff(photo(dtype="uint16")[..., 0].astype(np.int16), photometric="minisblack"),
        "six-channels.tif": encode_tiff(photo(channels=6), photometric="minisblack", planarconfig="contig"),
        "half.png": png[: len(png) // 2],
        "half.jpg": jpeg[: len(jpeg) // 2],
        "wrong-checksum.png": png[:-20] + bytes([png[-20] ^ 255]) + png[-19:],
    }


@cache
def bombs() -> dict[str, bytes]:
    """Small files that claim to be, or inflate to, very much."""
    huge_jpeg = bytearray(encode_pillow(photo(), "JPEG"))
    at = huge_jpeg.index(b"\xff\xc0")
    huge_jpeg[at + 5 : at + 9] = b"\xff\xdc\xff\xdc"
    huge_bmp = bytearray(encode_pillow(photo(), "BMP"))
    struct.pack_into("<ll", huge_bmp, 18, 60_000, 60_000)
    huge_gif = bytearray(encode_pillow(Image.fromarray(photo()).quantize(8), "GIF"))
    struct.pack_into("<HH", huge_gif, 6, 65_000, 65_000)
    return {
        "huge-header.png": _png(2**31 - 1, 2**31 - 1, b"\x00"),
        "wide-header.png": _png(2**31 - 1, 1, b"\x00"),
        "inflating.png": _png(20_000, 20_000, bytes(60_001) * 60),
        "huge-header.jpg": bytes(huge_jpeg),
        "huge-header.bmp": bytes(huge_bmp),
        "huge-header.gif": bytes(huge_gif),
        "huge-header.tif": encode_tiff(photo(), photometric="rgb").replace(
            struct.pack("<HHLL", 256, 4, 1, 32), struct.pack("<HHLL", 256, 4, 1, 2**31 - 1)
        ),
        "many-scans.jpg": scan_bomb(2000),
        "many-frames.webp": many_frames(10_001),
        "many-pages.tif": many_pages(10_001),
        "huge-header.webp": b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"
        + b"\xff" * 6
        + b"VP8 \x00\x00\x00\x00",
    }


def scan_bomb(side: int = 9000, scans: int = 883) -> bytes:
    """A valid progressive JPEG of so many scans, 883 at most, each of which costs a walk over the whole picture.

    In an all-grey picture every scan over AC coefficients holds the same bytes, so one of them serves for each
    coefficient at each of 14 successive precisions.
    """
    jpeg = encode_pillow(np.full((side, side), 128, np.uint8), "JPEG", progressive=True)
    first = jpeg.index(b"\xff\xda")
    second = jpeg.index(b"\xff\xda", first + 2)
    next_marker = next(
        at for at in range(second + 10, len(jpeg)) if jpeg[at] == 0xFF and jpeg[at + 1] not in {0, *range(0xD0, 0xD8)}
    )
    start, coded = jpeg[second : second + 7], jpeg[second + 10 : next_marker]
    precisions = [(0, 13)] + [(high, high - 1) for high in range(13, 0, -1)]
    fine = [
        start + bytes([coefficient, coefficient, high << 4 | low]) + coded
        for coefficient in range(1, 64)
        for high, low in precisions
    ]
    return jpeg[:second] + b"".join(fine[: scans - 1]) + b"\xff\xd9"


def many_frames(count: int) -> bytes:
    """An animated WebP of so many frames, all alike."""
    two = encode_pillow(photo(8, 8), "WEBP", save_all=True, append_images=[Image.fromarray(photo(8, 8, seed=1))])
    first = two.index(b"ANMF")
    body = two[12:first] + two[first : two.index(b"ANMF", first + 4)] * count
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body


def many_pages(count: int, *extra: tuple[int, int]) -> bytes:
    """A TIFF of so many pages of one pixel, with further tags."""
    tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 4), (277, 1), (278, 1), (279, 1), *extra]
    entries = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
    ends = [8 + (page + 1) * (len(entries) + 4) for page in range(count)]
    ends[-1] = 0
    return b"II*\x00\x08\x00\x00\x00" + b"".join(entries + struct.pack("<L", end) for end in ends)


def overlapping_exif(size: int = 4_000_000, entries: int = 60_000) -> dict[str, bytes]:
    """EXIF blocks whose entries all have the same bytes for their values: together a hundred gigabytes."""

    def directory(values: list[tuple[int, int, int, int]]) -> bytes:
        return struct.pack("<H", len(values)) + b"".join(struct.pack("<HHLL", *value) for value in values) + bytes(4)

    shared = [(1000 + number, 7, size - 12 * entries - 200, 8) for number in range(entries)]
    head, pointer = b"II*\x00\x08\x00\x00\x00", directory([(0x8769, 4, 1, 26)])
    return {
        "flat": (head + directory(shared)).ljust(size, b"\x00"),
        "below": (head + pointer + directory(shared)).ljust(size, b"\x00"),
        "loop": head + directory([(0x8769, 4, 1, 8)] * 500),
        "itself": (head + directory([(0x8769, 4, 1, 8)])).ljust(4 * size, b"\x00"),
        "ring": (head + pointer + directory([(0x8825, 4, 1, 8)])).ljust(4 * size, b"\x00"),
        "entries": (head + directory([(1000, 7, 1, 0)] * 65_535)).ljust(4 * size, b"\x00"),
    }


def with_chunk(png: bytes, name: bytes, data: bytes) -> bytes:
    """The PNG with a further chunk behind its header."""
    chunk = struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))
    return png[:33] + chunk + png[33:]


def cuts(data: bytes, count: int = 12) -> Iterator[bytes]:
    """The file cut short at places spread over its length."""
    for step in range(count):
        yield data[: 1 + (len(data) - 2) * step // count]


def mutations(count: int, seed: int = 0, given: Mapping[str, bytes] | None = None) -> Iterator[tuple[str, bytes]]:
    """Damaged versions of the given files, else of the seeds: flipped bits, cuts, splices, wild header fields."""
    random = np.random.default_rng(seed)
    files = list((given or seeds()).items())
    for number in range(count):
        name, data = files[number % len(files)]
        mutated = bytearray(data)
        kind = ("flip", "cut", "splice", "field")[int(random.integers(4))]
        at = int(random.integers(len(mutated)))
        if kind == "flip":
            for place in random.integers(0, len(mutated), int(random.integers(1, 9))):
                mutated[place] ^= 1 << int(random.integers(8))
        elif kind == "cut":
            del mutated[at : at + int(random.integers(1, 200))]
        elif kind == "splice":
            other = files[int(random.integers(len(files)))][1]
            begin = int(random.integers(len(other)))
            mutated[at:at] = other[begin : begin + int(random.integers(1, 200))]
        else:
            at = int(random.integers(min(200, len(mutated) - 4)))
            mutated[at : at + 4] = struct.pack("<L", int(random.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000, 255])))
        yield f"{number:05d}-{kind}-{name}", bytes(mutated)


def _png(width: int, height: int, raw: bytes) -> bytes:
    """A grey PNG whose header need not be true of its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    header = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
