from functools import partial

import pytest
import torch

from unblur.solvers.proximal import soft_threshold
from unblur.solvers.splitting import SplitVariable

VALUES = torch.linspace(-1, 1, 41, dtype=torch.float64)


def shrunk_by_alternation(relaxation: float, penalties: list[float]) -> torch.Tensor:
    """The minimiser over x of `|x - values|^2 / 2 + 0.3 |v|` where v = x."""
    split, penalty = SplitVariable(VALUES, relaxation), penalties[0]
    for number in penalties:
        split.scale_multiplier(penalty / number)
        penalty = number
        image = (VALUES + penalty * split.wanted) / (1 + penalty)
        split.update(image, partial(soft_threshold, threshold=0.3 / penalty))
    return split.value


@pytest.mark.parametrize("relaxation", [1.0, 1.8])
@pytest.mark.parametrize("penalties", [[0.7] * 200, [0.05] * 10 + [0.2] * 10 + [1.0] * 200])
def test_alternation_ends_at_the_minimiser(relaxation, penalties):
    torch.testing.assert_close(shrunk_by_alternation(relaxation, penalties), soft_threshold(VALUES, 0.3))


def test_what_is_given_stays_as_it_is():
    start, new = VALUES.clone(), VALUES.flip(0).clone()
    split = SplitVariable(start)
    split.update(new, lambda values: values / 2)
    torch.testing.assert_close(start, VALUES)
    torch.testing.assert_close(new, VALUES.flip(0))
