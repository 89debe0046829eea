import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import tiny_training
from tiny_training import TinyObjective
from unblur.errors import DataError, SettingsError, TrainingError
from unblur.training.checkpoints import list_checkpoints, read_training
from unblur.training.run import _RecordKeeper
from unblur.weights.checkpoint import read_checkpoint

SHORT = {"trainer": {"max_steps": 4}, "run": {"save_every": 2, "validate_every": 4, "pictures_every": 4}}

STREAM = {"class_path": "unblur.datasets.streams.UniformBlurStream", "init_args": {"photos": "photos"}}


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_learns_and_leaves_what_it_promises(runs):
    outcome = runs.start()
    assert outcome.step == 20
    assert not runs.warnings
    log = rows(runs.file("log.csv"))
    assert [int(row["step"]) for row in log] == list(range(1, 21))
    assert float(log[-1]["loss"]) < float(log[0]["loss"]) / 2
    assert [int(row["step"]) for row in rows(runs.file("scores.csv"))] == [10, 20]
    assert [path.name for path in list_checkpoints(runs.file("checkpoints"))] == [
        "step-000000020.ckpt",
        "step-000000015.ckpt",
        "step-000000010.ckpt",
    ]
    assert any(runs.file("tensorboard").iterdir())
    assert runs.lines[-1].startswith("done after step 20")


def test_the_exported_weights_are_the_averaged_ones(runs):
    path = runs.start().weights
    weights = read_checkpoint(path)
    state = read_training(list_checkpoints(runs.file("checkpoints"))[0])["state_dict"]
    assert weights.metadata["method"] == "tiny"
    assert weights.metadata["steps"] == "20"
    for name, tensor in weights.tensors.items():
        assert torch.equal(tensor, state[f"average.average.{name}"])
        assert not torch.equal(tensor, state[f"objective.network.{name}"])
    TinyObjective().network.load_state_dict(dict(weights.tensors))


def test_the_card_and_the_record_say_how_the_weights_came_about(runs):
    path = runs.start(run={"trained_on": "four small pictures", "licence": "cc0-1.0"}).weights
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    record = json.loads(runs.file("run.json").read_text(encoding="utf-8"))["starts"][0]
    for words in ("four small pictures", "license: cc0-1.0", "20 steps, 40 samples", record["hardware"], "psnr"):
        assert words in card
    assert record["settings"]["model.optimizer.init_args.lr"] == 0.01
    assert record["versions"]["torch"] == torch.__version__


def test_any_number_of_workers_gives_the_same_run(runs):
    runs.start("alone", **SHORT)
    runs.start("helped", **SHORT, data={"workers": 2})
    for name in ("log.csv", "scores.csv", "tiny.safetensors"):
        assert runs.file(name, "alone").read_bytes() == runs.file(name, "helped").read_bytes()


def test_validation_does_not_disturb_the_run(runs):
    runs.start("often", **SHORT | {"run": SHORT["run"] | {"validate_every": 1}})
    runs.start("never", **SHORT, data={"validation": None})
    assert runs.file("log.csv", "often").read_bytes() == runs.file("log.csv", "never").read_bytes()


def test_a_finished_run_has_nothing_to_do(runs):
    runs.start(**SHORT)
    before = {path.name: path.read_bytes() for path in runs.folder.glob("run/*.csv")}
    assert runs.start(**SHORT).step == 4
    assert {path.name: path.read_bytes() for path in runs.folder.glob("run/*.csv")} == before


def test_it_stops_when_the_score_gets_no_better(runs):
    settings = {"validate_every": 2, "pictures_every": 20, "monitor": "psnr", "min_change": 100.0, "patience": 3}
    assert runs.start(run=settings).step == 8
    assert "has not improved in 3 validations" in " ".join(runs.lines)
    assert runs.start(run=settings).step == 8


def test_an_unknown_score_cannot_decide(runs):
    with pytest.raises(SettingsError, match=r"'ssim', but validation gives: psnr"):
        runs.start(run={"validate_every": 2, "pictures_every": 20, "monitor": "ssim"})


def test_weights_are_projected_after_each_step(runs):
    runs.start(
        trainer={"max_steps": 3}, model={"optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 2}}}
    )
    state = read_training(list_checkpoints(runs.file("checkpoints"))[0])["state_dict"]
    assert float(state["objective.network.0.weight"].abs().max()) == 0.5


def test_beginning_anew_needs_a_folder_of_its_own(runs):
    runs.start(**SHORT)
    log = runs.file("log.csv").read_bytes()
    with pytest.raises(TrainingError, match="there is a run in this folder"):
        runs.start(**SHORT, resume="never")
    runs.start(**SHORT, resume="never", force=True)
    assert runs.file("log.csv").read_bytes() == log


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"batch_size": 0}}, "batch_size"),
        ({"data": {"batch_size": "many"}}, "data.batch_size takes a whole number, not 'many'"),
        ({"data": {"train": STREAM}}, "data.train.photos takes a list, [A, B], not 'photos'"),
        ({"data": {"train": {"class_path": "no.Such"}}}, "data.train: there is no class 'no.Such'"),
        ({"model": {"schedule": "fast"}}, "model.schedule cannot be 'fast'"),
        ({"data": {"batches": 3}}, "batches"),
        ({"trainer": {"max_steps": -1}}, "max_steps"),
        ({"trainer": {"precision": "16-mixed"}}, "bf16-mixed"),
        ({"trainer": {"gradient_clip_val": 1.0}}, "gradient_clip_val"),
        ({"model": {"objective": {"class_path": "torch.nn.ReLU"}}}, "ReLU is no objective"),
        ({"model": {"objective": {"class_path": "tiny_training.Nothing"}}}, "Nothing"),
        ({"model": {"objective": {"class_path": "tiny_training.TinyStream"}}}, "TinyStream"),
        ({"model": {"ema_decay": 1.0}}, "ema_decay"),
        ({"run": {"keep": 1}}, "run.keep"),
        ({"run": {"pictures_every": 15}}, "pictures_every"),
    ],
)
def test_bad_recipes_are_refused_in_one_sentence(runs, changes, words):
    with pytest.raises(SettingsError) as caught:
        runs.start(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_photos_keep_their_own_error(runs):
    with pytest.raises(DataError):
        runs.start(data={"train": {"class_path": "tiny_training.TinyStream", "init_args": {"photos": "nowhere"}}})


@pytest.mark.slow
def test_two_processes_share_the_samples_of_a_step(runs):
    plain = SHORT | {
        "model": {"objective": {"class_path": "tiny_training.TinyObjective", "init_args": {"dropout": 0.0}}}
    }
    words = ["train", str(runs.recipe(**plain)), "--out", str(runs.folder / "both"), "--trainer.devices=2"]
    path = os.pathsep.join([str(Path(tiny_training.__file__).parent), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-m", "unblur.cli.main", *words, "--trainer.strategy=ddp"],
        check=True,
        capture_output=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
    )
    assert "4 steps, 16 samples" in runs.file("tiny.md", "both").read_text(encoding="utf-8")
    alone = runs.start("alone", data={"batch_size": 4}, **plain).weights
    both = dict(read_checkpoint(runs.file("tiny.safetensors", "both")).tensors)
    for name, weight in read_checkpoint(alone).tensors.items():
        assert torch.allclose(weight, both[name], atol=1e-5)
    curves = [rows(runs.file("log.csv", run)) for run in ("alone", "both")]
    for one, other in zip(*curves, strict=True):
        for column in ("loss", "image", "bias", "gradient"):
            assert float(one[column]) == pytest.approx(float(other[column]), rel=1e-4, abs=1e-6), column
    with pytest.raises(TrainingError, match=r"is of another run: .*trainer.devices"):
        runs.start("both", data={"batch_size": 4}, **plain)
    longer = plain | {"trainer": {"max_steps": 6}}
    assert runs.start("both", data={"batch_size": 4}, force=True, **longer).step == 6


def test_parts_of_a_batch_teach_what_the_whole_does(runs):
    """Four samples in parts of two, one and one."""
    model = {"objective": {"class_path": "tiny_training.TinyObjective", "init_args": {"dropout": 0.0}}}
    settings = SHORT | {"data": {"batch_size": 4}}
    whole = read_checkpoint(runs.start("whole", **settings, model=model).weights).tensors
    divided = read_checkpoint(runs.start("parts", **settings, model=model | {"accumulate": 3}).weights).tensors
    assert all(torch.allclose(weight, divided[name], atol=1e-5) for name, weight in whole.items())
    for one, other in zip(*(rows(runs.file("log.csv", run)) for run in ("whole", "parts")), strict=True):
        assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-4)


def test_mixed_precision_learns_the_same(runs):
    model = {"objective": {"class_path": "tiny_training.TinyObjective", "init_args": {"dropout": 0.0}}}
    runs.start("full", **SHORT, model=model)
    runs.start("half", **SHORT | {"trainer": SHORT["trainer"] | {"precision": "bf16-mixed"}}, model=model)
    full, half = ([float(row["loss"]) for row in rows(runs.file("log.csv", run))] for run in ("full", "half"))
    assert full != half
    assert half == pytest.approx(full, rel=0.1)


def test_another_number_of_processes_is_refused():
    """As `devices: auto` can come to on another machine, where no setting tells."""
    keeper = _RecordKeeper({}, force=False)
    checkpoint = {}
    keeper.on_save_checkpoint(SimpleNamespace(world_size=2), None, checkpoint)
    keeper.on_load_checkpoint(SimpleNamespace(world_size=2), None, checkpoint)
    with pytest.raises(TrainingError, match=r"of a run of 2 process\(es\), and this one has 1; give trainer.devices 2"):
        keeper.on_load_checkpoint(SimpleNamespace(world_size=1), None, checkpoint)
    _RecordKeeper({}, force=True).on_load_checkpoint(SimpleNamespace(world_size=1), None, checkpoint)
