"""Uncertainty of one number between two bounds: truncated normal, uniform, triangular, PERT."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import model_validator

from qalyst.axes import Float
from qalyst.stats.scalar_families import ImpossibleMoments, Number, Positive, ScalarFamily


class _Bounded(ScalarFamily):
    """A family on an interval that holds the value."""

    low: Number
    high: Number

    @model_validator(mode="after")
    def bounds_rise(self) -> _Bounded:
        """Refuse bounds in the wrong order."""
        if self.low >= self.high:
            raise ValueError(f"`low` {self.low:g} is not below `high` {self.high:g}")
        return self

    def check(self, value: float) -> None:
        """Refuse a value outside the bounds."""
        if not self.low <= value <= self.high:
            raise ImpossibleMoments(
                f"the value {value:g} is not between {self.low:g} and {self.high:g}"
            )


class TruncatedNormal(_Bounded):
    """Normal between bounds; the value is the mean before truncation."""

    family: Literal["truncated_normal"] = "truncated_normal"
    se: Positive

    def check(self, value: float) -> None:
        """Refuse a value outside the bounds, or bounds that leave nothing of the normal's form."""
        super().check(value)
        if self.high - self.low < self.se / 100:
            raise ImpossibleMoments(
                f"between {self.low:g} and {self.high:g} a normal with se {self.se:g} is flat: "
                "write `family: uniform`"
            )

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        from scipy import special

        low, high = (self.low - value) / self.se, (self.high - value) / self.se
        # From whichever end is nearer, so that neither tail is rounded away.
        below = (1 - u) * special.ndtr(low) + u * special.ndtr(high)
        above = (1 - u) * special.ndtr(-low) + u * special.ndtr(-high)
        z = np.where(below < above, special.ndtri(below), -special.ndtri(above))
        return np.clip(np.asarray(value + self.se * z, np.float64), self.low, self.high)

    def mean(self, value: float) -> float:
        """Mean of the draws (Johnson, Kotz & Balakrishnan 1994, 13.10)."""
        return value + self.se * self._standard_moments(value)[0]

    def sd(self, value: float) -> float:
        """Standard deviation of the draws (Johnson, Kotz & Balakrishnan 1994, 13.10)."""
        return self.se * math.sqrt(self._standard_moments(value)[1])

    def _standard_moments(self, value: float) -> tuple[float, float]:
        """Mean and variance in units of `se` from the value."""
        low, high = (self.low - value) / self.se, (self.high - value) / self.se
        at_low, at_high = (math.exp(-z * z / 2) / math.sqrt(2 * math.pi) for z in (low, high))
        inside = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
        mean = (at_low - at_high) / inside
        return mean, 1 + (low * at_low - high * at_high) / inside - mean**2


class Uniform(_Bounded):
    """Uniform between bounds; the value is anything between, the middle if absent."""

    family: Literal["uniform"] = "uniform"

    def implied_value(self) -> float:
        """Middle of the bounds."""
        return self.low + (self.high - self.low) / 2

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        return self.low + (self.high - self.low) * u

    def mean(self, value: float) -> float:
        """Mean of the draws: the middle, whatever the value."""
        return self.implied_value()

    def sd(self, value: float) -> float:
        """Standard deviation of the draws."""
        return (self.high - self.low) / math.sqrt(12)


class Triangular(_Bounded):
    """Triangular between bounds; the value is the mode."""

    family: Literal["triangular"] = "triangular"

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        width, left, right = self.high - self.low, value - self.low, self.high - value
        rising = self.low + np.sqrt(u * width * left)
        falling = self.high - np.sqrt((1 - u) * width * right)
        return np.where(u * width < left, rising, falling)

    def mean(self, value: float) -> float:
        """Mean of the draws."""
        return (self.low + value + self.high) / 3

    def sd(self, value: float) -> float:
        """Standard deviation of the draws."""
        left, right = value - self.low, self.high - value
        return math.sqrt((left**2 + left * right + right**2) / 18)


class Pert(_Bounded):
    """Beta between bounds with weight 4 on the mode; the value is the mode.

    References
    ----------
    Malcolm, Roseboom, Clark & Fazar (1959) Oper Res 7:646-669; Vose (2008) Risk Analysis.
    """

    family: Literal["pert"] = "pert"

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        from scipy import special

        width = self.high - self.low
        alpha, beta = 1 + 4 * (value - self.low) / width, 1 + 4 * (self.high - value) / width
        return np.asarray(self.low + width * special.betaincinv(alpha, beta, u))

    def mean(self, value: float) -> float:
        """Mean of the draws."""
        return (self.low + 4 * value + self.high) / 6

    def sd(self, value: float) -> float:
        """Standard deviation of the draws."""
        mean = self.mean(value)
        return math.sqrt((mean - self.low) * (self.high - mean) / 7)
