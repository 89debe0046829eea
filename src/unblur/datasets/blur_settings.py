"""Settings of synthetic blur; nothing here imports torch.

Each kind of blur has a settings class of its own. Values are drawn uniformly from ranges, for each photo.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from unblur.errors import SettingsError

__all__ = [
    "KINDS",
    "LEARNED",
    "DefocusBlur",
    "DynamicBlur",
    "FrameAverage",
    "GaussianBlur",
    "LearnedBlur",
    "LinearBlur",
    "MotionFieldBlur",
    "Sensor",
    "ShakeBlur",
    "Synthesis",
    "find_kind",
    "kind_of",
]

Encoding = Literal["linear", "encoded"]


@dataclass(frozen=True)
class LinearBlur:
    """Straight motion, the same everywhere."""

    kernel_size: Annotated[int, "Side of the kernel in pixels, odd."] = 31
    length_min: Annotated[float, "Shortest motion in pixels."] = 5.0
    length_max: Annotated[float, "Longest motion in pixels."] = 20.0
    angle_min: Annotated[float, "Direction of the motion in degrees, counter-clockwise from the right: from."] = 0.0
    angle_max: Annotated[float, "Direction of the motion: to."] = 180.0
    offset: Annotated[float, "Largest distance of the kernel's middle from its centre, along each axis, pixels."] = 0.0

    def __post_init__(self) -> None:
        _check_odd("kernel_size", self.kernel_size)
        _check_range("length", self.length_min, self.length_max, least=1)
        _check_range("angle", self.angle_min, self.angle_max, least=-360)
        _check_fit(self.kernel_size, self.length_max + 2 * self.offset, "length_max and offset")


@dataclass(frozen=True)
class ShakeBlur:
    """Camera shake, the same everywhere: a random path with inertia and jerks, or a measured one."""

    kernel_size: Annotated[int, "Side of the kernel in pixels, odd; longer paths are shrunk."] = 31
    length_min: Annotated[float, "Shortest way along the path in pixels; 0: a quarter of the kernel's side."] = 0.0
    length_max: Annotated[float, "Longest way along the path in pixels; 0: 1.5 times the kernel's side."] = 0.0
    gyro: Annotated[str, "Recording of a gyroscope (.npz) to cut exposures from; empty: random paths."] = ""
    exposure_min: Annotated[float, "Shortest exposure cut from a recording, seconds."] = 1 / 30
    exposure_max: Annotated[float, "Longest exposure cut from a recording, seconds."] = 1 / 4
    focal_length: Annotated[float, "Focal length in pixels: how far a measured angle moves the image."] = 1000.0

    def __post_init__(self) -> None:
        _check_odd("kernel_size", self.kernel_size)
        _check_range("exposure", self.exposure_min, self.exposure_max, least=1e-6)
        if self.length_min and self.length_max:
            _check_range("length", self.length_min, self.length_max, least=0)


@dataclass(frozen=True)
class DefocusBlur:
    """A disk of uniform light."""

    kernel_size: Annotated[int, "Side of the kernel in pixels, odd."] = 31
    radius_min: Annotated[float, "Smallest radius in pixels."] = 1.0
    radius_max: Annotated[float, "Largest radius in pixels."] = 8.0

    def __post_init__(self) -> None:
        _check_odd("kernel_size", self.kernel_size)
        _check_range("radius", self.radius_min, self.radius_max, least=0)
        _check_fit(self.kernel_size, 2 * self.radius_max + 1, "radius_max")


@dataclass(frozen=True)
class GaussianBlur:
    """A Gaussian, round or longer in one direction."""

    kernel_size: Annotated[int, "Side of the kernel in pixels, odd."] = 31
    sigma_min: Annotated[float, "Smallest standard deviation in pixels."] = 0.5
    sigma_max: Annotated[float, "Largest standard deviation in pixels."] = 4.0
    round: Annotated[bool, "The same standard deviation in all directions."] = True

    def __post_init__(self) -> None:
        _check_odd("kernel_size", self.kernel_size)
        _check_range("sigma", self.sigma_min, self.sigma_max, least=1e-3)


@dataclass(frozen=True)
class MotionFieldBlur:
    """Straight motion that varies smoothly over the photo, after Gong et al. 2017."""

    strength: Annotated[Literal["strong", "mild"], "Limits of the random motion."] = "strong"


@dataclass(frozen=True)
class DynamicBlur:
    """Objects that move by themselves in front of a scene that shakes."""

    segmentations: Annotated[str, "Folder with NAME.npz label maps of the photos; empty: random smooth shapes."] = ""
    objects: Annotated[int, "Moving objects."] = 2
    length_min: Annotated[float, "Shortest way of an object over the exposure, pixels."] = 5.0
    length_max: Annotated[float, "Longest way of an object over the exposure, pixels."] = 30.0
    turn: Annotated[float, "Largest turn of an object over the exposure, degrees."] = 5.0
    shake: Annotated[float, "Way of the camera over the exposure, pixels; 0: a tripod."] = 6.0
    steps: Annotated[int, "Moments that the exposure is summed from, odd."] = 33

    def __post_init__(self) -> None:
        _check_odd("steps", self.steps)
        _check_range("length", self.length_min, self.length_max, least=0)
        if self.objects < 0 or self.shake < 0:
            raise SettingsError("objects and shake are 0 or more")


@dataclass(frozen=True)
class FrameAverage:
    """Consecutive frames of a sequence added up, as GoPro was made; the sharp photo is the middle frame."""

    count: Annotated[int, "Frames in one exposure."] = 8
    stride: Annotated[int, "Frames from one exposure to the next; 0: as many as in an exposure."] = 0
    curve: Annotated[Literal["gamma", "srgb", "none"], "How stored values become light before they are added up."] = (
        "gamma"
    )
    gamma: Annotated[float, "Exponent of the curve `gamma`."] = 2.2

    def __post_init__(self) -> None:
        if self.count < 1 or self.stride < 0 or self.gamma <= 0:
            raise SettingsError("count is 1 or more, stride is 0 or more, and gamma is above 0")


@dataclass(frozen=True)
class LearnedBlur:
    """The blur of a pair, estimated and transferred to other photos by trained networks, or sampled from them."""

    weights: Annotated[str, "Weights of the networks: a file or a name."]
    blurry: Annotated[str, "Blurry photo of the pair; empty: the blur is sampled."] = ""
    sharp: Annotated[str, "Sharp photo of the pair."] = ""


KINDS: dict[str, type[Any]] = {
    "linear": LinearBlur,
    "shake": ShakeBlur,
    "defocus": DefocusBlur,
    "gaussian": GaussianBlur,
    "motion-field": MotionFieldBlur,
    "dynamic": DynamicBlur,
    "frames": FrameAverage,
}
"""Settings classes of the kinds of blur by name, except learned blur, which needs networks."""

LEARNED = "learned"
"""The kind of blur of `LearnedBlur`."""


def find_kind(name: str) -> type[Any]:
    """The settings class of a kind of blur.

    Raises:
        SettingsError: There is no such kind; the message lists them.
    """
    if name not in KINDS:
        raise SettingsError(f"there is no kind of blur named {name!r}; choose one of: {', '.join(KINDS)}")
    return KINDS[name]


def kind_of(blur: Any) -> str:
    """The name of the kind of blur that settings belong to."""
    if isinstance(blur, LearnedBlur):
        return LEARNED
    return next(name for name, settings in KINDS.items() if isinstance(blur, settings))


@dataclass(frozen=True)
class Sensor:
    """What happens to an image after the blur, in this order.

    Attributes:
        gain: Amplification of blurry and sharp image before both are clipped, as full wells clip highlights.
        photons: Number of photons at full intensity, for Poisson noise; 0: none.
        noise_sigma: Standard deviation of Gaussian noise on the [0, 1] scale, in the encoding of the blur.
        jpeg_quality: Quality of a JPEG that the blurry image is stored in, 1 to 100; 0: none.
    """

    gain: float = 1.0
    photons: float = 0.0
    noise_sigma: float = 0.0
    jpeg_quality: int = 0

    def __post_init__(self) -> None:
        if self.gain <= 0 or self.photons < 0 or self.noise_sigma < 0 or not 0 <= self.jpeg_quality <= 100:
            raise SettingsError(
                "gain is above 0, photons and noise are 0 or more, and JPEG quality is from 1 to 100 (0: none)"
            )


@dataclass(frozen=True)
class Synthesis:
    """How a pair is made of a photo; with a seed, it decides every pixel.

    Attributes:
        blur: Settings of one of `KINDS`.
        sensor: What follows the blur.
        encoding: Where the blur takes place: `"linear"` in linear light, as in cameras; `"encoded"` on stored values,
            as in classical test sets.
        size: Side of the pair in pixels, cut from a random place; None: the whole photo, less what the blur draws from
            outside. A photo that is too small is continued by its mirror image.
    """

    blur: Any
    sensor: Sensor = field(default_factory=Sensor)
    encoding: Encoding = "linear"
    size: int | None = None


def _check_odd(name: str, value: int) -> None:
    if value < 1 or value % 2 == 0:
        raise SettingsError(f"{name} is an odd number, so that there is a middle; not {value}")


def _check_range(name: str, lowest: float, highest: float, *, least: float) -> None:
    if not least <= lowest <= highest:
        raise SettingsError(f"{name}_min is {least:g} or more and not above {name}_max; got {lowest:g} and {highest:g}")


def _check_fit(kernel_size: int, extent: float, names: str) -> None:
    if extent > kernel_size:
        raise SettingsError(
            f"a kernel of {kernel_size} pixels is too small for a blur of {extent:g}; change kernel_size or {names}"
        )
