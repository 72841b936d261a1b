"""The closed list of uncertainty families, those of several numbers included.

`Uncertainty` reads a record's `uncertainty:` by its `family`. The families of one number are in
`scalar_families` and `bounded_families`; several numbers drawn together by a covariance in `joint`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from qalyst.axes import Float
from qalyst.stats.bounded_families import Pert, Triangular, TruncatedNormal, Uniform
from qalyst.stats.joint import gaussian_copula, joint_normal
from qalyst.stats.scalar_families import (
    CENTRAL95,
    Beta,
    Fixed,
    Gamma,
    ImpossibleMoments,
    LogNormal,
    Normal,
    Positive,
    Record,
    ScalarFamily,
)

__all__ = [
    "Beta",
    "Dirichlet",
    "Draws",
    "Fixed",
    "Gamma",
    "ImpossibleMoments",
    "LogNormal",
    "Normal",
    "Pert",
    "ScalarFamily",
    "Triangular",
    "TruncatedNormal",
    "Uncertainty",
    "Uniform",
    "gaussian_copula",
    "joint_normal",
]


class Dirichlet(Record):
    """Shares of a whole, counted; the value is counts / total, [cell] in the order of `counts`."""

    family: Literal["dirichlet"] = "dirichlet"
    counts: dict[str, Positive] = Field(min_length=2)

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the cells, in order."""
        return tuple(self.counts)

    def implied_value(self) -> Float:
        """Shares, [cell]."""
        alphas = self._alphas()
        return np.asarray(alphas / alphas.sum(), np.float64)

    def check(self, value: Float) -> None:
        """Refuse shares [cell] other than counts / total."""
        implied = self.implied_value()
        if np.shape(value) != implied.shape:
            raise ImpossibleMoments(f"{np.size(value)} shares for {implied.size} counts")
        for cell, stated, share in zip(self.cells, value, implied, strict=True):
            if not np.isclose(stated, share, rtol=1e-9, atol=0):
                raise ImpossibleMoments(
                    f"the value of '{cell}' is {stated:g}, its share of the counts {share:g}: "
                    "leave it out"
                )

    def quantile(self, value: Float, u: Float) -> Float:
        """Shares [cell, draw]: gamma quantiles at `u` [cell, draw], divided by their sum."""
        sizes = _log_gamma_quantile(self._alphas()[:, None], u)
        shares = np.exp(sizes - sizes.max(axis=0))
        total = np.zeros(shares.shape[1:])
        for share in shares:
            total = total + share
        return np.asarray(shares / total, np.float64)

    def mean(self, value: Float) -> Float:
        """Mean of the draws, [cell]."""
        return self.implied_value()

    def sd(self, value: Float) -> Float:
        """Standard deviation of the draws, [cell]."""
        share = self.implied_value()
        return np.asarray(np.sqrt(share * (1 - share) / (self._alphas().sum() + 1)), np.float64)

    def interval(self, value: Float) -> Float:
        """Central 95 % of each share, a beta by itself: [cell, low and high]."""
        from scipy import special

        alphas = self._alphas()[:, None]
        return np.asarray(special.betaincinv(alphas, alphas.sum() - alphas, np.array(CENTRAL95)))

    def _alphas(self) -> Float:
        return np.array(list(self.counts.values()), np.float64)


class Draws(Record):
    """Draws in a file; here the value is the column of the file, [row].

    A PSA takes whole rows, each at random, which keeps the names of a joint record together.
    The quantile is that of one column by itself, for intervals and one-way analysis.
    """

    family: Literal["draws"] = "draws"
    file: str = Field(min_length=1)

    def implied_value(self) -> None:
        """Nothing before the file is read; then the mean of the column."""
        return

    def check(self, value: Float) -> None:
        """Refuse an empty column, or one with a value that is no finite number."""
        if not np.size(value):
            raise ImpossibleMoments(f"{self.file} holds no draws")
        if not np.isfinite(value).all():
            raise ImpossibleMoments(f"{self.file} holds draws that are not finite numbers")

    def quantile(self, value: Float, u: Float) -> Float:
        """Quantiles of the column at the uniforms `u`, any shape: the inverse of its steps."""
        ordered = np.sort(value)
        return ordered[np.minimum((u * ordered.size).astype(np.int64), ordered.size - 1)]

    def mean(self, value: Float) -> float:
        """Mean of the column."""
        return float(np.mean(value))

    def sd(self, value: Float) -> float:
        """Standard deviation of the column."""
        return float(np.std(value))

    def interval(self, value: Float) -> tuple[float, float]:
        """Central 95 % of the column."""
        low, high = self.quantile(value, np.array(CENTRAL95))
        return float(low), float(high)


Uncertainty: TypeAlias = Annotated[
    Fixed
    | Normal
    | TruncatedNormal
    | LogNormal
    | Beta
    | Gamma
    | Uniform
    | Triangular
    | Pert
    | Dirichlet
    | Draws,
    Field(discriminator="family"),
]


def _log_gamma_quantile(shape: Float, u: Float) -> Float:
    """Log of the gamma quantile; where that underflows, by the first term of its series."""
    from scipy import special

    quantile = special.gammaincinv(shape, u)
    first_term = (np.log(u) + special.gammaln(shape + 1)) / shape
    tiny = quantile < np.finfo(np.float64).tiny
    return np.where(tiny, first_term, np.log(np.where(tiny, 1.0, quantile)))
