"""One-way analysis: each input at the ends of its range, all others at their base values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qalyst.axes import DRAW
from qalyst.errors import ModelError
from qalyst.params.inputs import Input, chosen
from qalyst.sensitivity.points import Study
from qalyst.sensitivity.shifts import Shift, label_of
from qalyst.sensitivity.standing import (
    NMB,
    Reading,
    Standing,
    check_measure,
    readings,
    standing,
)
from qalyst.stats.scalar_families import CENTRAL95

QUANTILES, GIVEN = "2.5 % and 97.5 % quantiles", "given range"
Range = tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """One input at both ends of its range.

    Attributes
    ----------
    input : name, as users write it.
    label, unit : of its record.
    base, low, high : values in the unit of the record (of the first cell, if several move).
    range : where the ends come from: quantiles, or as given.
    at_low, at_high : what the model gives there.
    swing : from the least to the greatest of the outcome at both ends and at the base case; None
        if it does not exist at one of the ends.
    changes_decision : whether another strategy is optimal at one of the ends.
    """

    input: str
    label: str
    unit: str
    base: float
    low: float
    high: float
    range: str
    at_low: Reading
    at_high: Reading
    swing: float | None
    changes_decision: bool


@dataclass(frozen=True)
class OneWay:
    """A one-way analysis; bars in order of falling swing, those without an ICER first."""

    standing: Standing
    outcome: str
    base: Reading
    bars: tuple[Bar, ...]


def one_way(
    study: Study,
    *,
    parameters: Sequence[str] = (),
    ranges: Mapping[str, Range] | None = None,
    outcome: str = NMB,
    wtp: float | None = None,
    strategy: str | None = None,
    comparator: str | None = None,
) -> OneWay:
    """Each input at the ends of its range, all others at their base values.

    The ends are the 2.5 % and 97.5 % quantiles of the input, or the range given. Cells that share
    one draw move together. All ends go through the kernel side by side.

    Parameters
    ----------
    study : the model; see `open_study`.
    parameters : names of uncertain inputs, or of tables of them; all if there are none.
    ranges : name -> (low, high) in the unit of the record; also of inputs that are fixed.
    outcome : by which the bars are ordered: nmb, icer, cost, qaly (all incremental), or the name of
        an outcome of the model, likewise strategy less comparator.
    wtp, strategy, comparator : see `standing`.

    Raises
    ------
    ModelError
        An unknown name, a range that no input can have, or a model that cannot be run at an end.

    References
    ----------
    Briggs et al. (2012) Med Decis Making 32:722-732.

    Examples
    --------
    >>> from qalyst.sensitivity.points import open_study
    >>> found = one_way(open_study("hiv"), parameters=["rr_combination", "c_a"], wtp=10_000)
    >>> [(bar.input, round(bar.swing or 0)) for bar in found.bars]
    [('c_a', 7377), ('rr_combination', 5191)]
    """
    where = "command line  --parameter"
    given = {study.named(name, _at(name)).name: ends for name, ends in (ranges or {}).items()}
    names = dict.fromkeys([*_wanted(study, parameters, given, where), *given])
    if not names:
        raise ModelError(
            "no input of the model is uncertain, and no range is given",
            where=study.model.file,
            mend="give ranges: --range NAME=LOW:HIGH",
        )
    inputs = [study.named(name, where) for name in names]
    shifts = [_ends(each, given.get(each.name), 2 * n + 1) for n, each in enumerate(inputs)]
    check_measure(study.model, outcome)
    totals = study.totals(2 * len(inputs) + 1, shifts)
    compared = standing(
        study, wtp=wtp, strategy=strategy, comparator=comparator, base=totals.isel({DRAW: [0]})
    )
    base, *rest = readings(compared, totals)
    if base.value(outcome) is None:
        raise ModelError(
            f"there is no ICER of {compared.strategy} against {compared.comparator} at the base "
            f"case ({base.pair.meaning})",
            where=f"command line  --outcome {outcome}",
            mend="choose --outcome nmb, or another pair",
        )
    bars = [
        _bar(each, shift, (base, rest[2 * n], rest[2 * n + 1]), outcome)
        for n, (each, shift) in enumerate(zip(inputs, shifts, strict=True))
    ]
    bars.sort(key=lambda bar: -math.inf if bar.swing is None else -bar.swing)
    return OneWay(compared, outcome, base, tuple(bars))


def values_of(shift: Shift) -> Range:
    """Both ends in the unit of the record (of the first cell)."""
    if shift.by == "value":
        return float(shift.values[0]), float(shift.values[1])
    return shift.input.interval


def _at(name: str) -> str:
    return f"command line  --range {name}"


def _wanted(
    study: Study, parameters: Sequence[str], given: Mapping[str, Range], where: str
) -> list[str]:
    if not parameters:
        return [each.name for each in study.inputs]
    names = []
    for name in parameters:
        if name in given:
            continue
        try:
            names += [each.name for each in chosen(study.inputs, [name], where)]
        except ModelError:
            fixed = study.named(name, where)
            if fixed.name in given or study.is_uncertain(fixed):
                names.append(fixed.name)
                continue
            raise ModelError(
                f"'{name}' is fixed, so it has no range of its own",
                where=f"{where} {name}",
                mend=f"give one: --range {name}=LOW:HIGH",
            ) from None
    return names


def _ends(each: Input, given: Range | None, first: int) -> Shift:
    points = np.array([first, first + 1])
    if given is None:
        return Shift(each, points, np.array(CENTRAL95), by="quantile")
    if given[0] == given[1] or not all(map(math.isfinite, given)):
        raise ModelError(
            f"the range of '{each.name}' is {given[0]:g} to {given[1]:g}",
            where=_at(each.name),
            mend="give two different, finite ends: NAME=LOW:HIGH",
        )
    return Shift(each, points, np.array(given, np.float64))


def _bar(each: Input, shift: Shift, found: tuple[Reading, Reading, Reading], outcome: str) -> Bar:
    base, at_low, at_high = found
    ends = at_low.value(outcome), at_high.value(outcome)
    low, high = values_of(shift)
    return Bar(
        input=each.name,
        label=label_of(each),
        unit=each.parameter.unit_text,
        base=each.base,
        low=low,
        high=high,
        range=GIVEN if shift.by == "value" else QUANTILES,
        at_low=at_low,
        at_high=at_high,
        swing=_swing((base.value(outcome), *ends)),
        changes_decision=not base.optimal == at_low.optimal == at_high.optimal,
    )


def _swing(values: tuple[float | None, ...]) -> float | None:
    """The length of the bar: both ends may lie on the same side of the base case."""
    known = [value for value in values if value is not None]
    return max(known) - min(known) if len(known) == len(values) else None
