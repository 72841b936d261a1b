"""Studies of times to an event: one arm, or two arms that differ by a hazard ratio.

Hazards are constant, or follow a Weibull distribution, ``S(t) = exp(-hr (t / scale)^shape)``. All
persons enter together and are followed for the same time; who has had no event by then is
censored. What an arm tells is its events and its exposure. A known shape only changes the clock:
the exposure is then the sum of ``time^shape``. If the shape is uncertain, the mean logarithm of the
event times is a summary of its own: without it most of what the data say of the shape is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from qalyst.axes import Float
from qalyst.decision.studies import Chance, Study, Summaries, positive, within
from qalyst.errors import ModelError

Quantity = str | float  # the name of a parameter, or a number that is known


@dataclass(frozen=True)
class SurvivalStudy(Study):
    """Times to an event of `n` persons of one arm.

    Attributes
    ----------
    follow_up : years until everyone who is left is censored.
    rate : of a constant hazard, 1/year: a parameter, or a number.
    shape, scale : of a Weibull distribution, in place of `rate`; scale in years.

    Examples
    --------
    >>> study = SurvivalStudy(n=50, name="cohort", follow_up=2.0, rate="r_death")
    >>> found = study.simulate({"r_death": np.full(3, 0.2)}, seed=1, data_sets=2)
    >>> list(found), found["events"].shape
    (['events', 'exposure'], (3, 2))
    """

    follow_up: float
    rate: Quantity | None = None
    shape: Quantity | None = None
    scale: Quantity | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.follow_up, "follow_up", self.name)
        weibull = self.shape is not None and self.scale is not None
        part = (self.shape is None) != (self.scale is None)
        if part or weibull == (self.rate is not None):
            raise ModelError(
                "a hazard needs a rate, or a shape and a scale",
                where=f"study {self.name}",
                mend="give `rate:` alone, or `shape:` and `scale:` together",
            )
        for key in ("rate", "shape", "scale"):
            value = getattr(self, key)
            if isinstance(value, int | float):
                positive(value, key, self.name)
        if not self.parameters:
            raise ModelError(
                "all of the hazard is known: the study teaches nothing",
                where=f"study {self.name}",
                mend="name a parameter instead of a number",
            )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters of the hazard."""
        return _named(self.rate, self.shape, self.scale)

    def followed(self, years: float) -> SurvivalStudy:
        """The same study with another follow-up."""
        return replace(self, follow_up=years)

    def data_sets(self, values: Mapping[str, Float], chance: Chance) -> Summaries:
        """Events, exposure, and the mean log time if the shape is uncertain."""
        hazard = _Hazard.of(self, values)
        return _arm(hazard, self.n, self.follow_up, chance, "person")

    def predictors(self, summaries: Summaries) -> Summaries:
        """Of each arm the logarithm of its rate in place of its exposure."""
        found = {}
        for name, summary in summaries.items():
            if name.startswith("exposure"):
                arm = name.removeprefix("exposure")
                # Half an event more: a rate without events has a logarithm, and exposures differ.
                found[f"log rate{arm}"] = np.log((summaries[f"events{arm}"] + 0.5) / summary)
            else:
                found[name] = summary
        return found

    def log_likelihood(
        self, summaries: Mapping[str, float], values: Mapping[str, Float]
    ) -> Float | None:
        """Of exponential times in the study's clock; None if the shape is uncertain."""
        if isinstance(self.shape, str):
            return None
        rate = _Hazard.of(self, values).level[:, 0]
        return summaries["events"] * np.log(rate) - rate * summaries["exposure"]


@dataclass(frozen=True)
class HazardRatioTrial(SurvivalStudy):
    """A trial of two arms of equal size that differ by a hazard ratio.

    Attributes
    ----------
    n : persons in both arms together; of an odd number the control arm has one more.
    hazard_ratio : the parameter, treatment against control.
    rate, shape, scale : of the control arm. If all are known, its data teach nothing and are left
        out of the summaries.
    """

    hazard_ratio: Quantity = "hazard_ratio"
    smallest: ClassVar[int] = 2

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the hazard ratio and of the parameters of the control arm."""
        return _named(self.hazard_ratio, self.rate, self.shape, self.scale)

    def data_sets(self, values: Mapping[str, Float], chance: Chance) -> Summaries:
        """Of each arm: events, exposure, and the mean log time if the shape is uncertain."""
        found = {}
        hazard = _Hazard.of(self, values)
        arms = {"treatment": (self.n // 2, hazard.times(self._ratio(values)))}
        if _named(self.rate, self.shape, self.scale):
            arms["control"] = (self.n - self.n // 2, hazard)
        for arm, (n, level) in arms.items():
            for name, summary in _arm(level, n, self.follow_up, chance, f"{arm} person").items():
                found[f"{name} of {arm}"] = summary
        return found

    def log_likelihood(
        self, summaries: Mapping[str, float], values: Mapping[str, Float]
    ) -> Float | None:
        """Of exponential times in the study's clock; None if the shape is uncertain."""
        if isinstance(self.shape, str):
            return None
        control = _Hazard.of(self, values)
        total = np.zeros(len(next(iter(values.values()))))
        for arm, hazard in (
            ("treatment", control.times(self._ratio(values))),
            ("control", control),
        ):
            if f"events of {arm}" in summaries:
                rate = hazard.level[:, 0]
                total += summaries[f"events of {arm}"] * np.log(rate)
                total -= summaries[f"exposure of {arm}"] * rate
        return total

    def _ratio(self, values: Mapping[str, Float]) -> Float:
        return _column(self.hazard_ratio, values, "hazard_ratio", self.name)


@dataclass(frozen=True)
class _Hazard:
    """Cumulated hazard ``level * t^power``; both [draw, 1]."""

    level: Float
    power: Float
    uncertain: bool  # whether the shape is

    @classmethod
    def of(cls, study: SurvivalStudy, values: Mapping[str, Float]) -> _Hazard:
        if study.rate is not None:
            rate = _column(study.rate, values, "rate", study.name)
            return cls(rate, np.ones((1, 1)), False)
        assert study.shape is not None
        assert study.scale is not None
        shape = _column(study.shape, values, "shape", study.name)
        scale = _column(study.scale, values, "scale", study.name)
        return cls(scale**-shape, shape, isinstance(study.shape, str))

    def times(self, ratio: Float) -> _Hazard:
        return replace(self, level=self.level * ratio)


def _arm(hazard: _Hazard, n: int, follow_up: float, chance: Chance, cell: str) -> Summaries:
    """Summaries [draw, data_set] of `n` persons of one hazard.

    Persons are added up one by one: all of their times at once would not fit into memory.
    """
    shape = (chance.draws, chance.data_sets)
    events, exposure, logs = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    end = follow_up**hazard.power  # in the clock in which the hazard is constant
    for person in range(n):
        clock = -np.log(chance.uniforms(f"{cell} {person}")) / hazard.level
        seen = clock < end
        events += seen
        if hazard.uncertain:
            log_time = np.minimum(np.log(clock) / hazard.power - np.log(follow_up), 0.0)
            exposure += follow_up * np.exp(log_time)
            logs += log_time  # 0 for who is censored
        else:
            exposure += np.minimum(clock, end)
    found = {"events": events, "exposure": exposure}
    if hazard.uncertain:
        # One event more, at the mean of evenly spread times: a mean exists without any event, and
        # with the events it tells the sum, so nothing is lost.
        found["mean log time"] = (logs - 1) / (events + 1)
    return found


def _named(*quantities: Quantity | None) -> tuple[str, ...]:
    return tuple(each for each in quantities if isinstance(each, str))


def _column(quantity: Quantity, values: Mapping[str, Float], key: str, study: str) -> Float:
    """[draw, 1], or [1, 1] if it is known."""
    if not isinstance(quantity, str):
        return np.full((1, 1), float(quantity))
    found = np.asarray(values[quantity], np.float64)
    within(quantity, found, np.finfo(float).tiny, np.inf, study, f"a {key} above 0")
    return found[:, None]
