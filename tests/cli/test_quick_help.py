import subprocess
import sys

CODE = """
import sys
from unblur.cli.main import main
main(["--help"])
assert "typer.rich_utils" in sys.modules
unwanted = [name for name in sys.modules if name.split(".")[0] in ("markdown_it", "pygments")]
assert unwanted == [], unwanted
from rich.markdown import Markdown
from rich.traceback import Traceback
assert Markdown.__module__ == "rich.markdown"
assert Traceback.__module__ == "rich.traceback"
"""


def test_help_is_made_without_what_it_does_not_use():
    """In a process of its own, which has imported nothing yet; others get the real classes afterwards."""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", CODE], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "restore" in ran.stdout
