"""Teachers that guide a fit to one photo: a method of the catalogue, the photo itself, or the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jaxtyping import Float
from torch import Tensor

from unblur.errors import SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Method, Restoration, StepHook, ignore_step
from unblur.methods.catalog import find_entry, list_entries
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.methods.pipeline import pass_through

__all__ = ["CatalogTeacher", "Identity", "Oracle", "Teacher", "check_differentiable", "found_kernel", "load_teacher"]

Grey = Float[Tensor, "1 1 h w"]


class Teacher(Protocol):
    """Something that restores photos.

    Attributes:
        name: Name in sentences and reports.
        is_differentiable: Whether the gradient of `apply` reaches its argument.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - said above

    @property
    def is_differentiable(self) -> bool: ...  # noqa: D102 - said above

    def restore(
        self, blurry: Float[Tensor, "1 c h w"], options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Tensor]:
        """Its answer to the photo, with the kernel, and `encoding` in the facts, where it finds them."""
        ...

    def apply(self, image: Grey) -> Grey:
        """Its answer to any image, brightness in [0, 1]; not clamped, with a gradient where it has one."""
        ...


@dataclass(frozen=True)
class CatalogTeacher:
    """A method of the catalogue.

    Attributes:
        name: Name of the method.
        method: Ready to run; its weights are never changed.
    """

    name: str
    method: Method

    @property
    def is_differentiable(self) -> bool:
        """See `Teacher`."""
        return find_entry(self.name).is_differentiable

    def restore(
        self, blurry: Float[Tensor, "1 c h w"], options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Tensor]:
        """See `Teacher.restore`."""
        return restore_tensor(blurry, self.method, options, on_step)

    def apply(self, image: Grey) -> Grey:
        """See `Teacher.apply`."""
        check_differentiable(self)
        return pass_through(image, self.method, RestoreOptions()).image


@dataclass(frozen=True)
class Identity:
    """Returns the photo as it is: a control."""

    name: str = "identity"
    is_differentiable: bool = True

    def restore(
        self, blurry: Float[Tensor, "1 c h w"], options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Tensor]:
        """See `Teacher.restore`."""
        del options, on_step
        return Restoration(image=blurry)

    def apply(self, image: Grey) -> Grey:
        """See `Teacher.apply`."""
        return image


@dataclass(frozen=True)
class Oracle:
    """Returns the truth: a control that shows the most that supervision of the image can bring.

    Attributes:
        sharp: The truth, of the photo's shape.
        name: See `Teacher`.
        is_differentiable: See `Teacher`.
    """

    sharp: Float[Tensor, "1 c h w"]
    name: str = "oracle"
    is_differentiable: bool = False

    def restore(
        self, blurry: Float[Tensor, "1 c h w"], options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Tensor]:
        """See `Teacher.restore`."""
        del options, on_step
        return Restoration(image=self.sharp.to(blurry))

    def apply(self, image: Grey) -> Grey:
        """Fails: the true image is known for one photo only.

        Raises:
            SettingsError: Always.
        """
        check_differentiable(self)
        return image


def load_teacher(name: str, weights: str = "", settings: Mapping[str, Any] | None = None) -> Teacher:
    """The teacher of that name.

    Args:
        name: `identity`, or a name of the catalogue.
        weights: Weights of a trained method, in place of its own.
        settings: Of a method, by name; what is not named keeps its default.

    Raises:
        UnknownMethodError: No such method.
        CheckpointError: Weights that cannot be used.
    """
    return Identity() if name == "identity" else CatalogTeacher(name, load_method(name, settings, weights or None))


def found_kernel(answer: Restoration[Tensor]) -> bool:
    """Whether a teacher's answer has the kernel and its encoding; an answer of `map` without them found no blur."""
    return answer.kernel is not None and "encoding" in answer.facts


def check_differentiable(teacher: Teacher) -> None:
    """Accept a teacher that can be learned through.

    Raises:
        SettingsError: It cannot.
    """
    if not teacher.is_differentiable:
        networks = [name for name, entry in list_entries().items() if entry.is_differentiable]
        raise SettingsError(
            f"nothing can be learned through the teacher {teacher.name}, which has no gradient;"
            f" leave rec at 0 or take one of: {', '.join((*networks, 'identity'))}"
        )
