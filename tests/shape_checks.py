"""Called by the import hook of jaxtyping for each function of the package: checks shapes; pyright checks the rest."""

from collections.abc import Callable
from inspect import isclass
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray

__all__ = ["check_shapes"]


def check_shapes(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with checks of the arguments and answers that have a shape in their annotation."""
    shaped = {name: hint for name, hint in function.__annotations__.items() if _has_shape(hint)}
    if not shaped:
        return function
    function.__annotations__ = shaped
    return beartype(function)


def _has_shape(hint: object) -> bool:
    return (isclass(hint) and issubclass(hint, AbstractArray)) or any(_has_shape(part) for part in get_args(hint))
