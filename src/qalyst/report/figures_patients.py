"""Figures of patients one by one: their survival, and how outcomes spread between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import Float, Int
from qalyst.report.drawing import (
    INK,
    Drawing,
    Saved,
    color,
    house_style,
    legend_below,
    line_style,
    new_figure,
    per_cent,
    plain_numbers,
    saved,
    wrapped,
    year_axis,
)
from qalyst.report.labels import absorbed_are_dead, outcome_label, strategy_label
from qalyst.report.patients_tables import Z95, survival_curves

if TYPE_CHECKING:
    from qalyst.histories import Histories
    from qalyst.stats.kaplan_meier import KaplanMeier

BINS = 60
MOST_STEPS = 1000  # of a curve
LONG_TICKS = 100_000  # from here on there is room for fewer
FAINT = 4  # strategies, beyond which each band is paler
HALF = 0.42  # of the height of a strategy's row: the silhouette


def patients_figures(histories: Histories) -> list[Saved]:
    """The figures that make sense of the patients followed, as PNG and SVG."""
    with house_style():
        curves = survival_curves(histories)
        drawn = [survival(histories, curves)] if curves else []
        return [saved(drawing) for drawing in [*drawn, distribution(histories)]]


def survival(histories: Histories, curves: dict[str, KaplanMeier]) -> Drawing:
    """Steps of Kaplan and Meier with 95 % bands."""
    model = histories.model
    figure = new_figure(3.7)
    axes = figure.add_subplot()
    handles, labels = [], []
    alpha = 0.16 * min(FAINT / len(curves), 1)
    for position, (name, curve) in enumerate(curves.items()):
        seen = _seen(curve)
        years, share = curve.years[seen], curve.survival[seen]
        low, high = (edge[seen] for edge in band(curve))
        shade = {"step": "post", "color": color(position), "linewidth": 0, "zorder": 1.2}
        axes.fill_between(years, low, high, alpha=alpha, **shade)
        style = {"drawstyle": "steps-post", "linewidth": 1.3, **line_style(position)}
        handles.append(axes.plot(years, share, **style)[0])
        labels.append(strategy_label(model, name))
    horizon = model.timing.cycle * model.timing.cycles
    axes.set_xlim(0, horizon)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("Years since start")
    axes.set_ylabel("Alive" if absorbed_are_dead(model) else "Not in an absorbing state")
    per_cent(axes.yaxis)
    year_axis(axes.xaxis, horizon)
    legend_below(figure, handles, labels)
    caption = f"Survival of {histories.patients:,} patients with 95 % bands, base-case values."
    return Drawing("survival", caption, figure)


def _seen(curve: KaplanMeier) -> Int:
    """The steps that a reader can tell apart: all, or those at a fine grid of times."""
    if len(curve.years) <= MOST_STEPS:
        return np.arange(len(curve.years))
    grid = np.linspace(0, curve.years[-1], MOST_STEPS)
    return np.unique(np.searchsorted(curve.years, grid, side="right") - 1)


def band(curve: KaplanMeier) -> tuple[Float, Float]:
    """The 95 % band of survival, within 0 and 1; nan where the error is not defined."""
    reach = Z95 * curve.standard_error
    return np.clip(curve.survival - reach, 0, 1), np.clip(curve.survival + reach, 0, 1)


def distribution(histories: Histories) -> Drawing:
    """Silhouettes with quartiles, median and mean: a panel an outcome, a row a strategy."""
    model = histories.model
    outcomes = list(model.outcomes)
    columns = 2 if len(outcomes) == 4 else min(len(outcomes), 3)
    rows = math.ceil(len(outcomes) / columns)
    names = [wrapped(strategy_label(model, name), 26) for name in model.strategies]
    lines = max(1 + name.count("\n") for name in names)
    height = max(0.34, 0.06 + 0.135 * lines) * len(names) + 0.55
    figure = new_figure(rows * height)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for number, (panel, outcome) in enumerate(zip(panels, outcomes, strict=False)):
        totals = histories.totals[:, :, number]
        _spread(panel, totals)
        panel.locator_params(axis="x", nbins=6 - columns - int(totals.max() >= LONG_TICKS))
        panel.set_xlabel(wrapped(outcome_label(model, outcome), 66 // columns - 8))
        panel.set_yticks(range(len(names)), names)
    for panel in panels[len(outcomes) :]:
        panel.set_visible(False)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    caption = (
        f"Discounted totals of {histories.patients:,} patients, base-case values: where they lie "
        "(the shade is as high as the square root of how many), the middle half (bar), the median "
        "(white) and the mean (diamond)."
    )
    return Drawing("distribution", caption, figure)


def _spread(panel: Any, totals: Float) -> None:
    """One outcome, [patient, strategy]."""
    low, high = float(totals.min()), float(totals.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    for row, values in enumerate(totals.T):
        counts = np.histogram(values, edges)[0]
        reach = HALF * np.sqrt(counts / counts.max())
        shade = {"color": color(row), "alpha": 0.35, "linewidth": 0}
        panel.fill_between(
            np.repeat(edges, 2)[1:-1], row - np.repeat(reach, 2), row + np.repeat(reach, 2), **shade
        )
        first, middle, third = np.quantile(values, [0.25, 0.5, 0.75])
        panel.plot([first, third], [row, row], color=color(row), linewidth=4.5)
        panel.plot([middle, middle], [row - 0.14, row + 0.14], color="white", linewidth=1.6)
        panel.plot(values.mean(), row, "D", color="white", markeredgecolor=INK, markersize=3.6)
    panel.grid(visible=False, axis="y")
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    plain_numbers(panel.xaxis)
