"""Words on whether there are enough draws, and on how they were sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import STRATEGY, WTP
from qalyst.report.labels import currency, effect_nouns, strategy_label
from qalyst.report.numbers import money, percent, short

if TYPE_CHECKING:
    from qalyst.analysis import Decided
    from qalyst.decision.convergence import Stability

SURE = 0.001
KINDS = {"sobol": "scrambled Sobol points", "latin": "Latin hypercubes"}


def stability_line(analysis: Decided) -> str:
    """One sentence: how probably more draws change the choice; empty if nothing is known."""
    if not analysis.stability:
        return ""
    if max(each.change_ever for each in analysis.stability) < SURE:
        return "However many draws follow, the choice changes with a probability below 0.1 %."
    parts = [
        f"{percent(each.change_if_doubled)} ({percent(each.change_ever)}) at "
        f"{threshold_words(analysis, each.wtp)}"
        for each in analysis.stability
    ]
    return (
        "Probability that twice as many draws (endlessly many) would change the choice: "
        f"{', '.join(parts)}."
    )


def unsettled(analysis: Decided) -> list[str]:
    """A note for each threshold at which more draws might change the choice."""
    return [_unsettled(analysis, each) for each in analysis.stability if not each.settled]


def _unsettled(analysis: Decided, found: Stability) -> str:
    from qalyst.decision.convergence import LIKELY

    model = analysis.model
    assert found.runner_up is not None
    best, other = (strategy_label(model, name) for name in (found.optimal, found.runner_up))
    words = (
        f"At {threshold_words(analysis, found.wtp)} the draws are too few to tell {best} from "
        f"{other}: with endlessly many the choice would be another with a probability of "
        f"{percent(found.change_ever)}, with twice as many {percent(found.change_if_doubled)}"
    )
    if found.draws_needed is None or analysis.design is not None:
        return f"{words}."
    return (
        f"{words}; about {two_digits(found.draws_needed)} draws bring it below {percent(LIKELY)}."
    )


def design_note(analysis: Decided) -> list[str]:
    """How the draws were sampled, and how many independent ones are as precise."""
    design, psa = analysis.design, analysis.psa
    if design is None or psa is None:
        return []
    words = (
        f"The draws are {KINDS[design.kind]}: {design.replicates} independent replicates of "
        f"{design.points:,}. All Monte Carlo errors are those of the replicates, their intervals "
        f"Student's t with {design.replicates - 1} degrees of freedom."
    )
    parts = []
    for wtp, draws in equivalent_draws(analysis).items():
        place = threshold_words(analysis, wtp)
        parts.append(f"about {two_digits(draws)} independent draws at {place}")
    if parts:
        words += f" The least precise incremental net benefit is as precise as {', '.join(parts)}."
    return [words]


def equivalent_draws(analysis: Decided) -> dict[float, float]:
    """Independent draws with the error of the least precise increment, by threshold.

    The number of independent draws is the variance of a draw over the squared error of the
    replicates: known no better than that error, so to two digits at most.
    """
    if analysis.psa is None or analysis.summary is None:
        return {}
    cost, effect = analysis.psa.total(analysis.cost), analysis.psa.total(analysis.effect)
    comparator = analysis.summary.attrs["comparator"]
    found = {}
    for wtp in analysis.model.decision.thresholds:
        net = wtp * effect - cost
        gain = net - net.sel({STRATEGY: comparator})
        variance = gain.var("draw", ddof=1).to_numpy()
        error = analysis.summary.inmb.sel({WTP: wtp, "statistic": "mcse"}).to_numpy()
        ratios = [v / e**2 for v, e in zip(variance, error, strict=True) if e > 0]
        if ratios:
            found[float(wtp)] = float(np.min(ratios))
    return found


def until_line(until: dict[str, Any], draws: int) -> str:
    """What became of draws that went on until an error was small enough."""
    worst = max(until["errors"], key=lambda each: float(each["error"] / each["allowed"]))
    words = (
        f"Draws until {until['tolerance']}: {draws:,}; the largest Monte Carlo error of an "
        f"incremental net benefit is {short(worst['error'], significant=2)} of "
        f"{short(worst['allowed'], significant=3)} at a threshold of {short(worst['wtp'])}"
    )
    return f"{words}." if until["reached"] else f"{words}: not reached, --most-draws stopped it."


def two_digits(value: float) -> str:
    """A number that is known no better than to two digits.

    >>> two_digits(21802.4)
    '22,000'
    """
    return f"{float(f'{value:.2g}'):,.0f}"


def threshold_words(analysis: Decided, wtp: float) -> str:
    """A threshold with its money and what it buys."""
    code = currency(analysis.model, analysis.cost)
    one = effect_nouns(analysis.model, analysis.effect)[0]
    return f"{money(wtp, code, significant=9)} per {one}"
