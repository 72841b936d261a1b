"""Figures of decision uncertainty over willingness to pay, and of its convergence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import STRATEGY, WTP, Float
from qalyst.report.convergence_words import stability_line
from qalyst.report.drawing import (
    GREY,
    INK,
    Drawing,
    legend_below,
    line_style,
    new_figure,
    per_cent,
    plain_numbers,
    verticals,
)
from qalyst.report.labels import currency, ratio_unit, strategy_label
from qalyst.report.numbers import money

if TYPE_CHECKING:
    import xarray as xr

    from qalyst.analysis import Decided

FEWEST = 10  # draws before a running mean is shown
MOST_STEPS = 600
WIDE = 30  # ratio of losses from which a logarithmic scale shows more


def ceac(analysis: Decided) -> Drawing:
    """Acceptability curves, with the frontier of the optimal strategy as a broad black line."""
    curves = _curves(analysis)
    figure, axes = _over_wtp(analysis)
    whole = {"clip_on": False}  # a line at 0 or 100 % lies on the edge of the axes
    front = axes.plot(*_broken(curves), color=INK, linewidth=4.2, solid_capstyle="round", **whole)[
        0
    ]
    handles, labels = [front], ["Frontier (of the optimal strategy)"]
    for position, name in enumerate(analysis.model.strategies):
        share = curves.ceac.sel({STRATEGY: name}).to_numpy()
        handles.append(axes.plot(curves[WTP].to_numpy(), share, **line_style(position), **whole)[0])
        labels.append(strategy_label(analysis.model, name))
    axes.set_ylim(0, 1)
    axes.set_ylabel("Probability cost-effective")
    per_cent(axes.yaxis)
    legend_below(figure, [*handles[1:], front], [*labels[1:], labels[0]])
    return Drawing(
        "ceac",
        "Cost-effectiveness acceptability curves, and their frontier: the probability that the "
        f"strategy with the highest mean net benefit is best{_dotted(analysis)}.",
        figure,
    )


def evpi(analysis: Decided) -> Drawing:
    """Expected value of perfect information per person, with the band of its standard error."""
    curves = _curves(analysis)
    figure, axes = _over_wtp(analysis, height=3.3)
    wtp, value = curves[WTP].to_numpy(), curves.evpi.to_numpy()
    error = analysis.reach * curves.evpi_mcse.to_numpy()
    axes.fill_between(
        wtp,
        np.maximum(value - error, 0),
        value + error,
        color=line_style(0)["color"],
        alpha=0.2,
        linewidth=0,
    )
    axes.plot(wtp, value, color=line_style(0)["color"])
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"EVPI per person{_in_money(analysis)}")
    plain_numbers(axes.yaxis)
    return Drawing(
        "evpi",
        "Expected value of perfect information per person; band: 95 % interval of Monte Carlo "
        f"error{_dotted(analysis)}.",
        figure,
    )


def loss(analysis: Decided) -> Drawing:
    """Expected loss of each strategy; the lowest is the EVPI."""
    curves = _curves(analysis)
    figure, axes = _over_wtp(analysis)
    wtp = curves[WTP].to_numpy()
    least = curves.evpi.to_numpy()
    front = axes.plot(wtp, _above_zero(least), color=INK, linewidth=4.2)[0]
    handles, labels = [], []
    for position, name in enumerate(analysis.model.strategies):
        values = curves.expected_loss.sel({STRATEGY: name}).to_numpy()
        handles.append(axes.plot(wtp, _above_zero(values), **line_style(position))[0])
        labels.append(strategy_label(analysis.model, name))
    known = _above_zero(curves.expected_loss.to_numpy())
    largest, floor = float(np.nanmax(known)), float(np.nanmin(known))
    if largest > WIDE * floor:
        axes.set_yscale("log")
        axes.set_ylim(max(floor * 0.7, largest * 1e-5), largest * 1.6)
    else:
        axes.set_ylim(bottom=0)
    scale = "; logarithmic scale" if largest > WIDE * floor else ""
    axes.set_ylabel(f"Expected loss per person{_in_money(analysis)}")
    plain_numbers(axes.yaxis)
    legend_below(figure, [*handles, front], [*labels, "Lowest: EVPI"])
    return Drawing(
        "loss",
        "Expected loss: the mean net benefit forgone by choosing a strategy, against the best in "
        f"each draw{scale}{_dotted(analysis)}.",
        figure,
    )


def convergence(analysis: Decided) -> Drawing:
    """Running mean over draws of the incremental net benefit of the best over the next."""
    assert analysis.psa is not None
    assert analysis.summary is not None
    cost, effect = analysis.psa.total(analysis.cost), analysis.psa.total(analysis.effect)
    figure = new_figure(3.5)
    axes = figure.add_subplot()
    handles, labels = [], []
    one = ratio_unit(analysis.model, analysis.cost, analysis.effect)
    for position, wtp in enumerate(analysis.summary[WTP].to_numpy()):
        means = analysis.summary.nmb.sel({WTP: wtp, "statistic": "mean"})
        best, runner_up = (str(name) for name in means[STRATEGY].to_numpy()[_two_best(means)])
        net = wtp * effect - cost
        gain = (net.sel({STRATEGY: best}) - net.sel({STRATEGY: runner_up})).to_numpy()
        steps, mean, error = running(gain, analysis.replicates)
        style = line_style(position)
        axes.fill_between(
            steps,
            mean - analysis.reach * error,
            mean + analysis.reach * error,
            color=style["color"],
            alpha=0.15,
            linewidth=0,
        )
        handles.append(axes.plot(steps, mean, **style)[0])
        labels.append(
            f"{wtp:,.10g} {one}: {strategy_label(analysis.model, best)} over "
            f"{strategy_label(analysis.model, runner_up)}"
        )
    axes.axhline(0, color=GREY, linewidth=0.9, zorder=1)
    axes.set_xlim(0, analysis.psa.draws)
    axes.set_xlabel("Draws")
    axes.set_ylabel(f"Incremental net benefit{_in_money(analysis)}")
    plain_numbers(axes.xaxis, axes.yaxis)
    legend_below(figure, handles, labels)
    return Drawing(
        "convergence",
        "Convergence of the probabilistic analysis: running mean of the net monetary benefit of "
        "the best strategy over the next best; band: 95 % interval of Monte Carlo error. "
        f"{stability_line(analysis)}".strip(),
        figure,
    )


def running(values: Float, replicates: int = 1) -> tuple[Float, Float, Float]:
    """Counts of draws, the mean of the first so many, and its standard error, each [step].

    The error is that of independent draws, or of the replicates of a design at whole points.

    >>> steps, mean, error = running(np.arange(12.0))
    >>> float(steps[-1]), float(mean[-1]), round(float(error[-1]), 4)
    (12.0, 5.5, 1.0408)
    """
    if replicates > 1:
        return _running_replicates(values, replicates)
    count = np.arange(1, values.size + 1)
    centred = values - values.mean()
    mean = np.cumsum(centred) / count
    square = np.cumsum(centred**2) - count * mean**2
    error = np.sqrt(np.maximum(square, 0) / np.maximum(count - 1, 1) / count)
    first = min(FEWEST, values.size) - 1
    keep = np.unique(np.linspace(first, values.size - 1, MOST_STEPS).round().astype(np.int64))
    return count[keep].astype(np.float64), mean[keep] + values.mean(), error[keep]


def _running_replicates(values: Float, replicates: int) -> tuple[Float, Float, Float]:
    """The same of a design: means of the first points of each replicate, and their spread."""
    by_replicate = values.reshape(-1, replicates)
    points = np.arange(1, by_replicate.shape[0] + 1)
    means = np.cumsum(by_replicate, axis=0) / points[:, None]
    error = means.std(axis=1, ddof=1) / np.sqrt(replicates)
    keep = np.unique(np.linspace(0, points.size - 1, MOST_STEPS).round().astype(np.int64))
    return (points[keep] * replicates).astype(np.float64), means.mean(axis=1)[keep], error[keep]


def errs(analysis: Decided) -> bool:
    """Whether the optimal strategy is not best in every draw, so that information has value."""
    return bool((_curves(analysis).evpi > 0).any())


def _two_best(means: xr.DataArray) -> Any:
    return np.argsort(-means.to_numpy(), kind="stable")[:2]


def _curves(analysis: Decided) -> xr.Dataset:
    assert analysis.curves is not None
    return analysis.curves


def _over_wtp(analysis: Decided, *, height: float = 3.7) -> tuple[Any, Any]:
    figure = new_figure(height)
    axes = figure.add_subplot()
    grid = _curves(analysis)[WTP].to_numpy()
    axes.set_xlim(grid.min(), grid.max())
    axes.set_xlabel(
        f"Willingness to pay ({ratio_unit(analysis.model, analysis.cost, analysis.effect)})"
    )
    plain_numbers(axes.xaxis)
    verticals(axes, analysis.model.decision.thresholds)
    return figure, axes


def _broken(curves: xr.Dataset) -> tuple[Float, Float]:
    """The frontier with gaps where the optimal strategy changes: it jumps there."""
    wtp, value = curves[WTP].to_numpy(), curves.ceaf.to_numpy()
    best = curves.optimal.to_numpy()
    jumps = np.flatnonzero(best[1:] != best[:-1]) + 1
    return np.insert(wtp, jumps, math.nan), np.insert(value, jumps, math.nan)


def _above_zero(values: Float) -> Float:
    """Losses for a logarithmic axis; a gap where there is none."""
    return np.where(values > 0, values, math.nan)


def _in_money(analysis: Decided) -> str:
    code = currency(analysis.model, analysis.cost)
    return f" ({code})" if code else ""


def _dotted(analysis: Decided) -> str:
    thresholds = analysis.model.decision.thresholds
    if not thresholds:
        return ""
    code = currency(analysis.model, analysis.cost)
    values = ", ".join(money(value, code, significant=9) for value in thresholds)
    return f"; dotted: {values}"
