"""Figures of the course of the disease: trace, survival, and what costs and effects consist of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from qalyst.axes import STATE, STRATEGY
from qalyst.report.drawing import (
    GREY,
    INK,
    PALETTE,
    Drawing,
    color,
    legend_below,
    line_style,
    new_figure,
    per_cent,
    plain_numbers,
    wrapped,
    year_axis,
)
from qalyst.report.labels import (
    absorbed_are_dead,
    outcome_label,
    sentence_case,
    state_label,
    strategy_label,
)
from qalyst.report.numbers import decimals_for, number
from qalyst.report.tables import amounts

if TYPE_CHECKING:
    import xarray as xr

    from qalyst.analysis import Analysis

MOST_PANELS, MOST_PLACES, MOST_PARTS = 12, 12, 12
ABSORBED = ("#C9C9C9", "#A9A9A9", "#E3E3E3", "#8C8C8C")
Parts: TypeAlias = dict[str, dict[str, float]]
Amounts: TypeAlias = dict[tuple[str, str, str], dict[str, float]]


def trace(analysis: Analysis) -> Drawing:
    """Stacked occupancy over years, one panel a strategy."""
    array = _trace(analysis)
    model = analysis.model
    strategies = list(model.strategies)[:MOST_PANELS]
    layers = _layers(analysis)
    columns = min(len(strategies), 3 if len(strategies) != 4 else 2)
    rows = math.ceil(len(strategies) / columns)
    figure = new_figure(3.2 if rows == 1 else 0.5 + 1.75 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    years = array["years"].to_numpy()
    colors = _place_colors([absorbing for _, _, absorbing in layers])
    handles: list[Any] = []
    for panel, name in zip(panels, strategies, strict=False):
        occupancy = array.sel({STRATEGY: name}).transpose("place", "point").to_numpy()
        stacked = [occupancy[list(places)].sum(axis=0) for _, places, _ in layers]
        handles = panel.stackplot(years, stacked, colors=colors, linewidth=0.4, edgecolor="white")
        panel.set_title(wrapped(strategy_label(model, name), 78 // columns - 2))
        panel.set_xlim(years[0], years[-1])
        panel.set_ylim(0, 1)
        per_cent(panel.yaxis)
        year_axis(panel.xaxis, years[-1] - years[0])
        panel.grid(visible=False)
    for panel in panels[len(strategies) :]:
        panel.set_visible(False)
    _label_outer(panels[: len(strategies)], columns)
    figure.supylabel("Share of the cohort", fontsize=8.5)
    legend_below(figure, handles, [label for label, _, _ in layers])
    more = len(model.strategies) - len(strategies)
    rest = f" The other {more} strategies are in trace.csv." if more else ""
    return Drawing("trace", f"Where the cohort is over time, base case.{rest}", figure)


def survival(analysis: Analysis) -> Drawing:
    """Share not yet in an absorbing state over years."""
    model, array = analysis.model, _trace(analysis)
    gone = _absorbed(analysis, array)
    figure = new_figure(3.7)
    axes = figure.add_subplot()
    years = array["years"].to_numpy()
    handles, labels = [], []
    for position, name in enumerate(model.strategies):
        share = 1 - array.sel({STRATEGY: name}).transpose("place", "point").to_numpy()[gone].sum(0)
        handles.append(axes.plot(years, share, **line_style(position))[0])
        labels.append(strategy_label(model, name))
    axes.set_xlim(years[0], years[-1])
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("Years since start")
    axes.set_ylabel("Alive" if absorbed_are_dead(model) else "Not in an absorbing state")
    per_cent(axes.yaxis)
    year_axis(axes.xaxis, years[-1] - years[0])
    legend_below(figure, handles, labels)
    return Drawing("survival", "Survival in the base case.", figure)


def breakdown(analysis: Analysis) -> Drawing:
    """Stacked bars of the cost by category and of the effect by state, a bar a strategy."""
    model = analysis.model
    found = amounts(model, analysis.psa or analysis.base)
    shades = _state_colors(analysis)
    charts: list[tuple[str, Parts, dict[str, str]]] = []
    cost, effect = model.decision.cost, model.decision.effect
    if cost in model.outcomes:
        charts.append((str(cost), _by_row(found, str(cost)), {}))
    if effect in model.outcomes:
        by_state = _by_state(analysis, found, str(effect))
        alone = len(by_state) <= 1
        parts = _by_row(found, str(effect)) if alone else by_state
        charts.append((str(effect), parts, {} if alone else shades))
    if not charts:
        charts = [(name, _by_row(found, name), {}) for name in list(model.outcomes)[:2]]
    names = [wrapped(strategy_label(model, name), 30) for name in model.strategies]
    lines = max(1 + name.count("\n") for name in names)
    bars = max(0.26, 0.04 + 0.135 * lines) * len(names)
    figure = new_figure(0.2)
    slots = figure.subfigures(len(charts), 1, squeeze=False).ravel()
    heights = []
    for slot, (outcome, parts, own) in zip(slots, charts, strict=True):
        heights.append(bars + 0.75 + 0.19 * math.ceil(len(parts) / 4))
        _bars(slot, analysis, outcome, _fewer(parts), own)
    figure.set_size_inches(figure.get_size_inches()[0], sum(heights))
    figure.get_layout_engine().set(h_pad=0.08)
    kind = "Base case" if analysis.psa is None else "Means over draws"
    return Drawing(
        "breakdown",
        f"What the outcomes consist of, discounted, per person. {kind}; the number is the total.",
        figure,
    )


def _bars(slot: Any, analysis: Analysis, outcome: str, parts: Parts, own: dict[str, str]) -> None:
    model = analysis.model
    axes = slot.subplots()
    strategies = list(model.strategies)
    rows = np.arange(len(strategies))
    right, left = np.zeros(len(rows)), np.zeros(len(rows))
    for position, (label, amount) in enumerate(parts.items()):
        values = np.array([amount[name] for name in strategies])
        start = np.where(values >= 0, right, left)
        axes.barh(
            rows,
            values,
            left=start,
            height=0.68,
            color=own.get(label, color(position)),
            edgecolor="white",
            linewidth=0.5,
            label=label,
        )
        right, left = right + np.maximum(values, 0), left + np.minimum(values, 0)
    span = (right.max() - min(left.min(), 0.0)) or 1.0
    totals = [float(total) for total in right + left]
    for row, end in enumerate(right):
        total = number(totals[row], decimals_for(totals))
        axes.text(end + 0.012 * span, row, total, va="center", fontsize=7.5, color=INK)
    axes.set_xlim(left.min() - (0.02 * span if left.min() < 0 else 0), right.max() + 0.15 * span)
    axes.set_yticks(rows, [wrapped(strategy_label(model, name), 30) for name in strategies])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=GREY, linewidth=0.9)
    axes.set_xlabel(f"{outcome_label(model, outcome)} per person")
    plain_numbers(axes.xaxis)
    labels = list(parts)
    longest = max(len(label) for label in labels)
    columns = max(1, min(int(6.3 / (0.062 * longest + 0.45)), len(labels), 4))
    slot.legend(
        axes.containers,
        labels,
        loc="outside upper center",
        ncols=columns,
        handlelength=1.1,
        columnspacing=1.4,
    )


def _by_row(found: Amounts, outcome: str) -> Parts:
    return {sentence_case(row): part for row, part in _parts(found, outcome, 1).items()}


def _by_state(analysis: Analysis, found: Amounts, outcome: str) -> Parts:
    model, parts = analysis.model, _parts(found, outcome, 2)
    order = [state for state in [*model.states, *parts] if state in parts]
    return {state_label(model, state): parts[state] for state in order}


def _state_colors(analysis: Analysis) -> dict[str, str]:
    """The colour of each state by its label, as in the trace; of a state by line, its first."""
    model, array = analysis.model, analysis.base.trace
    if array is None:
        return {}
    layers = _layers(analysis)
    colors = _place_colors([absorbing for _, _, absorbing in layers])
    states = array[STATE].to_numpy()
    shades: dict[str, str] = {}
    for (_, places, _), shade in zip(layers, colors, strict=True):
        shades.setdefault(state_label(model, str(states[places[0]])), shade)
    unused = (shade for shade in PALETTE if shade not in colors)
    for state in model.states:  # passed in no time, so not in the trace
        if state_label(model, state) not in shades:
            shades[state_label(model, state)] = next(unused, GREY)
    return shades


def _parts(found: Amounts, outcome: str, by: int) -> Parts:
    """Amounts of an outcome summed by row (1) or state (2); those that are 0 left out."""
    parts: Parts = {}
    for key, amount in found.items():
        if key[0] == outcome:
            part = parts.setdefault(key[by], dict.fromkeys(amount, 0.0))
            for strategy, value in amount.items():
                part[strategy] += value
    kept = {label: part for label, part in parts.items() if any(part.values())}
    return kept or parts


def _fewer(parts: Parts) -> Parts:
    """At most twelve parts: the smallest are added up as others."""
    if len(parts) <= MOST_PARTS:
        return parts

    def size(label: str) -> float:
        return max(abs(value) for value in parts[label].values())

    large = set(sorted(parts, key=size, reverse=True)[: MOST_PARTS - 1])
    kept = {label: part for label, part in parts.items() if label in large}
    rest = [part for label, part in parts.items() if label not in large]
    kept["all others"] = {
        name: sum(part[name] for part in rest) for name in next(iter(parts.values()))
    }
    return kept


def _trace(analysis: Analysis) -> xr.DataArray:
    assert analysis.base.trace is not None
    return analysis.base.trace


def _layers(analysis: Analysis) -> list[tuple[str, tuple[int, ...], bool]]:
    """Label, places and whether absorbing: those ever occupied; by state if places are many."""
    array, model = _trace(analysis), analysis.model
    states = [str(state) for state in array[STATE].to_numpy()]
    lines = [int(line) for line in array["line"].to_numpy()]
    ever = array.max([STRATEGY, "point"]).to_numpy() > 0
    used = [place for place in range(len(states)) if ever[place]]
    merge = len(used) > MOST_PLACES
    groups: dict[tuple[str, int], list[int]] = {}
    for place in used:
        groups.setdefault((states[place], 0 if merge else lines[place]), []).append(place)
    layers = [
        (state_label(model, state, line), tuple(places), model.states[state].absorbing)
        for (state, line), places in groups.items()
    ]
    return sorted(layers, key=lambda layer: layer[2])


def _place_colors(absorbing: list[bool]) -> list[str]:
    """Colours in order; greys for absorbing places."""
    lively, gone = iter(range(len(absorbing))), iter(range(len(absorbing)))
    return [
        ABSORBED[next(gone) % len(ABSORBED)] if each else color(next(lively)) for each in absorbing
    ]


def _label_outer(panels: Any, columns: int) -> None:
    """Ticks of the years under the lowest panel of each column, which may end early."""
    for place, panel in enumerate(panels):
        lowest = place + columns >= len(panels)
        panel.set_xlabel("Years since start" if lowest else "")
        panel.tick_params(labelbottom=lowest, labelleft=place % columns == 0)


def _absorbed(analysis: Analysis, array: xr.DataArray) -> Any:
    states = [str(state) for state in array[STATE].to_numpy()]
    return np.array([analysis.model.states[state].absorbing for state in states])


def has_absorbing(analysis: Analysis) -> bool:
    """Whether anybody is ever in an absorbing state."""
    if analysis.base.trace is None or analysis.model.is_tree:
        return False
    array = analysis.base.trace
    gone = _absorbed(analysis, array)
    return bool((array.transpose("place", ...).to_numpy()[gone] > 0).any())
