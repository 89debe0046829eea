"""Which photo becomes which file."""

import os

import pytest

from unblur.batch.plan import DEFAULT_NAME, SideOutputs, make_plan
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
        make_plan(names, output=output, replaceable="anything")


def test_in_place_keeps_links(here):
    (here / "soft.jpg").symlink_to("a.jpg")
    assert pairs(["soft.jpg"], in_place=True) == [("soft.jpg", str(here / "a.jpg"))]
    assert make_plan(["a.jpg"], in_place=True).jobs[0].replaceable == "anything"


def test_long_names_are_cut(here):
    names = ["é" * 125 + "1.png", "é" * 125 + "2.png", "x." + "y" * 250]
    for name in names:
        (here / name).touch()
    outputs = [os.fsencode(output) for _, output in pairs(names)]
    assert len(set(outputs)) == 3
    assert all(len(output) <= 255 for output in outputs)
    assert outputs[0].endswith(b".unblur.png")


def kernels(names: list[str], wanted: str, **options: object) -> list[str]:
    return [str(job.kernel) for job in make_plan(names, side=SideOutputs(kernel=wanted), **options).jobs]


def test_kernels(here):
    assert kernels(["a.jpg", "in"], DEFAULT_NAME) == [
        "a.unblur.kernel.png",
        "in/same.unblur.kernel.png",
        "in/same.png.unblur.kernel.png",
    ]
    assert kernels(["a.jpg"], "k.npy") == ["k.png"]
    assert kernels(["a.jpg"], "", output="x/y.png") == ["x/a.unblur.kernel.png"]
    assert kernels(["a.jpg", "b.png"], "k") == ["k/a.unblur.kernel.png", "k/b.unblur.kernel.png"]
    with pytest.raises(UsageError, match=r"the output b\.png is the input b\.png"):
        kernels(["b.png"], "b.png", output="c.png")


@pytest.fixture
def twins(here):
    """Photos of the same names in two folders."""
    for name in ["x/a.png", "y/a.png", "y/b.jpg"]:
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(name)
    return here


@pytest.mark.parametrize("names", [["x/a.png", "y/a.png"], ["x", "y"]])
def test_side_outputs_mirror_the_tree(twins, names):
    side = SideOutputs(kernel="k/", steps="s", motion="m")
    jobs = make_plan(names, side=side).jobs
    assert [str(job.step_output(3)) for job in jobs[:2]] == ["s/x/a.png.step-03.png", "s/y/a.png.step-03.png"]
    assert [str(next(job.motion_outputs())) for job in jobs[:2]] == ["m/x/a.png.motion.npy", "m/y/a.png.motion.npy"]
    assert [str(job.kernel) for job in jobs[:2]] == ["k/x/a.unblur.kernel.png", "k/y/a.unblur.kernel.png"]


def test_side_outputs_of_a_tree(here):
    jobs = make_plan(["in"], recursive=True, side=SideOutputs(steps="s")).jobs
    assert [str(job.steps) for job in jobs] == ["s/same.jpg", "s/same.png", "s/sub/c.png"]


def test_side_outputs_below_the_inputs_are_no_inputs(here):
    (here / "in/steps").mkdir()
    (here / "in/steps/a.png.step-00.png").touch()
    assert len(make_plan(["in"], recursive=True, side=SideOutputs(steps="in/steps")).jobs) == 3


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (SideOutputs(report="a.jpg"), r"the output a\.jpg is the input a\.jpg"),
        (SideOutputs(report="hard.jpg"), r"the output hard\.jpg is the input a\.jpg"),
        (SideOutputs(report="new/a.jpg"), "the report and a.jpg would both be written to"),
        (SideOutputs(report="list.txt"), r"the output list\.txt is the input list\.txt"),
        (SideOutputs(kernel="new/a.png", report="new/a.npy"), "would both be written to"),
        (SideOutputs(motion="new", report="new/a.jpg.arrows.png"), "would both be written to"),
        (SideOutputs(steps="new", report="new/a.jpg.step-07.png"), "a step of a.jpg could be written to"),
        (SideOutputs(steps="."), "a step of a.jpg could be written to .*a.jpg.step-00.png"),
    ],
)
def test_side_outputs_collide_with_nothing(here, side, reason):
    os.link(here / "a.jpg", here / "hard.jpg")
    (here / "list.txt").touch()
    (here / "a.jpg.step-00.png").touch()
    names = ["a.jpg", "a.jpg.step-00.png"] if side.steps == "." else ["a.jpg"]
    output = None if side.steps == "." else "new/a.jpg"
    with pytest.raises(UsageError, match=reason):
        make_plan(names, output=output, side=side, replaceable="anything", read_too=["list.txt"])


def test_one_standard_output(here):
    with pytest.raises(UsageError, match="would both be written to -"):
        make_plan(["a.jpg"], output="-", side=SideOutputs(report="-"))


@pytest.mark.parametrize(
    "side", [SideOutputs(kernel="k.png"), SideOutputs(kernel="k.npy"), SideOutputs(steps="s.png"), None]
)
@pytest.mark.parametrize("names", [["a.jpg", "b.png"], ["in"]])
def test_a_file_name_is_no_folder(here, names, side):
    output = "out.png" if side is None else None
    with pytest.raises(UsageError, match="is the name of a file, and a folder is needed"):
        make_plan(names, output=output, side=side)
    (here / "out.png").mkdir()
    if side is None:
        assert make_plan(names, output=output).jobs
        assert make_plan(names, output="new.png/").jobs


def test_addresses_are_no_outputs(here):
    for side, output in [(None, "https://a/b.png"), (SideOutputs(report="https://a/b"), None)]:
        with pytest.raises(UsageError, match="is an address"):
            make_plan(["a.jpg"], output=output, side=side)
    assert not (here / "https:").exists()


def test_missing_inputs_are_failures(here):
    plan = make_plan(["a.jpg", "gone.png"])
    assert [job.output.as_posix() for job in make_plan(["a.jpg", "gone.png"], output="new").jobs] == ["new/a.jpg"]
    assert len(plan.jobs) == 1
    assert [failure.reason for failure in plan.failures] == ["does not exist"]


def test_places_that_cannot_be_used(here):
    for output, names in [("list", ["b.png", "in/same.jpg"]), ("list/below/", ["b.png"]), ("/dev/full", ["b.png"])]:
        (here / "list").touch()
        with pytest.raises(OutputError):
            make_plan(names, output=output)
    os.mkfifo(here / "pipe")
    for side in [SideOutputs(report="pipe"), SideOutputs(report="list/x"), SideOutputs(steps="list")]:
        with pytest.raises(OutputError):
            make_plan(["b.png"], side=side)


def test_nothing_to_do(here):
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match="no photos in this folder"):
        make_plan(["empty"])
