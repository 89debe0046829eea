"""Who looks over the networks' shoulder: any method of the catalogue, the photo itself, or the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from unblur.errors import SettingsError
from unblur.images.tensors import crop_padding, pad_to_multiple
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Method, Restoration, Task
from unblur.methods.catalog import load_method

__all__ = ["CatalogTeacher", "Identity", "Oracle", "Teacher", "check_differentiable", "found_kernel", "load_teacher"]

_NETWORKS = ("dmphn", "mprnet", "nafnet")
"""Methods that are one network: what they answer has a gradient."""

Grey = Float[Tensor, "1 1 h w"]


class Teacher(Protocol):
    """Something that has an idea of the sharp photo.

    Attributes:
        name: For sentences and reports.
        is_differentiable: Whether the gradient of `look` reaches its argument.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - said above

    @property
    def is_differentiable(self) -> bool: ...  # noqa: D102 - said above

    def restore(self, blurry: Float[Tensor, "1 c h w"], task: Task) -> Restoration:
        """Its answer to the photo, asked for once; with the kernel, and `light` in the facts, where it finds them."""
        ...

    def look(self, image: Grey) -> Grey:
        """What it makes of any image, brightness in [0, 1]."""
        ...


@dataclass(frozen=True)
class CatalogTeacher:
    """A method of the catalogue.

    Attributes:
        name: Of the method.
        method: Ready to run; its weights are never changed.
    """

    name: str
    method: Method

    @property
    def is_differentiable(self) -> bool:
        """See `Teacher`."""
        return self.name in _NETWORKS

    def restore(self, blurry: Float[Tensor, "1 c h w"], task: Task) -> Restoration:
        """See `Teacher.restore`."""
        return restore_tensor(blurry, self.method, task)

    def look(self, image: Grey) -> Grey:
        """See `Teacher.look`; a network of three channels sees three times the same and answers with their mean."""
        check_differentiable(self)
        # Straight to the method, for the usual door takes no gradient; so what the method needs is done here.
        padded, padding = pad_to_multiple(image.expand(-1, 3, -1, -1), self.method.traits.size_multiple)
        return crop_padding(self.method.restore(padded, Task()).image, padding).mean(1, keepdim=True)


@dataclass(frozen=True)
class Identity:
    """Leaves the photo as it is: a control."""

    name: str = "identity"
    is_differentiable: bool = True

    def restore(self, blurry: Float[Tensor, "1 c h w"], task: Task) -> Restoration:
        """See `Teacher.restore`."""
        del task
        return Restoration(image=blurry)

    def look(self, image: Grey) -> Grey:
        """See `Teacher.look`."""
        return image


@dataclass(frozen=True)
class Oracle:
    """Knows the truth: a control that tells the most that supervision of the image can bring.

    Attributes:
        sharp: The truth, of the photo's shape.
        name: See `Teacher`.
        is_differentiable: See `Teacher`.
    """

    sharp: Float[Tensor, "1 c h w"]
    name: str = "oracle"
    is_differentiable: bool = False

    def restore(self, blurry: Float[Tensor, "1 c h w"], task: Task) -> Restoration:
        """See `Teacher.restore`."""
        del task
        return Restoration(image=self.sharp.to(blurry))

    def look(self, image: Grey) -> Grey:
        """It knows one photo only.

        Raises:
            SettingsError: Always.
        """
        check_differentiable(self)
        return image


def load_teacher(name: str, weights: str = "") -> Teacher:
    """The teacher of that name.

    Args:
        name: `identity`, or a name of the catalogue.
        weights: For a trained method, in place of its own.

    Raises:
        UnknownMethodError: No such method.
        CheckpointError: Weights that cannot be used.
    """
    return Identity() if name == "identity" else CatalogTeacher(name, load_method(name, weights=weights or None))


def found_kernel(answer: Restoration) -> bool:
    """Whether a teacher's answer tells the kernel and its light; an answer of `map` without them found no blur."""
    return answer.kernel is not None and "light" in answer.facts


def check_differentiable(teacher: Teacher) -> None:
    """Accept a teacher that can be learned through.

    Raises:
        SettingsError: It cannot.
    """
    if not teacher.is_differentiable:
        raise SettingsError(
            f"nothing can be learned through the teacher {teacher.name}, which has no gradient;"
            f" leave rec at 0 or take one of: {', '.join((*_NETWORKS, 'identity'))}"
        )
