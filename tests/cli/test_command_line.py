"""The program around its commands: what it is called with, and what it says of what it was given."""

import subprocess
import sys
import time

import pytest

from unblur.cli.main import parser

FREE = ("--method", "input")


@pytest.mark.parametrize("words", [["photo.png", *FREE], [*FREE, "./photo.png"], ["--overwrite", "*.png", *FREE]])
def test_a_photo_needs_no_command(run, make_photo, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    make_photo()
    assert run(*words).err.splitlines()[-1] == "1 done, 0 skipped, 0 failed"
    assert (tmp_path / "photo.unblur.png").exists()


def test_a_pipe_needs_no_command(run, make_photo):
    assert run("-", *FREE, stdin=make_photo().read_bytes()).out.startswith(b"\x89PNG")


def test_a_folder_without_a_dot(run, make_photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_photo("holiday/a.png")
    assert run("holiday", *FREE).code == 0


def test_a_misspelt_command_is_no_photo(run, make_photo, tmp_path):
    ran = run("restroe", make_photo(), *FREE)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert "no such command 'restroe'" in ran.errors[0].lower()
    assert not (tmp_path / "photo.unblur.png").exists()
    assert "missing.jpg: does not exist" in run("missing.jpg", *FREE).errors[0]


def test_help_and_version_are_those_of_the_program(run):
    assert b"restore" in run("--help").out
    assert run("--version").out.startswith(b"unblur ")


def test_summaries_begin_the_help_of_the_commands():
    commands = parser().commands
    assert len(commands) > 8
    assert {name: deferred.help for name, deferred in commands.items()} == {
        name: deferred.command.help.partition("\n\n")[0] for name, deferred in commands.items()
    }


def test_as_a_module(program, make_photo):
    assert program(make_photo(), *FREE).returncode == 0


def test_addresses(run, make_photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run("https://example.com/a.jpg", make_photo(), *FREE)
    assert ran.code == 1
    assert ran.errors == [
        "unblur: error: https://example.com/a.jpg: is an address, and only files are read; download the photo first"
    ]
    for words in (["photo.png", "-o", "https://example.com/a.png"], ["--files-from", "https://example.com/list"]):
        refused = run(*words, *FREE)
        assert (refused.code, len(refused.errors)) == (2, 1)
        assert "address" in refused.errors[0]


def test_what_was_passed_over(run, make_photo, tmp_path):
    make_photo("in/a.png")
    (tmp_path / "in/b.psd").write_bytes(b"8BPS\0\1" + bytes(99))
    (tmp_path / "in/notes.txt").touch()
    (tmp_path / "in/more").mkdir()
    ran = run("restore", tmp_path / "in", "-o", tmp_path / "out", *FREE)
    assert ran.err.splitlines()[-2:] == [
        "passed over: 1 Photoshop document file (save a flat copy of it as TIFF or PNG), "
        "1 subfolder (--recursive takes what is in it), 1 other file (its name is not that of a photo)",
        "1 done, 0 skipped, 0 failed",
    ]
    assert "passed over" not in run("restore", tmp_path / "in", "-o", tmp_path / "new", "-q", *FREE).err
    (tmp_path / "in/a.png").unlink()
    empty = run("restore", tmp_path / "in", *FREE)
    assert (empty.code, len(empty.errors)) == (2, 1)
    assert "there are no photos in this folder; passed over: 1 Photoshop document file" in empty.errors[0]


def test_lines_of_progress_without_a_terminal(make_photo):
    """The first after five seconds: a short run says nothing of the kind."""
    words = ["restore", make_photo(), "--method", "slow-input", "--set", "steps=60", "--set", "nap=0.1"]
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "unblur", *map(str, words)], stderr=subprocess.PIPE, text=True, check=True
    )
    lines = [line for line in ran.stderr.splitlines() if "left  photo.png: waiting" in line]
    assert 1 <= len(lines) <= (time.monotonic() - started) / 5
    assert lines[0].lstrip()[0].isdigit()


def test_a_folder_named_like_a_command(run, make_photo, tmp_path, monkeypatch):
    """The command is meant; where that cannot be, how to name the folder is said."""
    monkeypatch.chdir(tmp_path)
    make_photo("blur/a.png")
    for words in (["blur"], ["data"]):
        (tmp_path / words[0]).mkdir(exist_ok=True)
        ran = run(*words)
        assert ran.code == 2
        assert ran.errors[0].endswith(f"(to restore what is here under the name {words[0]}, write ./{words[0]})")
    assert run("./blur", *FREE).code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_offered_to_each_shell(program, monkeypatch, shell):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    shown = program("--show-completion", shell, stdout=subprocess.PIPE)
    assert shown.returncode == 0
    assert b"_UNBLUR_COMPLETE" in shown.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("unblur we", {"weights"}),
        ("unblur restore --method self", {"selfdeblur"}),
        ("unblur methods self", {"selfdeblur"}),
        ("unblur benchmark lev", {"levin"}),
        ("unblur data show lev", {"levin"}),
        ("unblur weights get max", {"maxim"}),
        ("unblur -", {"--version", "--help"}),
    ],
)
def test_completion_of_commands_and_names(program, monkeypatch, words, offered):
    monkeypatch.setenv("_UNBLUR_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    ran = program(stdout=subprocess.PIPE)
    assert offered <= set(ran.stdout.decode().split())
