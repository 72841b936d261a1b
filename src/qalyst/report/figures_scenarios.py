"""Dots of incremental net benefit by scenario or point, and bars of local derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qalyst.report.drawing import (
    GREY,
    INK,
    Drawing,
    color,
    legend_below,
    marker,
    new_figure,
    plain_numbers,
    wrapped,
)
from qalyst.report.labels import currency
from qalyst.report.numbers import short
from qalyst.report.sensitivity_data import choice_label, measure_label, pair_label
from qalyst.sensitivity.derivatives import INMB

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.derivatives import Elasticities
    from qalyst.sensitivity.scenarios import ScenarioTable
    from qalyst.sensitivity.standing import Reading, Standing
    from qalyst.sensitivity.two_way import Points

MOST_ROWS = 60
MOST_BARS = 25
LETTERS = 36
ROW, LINE = 0.25, 0.135  # inches of a row, and of each further line of its label


def scenarios(model: ResolvedModel, found: ScenarioTable) -> Drawing:
    """Incremental net benefit under each scenario, marked by the optimal strategy."""
    rows = [(row.scenario.name, row.found) for row in found.rows if row.found is not None]
    return _dots(model, found.standing, found.base, rows, "scenarios", "Scenario analysis")


def points(model: ResolvedModel, found: Points) -> Drawing:
    """Incremental net benefit at each point, marked by the optimal strategy."""
    rows = [(each.name, each.found) for each in found.points]
    return _dots(model, found.standing, found.base, rows, "points", "Multi-way analysis")


def _dots(
    model: ResolvedModel,
    compared: Standing,
    base: Reading,
    rows: Sequence[tuple[str, Reading]],
    name: str,
    title: str,
) -> Drawing:
    from matplotlib.lines import Line2D

    shown = [("base case", base), *rows[:MOST_ROWS]]
    labels = [wrapped(each.replace("_", " "), LETTERS) for each, _ in shown]
    figure, axes, places = _rows(labels)
    axes.axvline(base.inmb, color=INK, linewidth=0.9, zorder=1.5)
    order = list(model.strategies)
    used: dict[str, Any] = {}
    for place, (_, found) in zip(places, shown, strict=True):
        first = order.index(found.optimal.split(" = ")[0]) if found.optimal else 0
        same = found.optimal == base.optimal
        style: dict[str, Any] = {
            "marker": marker(first),
            "color": color(first),
            "markersize": 6,
            "markerfacecolor": color(first) if same else "white",
            "markeredgewidth": 1.5,
        }
        axes.plot([base.inmb, found.inmb], [place, place], color=GREY, linewidth=0.8, zorder=1.6)
        axes.plot([found.inmb], [place], linestyle="none", zorder=3, **style)
        right = found.inmb >= base.inmb
        axes.annotate(
            short(found.inmb),
            (found.inmb, place),
            xytext=(6 if right else -6, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=7,
        )
        used.setdefault(found.optimal, Line2D([], [], linestyle="none", **style))
    axes.margins(x=0.16)
    low, high = axes.get_xlim()
    if low < 0 < high:
        axes.axvline(0, color=GREY, linestyle=(0, (1, 2)), linewidth=1.2, zorder=1.4)
    axes.set_xlabel(measure_label(model, compared, "nmb"))
    plain_numbers(axes.xaxis)
    axes.locator_params(axis="x", nbins=6)
    words = [f"Optimal: {choice_label(model, each)}" for each in used]
    legend_below(figure, list(used.values()), words)
    rest = len(rows) - len(shown) + 1
    more = f" {rest} more are in the table." if rest > 0 else ""
    return Drawing(
        name,
        f"{title}, {pair_label(model, compared)}: incremental net benefit, and the optimal "
        f"strategy; hollow where it is another than in the base case (line).{more}",
        figure,
    )


def derivatives(model: ResolvedModel, found: Elasticities) -> Drawing:
    """The change of incremental net benefit by 1 % more of each input."""
    known = [
        (each.label, each.per_cent(slope))
        for each in found.inputs
        if (slope := each.slopes.get(("", INMB))) is not None and slope.derivative
    ]
    shown = known[:MOST_BARS]
    labels = [wrapped(label, LETTERS) for label, _ in shown]
    figure, axes, places = _rows(labels)
    for place, (_, change) in zip(places, shown, strict=True):
        axes.barh(place, change, height=0.15, color=color(0 if change >= 0 else 1), zorder=2)
        axes.annotate(
            short(change, significant=3),
            (change, place),
            xytext=(3 if change >= 0 else -3, 0),
            textcoords="offset points",
            ha="left" if change >= 0 else "right",
            va="center",
            fontsize=7,
        )
    axes.margins(x=0.16)
    axes.axvline(0, color=INK, linewidth=0.9)
    code = currency(model, found.standing.cost)
    axes.set_xlabel(f"Change of incremental net benefit ({code}) by 1 % more of the input")
    plain_numbers(axes.xaxis)
    axes.locator_params(axis="x", nbins=6)
    rest = len(found.inputs) - len(shown)
    more = f" {rest} others, without an effect or a derivative or with less, are in the table."
    return Drawing(
        "derivatives",
        f"Local sensitivity, {pair_label(model, found.standing)}: the derivative of incremental "
        f"net benefit at base values, for 1 % more of each input.{more if rest else ''}",
        figure,
    )


def _rows(labels: Sequence[str]) -> tuple[Any, Any, list[float]]:
    """A figure with a row for each label, tall enough for all its lines."""
    heights = [ROW + LINE * label.count("\n") for label in labels]
    figure = new_figure(sum(heights) + 0.95)
    axes = figure.add_subplot()
    places, top = [], 0.0
    for height in heights:
        places.append(top + height / 2)
        top += height
    axes.set_ylim(top, 0)
    axes.set_yticks(places, labels)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    return figure, axes, places
