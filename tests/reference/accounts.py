"""Counting and discounting (language.md, sections 7, 8.3 and 8.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from movement import Move, Occupancy, Place, Tables

from qalyst.model.resolved import END, Payoff, Timing


class Discount:
    """V of an outcome: V_0 = 1, V_(c+1) = V_c (1 + r_c)^(-d).

    Parameters
    ----------
    rates : [cycle, draw] yearly effective rates, read at t_c; one row if they do not change.
    """

    def __init__(self, rates: Any, timing: Timing) -> None:
        self.timing = timing
        self._rates = np.broadcast_to(rates, (timing.cycles + 1, rates.shape[-1]))
        steps = (1 + self._rates[:-1]) ** -timing.cycle
        self.points = np.cumprod(np.concatenate([np.ones_like(self._rates[:1]), steps]), axis=0)

    def at(self, cycle: int, part: float) -> Any:
        """V when a part of the cycle is over."""
        return self.points[cycle] * (1 + self._rates[cycle]) ** (-part * self.timing.cycle)

    def force(self, cycle: int) -> Any:
        """The force of discount within the cycle; 0 unless time is discounted as counted."""
        return np.log1p(self._rates[cycle]) * (self.timing.discounting == "counted")

    def time(self, cycle: int) -> tuple[Any, Any]:
        """V of the heads at the start of the cycle, and of those at its end."""
        if self.timing.discounting == "counted":
            return self.points[cycle], self.points[cycle + 1]
        moment = self._moment(cycle, self.timing.discounting)
        return moment, moment

    def move(self, cycle: int) -> Any:
        """V of a move by risk, counted once."""
        if self.timing.discounting == "year":
            return self._year(cycle)
        if self.timing.one_off == "weighted":
            return self.points[cycle + 1] * point_weights(self.timing)[cycle + 1]
        return self._moment(cycle, self.timing.one_off)

    def scheduled(self, cycle: int) -> Any:
        """V of what happens at t_c: heads counted by `when`, and scheduled moves."""
        return self._year(cycle) if self.timing.discounting == "year" else self.points[cycle]

    def _moment(self, cycle: int, word: str) -> Any:
        if word == "year":
            return self._year(cycle)
        return self.at(cycle, {"start": 0.0, "middle": 0.5, "end": 1.0}[word])

    def _year(self, cycle: int) -> Any:
        """V at the start of the model year that holds t_c."""
        year = np.floor(cycle * self.timing.cycle + 1e-9)
        begun = int(np.floor(year / self.timing.cycle + 1e-9))
        return self.at(begun, max(year / self.timing.cycle - begun, 0.0))


def point_weights(timing: Timing) -> Any:
    """[n + 1] how often the correction counts the heads at each t_j, in cycles."""
    weights = np.ones(timing.cycles + 1)
    match timing.correction:
        case "start":
            weights[-1] = 0
        case "end":
            weights[0] = 0
        case "half-cycle":
            weights[[0, -1]] = 1 / 2
        case "simpson":
            weights[1:-1] = np.where(np.arange(1, timing.cycles) % 2 == 1, 4 / 3, 2 / 3)
            weights[[0, -1]] = 1 / 3
        case "simpson-tutorial":
            weights[1:-1] = np.where(np.arange(1, timing.cycles) % 2 == 1, 2 / 3, 4 / 3)
            weights[[0, -1]] = 1 / 3
    return weights


@dataclass
class Account:
    """Amounts of one outcome, by row: quantity x price, at one discount.

    Attributes
    ----------
    amounts : row -> [draw].
    """

    payoffs: list[Payoff]
    discount: Discount
    tables: Tables
    amounts: dict[str, Any] = field(default_factory=dict)

    def time(self, cycle: int, occupancy: Occupancy, factor: Any) -> None:
        """Time spent in states: person-years x value of cycle c, in their bins."""
        for payoff in self.payoffs:
            for place, years in occupancy.items():
                if payoff.counts_time and place.state in payoff.within:
                    self._add(payoff, factor * _total(years * self._value(cycle, payoff, place)))

    def heads(self, cycle: int, occupancy: Occupancy) -> None:
        """Heads at t_c where the condition holds, before scheduled moves."""
        for payoff in self.payoffs:
            for place, heads in occupancy.items():
                if payoff.counts_heads and place.state in payoff.within:
                    held = heads * self.tables.at(cycle, payoff.when, place)
                    amount = _total(held * self._value(cycle, payoff, place))
                    self._add(payoff, self.discount.scheduled(cycle) * amount)

    def moves(self, cycle: int, moves: list[Move], factor: Any) -> None:
        """Moves: a row that only names the target sees the place entered, others the one left."""
        for payoff in self.payoffs:
            for move in moves:
                if not _matches(payoff, move):
                    continue
                if _sees_the_place_entered(payoff) and move.target.state != END:
                    value = move.after * self._value(cycle, payoff, move.target)
                else:
                    seen = self._value(cycle, payoff, move.source, move.target.state)
                    value = move.before * seen
                self._add(payoff, factor * _total(value))

    def _value(self, cycle: int, payoff: Payoff, place: Place, to: str | None = None) -> Any:
        quantity = self.tables.at(cycle, payoff.quantity, place, to)
        return quantity * self.tables.at(cycle, payoff.price, place, to)

    def _add(self, payoff: Payoff, amount: Any) -> None:
        self.amounts[payoff.name] = self.amounts.get(payoff.name, 0.0) + amount


def _matches(payoff: Payoff, move: Move) -> bool:
    if payoff.within is not None or (move.target.state == END and not payoff.counts_end):
        return False
    return (
        (payoff.sources is None or move.source.state in payoff.sources)
        and (payoff.targets is None or move.target.state in payoff.targets)
        and (payoff.event is None or move.event == payoff.event)
    )


def _sees_the_place_entered(payoff: Payoff) -> bool:
    return payoff.targets is not None and payoff.sources is None and payoff.event is None


def _total(amounts: Any) -> Any:
    """[draw] over all bins."""
    return amounts.reshape(-1, amounts.shape[-1]).sum(axis=0)
