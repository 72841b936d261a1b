"""The map of decisions: who gets which strategy, at which willingness to pay."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import STRATEGY, WTP
from qalyst.decision.stratified import SUBGROUP
from qalyst.report.drawing import (
    INK,
    Drawing,
    color,
    legend_below,
    new_figure,
    wrapped,
)
from qalyst.report.labels import ratio_unit, strategy_label
from qalyst.report.numbers import percent
from qalyst.report.profiles_words import labels_text, letter, rows_shown

if TYPE_CHECKING:
    import xarray as xr

    from qalyst.sensitivity.by_profile import ProfileDecisions

MOST_ROWS = 24
LETTERS, LINE, CELL = 44, 0.15, 0.3  # of the words of a row; height of a line and a row, inches
ALPHA = 0.45  # light enough for black words on every colour


def decision_map(found: ProfileDecisions) -> Drawing:
    """Rows: subgroups that choose alike put together; columns: thresholds; colour: strategy."""
    from matplotlib.patches import Patch

    model = found.model
    rows = _rows(found)
    thresholds = found.rule[WTP].to_numpy()
    known = list(model.strategies)
    words = [_row_words(labels, here) for labels, here in rows]
    heights = [max(CELL, LINE * (1.6 + text.count("\n"))) for text in words]
    gap = 0.12  # between everyone and the subgroups
    figure = new_figure(1.0 + sum(heights) + gap)
    axes = figure.add_subplot()
    at, ticks, used = 0.0, [], set()
    for number, ((_, here), height) in enumerate(zip(rows, heights, strict=True)):
        for column, wtp in enumerate(thresholds):
            best = str(here.optimal.sel({WTP: wtp}).item())
            used.add(best)
            place = known.index(best)
            axes.add_patch(_box(column, at, height, color(place)))
            share = float(here.probability.sel({WTP: wtp, STRATEGY: best}))
            text = f"{letter(place)}  {percent(share)}" if len(thresholds) <= 7 else percent(share)
            size = 8 if len(thresholds) <= 9 else 6
            axes.text(
                column + 0.5, at + height / 2, text, ha="center", va="center", size=size, color=INK
            )
        ticks.append(at + height / 2)
        at += height + (gap if number == 0 else 0)
    axes.set_xlim(0, len(thresholds))
    axes.set_ylim(at, 0)
    axes.set_yticks(ticks, words)
    slant = {"rotation": 30, "ha": "left", "rotation_mode": "anchor"} if len(thresholds) > 6 else {}
    axes.set_xticks(
        np.arange(len(thresholds)) + 0.5, [f"{wtp:,.10g}" for wtp in thresholds], **slant
    )
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    assert model.decision.cost is not None
    assert model.decision.effect is not None
    unit = ratio_unit(model, model.decision.cost, model.decision.effect)
    axes.set_xlabel(f"Willingness to pay ({unit})")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    shown = [name for name in known if name in used]
    handles = [
        Patch(facecolor=color(known.index(name)), alpha=ALPHA, linewidth=0) for name in shown
    ]
    legend_below(
        figure,
        handles,
        [f"{letter(known.index(name))}  {strategy_label(model, name)}" for name in shown],
    )
    decisions, labels = rows_shown(found)
    left = max(len(labels) - MOST_ROWS, 0)
    alike = (
        "Profiles that choose alike at every threshold are one row, named by what their choice "
        "depends on"
        if decisions is found.rule
        else "Each row is a subgroup with its share"
    )
    return Drawing(
        "decision_map",
        "Best strategy by subgroup and willingness to pay, with the probability that it is best. "
        + alike
        + (f"; the {left} smallest rows are left out (see the table)" if left else "")
        + ".",
        figure,
    )


def _rows(found: ProfileDecisions) -> list[tuple[dict[str, Hashable], xr.Dataset]]:
    """Everyone, then the subgroups; of too many the largest."""
    decisions, labels = rows_shown(found)
    largest = set(np.argsort(-decisions.weight.to_numpy(), kind="stable")[:MOST_ROWS].tolist())
    rows: list[tuple[dict[str, Hashable], xr.Dataset]] = [
        ({}, found.population.isel({SUBGROUP: 0}))
    ]
    rows += [
        (words, decisions.isel({SUBGROUP: place}))
        for place, words in enumerate(labels)
        if place in largest and words  # a rule of one row is everyone
    ]
    return rows


def _row_words(labels: dict[str, Hashable], here: xr.Dataset) -> str:
    text = f"{labels_text(labels)} ({percent(float(here.weight))})" if labels else "Everyone"
    return wrapped(text.replace(" %)", "\N{NO-BREAK SPACE}%)"), LETTERS)


def _box(column: int, at: float, height: float, fill: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (column + 0.01, at + 0.012), 0.98, height - 0.024, facecolor=fill, alpha=ALPHA, linewidth=0
    )
