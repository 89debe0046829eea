"""The man page has every command and option, and is roff without faults."""

import shutil
import subprocess

import pytest

from unblur.cli.main import parser
from unblur.cli.man_page import man_page


def test_has_every_command_and_option():
    page = man_page().replace("\\-", "-")
    commands = {name: deferred.command for name, deferred in parser().commands.items()}
    assert len(commands) > 8
    for name, command in commands.items():
        for inner in getattr(command, "commands", {name: command}).values():
            options = [option for item in inner.params for option in getattr(item, "opts", []) if option[:2] == "--"]
            assert [option for option in options if option not in page] == []
    assert ".SH UNBLUR WEIGHTS GET" in page
    assert "NAME.unblur.EXT" in page


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc to check the page with")
def test_is_roff_without_faults():
    # A date would make the page differ from build to build.
    command = ["mandoc", "-T", "lint", "-W", "warning"]
    linted = subprocess.run(command, input=man_page(), text=True, capture_output=True, check=False)
    assert [line for line in linted.stdout.splitlines() if "missing date" not in line] == []
