"""Small images whose metadata are huge, endless, or lead back to themselves: valid pixels, at whatever cost."""

import struct
import zlib
from collections.abc import Iterable, Iterator

from PIL import Image

import hostile

__all__ = ["files_with_hostile_metadata", "interleaved_directories"]

_PIXELS = hostile.photo(8, 8)
_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\x00"
_MORE_XMP_IN_JPEG = b"http://ns.adobe.com/xmp/extension/\x00"
_XMP_IN_PNG = b"XML:com.adobe.xmp\x00\x01\x00\x00\x00"
_LONG = 20_000_000


def files_with_hostile_metadata() -> Iterator[tuple[str, bytes]]:
    """Names and contents, made one after the other: some have fifty megabytes."""
    for maker in (_jpegs, _pngs, _tiffs, _webps, _gifs):
        yield from maker()


def _jpegs() -> Iterator[tuple[str, bytes]]:
    app1, app2, app13, comment = 0xE1, 0xE2, 0xED, 0xFE
    for name, block in hostile.overlapping_exif(size=60_000, entries=4000).items():
        yield f"exif-{name}.jpg", _jpeg((app1, b"Exif\x00\x00" + block[:65_000]))
    yield "many-exif.jpg", _jpeg(*[(app1, b"Exif\x00\x00" + hostile.exif_block())] * 10_000)
    yield "many-comments.jpg", _jpeg(*[(comment, b"c")] * 100_000)
    yield "many-xmp.jpg", _jpeg(*[(app1, _XMP_IN_JPEG + b"<x/>".ljust(65_000))] * 300)
    yield "long-xmp.jpg", _jpeg(*_extended_xmp(300))
    yield "long-profile.jpg", _jpeg(*_profile_parts(255, 255))
    yield "endless-profile.jpg", _jpeg(*_profile_parts(255, 1) * 3)
    yield "iptc.jpg", _jpeg(*[(app13, b"Photoshop 3.0\x00" + _resources(b"\x1c\x02\x19\x00\x01a" * 10_000))] * 300)
    yield "markers.jpg", _jpeg(*[(app2, b"")] * 100_000)
    yield "fill.jpg", hostile.encode_pillow(_PIXELS, "JPEG").replace(b"\xff\xda", b"\xff" * 100_000 + b"\x00\xff\xda")


def _pngs() -> Iterator[tuple[str, bytes]]:
    zeros, megabytes = zlib.compress(bytes(1 << 20), 9), zlib.compressobj(9)
    inflating = b"".join([*(megabytes.compress(bytes(1 << 20)) for _ in range(100)), megabytes.flush()])
    yield "many-texts.png", _png((b"tEXt", b"key\x00value") for _ in range(50_000))
    yield "many-names.png", _png((b"tEXt", b"key%d\x00value" % number) for number in range(50_000))
    yield "many-packed-texts.png", _png((b"zTXt", b"key\x00\x00" + zeros) for _ in range(1000))
    yield "inflating-text.png", _png([(b"zTXt", b"key\x00\x00" + inflating)])
    yield "inflating-xmp.png", _png([(b"iTXt", _XMP_IN_PNG + inflating)])
    yield "long-xmp.png", _png([(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + b" " * _LONG)])
    yield "inflating-profile.png", _png([(b"iCCP", b"name\x00\x00" + inflating)])
    yield "long-profile.png", _png([(b"iCCP", b"name\x00\x00" + zlib.compress(_profile(_LONG), 1))])
    yield "broken-profile.png", _png([(b"iCCP", b"name\x00\x00" + zlib.compress(_profile(4_000_000, tags=200_000)))])
    for name, block in hostile.overlapping_exif().items():
        yield f"exif-{name}.png", _png([(b"eXIf", block)])
    yield "long-exif.png", _png([(b"eXIf", hostile.exif_block() + bytes(_LONG))])
    exif_in_text = b"Raw profile type exif\x00\x00" + zlib.compress(b"\nexif\n%8d\n" % (1 << 20) + b"00" * (1 << 20))
    yield "exif-in-text.png", _png((b"zTXt", exif_in_text) for _ in range(50))
    yield "many-chunks.png", _png((b"prVt", b"") for _ in range(100_000))
    yield "suggested-colours.png", _png((b"sPLT", b"%d\x00\x08" % number + bytes(6) * 1000) for number in range(3000))


def _tiffs() -> Iterator[tuple[str, bytes]]:
    yield "most-tags.tif", _tiff([(number, 4, 1, 7) for number in range(400, 65_535)])
    yield "shared-values.tif", _tiff([(40_000 + number, 7, 4_000_000, 8) for number in range(4000)], bytes(4_000_000))
    yield "long-profile.tif", _tiff([(34675, 7, _LONG, 300)], _profile(_LONG))
    yield "profile-beyond.tif", _tiff([(34675, 7, 0xFFFFFFF0, 300)])
    yield "long-xmp.tif", _tiff([(700, 1, _LONG, 300)], b" " * _LONG)
    yield "iptc-beyond.tif", _tiff([(33723, 4, 0x3FFFFFF0, 300)])
    yield "exif-itself.tif", _tiff([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8)])
    yield "long-description.tif", _tiff([(270, 2, _LONG, 300)], b"ImageJ=1\nimages=9\n" * (_LONG // 18))
    yield "sub-directories.tif", _tiff([(330, 4, 1_000_000, 300)], struct.pack("<L", 8) * 1_000_000)
    yield "strips.tif", _tiff([(324, 4, 1 << 20, 300), (325, 4, 1 << 20, 300)], bytes(4 << 20))
    yield "interleaved.tif", interleaved_directories(9000, 4000)


def _webps() -> Iterator[tuple[str, bytes]]:
    for name, block in hostile.overlapping_exif().items():
        yield f"exif-{name}.webp", _webp([(b"EXIF", block)], flags=0x08)
    yield "long-profile.webp", _webp([(b"ICCP", _profile(50_000_000))], flags=0x20)
    yield "long-xmp.webp", _webp([(b"XMP ", b" " * _LONG)], flags=0x04)
    yield "many-chunks.webp", _webp([(b"priv", b"")] * 100_000, flags=0)


def _gifs() -> Iterator[tuple[str, bytes]]:
    gif = hostile.encode_pillow(Image.fromarray(_PIXELS).quantize(8), "GIF")
    at = gif.index(b"\x2c")
    extensions = {
        "many-comments.gif": b"\x21\xfe\x01c\x00" * 150_000,
        "long-comment.gif": b"\x21\xfe" + b"\x01c" * 2_500_000 + b"\x00",
        "long-xmp.gif": b"\x21\xff\x0bXMP DataXMP" + (b"\xff" + b" " * 255) * 50_000 + b"\x00",
    }
    for name, extension in extensions.items():
        yield name, gif[:at] + extension + gif[at:]


def _jpeg(*segments: tuple[int, bytes]) -> bytes:
    jpeg = hostile.encode_pillow(_PIXELS, "JPEG")
    added = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments)
    return jpeg[:2] + added + jpeg[2:]


def _extended_xmp(parts: int) -> list[tuple[int, bytes]]:
    """A packet in so many segments, of which each says where it belongs."""
    mark, size = b"0" * 32, 65_000
    places = (mark + struct.pack(">LL", parts * size, number * size) for number in range(parts))
    packet = _XMP_IN_JPEG + b'<x xmpNote:HasExtendedXMP="' + mark + b'"/>'
    return [(0xE1, packet), *((0xE1, _MORE_XMP_IN_JPEG + place + b" " * size) for place in places)]


def _profile_parts(count: int, stated: int) -> list[tuple[int, bytes]]:
    profile, size = _profile(count * 65_000), 65_000
    return [
        (0xE2, b"ICC_PROFILE\x00" + bytes([number, stated]) + profile[(number - 1) * size : number * size])
        for number in range(1, count + 1)
    ]


def _resources(iptc: bytes) -> bytes:
    return b"8BIM\x04\x04\x00\x00" + struct.pack(">L", len(iptc)) + iptc


def _profile(size: int, tags: int = 0) -> bytes:
    """A colour profile with its true length, and perhaps a table of very many tags, all of them the whole profile."""
    profile = bytearray(hostile.icc_profile().ljust(size, b"\x00"))
    struct.pack_into(">L", profile, 0, size)
    if tags:
        struct.pack_into(">L", profile, 128, tags)
        table = b"".join(struct.pack(">4sLL", b"%04x" % (number % 65_536), 0, size) for number in range(tags))
        profile[132 : 132 + len(table)] = table
    return bytes(profile)


def _png(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    png = hostile.encode_pillow(_PIXELS, "PNG")
    parts = (
        struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data)) for name, data in chunks
    )
    return png[:33] + b"".join(parts) + png[33:]


def _tiff(extra: list[tuple[int, int, int, int]], behind: bytes = b"") -> bytes:
    """A page of one pixel with further tags, and what they point to from offset 300 on if they are few."""
    own = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 4), (277, 1), (278, 1), (279, 1)]
    entries = sorted([*((tag, 4, 1, value) for tag, value in own), *extra])
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return (b"II*\x00\x08\x00\x00\x00" + directory + bytes(4)).ljust(300, b"\x00") + behind


def interleaved_directories(count: int, entries: int) -> bytes:
    """So many directories of so many entries in a small file: each begins within the entries of the one before."""
    form = struct.pack("<HHHLH", entries, 1000, 7, 1, 0)  # a count; or the end of a value and a further entry
    data = bytearray(b"II*\x00\x08\x00\x00\x00" + form * (count + entries + 1))
    for number in range(count):
        at = 8 + 12 * (number + entries) + 2
        struct.pack_into("<L", data, at, 8 + 12 * (number + 1))
    return bytes(data)


def _webp(chunks: list[tuple[bytes, bytes]], flags: int) -> bytes:
    plain = hostile.encode_pillow(_PIXELS, "WEBP", lossless=True)[12:]
    head = b"VP8X" + struct.pack("<LL", 10, flags) + b"\x07\x00\x00\x07\x00\x00"
    added = [name + struct.pack("<L", len(data)) + data + bytes(len(data) % 2) for name, data in chunks]
    # A profile stands before the pixels, the rest behind.
    body = head + b"".join([*added, plain] if flags & 0x20 else [plain, *added])
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body
