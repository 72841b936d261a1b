"""When things count: corrections and discounting as weights over points of time.

t_j = j d for j = 0..n; cycle c runs from t_c to t_(c+1). Every array here is over j = 0..n; an
entry for a cycle stands at the cycle's index. See docs/language.md, section 8.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qalyst.axes import DRAW, Float
from qalyst.errors import ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.expressions import Number
from qalyst.model.kinds import outcome_scale
from qalyst.model.partial import PartialEvaluator
from qalyst.model.resolved import POINT_CORRECTIONS, Expression, ResolvedModel
from qalyst.outcomes import Rates
from qalyst.units import currencies

DISCOUNTED, UNDISCOUNTED = 0, 1  # at the model's own rates, and at none; other rates follow
_START_END = {"start": (1.0, 0.0), "end": (0.0, 1.0), "half-cycle": (0.5, 0.5)}


class Weights:
    """Weights of an outcome in its own unit of time: discounted, undiscounted, at other rates.

    `which` of them is an index: `DISCOUNTED`, `UNDISCOUNTED`, then the other rates in their order.

    Parameters
    ----------
    model : the resolved model.
    partial : evaluates the discount expressions.
    rates : other rates, besides the model's own and none.
    """

    def __init__(
        self, model: ResolvedModel, partial: PartialEvaluator, rates: tuple[Rates, ...] = ()
    ) -> None:
        self._timing = model.timing
        self._scale = {name: outcome_scale(model, name) for name in model.outcomes}
        own = {name: _discount_factors(model, partial, name) for name in model.outcomes}
        undiscounted = dict.fromkeys(own, np.ones(model.timing.cycles + 1))
        self._factors = [own, undiscounted, *(_factors_at(model, each) for each in rates)]
        self.count = len(self._factors)
        self.all = range(self.count)

    def factors(self, outcome: str, which: int) -> Float:
        """[n + 1] discount factors V_j at t_j; V_0 = 1."""
        return self._factors[which][outcome]

    def force(self, outcome: str, which: int) -> Float:
        """[n] force of discount in each cycle, 1/year."""
        factors = self.factors(outcome, which)
        return np.asarray(np.log(factors[:-1] / factors[1:]) / self._timing.cycle)

    def moment(self, outcome: str, which: int, word: str) -> Float:
        """[n] discount factor of each cycle at its start, middle or end, or of its model year."""
        factors = self.factors(outcome, which)
        first, last = factors[:-1], factors[1:]
        match word:
            case "start":
                return first
            case "end":
                return last
            case "middle":
                return np.asarray(np.sqrt(first * last))
        starts = np.arange(self._timing.cycles + 1) * self._timing.cycle
        years = np.floor(starts[:-1] + 1e-9)  # interpolated if a year is not whole cycles
        return np.asarray(np.exp(np.interp(years, starts, np.log(factors))))

    def points(self) -> Float:
        """[n + 1] weights of the correction at the points of time."""
        n = self._timing.cycles
        weights = np.ones(n + 1)
        odd = np.arange(n + 1) % 2 == 1
        match self._timing.correction:
            case "start":
                weights[n] = 0
            case "end":
                weights[0] = 0
            case "half-cycle":
                weights[[0, n]] = 0.5
            case "simpson":
                weights = np.where(odd, 4 / 3, 2 / 3)
                weights[[0, n]] = 1 / 3
            case "simpson-tutorial":
                weights = np.where(odd, 2 / 3, 4 / 3)
                weights[[0, n]] = 1 / 3
        return weights

    def time_at_points(self, outcome: str, which: int) -> Float:
        """[n + 1] years that a head at t_j stands for; 0 unless the correction weighs points."""
        if self._timing.correction not in POINT_CORRECTIONS:
            return np.zeros(self._timing.cycles + 1)
        factors = self.factors(outcome, which)
        return self.points() * factors * self._timing.cycle / self._scale[outcome]

    def time_at_start(self, outcome: str, which: int) -> Float:
        """[n + 1] years that a head at the start of cycle c stands for, at index c."""
        return self._of_halves(outcome, which, 0, "start")

    def time_at_end(self, outcome: str, which: int) -> Float:
        """[n + 1] years that a head at the end of cycle c stands for, at index c."""
        return self._of_halves(outcome, which, 1, "end")

    def _of_halves(self, outcome: str, which: int, half: int, counted: str) -> Float:
        share = _START_END.get(self._timing.correction, (0.0, 0.0))[half]
        word = self._timing.discounting
        factor = self.moment(outcome, which, counted if word == "counted" else word)
        years = share * self._timing.cycle / self._scale[outcome] * factor
        return np.append(years, 0.0)

    def heads(self, outcome: str, which: int) -> Float:
        """[n + 1] weight of a head counted at the start of cycle c (`when`)."""
        by_year = self._timing.discounting == "year"
        factor = self.moment(outcome, which, "year" if by_year else "start")
        return np.append(factor / self._scale[outcome], 0.0)

    def scheduled(self, outcome: str, which: int) -> Float:
        """[n + 1] weight of a move at t_c: scheduled ones, and those of the start."""
        weights = self.heads(outcome, which)
        if self._timing.cycles == 0:
            weights = np.ones(1) / self._scale[outcome]
        return weights

    def moves(self, outcome: str, which: int) -> Float:
        """[n + 1] weight of a move in cycle c, at index c: counted once, never averaged."""
        timing = self._timing
        if timing.one_off == "weighted":
            weights = self.factors(outcome, which)[1:] * self.points()[1:]
        else:
            by_year = timing.discounting == "year"
            weights = self.moment(outcome, which, "year" if by_year else timing.one_off)
        return np.append(weights / self._scale[outcome], 0.0)

    def at_horizon(self, outcome: str, which: int) -> Float:
        """[n + 1] weight of reaching the horizon."""
        weights = np.zeros(self._timing.cycles + 1)
        weights[-1] = self.factors(outcome, which)[-1] / self._scale[outcome]
        return weights

    def scale(self, outcome: str) -> float:
        """Years in one of the outcome's unit; 1 unless the outcome is a time."""
        return self._scale[outcome]


def _span(rates: Float) -> str:
    least, most = rates.min(), rates.max()
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def _discount_factors(model: ResolvedModel, partial: PartialEvaluator, outcome: str) -> Float:
    """V_0 = 1, V_(c+1) = V_c (1 + r_c)^(-d)."""
    expression = model.outcomes[outcome].discount
    rate = partial.value(expression, {})
    if DRAW in rate.axes:
        raise ModelError(
            f"the discount rate of '{outcome}' differs between draws",
            where=expression.shown,
            mend="a discount rate is a choice: give it {family: fixed, reason: ...}",
        )
    timing = model.timing
    evaluate = Evaluator(model.parameters, None, timing.cycle, timing.cycles)
    rates = np.broadcast_to(evaluate(rate)[:, 0, 0], timing.cycles + 1).astype(float)
    if not (np.isfinite(rates).all() and (rates > -1).all() and (rates <= 1).all()):
        raise ModelError(
            f"the discount rate of '{outcome}' is {_span(rates)}",
            where=expression.shown,
            mend="write a yearly rate as a share, such as 0.03",
        )
    return _falling(model, rates)


def _falling(model: ResolvedModel, rates: Float) -> Float:
    """[n + 1] discount factors of the rates of each cycle."""
    falls = (1 + rates[: model.timing.cycles]) ** -model.timing.cycle
    return np.concatenate([[1.0], np.cumprod(falls)])


def _factors_at(model: ResolvedModel, rates: Rates) -> dict[str, Float]:
    """Outcome -> [n + 1] discount factors at given rates."""
    points = model.timing.cycles + 1
    return {
        name: _falling(model, np.full(points, _rate_of(model, name, rates)))
        for name in model.outcomes
    }


def _rate_of(model: ResolvedModel, outcome: str, rates: Rates) -> float:
    """The rate of costs for an outcome in money, that of effects for any other."""
    return rates.costs if currencies(model.outcomes[outcome].unit) else rates.effects


def at_rates(model: ResolvedModel, rates: Rates) -> ResolvedModel:
    """The model with other discount rates: of outcomes in money, and of all others."""
    outcomes = {
        name: replace(
            outcome,
            discount=Expression(Number(_rate_of(model, name, rates)), outcome.discount.where),
        )
        for name, outcome in model.outcomes.items()
    }
    return replace(model, outcomes=outcomes)
