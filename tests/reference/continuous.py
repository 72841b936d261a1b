"""Continuous time: exact integrals over a cycle, and any number of events in it (8.2, 8.3).

Rates are constant within a cycle. The integrals of a matrix exponential are the upper right
block of a larger one: van Loan (1978) IEEE Trans Automat Contr 23:395-404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from movement import Move, Occupancy, Place
from scipy.linalg import expm

if TYPE_CHECKING:
    from twin import Cohort


def one_event_exactly(cohort: Cohort, cycle: int, before: Occupancy) -> None:
    """Time and moves of a cycle in closed form, at most one event each.

    With A(x) = (1 - exp(-x d)) / x: the state left holds N A(H + f) years, a state entered
    N (h / H) (A(f) - A(H + f)), and N h A(H + f) move; all times V.
    """
    d = cohort.timing.cycle
    for account in cohort.accounts:
        force, factor = account.discount.force(cycle), account.discount.time(cycle)[0]
        years: Occupancy = {}
        moves: list[Move] = []
        for place, heads in before.items():
            rows = cohort.risks(cycle, place)
            total = sum((hazard for _, hazard in rows), np.zeros(1))
            left = heads * _annuity(total + force, d)
            account.time(cycle, {place: left}, factor)
            some = np.where(total > 0, total, 1.0)
            entered = heads * (_annuity(force, d) - _annuity(total + force, d))
            for row, hazard in rows:
                moves += cohort.movement.follow(cycle, row, place, left * hazard)[0]
                flow = entered * (hazard / some)
                for arrival in cohort.movement.follow(cycle, row, place, flow)[1]:
                    cohort._settle(years, arrival.place, cohort.aged(arrival))
        account.time(cycle, years, factor)
        account.moves(cycle, moves, factor)


def any_number_of_events(cohort: Cohort, cycle: int) -> Occupancy:
    """P = exp(Q d): the occupancy at the end; moves, and time if exact, into the accounts."""
    exact = cohort.timing.correction == "exact"
    before, (places, generator) = cohort.occupancy, _generator(cohort, cycle)
    heads = np.array([before[p].reshape(-1) if p in before else 0.0 * _one(before) for p in places])
    cache: dict[bytes, Any] = {}
    for account in cohort.accounts:
        force = account.discount.force(cycle) if exact else np.zeros(cohort.draws)
        key = np.asarray(force).tobytes()
        if key not in cache:
            cache[key] = _integral(generator, force, cohort.timing.cycle)
        spent = np.einsum("pd,pqd->qd", heads, cache[key])
        years = {place: _as_bins(cohort, spent[i]) for i, place in enumerate(places)}
        moves = [
            move
            for place in places
            for row, rate in cohort.risks(cycle, place)
            for move in cohort.movement.follow(cycle, row, place, years[place] * rate)[0]
        ]
        factor = account.discount.time(cycle)[0]
        if exact:
            account.time(cycle, years, factor)
        account.moves(cycle, moves, factor if exact else account.discount.move(cycle))
    step = np.stack(
        [expm(generator[..., i] * cohort.timing.cycle) for i in range(cohort.draws)], -1
    )
    after = np.einsum("pd,pqd->qd", heads, step)
    return {place: _as_bins(cohort, after[i]) for i, place in enumerate(places)}


def _generator(cohort: Cohort, cycle: int) -> tuple[list[Place], Any]:
    """The places that the heads can come to, and Q [place, place, draw] between them."""
    places = list(cohort.occupancy)
    rates: dict[tuple[Place, Place], Any] = {}
    for place in places:  # grows as more places are reached
        for row, rate in cohort.risks(cycle, place):
            flow = rate + np.zeros(cohort.draws)
            for arrival in cohort.movement.follow(cycle, row, place, flow)[1]:
                reached = arrival.place
                if reached not in places:
                    places.append(reached)
                ahead = arrival.heads.reshape(-1)
                rates[place, reached] = rates.get((place, reached), 0.0) + ahead
                rates[place, place] = rates.get((place, place), 0.0) - ahead
    generator = np.zeros((len(places), len(places), cohort.draws))
    for (source, target), rate in rates.items():
        generator[places.index(source), places.index(target)] += rate
    return places, generator


def _integral(generator: Any, force: Any, d: float) -> Any:
    """The integral of exp((Q - f) s) over s in 0..d: [place, place, draw]."""
    size = len(generator)
    found = np.empty_like(generator)
    for draw in range(generator.shape[-1]):
        block = np.zeros((2 * size, 2 * size))
        block[:size, :size] = generator[..., draw] - np.ravel(force)[draw] * np.eye(size)
        block[:size, size:] = np.eye(size)
        found[..., draw] = expm(block * d)[:size, size:]
    return found


def _annuity(x: Any, d: float) -> Any:
    """A(x) = (1 - exp(-x d)) / x, and A(0) = d."""
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, d, -np.expm1(-safe * d) / safe)


def _as_bins(cohort: Cohort, heads: Any) -> Any:
    return heads.reshape(1, cohort.draws)


def _one(occupancy: Occupancy) -> Any:
    return next(iter(occupancy.values())).reshape(-1)
