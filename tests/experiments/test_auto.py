"""The judge's experiment: answers are made once, measured once, learned from and reported."""

import pytest

from unblur.experiments.auto import refiner
from unblur.experiments.auto.answers import read_answer
from unblur.experiments.auto.examples import examples_of
from unblur.experiments.auto.judge import read_measured, run
from unblur.experiments.auto.settings import JudgeSettings, RefinerSettings
from unblur.methods.auto.networks import load_networks
from unblur.weights.checkpoint import read_checkpoint


@pytest.fixture(scope="module")
def finished(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    settings = JudgeSettings(folder=str(folder), count=3, held_out=1, size=96, steps=20)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNBLUR_DATA", str(data_folder))
        result = run(settings, said.append)
        spoken = len(said)
        run(settings, said.append)
    return folder, result, said[:spoken], said[spoken:]


def test_every_photo_is_measured_once(finished):
    folder, _, first, second = finished
    photos = read_measured(folder / "train.jsonl")
    assert [photo.kind for photo in photos] == ["sharp-png", "sharp-jpeg", "shake-5-15"]
    assert all(len(photo.measures) == len(photo.gains) for photo in photos)
    assert any("00000.npz" in line for line in first)
    assert not second, "answers and measures that lie there are not made again"


def test_answers_keep_where_their_kernels_came_from(finished):
    folder, *_ = finished
    answers = read_answer(folder / "train" / "00002.npz")
    assert {one.origin for one in answers.candidates()} >= {"search", "line"}
    assert len(answers.candidates()) == len(answers.kernels) == len(answers.encodings)


def test_a_refiner_learns_from_the_answers_and_the_weights_of_auto_are_written(finished):
    folder, *_ = finished
    examples = list(examples_of(folder / "train", folder / "train.jsonl", several=True, least_gain=-100))
    assert examples
    example = examples[0]
    assert example.answer.shape == example.blurry.shape == example.truth.shape == example.residual.shape
    result = refiner.run(RefinerSettings(folder=str(folder), minutes=0.01, least_gain=-100), lambda _: None)
    assert result.tables[0].rows[-1][0] == "all"
    trained = load_networks(read_checkpoint(folder / "auto.safetensors")).refiner
    before, after = refiner.refined_gain(trained, example)
    assert abs(after - before) < 1


def test_sharp_photos_lose_and_the_tables_say_so(finished):
    folder, result, *_ = finished
    sharp, *_ = read_measured(folder / "train.jsonl")
    assert max(sharp.gains) <= 0
    assert [table.name for table in result.tables] == ["thresholds", "kinds"]
    assert [row[0] for row in result.tables[1].rows] == ["sharp-png"]
