"""The cost-effectiveness plane and the efficiency frontier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import STRATEGY, Float
from qalyst.report.drawing import (
    GREY,
    INK,
    Drawing,
    color,
    legend_below,
    marker,
    new_figure,
    plain_numbers,
)
from qalyst.report.labels import currency, effect_nouns, outcome_label, strategy_label
from qalyst.report.numbers import money
from qalyst.report.tables import comparator
from qalyst.report.words import headline

if TYPE_CHECKING:
    from qalyst.analysis import Decided

MOST_POINTS = 2_000  # a strategy; draws are independent, so the first ones are a fair sample
CHI2_95 = -2 * math.log(0.05)  # 95 % quantile of chi-squared with two degrees of freedom


def ce_plane(analysis: Decided) -> Drawing:
    """Incremental cost and effect of every strategy against the reference, by draw."""
    assert analysis.psa is not None
    model, reference = analysis.model, comparator(analysis)
    cost, effect = analysis.psa.total(analysis.cost), analysis.psa.total(analysis.effect)
    others = [name for name in model.strategies if name != reference]
    positions = {name: position for position, name in enumerate(model.strategies)}
    figure = new_figure(4.6)
    axes = figure.add_subplot()
    axes.axhline(0, color=GREY, linewidth=0.9, zorder=1)
    axes.axvline(0, color=GREY, linewidth=0.9, zorder=1)
    handles = []
    spread = [(np.zeros(1), np.zeros(1))]  # the origin is in sight
    for name in others:
        gained = _difference(effect, name, reference)
        spent = _difference(cost, name, reference)
        spread.append((gained[:MOST_POINTS], spent[:MOST_POINTS]))
        position = positions[name]
        axes.scatter(
            gained[:MOST_POINTS],
            spent[:MOST_POINTS],
            s=5,
            color=color(position),
            alpha=0.22,
            linewidths=0,
            rasterized=True,
            zorder=2,
        )
        outline = ellipse(gained, spent)
        if outline is not None:
            axes.plot(*outline, color=color(position), linewidth=1.1, zorder=3)
            spread.append((outline[0], outline[1]))
        handles.append(
            axes.plot(
                gained.mean(),
                spent.mean(),
                marker(position),
                color=color(position),
                markeredgecolor="white",
                markeredgewidth=0.9,
                markersize=8,
                zorder=5,
            )[0]
        )
    _frame_on(axes, spread)
    _wtp_lines(axes, analysis)
    effect_label = outcome_label(model, analysis.effect)
    axes.set_xlabel(f"Incremental {_lower(effect_label)} per person")
    axes.set_ylabel(f"Incremental {_lower(outcome_label(model, analysis.cost))} per person")
    plain_numbers(axes.xaxis, axes.yaxis)
    legend_below(figure, handles, [strategy_label(model, name) for name in others])
    shown = min(analysis.psa.draws, MOST_POINTS)
    sample = "" if shown == analysis.psa.draws else f", the first {shown:,} shown"
    lines = "; dashed: willingness to pay" if model.decision.thresholds else ""
    return Drawing(
        "ce_plane",
        f"Cost-effectiveness plane against {strategy_label(model, reference)}: "
        f"{analysis.psa.draws:,} draws{sample}, their means (large symbols) and 95 % "
        f"ellipses{lines}.",
        figure,
    )


def frontier(analysis: Decided) -> Drawing:
    """Mean cost and effect of all strategies, with the efficiency frontier and its ICERs."""
    model, table = analysis.model, headline(analysis)
    figure = new_figure(4.4)
    axes = figure.add_subplot()
    on = [table[name] for name in table.frontier]
    axes.plot(
        [row.effect for row in on], [row.cost for row in on], color=INK, linewidth=1.3, zorder=2
    )
    handles, labels = [], []
    for position, name in enumerate(model.strategies):
        row, best = table[name], name in table.frontier
        handles.append(
            axes.plot(
                row.effect,
                row.cost,
                marker(position),
                color=color(position),
                markersize=8.5,
                markerfacecolor=color(position) if best else "white",
                markeredgewidth=1.5,
                linestyle="none",
                zorder=4,
            )[0]
        )
        labels.append(strategy_label(model, name))
    rows = table.rows
    _frame_on(axes, [(np.array([r.effect for r in rows]), np.array([r.cost for r in rows]))])
    _write_icers(axes, analysis)
    kind = "Means over draws" if analysis.incremental and analysis.varies else "Base case"
    axes.set_xlabel(f"{outcome_label(model, analysis.effect)} per person")
    axes.set_ylabel(f"{outcome_label(model, analysis.cost)} per person")
    plain_numbers(axes.xaxis, axes.yaxis)
    legend_below(figure, handles, labels)
    return Drawing(
        "frontier",
        f"Efficiency frontier. {kind}; filled: on the frontier, hollow: dominated, with the "
        f"ICER of each step in {currency(model, analysis.cost)} per "
        f"{effect_nouns(model, analysis.effect)[0]}.",
        figure,
    )


def ellipse(x: Float, y: Float) -> Float | None:
    """Outline [x and y, point] that holds 95 % of normal pairs; None if they do not spread.

    The ellipse has the means and the covariance of `x` and `y` [draw].
    """
    covariance = np.cov(x, y)
    scale = np.sqrt(np.diagonal(covariance))
    if not (scale > 1e-12 * np.abs([x.mean(), y.mean()])).all():
        return None
    half = np.zeros((2, 2))
    correlation = covariance[0, 1] / (scale[0] * scale[1])
    half[0, 0], half[1, 0] = scale[0], correlation * scale[1]
    half[1, 1] = scale[1] * math.sqrt(max(1 - correlation**2, 0.0))
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = math.sqrt(CHI2_95) * np.stack([np.cos(angle), np.sin(angle)])
    outline: Float = np.array([[x.mean()], [y.mean()]]) + half @ circle
    return outline


def _difference(values: Any, name: str, reference: str) -> Float:
    one, other = values.sel({STRATEGY: name}), values.sel({STRATEGY: reference})
    return np.asarray(one.to_numpy() - other.to_numpy(), dtype=np.float64)


def _lower(label: str) -> str:
    """A label inside a sentence: only a first capital of an ordinary word is lowered."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _frame_on(axes: Any, parts: list[tuple[Float, Float]]) -> None:
    """Limits round all points, with a margin."""
    for setter, column in ((axes.set_xlim, 0), (axes.set_ylim, 1)):
        values = np.concatenate([part[column] for part in parts])
        low, high = float(values.min()), float(values.max())
        pad = 0.07 * (high - low) or 0.07 * abs(high) or 1.0
        setter(low - pad, high + pad)


def _wtp_lines(axes: Any, analysis: Decided) -> None:
    """Lines of equal net benefit through the origin, each labelled where it leaves the frame."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    code = currency(analysis.model, analysis.cost)
    above: list[float] = []
    beside: list[float] = []
    for wtp in sorted(analysis.model.decision.thresholds, reverse=True):
        ends = np.array([left, right])
        axes.plot(
            ends,
            wtp * ends,
            color=GREY,
            linewidth=0.9,
            linestyle=(0, (4, 2)),
            zorder=1.5,
            scalex=False,
            scaley=False,
        )
        text = money(wtp, code, significant=9)
        if wtp * right > top:
            x = (top / wtp - left) / (right - left)
            room = 0.0108 * len(text) + 0.012  # of a label, as a share of the axes
            short = above[-1] + room - x if above else 0.0
            x += short if 0 < short <= room / 2 else 0.0  # else on the next line up
            level = sum(room - abs(x - other) > 1e-9 for other in above)
            above.append(x)
            place, lift, align = (x, 1.0), (0, 3 + 10 * level), ("center", "bottom")
        else:
            y = (wtp * right - bottom) / (top - bottom)
            y = min([y, *(other - 0.045 for other in beside)])
            beside.append(y)
            place, lift, align = (1.0, y), (3, 0), ("left", "center")
        axes.annotate(
            text,
            place,
            xycoords="axes fraction",
            xytext=lift,
            textcoords="offset points",
            ha=align[0],
            va=align[1],
            fontsize=7.5,
            color=GREY,
        )


def _write_icers(axes: Any, analysis: Decided) -> None:
    """The ICER of each step, on the empty side of the frontier, from the top down."""
    table, code = headline(analysis), currency(analysis.model, analysis.cost)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    above = math.inf
    for row in reversed([row for row in table.rows if row.compared_with is not None]):
        assert row.compared_with is not None
        before = table[row.compared_with]
        x = ((row.effect + before.effect) / 2 - left) / (right - left)
        y = ((row.cost + before.cost) / 2 - bottom) / (top - bottom)
        height = min(y - 0.035, above - 0.05)
        above = height
        axes.annotate(
            money(row.icer, code),
            (x, y),
            xycoords="axes fraction",
            textcoords="axes fraction",
            xytext=(x + 0.035, height),
            ha="left",
            va="center",
            fontsize=7.5,
            color=INK,
            zorder=6,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0},
        )
