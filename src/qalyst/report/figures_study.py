"""Figure of a study's value: EVSI over its size, and its net benefit with the best size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.report.drawing import (
    GREY,
    INK,
    Drawing,
    legend_below,
    line_style,
    marker,
    new_figure,
    plain_numbers,
)
from qalyst.report.study_words import study_currency

if TYPE_CHECKING:
    from qalyst.study_values import StudyValue

MILLION = 1e6
FROM_MILLIONS = 2e6  # amounts from which an axis counts in millions
Z95 = 1.96


def study_value(value: StudyValue) -> Drawing:
    """EVSI per person with the EVPPI as its ceiling; below it ENBS, its error and its best size."""
    rows = 2 if value.enbs else 1
    figure = new_figure(2.9 * rows)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    handles, labels = _evsi(axes[0], value)
    if value.enbs:
        _enbs(axes[1], value)
        handles.append(axes[1].plot([], [], linestyle="", marker="v", color=INK)[0])
        labels.append("Best size")
    axes[-1].set_xscale("log")
    axes[-1].set_xlabel("Persons in the study (logarithmic scale)")
    _size_ticks(axes[-1], value)
    legend_below(figure, handles, labels)
    below = (
        " Below: expected net benefit of sampling; bands and bars: " if value.enbs else " Bars: "
    )
    return Drawing(
        "study_value",
        "Expected value of sample information per person by the size of the study, with the value "
        f"of perfect information on its parameters (EVPPI).{below}95 % intervals of Monte Carlo "
        "error.",
        figure,
    )


def _evsi(axes: Any, value: StudyValue) -> tuple[list[Any], list[str]]:
    handles, labels = [], []
    for position, (years, by_size) in enumerate(value.evsi.items()):
        style = line_style(position)
        sizes = np.array([each.n for each in by_size])
        values = np.array([each.value for each in by_size])
        errors = Z95 * np.array([each.se for each in by_size])
        beside = 1.015 ** (position - (len(value.evsi) - 1) / 2)  # bars of one size do not overlap
        axes.errorbar(
            sizes * beside,
            values,
            np.stack([np.minimum(errors, values), errors]),
            linestyle="",
            marker=marker(position),
            markersize=4,
            color=style["color"],
            elinewidth=1,
        )
        if value.enbs:
            found = value.enbs[years]
            line = axes.plot(found.sizes, found.evsi, **style)[0]
        else:
            line = axes.plot(sizes, values, **style)[0]
        handles.append(line)
        labels.append(f"Follow-up {years:g} y" if len(value.evsi) > 1 else "This study")
    evppi = max(each.evppi for by_size in value.evsi.values() for each in by_size)
    handles.append(axes.axhline(evppi, color=INK, linestyle=(0, (1, 2)), linewidth=1.2))
    labels.append("EVPPI of its parameters")
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"EVSI per person ({study_currency(value)})")
    plain_numbers(axes.yaxis)
    return handles, labels


def _enbs(axes: Any, value: StudyValue) -> None:
    highest = max(float(np.abs(found.enbs).max()) for found in value.enbs.values())
    unit = MILLION if highest >= FROM_MILLIONS else 1.0
    for position, found in enumerate(value.enbs.values()):
        style = line_style(position)
        net, error = found.enbs / unit, Z95 * found.se / unit
        axes.fill_between(
            found.sizes, net - error, net + error, color=style["color"], alpha=0.12, linewidth=0
        )
        axes.plot(found.sizes, net, **style)
        axes.plot(found.best, found.highest / unit, marker="v", color=style["color"], zorder=3)
    axes.axhline(0, color=GREY, linewidth=0.8)
    million = "million " if unit == MILLION else ""
    axes.set_ylabel(f"ENBS ({million}{study_currency(value)})")
    plain_numbers(axes.yaxis)


def _size_ticks(axes: Any, value: StudyValue) -> None:
    """The sizes at round numbers between the smallest and the largest."""
    sizes = [each.n for each in next(iter(value.evsi.values()))]
    low, high = min(sizes), max(sizes)
    steps = [lead * 10**power for power in range(7) for lead in (1, 2, 5)]
    axes.set_xticks([step for step in steps if low <= step <= high] or [low, high])
    axes.set_xlim(low * 0.9, high * 1.1)
    plain_numbers(axes.xaxis)
