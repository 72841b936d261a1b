"""Expected net benefit of sampling: which size of a study is worth most after its cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qalyst.axes import Float, Int
from qalyst.decision.evsi import Evsi
from qalyst.decision.population import Population
from qalyst.errors import ModelError

SIZES = 6  # at which EVSI is computed
MOST_SIZES = 2000  # at which net benefit is compared
FLOOR = 0.02  # of the EVPPI: smaller values are fitted by their difference, not by their ratio


@dataclass(frozen=True)
class Curve:
    """EVSI over the size of a study, ``evppi (n / (n + half))^power``.

    Attributes
    ----------
    evppi : currency per person, which the curve approaches.
    half, power : persons; and the steepness.
    smallest, largest : sizes between which it was fitted.
    """

    evppi: float
    half: float
    power: float
    smallest: int
    largest: int

    def value(self, n: ArrayLike) -> Float:
        """EVSI per person at sizes `n` [size].

        Raises
        ------
        ModelError
            A size below the smallest that was fitted, where the curve may be far too high.
        """
        sizes = np.asarray(n, np.float64)
        if (sizes < self.smallest).any():
            raise ModelError(
                f"the value of a study of {sizes.min():g} persons is not known: the smallest "
                f"that was computed has {self.smallest}",
                where="n",
                mend="compute EVSI at a smaller size; below the smallest the curve is too high",
            )
        return np.asarray(self.evppi * (sizes / (sizes + self.half)) ** self.power)


@dataclass(frozen=True)
class Costs:
    """What a study costs.

    Attributes
    ----------
    fixed : currency, of any study that is done.
    per_patient : currency per person.
    per_patient_year : currency per person and year of follow-up.
    """

    fixed: float
    per_patient: float
    per_patient_year: float = 0.0

    def __post_init__(self) -> None:
        for key, value in vars(self).items():
            if not 0 <= value < math.inf:
                raise ModelError(
                    f"'{key}' is {value:g}", where=f"cost.{key}", mend="give an amount, 0 or more"
                )

    def total(self, n: Float, follow_up: float) -> Float:
        """Currency, of studies of `n` persons [size] who are followed for so many years."""
        return self.fixed + n * (self.per_patient + follow_up * self.per_patient_year)


@dataclass(frozen=True)
class Timing:
    """When the information of a study is there.

    Attributes
    ----------
    follow_up : years for which each person is followed.
    recruitment : persons per year who enter; None if all enter at once.
    reporting : years before the first enters and after the last has left.
    """

    follow_up: float = 0.0
    recruitment: float | None = None
    reporting: float = 0.0

    def __post_init__(self) -> None:
        wrong = not (0 <= self.follow_up < math.inf and 0 <= self.reporting < math.inf)
        if wrong or (self.recruitment is not None and not 0 < self.recruitment < math.inf):
            raise ModelError(
                f"a study with {self}",
                where="study, timing",
                mend="give years of 0 or more, and more than 0 persons per year",
            )

    def delay(self, n: float) -> float:
        """Years from now until a study of `n` persons informs the decision."""
        entering = 0.0 if self.recruitment is None else n / self.recruitment
        return entering + self.follow_up + self.reporting


@dataclass(frozen=True)
class Enbs:
    """Expected net benefit of sampling over the size of a study.

    Attributes
    ----------
    sizes : [size] persons.
    evsi : [size] currency per person, on the curve.
    value : [size] population EVSI of those who come after the information, currency.
    waiting : [size] what those lose who come before it, currency; not in `value`.
    cost : [size] of the study, currency.
    enbs, se : [size] value less cost, and its Monte Carlo standard error.
    curve : of `evsi`.
    timing : of the study.
    best : size with the highest net benefit.
    within : smallest and largest size whose net benefit is within one standard error of the best.
    """

    sizes: Int
    evsi: Float
    value: Float
    waiting: Float
    cost: Float
    enbs: Float
    se: Float
    curve: Curve
    timing: Timing
    best: int
    within: tuple[int, int]

    @property
    def highest(self) -> float:
        """Net benefit of the best size; no study should be done if it is not above 0."""
        return float(self.enbs.max())

    @property
    def at_edge(self) -> bool:
        """Whether the best size is the largest that was looked at, so that more may be better."""
        return self.best == int(self.sizes[-1])


def sizes_between(smallest: int, largest: int, count: int = SIZES) -> tuple[int, ...]:
    """Whole sizes at equal ratios.

    Examples
    --------
    >>> sizes_between(10, 320)
    (10, 20, 40, 80, 160, 320)
    """
    if not 1 <= smallest < largest:
        raise ModelError(
            f"sizes from {smallest} to {largest}",
            where="sizes",
            mend="give a smallest size of 1 or more, and a larger one",
        )
    found = np.rint(np.geomspace(smallest, largest, count)).astype(np.int64)
    return tuple(int(size) for size in np.unique(found))


def fitted_curve(values: Sequence[Evsi]) -> Curve:
    """The curve through EVSI at three or more sizes, by least squares of relative differences.

    Parameters
    ----------
    values : of one study; see `evsi_by_size`. Size 0 is left out.
    """
    from scipy.optimize import least_squares

    known = sorted((each for each in values if each.n > 0), key=lambda each: each.n)
    sizes = np.array([each.n for each in known], np.float64)
    if len(np.unique(sizes)) < 3 or len(np.unique(sizes)) < len(sizes):
        raise ModelError(
            f"a curve through the sizes {[each.n for each in known]}",
            where="sizes",
            mend="compute EVSI at three or more different sizes; six are usual",
        )
    evppi = max(each.evppi for each in known)
    smallest, largest = known[0].n, known[-1].n
    if evppi <= 0:
        return Curve(0.0, 1.0, 1.0, smallest, largest)
    share = np.array([each.value for each in known]) / evppi
    scale = np.maximum(share, FLOOR)

    def differences(logs: Float) -> Float:
        half, power = np.exp(logs)
        return np.asarray(((sizes / (sizes + half)) ** power - share) / scale)

    middle = float(np.sqrt(sizes[0] * sizes[-1]))
    start = [np.log(middle), 0.0]
    bounds = ([np.log(1e-6), np.log(0.01)], [np.log(1e3 * largest), np.log(100.0)])
    half, power = np.exp(least_squares(differences, start, bounds=bounds).x)
    return Curve(evppi, float(half), float(power), smallest, largest)


def enbs(
    values: Sequence[Evsi], population: Population, costs: Costs, timing: Timing | None = None
) -> Enbs:
    """Expected net benefit of sampling between the smallest and the largest size of `values`.

    ``ENBS(n) = EVSI(n) persons(delay(n)) - fixed - n (per_patient + follow_up per_patient_year)``.
    Persons who come before the information is there gain nothing: that is the cost of waiting.

    Parameters
    ----------
    values : EVSI of one study at several sizes; see `evsi_by_size`.
    population : who would gain.
    costs : of the study.
    timing : when its information is there; at once if None.

    References
    ----------
    Conti & Claxton (2009) Med Decis Making 29:643-656; Rothery et al. (2020) Value Health
    23:277-286.
    """
    timing = timing or Timing()
    curve = fitted_curve(values)
    sizes = _grid(curve.smallest, curve.largest)
    per_person = curve.value(sizes)
    persons = np.array([population.persons(timing.delay(float(n))) for n in sizes])
    value = per_person * persons
    cost = costs.total(sizes.astype(np.float64), timing.follow_up)
    known = sorted((each for each in values if each.n > 0), key=lambda each: each.n)
    error = np.interp(np.log(sizes), np.log([e.n for e in known]), [e.se for e in known])
    net, se = value - cost, error * persons
    best = int(net.argmax())
    near = sizes[net >= net[best] - se[best]]
    return Enbs(
        sizes=sizes,
        evsi=per_person,
        value=value,
        waiting=per_person * population.persons() - value,
        cost=cost,
        enbs=net,
        se=se,
        curve=curve,
        timing=timing,
        best=int(sizes[best]),
        within=(int(near[0]), int(near[-1])),
    )


def _grid(smallest: int, largest: int) -> Int:
    """All sizes, or many at equal ratios."""
    if largest - smallest < MOST_SIZES:
        return np.arange(smallest, largest + 1, dtype=np.int64)
    spaced = np.rint(np.geomspace(smallest, largest, MOST_SIZES)).astype(np.int64)
    return np.unique(spaced)
