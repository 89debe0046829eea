"""Names that terminals, reports and file systems stumble over."""

import json
import os
import unicodedata
from hashlib import sha256
from pathlib import Path

import pytest

from unblur.cli.messages import escape

FREE = ("--method", "input")

HOSTILE = [
    b"-o.png",
    b"--help.png",
    b"-.png",
    b" .png",
    b" leading and trailing .png ",
    b"two\nlines.png",
    b"carriage\rreturn.png",
    b"tab\t.png",
    b"bell\x07.png",
    b"\x1b[31mred\x1b[0m.png",
    b"\x1b]0;title\x07.png",
    b"not-utf8-\xff\xfe.png",
    b"half-\xe2\x82.png",
    b"%s%n%d.png",
    b"$(touch pwned).png",
    b"`touch pwned`.png",
    b";touch pwned;.png",
    b"a|b&c>d<e.png",
    b"quote'\".png",
    b"back\\slash.png",
    b"*.png",
    b"[abc].png",
    b"{a,b}?.png",
    b"~.png",
    b"#hash.png",
    b"=cmd|'calc'!A0.png",
    b"@file.png",
    b"<script>alert(1)</script>.png".replace(b"/", b"_"),
    b"[bold red]markup[_bold red].png",
    b"a,b;c.png",
    b"...png",
    b"..a.png",
    b".hidden.png",
    b"no-extension",
    b"two.dots.jpeg.png",
    b"UPPER.PNG",
    b"upper.png",
    "na\u00efve.png".encode(),
    unicodedata.normalize("NFD", "na\u00efve.png").encode(),
    "\u202egnp.exe.png".encode(),
    "zero\u200bwidth.png".encode(),
    "\ufeffbom.png".encode(),
    "\U0001f4f7.png".encode(),
    "\u65e5\u672c\u8a9e.png".encode(),
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629.png".encode(),
    b"CON.png",
    b"nul",
    b"x" * 251 + b".png",
    "\u00e9".encode() * 125 + b"z.png",
    b"y." + b"x" * 253,
]


@pytest.fixture
def hostile_folder(tmp_path, make_photo) -> Path:
    data = make_photo("seed.png", size=(9, 7)).read_bytes()
    folder = tmp_path / "in"
    folder.mkdir()
    for name in HOSTILE:
        (folder / os.fsdecode(name)).write_bytes(data)
    (tmp_path / "seed.png").unlink()
    return folder


def digest_of(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def assert_printable(text: str) -> None:
    assert all(char.isprintable() or char == "\n" for char in text)


def test_there_are_fifty():
    assert len(set(HOSTILE)) == 50


def test_as_arguments(run, hostile_folder, monkeypatch):
    monkeypatch.chdir(hostile_folder)
    before = digest_of(hostile_folder)
    ran = run("restore", *FREE, "--", *map(os.fsdecode, HOSTILE))
    assert ran.code == 0, ran.errors
    assert ran.err.splitlines()[-1] == "50 done, 0 skipped, 0 failed"
    assert_printable(ran.err)
    after = digest_of(hostile_folder)
    assert len(after) == 100
    assert {name: after[name] for name in before} == before


def test_by_folder(run, hostile_folder, tmp_path):
    report = tmp_path / "report.jsonl"
    ran = run("restore", hostile_folder, "-o", tmp_path / "out", "--report", report, *FREE)
    with_suffix = {name for name in HOSTILE if name.lower().endswith(b".png")}
    assert ran.code == 0, ran.errors
    assert {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()} == with_suffix
    assert_printable(ran.err)
    assert report.read_bytes().isascii()
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert {os.fsencode(Path(row["input"]).name) for row in rows} == with_suffix


def test_by_list(run, hostile_folder, tmp_path):
    names = b"".join(os.fsencode(hostile_folder) + b"/" + name + b"\0" for name in HOSTILE)
    ran = run("restore", "--files-from", "-", "-0", "-o", tmp_path / "out", *FREE, stdin=names)
    assert ran.code == 0, ran.errors
    assert {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()} == set(HOSTILE)


def test_by_list_of_lines(run, make_photo, tmp_path):
    make_photo("a b.png")
    make_photo("c.png")
    (tmp_path / "list").write_bytes(os.fsencode(tmp_path) + b"/a b.png\r\n\n" + os.fsencode(tmp_path) + b"/c.png")
    assert run("restore", "--files-from", tmp_path / "list", *FREE).err.splitlines()[-1].startswith("2 done")


def test_errors_escape_names(run, tmp_path):
    paths = [tmp_path / os.fsdecode(name) for name in HOSTILE]
    for path in paths:
        path.write_bytes(b"no picture")
    ran = run("restore", *FREE, *paths)
    assert ran.code == 1
    assert len(ran.errors) == len(paths)
    assert_printable(ran.err)


def test_escape():
    assert escape("plain é 日本") == "plain é 日本"
    assert escape("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert escape(os.fsdecode(b"\xff\xfe")) == "\\xff\\xfe"
    assert escape("\u202e") == "\\u202e"
