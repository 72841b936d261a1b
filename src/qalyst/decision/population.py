"""From the value per person to the value for all who are affected by a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qalyst.errors import ModelError

LONGEST_HORIZON = 200.0  # years


@dataclass(frozen=True)
class Population:
    """Those for whom a decision is taken, counted and discounted from now.

    Persons of year t (0 is the year that begins now) are counted at its start, so their value is
    multiplied by ``(1 + discount)^-t``. A year of which only a part counts gives that part of its
    persons.

    Attributes
    ----------
    incidence : persons per year; or a list by year from now, one for each year that counts.
    horizon : years for which the decision matters, from `start` on.
    discount : rate per year.
    start : years from now until the first persons come.
    uptake : share of the persons who get what is decided.

    Raises
    ------
    ModelError
        A number out of range, or a list of incidence that ends before the horizon.

    Examples
    --------
    >>> Population(incidence=1000, horizon=10).persons()
    10000.0
    >>> round(Population(incidence=1000, horizon=10, discount=0.03).persons(), 1)
    8786.1
    """

    incidence: float | Sequence[float]
    horizon: float
    discount: float = 0.0
    start: float = 0.0
    uptake: float = 1.0

    def __post_init__(self) -> None:
        by_year = np.atleast_1d(np.asarray(self.incidence, np.float64))
        if by_year.ndim != 1 or by_year.size == 0 or not (by_year >= 0).all():
            raise _refused("incidence", self.incidence, "give persons per year, 0 or more")
        if not np.isfinite(by_year).all():
            raise _refused("incidence", self.incidence, "give finite numbers of persons")
        _check("horizon", self.horizon, 0, LONGEST_HORIZON, "years")
        _check("discount", self.discount, 0, 1, "a rate per year, such as 0.03")
        _check("start", self.start, 0, LONGEST_HORIZON, "years")
        _check("uptake", self.uptake, 0, 1, "a share")
        if not isinstance(self.incidence, int | float) and by_year.size < self._years:
            raise _refused(
                "incidence",
                f"a list of {by_year.size} years",
                f"the decision matters for {self._years} years from now: give one number for each",
            )

    @property
    def end(self) -> float:
        """Years from now until the decision no longer matters."""
        return self.start + self.horizon

    @property
    def _years(self) -> int:
        return math.ceil(self.end)

    def persons(self, delay: float = 0.0) -> float:
        """Discounted number of persons who come after `delay`, who can gain from information then.

        Parameters
        ----------
        delay : years from now until the information is there.
        """
        _check("delay", delay, 0, math.inf, "years")
        year = np.arange(self._years)
        first = max(self.start, delay)
        part = np.clip(np.minimum(self.end, year + 1) - np.maximum(first, year), 0, 1)
        incidence = np.asarray(self.incidence, np.float64)
        by_year = incidence[: self._years] if incidence.ndim else np.full(self._years, incidence)
        return float(self.uptake * (by_year * part * (1 + self.discount) ** -year).sum())

    def value(self, per_person: float, delay: float = 0.0) -> float:
        """Value for all persons of a value per person, such as EVPI or EVSI.

        Parameters
        ----------
        per_person : currency.
        delay : years from now until the information is there.

        References
        ----------
        Briggs, Claxton & Sculpher (2006) Decision Modelling for Health Economic Evaluation, ch. 6.

        Examples
        --------
        >>> Population(incidence=100, horizon=5).value(2.0, delay=1.5)
        700.0
        """
        if not math.isfinite(per_person):
            raise _refused("per_person", per_person, "give a finite amount")
        return per_person * self.persons(delay)


def _check(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        upper = "" if math.isinf(high) else f" to {high:g}"
        raise _refused(name, value, f"give {unit}, from {low:g}{upper or ' upwards'}")


def _refused(name: str, value: object, mend: str) -> ModelError:
    shown = f"{value:g}" if isinstance(value, int | float) else value
    return ModelError(f"{name} of the population: {shown}", where=f"population.{name}", mend=mend)
