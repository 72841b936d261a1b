"""Threshold analysis: values of an input at which another strategy becomes optimal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import DRAW, STRATEGY, Float
from qalyst.decision._dominance import ROUNDING
from qalyst.errors import ModelError
from qalyst.params.inputs import Input
from qalyst.sensitivity.points import Study
from qalyst.sensitivity.shifts import Shift, label_of
from qalyst.sensitivity.standing import Standing, standing
from qalyst.simulation import check_request

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Steps:
    """How finely a range is scanned, and each interval in which the choice changes thereafter."""

    scan: int
    within: int
    rounds: int


LANES, RUNS = Steps(129, 128, 2), Steps(9, 4, 3)  # side by side; one run for each value


@dataclass(frozen=True)
class Switch:
    """The value at which the optimal strategy changes.

    Attributes
    ----------
    value : in the unit of the record.
    below, above : what is optimal on either side.
    mcse : Monte Carlo standard error of the value; None without draws, or where the curves only
        touch.
    """

    value: float
    below: str
    above: str
    mcse: float | None = None


@dataclass(frozen=True)
class Threshold:
    """All switches of the optimal strategy in a range of one input.

    Attributes
    ----------
    standing : the pair and the willingness to pay.
    input, label, unit, base : of the input; `base` in the unit of the record.
    low, high : the range looked at.
    values : [value] that were run in the scan.
    nmb : [value, strategy] net monetary benefit there, its mean over draws if there are any.
    strategies : names, in the order of `nmb`.
    switches : in order of the value.
    optimal_low : what is optimal at the low end.
    draws : None without uncertainty of the other inputs.
    """

    standing: Standing
    input: str
    label: str
    unit: str
    base: float
    low: float
    high: float
    values: Float
    nmb: Float
    strategies: tuple[str, ...]
    switches: tuple[Switch, ...]
    optimal_low: str
    draws: int | None


def threshold(
    study: Study,
    parameter: str,
    *,
    between: tuple[float, float] | None = None,
    wtp: float | None = None,
    draws: int | None = None,
    seed: int = 0,
) -> Threshold:
    """All values of an input in a range at which the optimal strategy changes.

    The range is scanned; an interval at whose ends different strategies are optimal is scanned
    again, so that a third one inside is found as well; in the last, narrow interval the difference
    of net benefit is taken as a straight line. Two changes within one step of the first scan (a
    128th of the range; an 8th where each value is a run of its own) are not seen.

    Parameters
    ----------
    study : the model; see `open_study`.
    parameter : name of the input.
    between : (low, high) in the unit of the record; the 2.5 % and 97.5 % quantiles if None.
    wtp : see `standing`.
    draws, seed : the choice is by mean net benefit over so many draws of the other inputs, the same
        ones at each value; None for their base values.

    Raises
    ------
    ModelError
        An unknown input, a range that does not rise, or values at which the model cannot be run.

    Examples
    --------
    >>> from qalyst.sensitivity.points import open_study
    >>> found = threshold(open_study("hiv"), "c_a", between=(0, 20_000), wtp=10_000)
    >>> [(switch.below, switch.above) for switch in found.switches]
    [('combination', 'monotherapy')]
    """
    where = "command line  PARAMETER"
    each = study.named(parameter, where)
    low, high = _range(study, each, between)
    compared = standing(study, wtp=wtp)
    if draws is not None:
        check_request(draws=draws, seed=seed)
        if draws < 2:
            raise ModelError(
                "one draw has no Monte Carlo error", where="--draws 1", mend="ask for 2 or more"
            )

    def totals_at(value: float) -> xr.Dataset:
        assert draws is not None
        return study.drawn({each.name: value}, draws=draws, seed=seed, where=where)

    def means(values: Float) -> Float:
        if draws is None:
            shift = Shift(each, np.arange(len(values)), values)
            return _strategies_last(compared.nmb(study.totals(len(values), [shift])))
        found = [compared.nmb(totals_at(value)).mean(DRAW).to_numpy() for value in values]
        return np.array(found)

    steps = RUNS if draws is not None or study.at_load(each) else LANES
    names = tuple(study.model.strategies)
    values = np.linspace(low, high, steps.scan)
    nmb = means(values)
    found = _switches(means, values, nmb, names, steps)
    if draws is not None:
        found = [_with_error(switch, compared, totals_at, (low, high)) for switch in found]
    return Threshold(
        standing=compared,
        input=each.name,
        label=label_of(each),
        unit=each.parameter.unit_text,
        base=each.base,
        low=low,
        high=high,
        values=values,
        nmb=nmb,
        strategies=names,
        switches=tuple(found),
        optimal_low=names[_choices(nmb)[0]],
        draws=draws,
    )


def _range(study: Study, each: Input, between: tuple[float, float] | None) -> tuple[float, float]:
    if between is None:
        if not study.is_uncertain(each):
            raise ModelError(
                f"'{each.name}' is fixed, so it has no range of its own",
                where=f"command line  {each.name}",
                mend="give one: --between LOW:HIGH",
            )
        between = each.interval
    low, high = between
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ModelError(
            f"the range {low:g} to {high:g} does not rise",
            where=f"command line  --between {low:g}:{high:g}",
            mend="give two finite ends, the lower first",
        )
    return low, high


def _switches(
    means: Callable[[Float], Float],
    values: Float,
    nmb: Float,
    names: Sequence[str],
    steps: Steps,
) -> list[Switch]:
    """The switches among values in ascending order, each found by finer and finer scans."""
    for _ in range(steps.rounds):
        choice = _choices(nmb)
        changed = np.flatnonzero(choice[1:] != choice[:-1])
        if not changed.size:
            return []
        inner = np.linspace(values[changed], values[changed + 1], steps.within + 1)[1:-1]
        fresh = np.unique(inner)  # between values that are next to each other there is none
        fresh = fresh[~np.isin(fresh, values)]
        if not fresh.size:
            break
        values, nmb = np.append(values, fresh), np.append(nmb, means(fresh), axis=0)
        order = np.argsort(values)
        values, nmb = values[order], nmb[order]
    choice = _choices(nmb)
    found = []
    for i in np.flatnonzero(choice[1:] != choice[:-1]):
        below, above = choice[i], choice[i + 1]
        left, right = nmb[i, below] - nmb[i, above], nmb[i + 1, below] - nmb[i + 1, above]
        share = left / (left - right) if left != right else 0.5
        value = values[i] + share * (values[i + 1] - values[i])
        found.append(Switch(float(value), names[below], names[above]))
    return found


def _choices(nmb: Float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """[value] position of the best strategy; of equals the one that was best before."""
    near = nmb >= (nmb.max(axis=1) - ROUNDING * np.abs(nmb).max(axis=1))[:, None]
    chosen = [int(np.argmax(near[0]))]
    for row in near[1:]:
        chosen.append(chosen[-1] if row[chosen[-1]] else int(np.argmax(row)))
    return np.array(chosen, np.int64)


def _with_error(
    switch: Switch,
    compared: Standing,
    totals_at: Callable[[float], xr.Dataset],
    between: tuple[float, float],
) -> Switch:
    """The Monte Carlo error of a root, that of the mean over the slope (delta method)."""
    low, high = between
    step = 1e-3 * (high - low)
    if switch.value - step < low:  # beyond its range the model may have no value
        step = -step

    def difference(value: float) -> Float:
        nmb = compared.nmb(totals_at(value))
        pair = nmb.sel({STRATEGY: switch.below}) - nmb.sel({STRATEGY: switch.above})
        return np.asarray(pair.to_numpy(), np.float64)

    here, beside = difference(switch.value), difference(switch.value - step)
    slope = float((here - beside).mean() / step)
    if slope == 0:
        return switch
    error = float(here.std(ddof=1) / math.sqrt(here.size))
    return Switch(switch.value, switch.below, switch.above, error / abs(slope))


def _strategies_last(nmb: xr.DataArray) -> Float:
    return np.asarray(nmb.transpose(DRAW, STRATEGY).to_numpy(), np.float64)
