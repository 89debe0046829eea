"""The judge's experiment: answers are made once, measured once, learned from and reported."""

from dataclasses import replace
from typing import NoReturn

import pytest
import torch

from conftest import search_quickly
from unblur.datasets.photo_kinds.kinds import photo_kinds
from unblur.datasets.photos import bsds500
from unblur.errors import SettingsError
from unblur.experiments.auto import answers, refiner
from unblur.experiments.auto.answers import kind_of, read_answer
from unblur.experiments.auto.bursts import burst_examples
from unblur.experiments.auto.examples import examples_of, known_examples
from unblur.experiments.auto.judge import _divide, run
from unblur.experiments.auto.measured import make_and_measure, read_measured, read_refined
from unblur.experiments.auto.processing import Processing, draw_processing
from unblur.experiments.auto.settings import AnswerSettings, JudgeSettings, RefinerSettings
from unblur.methods.auto.networks import load_networks
from unblur.weights.checkpoint import read_checkpoint


@pytest.fixture(scope="module")
def finished(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    settings = JudgeSettings(folder=str(folder), count=3, held_out=1, size=96, steps=20, second_steps=5, second_from=2)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNBLUR_DATA", str(data_folder))
        search_quickly(patch)
        result = run(settings, said.append)
        spoken = len(said)
        run(settings, said.append)
    return folder, result, said[:spoken], said[spoken:]


def test_every_photo_is_measured_once(finished):
    folder, _, first, second = finished
    photos = list(read_measured(folder, "train").values())
    assert [photo.kind for photo in photos] == ["sharp-png", "sharp-jpeg", "shake-5-15"]
    assert all(len(photo.measures) == len(photo.gains) for photo in photos)
    assert any("00000.npz" in line for line in first)
    assert len(second) == 1, "answers and measures that lie there are not made again"


def test_answers_keep_where_their_kernels_came_from(finished):
    folder, *_ = finished
    found = read_answer(folder / "train" / "00002.npz")
    assert {one.origin for one in found.candidates()} >= {"search", "line"}
    assert len(found.candidates()) == len(found.kernels) == len(found.encodings)


def test_what_was_searched_makes_the_answers_again_without_a_search(finished, data_folder, tmp_path, monkeypatch):
    folder, *_ = finished
    monkeypatch.setenv("UNBLUR_DATA", str(data_folder))

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("searched again")

    monkeypatch.setattr(answers, "find_candidates", refuse)
    settings = AnswerSettings(folder=str(tmp_path), count=3, held_out=1, size=96, searched=str(folder / "searched.npz"))
    make_and_measure(settings, lambda _: None)
    before, after = (read_answer(place / "train" / "00002.npz") for place in (folder, tmp_path))
    assert after.origins == before.origins
    assert torch.equal(after.blurry, before.blurry)
    torch.testing.assert_close(after.kernels, before.kernels, atol=1e-5, rtol=1e-3)

    only = replace(settings, folder=str(tmp_path / "only"), count=9, only_searched=True)
    make_and_measure(only, lambda _: None)
    assert list(read_measured(tmp_path / "only", "train")) == list(read_measured(folder, "train"))

    with pytest.raises(AssertionError, match="searched again"):  # other photos: nothing is known of them
        make_and_measure(replace(settings, folder=str(tmp_path / "other"), size=100), lambda _: None)


def test_each_judge_has_photos_of_its_own(finished):
    folder, result, *_ = finished
    assert "The first judge learned from 2 photos, the second from 1." in result.notes[0]
    with pytest.raises(SettingsError, match="second_from=9 leaves no photo"):
        _divide(folder, 9)
    with pytest.raises(SettingsError, match="start=shipped"):
        JudgeSettings(steps=0)


def test_only_what_was_searched_needs_a_file_of_it():
    with pytest.raises(SettingsError, match="searched=FILE"):
        JudgeSettings(only_searched=True)


def test_a_refiner_learns_from_the_answers_and_the_weights_of_auto_are_written(finished):
    folder, *_ = finished
    examples = list(examples_of(folder, "train", several=True, least_gain=-100))
    assert examples
    example = examples[0]
    assert example.answer.shape == example.blurry.shape == example.truth.shape == example.residual.shape
    result = refiner.run(
        RefinerSettings(
            folder=str(folder), count=3, held_out=1, size=96, minutes=0.01, least_gain=-100, known=4, of_bursts=0
        ),
        lambda _: None,
    )
    assert result.tables[0].rows[-1][0] == "all"
    left = [folder / f"train-{what}.jsonl" for what in ("refined", "second")]
    assert not any(file.exists() for file in left), "gains of the earlier refiner are measured again"
    again = JudgeSettings(
        folder=str(folder), count=3, held_out=1, size=96, steps=0, start="shipped", second_steps=5, second_from=2
    )
    run(again, lambda _: None)
    trained = load_networks(read_checkpoint(folder / "auto.safetensors")).refiner
    before, after = refiner.refined_gain(trained, example)
    assert abs(after - before) < 1


def test_sharp_photos_lose_and_the_tables_say_so(finished):
    folder, result, *_ = finished
    sharp, *_ = read_refined(folder, "train")
    assert max(sharp.gains) <= 0
    names = ["first-thresholds", "first-kinds", "second-thresholds", "second-kinds"]
    assert [table.name for table in result.tables] == names
    assert [row[0] for row in result.tables[1].rows] == ["sharp-png"]


def test_processing_changes_the_photo_as_it_says_and_the_truth_only_in_size():
    photo = torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(0))
    truth = torch.full_like(photo, 0.5)
    same, still = Processing().apply(photo, truth)
    assert (same - photo).abs().max() <= 0.5 / 255 + 1e-6
    noise = {
        "nothing": same,
        "denoised": Processing(denoising=1.0).apply(photo, truth)[0],
        "sharpened": Processing(sharpening=0.8).apply(photo, truth)[0],
    }
    spread = {name: float(torch.diff(image, dim=-1).abs().mean()) for name, image in noise.items()}
    assert spread["denoised"] < spread["nothing"] < spread["sharpened"]
    smaller, with_it = Processing(size=0.5, chroma_blur=1.0, quality=90).apply(photo, truth)
    assert smaller.shape == with_it.shape == (1, 3, 20, 24)
    assert (with_it - 0.5).abs().max() < 0.01
    assert (still - 0.5).abs().max() < 0.01


def test_half_of_the_photos_are_processed_and_each_draw_is_repeated_by_its_seed():
    drawn = [draw_processing(torch.Generator().manual_seed(seed)) for seed in range(200)]
    assert 60 < sum(one != Processing() and one.size + one.quality + one.denoising != 1 for one in drawn) < 140
    assert drawn[7] == draw_processing(torch.Generator().manual_seed(7))


def test_pages_of_text_and_codes_under_camera_shake_are_among_the_others(data_folder):
    kinds = photo_kinds(data_folder)
    names = list(kinds)
    turns = [kind_of(names.index("text") + turn * len(names), kinds) for turn in range(8)]
    assert [name for name, _ in turns] == ["text"] * 8
    assert [kind == kinds["text"] for _, kind in turns] == [True, False, True, False] * 2
    assert [kind.scene for _, kind in turns] == ["text", "text", "text", "codes"] * 2
    sharp = [kind_of(turn * len(names) + names.index("sharp-png"), kinds)[1] for turn in range(4)]
    assert [kind.scene for kind in sharp] == ["photo", "text", "photo", "codes"]
    assert all(kind.blur is None for kind in sharp)
    assert all(kind_of(number, kinds) == (name, kinds[name]) for number, name in enumerate(names))


def test_answers_with_true_kernels_are_as_many_as_asked_for(data_folder):
    kinds = {name: photo_kinds(data_folder)[name] for name in ("sharp-png", "moving", "overlay", "shake-5-15", "text")}
    known = list(known_examples(bsds500(data_folder, "train"), kinds, count=3, size=96))
    assert [example.kind for example in known] == ["shake-5-15", "text", "shake-5-15"]
    assert min(example.gain for example in known) > -1


@pytest.mark.slow
def test_every_photo_of_a_burst_is_an_example_beside_one_image(data_folder):
    photos, kinds = bsds500(data_folder, "train"), photo_kinds(data_folder)
    examples = list(burst_examples(photos, kinds, count=3, size=200))
    assert len(examples) == 3
    assert all(torch.equal(one.answer, examples[0].answer) for one in examples)
    assert not torch.equal(examples[0].blurry, examples[1].blurry)
    assert all(one.gain > 0 and one.answer.shape == one.residual.shape == one.truth.shape for one in examples)
