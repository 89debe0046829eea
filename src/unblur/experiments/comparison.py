"""Printed values beside our own: a stated tolerance and one of five verdicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unblur.metrics.catalog import Better

__all__ = ["Comparison", "Verdict", "compare_direction", "compare_value"]

Verdict = Literal["better", "matches", "same direction", "differs", "cannot be said"]
"""`better`: beyond the tolerance of the printed value, on the side that is known to be better. `matches`: within it.
`same direction`: an effect of the same sign, of another or of no printed size. `cannot be said`: nothing printed,
nothing measured, other data or hardware, or too small an effect."""


@dataclass(frozen=True)
class Comparison:
    """One statement of a paper and the result here. `compare_value` and `compare_direction` decide the verdict.

    Attributes:
        claim: What is compared.
        printed: The value or the words of the paper.
        ours: The value measured here.
        tolerance: What counts as a match or as the same direction; empty where nothing is decided.
        verdict: See `Verdict`.
        note: A reason, or what differs between both.
    """

    claim: str
    printed: str
    ours: str
    tolerance: str = ""
    verdict: Verdict = "cannot be said"
    note: str = ""


def compare_value(
    claim: str,
    printed: float,
    ours: float | None,
    *,
    within: float,
    neutral: float | None = None,
    least: float = 0.0,
    better: Better | None = None,
    unit: str = "",
    form: str = ".3g",
    printed_as: str = "",
    note: str = "",
) -> Comparison:
    """A printed number and ours.

    Args:
        claim: What is compared.
        printed: The number of the paper.
        ours: The number measured here; None or nan: not measured.
        within: Largest difference of a match.
        neutral: Value that stands for no effect; None: a number that does not match differs.
        least: Smallest distance from `neutral` that is an effect; anything smaller counts as none.
        better: Which values are better; None: neither, so no number gets the verdict `better`.
        unit: Unit of all these numbers.
        form: Format of both numbers.
        printed_as: Words in place of the printed number, where it stands for words.
        note: A reason, or what differs between both.
    """
    tolerance = f"± {_with_unit(f'{within:.3g}', unit)}"
    if neutral is not None:
        beyond = f"{_with_unit(f'{least:.3g}', unit)} or more from " if least else "from "
        tolerance += f"; direction: {beyond}{neutral:.3g}"
    words = "not measured" if ours is None or math.isnan(ours) else _with_unit(f"{ours:{form}}", unit)
    verdict = _judge_value(printed, ours, within, neutral, least, better=better)
    return Comparison(claim, printed_as or _with_unit(f"{printed:{form}}", unit), words, tolerance, verdict, note)


def compare_direction(
    claim: str,
    printed: str,
    effect: float | None,
    *,
    least: float,
    unit: str = "dB",
    form: str = "+.2f",
    ours: str = "",
    note: str = "",
) -> Comparison:
    """An effect that the paper describes or shows without a number, and ours.

    Args:
        claim: What is compared.
        printed: The words of the paper.
        effect: Its size here, positive in the direction of the paper; None or nan: not measured.
        least: Smallest effect that counts, in either direction; anything smaller counts as none.
        unit: Unit of both numbers.
        form: Format of the effect.
        ours: Words in place of the effect.
        note: A reason, or what differs between both.
    """
    size = f"{least:.3g}" if "%" not in form else f"{least:.0%}"
    tolerance = f"{_with_unit(size, unit)} or more"
    if effect is None or math.isnan(effect):
        return Comparison(claim, printed, ours or "not measured", tolerance, note=note)
    verdict: Verdict = "cannot be said"
    if abs(effect) >= least:
        verdict = "same direction" if effect > 0 else "differs"
    return Comparison(claim, printed, ours or _with_unit(f"{effect:{form}}", unit), tolerance, verdict, note)


def _judge_value(
    printed: float,
    ours: float | None,
    within: float,
    neutral: float | None,
    least: float,
    *,
    better: Better | None,
) -> Verdict:
    if ours is None or math.isnan(ours):
        return "cannot be said"
    if abs(ours - printed) <= within:
        return "matches"
    if better is not None and (ours > printed) == (better == "higher"):
        return "better"
    if neutral is None:
        return "differs"
    if abs(ours - neutral) <= least:
        return "cannot be said"
    return "same direction" if (ours > neutral) == (printed > neutral) else "differs"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}".rstrip()
