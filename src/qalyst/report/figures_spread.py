"""Costs and effects of each strategy with their uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import STRATEGY
from qalyst.report.drawing import INK, Drawing, color, new_figure, plain_numbers, wrapped
from qalyst.report.labels import outcome_label, strategy_label

if TYPE_CHECKING:
    from qalyst.analysis import Decided

QUANTILES = (0.025, 0.25, 0.75, 0.975)
LETTERS = 24  # of a line of a name


def intervals(analysis: Decided) -> Drawing:
    """Mean, middle half and 95 % interval of the cost and the effect of each strategy."""
    assert analysis.psa is not None
    strategies = list(analysis.model.strategies)
    names = [wrapped(strategy_label(analysis.model, name), LETTERS) for name in strategies]
    lines = sum(1 + name.count("\n") for name in names)
    figure = new_figure(0.9 + 0.19 * max(lines, 3) + 0.05 * len(names))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, outcome in zip(panels, (analysis.cost, analysis.effect), strict=True):
        totals = analysis.psa.total(outcome)
        for place, name in enumerate(strategies):
            drawn = totals.sel({STRATEGY: name}).to_numpy()
            low, first, third, high = np.quantile(drawn, QUANTILES)
            thin = {"color": color(place), "solid_capstyle": "butt"}
            axes.plot([low, high], [place, place], linewidth=1.6, **thin)
            axes.plot([first, third], [place, place], linewidth=6, **thin)
            axes.plot(
                drawn.mean(),
                place,
                "o",
                color="white",
                markeredgecolor=INK,
                markeredgewidth=1.1,
                markersize=5.5,
                zorder=3,
            )
        axes.set_xlabel(wrapped(f"{outcome_label(analysis.model, outcome)} per person", 40))
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.06)
        axes.xaxis.set_major_locator(_few_ticks())
        plain_numbers(axes.xaxis)
    panels[0].set_yticks(np.arange(len(names)), names)
    panels[0].set_ylim(len(names) - 0.45, -0.55)
    return Drawing(
        "intervals",
        f"Costs and effects over {analysis.psa.draws:,} draws: mean (circle), the middle half of "
        "the draws (thick) and 95 % of them (thin).",
        figure,
    )


def _few_ticks() -> object:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10])
