"""The figure of the best sequences: net benefit with its interval, each named in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qalyst.report.drawing import (
    Drawing,
    color,
    legend_below,
    marker,
    new_figure,
    plain_numbers,
    wrapped,
)
from qalyst.report.labels import currency, ratio_unit, strategy_label, treatment_label
from qalyst.sensitivity.sequences import ARROW

if TYPE_CHECKING:
    from qalyst.decision.ranking import Ranking
    from qalyst.model.resolved import ResolvedModel

LETTERS = 50  # of a line of a sequence's name


def shared_last(model: ResolvedModel) -> str | None:
    """The treatment that ends every sequence, if there is one and they have others before it."""
    lasts = {row.sequence[-1] for row in model.strategies.values()}
    several = all(len(row.sequence) > 1 for row in model.strategies.values())
    return lasts.pop() if len(lasts) == 1 and several else None


def all_then(model: ResolvedModel) -> str:
    """What ends every sequence, in words that follow "sequences"; empty if nothing does."""
    last = shared_last(model)
    return "" if last is None else f" (all then {_inside(treatment_label(model, last))})"


def _inside(label: str) -> str:
    """A label within a sentence; an abbreviation keeps its letters."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def sequence_label(model: ResolvedModel, name: str) -> str:
    """A sequence in words, without what ends them all."""
    if shared_last(model) is None:
        return strategy_label(model, name)
    return ARROW.join(treatment_label(model, each) for each in model.strategies[name].sequence[:-1])


def top_sequences(model: ResolvedModel, ranking: Ranking, top: int, scope: str = "") -> Drawing:
    """The best sequences from above: mean net monetary benefit, and its 95 % interval over draws.

    Parameters
    ----------
    model : with the sequences as strategies.
    ranking : at one threshold.
    top : how many are drawn.
    scope : of whom, in words; empty for everybody.
    """
    from matplotlib.ticker import MaxNLocator

    assert model.decision.cost is not None
    assert model.decision.effect is not None
    rows = ranking.rows[:top]
    names = [wrapped(sequence_label(model, row.strategy), LETTERS) for row in rows]
    lines = sum(1 + name.count("\n") for name in names)
    figure = new_figure(0.75 + 0.17 * lines + 0.08 * len(rows))
    axes = figure.add_subplot()
    firsts = [model.strategies[row.strategy].sequence[0] for row in rows]
    kinds = [name for name in model.treatments if name in firsts]  # so that a colour stays its own
    positions = list(model.treatments)
    handles = {}
    place = 0.0
    ticks = []
    for row, name, first in zip(rows, names, firsts, strict=True):
        height = 1 + name.count("\n")
        at = place + height / 2
        place += height + 0.5
        ticks.append(at)
        number = positions.index(first)
        axes.plot([row.low, row.high], [at, at], color=color(number), linewidth=2, alpha=0.55)
        handles[first] = axes.plot(
            row.nmb,
            at,
            color=color(number),
            marker=marker(number),
            markersize=5.5,
            linestyle="none",
        )[0]
    axes.set_yticks(ticks, names)
    axes.set_ylim(place, -0.4)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    code = currency(model, model.decision.cost)
    unit = ratio_unit(model, model.decision.cost, model.decision.effect)
    axes.set_xlabel(f"Net monetary benefit per person{f' ({code})' if code else ''}")
    plain_numbers(axes.xaxis)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    if len(kinds) > 1:
        labels = [f"First: {treatment_label(model, name)}" for name in kinds]
        legend_below(figure, [handles[name] for name in kinds], labels)
    of_whom = f" in {scope}" if scope else ""
    return Drawing(
        f"top_sequences_{ranking.wtp:.10g}",
        f"The best {len(rows)} of {len(ranking.rows)} sequences{of_whom}{all_then(model)} at "
        f"{ranking.wtp:,.10g} {unit}: mean net monetary benefit and its 95 % interval over draws. "
        "Draws are shared: sequences differ less than their intervals are wide.",
        figure,
    )
