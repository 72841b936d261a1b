"""Figures of the value of information."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qalyst.report.drawing import GREY, INK, Drawing, color, new_figure, plain_numbers, wrapped
from qalyst.report.labels import currency, effect_nouns
from qalyst.report.numbers import money
from qalyst.report.value_words import LITTLE

if TYPE_CHECKING:
    from qalyst.analysis import Question
    from qalyst.decision.evppi import Evppi
    from qalyst.information import Information

MOST_BARS, FEWEST_BARS = 20, 5
LETTERS = 34  # of a line of a name


def evppi_bars(
    question: Question, found: Information, labels: Mapping[str, str] | None = None
) -> Drawing:
    """Value of learning each input, and each group, as bars with 95 % intervals.

    Parameters
    ----------
    question : names and units.
    found : values at one threshold.
    labels : name of an input -> what it is called in print; its name if None.
    """
    groups = [(name, value) for name, value in found.groups.items()]
    groups.sort(key=lambda pair: -pair[1].value)
    room = max(MOST_BARS - len(groups), FEWEST_BARS)
    worth = [each for each in found.singles if each.value > LITTLE * found.evpi]
    singles = [(_called(each, labels), each) for each in worth[:room] or found.singles[:1]]
    bars = [*((name, each, 1) for name, each in groups), *((n, e, 0) for n, e in singles)]
    names = [wrapped(name, LETTERS) for name, _, _ in bars]
    lines = sum(1 + name.count("\n") for name in names)
    figure = new_figure(max(2.2, 0.9 + 0.19 * lines + 0.03 * len(bars)))
    axes = figure.add_subplot()
    for place, (_, each, kind) in enumerate(bars):
        low, high = each.interval
        axes.barh(
            place,
            each.value,
            height=0.68,
            color=color(kind),
            alpha=1.0 if each.detected else 0.35,
            hatch="///" if kind else None,
            edgecolor="white",
            linewidth=0,
        )
        axes.plot([low, high], [place, place], color=INK, linewidth=1.1, solid_capstyle="butt")
    axes.axvline(found.evpi, color=GREY, linestyle=(0, (4, 2)), linewidth=1.1)
    axes.annotate(
        "EVPI",
        (found.evpi, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=7.5,
        color=GREY,
    )
    axes.set_yticks(np.arange(len(bars)), names)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1.08 * max([found.evpi, *(e.interval[1] for _, e, _ in bars)]) or 1.0)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    code = currency(question, str(question.decision.cost))
    one = effect_nouns(question, str(question.decision.effect))[0]
    axes.set_xlabel(f"Value of learning it, per person ({code or 'money'})")
    plain_numbers(axes.xaxis)
    left = len(found.singles) - len(singles)
    return Drawing(
        f"evppi_{found.wtp:.10g}",
        "Expected value of partial perfect information at "
        f"{money(found.wtp, code, significant=9)} per {one}; "
        "lines: 95 % intervals; dashed: EVPI; pale: no dependence detected"
        + ("; hatched: groups" if groups else "")
        + (f"; {left} inputs worth less are left out" if left else "")
        + ".",
        figure,
    )


def _called(each: Evppi, labels: Mapping[str, str] | None) -> str:
    return (labels or {}).get(each.name, each.name)
