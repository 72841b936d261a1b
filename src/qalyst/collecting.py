"""Chunks of draws, put together: quantities priced, averaged over profiles, and labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import Float, Int
from qalyst.engines.engine import Engine, Found, Shared, TraceRow
from qalyst.errors import ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.resolved import ResolvedModel
from qalyst.model.weights import DISCOUNTED
from qalyst.outcomes import (
    Outcomes,
    between_array,
    by_patient_array,
    profiles_dataset,
    quantities_dataset,
    totals_dataset,
    trace_array,
)

if TYPE_CHECKING:
    import xarray as xr

MOST_NUMBERS_KEPT = 25_000_000  # of quantities by draw; a longer run keeps their means


@dataclass(frozen=True)
class Chunk:
    """Results of some draws.

    Attributes
    ----------
    quantities : [strategy, cell, rates, draw] averaged over profiles.
    outcomes : [strategy, outcome, rates, draw] averaged over profiles.
    by_profile : [strategy, profile, outcome, draw] discounted, averaged over sampled patients.
    by_patient : [strategy, sampled patient, outcome, draw] discounted, times the patient's share.
    prices : [cell, draw].
    weights : [profile, draw].
    shares : [sampled patient, draw] of the sampled patients, over all profiles.
    between : [draw, total, total] covariance between patients of their totals, strategy by
        strategy and outcome by outcome; empty if no patients were run.
    """

    quantities: Float
    outcomes: Float
    by_profile: Float
    by_patient: Float
    prices: Float
    weights: Float
    shares: Float
    between: Float

    def first(self, draws: int) -> Chunk:
        """The first draws, if there are more."""
        if self.prices.shape[1] <= draws:
            return self
        return Chunk(
            quantities=self.quantities[..., :draws],
            outcomes=self.outcomes[..., :draws],
            by_profile=self.by_profile[..., :draws],
            by_patient=self.by_patient[..., :draws],
            prices=self.prices[:, :draws],
            weights=self.weights[:, :draws],
            shares=self.shares[:, :draws],
            between=self.between[:draws],
        )


def added_up(shared: Shared, evaluate: Evaluator, found: Found, draws: Int) -> Chunk:
    """Quantities of the programs averaged over profiles, and priced; no draws: the base case."""
    model = shared.model
    count = max(len(draws), 1)
    shares = shared.profile_weights(evaluate) if found.weights is None else found.weights
    weights = np.broadcast_to(shares, (len(shared.profiles), count))
    sampled = weights.reshape(-1, shared.sampled, count)
    of_profile, of_patient = sampled.sum(axis=1), sampled.sum(axis=0)
    in_profile = _share(sampled, of_profile[:, None])
    strategies, outcomes = len(model.strategies), list(model.outcomes)
    rates = shared.weights.count
    quantities = np.zeros((strategies, len(shared.cells), rates, count))
    totals = np.zeros((strategies, len(outcomes), rates, count))
    by_profile = np.zeros((strategies, len(of_profile), len(outcomes), count))
    by_patient = np.zeros((strategies, shared.sampled, len(outcomes), count))
    prices = np.zeros((len(shared.cells), count))
    for number, priced in enumerate(shared.cells):
        prices[number] = shared.price(evaluate, priced)
    outcome_of = [outcomes.index(model.payoffs[cell.payoff].outcome) for cell in shared.cells]
    for program in found.programs:
        weight = weights[program.profile]
        profile, patient = divmod(program.profile, shared.sampled)
        for row, cell in enumerate(program.cells):
            amount = program.amount[row]
            quantities[program.strategy, cell] += weight * amount
            value = amount * prices[cell]
            outcome = outcome_of[cell]
            by_profile[program.strategy, profile, outcome] += (
                in_profile[profile, patient] * value[DISCOUNTED]
            )
            by_patient[program.strategy, patient, outcome] += weight * value[DISCOUNTED]
            totals[program.strategy, outcome] += weight * value
    _refuse_nonsense(model, totals, draws)
    between = np.zeros((0, 0, 0)) if found.between is None else found.between
    return Chunk(
        quantities, totals, by_profile, by_patient, prices, of_profile, of_patient, between
    )


def _share(sampled: Float, of_profile: Float) -> Float:
    """[profile, sampled patient, draw] share of a patient in its profile, if that has a weight."""
    equal = np.full(sampled.shape, 1 / sampled.shape[1])
    return np.asarray(np.divide(sampled, of_profile, out=equal, where=of_profile > 0))


def _refuse_nonsense(model: ResolvedModel, totals: Float, draws: Int) -> None:
    wrong = ~np.isfinite(totals)
    if wrong.any():
        strategy, outcome, _, lane = (int(i[0]) for i in np.nonzero(wrong))
        name, result = list(model.strategies)[strategy], list(model.outcomes)[outcome]
        which = f"draw {draws[lane]}" if len(draws) else "the base case"
        raise ModelError(
            f"'{result}' of '{name}' is no number in {which}",
            where=f"{model.file}  payoffs.{result}",
            mend="look for a division by 0, or a logarithm or power of a negative number",
        )


def labelled_trace(model: ResolvedModel, rows: list[TraceRow]) -> xr.DataArray:
    """Occupancy [strategy, place, point] of the base case."""
    order, strategies = list(model.states), list(model.strategies)
    places = sorted(
        {(row.state, row.line) for row in rows}, key=lambda p: (order.index(p[0]), p[1])
    )
    points = model.timing.cycles + 1
    occupancy = np.zeros((len(strategies), len(places), points))
    for row in rows:
        where = strategies.index(row.strategy), places.index((row.state, row.line))
        occupancy[where] = row.occupancy
    years = np.asarray(np.arange(points) * model.timing.cycle, float)
    return trace_array(occupancy, strategies, places, years)


def most_draws_kept(shared: Shared) -> int:
    """How many draws a run may have whose quantities and profiles are kept draw by draw."""
    model = shared.model
    by_profile = len(shared.labels) * len(model.outcomes)
    cells = len(shared.cells) * shared.weights.count
    return MOST_NUMBERS_KEPT // (len(model.strategies) * (cells + by_profile))


class Collector:
    """Puts chunks together."""

    def __init__(self, engine: Engine, draws: int, *, keep: bool = False) -> None:
        self.engine, self.draws = engine, draws
        shared = engine.shared
        model = shared.model
        strategies, outcomes = len(model.strategies), len(model.outcomes)
        self.rates = shared.weights.count
        self.totals = np.zeros((draws, strategies, outcomes, self.rates))
        profiles = len(shared.labels)
        self.keep = keep or draws <= most_draws_kept(shared)
        kept = draws if self.keep else 1
        self.quantities = np.zeros((kept, strategies, 0, self.rates))
        self.by_profile = np.zeros((kept, strategies, profiles, outcomes))
        self.by_patient = np.zeros((strategies, shared.sampled, outcomes))
        self.shares = np.zeros(shared.sampled)
        self.prices = np.zeros((kept, 0))
        self.amounts = np.zeros((strategies, 0, self.rates))
        self.weights = np.zeros((kept, profiles))
        self.between = np.zeros((strategies * outcomes, strategies * outcomes))

    def put(self, begin: int, chunk: Chunk) -> None:
        """Take in the results of the draws from `begin` on."""
        cells = chunk.prices.shape[0]
        if self.quantities.shape[2] != cells:
            kept, strategies = self.quantities.shape[:2]
            self.quantities = np.zeros((kept, strategies, cells, self.rates))
            self.prices = np.zeros((kept, cells))
            self.amounts = np.zeros((strategies, cells, self.rates))
        count = chunk.prices.shape[1]
        if len(chunk.between):
            self.between += chunk.between.sum(axis=0) / self.draws
        self.by_patient += chunk.by_patient.sum(axis=-1)
        self.shares += chunk.shares.sum(axis=-1)
        self.totals[begin : begin + count] = chunk.outcomes.transpose(3, 0, 1, 2)
        quantities = chunk.quantities.transpose(3, 0, 1, 2)
        by_profile = chunk.by_profile.transpose(3, 0, 1, 2)
        self.amounts += np.einsum("sckd,cd->sck", chunk.quantities, chunk.prices) / self.draws
        if self.keep:
            here = slice(begin, begin + count)
            self.quantities[here], self.by_profile[here] = quantities, by_profile
            self.prices[here], self.weights[here] = chunk.prices.T, chunk.weights.T
            return
        self.quantities[0] += quantities.sum(axis=0) / self.draws
        self.prices[0] += chunk.prices.sum(axis=1) / self.draws
        self.by_profile[0] += by_profile.sum(axis=0) / self.draws
        self.weights[0] += chunk.weights.sum(axis=1) / self.draws

    def outcomes(self, trace: xr.DataArray | None = None, *, patients: int = 0) -> Outcomes:
        """The results with their labels; `patients` of each draw, 0 for a cohort."""
        shared = self.engine.shared
        model = shared.model
        strategies, outcomes = list(model.strategies), list(model.outcomes)
        cells = [
            (
                model.payoffs[cell.payoff].outcome,
                model.payoffs[cell.payoff].name,
                cell.state,
                str(cell.price),
            )
            for cell in shared.cells
        ]
        seen = np.where(self.shares > 0, self.shares, np.nan)  # a few patients may miss some
        return Outcomes(
            totals=totals_dataset(self.totals, strategies, outcomes, shared.rates),
            quantities=quantities_dataset(
                self.quantities, self.prices, self.amounts, strategies, cells, shared.rates
            ),
            profiles=profiles_dataset(
                self.by_profile, self.weights, strategies, _profile_names(shared), outcomes
            ),
            trace=trace,
            kept_by_draw=self.keep,
            patients=patients,
            by_patient=by_patient_array(self.by_patient / seen[:, None], strategies, outcomes),
            between_patients=between_array(self.between, strategies, outcomes),
            rates=shared.rates,
        )


def _profile_names(shared: Shared) -> list[str]:
    return [
        ", ".join(f"{name} {label}" for name, label in profile.items()) or "all"
        for profile in shared.labels
    ]
