"""Small files of weights that would take minutes or gigabytes if what they ask for were done.

Unlike the bombs of `hostile_checkpoints`, each part of them is small: it is the repetition that costs, because one
instruction works on what many others have made, or compares what only looks different.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

from hostile_checkpoints import legacy_of, safe_of, saved, tensor_pickle, weights, zip_of

__all__ = ["contradictory_archives", "greedy_files", "with_zip64"]

_BEGIN = b"\x80\x02"
_ORDERED = b"ccollections\nOrderedDict\n"
_OFTEN = 100_000
_ALIKE = 2**61 - 1
"""Python's hash of every multiple of it is zero."""


def greedy_files() -> dict[str, bytes]:
    """Files of at most 9 MB by name."""
    return {
        "items_of_a_list.pth": zip_of(
            _BEGIN + b"](" + (_text("a") + b"N\x86") * _OFTEN + b"e" + _put(0) + _ORDERED + _put(1)
            + (_get(1) + _get(0) + b"\x85R") * _OFTEN + b"."
        ),
        "keys_of_one_hash.pth": zip_of(_BEGIN + b"}(" + _keys_of_one_hash(60_000) + b"u."),
        "keys_of_one_hash.ckpt": legacy_of(_BEGIN + b"}(" + _keys_of_one_hash(60_000) + b"u."),
        "long_number_as_key.pth": zip_of(
            _BEGIN + _long_number(4_000_000) + _put(0) + b"}" + (_get(0) + b"Ns") * _OFTEN + b"."
        ),
        "equal_keys.pth": zip_of(
            _BEGIN + _text("k" * 4_000_000) + _put(0) + _text("k" * 4_000_000) + _put(1) + b"}" + _get(0) + b"Ns"
            + (_get(1) + b"Ns") * _OFTEN + b"."
        ),
        "equal_storages.pth": zip_of(
            _BEGIN + _storage("k" * 4_000_000) + _put(0) + _storage("k" * 4_000_000) + _put(1) + _get(0) + b"Q"
            + (_get(1) + b"Q") * _OFTEN + b"."
        ),
        "parts_of_a_storage.pth": zip_of(
            _BEGIN + _storage("0", b"N" * _OFTEN) + _put(0) + (_get(0) + b"Q") * _OFTEN + b"."
        ),
        "steps_of_a_tensor.pth": zip_of(_BEGIN + _tensor(1, stride=b"(" + b"K\x01" * _OFTEN + b"t") + b"R" + b"."),
        "many_tensors.pth": zip_of(
            _BEGIN + b"ctorch._utils\n_rebuild_tensor_v2\n" + _put(0) + _arguments() + _put(1) + b"]("
            + (_get(0) + _get(1) + b"R") * 160_000 + b"e.", {"data/0": bytes(4)},
        ),
        "many_dictionaries.pth": zip_of(_BEGIN + b"](" + b"}NNs" * 124_000 + b"e."),
        "nested_list_of_storages.ckpt": legacy_of(
            pickle.dumps({}, 2), keys=_BEGIN + b"](N" + (_put(0) + _get(0) + _get(0) + b"\x86") * 40 + b"e."
        ),
        "dimensions.safetensors": _safe(shape=[3] * 690_000),
        "dimensions_of_one.safetensors": _safe(shape=[1] * 690_000),
        "huge_lengths.safetensors": _safe(shape=[int("9" * 4_000)] * 400),
        "nested_offsets.safetensors": safe_of(
            b'{"a":{"dtype":"F32","shape":[],"data_offsets":' + b"[" * 900 + b"]" * 900 + b"}}"
        ),
        "long_name.safetensors": safe_of(
            {"n" * 1_900_000: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)
        ),
        "long_type.safetensors": safe_of(
            {"a": {"dtype": "F" * 1_900_000, "shape": [1], "data_offsets": [0, 4]}}, bytes(4)
        ),
        "long_metadata.safetensors": _safe(metadata={"a": "m" * 1_900_000}),
        "many_metadata.safetensors": _safe(metadata={str(number): "" for number in range(100_000)}),
        "long_member.pth": zip_of(pickle.dumps({}, 2), {"m" * 60_000: b""}),
        "long_global.pth": zip_of(_BEGIN + b"c" + b"m" * 8_000_000 + b"\nf\n)R."),
        "long_name.pth": saved({"n" * 8_000_000: weights()["conv.bias"]}),
    }  # fmt: skip


def contradictory_archives() -> dict[str, bytes]:
    """Archives whose contents depend on who reads them: what was checked would not be what is used."""
    inner, outer = saved({"a": weights()["conv.bias"]}), saved(weights())
    return {
        "comment.pth": _with_comment(outer, b"a comment"),
        "archive_as_comment.pth": _with_comment(outer, inner[:60_000]),
        "two_ends.pth": outer + outer[-22:],
        "bytes_in_front.pth": b"PK\x03\x04" + bytes(60) + outer,
        "bytes_behind.pth": outer + bytes(7),
        "two_archives.pth": inner + outer,
        "zip64_elsewhere.pth": with_zip64(outer, directory=0),
        "zip64_other_count.pth": with_zip64(outer, count=1),
        "zip64_other_size.pth": with_zip64(outer, size=46),
        "zip64_record_elsewhere.pth": with_zip64(outer, record=4),
        "zip64_second_disk.pth": with_zip64(outer, disk=1),
        "local_name.pth": outer.replace(b"/data.pkl", b"/other.pk", 1),
    }


def _with_comment(archive: bytes, comment: bytes) -> bytes:
    return archive[:-2] + struct.pack("<H", len(comment)) + comment


def with_zip64(
    archive: bytes, *, directory: int | None = None, count: int | None = None, size: int | None = None,
    record: int | None = None, disk: int = 0,
) -> bytes:  # fmt: skip
    """The archive with the 64-bit records at its end, one number in them changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(file, "w") as plain:
        for name in source.namelist():
            plain.writestr(name, source.read(name))
    data = file.getvalue()
    body, end = data[:-22], data[-22:]
    members, true_size, place = struct.unpack_from("<HLL", end, 10)
    true = {"count": members, "size": true_size, "directory": place}
    given = {"count": count, "size": size, "directory": directory}
    numbers = {name: value if given[name] is None else given[name] for name, value in true.items()}
    record_64 = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, disk, disk,
        numbers["count"], numbers["count"], numbers["size"], numbers["directory"],
    )  # fmt: skip
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) if record is None else record, 1)
    return body + record_64 + locator + end


def _safe(*, shape: list[int] | None = None, metadata: dict[str, str] | None = None) -> bytes:
    entry = {"dtype": "F32", "shape": [1] if shape is None else shape, "data_offsets": [0, 4]}
    return safe_of(({"__metadata__": metadata} if metadata else {}) | {"a": entry}, bytes(4))


def _keys_of_one_hash(count: int) -> bytes:
    keys = (pickle.encode_long(number * _ALIKE) for number in range(1, count))
    return b"".join(b"\x8a" + bytes([len(key)]) + key + b"N" for key in keys)


def _long_number(length: int) -> bytes:
    return b"\x8b" + struct.pack("<i", length) + b"\x7f" * length


def _storage(key: str, further: bytes = b"") -> bytes:
    return b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + _text(key) + _text("cpu") + b"K\x01" + further + b"t"


def _tensor(count: int, *, stride: bytes) -> bytes:
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + _storage("0") + b"QK\x00(K\x01t" + stride + b"\x89Nt"


def _arguments() -> bytes:
    """Of one number of a storage."""
    one = tensor_pickle((1,), (1,), 1)
    return one[one.index(b"((X") : one.rindex(b"R")]


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _put(place: int) -> bytes:
    return b"q" + bytes([place])


def _get(place: int) -> bytes:
    return b"h" + bytes([place])
