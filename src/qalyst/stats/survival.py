"""The survival families: their parameters, units of time, checks and medians.

`FAMILIES` is the closed list that a `curve:` record may name. A family says of each parameter
whether it is positive (so drawn on the log scale) and how it carries time, and gives log survival
as an array function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from qalyst.axes import Float
from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.stats import survival_families as functions

Values: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a survival family.

    Parameters
    ----------
    name : as in the record.
    positive : above 0 (0 is allowed in a vector), and drawn on the log scale.
    year : power of `year` in its unit.
    log_year : it is a log of years, so a change of unit adds to it.
    vector : it has an axis of its own, first.
    drawn : it takes part in the uncertainty of a fit; otherwise it is part of the design.
    """

    name: str
    positive: bool = False
    year: int = 0
    log_year: bool = False
    vector: bool = False
    drawn: bool = True


@dataclass(frozen=True, slots=True)
class Family:
    """A survival family: its parameters in the order of a fit, and its function.

    Parameters
    ----------
    name : as in `curve:`.
    parameters : in the order of a fit's covariance.
    log_survival : ``log_survival(t, **parameters)``, t >= 0 in years, 0 at t = 0; broadcasts.
    """

    name: str
    parameters: tuple[Parameter, ...]
    log_survival: Callable[..., Float]


SHAPE = Parameter("shape", positive=True)
SCALE = Parameter("scale", positive=True, year=1)
RATE = Parameter("rate", positive=True, year=-1)
MU = Parameter("mu", log_year=True)
SIGMA = Parameter("sigma", positive=True)
TIMES = Parameter("times", positive=True, year=1, vector=True, drawn=False)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family("exponential", (RATE,), functions.exponential),
            Family("weibull", (SHAPE, SCALE), functions.weibull),
            Family("gompertz", (Parameter("shape", year=-1), RATE), functions.gompertz),
            Family(
                "lognormal",
                (Parameter("meanlog", log_year=True), Parameter("sdlog", positive=True)),
                functions.lognormal,
            ),
            Family("loglogistic", (SHAPE, SCALE), functions.loglogistic),
            Family("gamma", (SHAPE, RATE), functions.gamma),
            Family("gengamma", (MU, SIGMA, Parameter("Q")), functions.gengamma),
            Family("genf", (MU, SIGMA, Parameter("Q"), Parameter("P", True)), functions.genf),
            Family(
                "spline",
                (
                    Parameter("gammas", vector=True),
                    Parameter("knots", log_year=True, vector=True, drawn=False),
                    Parameter("scale", drawn=False),
                ),
                functions.spline,
            ),
            Family(
                "piecewise",
                (
                    Parameter("starts", positive=True, year=1, vector=True, drawn=False),
                    Parameter("hazards", positive=True, year=-1, vector=True),
                ),
                functions.piecewise,
            ),
            Family(
                "points",
                (TIMES, Parameter("survival", positive=True, vector=True, drawn=False)),
                functions.points,
            ),
        )
    }
)
SPLINE_SCALES = ("hazard", "odds", "normal")


def in_years(family: str, values: Values, unit_in_years: float) -> dict[str, object]:
    """Parameters of a fit in another unit of time, as parameters in years.

    Parameters
    ----------
    family : name of the family.
    values : parameters in the unit of the fit.
    unit_in_years : length of that unit, e.g. 1/12 for a fit in months.

    Examples
    --------
    >>> in_years("weibull", {"shape": 1.1, "scale": 150.0}, 1 / 12)
    {'shape': 1.1, 'scale': 12.5}
    """
    converted = dict(values)
    for parameter in FAMILIES[family].parameters:
        if parameter.log_year or parameter.year:
            converted[parameter.name] = _scaled(parameter, values[parameter.name], unit_in_years)
    if family == "spline":
        gammas = np.array(values["gammas"], np.float64)
        gammas[0] -= gammas[1] * np.log(unit_in_years)
        converted["gammas"] = gammas
    return converted


def covariance_in_years(
    family: str, covariance: Float, unit_in_years: float, *, of_log: bool
) -> Float:
    """Covariance of a fit in another unit of time, [parameter, parameter], carried to years.

    Parameters
    ----------
    family : name of the family.
    covariance : of the drawn parameters in order; a vector parameter takes one row an element.
    unit_in_years : length of the unit of the fit, e.g. 1/12 for months.
    of_log : whether positive parameters stand as their logs, which a change of unit only shifts.
    """
    slopes: list[float] = []
    for parameter in (each for each in FAMILIES[family].parameters if each.drawn):
        power = 0 if parameter.positive and of_log else parameter.year
        count = len(covariance) if parameter.vector else 1
        slopes.extend([unit_in_years**power] * count)
    jacobian = np.diag(slopes)
    if family == "spline":
        jacobian[0, 1] = -np.log(unit_in_years)
    return np.asarray(jacobian @ covariance @ jacobian.T)


def from_median(family: str, median: float, *, shape: float = 1.0) -> dict[str, float]:
    """Parameters of the two-parameter curve with this median: the shape, and the scale or rate.

    Parameters
    ----------
    family : exponential, weibull, gompertz, lognormal, loglogistic or gamma.
    median : years.
    shape : the family's shape (gompertz: 1/year; lognormal: the sdlog); not used if exponential.

    Examples
    --------
    >>> from_median("loglogistic", 2.0, shape=1.5)
    {'shape': 1.5, 'scale': 2.0}
    """
    from scipy import special

    half = np.log(2)
    if family == "exponential":
        return {"rate": float(half / median)}
    if family == "weibull":
        return {"shape": shape, "scale": float(median / half ** (1 / shape))}
    if family == "gompertz":
        return {"shape": shape, "rate": float(half / median / special.exprel(shape * median))}
    if family == "lognormal":
        return {"meanlog": float(np.log(median)), "sdlog": shape}
    if family == "loglogistic":
        return {"shape": shape, "scale": median}
    if family == "gamma":
        return {"shape": shape, "rate": float(special.gammaincinv(shape, 0.5) / median)}
    raise ModelError(
        f"a {family} curve does not follow from its median",
        where="median",
        mend="give all its parameters",
    )


def check(family: str, parameters: Values, where: str) -> None:
    """Raise what is wrong with a family's parameters, all of it together.

    Parameters
    ----------
    family : name in the record's `curve:`.
    parameters : base values, or draws with the axis [draw] last.
    where : file, line and record, for the error.
    """
    mistakes = Mistakes()
    if family not in FAMILIES:
        mistakes.add(f"no survival family '{family}'", where=where, mend=nearest(family, FAMILIES))
    else:
        _check_names(family, parameters, where, mistakes)
    mistakes.raise_if_any()
    for parameter in FAMILIES[family].parameters:
        if (family, parameter.name) != ("spline", "scale"):
            _check_number(family, parameter, parameters[parameter.name], where, mistakes)
    mistakes.raise_if_any()
    for wrong, mend in _impossible(family, parameters):
        mistakes.add(wrong, where=where, mend=mend)
    mistakes.raise_if_any()


def _scaled(parameter: Parameter, value: object, unit_in_years: float) -> object:
    """One value carried to years; a plain number stays one."""
    number = np.asarray(value, np.float64)
    if parameter.log_year:
        scaled = number + np.log(unit_in_years)
    else:
        scaled = number * unit_in_years**parameter.year
    return scaled if scaled.ndim else float(scaled)


def _check_names(family: str, parameters: Values, where: str, mistakes: Mistakes) -> None:
    """Note missing and unknown parameters."""
    known = [parameter.name for parameter in FAMILIES[family].parameters]
    for name in parameters:
        if name not in known:
            mistakes.add(
                f"a {family} curve has no parameter '{name}'",
                where=where,
                mend=nearest(name, known),
            )
    for name in known:
        if name not in parameters:
            mistakes.add(
                f"a {family} curve needs `{name}`",
                where=where,
                mend="its parameters are " + ", ".join(known),
            )


def _check_number(
    family: str, parameter: Parameter, value: object, where: str, mistakes: Mistakes
) -> None:
    """Note a value that is no number, not finite, of the wrong form, or not positive."""
    what = f"{parameter.name} of a {family} curve"
    try:
        number = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        mistakes.add(f"{what} is {value!r}", where=where, mend="give a number")
        return
    if parameter.vector and (number.ndim == 0 or not number.size):
        mistakes.add(f"{what} is {value!r}", where=where, mend="give a list of numbers")
    elif not np.isfinite(number).all():
        mistakes.add(f"{what} is not finite", where=where, mend="give a finite number")
    elif parameter.positive:
        least = float(number.min())
        if least < 0 or (least == 0 and not parameter.vector):
            bound = "0 or more" if parameter.vector else "above 0"
            mistakes.add(f"{what} is {least:g}", where=where, mend=f"it must be {bound}")


def _impossible(family: str, parameters: Values) -> list[tuple[str, str]]:
    """Mistakes that only the parameters of a vector family can make together: (wrong, mend)."""
    if family == "spline":
        return _impossible_spline(parameters)
    if family == "piecewise":
        return _impossible_piecewise(parameters)
    if family == "points":
        return _impossible_points(parameters)
    return []


def _impossible_spline(parameters: Values) -> list[tuple[str, str]]:
    gammas, knots = (np.asarray(parameters[name], np.float64) for name in ("gammas", "knots"))
    if parameters["scale"] not in SPLINE_SCALES:
        return [(f"no spline scale {parameters['scale']!r}", "write " + " or ".join(SPLINE_SCALES))]
    if len(knots) < 2 or np.any(np.diff(knots) <= 0):
        return [("the knots of a spline do not increase", "list log times, boundaries included")]
    if len(gammas) != len(knots):
        return [
            (
                f"a spline has {len(gammas)} gammas and {len(knots)} knots",
                "give one gamma a knot: intercept, slope, and one for each inner knot",
            )
        ]
    if np.any(gammas[1] <= 0):
        return [
            (f"the first slope of a spline is {gammas[1].min():g}", "it must be above 0: S(0) = 1")
        ]
    least = float(np.min(functions.least_spline_slope(gammas, knots)))
    if least < 0:
        return [
            (
                f"a spline falls by {-least:.3g} per log year at its steepest: its survival rises",
                "check the gammas and knots, or use fewer knots",
            )
        ]
    return []


def _impossible_piecewise(parameters: Values) -> list[tuple[str, str]]:
    starts, hazards = (np.asarray(parameters[name], np.float64) for name in ("starts", "hazards"))
    if starts[0] != 0 or np.any(np.diff(starts) <= 0):
        return [("the starts of a piecewise curve are not 0 and then increasing", "sort from 0")]
    if len(starts) != len(hazards):
        return [
            (
                f"a piecewise curve has {len(starts)} starts and {len(hazards)} hazards",
                "give one hazard for each start",
            )
        ]
    return []


def _impossible_points(parameters: Values) -> list[tuple[str, str]]:
    times, shares = (np.asarray(parameters[name], np.float64) for name in ("times", "survival"))
    if np.any(np.diff(times) <= 0) or times[-1] == 0:
        return [("the times of a points curve do not increase", "sort them, each once, beyond 0")]
    if len(times) != len(shares):
        return [
            (
                f"a points curve has {len(times)} times and {len(shares)} survivals",
                "give one survival for each time",
            )
        ]
    if np.any(shares == 0):
        return [("a points curve falls to 0, where no hazard is defined", "end it above 0")]
    if np.any(shares > 1) or (times[0] == 0 and np.any(shares[0] != 1)):
        return [("a points curve does not start from 1", "give shares of those alive at time 0")]
    if np.any(np.diff(shares, axis=0) > 0):
        return [("a points curve rises", "survival never rises: check the points")]
    return []
