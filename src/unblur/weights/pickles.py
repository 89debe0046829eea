"""Pickles of plain weights, read as data: an instruction either describes a value or is refused.

Python's own reader looks names up and calls what it finds, which is how a checkpoint runs code. Here names stay text,
the few functions that weights need are done by hand, and nothing is ever imported or called for a file.
"""

from __future__ import annotations

import pickletools
import struct
import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

from unblur.errors import CheckpointError
from unblur.system.text import quote
from unblur.weights.limits import LARGEST_LENGTH, LONGEST_NAME, MOST_DIMENSIONS, MOST_TENSORS

__all__ = ["Contents", "StorageNote", "TensorNote", "note_tensor", "read_pickle"]

_MOST_STEPS = 500_000
"""Weights of 10,000 tensors need half as many; more would only cost memory and time."""
_LARGEST_NUMBER = 2**256
"""States of random generators have 128 bits."""
_LARGEST_KEY = 2**63
"""Larger keys may share one hash by the thousand, and a dictionary would compare each with all others."""

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_WITHOUT_MEANING = {"PROTO", "FRAME"}


class _Mark:
    """Where a group of values begins on the stack."""


_MARK = _Mark()


@dataclass(frozen=True)
class _Name:
    """A module's attribute that the pickle names; never looked up."""

    name: str


_ADMITTED = {
    name: _Name(name)
    for name in (
        "collections.OrderedDict",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor_v2",
        *(f"torch.{name}" for name in _STORAGES),
    )
}


@dataclass(frozen=True)
class StorageNote:
    """A run of numbers kept outside the pickle.

    Attributes:
        key: Name of the storage in the file.
        dtype: Type of its numbers, as torch calls it.
        count: Number of numbers.
    """

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class TensorNote:
    """A tensor as the pickle describes it: a view of a storage that reaches neither outside it nor over it twice."""

    storage: StorageNote
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class Contents:
    """What a pickle describes.

    Attributes:
        value: Numbers, text, lists, tuples, dictionaries and `TensorNote`s.
        storages: Every storage that it names, by key.
    """

    value: Any
    storages: dict[str, StorageNote]


def read_pickle(file: BinaryIO) -> Contents:
    """The pickle that begins here.

    Each instruction takes a bounded time and memory: names and numbers are short, and items that an instruction takes
    from a list count as instructions.

    Args:
        file: File in memory, at the beginning of the pickle; left at its end.

    Raises:
        CheckpointError: It asks for anything else, is damaged, or has more than 500,000 instructions or 20,000 tensors.
    """
    machine = _Machine()
    try:
        return _run(machine, file)
    except (ValueError, TypeError, LookupError, OverflowError, struct.error):
        raise CheckpointError("is damaged: the description of its tensors cannot be read") from None


def _run(machine: _Machine, file: BinaryIO) -> Contents:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in texts that no Python writes
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                return Contents(machine.pop(), machine.storages)
            machine.count_steps(1)
            machine.do(opcode.name, argument)
    raise ValueError


class _Machine:
    """The stack and memo of one pickle; damage shows as `ValueError`, `TypeError` or `LookupError`."""

    def __init__(self) -> None:
        self.storages: dict[str, StorageNote] = {}
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._steps = self._tensors = 0

    def count_steps(self, number: int) -> None:
        """Add to the work that is done.

        Raises:
            CheckpointError: It is more than weights need.
        """
        self._steps += number
        if self._steps > _MOST_STEPS:
            raise CheckpointError(f"describes its contents in more than {_MOST_STEPS:,} steps, too many for weights")

    def do(self, step: str, argument: Any) -> None:
        """Carry out one instruction by its name in `pickletools`."""
        if step in _VALUES:
            if type(argument) is int and abs(argument) >= _LARGEST_NUMBER:
                raise ValueError
            self._stack.append(argument)
        elif step in _CONSTANTS:
            self._stack.append(_CONSTANTS[step])
        elif step in _EMPTY:
            self._stack.append(_EMPTY[step]())
        elif step in _TUPLES:
            self._stack.append(tuple(self._pop_many(_TUPLES[step])))
        elif step in _PUTS:
            self._memo[argument] = self._stack[-1]
        elif step in _GETS:
            self._stack.append(self._memo[argument])
        elif step not in _WITHOUT_MEANING:
            self._do_other(step, argument)

    def _do_other(self, step: str, argument: Any) -> None:  # noqa: PLR0912 - a case for each instruction
        match step:
            case "MARK":
                self._stack.append(_MARK)
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._stack[-1]
            case "TUPLE":
                self._stack.append(tuple(self._pop_to_mark()))
            case "LIST":
                self._stack.append(self._pop_to_mark())
            case "DICT":
                self._stack.append(_fill({}, self._pop_to_mark()))
            case "APPEND":
                self._extend([self.pop()])
            case "APPENDS":
                self._extend(self._pop_to_mark())
            case "SETITEM":
                self._update(self._pop_many(2))
            case "SETITEMS":
                self._update(self._pop_to_mark())
            case "GLOBAL":
                self._stack.append(_admit(argument.replace(" ", ".", 1)))
            case "STACK_GLOBAL":
                self._stack.append(_admit(".".join(self._pop_many(2))))
            case "BINPERSID":
                self._stack.append(self._remember(_note_storage(self.pop())))
            case "REDUCE":
                self._stack.append(self._make(*self._pop_many(2)))
            case "BUILD":
                self._build()
            case _:
                raise CheckpointError(f"has the pickle instruction {step}, which weights do not need; it is refused")

    def pop(self) -> Any:
        """The topmost value."""
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError
        return value

    def _pop_many(self, count: int) -> list[Any]:
        return [self.pop() for _ in range(count)][::-1]

    def _pop_to_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _extend(self, values: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise TypeError
        self._stack[-1].extend(values)

    def _update(self, values: list[Any]) -> None:
        if type(self._stack[-1]) is not dict:
            raise TypeError
        _fill(self._stack[-1], values)

    def _remember(self, storage: StorageNote) -> StorageNote:
        known = self.storages.setdefault(storage.key, storage)
        if known != storage or len(self.storages) > MOST_TENSORS:
            raise ValueError
        return known

    def _make(self, function: Any, arguments: Any) -> Any:
        """What the three functions that weights need would return."""
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise TypeError
        match function.name:
            case "collections.OrderedDict":
                return self._order(*arguments)
            case "torch._utils._rebuild_tensor_v2":
                self._tensors += 1
                if self._tensors > MOST_TENSORS:
                    raise CheckpointError(f"has more than {MOST_TENSORS:,} tensors, too many for weights")
                return note_tensor(*arguments[:4])
            case "torch._utils._rebuild_parameter" if isinstance(arguments[0], TensorNote):
                return arguments[0]
            case _:
                raise TypeError

    def _order(self, pairs: Any = ()) -> dict[Any, Any]:
        """An ordered dictionary of pairs, each a tuple or, from Python 2, a list."""
        if not isinstance(pairs, list | tuple):
            raise TypeError
        self.count_steps(len(pairs))
        if any(not isinstance(pair, list | tuple) or len(pair) != 2 for pair in pairs):
            raise TypeError
        return _fill({}, [part for pair in pairs for part in pair])

    def _build(self) -> None:
        """Attributes of an ordered dictionary, where torch keeps the versions of layers; nobody needs them."""
        if not isinstance(self.pop(), dict) or type(self._stack[-1]) is not dict:
            raise CheckpointError("sets attributes of an object, which weights do not need; it is refused")


def _admit(name: str) -> _Name:
    if name not in _ADMITTED:
        raise CheckpointError(
            f"asks for {quote(name)}, which is no part of plain weights; nothing in a checkpoint is run, "
            "so it is refused"
        )
    return _ADMITTED[name]


def _fill(target: dict[Any, Any], values: list[Any]) -> dict[Any, Any]:
    for key, value in zip(values[::2], values[1::2], strict=True):
        target[_key(key)] = value
    return target


def _key(value: Any) -> Any:
    """A key whose hash and comparison cost little: a nest of tuples, or a text of megabytes, would take for ever."""
    if isinstance(value, str):
        return _text(value)
    if value is not None and not (isinstance(value, int) and abs(value) < _LARGEST_KEY):
        raise TypeError
    return value


def _note_storage(parts: Any) -> StorageNote:
    """From `("storage", kind, key, device, count)`; the old format has one more part, for views, which is None."""
    match parts:
        case ("storage", _Name() as kind, key, _, count) | ("storage", _Name() as kind, key, _, count, None):
            return StorageNote(_text(key), _STORAGES[kind.name.removeprefix("torch.")], _count(count))
        case _:
            raise ValueError


def note_tensor(storage: Any, offset: Any, shape: Any, stride: Any) -> TensorNote:
    """The note of a tensor, whichever instruction describes it.

    Raises:
        TypeError, ValueError: The parts are no note.
        CheckpointError: The tensor reaches outside its storage.
    """
    if not isinstance(storage, StorageNote) or not isinstance(shape, tuple) or not isinstance(stride, tuple):
        raise TypeError
    if len(shape) > MOST_DIMENSIONS or len(stride) != len(shape):
        raise ValueError
    note = TensorNote(storage, _count(offset), tuple(map(_count, shape)), tuple(map(_count, stride)))
    last, size = note.offset, 1
    for length, step in zip(note.shape, note.stride, strict=True):
        last += (length - 1) * step
        size *= length
    if size > storage.count or (size and last >= storage.count):
        raise CheckpointError("is damaged: a tensor is described as larger than the numbers that are stored for it")
    return note


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST_LENGTH:
        raise ValueError
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > LONGEST_NAME:
        raise TypeError
    return value
