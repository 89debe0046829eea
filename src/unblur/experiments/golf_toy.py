"""A prior in the plane: learned by telling sharp from blurry, and learned as a gradient (Figures 4, 10 to 14).

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

from unblur.experiments.golf_settings import ToySettings
from unblur.experiments.golf_toy_figures import draw_figures
from unblur.experiments.outcome import Comparison, Outcome, Say, Table

__all__ = ["Classifier", "analytic_gradient", "integrate", "mirrored", "run", "toy_network"]

_LEAST_ACCURACY = 0.97
"""A classifier below it got stuck and is trained again with another seed."""
_DEAD = 0.1
"""Mean square error above which a gradient network got stuck: all its rectifiers died."""
_GRID = 101

Points = Float[Tensor, "n 2"]


@dataclass(frozen=True)
class Classifier:
    """What is measured of one trained classifier.

    Attributes:
        accuracy: On the test points.
        gradient: Median size of the gradient of its probability on blurry test points.
        errors: Mean square error per element of one gradient step, by what the prior is: the probability, the raw
            logit, the logit brought to unit range over the square.
    """

    accuracy: float
    gradient: float
    errors: dict[str, float]


def run(settings: ToySettings, say: Say) -> Outcome:
    """Both priors from several seeds, against the printed errors and the analytic prior."""
    classifiers, first_classifier, dull = _train_classifiers(settings, say)
    gradients: list[tuple[float, nn.Module]] = []
    for seed in range(settings.seeds):
        network = _train_gradient(settings, seed)
        gradients.append((_step_error(network, _test_points(settings)), network))
        say(f"gradient network {seed + 1} of {settings.seeds}: error {gradients[-1][0]:.2g}")
    alive = [error for error, _ in gradients if error < _DEAD]
    if not classifiers or not alive:
        raise RuntimeError("no network of one kind learned; use more seeds")
    best = min(gradients, key=lambda pair: pair[0])[1]
    normalised = median(item.errors["normalised logit"] for item in classifiers)
    flatness, accuracy = (median(getattr(item, name) for item in classifiers) for name in ("gradient", "accuracy"))
    ours = median(alive)
    return Outcome(
        title="A prior learned as a classifier against one learned as a gradient (Figures 4, 10 to 14)",
        figures=draw_figures(first_classifier, best, analytic_gradient, integrate),
        tables=(
            _classifier_table(classifiers),
            Table(
                "gradient-networks",
                "Networks trained on the gradient: mean square error of one step, per element, on blurry test points",
                ["seed", "error", "learned"],
                [[seed, error, "yes" if error < _DEAD else "no"] for seed, (error, _) in enumerate(gradients)],
            ),
        ),
        comparisons=(
            Comparison("accuracy of the classifier", "0.99", f"{accuracy:.3f}", accuracy >= _LEAST_ACCURACY),
            Comparison(
                "error of a step along the classifier's prior", "0.4849", f"{normalised:.3g}",
                0.2 < normalised < 1.0,
                "logit at unit range over the square; the one reading that comes near the printed value",
            ),
            Comparison(
                "the classifier's probability is flat away from the line", "about 0", f"{flatness:.2g}",
                flatness < 0.01,
                "median size of its gradient on blurry points",
            ),
            Comparison(
                "error of a step of the gradient network", "2e-3", f"{ours:.2g}",
                ours <= 2e-3,
                f"median of the {len(alive)} of {settings.seeds} networks that learned",
            ),
            Comparison(
                "how many times worse the classifier's prior is", "240", f"{normalised / ours:.3g}",
                normalised >= 100 * ours,
            ),
        ),
        notes=(
            "Points are even over the square from -1 to 1. Gradient networks are trained on blurry points alone.",
            f"{dull} classifiers stayed below {_LEAST_ACCURACY:.0%} accuracy and were trained again with another seed; "
            f"{settings.seeds - len(alive)} of {settings.seeds} gradient networks died and are left out of the median.",
            "Doing nothing has an error of 2/3 per element.",
        ),
    )  # fmt: skip


def mirrored(points: Points) -> Points:
    """The truth of blurry points: (-u2, -u1)."""
    return -points.flip(-1)


def analytic_gradient(points: Points) -> Points:
    """Gradient of p*(u) = (u1 + u2)² / 2, whose unit step leads to the truth exactly."""
    return points.sum(-1, keepdim=True).expand(-1, 2)


def toy_network() -> nn.Sequential:
    """96 parameters (Tables 6 and 7): 2, 4, 8, 4, 2 units, the last layer without bias."""
    return nn.Sequential(
        nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2, bias=False)
    )


def integrate(field: Float[Tensor, "n n 2"], spacing: float, *, rows_first: bool = False) -> Float[Tensor, "n n"]:
    """The function with this gradient at grid points `[i1, i2]`, by the trapezoid rule; its least value is 0.

    Args:
        field: Gradient along u1 and u2.
        spacing: Between grid points.
        rows_first: Go along u2 first, then u1: the same answer as far as the field has no curl.
    """
    if rows_first:
        return integrate(field.transpose(0, 1).flip(-1), spacing).T
    along_first = _cumulative(field[:, 0, 0], 0, spacing)
    values = along_first[:, None] + _cumulative(field[..., 1], 1, spacing)
    return values - values.min()


def _cumulative(values: Tensor, axis: int, spacing: float) -> Tensor:
    total = torch.cumulative_trapezoid(values, dx=spacing, dim=axis)
    return torch.cat([torch.zeros_like(values.narrow(axis, 0, 1)), total], axis)


def _train_classifiers(settings: ToySettings, say: Say) -> tuple[list[Classifier], nn.Module, int]:
    """As many as there are seeds that are accurate enough, the first network, and how many were not."""
    found: list[Classifier] = []
    first: nn.Module = nn.Identity()
    seed = 0
    while len(found) < settings.seeds and seed < 3 * settings.seeds:
        network = _train_classifier(settings, seed)
        seed += 1
        measured = _measure(network, settings)
        if measured.accuracy < _LEAST_ACCURACY:
            continue
        first = network if not found else first
        found.append(measured)
        say(f"classifier {len(found)} of {settings.seeds}: accuracy {measured.accuracy:.3f}")
    return found, first, seed - len(found)


def _train_classifier(settings: ToySettings, seed: int) -> nn.Module:
    def loss(network: nn.Module, points: Points) -> Tensor:
        return F.cross_entropy(network(points), _is_blurry(points).long())

    return _train(settings, seed, loss)


def _train_gradient(settings: ToySettings, seed: int) -> nn.Module:
    """Learns f(u) = u~ - u, which is -grad of the prior, on blurry points."""

    def loss(network: nn.Module, points: Points) -> Tensor:
        blurry = _to_blurry(points)
        return (network(blurry) - (mirrored(blurry) - blurry)).square().sum(-1).mean()

    return _train(settings, seed, loss)


def _train(settings: ToySettings, seed: int, loss: Callable[[nn.Module, Points], Tensor]) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = toy_network()
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    for points in _random_points(settings.samples, generator).split(settings.batch):
        optimiser.zero_grad()
        loss(network, points).backward()
        optimiser.step()
    return network.requires_grad_(False)


def _measure(network: nn.Module, settings: ToySettings) -> Classifier:
    points = _random_points(settings.tests, torch.Generator().manual_seed(1 << 20))
    right = network(points).argmax(-1) == _is_blurry(points).long()
    blurry = _test_points(settings)
    priors: dict[str, Callable[[Points], Tensor]] = {
        "probability": lambda at: network(at).softmax(-1)[:, 1],
        "raw logit": lambda at: network(at)[:, 1],
    }
    square = torch.cartesian_prod(*[torch.linspace(-1, 1, _GRID)] * 2)
    logits = priors["raw logit"](square)
    span = float(logits.max() - logits.min())
    priors["normalised logit"] = lambda at: network(at)[:, 1] / span
    steps = {name: _gradient_of(prior, blurry) for name, prior in priors.items()}
    errors = {name: float((blurry - step - mirrored(blurry)).square().mean()) for name, step in steps.items()}
    return Classifier(float(right.float().mean()), float(steps["probability"].norm(dim=-1).median()), errors)


def _gradient_of(function: Callable[[Points], Tensor], points: Points) -> Points:
    leaves = points.clone().requires_grad_(True)
    [gradient] = torch.autograd.grad(function(leaves).sum(), leaves)
    return gradient


def _step_error(network: nn.Module, blurry: Points) -> float:
    return float((blurry + network(blurry) - mirrored(blurry)).square().mean())


def _test_points(settings: ToySettings) -> Points:
    return _to_blurry(_random_points(settings.tests, torch.Generator().manual_seed(1 << 21)))


def _random_points(count: int, generator: torch.Generator) -> Points:
    return 2 * torch.rand(count, 2, generator=generator) - 1


def _is_blurry(points: Points) -> Tensor:
    return points.sum(-1) <= 0


def _to_blurry(points: Points) -> Points:
    """Sharp points reflected to the blurry side."""
    return torch.where(_is_blurry(points)[:, None], points, mirrored(points))


def _classifier_table(classifiers: list[Classifier]) -> Table:
    names = list(classifiers[0].errors)
    return Table(
        "classifiers",
        "Classifiers: accuracy, flatness, and mean square error of one step, per element, by what serves as the prior",
        ["network", "accuracy", "median gradient of the probability", *names],
        [
            [number, item.accuracy, item.gradient, *(item.errors[name] for name in names)]
            for number, item in enumerate(classifiers)
        ],
    )
