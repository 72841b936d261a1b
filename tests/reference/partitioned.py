"""Partitioned survival: the share of each state at `years` (language.md, 8.6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from accounts import Account, point_weights
from movement import Move, Occupancy, Place, Tables

from qalyst.errors import ModelError
from qalyst.model.resolved import POINT_CORRECTIONS, START

GAUSS = 16


def run_partitioned(tables: Tables, accounts: list[Account], draws: int) -> dict[str, Any]:
    """Count time in states, heads and deaths; the trace: state -> [n + 1, draw]."""
    timing = tables.model.timing
    shares = _shares(tables, draws)
    absorbed = {p: s for p, s in shares.items() if tables.model.states[p.state].absorbing}
    for account in accounts:
        account.moves(0, _gains({place: share[0] for place, share in absorbed.items()}), 1.0)
    for cycle in range(timing.cycles):
        first, second = _at(shares, cycle), _at(shares, cycle + 1)
        for account in accounts:
            account.heads(cycle, first)
            if timing.correction != "exact":
                gains = {p: s[cycle + 1] - s[cycle] for p, s in absorbed.items()}
                account.moves(cycle, _gains(gains), account.discount.move(cycle))
                _count_ends(account, cycle, first, second)
    if timing.correction == "exact":
        _count_exactly(tables, accounts, shares, draws)
    if timing.correction in POINT_CORRECTIONS:
        for point, weight in enumerate(point_weights(timing) * timing.cycle):
            for account in accounts:
                account.time(point, _at(shares, point), weight * account.discount.points[point])
    return {place.state: share for place, share in shares.items()}


def _shares(tables: Tables, draws: int) -> dict[Place, Any]:
    """Place -> [moment, draw]; shares are not negative and sum to 1."""
    model = tables.model
    places = {state: Place(state, None, ()) for state in model.occupancy}
    whole = np.zeros((tables.moments, 1, draws))
    found = {
        place: (tables.of(model.occupancy[state], place) + whole)[:, 0]
        for state, place in places.items()
    }
    for place, share in found.items():
        if share.min() < -1e-9:
            raise ModelError(
                f"the share of '{place.state}' is negative",
                where=model.occupancy[place.state].shown,
                mend="cap the curve with min(...)",
            )
    if np.abs(sum(found.values()) - 1).max() > 1e-9:
        raise ModelError("the shares do not sum to 1", where="occupancy", mend="add up the states")
    return found


def _count_ends(account: Account, cycle: int, first: Occupancy, second: Occupancy) -> None:
    timing = account.discount.timing
    shares = {"start": (1.0, 0.0), "end": (0.0, 1.0), "half-cycle": (0.5, 0.5)}
    if timing.correction not in shares:
        return
    factors = account.discount.time(cycle)
    for share, factor, heads in zip(
        shares[timing.correction], factors, (first, second), strict=True
    ):
        account.time(cycle, heads, share * timing.cycle * factor)


def _count_exactly(
    tables: Tables, accounts: list[Account], shares: dict[Place, Any], draws: int
) -> None:
    """16 Gauss points a cycle; gains of absorbing states integrated by parts.

    With N the share at s after t_c: the integral of exp(-f s) dN is
    exp(-f d) N(d) - N(0) + f times the integral of exp(-f s) N(s).
    """
    timing = tables.model.timing
    nodes, weights = np.polynomial.legendre.leggauss(GAUSS)
    inside, weights = (nodes + 1) / 2 * timing.cycle, weights / 2 * timing.cycle
    cycles = np.repeat(np.arange(timing.cycles, dtype=float), GAUSS)
    moments = cycles * timing.cycle + np.tile(inside, timing.cycles)
    dense = _shares(
        Tables(tables.model, tables.values, tables.strategy, tables.profile, moments, cycles),
        draws,
    )
    for cycle in range(timing.cycles):
        here = slice(cycle * GAUSS, (cycle + 1) * GAUSS)
        for account in accounts:
            force, factor = account.discount.force(cycle), account.discount.time(cycle)[0]
            fading = weights[:, None] * np.exp(-inside[:, None] * force)
            years = {place: (fading * share[here]).sum(axis=0) for place, share in dense.items()}
            account.time(cycle, {p: y.reshape(1, draws) for p, y in years.items()}, factor)
            gains = {
                place: np.exp(-force * timing.cycle) * shares[place][cycle + 1]
                - shares[place][cycle]
                + force * years[place]
                for place in shares
                if tables.model.states[place.state].absorbing
            }
            account.moves(cycle, _gains(gains), factor)


def _gains(gains: dict[Place, Any]) -> list[Move]:
    """The gain of each absorbing state, as moves into it."""
    nowhere = Place(START, None, ())
    return [Move(None, nowhere, place, gain[None], gain[None]) for place, gain in gains.items()]


def _at(shares: dict[Place, Any], moment: int) -> Occupancy:
    return {place: share[moment][None] for place, share in shares.items()}
