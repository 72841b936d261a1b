"""Families of a number that differs between people, whose arguments may differ between draws.

They are those of uncertainty, with the spread between people (`sd`) in place of a standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float
from qalyst.stats.bounded_families import Pert, Triangular, TruncatedNormal, Uniform
from qalyst.stats.scalar_families import Beta, Gamma, ImpossibleMoments, Normal

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Family:
    """A family of a difference between people.

    Attributes
    ----------
    name : the word.
    arguments : names of its arguments, in order.
    meaning : one line.
    needs : what its arguments must be, in words.
    possible : arguments, any shape -> whether they are.
    quantile : uniform, arguments -> value.
    """

    name: str
    arguments: tuple[str, ...]
    meaning: str
    needs: str
    possible: Callable[..., Array]
    quantile: Callable[..., Array]


def quantile(name: str, u: float, arguments: Mapping[str, Float]) -> Float:
    """Quantile of a family at one uniform number, as its arguments: any shapes that broadcast.

    Parameters
    ----------
    name : word of the family.
    u : between 0 and 1.
    arguments : those of the family, by name.

    Raises
    ------
    ImpossibleMoments
        Arguments that no distribution of the family has; the message says which.

    Examples
    --------
    >>> quantile("normal", 0.5, {"mean": np.array([60.0, 65.0]), "sd": np.array(9.0)})
    array([60., 65.])
    """
    family = FAMILIES[name]
    given = [np.asarray(arguments[key], np.float64) for key in family.arguments]
    wrong = ~np.atleast_1d(family.possible(*given))
    if wrong.any():
        first = tuple(int(i[0]) for i in np.nonzero(wrong))
        shown = (np.broadcast_to(value, wrong.shape)[first] for value in given)
        found = ", ".join(
            f"{key} {value:.4g}" for key, value in zip(family.arguments, shown, strict=True)
        )
        raise ImpossibleMoments(f"a {name} by {found}: it needs {family.needs}")
    return np.asarray(family.quantile(np.float64(u), *given), np.float64)


def _lognormal(u: Float, mean: Float, sd: Float) -> Array:
    from scipy import special

    variance = np.log1p((sd / mean) ** 2)
    scores = np.sqrt(variance) * special.ndtri(u)
    return np.asarray(np.exp(np.log(mean) - variance / 2 + scores))


def _by_mean(kind: Any) -> Callable[..., Array]:
    """The quantile of a family of uncertainty; its fields take arrays if they are not checked."""
    return lambda u, mean, sd: kind.model_construct(se=sd).quantile(mean, u)


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "normal",
            ("mean", "sd"),
            "normal",
            "`sd` above 0",
            lambda mean, sd: np.isfinite(mean) & (sd > 0),
            _by_mean(Normal),
        ),
        Family(
            "truncated_normal",
            ("mean", "sd", "low", "high"),
            "normal between bounds; `mean` and `sd` are those before truncation",
            "`mean` between `low` and `high`, and `sd` above 0 and not above 100 (high - low)",
            lambda mean, sd, low, high: (
                (sd > 0)
                & (low < high)
                & (low <= mean)
                & (mean <= high)
                & (sd <= 100 * (high - low))
            ),
            lambda u, mean, sd, low, high: TruncatedNormal.model_construct(
                se=sd, low=low, high=high
            ).quantile(mean, u),
        ),
        Family(
            "lognormal",
            ("mean", "sd"),
            "lognormal; `mean` and `sd` are its own, not those of the log",
            "`mean` and `sd` above 0",
            lambda mean, sd: (mean > 0) & (sd > 0),
            _lognormal,
        ),
        Family(
            "beta",
            ("mean", "sd"),
            "beta",
            "`mean` between 0 and 1, and `sd` above 0 and below the root of mean (1 - mean)",
            lambda mean, sd: (mean > 0) & (mean < 1) & (sd > 0) & (sd**2 < mean * (1 - mean)),
            _by_mean(Beta),
        ),
        Family(
            "gamma",
            ("mean", "sd"),
            "gamma",
            "`mean` and `sd` above 0",
            lambda mean, sd: (mean > 0) & (sd > 0),
            _by_mean(Gamma),
        ),
        Family(
            "uniform",
            ("low", "high"),
            "uniform between bounds",
            "`low` below `high`",
            lambda low, high: low < high,
            lambda u, low, high: Uniform.model_construct(low=low, high=high).quantile(low, u),
        ),
        Family(
            "triangular",
            ("low", "mode", "high"),
            "triangular between bounds",
            "`low` below `high`, and `mode` between them",
            lambda low, mode, high: (low < high) & (low <= mode) & (mode <= high),
            lambda u, low, mode, high: Triangular.model_construct(low=low, high=high).quantile(
                mode, u
            ),
        ),
        Family(
            "pert",
            ("low", "mode", "high"),
            "beta between bounds with weight 4 on the mode",
            "`low` below `high`, and `mode` between them",
            lambda low, mode, high: (low < high) & (low <= mode) & (mode <= high),
            lambda u, low, mode, high: Pert.model_construct(low=low, high=high).quantile(mode, u),
        ),
    )
}
