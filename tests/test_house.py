"""Rules of the house, read off the source itself."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "unblur"
MODULES = sorted(SOURCE.rglob("*.py"))

LAYERS = [
    {"cli", "web"},
    {"batch", "experiments"},
    {"training", "benchmarks"},
    {"methods", "datasets"},
    {"losses"},
    {"solvers", "metrics", "backbones", "weights"},
    {"images", "blur"},
    {"system"},
    {"errors"},
]
"""From the outside in; each may import what stands below it, and nobody a peer."""


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


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
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "unblur"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_one_way(path):
    own = part_of(".".join(("unblur", *path.relative_to(SOURCE).with_suffix("").parts)))
    if own == "__init__":
        return
    for imported in imports_of(path):
        other = part_of(imported)
        if other in ("", "__version__", own):
            continue
        assert level_of(other) > level_of(own), f"{own} imports {imported}"


def test_no_method_imports_another():
    shared = {
        "apply",
        "base",
        "catalog",
        "inputs",
        "network_runner",
        "optimisation",
        "pipeline",
        "region",
        "settings",
    }
    for path in (SOURCE / "methods").rglob("*.py"):
        own = path.relative_to(SOURCE / "methods").parts[0].removesuffix(".py")
        for imported in imports_of(path):
            if imported.startswith("unblur.methods.") and own not in shared:
                assert imported.split(".")[2] in shared | {own}, f"{own} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_dangerous(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            # pickletools only takes pickles apart; with it, weights are read without ever running what they ask for
            imported = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not imported & {"pickle", "_pickle", "dill", "cloudpickle", "joblib"}, f"line {node.lineno}"
        assert not isinstance(node, ast.Assert), f"assert as a check, line {node.lineno}"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"bare except, line {node.lineno}"
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
        where = f"{called}, line {node.lineno}"
        assert called not in {"eval", "exec", "os.system", "os.popen", "tempfile.mktemp", "yaml.load"}, where
        assert not called.startswith(("pickle.", "torch.hub.", "torch.jit.load")), where
        assert keywords.get("shell", "False") == "False", where
        if called == "torch.load":
            assert keywords.get("weights_only") == "True", where
        if called in {"np.load", "numpy.load"}:
            assert keywords.get("allow_pickle") == "False", where


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_all_is_sorted_and_real(path):
    tree = parse(path)
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    if path.name == "__init__.py" and not listed:
        assert all(isinstance(node, ast.Expr) for node in tree.body), "code, but no __all__"
        return
    assert len(listed) == 1, "one __all__ a module"
    (names,) = listed
    # ruff's order: constants, then classes, then functions, each by itself in order
    assert names == sorted(names, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))
    if path.parent == SOURCE and path.name == "__init__.py":
        return  # lazy: test_public_surface.py looks at the real thing
    defined = {name for node in tree.body for name in names_of(node)}
    assert set(names) <= defined


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {ast.unparse(target) for target in targets}
    return set()


def test_changelog_knows_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[:2] == ["Unreleased", version]
