from dataclasses import replace

import pytest
import torch

from planted import draw_picture, plant, psnr, shake
from unblur.datasets.photo_kinds.scenes import code_page, text_page
from unblur.errors import CheckpointError
from unblur.images.tensors import brightness, linear_to_srgb
from unblur.methods.apply import restore, restore_tensor
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.measures import measure_blur_effect
from unblur.methods.auto.verdicts import Verdict
from unblur.methods.kernel_search.search import Candidate, Finding
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.methods.sizes import JUDGED_SIZES

KERNEL = shake(13, 3, (15, 20))


@pytest.fixture(scope="module")
def shaken():
    planted = plant(KERNEL, (140, 150), light="linear")
    return planted, restore_tensor(planted.blurry, load_method("auto"), RestoreOptions(encoding="linear"))


def test_a_shaken_picture_is_restored_and_the_blur_named(shaken):
    planted, answer = shaken
    assert psnr(answer.image, planted.sharp) > planted.psnr + 2
    assert "the same everywhere: map" in answer.facts["found"]
    assert answer.facts["predicted_gain"] > 0.3
    assert answer.kernel is not None
    assert not answer.warnings


@pytest.mark.parametrize("scene", ["drawing", "text", "codes"])
def test_a_sharp_picture_comes_back_as_it_was(scene):
    pages = {"text": text_page, "codes": code_page}
    drawn = draw_picture(140, 150)
    if scene in pages:
        drawn = linear_to_srgb(pages[scene]((260, 300), torch.Generator().manual_seed(7)))
    sharp = (drawn * 255).round() / 255
    answer = restore(sharp)
    assert torch.equal(answer.image, sharp)
    assert answer.facts["found"] == "sharp, or blurred in parts: unchanged"
    assert "is sharp, or only parts" in answer.warnings[0]


def test_lights_at_night_are_not_called_sharp_for_their_edges():
    night = (draw_picture(140, 150) * 51).round() / 255
    lamps = night.clone()
    lamps[..., 40:43, 30:40] = lamps[..., 100:103, 70:90] = 1.0
    method = load_method("auto", {"least_gain": 50.0})  # whatever is found, it is not sure enough
    options = RestoreOptions(encoding="linear", effort="fast")
    said = [restore_tensor(photo, method, options).warnings[0] for photo in (night, lamps)]
    assert said[0].startswith("the photo is sharp")
    assert said[1].startswith("no blur was found that is sure")


def test_force_restores_what_would_be_refused(monkeypatch):
    planted = plant(KERNEL, (100, 110), light="linear")
    method = load_method("auto", {"least_gain": 50.0})
    calm = restore_tensor(planted.blurry, method, RestoreOptions(encoding="linear", effort="fast"))
    forced = restore_tensor(planted.blurry, method, RestoreOptions(encoding="linear", effort="fast", force=True))
    assert torch.equal(calm.image, planted.blurry)
    assert not torch.equal(forced.image, planted.blurry)


def test_an_answer_that_promises_little_is_mixed_with_the_photo():
    planted = plant(KERNEL, (100, 110), light="linear")
    auto = load_method("auto")
    promised = auto.verdicts.judge.predict
    auto.verdicts.judge.predict = lambda answers: [one._replace(gain=1.0, spread=0.1) for one in promised(answers)]
    options = RestoreOptions(encoding="linear", effort="fast")
    mixed, forced = (restore_tensor(planted.blurry, auto, replace(options, force=force)) for force in (False, True))
    share = mixed.facts["share"]
    assert 0.7 <= share < 0.8
    torch.testing.assert_close(mixed.image, torch.lerp(planted.blurry, forced.image, share), atol=5e-3, rtol=0)
    assert forced.facts["share"] == 1


def test_an_answer_must_hold_all_over_the_photo(monkeypatch):
    """Where it was judged, the photo is blurred; what lies beside that may be sharp."""
    verdicts = load_method("auto").verdicts
    planted = plant(KERNEL, (140, 150), light="linear")
    found = Verdict((Candidate(KERNEL, "linear"),), (GainPrediction(3.0, 0.5),))
    sharp_until = (measure_blur_effect(brightness(planted.sharp)) + measure_blur_effect(brightness(planted.blurry))) / 2

    def predict(answers):
        return [GainPrediction(3.0 if one["blur_effect"] > sharp_until else -6.0, 0.1) for one in answers]

    monkeypatch.setattr(verdicts.judge, "predict", predict)
    beside = {"blurred": planted.blurry, "sharp": planted.sharp}
    photos = {name: torch.cat([planted.blurry, other], -1) for name, other in beside.items()}
    at_once = verdicts.look_all_over(found, found, photos["sharp"], RestoreOptions())
    assert at_once.all_over is None, "it was judged on all of so small a photo"
    monkeypatch.setattr("unblur.methods.auto.verdicts._SAMPLE", 20_000)
    both = {name: verdicts.look_all_over(found, found, photo, RestoreOptions()) for name, photo in photos.items()}
    assert verdicts.is_enough(both["blurred"])
    assert both["blurred"].facts()["predicted_all_over"] == 3
    assert not verdicts.is_enough(both["sharp"])
    assert -6 < both["sharp"].all_over < -3
    refined = replace(found, predictions=(GainPrediction(5.0, 0.5),), is_refined=True)
    assert verdicts.look_all_over(refined, found, photos["blurred"], RestoreOptions()).all_over == pytest.approx(5)


def test_a_blur_of_hardly_a_pixel_is_not_removed():
    verdicts, sure = load_method("auto").verdicts, (GainPrediction(5.0, 0.5),)
    slight = torch.zeros(1, 1, 3, 3)
    slight[..., 1, :] = torch.tensor([0.04, 0.92, 0.04])
    assert not verdicts.is_enough(Verdict((Candidate(slight, "linear"),), sure))
    assert verdicts.is_enough(Verdict((Candidate(KERNEL, "linear"),), sure))


def test_doubtful_answers_are_not_looked_at_once_more(monkeypatch):
    verdicts = load_method("auto").verdicts
    monkeypatch.setattr("unblur.methods.auto.verdicts._SAMPLE", 2_000)
    doubtful = Verdict((Candidate(KERNEL, "linear"),), (GainPrediction(-1.0, 0.5),))
    assert verdicts.look_all_over(doubtful, doubtful, draw_picture(100, 100), RestoreOptions()) is doubtful


@pytest.mark.parametrize(("is_short", "sizes"), [(True, [(680, 700)]), (False, [(340, 350), (680, 700)])])
def test_a_photo_of_half_a_megapixel_is_looked_at_once_where_its_blur_is_short(monkeypatch, is_short, sizes):
    sharp, auto = draw_picture(680, 700), load_method("auto")
    doubled = (sharp + sharp.roll((20, 20), (-2, -1))) / 2  # as sharp at half the size
    seen: list[tuple[int, ...]] = []

    def find(photo: torch.Tensor, *_: object) -> Verdict:
        seen.append(tuple(photo.shape[-2:]))
        return Verdict((Candidate(KERNEL, "linear"),), (GainPrediction(-3.0, 0.5),))

    monkeypatch.setattr(auto.verdicts, "find", find)
    auto.estimate(torch.nn.functional.avg_pool2d(sharp, 5, 1, 2) if is_short else doubled, RestoreOptions())
    assert seen == sizes


def test_blur_of_no_certain_kind_goes_to_the_network_that_is_there(monkeypatch):
    from unblur.methods.auto import method as module

    soft = torch.nn.functional.avg_pool2d(draw_picture(100, 100), 9, 1, 4)
    auto = load_method("auto", {"network": "golf"})
    monkeypatch.setattr(auto.verdicts.judge, "predict", lambda answers: [GainPrediction(-3.0, 0.1) for _ in answers])
    answer = restore_tensor(soft, auto, RestoreOptions(effort="fast"))
    assert answer.facts["found"] == "blur that varies or is of no certain kind: golf"
    assert torch.allclose(answer.image, restore_tensor(soft, load_method("golf")).image, atol=1e-5)

    def absent(name: str) -> None:
        raise CheckpointError("not here")

    monkeypatch.setattr(module, "choose_weights", absent)
    refused = restore_tensor(soft, auto, RestoreOptions(effort="fast"))
    assert torch.equal(refused.image, soft)
    assert "unblur weights get golf" in refused.warnings[0]


def test_a_photo_of_one_tone_is_left_alone():
    grey = torch.full((1, 3, 64, 64), 0.5)
    answer = restore(grey)
    assert torch.equal(answer.image, grey)
    assert answer.warnings


@pytest.mark.parametrize(
    ("large", "effort", "count"), [(20_000, "normal", 2), (9_000, "normal", 1), (9_000, "best", 2)]
)
def test_at_a_larger_size_only_the_best_effort_searches_encoded_values(monkeypatch, large, effort, count):
    soft = torch.nn.functional.avg_pool2d(draw_picture(100, 100), 9, 1, 4)
    verdicts = load_method("auto").verdicts
    monkeypatch.setattr(verdicts.judge, "predict", lambda answers: [GainPrediction(-3.0, 0.1) for _ in answers])
    monkeypatch.setattr("unblur.methods.auto.verdicts.JUDGED_SIZES", replace(JUDGED_SIZES, large=large))
    asked: list[str] = []

    def find(grey: torch.Tensor, encoding: str, *_: object) -> Finding:
        asked.append(encoding)
        return Finding(shake(5, 1), encoding, candidates=(Candidate(shake(5, 1), encoding),))

    for name in ("find_candidates", "find_large_candidates"):
        monkeypatch.setattr(f"unblur.methods.auto.verdicts.{name}", find)
    verdicts.find(soft, RestoreOptions(effort=effort))
    assert list(dict.fromkeys(asked)) == ["linear", "encoded"][:count]


@pytest.mark.parametrize(("effort", "searches"), [("fast", 0), ("normal", 1)])
def test_a_fast_search_has_no_large_box(monkeypatch, effort, searches):
    """The photo is one that no kernel is sure to help and that does not look sharp."""
    soft = torch.nn.functional.avg_pool2d(draw_picture(100, 100), 9, 1, 4)
    auto = load_method("auto")
    monkeypatch.setattr(auto.verdicts.judge, "predict", lambda answers: [GainPrediction(-3.0, 0.1) for _ in answers])
    asked: list[object] = []

    def find(*arguments: object) -> Finding:
        asked.append(arguments)
        return Finding(torch.ones(1, 1, 1, 1), "linear")

    monkeypatch.setattr("unblur.methods.auto.verdicts.find_large_candidates", find)
    restore_tensor(soft, auto, RestoreOptions(encoding="linear", effort=effort))
    assert len(asked) == searches
