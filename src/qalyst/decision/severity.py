"""Severity: QALYs that patients lose against the general population, and what that counts for.

Expected QALYs of the general population are the integral of survival times utility times the
discount factor, with hazard and utility constant within each year of age. The absolute shortfall
is what patients lose of them under established care, the proportional shortfall its share.

References
----------
McNamara and others (2023) Value Health 26:163-169; Stolk and others (2004) PharmacoEconomics
22:1097-1107 (proportional shortfall).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qalyst.axes import Float
from qalyst.errors import ModelError


@dataclass(frozen=True)
class Band:
    """What holds from a shortfall upwards; one measure of the two is enough.

    Attributes
    ----------
    absolute : QALYs; None if it does not count.
    proportional : share; None if it does not count.
    value : a weight of QALYs, or a threshold.
    """

    absolute: float | None
    proportional: float | None
    value: float


@dataclass(frozen=True)
class Shortfall:
    """Severity of a condition under established care.

    Attributes
    ----------
    general : expected discounted QALYs of the general population.
    disease : expected discounted QALYs of patients, mean over draws.
    absolute, proportional : shortfall at these means.
    value : what the most severe band that is reached gives; None if none is.
    chances : value -> share of draws in which it is given; None for no band.
    """

    general: float
    disease: float
    absolute: float
    proportional: float
    value: float | None
    chances: dict[float | None, float]


def quality_adjusted_life_expectancy(
    hazards: ArrayLike, utilities: ArrayLike, *, age: float, rate: float = 0.0
) -> float:
    """Expected QALYs from an age to the end of a life table.

    Parameters
    ----------
    hazards : [age] of death in each year of age from 0, 1/year.
    utilities : [age] in each year of age from 0.
    age : at the start, years; not necessarily whole.
    rate : yearly effective discount rate.

    Raises
    ------
    ModelError
        An age outside the table, a table that is no table, or a rate that is none.

    Examples
    --------
    Constant hazard and utility, a table that is long enough: utility / (hazard + log(1 + rate)).

    >>> tables = np.full(2000, 0.02), np.full(2000, 0.8)
    >>> found = quality_adjusted_life_expectancy(*tables, age=40.5, rate=0.035)
    >>> bool(abs(found - 0.8 / (0.02 + np.log(1.035))) < 1e-12)
    True
    """
    hazard, utility = np.asarray(hazards, float), np.asarray(utilities, float)
    _check_tables(hazard, utility)
    if not 0 <= age < len(hazard):
        raise ModelError(
            f"the age {age:g} is not in the life table",
            where="age",
            mend=f"give an age from 0 to below {len(hazard)}",
        )
    if not 0 <= rate <= 1:
        raise ModelError(
            f"the discount rate {rate:g} is no yearly rate",
            where="rate",
            mend="write a share, such as 0.035",
        )
    first = math.floor(age)
    years = np.ones(len(hazard) - first)
    years[0] = first + 1 - age
    force = hazard[first:] + math.log1p(rate)
    gone = np.concatenate([[0.0], np.cumsum(force * years)[:-1]])
    lived = np.where(force > 0, -np.expm1(-force * years) / np.where(force > 0, force, 1), years)
    return float((utility[first:] * np.exp(-gone) * lived).sum())


def shortfall(
    general: float, disease: ArrayLike, bands: Sequence[Band], *, decimals: int | None = None
) -> Shortfall:
    """Absolute and proportional QALY shortfall, and what the bands give.

    Parameters
    ----------
    general : expected discounted QALYs of the general population of the same age and sex.
    disease : [draw] discounted QALYs of patients under established care, or one number.
    bands : from the least severe to the most; the most severe that either measure reaches holds.
    decimals : to which the proportional shortfall is rounded before it is compared.

    Raises
    ------
    ModelError
        Expected QALYs that are not above 0, or QALYs that are no numbers.

    Examples
    --------
    >>> bands = Band(12, 0.85, 1.2), Band(18, 0.95, 1.7)
    >>> found = shortfall(15.0, [2.0, 1.0], bands)
    >>> found.absolute, found.proportional, found.value
    (13.5, 0.9, 1.2)
    >>> found.chances
    {1.2: 1.0}
    """
    values = np.atleast_1d(np.asarray(disease, float))
    if not (math.isfinite(general) and general > 0):
        raise ModelError(
            f"the general population expects {general:g} QALYs",
            where="general",
            mend="check its life table and norm",
        )
    if not values.size or not np.isfinite(values).all():
        raise ModelError(
            "QALYs of patients are not all finite numbers", where="disease", mend="check the run"
        )
    mean = float(values.mean())
    by_draw = [_reached(bands, general - each, 1 - each / general, decimals) for each in values]
    order = [None, *(band.value for band in bands)]
    chances = {value: by_draw.count(value) / len(by_draw) for value in order}
    absolute, proportional = general - mean, 1 - mean / general
    return Shortfall(
        general=general,
        disease=mean,
        absolute=absolute,
        proportional=proportional,
        value=_reached(bands, absolute, proportional, decimals),
        chances={value: share for value, share in chances.items() if share},
    )


def _reached(
    bands: Sequence[Band], absolute: float, proportional: float, decimals: int | None
) -> float | None:
    """The value of the last band that one of the measures reaches."""
    share = proportional if decimals is None else round(proportional, decimals)
    found = None
    for band in bands:
        lost = band.absolute is not None and absolute >= band.absolute
        if lost or (band.proportional is not None and share >= band.proportional):
            found = band.value
    return found


def _check_tables(hazard: Float, utility: Float) -> None:
    if hazard.ndim != 1 or hazard.shape != utility.shape or not hazard.size:
        raise ModelError(
            f"hazards {hazard.shape} and utilities {utility.shape} are not of the same ages",
            where="hazards, utilities",
            mend="give one of each for every year of age from 0",
        )
    if not (np.isfinite(hazard).all() and (hazard >= 0).all() and np.isfinite(utility).all()):
        raise ModelError(
            "a hazard is below 0, or a hazard or utility is no finite number",
            where="hazards, utilities",
            mend="check the life table and the norm",
        )
