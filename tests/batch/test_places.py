"""Photos and outputs in a store: found, restored, noted and resumed as files are."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from unblur.batch.inputs import Failure, Found, SkippedFile, find_inputs
from unblur.batch.options import BatchOptions
from unblur.batch.places import local_copy, parse_place
from unblur.batch.plan import make_plan
from unblur.batch.run import resume_plan, run_plan
from unblur.errors import TooLargeError, UsageError
from unblur.images.limits import Limits
from unblur.methods.options import RestoreOptions
from unblur.system.stores import Address

fsspec = pytest.importorskip("fsspec")

COPY = BatchOptions(method="input")
STRONGER = BatchOptions(method="input", restore=RestoreOptions(strength=0.5))
FREE = ("--method", "input")


@pytest.fixture
def store(make_photo):
    """A store in memory with two photos in a tree, and what is no photo."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    for number, key in enumerate(("in/a.png", "in/sub/b.png")):
        memory.pipe_file(key, make_photo(f"{number}.png", seed=number).read_bytes())
    memory.pipe_file("in/notes.txt", b"text")
    memory.pipe_file("in/a.unblur.png", b"of an earlier run")
    yield memory
    memory.store.clear()


def keys(store, folder="out"):
    return sorted(key for key in store.store if key.startswith(f"/{folder}/") and "/.unblur/" not in key)


def pixels(store, key):
    with Image.open(io.BytesIO(store.cat_file(key))) as image:
        return image.tobytes()


def plan(**more):
    return make_plan(["memory://in"], output="memory://out/", recursive=True, **more)


def outcomes(plan, options=COPY):
    return {outcome.input.name: outcome for outcome in run_plan(plan, options)}


def test_what_lies_in_a_folder_of_a_store(store):
    found = list(find_inputs(["memory://in"]))
    assert [item.place.as_posix() for item in found if isinstance(item, Found)] == ["a.png"]
    assert {item.kind for item in found if isinstance(item, SkippedFile)} == {
        "unblur output",
        "other file",
        "subfolder",
    }
    below = [item.place.as_posix() for item in find_inputs(["memory://in/"], recursive=True) if isinstance(item, Found)]
    assert below == ["a.png", "sub/b.png"]
    assert [str(item.path) for item in find_inputs(["memory://in/*.png"])] == ["memory://in/a.png"]
    (missing,) = find_inputs(["memory://nothing/here.png"])
    assert missing == Failure("memory://nothing/here.png", "does not exist")
    avoided = find_inputs(["memory://in"], recursive=True, avoid=frozenset({Address("memory", "in/sub")}))
    assert [item.place.name for item in avoided if isinstance(item, Found)] == ["a.png"]


def test_a_tree_is_mirrored(store):
    assert {outcome.status for outcome in outcomes(plan()).values()} == {"done"}
    assert keys(store) == ["/out/a.png", "/out/sub/b.png"]
    assert pixels(store, "out/a.png") == pixels(store, "in/a.png")


def test_the_same_bytes_as_in_files(store, run, tmp_path):
    assert run("restore", "memory://in/a.png", "-o", tmp_path / "out/a.jpg", *FREE).code == 0
    assert run("restore", tmp_path / "0.png", "-o", "memory://out/a.jpg", *FREE, "--save-kernel").code == 0
    assert run("restore", f"file://{tmp_path}/0.png", "-o", f"file://{tmp_path}/third.jpg", *FREE).code == 0
    assert run("restore", "memory://in/a.png", "--format", "jpeg", *FREE).code == 0
    whole = (tmp_path / "out/a.jpg").read_bytes()
    assert whole == store.cat_file("out/a.jpg") == (tmp_path / "third.jpg").read_bytes()
    assert whole == store.cat_file("in/a.unblur.jpg")


def test_the_kernel_is_saved_beside_the_photo(store, run, tmp_path):
    kernel = tmp_path / "kernel.npy"
    np.save(kernel, np.full((3, 3), 1 / 9))
    words = ("--method", "known-kernel", "--kernel", kernel, "--save-kernel")
    assert run("restore", "memory://in/a.png", "-o", "memory://out/", *words).code == 0
    assert keys(store) == ["/out/a.png", "/out/a.unblur.kernel.npy", "/out/a.unblur.kernel.png"]


def test_resume_finds_what_is_done_and_what_is_not(store, make_photo):
    outcomes(plan())
    assert len(resume_plan(plan(), COPY).skipped) == 2
    assert resume_plan(plan(), STRONGER).redone == 2
    store.pipe_file("in/a.png", make_photo("new.png", seed=9).read_bytes())
    store.pipe_file("out/sub/b.png", b"edited by hand")
    again = resume_plan(plan(), COPY)
    assert (len(again.skipped), again.redone) == (0, 1)
    after = outcomes(again)
    assert (after["a.png"].status, after["b.png"].status) == ("done", "failed")
    assert "changed after unblur made it" in after["b.png"].error
    assert store.cat_file("out/sub/b.png") == b"edited by hand"
    assert pixels(store, "out/a.png") == pixels(store, "in/a.png")


def test_resume_looks_into_a_photo_whose_time_changed(store):
    outcomes(plan())
    for key in ("in/a.png", "in/sub/b.png"):
        store.pipe_file(key, store.cat_file(key))
    assert len(resume_plan(plan(), COPY).skipped) == 2


def test_notes_are_the_same_here_and_there(store, tmp_path):
    outcomes(plan())
    outcomes(make_plan(["memory://in"], output=str(tmp_path / "out"), recursive=True))
    assert len(resume_plan(make_plan(["memory://in"], output=str(tmp_path / "out")), COPY).skipped) == 1


def test_a_note_on_bytes_that_never_came_does_not_hide_the_one_before(store):
    outcomes(plan())
    a_photo = Address("memory", "out/a.png")
    a_photo.attach_note(b"what a killed run was about to write", {"options": "others"})
    assert len(resume_plan(plan(), COPY).skipped) == 2
    assert outcomes(resume_plan(plan(), STRONGER), STRONGER)["a.png"].status == "done"


def test_a_lost_note_costs_work_and_no_photo(store):
    outcomes(plan())
    store.rm("out/.unblur", recursive=True)
    assert outcomes(resume_plan(plan(), COPY))["a.png"].status == "done"
    assert len(resume_plan(plan(), COPY).skipped) == 2
    store.pipe_file("out/a.png", b"of somebody else")
    store.rm("out/.unblur/a.png.json")
    assert "is not what would be made now" in outcomes(resume_plan(plan(), COPY))["a.png"].error


def test_nothing_is_replaced_unasked(store):
    store.pipe_file("out/a.png", b"there")
    assert "exists already" in outcomes(plan())["a.png"].error
    assert store.cat_file("out/a.png") == b"there"
    assert outcomes(plan(replaceable="anything"))["a.png"].status == "done"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["https://example.org/a.png"], "is an address"),
        (["memory://in/a.png", "-o", "https://example.org/"], "is an address"),
        (["memory://in/a.png", "-o", "memory://in/a.png"], "is the input"),
        (["memory://in", "--in-place"], "--in-place is for files of this machine"),
        (["memory://in", "--watch"], "--watch takes folders of this machine"),
        (["--burst", "memory://in/a.png", "memory://in/sub/b.png"], "files of this machine"),
        (["memory://in", "--report", "memory://out/report"], "--report takes the name"),
        (["memory://in/a.png", "-o", "memory://out/x.doc"], "the extension '.doc'"),
    ],
)
def test_wrong_use_is_one_line(store, run, words, reason):
    before = dict(store.store)
    ran = run("restore", *words, *FREE)
    assert ran.code
    assert reason in ran.errors[0]
    assert store.store == before


def test_the_copy_of_a_photo_is_bounded_and_removed(store):
    with pytest.raises(TooLargeError), local_copy(Address("memory", "in/a.png"), Limits(max_bytes=10)):
        pass
    with local_copy(Address("memory", "in/a.png"), Limits()) as copy:
        assert copy.read_bytes() == store.cat_file("in/a.png")
    assert not copy.exists()


def test_the_report_names_addresses(store, run, tmp_path):
    report = tmp_path / "report.jsonl"
    run("restore", "memory://in", "-o", "memory://out/", *FREE, "--report", report)
    (row,) = map(json.loads, report.read_text().splitlines())
    assert (row["input"], row["output"]) == ("memory://in/a.png", "memory://out/a.png")


def test_blur_takes_no_stores(run, tmp_path):
    assert "files of this machine" in run("blur", "memory://in", "--kind", "shake", "-o", tmp_path / "pairs").errors[0]


def test_names(tmp_path):
    assert parse_place(f"file://{tmp_path}") == tmp_path
    address = parse_place("s3://bucket/a/b.c.jpg/")
    assert (str(address), address.name, address.suffix, address.stem) == (
        "s3://bucket/a/b.c.jpg",
        "b.c.jpg",
        ".jpg",
        "b.c",
    )
    assert str(address.with_suffix(".npy")) == "s3://bucket/a/b.c.npy"
    assert address.is_below(address.parent)
    assert not address.is_below(Address("s3", "bucket/a/b"))


def test_in_place_and_stores_are_refused_in_the_plan(store):
    with pytest.raises(UsageError, match="--in-place"):
        make_plan(["memory://in"], in_place=True)
