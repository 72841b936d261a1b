"""Two-way and multi-way analysis: the optimal strategy over a grid, and at any given points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qalyst.axes import DRAW, STRATEGY, Float
from qalyst.errors import ModelError
from qalyst.params.inputs import Input
from qalyst.sensitivity.points import MOST_POINTS, Study
from qalyst.sensitivity.shifts import Shift, label_of
from qalyst.sensitivity.standing import Reading, Standing, readings, standing

STEPS = 41  # of an axis, if not told


@dataclass(frozen=True)
class Axis:
    """An axis of a grid.

    Attributes
    ----------
    input, label, unit : what moves along it.
    base : its base value in the unit of the record.
    values : [value] in the unit of the record, ascending.
    """

    input: str
    label: str
    unit: str
    base: float
    values: Float


@dataclass(frozen=True)
class Grid:
    """A two-way analysis.

    Attributes
    ----------
    standing : the pair and the willingness to pay.
    x, y : the axes.
    strategies : names, in the order of `nmb`.
    nmb : [x, y, strategy] net monetary benefit.
    optimal : [x][y] the strategy with the highest; equals are joined by " = ".
    base : the base case.
    """

    standing: Standing
    x: Axis
    y: Axis
    strategies: tuple[str, ...]
    nmb: Float
    optimal: tuple[tuple[str, ...], ...]
    base: Reading


@dataclass(frozen=True)
class Point:
    """One point of a multi-way analysis: the values set there, and what the model gives."""

    name: str
    values: Mapping[str, float]
    found: Reading


@dataclass(frozen=True)
class Points:
    """A multi-way analysis."""

    standing: Standing
    base: Reading
    points: tuple[Point, ...]


def two_way(
    study: Study,
    x: tuple[str, float, float, int],
    y: tuple[str, float, float, int],
    *,
    wtp: float | None = None,
    strategy: str | None = None,
    comparator: str | None = None,
) -> Grid:
    """The optimal strategy over a grid of two inputs, all others at their base values.

    Parameters
    ----------
    study : the model; see `open_study`.
    x, y : (name, low, high, steps) of each axis, in the unit of its record.
    wtp, strategy, comparator : see `standing`.

    Raises
    ------
    ModelError
        An unknown input, the same one twice, a range that does not rise, or values at which the
        model cannot be run.

    Examples
    --------
    >>> from qalyst.sensitivity.points import open_study
    >>> found = two_way(
    ...     open_study("hiv"), ("rr_combination", 0.4, 1.0, 3), ("c_a", 0, 20_000, 2), wtp=10_000
    ... )
    >>> found.optimal
    (('combination', 'monotherapy'), ('combination', 'monotherapy'), ('monotherapy', 'monotherapy'))
    """
    inputs = [study.named(name, f"command line  {name}") for name, *_ in (x, y)]
    if inputs[0].name == inputs[1].name:
        raise ModelError(
            f"'{inputs[0].name}' is on both axes",
            where=f"command line  {x[0]} {y[0]}",
            mend="name two inputs",
        )
    first, second = (_axis(each, axis) for each, axis in zip(inputs, (x, y), strict=True))
    count = first.values.size * second.values.size
    if count > MOST_POINTS:
        raise ModelError(
            f"a grid of {count:,} points is too large",
            where="command line  LOW:HIGH:STEPS",
            mend=f"ask for no more than {MOST_POINTS:,}",
        )
    mesh = np.meshgrid(first.values, second.values, indexing="ij")
    shifts = [
        Shift(each, np.arange(count), values.ravel())
        for each, values in zip(inputs, mesh, strict=True)
    ]
    compared = standing(study, wtp=wtp, strategy=strategy, comparator=comparator)
    totals = study.totals(count, shifts)
    shape = first.values.size, second.values.size
    optimal = compared.optimal(totals)
    return Grid(
        standing=compared,
        x=first,
        y=second,
        strategies=tuple(study.model.strategies),
        nmb=compared.nmb(totals).transpose(DRAW, STRATEGY).to_numpy().reshape(*shape, -1),
        optimal=tuple(tuple(optimal[i * shape[1] : (i + 1) * shape[1]]) for i in range(shape[0])),
        base=readings(compared, study.base)[0],
    )


def at_points(
    study: Study,
    rows: Sequence[tuple[str, Mapping[str, float]]],
    *,
    wtp: float | None = None,
    strategy: str | None = None,
    comparator: str | None = None,
) -> Points:
    """What the model gives at points that set any inputs; the others are at their base values.

    Parameters
    ----------
    study : the model; see `open_study`.
    rows : [point] its name, and name of an input -> value in the unit of its record.
    wtp, strategy, comparator : see `standing`.

    Raises
    ------
    ModelError
        No points, an unknown input, or points at which the model cannot be run.
    """
    if not rows:
        raise ModelError("there are no points", where="points", mend="give a row for each")
    names = dict.fromkeys(name for _, values in rows for name in values)
    shifts = []
    for name in names:
        points = np.array([i for i, (_, values) in enumerate(rows) if name in values])
        values = np.array([rows[i][1][name] for i in points], np.float64)
        if not np.isfinite(values).all():
            raise ModelError(
                f"a value of '{name}' is no finite number", where="points", mend="write a number"
            )
        shifts.append(Shift(study.named(name, f"points  column {name}"), points, values))
    compared = standing(study, wtp=wtp, strategy=strategy, comparator=comparator)
    found = readings(compared, study.totals(len(rows), shifts))
    return Points(
        compared,
        readings(compared, study.base)[0],
        tuple(
            Point(name, dict(values), each)
            for (name, values), each in zip(rows, found, strict=True)
        ),
    )


def _axis(each: Input, asked: tuple[str, float, float, int]) -> Axis:
    name, low, high, steps = asked
    if not (math.isfinite(low) and math.isfinite(high) and low < high) or steps < 2:
        raise ModelError(
            f"the axis of '{name}' from {low:g} to {high:g} in {steps} values does not rise",
            where=f"command line  {name}={low:g}:{high:g}:{steps}",
            mend="give two finite ends, the lower first, and 2 values or more",
        )
    return Axis(
        each.name,
        label_of(each),
        each.parameter.unit_text,
        each.base,
        np.linspace(low, high, steps),
    )
