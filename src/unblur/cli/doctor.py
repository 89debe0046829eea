"""`unblur doctor`: what is installed here, what is missing, and the line that installs it."""

from __future__ import annotations

import json
import platform
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from unblur.cli.messages import escape
from unblur.errors import CheckpointError
from unblur.system.extras import EXTRAS, install_line
from unblur.system.facts import hardware, versions

__all__ = ["doctor"]

_PROGRAMS = {"ffmpeg": "videos, frame by frame", "npm": "unblur weights get maxim"}
"""Programs of others that some uses need, and which."""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> int:
    """Show versions, device, extras, weights and folders, and what is missing; 1 if something is broken."""
    found = _examine()
    if as_json:
        print(json.dumps(found, indent=2))  # noqa: T201 - the answer itself
    else:
        _print_tables(found)
    return 1 if found["problems"] else 0


def _examine() -> dict[str, Any]:
    """All that is known of this installation, ready for JSON."""
    problems: list[str] = []
    core = versions(["unblur", *_core_packages()])
    problems += [f"{name} is not installed; install unblur anew" for name, known in core.items() if known is None]
    from unblur.weights.cache import cache_folder  # noqa: PLC0415 - help does without

    return {
        "versions": {"python": platform.python_version(), **core, "libvips": _libvips(problems)},
        "device": _device(problems),
        "hardware": hardware(),
        "extras": {name: _extra(name, modules) for name, modules in sorted(_modules_of_extras().items())},
        "programs": {name: shutil.which(name) for name in _PROGRAMS},
        "weights": dict(_weights(problems)),
        "cache": str(cache_folder()),
        "problems": problems,
    }


def _core_packages() -> list[str]:
    """Names of the packages that unblur always needs."""
    try:
        stated = requires("unblur") or []
    except PackageNotFoundError:  # run from its source without being installed
        stated = ["numpy", "pyvips", "torch"]
    return sorted(re.split(r"[^\w.-]", line)[0] for line in stated if "extra ==" not in line)


def _libvips(problems: list[str]) -> str | None:
    try:
        import pyvips  # noqa: PLC0415 - loads the library itself, which may be what is broken
    except Exception as error:  # a library that cannot be loaded fails with errors of any kind
        problems.append(f'libvips cannot be loaded ({error}); install it with pip install "pyvips[binary]"')
        return None
    return ".".join(str(pyvips.version(part)) for part in range(3))


def _device(problems: list[str]) -> str | None:
    """The device that `--device auto` takes."""
    try:
        from unblur.methods.apply import name_device  # noqa: PLC0415 - torch

        return name_device("auto")
    except Exception as error:  # as above: of another build, for another processor
        problems.append(f"torch cannot be used ({error}); install its build for this computer first")
        return None


def _modules_of_extras() -> dict[str, list[str]]:
    extras: dict[str, list[str]] = defaultdict(list)
    for module, (_, extra) in EXTRAS.items():
        extras[extra].append(module)
    return extras


def _extra(name: str, modules: list[str]) -> dict[str, Any]:
    missing = sorted(EXTRAS[module][0] for module in modules if find_spec(module) is None)
    return {"missing": missing, "install": install_line(name) if missing else None}


def _weights(problems: list[str]) -> Iterator[tuple[str, str]]:
    """Each name of weights with where they are: ships, downloaded, or not here."""
    from unblur.weights.cache import cache_folder, find_cached  # noqa: PLC0415 - help does without
    from unblur.weights.public import public_weights  # noqa: PLC0415
    from unblur.weights.shipped import is_whole, shipped  # noqa: PLC0415

    for name, entry in shipped().items():
        whole = is_whole(entry)
        yield name, "ships" if whole else "damaged"
        if not whole:
            problems.append(f"the weights {name} are not the ones that ship; install unblur anew")
    for name, public in public_weights().items():
        try:
            yield name, "downloaded" if find_cached(public, cache_folder()) else "not downloaded"
        except CheckpointError as error:
            problems.append(str(error))
            yield name, "damaged"


def _print_tables(found: dict[str, Any]) -> None:
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for heading, text in _rows(found):
        table.add_row(heading, escape(text))
    console.print(table, markup=False)
    for problem in found["problems"]:
        console.print(f"\nproblem: {escape(problem)}", markup=False)
    if not found["problems"]:
        console.print("\nNothing is broken.", markup=False)


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Heading and text of each line."""
    yield from ((name, known or "missing") for name, known in found["versions"].items())
    yield "device", found["device"] or "none"
    yield "hardware", found["hardware"]
    for name, extra in found["extras"].items():
        missing = ", ".join(extra["missing"])
        yield f"extra {name}", f"without {missing}; {extra['install']}" if missing else "present"
    for name, path in found["programs"].items():
        yield f"program {name}", path or f"missing; for {_PROGRAMS[name]}"
    for name, state in found["weights"].items():
        yield f"weights {name}", f"not downloaded; unblur weights get {name}" if state == "not downloaded" else state
    yield "cache", found["cache"]
