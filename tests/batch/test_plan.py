"""Which photo becomes which file."""

import os

import pytest

from unblur.batch.plan import DEFAULT_NAME, make_plan
from unblur.errors import OutputError, UsageError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["a.jpg", "b.png", "in/same.jpg", "in/same.png", "in/sub/c.png"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def pairs(names: list[str], **options: object) -> list[tuple[str, str]]:
    return [(str(job.input or "-"), str(job.output or "-")) for job in make_plan(names, **options).jobs]


def test_beside_the_input(here):
    assert pairs(["a.jpg", "in/same.png"]) == [("a.jpg", "a.unblur.jpg"), ("in/same.png", "in/same.unblur.png")]


def test_a_file_a_folder_a_pipe(here):
    assert pairs(["a.jpg"], output="x.png") == [("a.jpg", "x.png")]
    assert pairs(["a.jpg"], output="new/") == [("a.jpg", "new/a.jpg")]
    assert pairs(["a.jpg"], output="in") == [("a.jpg", "in/a.jpg")]
    assert pairs(["a.jpg", "b.png"], output="new") == [("a.jpg", "new/a.jpg"), ("b.png", "new/b.png")]
    assert pairs(["-"]) == [("-", "-")]
    assert pairs(["a.jpg"], output="-") == [("a.jpg", "-")]


def test_a_tree_is_mirrored(here):
    assert pairs(["in"], output="out", recursive=True) == [
        ("in/same.jpg", "out/same.jpg"),
        ("in/same.png", "out/same.png"),
        ("in/sub/c.png", "out/sub/c.png"),
    ]


def test_outputs_inside_the_tree_are_not_taken_for_inputs(here):
    (here / "in/out").mkdir()
    (here / "in/out/old.png").touch()
    assert len(pairs(["in"], output="in/out", recursive=True)) == 3


def test_a_photo_named_twice_is_done_once(here):
    assert len(pairs(["a.jpg", "./a.jpg", str(here / "a.jpg"), "in", "in/same.jpg"])) == 3


@pytest.mark.parametrize("names", [["in/sub/c.png", "c.png"], ["in", "other"]])
def test_collisions(here, names):
    for name in ["c.png", "other/same.png"]:
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).touch()
    with pytest.raises(UsageError, match="would both be written to"):
        make_plan(names, output="out")
    with pytest.raises(UsageError, match="would both be written to -"):
        make_plan(["a.jpg", "b.png"], output="-")


@pytest.mark.parametrize(
    "output", ["a.jpg", "./a.jpg", "in/../a.jpg", "soft.jpg", "hard.jpg", "linked-folder/", "b.png"]
)
def test_an_output_is_never_an_input(here, output):
    (here / "soft.jpg").symlink_to("a.jpg")
    os.link(here / "a.jpg", here / "hard.jpg")
    (here / "linked-folder").symlink_to(here)
    names = ["a.jpg", "b.png"] if output.endswith("/") else ["a.jpg"]
    if output == "b.png":
        names, output = ["a.jpg", "b.png"], "./"
    with pytest.raises(UsageError, match="--in-place allows that"):
        make_plan(names, output=output, overwrite=True)


def test_in_place_keeps_links(here):
    (here / "soft.jpg").symlink_to("a.jpg")
    assert pairs(["soft.jpg"], in_place=True) == [("soft.jpg", str(here / "a.jpg"))]
    assert make_plan(["a.jpg"], in_place=True).jobs[0].overwrite


def test_long_names_are_cut(here):
    names = ["é" * 125 + "1.png", "é" * 125 + "2.png", "x." + "y" * 250]
    for name in names:
        (here / name).touch()
    outputs = [os.fsencode(output) for _, output in pairs(names)]
    assert len(set(outputs)) == 3
    assert all(len(output) <= 255 for output in outputs)
    assert outputs[0].endswith(b".unblur.png")


def test_kernels(here):
    plan = make_plan(["a.jpg", "in"], save_kernel=DEFAULT_NAME)
    assert [str(job.kernel_output) for job in plan.jobs] == [
        "a.unblur.kernel.png",
        "in/same.unblur.kernel.png",
        "in/same.png.unblur.kernel.png",
    ]
    assert str(make_plan(["a.jpg"], save_kernel="k.npy").jobs[0].kernel_output) == "k.png"
    assert str(make_plan(["a.jpg"], output="x/y.png", save_kernel="").jobs[0].kernel_output) == "x/a.unblur.kernel.png"
    assert str(make_plan(["a.jpg", "b.png"], save_kernel="k").jobs[1].kernel_output) == "k/b.unblur.kernel.png"
    with pytest.raises(UsageError, match=r"the output b\.png is the input b\.png"):
        make_plan(["b.png"], output="c.png", save_kernel="b.png")


def test_missing_inputs_are_failures(here):
    plan = make_plan(["a.jpg", "gone.png"])
    assert [job.output.as_posix() for job in make_plan(["a.jpg", "gone.png"], output="new").jobs] == ["new/a.jpg"]
    assert len(plan.jobs) == 1
    assert [failure.reason for failure in plan.failures] == ["does not exist"]


def test_places_that_cannot_be_used(here):
    for output, names in [("a.jpg", ["b.png", "in/same.jpg"]), ("a.jpg/below/", ["b.png"]), ("/dev/full", ["b.png"])]:
        with pytest.raises(OutputError):
            make_plan(names, output=output)


def test_nothing_to_do(here):
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match="no photos in this folder"):
        make_plan(["empty"])
