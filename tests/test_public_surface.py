"""What `import unblur` offers, and what it costs."""

import importlib.metadata
import importlib.util
import inspect
import subprocess
import sys

import pytest

import unblur
import unblur.errors

pytestmark = pytest.mark.usefixtures("quick_search")


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_all_is_what_can_be_had():
    handled = ["Client", "Picture", "Region", "Restoration", "RestoreOptions", "Step"]
    functions = ["list_methods", "load_method", "read_image", "restore", "restore_burst", "write_image"]
    assert sorted(unblur.__all__) == sorted([*handled, *functions, *unblur.errors.__all__, "__version__"])
    assert sorted(dir(unblur)) == sorted(unblur.__all__)
    assert all(inspect.isfunction(getattr(unblur, name)) for name in functions)
    assert all(inspect.isclass(getattr(unblur, name)) for name in handled)
    assert all(getattr(unblur, name) is getattr(unblur.errors, name) for name in unblur.errors.__all__)
    assert unblur.__version__ == importlib.metadata.version("unblur")


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'sharpen'"):
        unblur.sharpen  # noqa: B018


@pytest.mark.parametrize(
    "words",
    [["--help"], ["restore", "--help"], ["methods"], ["restore", "--no-such-option"], ["restore", "missing.jpg"]],
)
def test_cheap_answers_leave_torch_alone(words):
    code = f"import sys; from unblur.cli.main import main; main({words!r}); print('torch' in sys.modules)"
    assert run_python(code).splitlines()[-1] == "False"


def test_help_of_the_program_imports_no_command_and_no_catalogue():
    """Time depends on the machine; what is imported does not, and is nearly all of the time of help."""
    code = "import sys; from unblur.cli.main import main; main(['--help']); print(*sorted(sys.modules))"
    imported = run_python(code).splitlines()[-1].split()
    ours = {name for name in imported if name.startswith("unblur.") and not name.startswith("unblur.system")}
    needed = ("cli", "cli.commands", "cli.main", "cli.messages", "cli.quick_help", "errors")
    assert ours == {f"unblur.{name}" for name in needed}
    assert not {"asyncio", "email.message", "importlib.metadata", "json", "numpy", "socket", "tomllib"} & {*imported}


def test_help_leaves_numpy_alone():
    code = "import sys; from unblur.cli.main import main; main(['restore', '--help']); print('numpy' in sys.modules)"
    assert run_python(code).splitlines()[-1] == "False"


def test_input_method_never_imports_torch(make_photo):
    photo = make_photo()
    code = f"import sys, unblur; unblur.restore({str(photo)!r}, 'input', strength=0.5); print('torch' in sys.modules)"
    assert run_python(code).strip() == "False"


def test_torchvision_is_not_there():
    """With the CPU build of torch a torchvision from the index breaks on import, and takes others with it."""
    assert importlib.util.find_spec("torchvision") is None
    names = {(found.metadata["Name"] or "").lower() for found in importlib.metadata.distributions()}
    assert "torchvision" not in names
