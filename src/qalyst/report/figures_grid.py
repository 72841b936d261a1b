"""Figures of two-way and threshold analyses: where which strategy is optimal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import Float
from qalyst.report.drawing import (
    GREY,
    INK,
    Drawing,
    color,
    legend_below,
    line_style,
    new_figure,
    plain_numbers,
    wrapped,
)
from qalyst.report.labels import currency, ratio_unit, strategy_label
from qalyst.report.numbers import short
from qalyst.report.sensitivity_data import with_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.price import Price
    from qalyst.sensitivity.standing import Standing
    from qalyst.sensitivity.threshold import Threshold
    from qalyst.sensitivity.two_way import Axis, Grid

HATCHES = ("", "///", "...", "\\\\\\", "xx", "---", "++", "ooo", "||", "OO", "**", "//..")
FINE = 401  # steps of an axis in a drawing
LABEL = 0.09  # share of the width that a value takes
LETTERS = 60  # of the label of an axis on one line


def grid(model: ResolvedModel, found: Grid) -> Drawing:
    """The optimal strategy over two inputs, with its boundaries and the base case."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure = new_figure(4.4)
    axes = figure.add_subplot()
    axes.grid(visible=False)
    x, y, nmb = _finer(found)
    handles: list[Any] = []
    labels: list[str] = []
    for k, name in enumerate(found.strategies):
        ahead = nmb[:, :, k] - np.delete(nmb, k, axis=2).max(axis=2)
        if not (ahead >= 0).any():
            continue
        style = {"colors": [color(k)], "alpha": 0.35}
        if (ahead >= 0).all():
            axes.axvspan(x[0], x[-1], facecolor=color(k), alpha=0.35)
        else:
            top = max(float(ahead.max()), 0.0) + 1.0
            axes.contourf(x, y, ahead.T, levels=[0, top], hatches=[HATCHES[k % 12]], **style)
            axes.contour(x, y, ahead.T, levels=[0], colors=[INK], linewidths=1.1)
        patch: dict[str, Any] = {
            "facecolor": color(k),
            "alpha": 0.35,
            "edgecolor": INK,
            "linewidth": 0.5,
        }
        handles.append(Patch(hatch=HATCHES[k % 12], **patch))
        labels.append(strategy_label(model, name))
    inside = x[0] <= found.x.base <= x[-1] and y[0] <= found.y.base <= y[-1]
    if inside:
        mark: dict[str, Any] = {
            "marker": "o",
            "markersize": 7,
            "markerfacecolor": "white",
            "markeredgecolor": INK,
        }
        axes.plot([found.x.base], [found.y.base], linestyle="none", zorder=5, clip_on=False, **mark)
        handles.append(Line2D([], [], linestyle="none", **mark))
        labels.append("Base case")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    axes.set_xlabel(_axis_label(found.x))
    axes.set_ylabel(_axis_label(found.y))
    plain_numbers(axes.xaxis, axes.yaxis)
    legend_below(figure, handles, labels)
    outside = "" if inside else " The base case lies outside."
    return Drawing(
        "grid",
        "Two-way sensitivity analysis: the strategy with the highest net monetary benefit at "
        f"{_price(model, found.standing)}, over two inputs; all others at base values.{outside}",
        figure,
    )


def threshold(model: ResolvedModel, found: Threshold) -> Drawing:
    """Net benefit of each strategy over an input, with the values at which the choice changes."""
    figure = new_figure(3.6)
    axes = figure.add_subplot()
    handles, labels = [], []
    for k, name in enumerate(found.strategies):
        handles.append(axes.plot(found.values, found.nmb[:, k], **line_style(k))[0])
        labels.append(strategy_label(model, name))
    _mark_switches(axes, found)
    if found.low <= found.base <= found.high:
        handles.append(axes.axvline(found.base, color=INK, linewidth=1))
        labels.append(f"Base case: {short(found.base)}")
    axes.set_xlim(found.low, found.high)
    axes.set_xlabel(wrapped(with_unit(found.label, found.unit), LETTERS))
    mean = "Mean net" if found.draws else "Net"
    code = currency(model, found.standing.cost)
    axes.set_ylabel(f"{mean} monetary benefit ({code})")
    plain_numbers(axes.xaxis, axes.yaxis)
    legend_below(figure, handles, labels)
    over = f", means of {found.draws:,} draws" if found.draws else ""
    return Drawing(
        "threshold",
        f"Net monetary benefit at {_price(model, found.standing)} over {found.label}{over}; "
        "dotted: values at which the optimal strategy changes.",
        figure,
    )


def _mark_switches(axes: Any, found: Threshold) -> None:
    """Dotted lines with their values above; those that are close stand above each other."""
    width = found.high - found.low
    ends: list[float] = []  # of the last label in each row
    for switch in found.switches:
        axes.axvline(switch.value, color=GREY, linestyle=(0, (1, 2)), linewidth=1.2, zorder=1.5)
        left = switch.value - LABEL * width / 2
        row = next((n for n, end in enumerate(ends) if end <= left), len(ends))
        ends[row : row + 1] = [left + LABEL * width]
        axes.annotate(
            short(switch.value),
            (switch.value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 9 * row),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7.5,
        )


def prices(model: ResolvedModel, found: Sequence[Price]) -> Drawing:
    """The value-based price over willingness to pay."""
    figure = new_figure(3.4)
    axes = figure.add_subplot()
    known = [each for each in found if each.price is not None]
    axes.plot(
        [each.standing.wtp for each in known],
        [each.price for each in known],
        marker="o",
        **line_style(0),
    )
    handles = [axes.axhline(found[0].base, color=INK, linewidth=1)]
    axes.set_ylim(bottom=0)
    compared = found[0].standing
    axes.set_xlabel(f"Willingness to pay ({ratio_unit(model, compared.cost, compared.effect)})")
    axes.set_ylabel(wrapped(f"Price at equal net benefit ({found[0].unit})", 40))
    plain_numbers(axes.xaxis, axes.yaxis)
    legend_below(figure, handles, [f"Price of the model: {short(found[0].base)}"])
    return Drawing(
        "prices",
        f"Value-based price of {found[0].input}: at which "
        f"{strategy_label(model, compared.strategy)} and "
        f"{strategy_label(model, compared.comparator)} have the same net monetary benefit.",
        figure,
    )


def _finer(found: Grid) -> tuple[Float, Float, Float]:
    """Both axes and net benefit [x, y, strategy] between the points, so that edges are smooth."""
    from scipy.interpolate import RectBivariateSpline

    x, y = found.x.values, found.y.values
    degree = {"kx": min(3, x.size - 1), "ky": min(3, y.size - 1)}
    fine = [np.linspace(axis[0], axis[-1], FINE) for axis in (x, y)]
    layers = [
        RectBivariateSpline(x, y, found.nmb[:, :, k], **degree)(*fine)
        for k in range(len(found.strategies))
    ]
    return fine[0], fine[1], np.stack(layers, axis=2)


def _axis_label(axis: Axis) -> str:
    return wrapped(with_unit(axis.label, axis.unit), LETTERS)


def _price(model: ResolvedModel, compared: Standing) -> str:
    return f"{compared.wtp:,.10g} {ratio_unit(model, compared.cost, compared.effect)}"
