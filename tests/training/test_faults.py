import csv
import json

import pytest
import torch

from tiny_training import TinyStream
from unblur.errors import ReadError, TrainingError
from unblur.training.checkpoints import list_checkpoints, read_training


def bad(steps: int, first: int = 7) -> dict:
    """The tiny objective with losses that are no numbers."""
    return {
        "objective": {
            "class_path": "tiny_training.TinyObjective",
            "init_args": {"bad_from": first, "bad_steps": steps},
        },
        "max_bad_steps": 3,
    }


def states(runs):
    return [read_training(path) for path in reversed(list_checkpoints(runs.file("checkpoints")))]


def same(one, other) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_a_step_without_a_number_changes_neither_weights_nor_moments(runs):
    runs.start(model=bad(1), trainer={"max_steps": 9}, run={"save_every": 1, "keep": 9})
    by_step = {state["global_step"]: state for state in states(runs)}
    weights = {
        step: {name: value for name, value in state["state_dict"].items() if name.startswith("objective.")}
        for step, state in by_step.items()
    }
    moments = {step: state["optimizer_states"][0]["state"] for step, state in by_step.items()}
    assert same(weights[7], weights[8])
    assert same(moments[7], moments[8])
    assert not same(weights[8], weights[9])
    assert all(value.isfinite().all() for value in by_step[9]["state_dict"].values())
    with runs.file("log.csv").open(encoding="utf-8") as file:
        assert [row["skipped"] for row in csv.DictReader(file)] == ["0.0"] * 7 + ["1.0"] * 2


def test_many_in_a_row_end_the_run_with_the_last_good_weights(runs):
    with pytest.raises(TrainingError, match="3 steps in a row") as caught:
        runs.start(model=bad(50), run={"save_every": 7})
    stream = TinyStream(str(runs.photos))
    assert f"step 10, made of {stream.source(18)}, {stream.source(19)}" in str(caught.value)
    good, last = states(runs)
    assert (good["global_step"], last["global_step"]) == (7, 10)
    for name, value in good["state_dict"].items():
        if name.startswith("objective."):
            assert torch.equal(value, last["state_dict"][name])


def test_two_in_a_row_do_not(runs):
    assert runs.start(model=bad(2)).step == 20


def spoil(runs, count: int, of: int) -> None:
    runs.make_photos(of)
    for path in sorted(runs.photos.iterdir())[:: of // count][:count]:
        path.write_bytes(path.read_bytes()[:40])


def expected_faults(runs, samples: int) -> list[str]:
    """What a walk over the stream meets, replacements included."""
    stream, faults = TinyStream(str(runs.photos)), []
    for index in range(samples):
        for attempt in range(20):
            try:
                stream.sample(index + attempt * 1_000_000_007)
                break
            except ReadError as error:
                faults.append(str(error))
    return faults


def test_bad_photos_are_named_once_and_counted(runs):
    spoil(runs, 5, of=200)
    runs.start(
        data={"max_bad_share": 0.05},
        trainer={"max_steps": 60},
        run={"log_every": 60, "validate_every": 60, "pictures_every": 60},
    )
    faults = expected_faults(runs, 120)
    assert len(faults) > len(set(faults)) > 1
    warned = [warning.partition("left out: ")[2] for warning in runs.warnings]
    assert warned == list(dict.fromkeys(faults))
    [state] = [saved for name, saved in states(runs)[-1]["callbacks"].items() if name.startswith("BadPhotos")]
    assert state["replaced"] == len(faults)


def test_workers_report_bad_photos_like_the_process_itself(runs):
    spoil(runs, 1, of=4)
    settings = {"trainer": {"max_steps": 6}, "run": {"save_every": 3, "validate_every": 6, "pictures_every": 6}}
    runs.start("alone", **settings)
    warned = list(runs.warnings)
    runs.start("helped", **settings, data={"workers": 2})
    assert warned
    assert runs.warnings == warned * 2
    assert runs.file("log.csv", "alone").read_bytes() == runs.file("log.csv", "helped").read_bytes()


def test_more_than_one_in_a_hundred_end_the_run(runs):
    spoil(runs, 1, of=4)
    with pytest.raises(TrainingError, match=r"11 of \d+ samples were of photos that cannot be read \(1 of them\)"):
        runs.start(trainer={"max_steps": 600}, run={"log_every": 100, "save_every": 100})


def test_a_stream_of_bad_photos_alone_ends_the_run_at_once(runs):
    for path in runs.photos.iterdir():
        path.write_bytes(b"no photo")
    with pytest.raises(ReadError, match="20 photos in a row"):
        runs.start()


CHANGES = {
    "lr": (
        {"model": {"optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.02}}}},
        "init_args.lr was 0.01",
    ),
    "batch": ({"data": {"batch_size": 4}}, "data.batch_size was 2, is 4"),
    "clip": ({"model": {"clip_norm": 2.0}}, "model.clip_norm was 1.0, is 2.0"),
    "average": ({"model": {"ema_decay": 0.5}}, "model.ema_decay was 0.9, is 0.5"),
    "seed": ({"run": {"seed": 3}}, "run.seed was 0, is 3"),
    "budget": ({"trainer": {"max_steps": 8}}, "trainer.max_steps was 4, is 8"),
}


@pytest.fixture
def short_run(runs):
    settings = {"trainer": {"max_steps": 4}, "run": {"save_every": 2}}
    runs.start(**settings)
    return runs, settings


@pytest.mark.parametrize("change", CHANGES)
def test_other_settings_are_named_and_refused(short_run, change):
    runs, settings = short_run
    changes, words = CHANGES[change]
    merged = {part: settings.get(part, {}) | changes.get(part, {}) for part in {*settings, *changes}}
    with pytest.raises(TrainingError, match="is of another run") as caught:
        runs.start(**merged)
    assert words in str(caught.value)
    runs.start(**merged, force=True)
    assert any(words in warning for warning in runs.warnings)


def test_other_data_are_named_and_refused(short_run):
    runs, settings = short_run
    runs.make_photos(5)
    with pytest.raises(TrainingError, match=r"data of train was 4 files, \w+, is 5 files"):
        runs.start(**settings)


def test_other_code_is_named_and_refused(runs, monkeypatch):
    module = runs.folder / "own_objective.py"
    module.write_text(
        "from tiny_training import TinyObjective\n\n\nclass Own(TinyObjective):\n    pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(runs.folder)
    settings = {"model": {"objective": {"class_path": "own_objective.Own"}}, "trainer": {"max_steps": 4}}
    runs.start(**settings)
    runs.start(**settings)
    module.write_text(module.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="code of own_objective was"):
        runs.start(**settings)


def test_what_changes_no_weight_may_change(short_run):
    runs, settings = short_run
    runs.start(**settings, data={"workers": 1})
    assert not runs.warnings
    assert len(json.loads(runs.file("run.json").read_text(encoding="utf-8"))["starts"]) == 2
