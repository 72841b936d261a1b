"""Errors of means over draws: independent ones, or randomised replicates of a sampling design.

Draws of a design (Sobol points, Latin hypercubes) are not independent, so their spread says nothing
of the error of their mean. Replicates of the design are: the error is that of the mean of their
means. Draw i belongs to replicate ``i % replicates``.
"""

from __future__ import annotations

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError


def check_replicates(draws: int, replicates: int) -> None:
    """Refuse draws that are not whole replicates; 1 replicate stands for independent draws.

    Raises
    ------
    ModelError
        Replicates below 1, or draws that they do not divide.
    """
    if replicates < 1 or draws % replicates or draws < 2:
        raise ModelError(
            f"{draws} draws are not {replicates} replicates of equal size",
            where="replicates",
            mend="give a number that divides the draws; 1 for independent draws",
        )


def replicate_means(values: Float, replicates: int) -> Float:
    """[replicate, ...] means of each replicate; `values` is [draw, ...].

    >>> replicate_means(np.array([1.0, 10.0, 3.0, 30.0]), 2).tolist()
    [2.0, 20.0]
    """
    check_replicates(values.shape[0], replicates)
    return np.asarray(values.reshape(-1, replicates, *values.shape[1:]).mean(axis=0))


def units_of(values: Float, replicates: int) -> Float:
    """[unit, ...] what is independent: the draws, or the means of the replicates."""
    return values if replicates == 1 else replicate_means(values, replicates)


def error_of_mean(values: Float, replicates: int = 1) -> Float:
    """Monte Carlo standard error of the mean over draws; `values` is [draw, ...].

    Examples
    --------
    >>> float(error_of_mean(np.array([1.0, 3.0])))
    1.0
    """
    units = units_of(values, replicates)
    return np.asarray(units.std(axis=0, ddof=1) / np.sqrt(units.shape[0]))


def covariance_of_mean(values: Float, replicates: int = 1) -> Float:
    """[k, k] covariance of the mean over draws; `values` is [draw, k]."""
    units = units_of(values, replicates)
    return np.asarray(np.atleast_2d(np.cov(units.T)) / units.shape[0])


def error_multiplier(replicates: int = 1, level: float = 0.95) -> float:
    """Standard errors in the half-width of an interval: normal, or Student's t of the replicates.

    >>> round(error_multiplier(), 3), round(error_multiplier(8), 3)
    (1.96, 2.365)
    """
    from scipy import special

    tail = (1 + level) / 2
    return float(special.ndtri(tail) if replicates == 1 else special.stdtrit(replicates - 1, tail))
