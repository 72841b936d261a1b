"""Published survival drawn beside the model's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qalyst.report.drawing import (
    INK,
    Drawing,
    color,
    legend_below,
    marker,
    new_figure,
    per_cent,
    wrapped,
    year_axis,
)
from qalyst.report.labels import strategy_label

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.published import Point, Published

BEYOND = 1.25  # years drawn, as a multiple of the last published point


def published_survival(analysis: Analysis, published: Published) -> Drawing:
    """Survival of each strategy that has published points, a panel each; points by series."""
    names = list(dict.fromkeys(point.strategy for point in published.points))
    columns = min(len(names), 2)
    rows = math.ceil(len(names) / columns)
    figure = new_figure(0.4 + 2.9 * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    last = BEYOND * max(point.months for point in published.points) / 12
    handles: list[Any] = []
    labels: list[str] = []
    for panel, name in zip(panels, names, strict=False):
        line = panel.plot(published.years, published.survival[name], color=INK, linewidth=1.8)[0]
        if not handles:
            handles.append(line)
            labels.append("Model")
        series: dict[str, list[Point]] = {}
        for point in published.points:
            if point.strategy == name:
                series.setdefault(point.series, []).append(point)
        for label, points in series.items():
            handles.append(_series(panel, points, len(handles) - 1))
            labels.append(label)
        panel.set_title(wrapped(strategy_label(analysis.model, name), 40))
        panel.set_xlim(0, last)
        panel.set_ylim(0, 1.02)
        panel.set_xlabel("Years since start")
        per_cent(panel.yaxis)
        year_axis(panel.xaxis, last)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    panels[0].set_ylabel("Alive")
    legend_below(figure, handles, labels)
    scenarios = f" ({', '.join(published.scenarios)})" if published.scenarios else ""
    return Drawing(
        "published",
        f"Survival of the model{scenarios}, base case, over published points. Filled points were "
        "fitted to, hollow ones were not; bars are printed intervals, or binomial ones by the "
        "number of patients.",
        figure,
    )


def _series(panel: Any, points: list[Point], position: int) -> Any:
    shade, shape = color(position), marker(position)
    for point in points:
        years, share = point.months / 12, point.percent / 100
        if point.low is not None and point.high is not None:
            panel.vlines(years, point.low / 100, point.high / 100, color=shade, linewidth=0.9)
        face = shade if point.role == "fit" else "white"
        panel.plot(years, share, shape, color=shade, markerfacecolor=face, markersize=5.5, zorder=4)
    face = shade if points[0].role == "fit" else "white"
    return panel.plot(
        [], [], shape, color=shade, markerfacecolor=face, markersize=5.5, linestyle="none"
    )[0]
