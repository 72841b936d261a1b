"""Uncertainty of one number: each family is built round the value of its record.

What the value is of the distribution (mean, median, mode) is said by the class.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from qalyst.axes import Float

# Half and whole width of a 95 % interval in standard errors, by the 1.96 of the papers that
# intervals come from.
Z95 = 1.96
WIDTH95 = 2 * Z95
CENTRAL95 = (0.025, 0.975)


class ImpossibleMoments(ValueError):
    """A value and a spread that no distribution of the family has; the message says why."""


def _rising(interval: tuple[float, float]) -> tuple[float, float]:
    low, high = interval
    if low >= high:
        raise ValueError(f"the interval {low:g} to {high:g} does not rise")
    return interval


Number = Annotated[float, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0)]
Interval = Annotated[tuple[Number, Number], AfterValidator(_rising)]


class Record(BaseModel):
    """Immutable and closed: an unknown key is a misspelling, not an extension."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScalarFamily(Record):
    """Uncertainty of one number."""

    def implied_value(self) -> float | None:
        """Value that the family gives where the record states none; None if it gives none."""
        return None

    @abstractmethod
    def check(self, value: float) -> None:
        """Raise `ImpossibleMoments` if no distribution of the family has this value."""

    @abstractmethod
    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape; finite from 2**-54 to 1 - 2**-53."""

    @abstractmethod
    def mean(self, value: float) -> float:
        """Mean of the draws."""

    @abstractmethod
    def sd(self, value: float) -> float:
        """Standard deviation of the draws."""

    def interval(self, value: float) -> tuple[float, float]:
        """Central 95 % of the draws: the 2.5 % and 97.5 % quantiles."""
        low, high = self.quantile(value, np.array(CENTRAL95))
        return float(low), float(high)


class Fixed(ScalarFamily):
    """No uncertainty, which is a statement and has a reason."""

    family: Literal["fixed"] = "fixed"
    reason: str = Field(min_length=1)

    def check(self, value: float) -> None:
        """Accept any value."""

    def quantile(self, value: float, u: Float) -> Float:
        """Give the value at every uniform."""
        return np.full(np.shape(u), value, dtype=np.float64)

    def mean(self, value: float) -> float:
        """Mean: the value."""
        return value

    def sd(self, value: float) -> float:
        """Standard deviation: none."""
        return 0.0


class _Spread(ScalarFamily):
    """A family whose spread is given by `se` or by `ci95`."""

    se: Positive | None = None
    ci95: Interval | None = None

    @model_validator(mode="after")
    def one_spread_is_given(self) -> _Spread:
        """Refuse two spreads, or none."""
        if (self.se is None) == (self.ci95 is None):
            found = "found neither" if self.se is None else "found both"
            raise ValueError(f"give exactly one of `se` and `ci95`; {found}")
        return self

    def _standard_error(self) -> float:
        if self.ci95 is None:
            assert self.se is not None, "the validator wants one of them"
            return self.se
        return (self.ci95[1] - self.ci95[0]) / WIDTH95

    def _check_inside(self, value: float) -> None:
        if self.ci95 is not None and not self.ci95[0] <= value <= self.ci95[1]:
            low, high = self.ci95
            raise ImpossibleMoments(
                f"the value {value:g} is outside its own 95 % interval, {low:g} to {high:g}"
            )


class Normal(_Spread):
    """Normal with the value as its mean."""

    family: Literal["normal"] = "normal"

    def check(self, value: float) -> None:
        """Refuse a value outside its interval."""
        self._check_inside(value)

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        from scipy import special

        return np.asarray(value + self._standard_error() * special.ndtri(u))

    def mean(self, value: float) -> float:
        """Mean: the value."""
        return value

    def sd(self, value: float) -> float:
        """Standard deviation: the standard error."""
        return self._standard_error()


class LogNormal(_Spread):
    """Lognormal; the value is its median if it has `ci95` (ratios), its mean if `se` (amounts)."""

    family: Literal["lognormal"] = "lognormal"

    @model_validator(mode="after")
    def interval_is_positive(self) -> LogNormal:
        """Refuse an interval that reaches 0."""
        if self.ci95 is not None and self.ci95[0] <= 0:
            raise ValueError(f"a lognormal is above 0; its interval starts at {self.ci95[0]:g}")
        return self

    def check(self, value: float) -> None:
        """Refuse a value not above 0, or outside its interval."""
        if value <= 0:
            raise ImpossibleMoments(f"a lognormal is above 0; its value is {value:g}")
        self._check_inside(value)

    def log_moments(self, value: float) -> tuple[float, float]:
        """Mean and standard deviation of the log."""
        if self.ci95 is not None:
            return math.log(value), math.log(self.ci95[1] / self.ci95[0]) / WIDTH95
        variance = math.log1p((self._standard_error() / value) ** 2)
        return math.log(value) - variance / 2, math.sqrt(variance)

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        from scipy import special

        meanlog, sdlog = self.log_moments(value)
        return np.asarray(np.exp(meanlog + sdlog * special.ndtri(u)))

    def mean(self, value: float) -> float:
        """Mean of the draws; above the value if that is the median."""
        meanlog, sdlog = self.log_moments(value)
        return math.exp(meanlog + sdlog**2 / 2)

    def sd(self, value: float) -> float:
        """Standard deviation of the draws."""
        return self.mean(value) * math.sqrt(math.expm1(self.log_moments(value)[1] ** 2))


class Gamma(_Spread):
    """Gamma with the value as its mean."""

    family: Literal["gamma"] = "gamma"

    def check(self, value: float) -> None:
        """Refuse a value not above 0, or outside its interval."""
        if value <= 0:
            raise ImpossibleMoments(f"a gamma is above 0; its value is {value:g}")
        self._check_inside(value)

    def shape_scale(self, value: float) -> tuple[float, float]:
        """Shape and scale by the method of moments (Briggs, Claxton & Sculpher 2006, ch. 4)."""
        se = self._standard_error()
        return (value / se) ** 2, se**2 / value

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        from scipy import special

        shape, scale = self.shape_scale(value)
        return np.asarray(special.gammaincinv(shape, u) * scale)

    def mean(self, value: float) -> float:
        """Mean: the value."""
        return value

    def sd(self, value: float) -> float:
        """Standard deviation: the standard error."""
        return self._standard_error()


class Beta(_Spread):
    """Beta with the value as its mean; or of `events` among `of`, and then it gives the value."""

    family: Literal["beta"] = "beta"
    events: Positive | None = None
    of: Positive | None = None

    @model_validator(mode="after")
    def one_spread_is_given(self) -> Beta:
        """Refuse two spreads, or none."""
        given = [self.se is not None, self.ci95 is not None, self.events is not None]
        if sum(given) != 1 or (self.events is None) != (self.of is None):
            names = ("se", "ci95", "events", "of")
            found = [name for name in names if getattr(self, name) is not None]
            raise ValueError(
                "give exactly one of `se`, `ci95`, and `events` with `of`; "
                f"found {', '.join(found) or 'none'}"
            )
        if self.events is not None and self.of is not None and self.events >= self.of:
            raise ValueError(
                f"{self.events:g} events of {self.of:g} make no beta: events must be fewer"
            )
        return self

    def implied_value(self) -> float | None:
        """Share of events, if they are given."""
        return None if self.events is None or self.of is None else self.events / self.of

    def check(self, value: float) -> None:
        """Refuse a value outside (0, 1), a spread too wide, or a value that events contradict."""
        implied = self.implied_value()
        if implied is not None:
            if not math.isclose(value, implied, rel_tol=1e-9):
                raise ImpossibleMoments(
                    f"the value {value:g} is not {self.events:g} events of {self.of:g}: "
                    "leave it out"
                )
            return
        if not 0 < value < 1:
            raise ImpossibleMoments(f"a beta lies between 0 and 1; its mean is {value:g}")
        most, se = math.sqrt(value * (1 - value)), self._standard_error()
        if se >= most:
            raise ImpossibleMoments(
                f"a beta with mean {value:g} cannot have se {se:.3g}: it must be below {most:.3g}"
            )
        self._check_inside(value)

    def shapes(self, value: float) -> tuple[float, float]:
        """Alpha and beta: the events and the others, or by the method of moments (Briggs 2006)."""
        if self.events is not None and self.of is not None:
            return self.events, self.of - self.events
        total = value * (1 - value) / self._standard_error() ** 2 - 1
        return value * total, (1 - value) * total

    def quantile(self, value: float, u: Float) -> Float:
        """Quantiles at the uniforms `u`, any shape."""
        from scipy import special

        alpha, beta = self.shapes(value)
        return np.asarray(special.betaincinv(alpha, beta, u))

    def mean(self, value: float) -> float:
        """Mean: the value."""
        return value

    def sd(self, value: float) -> float:
        """Standard deviation of the draws."""
        return math.sqrt(value * (1 - value) / (sum(self.shapes(value)) + 1))
