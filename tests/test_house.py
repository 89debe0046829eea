"""Rules that hold for every module, checked on the source itself; a failure lists all offenders."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "unblur"
MODULES = sorted(SOURCE.rglob("*.py"))

LAYERS = [
    {"cli"},
    {"app"},
    {"server"},
    {"cluster"},
    {"batch", "experiments"},
    {"training", "benchmarks"},
    {"methods", "datasets"},
    {"losses"},
    {"solvers", "metrics", "backbones", "weights"},
    {"images", "blur"},
    {"system"},
    {"errors"},
]
"""From the outside in; each may import what stands below it, and none a peer."""
SHARED_BY_METHODS = {
    "apply",
    "architectures",
    "base",
    "burst",
    "catalog",
    "entry",
    "inputs",
    "kernel_method",
    "kernel_search",
    "loading",
    "network_runner",
    "onnx_engine",
    "optimisation",
    "options",
    "overlays",
    "part",
    "pipeline",
    "reduced_size",
    "sizes",
    "refiners",
    "region",
    "settings",
    "transforms",
    "working_scale",
}
"""What is in `methods` and is no method."""


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def offenders(check, modules=MODULES) -> list[str]:
    """What a check says of each module, headed by the module's path."""
    return [f"{path.relative_to(ROOT)}: {reason}" for path in modules for reason in check(path)]


def part_of(module: str) -> str:
    """`unblur.methods.apply` belongs to `methods`."""
    return module.split(".")[1] if "." in module else ""


def level_of(part: str) -> int:
    return next(level for level, parts in enumerate(LAYERS) if part in parts)


def imports_of(path: Path) -> set[str]:
    """Every module of ours that a file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("unblur", "")}


def imports_against_the_layers(path: Path) -> Iterator[str]:
    own = part_of(".".join(("unblur", *path.relative_to(SOURCE).with_suffix("").parts)))
    for imported in imports_of(path):
        other = part_of(imported)
        if imported.startswith("."):
            yield f"relative import {imported}"
        elif (
            own not in ("__init__", "__main__")
            and other not in ("", "__version__", own)
            and level_of(other) <= level_of(own)
        ):
            yield f"imports {imported}"


def imports_of_other_methods(path: Path) -> Iterator[str]:
    parts = path.relative_to(SOURCE).parts
    own = parts[1].removesuffix(".py") if parts[0] == "methods" else None
    if own is None or own in SHARED_BY_METHODS:
        return
    for imported in imports_of(path):
        if imported.startswith("unblur.methods.") and imported.split(".")[2] not in SHARED_BY_METHODS | {own}:
            yield f"imports {imported}"


def dangers(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            # pickletools only takes pickles apart; with it, weights are read without ever running what they ask for
            imported = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            if imported & {"pickle", "_pickle", "dill", "cloudpickle", "joblib"}:
                yield f"line {node.lineno}: pickle"
        elif isinstance(node, ast.Assert):
            yield f"line {node.lineno}: assert as a check"
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {node.lineno}: bare except"
        elif isinstance(node, ast.Call) and is_dangerous(node):
            yield f"line {node.lineno}: {ast.unparse(node.func)}"


def is_dangerous(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
    return (
        called in {"eval", "exec", "os.system", "os.popen", "tempfile.mktemp", "yaml.load"}
        or called.startswith(("pickle.", "torch.hub.", "torch.jit.load"))
        or keywords.get("shell", "False") != "False"
        or (called == "torch.load" and keywords.get("weights_only") != "True")
        or (called in {"np.load", "numpy.load"} and keywords.get("allow_pickle") != "False")
    )


def rights_given_up(path: Path) -> Iterator[str]:
    """Calls after which this process has fewer rights: no test that follows could be relied on."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if "os.set" in text or "os.chroot" in text else ():
        if isinstance(node, ast.Call) and re.fullmatch(r"os\.(set\w*[ug]id|setgroups|chroot)", ast.unparse(node.func)):
            yield f"line {node.lineno}: {ast.unparse(node.func)}"


def wrong_all(path: Path) -> Iterator[str]:
    """One `__all__` a module, sorted, of names that exist."""
    body = parse(path).body
    lists = [
        ast.literal_eval(node.value)
        for node in body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    if path.name == "__init__.py" and not lists:
        if not all(isinstance(node, ast.Expr) for node in body):
            yield "code, but no __all__"
        return
    if len(lists) != 1:
        yield f"{len(lists)} lists __all__"
        return
    (names,) = lists
    # ruff's order: constants, then classes, then functions, each by itself in order
    if names != sorted(names, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name)):
        yield "__all__ is not sorted"
    # the package itself loads its names on first use: test_public_surface.py tests them
    if path != SOURCE / "__init__.py":
        yield from (f"{name} is in __all__ alone" for name in set(names) - {n for node in body for n in names_of(node)})


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {ast.unparse(target) for target in targets}
    return set()


def test_imports_run_one_way():
    assert offenders(imports_against_the_layers) == []


def test_no_method_imports_another():
    assert offenders(imports_of_other_methods) == []


def test_nothing_dangerous():
    assert offenders(dangers) == []


def test_rights_are_given_up_in_processes_of_their_own():
    assert offenders(rights_given_up, sorted((ROOT / "tests").rglob("*.py"))) == []


def test_all_is_sorted_and_real():
    assert offenders(wrong_all) == []


def test_checks_find_offenders(tmp_path):
    """The checks themselves: a module that breaks every rule is found out by each."""
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import pickle\nassert pickle\ntry:\n    eval('1')\nexcept:\n    torch.load(x)\n__all__ = ['b', 'a']\n"
    )
    assert sorted(dangers(bad)) == [
        "line 1: pickle",
        "line 2: assert as a check",
        "line 4: eval",
        "line 5: bare except",
        "line 6: torch.load",
    ]
    worse = tmp_path / "worse.py"
    worse.write_text("os.seteuid(65534)\nos.setuid(1)\nos.setresgid(1, 1, 1)\nos.setsid()\nx = 'os.setuid(1)'\n")
    assert [line.split()[-1] for line in rights_given_up(worse)] == ["os.seteuid", "os.setuid", "os.setresgid"]
    assert sorted(wrong_all(bad)) == ["__all__ is not sorted", "a is in __all__ alone", "b is in __all__ alone"]


def test_every_package_has_its_layer():
    packages = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}
    assert packages | {"errors"} == set().union(*LAYERS)


def test_contributing_shows_the_layers():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (diagram,) = re.findall(r"^    cli .*(?:\n +.*)*", text, flags=re.MULTILINE)
    assert [set(re.findall(r"\w+", level)) for level in diagram.split(">")] == LAYERS


def test_changelog_knows_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[:2] == ["Unreleased", version]
