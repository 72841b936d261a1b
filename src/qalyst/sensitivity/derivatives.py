"""Local derivatives and elasticities of all outcomes to all inputs, each with its error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qalyst.axes import DRAW, OUTCOME, STRATEGY, Float
from qalyst.errors import ModelError
from qalyst.outcomes import DISCOUNTED
from qalyst.params.inputs import Input
from qalyst.params.parameter import bounds
from qalyst.sensitivity.points import Study
from qalyst.sensitivity.shifts import Shift, label_of
from qalyst.sensitivity.standing import Standing, standing
from qalyst.stats.uncertainty import Dirichlet

LEVELS = 6  # of steps, each half the one before
FIRST_STEP = 0.08  # share of the base value
INSIDE = 0.5  # share of the distance to a bound that the first step may take
ACCURATE = 1e-5  # relative error above which there is no number
NOISE = 1e-11  # share of outcome / input that counts as 0
NMB, INMB = "nmb", "incremental_nmb"


@dataclass(frozen=True)
class Slope:
    """The derivative of one result to one input.

    Attributes
    ----------
    value : the result at base values.
    derivative : change of the result by one unit of the input (or by its factor); None if
        the result is not smooth there.
    error : estimate of the error of `derivative`, from the extrapolation.
    elasticity : per cent of the result by one per cent of the input; None also where one is 0.
    """

    value: float
    derivative: float | None
    error: float
    elasticity: float | None


@dataclass(frozen=True)
class Sensitivity:
    """Derivatives to one input.

    Attributes
    ----------
    input, label, unit, base : of the input.
    by : value, or factor if all cells of a table move by the same share.
    slopes : (strategy, outcome) -> slope; `nmb` is an outcome; ("", "incremental_nmb") the pair.
    problem : why there are no numbers, or not all; empty if there are.
    """

    input: str
    label: str
    unit: str
    base: float
    by: str
    slopes: Mapping[tuple[str, str], Slope]
    problem: str

    def per_cent(self, slope: Slope) -> float:
        """The change of a result by 1 % more of the input, by its derivative."""
        assert slope.derivative is not None
        return slope.derivative * (1.0 if self.by == "factor" else self.base) / 100


@dataclass(frozen=True)
class Elasticities:
    """Derivatives to all inputs, in order of what 1 % more changes the incremental net benefit."""

    standing: Standing
    inputs: tuple[Sensitivity, ...]


def elasticities(
    study: Study,
    *,
    parameters: Sequence[str] = (),
    wtp: float | None = None,
    strategy: str | None = None,
    comparator: str | None = None,
) -> Elasticities:
    """Derivatives and elasticities of totals and net benefit to each input, at base values.

    Central differences at six steps, halved from 8 % of the base value (less near a bound), are
    extrapolated to a step of 0 (Richardson; Ridders' choice of the best entry). All steps of all
    inputs go through the kernel side by side. There is no number where the error estimate stays
    large, at a bound, or at a kink: where the slopes to the left and to the right differ.

    Of a dirichlet share the other shares keep their proportions. The cells of a table with one
    draw move by the same share, and the derivative is to that factor.

    Parameters
    ----------
    study : the model; see `open_study`.
    parameters : names of inputs, also of fixed ones; if there are none, every uncertain input and
        every single number that is fixed, but for what is read when the model is loaded.
    wtp, strategy, comparator : see `standing`.

    Raises
    ------
    ModelError
        An unknown input, or no input at all.

    References
    ----------
    Ridders (1982) Advances in Engineering Software 4:75-76.

    Examples
    --------
    >>> from qalyst.sensitivity.points import open_study
    >>> found = elasticities(open_study("hiv"), parameters=["c_zidovudine"], wtp=10_000)
    >>> slope = found.inputs[0].slopes["monotherapy", "life_years"]
    >>> slope.derivative, slope.elasticity
    (0.0, 0.0)
    """
    where = "command line  --parameter"
    inputs = [study.named(name, where) for name in parameters] or _all(study)
    if not inputs:
        raise ModelError(
            "the model has no inputs", where=study.model.file, mend="name one: --parameter NAME"
        )
    compared = standing(study, wtp=wtp, strategy=strategy, comparator=comparator)
    keys, base = _features(compared, study.base)
    steps = [_first_step(each) for each in inputs]
    problems = dict.fromkeys(range(len(inputs)), "")
    problems |= {n: "the base value is a bound of its unit" for n, h in enumerate(steps) if h == 0}
    able = [n for n, step in enumerate(steps) if step > 0]
    values = _values_beside(study, compared, [inputs[n] for n in able], [steps[n] for n in able])
    found = []
    for n, each in enumerate(inputs):
        slopes: dict[tuple[str, str], Slope] = {}
        problem = problems[n]
        if not problem:
            beside = values[able.index(n)]
            if isinstance(beside, str):
                problem = beside
            else:
                slopes, problem = _slopes(keys, base[0], beside, steps[n], each)
        found.append(
            Sensitivity(
                each.name,
                label_of(each),
                each.parameter.unit_text,
                each.base,
                _by(each),
                slopes,
                problem,
            )
        )
    found.sort(key=_size)
    return Elasticities(compared, tuple(found))


def _all(study: Study) -> list[Input]:
    parameters = study.model.parameters
    single = [
        study.named(name, "")
        for name in study.model.used_parameters
        if list(parameters[name].values) == [()]
    ]
    fixed = [each for each in single if not (study.is_uncertain(each) or study.at_load(each))]
    return [*study.inputs, *fixed]


def _by(each: Input) -> str:
    return "factor" if len(each.paths) > 1 else "value"


def _first_step(each: Input) -> float:
    """The largest step, in what moves; 0 if the base value is at a bound."""
    if _by(each) == "factor":
        return FIRST_STEP
    low, high = bounds(each.parameter)
    if isinstance(each.parameter.uncertainty.get(each.paths[0]), Dirichlet):
        low, high = 0.0, 1.0
    room = min(each.base - low, high - each.base)
    return min(FIRST_STEP * (abs(each.base) or 1.0), INSIDE * room)


def _features(compared: Standing, totals: object) -> tuple[list[tuple[str, str]], Float]:
    """Names (strategy, outcome) of all results, and their values [point, result]."""
    import xarray as xr

    assert isinstance(totals, xr.Dataset)
    told = totals[DISCOUNTED].transpose(DRAW, STRATEGY, OUTCOME)
    nmb = compared.nmb(totals).transpose(DRAW, STRATEGY)
    keys = [(str(s), str(o)) for s in told[STRATEGY].values for o in told[OUTCOME].values]
    keys += [(str(s), NMB) for s in nmb[STRATEGY].values]
    keys.append(("", INMB))
    flat = told.to_numpy().reshape(told.sizes[DRAW], -1)
    return keys, np.hstack([flat, nmb.to_numpy(), compared.inmb(totals)[:, None]])


def _values_beside(
    study: Study, compared: Standing, inputs: Sequence[Input], steps: Sequence[float]
) -> list[Float | str]:
    """Of each input the results [side, level, result]; or why the model cannot be run there."""

    def run(which: Sequence[int]) -> list[Float | str]:
        size = 2 * LEVELS
        shifts = []
        for place, n in enumerate(which):
            each, step = inputs[n], steps[n]
            centre = 1.0 if _by(each) == "factor" else each.base
            halves = step * 0.5 ** np.arange(LEVELS)
            moved = np.concatenate([centre - halves, centre + halves])
            points = place * size + np.arange(size)
            by: object = _by(each)
            shifts.append(Shift(each, points, moved, by="factor" if by == "factor" else "value"))
        _, found = _features(compared, study.totals(size * len(which), shifts))
        return list(found.reshape(len(which), 2, LEVELS, -1))

    if not inputs:
        return []
    try:
        return run(range(len(inputs)))
    except ModelError:  # beside one of them the model cannot be run: which?
        told: list[Float | str] = []
        for n in range(len(inputs)):
            try:
                told += run([n])
            except ModelError as error:
                told.append(f"the model cannot be run beside the base value: {error.what}")
        return told


def _slopes(
    keys: Sequence[tuple[str, str]], base: Float, beside: Float, step: float, each: Input
) -> tuple[dict[tuple[str, str], Slope], str]:
    """The slope of every result, and for how many there is none."""
    halves = step * 0.5 ** np.arange(LEVELS)
    below, above = beside
    derivative, error = _extrapolated((above - below) / (2 * halves[:, None]), 2, 2)
    # the slope to the right less that to the left: f'' h + O(h^3) where it is smooth
    bend, bend_error = _extrapolated((above - 2 * base + below) / halves[:, None], 1, 2)
    centre = 1.0 if _by(each) == "factor" else each.base
    noise = NOISE * np.maximum(np.abs(base), np.abs(beside).max(axis=(0, 1))) / step
    size = np.maximum(np.abs(derivative), noise / ACCURATE)
    rough = error > ACCURATE * size
    kink = np.abs(bend) > np.maximum(ACCURATE * size, 10 * bend_error)
    found = {}
    for n, key in enumerate(keys):
        smooth = not (rough[n] or kink[n])
        slope = float(derivative[n]) if abs(derivative[n]) > noise[n] else 0.0
        ratio = slope * centre / float(base[n]) if smooth and base[n] != 0 else None
        found[key] = Slope(float(base[n]), slope if smooth else None, float(error[n]), ratio)
    problem = ""
    if kink.any():
        problem = "a kink at the base value: the slopes on its sides differ"
    elif rough.any():
        problem = "not smooth: the error estimate does not shrink with the step"
    return found, problem


def _extrapolated(table: Float, first: int, then: int) -> tuple[Float, Float]:
    """Values [level, result] at halved steps, extrapolated to a step of 0, and their error.

    The error of a value goes with the powers `first`, `first + then`, ... of the step.
    """
    best, error = table[-1], np.full(table.shape[1], math.inf)
    column = table
    for order in range(1, len(table)):
        factor = 2.0 ** (first + then * (order - 1))
        better = (factor * column[1:] - column[:-1]) / (factor - 1)
        for row in range(len(better)):
            gap = np.maximum(
                np.abs(better[row] - column[row + 1]), np.abs(better[row] - column[row])
            )
            smaller = gap < error
            best, error = np.where(smaller, better[row], best), np.where(smaller, gap, error)
        column = better
    return best, error


def _size(found: Sensitivity) -> float:
    slope = found.slopes.get(("", INMB))
    return 1.0 if slope is None or slope.derivative is None else -abs(found.per_cent(slope))
