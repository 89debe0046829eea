"""Which photos are meant."""

import io
import os
from pathlib import Path

import pytest

from unblur.batch.inputs import Failure, Found, SkippedFile, describe_skipped, find_inputs, split_list
from unblur.errors import UsageError
from unblur.images.unsupported import can_read_heif


def found(*names: object, **options: object) -> list[str]:
    """Places of the photos, and `!name` of what cannot be used."""
    items = find_inputs([os.fspath(name) for name in names], **options)
    return [
        f"!{Path(item.name).name}" if isinstance(item, Failure) else item.place.as_posix()
        for item in items
        if not isinstance(item, SkippedFile)
    ]


def not_photos(folder: Path, **options: object) -> str:
    items = find_inputs([str(folder)], **options)
    return describe_skipped(item for item in items if isinstance(item, SkippedFile))


@pytest.fixture
def tree(tmp_path) -> Path:
    for name in [
        "b.png",
        "a.jpg",
        "notes.txt",
        "a.unblur.jpg",
        ".unblur-0123",
        "sub/c.TIF",
        "sub/deep/d.webp",
        "e.png/f.png",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_is_sorted_and_flat(tree):
    assert found(tree) == ["a.jpg", "b.png"]


def test_a_tree(tree):
    assert found(tree, recursive=True) == ["a.jpg", "b.png", "e.png/f.png", "sub/c.TIF", "sub/deep/d.webp"]


def test_outputs_below_the_inputs_are_no_inputs(tree):
    assert found(tree, recursive=True, avoid=frozenset([tree / "sub"])) == ["a.jpg", "b.png", "e.png/f.png"]


def test_files_have_any_name(tree):
    assert found(tree / "notes.txt", tree / "a.unblur.jpg") == ["notes.txt", "a.unblur.jpg"]


def test_patterns(tree):
    assert found(f"{tree}/*.png") == ["b.png", "f.png"]  # e.png is a folder
    assert found(f"{tree}/b*") == ["b.png"]
    assert found(f"{tree}/?.jpg") == ["a.jpg"]
    assert found(f"{tree}/**/*.webp", recursive=True) == ["d.webp"]
    assert found(f"{tree}/*.gif") == ["!*.gif"]
    (tree / "[1].png").touch()
    assert found(f"{tree}/[1].png") == ["[1].png"]


def test_standard_input():
    assert list(find_inputs(["-"])) == [Found(None, Path("stdin"))]


def test_odd_things_are_passed_over(tree):
    os.mkfifo(tree / "pipe.png")
    (tree / "inside.png").symlink_to(tree / "b.png")
    (tree / "outside.png").symlink_to("/etc/hostname")
    (tree / "device.png").symlink_to("/dev/zero")
    (tree / "up.png").symlink_to(tree.parent)
    (tree / "loop-folder").symlink_to(tree)
    (tree / "nowhere.png").symlink_to(tree / "gone.png")
    (tree / "loop.png").symlink_to(tree / "loop.png")
    assert found(tree) == ["a.jpg", "b.png", "inside.png", "!loop.png", "!nowhere.png"]
    assert len(found(tree, recursive=True)) == 8


def test_odd_things_by_name_are_errors(tree):
    os.mkfifo(tree / "pipe.png")
    (tree / "loop.png").symlink_to(tree / "loop.png")
    assert found(tree / "pipe.png", "/dev/zero", tree / "loop.png", tree / "gone.png", "zero\0byte") == [
        "!pipe.png",
        "!zero",
        "!loop.png",
        "!gone.png",
        "!zero\0byte",
    ]
    assert found(tree / ("deep/" * 900)) == ["!deep"]


def test_what_a_folder_holds_besides_photos(tree, monkeypatch):
    for module in ("images.unsupported", "batch.inputs"):
        monkeypatch.setattr(f"unblur.{module}.can_read_raw", lambda: False)
    os.mkfifo(tree / "pipe.png")
    (tree / "outside.png").symlink_to("/etc/hostname")
    (tree / ".hidden").touch()
    for name in ("1.cr3", "2.CR3"):
        (tree / name).write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(99))
    told = not_photos(tree)
    assert "2 camera raw files (install what reads it" in told
    assert "1 other file (its name" in told
    assert "1 unblur output (" in told
    assert "1 special file (" in told
    assert "1 symbolic link (it leads out" in told
    assert "2 subfolders (--recursive" in told
    assert "subfolder" not in not_photos(tree, recursive=True)


@pytest.mark.skipif(can_read_heif(), reason="HEIC can be read here")
def test_heic_says_what_to_install(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    assert not_photos(tmp_path).startswith('1 HEIC file (install what reads it with pip install "unblur[heif]"')


def test_heic_counts_as_a_photo_where_it_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("unblur.batch.inputs.can_read_heif", lambda: True)
    (tmp_path / "a.HEIC").touch()
    assert found(tmp_path) == ["a.HEIC"]


@pytest.mark.parametrize("address", ["https://example.com/a.jpg", "ftp://a/b.png", "ssh://host/a.jpg"])
def test_addresses_are_no_files(address):
    [failure] = find_inputs([address])
    assert (failure.name, failure.reason[:13]) == (address, "is an address")


def test_lists_have_an_end(monkeypatch):
    monkeypatch.setattr("unblur.batch.inputs._LARGEST_LIST", 10)
    with pytest.raises(UsageError, match="larger than"):
        split_list(io.BytesIO(b"a\n" * 6))


def test_lists():
    assert split_list(io.BytesIO(b"a\n\nb c\r\n\xff\n")) == ["a", "b c", os.fsdecode(b"\xff")]
    assert split_list(io.BytesIO(b"a\nb\0c\0"), null=True) == ["a\nb", "c"]
