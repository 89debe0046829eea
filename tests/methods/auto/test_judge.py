from copy import deepcopy

import pytest
import torch

from unblur.experiments.auto.judge import Measured, fit_judge
from unblur.methods.auto.judge import GainPrediction, Judge, best_of, lower_bound, share_of_answer
from unblur.methods.auto.measures import MEASURES


def photos(count: int, seed: int) -> list[Measured]:
    """Answers whose gain is twice their first measure less their second."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(count):
        rows = torch.rand(3, len(MEASURES), generator=generator)
        gains = (4 * rows[:, 0] - 2 * rows[:, 1]).tolist()
        made.append(Measured("made", [dict(zip(MEASURES, row.tolist(), strict=True)) for row in rows], gains))
    return made


@pytest.fixture(scope="module")
def learned() -> Judge:
    return fit_judge(photos(200, 0), 200)


def test_a_judge_learns_what_decides_the_gain(learned):
    unseen = photos(60, 1)
    predicted = torch.tensor([one.gain for photo in unseen for one in learned.predict(photo.measures)])
    true = torch.tensor([gain for photo in unseen for gain in photo.gains])
    assert float(torch.corrcoef(torch.stack([predicted, true]))[0, 1]) > 0.9


def test_a_judge_goes_on_learning_from_where_it_was(learned):
    judge = deepcopy(learned)  # training changes it
    centre = judge.centre.clone()
    unseen = photos(60, 1)

    def error(one: Judge) -> float:
        gains = [answer.gain for photo in unseen for answer in one.predict(photo.measures)]
        true = [gain for photo in unseen for gain in photo.gains]
        return sum(abs(a - b) for a, b in zip(gains, true, strict=True)) / len(true)

    before = error(judge)
    few = fit_judge(photos(10, 2), 60, rate=1e-3, start=judge)
    assert torch.equal(few.centre, centre)
    assert error(few) < min(2 * before, error(fit_judge(photos(10, 2), 60, rate=1e-3)))


def test_a_measure_that_is_missing_is_an_error():
    with pytest.raises(KeyError):
        Judge(2, 4).predict([{"blur_effect": 0.3}])


def test_measures_far_outside_count_as_those_at_the_edge():
    judge = Judge(2, 4)
    far, farther = (judge.predict([dict.fromkeys(MEASURES, value)])[0] for value in (1e3, 1e6))
    assert far == farther
    assert far.spread > 0


def test_doubt_decides_between_like_answers_and_a_prediction_that_knows_nothing_is_last():
    predictions = [
        GainPrediction(2.0, 3.0),
        GainPrediction(9.0, 5.0),
        GainPrediction(1.9, 0.5),
        GainPrediction(0.5, 0.5),
    ]
    assert best_of(predictions) == [2, 0, 3, 1]
    assert lower_bound(predictions[0], 0.5) == 0.5
    assert lower_bound(predictions[1], 0.0) == -float("inf")


def test_the_less_is_promised_the_more_of_the_photo_stays():
    shares = [share_of_answer(GainPrediction(gain, 1.0)) for gain in (-2.0, 0.5, 1.0, 3.0, 8.0)]
    assert shares == sorted(shares)
    assert shares[0] == 0.7
    assert shares[-1] == pytest.approx(1, abs=0.01)
