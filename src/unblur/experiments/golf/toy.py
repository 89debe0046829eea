"""A prior in the plane, trained as a classifier of sharp and blurry, and as a gradient (Figures 4, 10 to 14).

An "image" is a point u = (u1, u2); it is sharp if u1 + u2 > 0, and its truth is its mirror image in the line between,
(-u2, -u1). One gradient step of the prior should lead from a blurry point to its truth. A classifier gives a prior
whose gradient vanishes where it is sure; a network that is trained on the gradient itself does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor, nn

from unblur.errors import UsageError
from unblur.experiments.comparison import Comparison, compare_value
from unblur.experiments.golf.settings import ToySettings
from unblur.experiments.golf.toy_figures import draw_figures
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.training import train_briefly

__all__ = ["Classifier", "ToyNetworks", "analytic_gradient", "integrate", "mirrored", "run"]

_LEAST_ACCURACY = 0.97
"""A classifier below it failed to train; the next seed takes its place."""
_FAILED = 0.1
"""Mean square error above which a gradient network failed to train: all its rectifiers are 0."""
_IDENTITY_ERROR = 2 / 3
"""Mean square error per element without any step."""
_SPARE = 2
"""Classifiers trained for each that is kept at most."""
_GRID = 101

Points = Float[Tensor, "*s n 2"]
Loss = Callable[["ToyNetworks", Points], Float[Tensor, " s"]]


class ToyNetworks(nn.Module):
    """Networks of 96 parameters each, side by side (Tables 6 and 7): 2, 4, 8, 4, 2 units, the last layer without bias.

    They share nothing: trained together, each gets the weights that it would get alone.

    Args:
        count: Number of networks.
        generator: Source of their weights, drawn as `nn.Linear` does.
    """

    _UNITS = (2, 4, 8, 4, 2)

    def __init__(self, count: int, generator: torch.Generator) -> None:
        super().__init__()
        layers = list(zip(self._UNITS[:-1], self._UNITS[1:], strict=True))
        self.weights = nn.ParameterList([_drawn((count, i, o), i, generator) for i, o in layers])
        self.biases = nn.ParameterList([_drawn((count, 1, o), i, generator) for i, o in layers[:-1]])

    def forward(self, points: Points) -> Float[Tensor, "k n 2"]:
        """Output of each of the k networks for its own points `(k, n, 2)`, or of all for the same `(n, 2)`."""
        values = points.expand(len(self.weights[0]), -1, -1)
        for weight, bias in zip(self.weights, self.biases, strict=False):
            values = torch.baddbmm(bias, values, weight).relu()
        return values @ self.weights[-1]


@dataclass(frozen=True)
class Classifier:
    """Measurements of one trained classifier.

    Attributes:
        accuracy: Share of the test points that it classifies correctly.
        gradient: Median size of the gradient of its probability on blurry test points.
        errors: Mean square error per element of one gradient step, by the function that serves as the prior.
    """

    accuracy: float
    gradient: float
    errors: dict[str, float]


def run(settings: ToySettings, say: Say) -> ExperimentResult:
    """Both priors from several seeds, against the printed errors and the analytic prior.

    Raises:
        UsageError: All networks of one kind failed to train; more seeds are needed.
    """
    say(f"{_SPARE * settings.seeds} classifiers")
    classifiers = _train(settings, _SPARE * settings.seeds, _classification_loss)
    measured = _measure(classifiers, settings)
    good = [place for place, item in enumerate(measured) if item.accuracy >= _LEAST_ACCURACY][: settings.seeds]
    say(f"{settings.seeds} gradient networks")
    networks = _train(settings, settings.seeds, _gradient_loss)
    errors = _step_errors(networks, settings)
    trained = [error for error in errors if error < _FAILED]
    if not good or not trained:
        raise UsageError("all networks of one kind failed to train; give more seeds")
    kept = [measured[place] for place in good]
    best = errors.index(min(errors))
    return ExperimentResult(
        title="A prior learned as a classifier against one learned as a gradient (Figures 4, 10 to 14)",
        figures=draw_figures(
            lambda points: classifiers(points)[good[0]],
            lambda points: networks(points)[best],
            analytic_gradient,
            integrate,
        ),
        tables=(_classifier_table(kept), _gradient_table(errors)),
        comparisons=_compare(kept, trained, settings.seeds),
        notes=(
            "Points are even over the square from -1 to 1; gradient networks are trained on blurry points alone.",
            f"Classifiers below {_LEAST_ACCURACY:.0%} accuracy are replaced by the next seed: "
            f"{sum(item.accuracy < _LEAST_ACCURACY for item in measured)} of {len(measured)} were. "
            f"{settings.seeds - len(trained)} of {settings.seeds} gradient networks failed to train and are left out.",
            f"Without any step the error is {_IDENTITY_ERROR:.3f} per element.",
        ),
    )


def mirrored(points: Points) -> Points:
    """The truth of blurry points: (-u2, -u1)."""
    return -points.flip(-1)


def analytic_gradient(points: Points) -> Points:
    """Gradient of p*(u) = (u1 + u2)² / 2, whose unit step leads to the truth exactly."""
    return points.sum(-1, keepdim=True).expand_as(points)


def integrate(field: Float[Tensor, "n n 2"], spacing: float, *, second_first: bool = False) -> Float[Tensor, "n n"]:
    """The function with this gradient at grid points `[i1, i2]`, by the trapezoid rule; its least value is 0.

    Args:
        field: Gradient along u1 and u2.
        spacing: Between grid points.
        second_first: Go along u2, then u1: the same answer as far as the field has no curl.
    """
    if second_first:
        return integrate(field.transpose(0, 1).flip(-1), spacing).T
    values = _cumulative(field[:, 0, 0], 0, spacing)[:, None] + _cumulative(field[..., 1], 1, spacing)
    return values - values.min()


def _cumulative(values: Tensor, axis: int, spacing: float) -> Tensor:
    total = torch.cumulative_trapezoid(values, dx=spacing, dim=axis)
    return torch.cat([torch.zeros_like(values.narrow(axis, 0, 1)), total], axis)


def _drawn(shape: tuple[int, ...], inputs: int, generator: torch.Generator) -> nn.Parameter:
    bound = inputs**-0.5
    return nn.Parameter((2 * torch.rand(shape, generator=generator) - 1) * bound)


def _train(settings: ToySettings, count: int, loss: Loss) -> ToyNetworks:
    """One pass over the samples, with other samples for each network."""
    generator = torch.Generator().manual_seed(settings.seed)
    networks = ToyNetworks(count, generator)
    optimiser = torch.optim.Adam(networks.parameters(), lr=settings.learning_rate)
    steps = range(settings.samples // settings.batch)
    points = (_random_points((count, settings.batch), generator) for _ in steps)
    train_briefly(optimiser, lambda batch: loss(networks, batch).sum(), points)
    return networks.requires_grad_(False)


def _classification_loss(networks: ToyNetworks, points: Points) -> Tensor:
    chances = networks(points).movedim(-1, 1)
    return F.cross_entropy(chances, _is_blurry(points).long(), reduction="none").mean(-1)


def _gradient_loss(networks: ToyNetworks, points: Points) -> Tensor:
    """f(u) = u~ - u, which is -grad of the prior, on blurry points."""
    blurry = _to_blurry(points)
    return (networks(blurry) - (mirrored(blurry) - blurry)).square().sum(-1).mean(-1)


def _measure(networks: ToyNetworks, settings: ToySettings) -> list[Classifier]:
    points, blurry = _test_points(settings)
    accuracies = (networks(points).argmax(-1) == _is_blurry(points).long()).float().mean(-1)
    square = torch.cartesian_prod(*[torch.linspace(-1, 1, _GRID)] * 2)
    logits = networks(square)[..., 1]
    span = (logits.amax(-1) - logits.amin(-1))[:, None]
    priors: dict[str, Callable[[Tensor], Tensor]] = {
        "probability": lambda values: values.softmax(-1)[..., 1],
        "raw logit": lambda values: values[..., 1],
        "normalised logit": lambda values: values[..., 1] / span,
    }
    steps = {name: _gradient_of(networks, prior, blurry) for name, prior in priors.items()}
    errors = {name: (blurry - step - mirrored(blurry)).square().mean((1, 2)) for name, step in steps.items()}
    flatness = steps["probability"].norm(dim=-1).median(-1).values
    return [
        Classifier(
            float(accuracies[i]), float(flatness[i]), {name: float(values[i]) for name, values in errors.items()}
        )
        for i in range(len(accuracies))
    ]


def _gradient_of(
    networks: ToyNetworks, prior: Callable[[Tensor], Tensor], points: Float[Tensor, "n 2"]
) -> Float[Tensor, "s n 2"]:
    """Gradient of the prior of each network, `(s, n, 2)`."""
    leaves = points.expand(len(networks.weights[0]), -1, -1).clone().requires_grad_(True)
    [gradient] = torch.autograd.grad(prior(networks(leaves)).sum(), leaves)
    return gradient


def _step_errors(networks: ToyNetworks, settings: ToySettings) -> list[float]:
    _, blurry = _test_points(settings)
    return (blurry + networks(blurry) - mirrored(blurry)).square().mean((1, 2)).tolist()


def _test_points(settings: ToySettings) -> tuple[Points, Points]:
    """Points over the whole square, and blurry ones."""
    generator = torch.Generator().manual_seed(settings.seed + 1)
    points = _random_points((settings.tests,), generator)
    return points, _to_blurry(points)


def _random_points(count: tuple[int, ...], generator: torch.Generator) -> Points:
    return 2 * torch.rand(*count, 2, generator=generator) - 1


def _is_blurry(points: Points) -> Tensor:
    return points.sum(-1) <= 0


def _to_blurry(points: Points) -> Points:
    """Sharp points reflected to the blurry side."""
    return torch.where(_is_blurry(points)[..., None], points, mirrored(points))


def _compare(classifiers: list[Classifier], trained: list[float], seeds: int) -> tuple[Comparison, ...]:
    accuracy, flatness = (median(getattr(item, name) for item in classifiers) for name in ("accuracy", "gradient"))
    theirs = median(item.errors["normalised logit"] for item in classifiers)
    ours = median(trained)
    return (
        compare_value("accuracy of the classifier", 0.99, accuracy, within=0.01, neutral=0.5),
        compare_value(
            "error of a step along the classifier's prior",
            0.4849,
            theirs,
            within=0.05,
            neutral=_IDENTITY_ERROR,
            least=0.05,
            note="logit at unit range over the square, per element: the one reading that comes near; ± 10%",
        ),
        compare_value(
            "gradient of the classifier's probability away from the line",
            0,
            flatness,
            within=0.01,
            printed_as="about 0",
            note="median over blurry points; the analytic prior has about 1",
        ),
        compare_value(
            "error of a step of the gradient network",
            2e-3,
            ours,
            within=1e-3,
            neutral=_IDENTITY_ERROR,
            note=f"median of the {len(trained)} of {seeds} that did not fail; smaller is better",
        ),
        compare_value(
            "ratio of the classifier's error to that of the gradient network", 240, theirs / ours, within=120, neutral=1
        ),
    )


def _classifier_table(classifiers: list[Classifier]) -> Table:
    names = list(classifiers[0].errors)
    return Table(
        "classifiers",
        "Classifiers: accuracy, flatness, and mean square error of one step, per element, by prior",
        ["network", "accuracy", "median gradient of the probability", *names],
        [
            [number, item.accuracy, item.gradient, *(item.errors[name] for name in names)]
            for number, item in enumerate(classifiers)
        ],
    )


def _gradient_table(errors: list[float]) -> Table:
    return Table(
        "gradient-networks",
        "Networks trained on the gradient: mean square error of one step, per element, on blurry test points",
        ["network", "error", "trained"],
        [[number, error, "yes" if error < _FAILED else "no"] for number, error in enumerate(errors)],
    )
