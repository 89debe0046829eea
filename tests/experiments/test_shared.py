"""Photos, figures, scores, settings and the training loop that experiments share."""

import pytest
import torch

from unblur.datasets.blur_settings import LinearBlur, ShakeBlur
from unblur.errors import SettingsError
from unblur.experiments.figures import Line, Panel, draw_bars, draw_images, draw_panels
from unblur.experiments.photos import batches, evenly, kodak_pairs
from unblur.experiments.scores import gain_of, psnr_of
from unblur.experiments.settings import split_names, split_numbers
from unblur.experiments.training import train_briefly


class Numbered:
    """A stream whose samples are their numbers."""

    def sample(self, index: int) -> dict[str, torch.Tensor]:
        return {"blurry": torch.full((3, 2, 2), float(index)), "sharp": torch.zeros(3, 2, 2)}


def test_batches_are_consecutive_samples():
    endless = batches(Numbered(), 2)
    assert [next(endless)["blurry"][:, 0, 0, 0].tolist() for _ in range(3)] == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(("limit", "places"), [(0, [0, 1, 2, 3, 4, 5]), (2, [0, 3]), (9, [0, 1, 2, 3, 4, 5])])
def test_places_are_evenly_spread(limit, places):
    assert evenly(6, limit) == places


def test_kodak_crops_get_their_blurs_in_turn(data_folder, monkeypatch):
    monkeypatch.setenv("UNBLUR_DATA", str(data_folder))
    blurs = [ShakeBlur(kernel_size=5), LinearBlur(kernel_size=9, length_min=7, length_max=7)]
    pairs = kodak_pairs(blurs, 3, 40, seed=1)
    assert [pair.kernel.shape[-1] for pair in pairs] == [5, 9, 5]
    assert [pair.name for pair in pairs] == ["kodim01", "kodim02", "kodim03"]
    assert torch.equal(pairs[0].blurry, kodak_pairs(blurs, 1, 40, seed=1)[0].blurry)
    assert not torch.equal(pairs[0].blurry, kodak_pairs(blurs, 1, 40, seed=2)[0].blurry)


def test_a_training_takes_one_step_a_batch():
    """Gradient descent on (w - b)² with rate r(step): w <- w - 2 r (w - b)."""
    weight = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    optimiser, losses, rates = torch.optim.SGD([weight], lr=99.0), {}, [0.1, 0.25]
    train_briefly(
        optimiser,
        lambda target: (weight - target) ** 2,
        [0.0, 4.0],
        learning_rate=rates.__getitem__,
        after_step=losses.__setitem__,
    )
    assert losses == pytest.approx({1: 1.0, 2: (0.8 - 4) ** 2})
    assert weight.item() == pytest.approx(0.8 - 2 * 0.25 * (0.8 - 4))


def test_scores_of_known_errors():
    sharp = torch.full((1, 3, 40, 40), 0.5)
    assert psnr_of(sharp + 0.1, sharp) == pytest.approx(20, abs=1e-4)
    assert psnr_of(sharp, sharp) == 100
    assert psnr_of(sharp, sharp, limit=60) == 60
    assert psnr_of(sharp + 9, sharp) == pytest.approx(20 * 0.30103, abs=1e-4), "clamped to 1"
    assert gain_of(sharp + 0.01, sharp + 0.1, sharp) == pytest.approx(20, abs=1e-3)


def test_lists_in_settings():
    assert split_names(" a, b,,c ") == ["a", "b", "c"]
    assert split_numbers("0, 1e-3", "rates") == [0, 0.001]
    for wrong in ("", "1,x", "-1", "inf"):
        with pytest.raises(SettingsError, match="rates takes numbers from 0 up"):
            split_numbers(wrong, "rates")


def test_figures_hold_what_they_are_given():
    lines = [Line([1, 2, 3], [4.0, 5.0, 6.0], "rising")]
    figure = draw_panels([Panel(lines, "x", "y", "one", {"level": 4.5}, boundary=2)] * 3, columns=2)
    assert len(figure.axes) == 3
    drawn = figure.axes[0].get_lines()
    assert [list(line.get_ydata()) for line in drawn[:2]] == [[4, 5, 6], [4.5, 4.5]]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["rising", "level"]
    [bars] = draw_bars({"a": 1.0, "b": -2.0}, "dB").axes
    assert [bar.get_width() for bar in bars.patches] == [1, -2]
    grid = draw_images([("photo", torch.rand(1, 3, 4, 6)), ("kernel", torch.rand(1, 1, 5, 5))], columns=2)
    assert [axes.get_title() for axes in grid.axes] == ["photo", "kernel"]
    assert [axes.images[0].get_array().shape for axes in grid.axes] == [(4, 6, 3), (5, 5)]
