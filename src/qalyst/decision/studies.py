"""Studies that may be done: the data sets they would give, as sufficient summaries.

A study is stated by what it observes, on which parameters, and in how many persons. Given draws of
the parameters it simulates data sets and tells each by summaries that lose nothing that the data
say about the parameters. Numbers are addressed by (seed, study, draw, data set, person): a data set
does not depend on what else is simulated, and a larger study contains the smaller one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError, nearest
from qalyst.stats.addresses import uniforms

LARGEST_STUDY = 100_000  # persons
Summaries = dict[str, Float]


@dataclass(frozen=True)
class Chance:
    """The luck of a study: uniform numbers [draw, data_set] by address."""

    seed: int
    study: str
    draws: int
    data_sets: int

    def uniforms(self, cell: str) -> Float:
        """[draw, data_set] of a cell, such as a parameter or a person."""
        index = np.arange(self.draws, dtype=np.int64)
        columns = [
            uniforms(self.seed, f"study {self.study}", f"{cell}, data set {number}", index)
            for number in range(self.data_sets)
        ]
        return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Study(ABC):
    """A study of stated design and size.

    Attributes
    ----------
    n : persons, 0 or more; what they are counted for is told by each design.
    name : of the study; two studies of different names have independent luck.
    """

    n: int
    name: str
    smallest: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_size(self)

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the data depend on."""

    @abstractmethod
    def data_sets(self, values: Mapping[str, Float], chance: Chance) -> Summaries:
        """Name of each summary -> [draw, data_set], for draws of the parameters [draw]."""

    @abstractmethod
    def log_likelihood(
        self, summaries: Mapping[str, float], values: Mapping[str, Float]
    ) -> Float | None:
        """[draw] of one data set at each draw, up to a constant; None if it is not known."""

    def predictors(self, summaries: Summaries) -> Summaries:
        """The summaries in the form in which a decision depends on them most smoothly."""
        return summaries

    def sized(self, n: int) -> Self:
        """The same study in `n` persons."""
        return replace(self, n=n)

    def simulate(self, values: Mapping[str, Float], *, seed: int, data_sets: int = 5) -> Summaries:
        """Data sets at each draw of the parameters, as summaries.

        Parameters
        ----------
        values : name of each parameter -> [draw]
        seed : of the luck of the study.
        data_sets : how many for each draw.

        Returns
        -------
        summaries
            Name -> [draw, data_set]; none of a study without persons.

        Raises
        ------
        ModelError
            A parameter that is not among `values`, or that has impossible draws for this design.
        """
        known = {name: read(values, name, self.name) for name in self.parameters}
        if self.n == 0:
            return {}
        draws = len(next(iter(known.values())))
        return self.data_sets(known, Chance(seed, self.name, draws, data_sets))


@dataclass(frozen=True)
class Measured(Study):
    """A study of one or more parameters, each observed by itself in `n` persons.

    Attributes
    ----------
    measured : names of the parameters.
    """

    measured: tuple[str, ...]
    summary: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.measured:
            raise ModelError(
                "a study of no parameter",
                where=f"study {self.name}",
                mend="name the parameters that it measures",
            )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the data depend on."""
        return self.measured

    def data_sets(self, values: Mapping[str, Float], chance: Chance) -> Summaries:
        """One summary for each parameter."""
        found = {}
        for name in self.measured:
            self.check(name, values[name])
            luck = chance.uniforms(name)
            found[f"{self.summary} of {name}"] = self.observed(values[name][:, None], luck)
        return found

    def log_likelihood(
        self, summaries: Mapping[str, float], values: Mapping[str, Float]
    ) -> Float | None:
        """Sum of those of the parameters."""
        total = np.zeros(len(values[self.measured[0]]))
        for name in self.measured:
            total += self.fit(summaries[f"{self.summary} of {name}"], values[name])
        return total

    @abstractmethod
    def check(self, name: str, values: Float) -> None:
        """Refuse draws of a parameter that the design cannot have."""

    @abstractmethod
    def observed(self, values: Float, luck: Float) -> Float:
        """[draw, data_set] summaries at values [draw, 1] and luck [draw, data_set]."""

    @abstractmethod
    def fit(self, seen: float, values: Float) -> Float:
        """[draw] log-likelihood of one summary at each value."""


@dataclass(frozen=True)
class NormalMean(Measured):
    """The mean of `n` normal observations of known spread.

    Attributes
    ----------
    sd : standard deviation of one observation, in the unit of the parameter.

    Examples
    --------
    >>> study = NormalMean(n=4, name="survey", measured=("loss",), sd=2.0)
    >>> found = study.simulate({"loss": np.array([1.0, 3.0])}, seed=0, data_sets=3)
    >>> {name: values.shape for name, values in found.items()}
    {'mean of loss': (2, 3)}
    """

    sd: float
    summary: ClassVar[str] = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.sd, "sd", self.name)

    def check(self, name: str, values: Float) -> None:
        """Any mean can be."""

    def observed(self, values: Float, luck: Float) -> Float:
        """Normal with standard error ``sd / sqrt(n)``."""
        from scipy.special import ndtri

        return np.asarray(values + self.sd / np.sqrt(self.n) * np.asarray(ndtri(luck)))

    def fit(self, seen: float, values: Float) -> Float:
        """Of the mean."""
        return np.asarray(-0.5 * self.n * ((seen - values) / self.sd) ** 2)


@dataclass(frozen=True)
class Proportion(Measured):
    """Events among `n` persons, each with a probability that is the parameter."""

    summary: ClassVar[str] = "events"

    def check(self, name: str, values: Float) -> None:
        """Only probabilities."""
        within(name, values, 0.0, 1.0, self.name, "a probability")

    def observed(self, values: Float, luck: Float) -> Float:
        """Binomial."""
        from scipy.stats import binom

        return np.asarray(binom.ppf(luck, self.n, values))

    def fit(self, seen: float, values: Float) -> Float:
        """Binomial, without its constant."""
        from scipy.special import xlog1py, xlogy

        return np.asarray(xlogy(seen, values) + xlog1py(self.n - seen, -values))


@dataclass(frozen=True)
class Rate(Measured):
    """Events of `n` persons who are followed for `follow_up` years, each of whom may have several.

    Attributes
    ----------
    follow_up : years.
    """

    follow_up: float
    summary: ClassVar[str] = "events"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.follow_up, "follow_up", self.name)

    def check(self, name: str, values: Float) -> None:
        """Only rates."""
        within(name, values, 0.0, np.inf, self.name, "a rate per year")

    def observed(self, values: Float, luck: Float) -> Float:
        """Poisson with mean rate times person-years."""
        from scipy.stats import poisson

        return np.asarray(poisson.ppf(luck, values * self.n * self.follow_up))

    def fit(self, seen: float, values: Float) -> Float:
        """Poisson, without its constant."""
        from scipy.special import xlogy

        return np.asarray(xlogy(seen, values) - values * self.n * self.follow_up)


@dataclass(frozen=True)
class Utility(Measured):
    """The mean utility of `n` persons in a health state.

    Attributes
    ----------
    sd : standard deviation between persons; for `beta` at the mean of the draws.
    outcome : of a person: `normal`, or `beta` on (0, 1) with the same precision at every mean.

    Notes
    -----
    The mean of n beta observations is drawn from the beta distribution that has its mean and
    variance: exact for n = 1, and in the limit. It is what studies report; for beta outcomes it is
    not quite all that the data say.
    """

    sd: float
    outcome: Literal["normal", "beta"] = "normal"
    summary: ClassVar[str] = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.sd, "sd", self.name)

    def check(self, name: str, values: Float) -> None:
        """For beta outcomes only means between 0 and 1, with room for the spread."""
        if self.outcome == "normal":
            return
        within(name, values, 0.0, 1.0, self.name, "a utility from 0 to 1; else outcome: normal")
        mean = float(values.mean())
        if self.sd**2 >= mean * (1 - mean):
            raise ModelError(
                f"utilities between 0 and 1 with mean {mean:.3g} cannot have an sd of {self.sd:g}",
                where=f"study {self.name}, sd",
                mend=f"give less than {np.sqrt(mean * (1 - mean)):.3g}",
            )

    def observed(self, values: Float, luck: Float) -> Float:
        """Normal or beta."""
        from scipy.special import betaincinv, ndtri

        if self.outcome == "normal":
            return np.asarray(values + self.sd / np.sqrt(self.n) * np.asarray(ndtri(luck)))
        total = self._counts(values)
        inner = np.clip(values, 1e-9, 1 - 1e-9)
        return np.asarray(betaincinv(inner * total, (1 - inner) * total, luck))

    def fit(self, seen: float, values: Float) -> Float:
        """Of the mean."""
        from scipy.special import betaln

        if self.outcome == "normal":
            return np.asarray(-0.5 * self.n * ((seen - values) / self.sd) ** 2)
        total = self._counts(values)
        a, b = np.clip(values, 1e-9, 1 - 1e-9) * total, np.clip(1 - values, 1e-9, 1) * total
        return np.asarray((a - 1) * np.log(seen) + (b - 1) * np.log1p(-seen) - betaln(a, b))

    def _counts(self, values: Float) -> float:
        """Sum of the two shapes of the beta distribution of the mean of all persons."""
        mean = float(values.mean())
        return float(self.n * mean * (1 - mean) / self.sd**2 - 1)


def read(values: Mapping[str, Float], name: str, study: str) -> Float:
    """[draw] of a parameter."""
    if name not in values:
        raise ModelError(
            f"no parameter '{name}' among the draws",
            where=f"study {study}",
            mend=nearest(name, values),
        )
    found = np.asarray(values[name], np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ModelError(
            f"the draws of '{name}' are no list of finite numbers",
            where=f"study {study}",
            mend="give one number for each draw",
        )
    return found


def check_size(study: Study) -> None:
    """Refuse a size that no study has; 0 is no study."""
    n = study.n
    whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
    if not whole or not (n == 0 or study.smallest <= n <= LARGEST_STUDY):
        raise ModelError(
            f"a study of {n} persons",
            where=f"study {study.name}, n",
            mend=f"give a whole number from {study.smallest} to {LARGEST_STUDY:,}",
        )


def positive(value: float, key: str, study: str) -> None:
    """Refuse what is not a positive number."""
    if not 0 < value < np.inf:
        raise ModelError(
            f"'{key}' is {value:g}", where=f"study {study}, {key}", mend="give a number above 0"
        )


def within(name: str, values: Float, low: float, high: float, study: str, what: str) -> None:
    """Refuse draws outside of bounds."""
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ModelError(
            f"draw {first} of '{name}' is {values[first]:.4g} ({wrong.sum()} draws out of bounds)",
            where=f"study {study}",
            mend=f"measure {what}, or choose another design",
        )
