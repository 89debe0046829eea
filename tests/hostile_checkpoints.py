"""Generators of good, hostile, broken and greedy files of weights.

Everything is made here and nothing is stored. `hostile_files` would write a canary file if anything in them ran;
`broken_files` come with a word of the sentence that refuses them; `bombs` are small files that ask for much.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

__all__ = [
    "LEGACY_BEGIN",
    "bombs",
    "broken_files",
    "good_files",
    "hostile_files",
    "instructions",
    "legacy_of",
    "safe_of",
    "saved",
    "tensor_pickle",
    "weights",
    "zip_of",
]

LEGACY_BEGIN = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
_SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def weights() -> dict[str, torch.Tensor]:
    """Of a network with two small layers."""
    generator = torch.Generator().manual_seed(0)
    return {
        "conv.weight": torch.rand(4, 3, 3, 3, generator=generator),
        "conv.bias": torch.rand(4, generator=generator),
        "last.weight": torch.rand(3, 4, 1, 1, generator=generator),
    }


def saved(value: Any, *, legacy: bool = False) -> bytes:
    """What `torch.save` writes."""
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def good_files() -> dict[str, bytes]:
    """The same weights in every form that is read."""
    tensors = weights()
    parallel = {f"module.{name}": tensor for name, tensor in tensors.items()}
    return {
        "plain.safetensors": save(tensors),
        "metadata.safetensors": save(tensors, {"arch": "tiny", "method": "none"}),
        "plain.pth": saved(tensors),
        "legacy.pkl": saved(tensors, legacy=True),
        "parallel.ckpt": saved({"state_dict": parallel, "epoch": 7, "lr": 1e-4, "name": "run"}),
        "legacy_parallel.ckpt": saved({"net_state": parallel, "epoch": 7, "betas": (0.9, 0.999)}, legacy=True),
        "averaged.pth": saved({"params": {"conv.weight": torch.zeros(1)}, "params_ema": tensors}),
        "parameters.pth": saved({name: torch.nn.Parameter(tensor) for name, tensor in tensors.items()}),
        "optimiser.pt": saved({"model": {"netG.conv.weight": torch.ones(2)}, "optim": {"state": {0: tensors}}}),
    }


def zip_of(description: bytes, members: Mapping[str, bytes] | None = None) -> bytes:
    """An archive as `torch.save` writes it, with checksums that are right."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", description)
        for name, data in ({"version": b"3\n"} | dict(members or {})).items():
            archive.writestr(f"archive/{name}", data)
    return file.getvalue()


def legacy_of(
    description: bytes, *, system: bytes | None = None, keys: bytes | None = None, numbers: bytes = b""
) -> bytes:
    """A file as `torch.save` wrote it before 1.6, with one part or the other replaced."""
    return b"".join([
        LEGACY_BEGIN,
        pickle.dumps(1001, 2),
        pickle.dumps(_SYSTEM, 2) if system is None else system,
        description,
        pickle.dumps([], 2) if keys is None else keys,
        numbers,
    ])  # fmt: skip


def safe_of(header: Any, numbers: bytes = b"") -> bytes:
    """A safetensors file with that header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def tensor_pickle(
    shape: tuple[int, ...], stride: tuple[int, ...], count: int, *, offset: int = 0, times: int = 1
) -> bytes:
    """A pickled dictionary of tensors `w0`, `w1`, ... that are all the same view of one storage of `count` floats."""
    view = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"
        + _number(count)
        + b"tQ"
        + _number(offset)
        + _longs(shape)
        + _longs(stride)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )
    names = [b"X" + struct.pack("<I", len(f"w{n}")) + f"w{n}".encode() for n in range(times)]
    return b"\x80\x02}(" + b"".join(name + view for name in names) + b"u."


def _longs(numbers: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(_number(number) for number in numbers) + b"t"


def _number(number: int) -> bytes:
    data = pickle.encode_long(number)
    return b"\x8a" + bytes([len(data)]) + data


class _Call:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


def instructions(canary: str) -> dict[str, bytes]:
    """Pickles that call `open(canary, "w")` or worse, one for each way that pickle has."""
    path = b"X" + struct.pack("<I", len(canary)) + canary.encode()
    mode = b"X\x01\0\0\0w"
    text = f"S{canary!r}\nS'w'\n".encode()
    code = f"open({canary!r}, 'w').close()"
    return {
        "exec": pickle.dumps(_Call(exec, code), 2),
        "eval": pickle.dumps(_Call(eval, code), 2),
        "system": b"cposix\nsystem\n(" + f"S'touch {canary}'\n".encode() + b"tR.",
        "popen": b"csubprocess\ncheck_output\n((lS'touch'\naS" + repr(canary).encode() + b"\natR.",
        "nested": pickle.dumps(_Call(pickle.loads, pickle.dumps(_Call(eval, code), 2)), 2),
        **{f"protocol{number}": pickle.dumps({"w": _Call(open, canary, "w")}, number) for number in range(6)},
        "global": b"\x80\x02cbuiltins\nopen\n(" + path + mode + b"tR.",
        "stack_global": b"\x80\x04\x8c\x08builtins\x8c\x04open\x93" + path + mode + b"\x86R.",
        "inst": b"(" + text + b"ibuiltins\nopen\n.",
        "obj": b"\x80\x02(cio\nFileIO\n" + path + mode + b"o.",
        "newobj": b"\x80\x02cio\nFileIO\n" + b")\x81" + b"(" + path + mode + b"tb.",
        "newobj_ex": b"\x80\x04cio\nFileIO\n)}\x92.",
        "ext": b"\x80\x02\x82\x01(" + path + mode + b"tR.",
        "build": b"\x80\x02ccollections\nOrderedDict\n)R}X\x0a\0\0\0__reduce__cbuiltins\nopen\nsb.",
        "persid": b"Pcbuiltins\nopen\n.",
        "persid_call": b"\x80\x02cbuiltins\nopen\n(" + path + mode + b"tRQ.",
        "attributes": b"\x80\x02cbuiltins\ngetattr\n(cio\nFileIO\nX\x08\0\0\0__init__tR.",
        "dotted": b"\x80\x04\x8c\x05torch\x8c\x0bhub.os.open\x93(" + path + b"K\x41tR.",
        "admitted_prefix": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n.",
    }


def hostile_files(canary: Path) -> dict[str, bytes]:
    """Files that run code if they are read as their makers hope, by name."""
    calls = instructions(str(canary))
    call = calls["global"]
    plain = pickle.dumps({}, 2)
    files = {f"zip_{name}.pth": zip_of(data) for name, data in calls.items()}
    files |= {f"legacy_{name}.ckpt": legacy_of(data) for name, data in calls.items()}
    files |= {f"bare_{name}.pkl": data for name, data in calls.items()}
    return files | {
        "legacy_head.ckpt": legacy_of(plain, system=call),
        "legacy_keys.ckpt": legacy_of(plain, keys=call),
        "legacy_tail.ckpt": legacy_of(plain, numbers=call),
        "legacy_begin.ckpt": LEGACY_BEGIN[:-1] + b"0" + call,
        "zip_second_pickle.pth": zip_of(plain + call),
        "zip_second_member.pth": zip_of(plain, {"other.pkl": call}),
        "zip_two_descriptions.pth": _twice("archive/data.pkl", plain, call),
        "zip_two_folders.pth": zip_of(call, {"../other/data.pkl": plain}),
        "torchscript.pt": zip_of(plain, {"code/__torch__/network.py": b"open()", "constants.pkl": call}),
        "program.pt2": zip_of(plain, {"models/model.json": b"{}", "archive_format": b"pt2"}),
        "objects.npz": _npz(canary),
        "objects.npy": _npy(canary),
        "tag.yaml": b"weights: !!python/object/apply:builtins.open [" + str(canary).encode() + b", w]\n",
        "bare.safetensors": call,
        "header.safetensors": safe_of(call),
    }


def _twice(name: str, first: bytes, second: bytes) -> bytes:
    """An archive with two members of one name: which of them is read depends on the reader."""
    other = name[:-1] + "m"
    data = zip_of(first, {other.removeprefix("archive/"): second})
    return data.replace(other.encode(), name.encode())


def _npz(canary: Path) -> bytes:
    file = io.BytesIO()
    np.savez(file, w=np.array([_Call(open, str(canary), "w")], object))
    return file.getvalue()


def _npy(canary: Path) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([_Call(open, str(canary), "w")], object))
    return file.getvalue()


def broken_files() -> dict[str, tuple[bytes, str]]:
    """Files that are no weights, with a word of the cause that must be told."""
    good = good_files()
    zipped, safe, legacy = good["plain.pth"], good["plain.safetensors"], good["legacy.pkl"]
    numbers = zipped.index(weights()["conv.bias"].numpy().tobytes())
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    eight = bytes(8)
    return {
        "empty.pth": (b"", "empty"),
        "one_byte.pth": (b"P", "neither"),
        "zeros.pth": (bytes(3000), "neither"),
        "noise.safetensors": (np.random.default_rng(0).bytes(3000), "far more than weights need|neither"),
        "lfs.safetensors": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132\n", "Git LFS"),
        "page.pth": (b"<!DOCTYPE html><html><title>404</title></html>", "web page"),
        "page_spaced.pth": (b"\n\n  <HTML><body>Sign in</body></html>", "web page"),
        "denied.pth": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML"),
        "answer.safetensors": (b'{"error":"not found"}', "JSON"),
        "photo.pth": (b"\x89PNG\r\n\x1a\n" + bytes(60), "picture"),
        "packed.pth": (b"\x1f\x8b\x08" + bytes(60), "compressed; unpack"),
        "archive.tar": (bytes(1).ljust(257, b"x") + b"ustar\x0000" + bytes(300), "tar archive"),
        "keras.h5": (b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5"),
        "empty_archive.pth": (b"PK\x05\x06" + bytes(18), "empty zip"),
        "cut_half.pth": (zipped[: len(zipped) // 2], "damaged"),
        "cut_end.pth": (zipped[:-10], "damaged"),
        "flipped_number.pth": (_flipped(zipped, numbers), "checksum of its member"),
        "flipped_description.pth": (_flipped(zipped, zipped.index(b"conv.bias")), "checksum of its member"),
        "compressed.pth": (_deflated(), "compressed"),
        "encrypted.pth": (_encrypted(zipped), "encrypted|damaged"),
        "no_description.pth": (zip_of(b"").replace(b"data.pkl", b"data/123"), "no description"),
        "missing_numbers.pth": (zip_of(tensor_pickle((2,), (1,), 2)), "missing"),
        "big_endian.pth": (zip_of(pickle.dumps({}, 2), {"byteorder": b"big"}), "order of bytes"),
        "cut_head.safetensors": (safe[:40], "cut short within its header"),
        "cut_numbers.safetensors": (safe[:-4], "cut short: the numbers"),
        "tail.safetensors": (safe + b"more", "hidden behind"),
        "no_json.safetensors": (safe_of(b'{"a": [1, 2'), "header cannot be read"),
        "list.safetensors": (safe_of(b"{}".replace(b"}", b"]")), "header cannot be read"),
        "gap.safetensors": (safe_of({"a": {**entry, "data_offsets": [4, 12]}}, bytes(12)), "where each tensor"),
        "overlap.safetensors": (safe_of({"a": entry, "b": entry}, eight), "where each tensor"),
        "too_short.safetensors": (safe_of({"a": {**entry, "shape": [3]}}, eight), "where each tensor"),
        "negative.safetensors": (safe_of({"a": {**entry, "shape": [-2, -1]}}, eight), "where each tensor"),
        "repeated.safetensors": (
            safe_of(json.dumps({"a": entry})[:-1].encode() + b"," + json.dumps({"a": entry})[1:].encode(), eight),
            "header cannot be read",
        ),
        "complex.safetensors": (safe_of({"a": {**entry, "dtype": "C64", "shape": [1]}}, eight), "type 'C64'"),
        "metadata.safetensors": (safe_of({"__metadata__": {"a": 1}, "a": entry}, eight), "metadata"),
        "nothing.safetensors": (safe_of({}), "no tensors"),
        "cut.pkl": (legacy[:-8], "cut short"),
        "cut_description.pkl": (legacy[:200], "damaged"),
        "tail.pkl": (legacy + b"more", "hidden behind"),
        "other_length.pkl": (
            legacy_of(tensor_pickle((2,), (1,), 2), keys=pickle.dumps(["0"], 2), numbers=struct.pack("<q", 3) + eight),
            "another length",
        ),
        "no_keys.pkl": (legacy_of(tensor_pickle((2,), (1,), 2)), "does not fit"),
        "other_system.pkl": (legacy_of(b"", system=pickle.dumps({"little_endian": 0}, 2)), "order of bytes"),
        "nan.pth": (saved(weights() | {"conv.bias": torch.full((4,), torch.nan)}), "'conv.bias' that are not finite"),
        "infinite.safetensors": (save({"a": torch.full((2,), torch.inf)}), "'a' that are not finite"),
        "nan_half.pth": (saved({"a": torch.full((2,), torch.nan, dtype=torch.bfloat16)}), "not finite"),
        "nan_legacy.pkl": (saved({"a": torch.full((2,), torch.nan)}, legacy=True), "not finite"),
        "no_weights.pth": (saved({"epoch": 3, "loss": [0.1, 0.2]}), "no dictionary of tensors"),
        "one_tensor.pth": (saved(torch.ones(3)), "no dictionary of tensors"),
        "numbers.pth": (saved([1, 2, 3]), "no dictionary of tensors"),
        "whole_network.pth": (saved(torch.nn.Conv2d(1, 1, 1)), "torch.nn.modules.conv.Conv2d"),
        "numpy_scalar.ckpt": (saved({"best": np.float64(3), "state_dict": weights()}), "numpy"),
    }  # fmt: skip


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _deflated() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"epoch": [0] * 1000}, 2))
    return file.getvalue()


def _encrypted(data: bytes) -> bytes:
    """The flag of encryption set in the list of contents."""
    place = data.index(b"PK\x01\x02") + 8
    return _flipped(data, place)


def bombs() -> dict[str, bytes]:
    """Files of at most 16 MB that would take gigabytes or minutes if what they say were believed."""
    return {
        "zip_bomb_3GB.pth": _zip_bomb(),
        "zip_claims_3GB.pth": _zip_claim(),
        "zip_members.pth": _many_members(60_000),
        "st_header_length.safetensors": struct.pack("<Q", 2**63) + b"{" + bytes(100),
        "st_header_100MB.safetensors": struct.pack("<Q", 100_000_000) + b"{" + bytes(1_000_000),
        "st_header_nested.safetensors": safe_of(b'{"a":' + b"[" * 900_000),
        "st_header_lists.safetensors": safe_of(b'{"a":[' + b"[]," * 690_000 + b"0]}"),
        "st_shape.safetensors": safe_of({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 0]}}),
        "pickle_huge_string.pth": zip_of(b"\x80\x02X\xff\xff\xff\x7f" + b"a" * 1000 + b"."),
        "pickle_huge_string8.pth": zip_of(b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"a."),
        "pickle_huge_bytes.pth": zip_of(b"\x80\x03B\xff\xff\xff\xff" + b"a."),
        "pickle_huge_memo.pth": zip_of(b"\x80\x02Nr\xff\xff\xff\x7f."),
        "pickle_16MB_of_lists.pth": zip_of(b"\x80\x02" + b"]" * (16 * 2**20 - 3) + b"."),
        "pickle_17MB.pth": zip_of(b"\x80\x02" + b"N0" * (8 * 2**20 + 2**19) + b"N."),
        "pickle_long_number.pth": zip_of(b"\x80\x02L" + b"9" * 5_000_000 + b"L\n."),
        "pickle_nest_as_key.pth": zip_of(b"\x80\x02}N" + b"q\x00h\x00\x86" * 60 + b"Ns."),
        "pickle_nest.pth": zip_of(b"\x80\x02N" + b"q\x00h\x00\x86" * 60 + b"."),
        "legacy_lists.ckpt": legacy_of(b"\x80\x02" + b"]" * (16 * 2**20)),
        "legacy_count.ckpt": legacy_of(
            tensor_pickle((2**39,), (1,), 2**39), keys=pickle.dumps(["0"], 2), numbers=struct.pack("<q", 2**39)
        ),
        "view_of_one_number.ckpt": legacy_of(
            tensor_pickle((2**20, 2**20), (0, 0), 1),
            keys=pickle.dumps(["0"], 2),
            numbers=struct.pack("<qf", 1, 1),
        ),
        "view_of_one_number.pth": zip_of(tensor_pickle((2**20, 2**20), (0, 0), 1), {"data/0": bytes(4)}),
        "same_view_often.pth": zip_of(
            tensor_pickle((250_000,), (1,), 250_000, times=5_000), {"data/0": bytes(1_000_000)}
        ),
    }


def _zip_bomb() -> bytes:
    """A deflated member that is 3 GB of zeros: one compressed piece, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    body = piece * 180 + packer.flush()
    return _member("archive/data.pkl", body, size=180 * 2**24, method=zipfile.ZIP_DEFLATED)


def _zip_claim() -> bytes:
    return _member("archive/data.pkl", b"\x80\x02N.", size=3 * 2**30, method=zipfile.ZIP_STORED)


def _member(name: str, body: bytes, *, size: int, method: int) -> bytes:
    """An archive with one member whose size and method need not be true."""
    sizes = struct.pack("<LLL", zlib.crc32(body), len(body), size)
    head = struct.pack("<HHHHH", 20, 0, method, 0, 0) + sizes + struct.pack("<HH", len(name), 0)
    local = b"PK\x03\x04" + head + name.encode() + body
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name.encode()
    return local + entry + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(entry), len(local), 0)


def _many_members(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02N.")
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"archive/data/{number}"), b"")
    return file.getvalue()
