"""Survival from times of death and of leaving observation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int


@dataclass(frozen=True)
class KaplanMeier:
    """Survival over time: a row at time 0, at each time of death, and at the last time.

    Attributes
    ----------
    years : [time].
    at_risk : [time] how many are alive and observed just before.
    deaths : [time] at that time.
    survival : [time] just after.
    standard_error : [time] of `survival`; nan once nobody is left, where it is not defined.
    """

    years: Float
    at_risk: Int
    deaths: Int
    survival: Float
    standard_error: Float


def kaplan_meier(years: Float, died: NDArray[np.bool_]) -> KaplanMeier:
    """Survival by the product limit, with Greenwood's standard errors.

    With d deaths among n at risk, ``S(t) = prod (1 - d / n)`` and
    ``se(t) = S(t) sqrt(sum d / (n (n - d)))``, over the times of death up to t.

    Parameters
    ----------
    years : [person] time of death, or of leaving observation; who leaves at a time of death is
        still at risk then.
    died : [person] whether it is a death.

    References
    ----------
    Kaplan & Meier (1958) J Am Stat Assoc 53:457-481; Greenwood (1926) Reports on Public Health and
    Medical Subjects 33:1-26.

    Examples
    --------
    >>> found = kaplan_meier(np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, False, True, False]))
    >>> found.years.tolist(), found.at_risk.tolist(), found.survival.tolist()
    ([0.0, 1.0, 2.0, 3.0], [4, 4, 3, 1], [1.0, 0.75, 0.5, 0.5])
    """
    times = np.unique(np.concatenate([[0.0], years[died], years.max(keepdims=True)]))
    ordered = np.sort(years)
    at_risk = len(years) - np.searchsorted(ordered, times, side="left")
    deaths = np.bincount(np.searchsorted(times, years[died]), minlength=len(times))
    after = at_risk - deaths
    survival = np.asarray(np.cumprod(after / at_risk), float)
    terms = deaths / (at_risk * np.where(after > 0, after, np.nan))
    error = np.asarray(survival * np.sqrt(np.cumsum(terms)), float)
    return KaplanMeier(times, at_risk, deaths, survival, error)
