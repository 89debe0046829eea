"""What a caller asks for one photo, defined once: Python, command line, resume, reports and forms derive from it.

Nothing here imports NumPy or torch before a kernel is given.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeGuard, get_args, get_type_hints

from unblur.errors import KernelError, RegionError, UnblurError, UsageError
from unblur.methods.catalog import refiner_names
from unblur.solvers.names import SOLVER_NAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from unblur.images.large import LargePhoto

__all__ = [
    "BlurEncoding",
    "Effort",
    "Encoding",
    "Engine",
    "Option",
    "Region",
    "RestoreOptions",
    "check_burst",
    "check_fit",
    "describe_options",
    "parse_region",
]

BlurEncoding = Literal["encoded", "linear"]
"""Where a blur takes place: on sRGB-encoded values (many test sets), or in linear light (cameras)."""
Encoding = Literal["auto", BlurEncoding]
"""Where the blur took place, or auto: as estimated."""
Effort = Literal["fast", "normal", "best"]
"""How long a method that can choose may take."""
Engine = Literal["torch", "onnx"]
"""What computes a network: PyTorch, or ONNX Runtime on the processor."""

_SMALLEST_TILE = 32
_ARRAYS = ("kernel", "mask")
"""Options that are arrays, which do not compare as a whole."""


class Region(NamedTuple):
    """A rectangle of the photo in pixels, upright, from the top left corner."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        """As the command line takes it."""
        return f"{self.x},{self.y},{self.width},{self.height}"

    def within(self, outer: Region) -> Region:
        """The same rectangle, counted from the top left corner of another one that holds it.

        Raises:
            RegionError: The other one does not hold it.
        """
        x, y = self.x - outer.x, self.y - outer.y
        if x < 0 or y < 0 or x + self.width > outer.width or y + self.height > outer.height:
            raise RegionError(f"the region {self} reaches outside the part that is restored, which is {outer}")
        return Region(x, y, self.width, self.height)

    def overlap(self, outer: Region) -> Region | None:
        """What lies in another rectangle, counted from its top left corner; None: nothing."""
        left, top = max(self.x, outer.x), max(self.y, outer.y)
        right = min(self.x + self.width, outer.x + outer.width)
        bottom = min(self.y + self.height, outer.y + outer.height)
        if right <= left or bottom <= top:
            return None
        return Region(left - outer.x, top - outer.y, right - left, bottom - top)


@dataclass(frozen=True)
class Option:
    """How one field of `RestoreOptions` is shown outside of Python.

    Attributes:
        help: One sentence.
        metavar: What stands for the value.
        group: Heading under which forms and help show it.
        decides_pixels: False: another value gives the same image.
        for_all: Every method heeds it, because the entry point itself does.
    """

    help: str
    metavar: str
    group: str = ""
    decides_pixels: bool = True
    for_all: bool = False


_BLUR, _RUN = "What is known of the blur", "How it runs"


@dataclass(frozen=True)
class RestoreOptions:
    """What a caller asks for one photo. A method declares in `Traits.uses` which of these it uses.

    Attributes:
        kernel: The blur, if it is known. A file, an array or a tensor is taken and becomes an array `(kH, kW)` of odd
            sizes, non-negative, sum 1.
        kernel_size: Largest extent of the blur in pixels, odd; None: it is estimated.
        region: Where to look for the blur; None: the method chooses.
        only_region: Restore this rectangle alone, and estimate the blur from it; all other pixels stay as they are.
        mask: Restore the marked pixels alone, as with `only_region`; with both, what lies in both. A file (white is
            restored), an array or a tensor is taken and becomes an array of booleans `(H, W)` of the photo's size.
        encoding: Where the blur took place.
        strength: 1 is the method's own answer, 0 the photo, between them a mixture.
        solver: Known-kernel solver of methods that find a kernel; None: the method's own.
        refine: Learned prior that improves the answer of methods that find a kernel; None: none.
        effort: How long `auto` may search.
        force: `auto` gives its best answer even where it expects that it does harm.
        seed: Seed of methods that draw random numbers.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        tile: Side of tiles in pixels, of methods that work in tiles; None: the method's own.
        engine: What computes the network of a method that is one network.

    Raises:
        UsageError: A value that cannot be; the message names the option.
    """

    kernel: Annotated[
        Any, Option("The blur kernel, if you know it: a picture (bright path on black) or .npy.", "FILE", _BLUR)
    ] = None
    kernel_size: Annotated[
        int | None, Option("Largest extent of the blur in pixels, odd. Default: estimated.", "N", _BLUR)
    ] = None
    region: Annotated[
        Region | None, Option("Where to look for the blur, in pixels. Default: chosen.", "X,Y,W,H", _BLUR)
    ] = None
    only_region: Annotated[
        Region | None,
        Option("Restore this part alone, blurred by itself; the rest stays as it is.", "X,Y,W,H", for_all=True),
    ] = None
    mask: Annotated[
        Any,
        Option(
            "Restore what is white in this picture of the photo's size; the rest stays as it is.", "FILE", for_all=True
        ),
    ] = None
    encoding: Annotated[
        Encoding,
        Option(
            "Where the blur took place: auto, linear (light, as in cameras) or encoded (values as stored).",
            "NAME",
            _BLUR,
        ),
    ] = "auto"
    strength: Annotated[
        float, Option("From 0, the photo as it is, to 1, the method's full answer.", "0..1", for_all=True)
    ] = 1.0
    solver: Annotated[
        str | None,
        Option(f"Solver, for methods that find a kernel: {', '.join(SOLVER_NAMES)}. Default: the method's.", "NAME"),
    ] = None
    refine: Annotated[
        str | None, Option("Learned prior that improves the image of methods that find a kernel, such as golf.", "NAME")
    ] = None
    effort: Annotated[Effort, Option("How long auto may search: fast, normal or best.", "NAME", _RUN)] = "normal"
    force: Annotated[
        bool, Option("auto gives its best answer, unmixed with the photo, even where it expects harm.", "", _RUN)
    ] = False
    seed: Annotated[int, Option("For methods that draw random numbers.", "N", _RUN)] = 0
    device: Annotated[
        str, Option("auto, cpu, cuda, cuda:N or mps.", "NAME", _RUN, decides_pixels=False, for_all=True)
    ] = "auto"
    tile: Annotated[int | None, Option("Side of tiles in pixels, for methods that use them.", "N", _RUN)] = None
    engine: Annotated[
        Engine, Option("What computes the network: torch, or onnx (ONNX Runtime, on the processor).", "NAME", _RUN)
    ] = "torch"

    def __post_init__(self) -> None:
        if self.kernel is not None:
            object.__setattr__(self, "kernel", _read_kernel(self.kernel))
        if self.mask is not None:
            object.__setattr__(self, "mask", _read_mask(self.mask))
        for name in ("region", "only_region"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _check_region(getattr(self, name)))
        if self.kernel_size is not None and (self.kernel_size < 1 or self.kernel_size % 2 == 0):
            raise UsageError(f"the kernel size is an odd number of pixels, such as 25, not {self.kernel_size}")
        if not 0 <= self.strength <= 1:
            raise UsageError(f"the strength is from 0 (the photo as it is) to 1 (full), not {self.strength:g}")
        if self.encoding not in get_args(Encoding):
            raise UsageError(f"encoding is one of {', '.join(get_args(Encoding))}, not {self.encoding!r}")
        if self.effort not in get_args(Effort):
            raise UsageError(f"effort is one of {', '.join(get_args(Effort))}, not {self.effort!r}")
        if self.engine not in get_args(Engine):
            raise UsageError(f"engine is one of {', '.join(get_args(Engine))}, not {self.engine!r}")
        if self.tile is not None and self.tile < _SMALLEST_TILE:
            raise UsageError(f"a tile has a side of at least {_SMALLEST_TILE} pixels, not {self.tile}")
        _check_parts(self.solver, self.refine)

    def __eq__(self, other: object) -> bool:
        """Whether all options are the same, kernels value by value."""
        same = isinstance(other, RestoreOptions)
        return same and self.as_plain() == other.as_plain() and self.device == other.device

    def __hash__(self) -> int:
        """Equal options have equal hashes."""
        return hash(json.dumps(self.as_plain(), sort_keys=True))

    def given(self) -> Iterator[str]:
        """Names of the options that differ from their defaults."""
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in _ARRAYS:
                value = None if value is None else True
            if value != item.default:
                yield item.name

    @property
    def names_part(self) -> bool:
        """Whether only a part of the photo is to be restored."""
        return self.only_region is not None or self.mask is not None

    def kernel_for(self, image: Tensor | LargePhoto) -> Tensor | None:
        """The known kernel `(1, 1, kH, kW)` on the device and in the type of an image."""
        if self.kernel is None:
            return None
        import torch  # noqa: PLC0415 - whoever has an image has loaded it already

        return torch.from_numpy(self.kernel.copy())[None, None].to(image.device, image.dtype)

    def limited_to(self, uses: frozenset[str]) -> RestoreOptions:
        """The same without the options that a method does not use: for callers that offer more than each one needs."""
        described = describe_options()
        unused = {item.name: item.default for item in fields(self) if item.name not in uses}
        return replace(self, **{name: value for name, value in unused.items() if not described[name].for_all})

    def for_teacher(self) -> RestoreOptions:
        """The same for a method that restores a part of the photo first: its own full answer, by its own solver."""
        return replace(self, region=None, mask=None, strength=1.0, solver=None, refine=None)

    def as_plain(self) -> dict[str, Any]:
        """All that decides the pixels, as values that JSON can hold; a kernel by its checksum."""
        described = describe_options()
        plain = {item.name: getattr(self, item.name) for item in fields(self) if described[item.name].decides_pixels}
        if self.kernel is not None:
            plain["kernel"] = sha256(self.kernel.tobytes()).hexdigest()
        if self.mask is not None:
            plain["mask"] = sha256(repr(self.mask.shape).encode() + self.mask.tobytes()).hexdigest()
        for name in ("region", "only_region"):
            if plain[name] is not None:
                plain[name] = list(plain[name])
        return plain


def describe_options() -> dict[str, Option]:
    """Each field of `RestoreOptions` with the way it is shown."""
    hints = get_type_hints(RestoreOptions, globalns={**globals()}, include_extras=True)
    return {item.name: hints[item.name].__metadata__[0] for item in fields(RestoreOptions)}


def parse_region(text: str) -> Region:
    """`X,Y,W,H` as a region.

    Raises:
        RegionError: Not four whole numbers.
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise RegionError(f"a region is four whole numbers X,Y,W,H, not {text!r}") from None
    return Region(x, y, width, height)


def check_burst(options: RestoreOptions) -> None:
    """Refuse what several photos that become one cannot be asked for.

    Raises:
        UsageError: A part of the photo is named.
    """
    if options.names_part:
        raise UsageError("a burst is restored as a whole; leave only-region and mask out")


def check_fit(options: RestoreOptions, height: int, width: int) -> None:
    """Refuse what is impossible for a photo of this size.

    Raises:
        RegionError: A region reaches outside it, or the mask has another size.
        KernelError: The kernel, or its stated size, is larger than it.
    """
    for region in (options.region, options.only_region):
        if region is not None and (region.x + region.width > width or region.y + region.height > height):
            raise RegionError(f"the region {region} reaches outside the photo, which has {width}x{height} pixels")
    if options.mask is not None and options.mask.shape != (height, width):
        size = f"{options.mask.shape[1]}x{options.mask.shape[0]}"
        raise RegionError(f"the mask has {size} pixels and the photo {width}x{height}; they must be of one size")
    if options.kernel is not None and (options.kernel.shape[-2] > height or options.kernel.shape[-1] > width):
        size = f"{options.kernel.shape[-1]}x{options.kernel.shape[-2]}"
        raise KernelError(f"the kernel ({size} pixels) is larger than the photo ({width}x{height})")
    if options.kernel_size is not None and options.kernel_size > max(height, width):
        raise KernelError(
            f"the kernel size {options.kernel_size} is larger than the photo, which has {width}x{height} pixels"
        )


def _check_region(region: Region | tuple[int, int, int, int]) -> Region:
    if len(region) != 4:
        raise RegionError(f"a region is four numbers, X,Y,WIDTH,HEIGHT, not {len(region)}")
    checked = Region(*region)
    if checked.x < 0 or checked.y < 0 or checked.width < 1 or checked.height < 1:
        raise RegionError(f"the region {checked} is empty or begins outside the photo")
    return checked


def _check_parts(solver: str | None, refiner: str | None) -> None:
    if solver is not None and solver not in SOLVER_NAMES:
        raise UsageError(f"there is no solver {solver!r}; choose one of: {', '.join(SOLVER_NAMES)}")
    if refiner is not None and refiner not in refiner_names():
        raise UsageError(f"there is no refiner {refiner!r}; choose one of: {', '.join(refiner_names())}")


def _read_kernel(kernel: Any) -> NDArray[np.float32]:
    """A file, an array or a tensor as a checked array; one that was checked before stays as it is."""
    import numpy as np  # noqa: PLC0415 - help and lists do without it

    from unblur.images.kernels import normalise_kernel, read_kernel  # noqa: PLC0415 - as above

    if isinstance(kernel, str | os.PathLike):
        try:
            return read_kernel(kernel)
        except UnblurError as error:
            raise KernelError(f"the kernel {os.fspath(kernel)!s}: {error}") from error
    if _is_tensor(kernel):
        kernel = kernel.detach().cpu().numpy()
    if not isinstance(kernel, np.ndarray):
        raise TypeError(f"kernel is a {type(kernel).__name__}; a path, an array or a tensor was expected")
    if kernel.ndim > 2 and kernel.size == np.prod(kernel.shape[-2:]):
        kernel = kernel.reshape(kernel.shape[-2:])
    if _is_checked(kernel):
        return kernel
    return normalise_kernel(kernel)


def _read_mask(mask: Any) -> NDArray[np.bool_]:
    """A file, an array or a tensor as an array of booleans."""
    import numpy as np  # noqa: PLC0415 - help and lists do without it

    from unblur.images.masks import as_mask, read_mask  # noqa: PLC0415 - as above

    if isinstance(mask, str | os.PathLike):
        try:
            return read_mask(mask)
        except UnblurError as error:
            raise RegionError(f"the mask {os.fspath(mask)!s}: {error}") from error
    if _is_tensor(mask):
        mask = mask.detach().cpu().numpy()
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"mask is a {type(mask).__name__}; a path, an array or a tensor was expected")
    return as_mask(mask)


def _is_checked(kernel: NDArray[Any]) -> bool:
    """Whether dividing by the sum again would only round."""
    odd = kernel.ndim == 2 and all(side % 2 for side in kernel.shape)
    return odd and kernel.dtype == "float32" and bool((kernel >= 0).all()) and abs(float(kernel.sum()) - 1) < 1e-5


def _is_tensor(value: object) -> TypeGuard[Tensor]:
    """Whether it is a torch tensor; if torch was never imported, it is none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)
