"""Checks the shapes that annotations of the package state, whenever its functions are called in a test.

The import hook of jaxtyping wraps every function and checks every call: small problems of many steps take three times
as long. This one wraps the functions that have a shape in their annotations, and checks the first calls of each in each
test. Other types are left to pyright.
"""

import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import FunctionType, ModuleType
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray, jaxtyped

__all__ = ["check_module", "forget_calls", "install"]

CALLS = 3
"""So many calls of each function are checked in each test."""

_calls: Counter[FunctionType] = Counter()


def install(package: str) -> None:
    """Check the modules of a package that are imported from now on."""
    sys.meta_path.insert(0, _Finder(package))


def forget_calls() -> None:
    """A test begins: its first calls are checked."""
    _calls.clear()


class _Finder(PathFinder):
    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if fullname.partition(".")[0] != self._package:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        check_module(module)


def check_module(module: ModuleType) -> None:
    """Wrap the functions of a module, and the methods of its classes."""
    for owner in (module, *_own(module, inspect.isclass)):
        for name, value in list(vars(owner).items()):
            if getattr(value, "__module__", None) != module.__name__ and owner is module:
                continue
            wrapped = _wrap(value)
            if wrapped is not value:
                setattr(owner, name, wrapped)


def _own(module: ModuleType, is_kind: Callable[[Any], bool]) -> Iterator[Any]:
    """What a module defines itself, protocols left out: nobody calls their methods."""
    for value in vars(module).values():
        if is_kind(value) and value.__module__ == module.__name__ and not getattr(value, "_is_protocol", False):
            yield value


def _wrap(value: Any) -> Any:
    if isinstance(value, staticmethod | classmethod):
        wrapped = _wrap(value.__func__)
        return value if wrapped is value.__func__ else type(value)(wrapped)
    if isinstance(value, property) and value.fget is not None:
        wrapped = _wrap(value.fget)
        return value if wrapped is value.fget else property(wrapped, value.fset, value.fdel, value.__doc__)
    return _checked(value) if isinstance(value, FunctionType) else value


def _checked(function: FunctionType) -> Callable[..., Any]:
    """The function, its first calls checked; itself where its annotations state no shape."""
    inner = inspect.unwrap(function)  # what decorators such as `torch.no_grad` wrap holds the annotations
    shaped = {name: hint for name, hint in _resolved(inner).items() if _has_shape(hint)}
    if not shaped:
        return function
    function.__annotations__ = inner.__annotations__ = {**inner.__annotations__, **shaped}
    checked = jaxtyped(function, typechecker=_beartype_of_shapes)

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if _calls[function] >= CALLS:
            return function(*arguments, **named)
        _calls[function] += 1
        return checked(*arguments, **named)

    return call


def _resolved(function: FunctionType) -> dict[str, Any]:
    """Annotations as objects; those that name what is imported for type checkers alone are left out.

    Raises:
        TypeError: One of these states a shape, which then would never be checked.
    """
    hints: dict[str, Any] = {}
    for name, hint in getattr(function, "__annotations__", {}).items():
        try:
            hints[name] = eval(hint, function.__globals__) if isinstance(hint, str) else hint
        except (NameError, AttributeError) as error:
            if any(word in hint for word in ("Float[", "Int[", "Complex[", "Bool[")):
                raise TypeError(f"the shape of {name} in {function.__qualname__} cannot be checked: {error}") from None
    return hints


def _has_shape(hint: object) -> bool:
    return (inspect.isclass(hint) and issubclass(hint, AbstractArray)) or any(map(_has_shape, get_args(hint)))


def _beartype_of_shapes(function: FunctionType) -> Callable[..., Any]:
    function.__annotations__ = {name: hint for name, hint in function.__annotations__.items() if _has_shape(hint)}
    return beartype(function) if function.__annotations__ else function
