"""Lowering: one strategy and profile becomes compartments and the routes between them.

Places are followed from the start, and chance nodes are folded into shares. What is left is a
`Program`, from which the tables of the kernels, the continuous engine and the trace are made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from qalyst.axes import CYCLE, DRAW, RESIDENCE
from qalyst.errors import ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.partial import PartialEvaluator
from qalyst.model.places import Journey, Place
from qalyst.model.program import (
    Branch,
    Cell,
    Compartment,
    Counted,
    Event,
    Flow,
    Guard,
    Node,
    Program,
    Route,
    Step,
)
from qalyst.model.residual import Residual
from qalyst.model.resolved import Label, Payoff, ResolvedModel, Transition

MAX_COMPARTMENTS = 1_000_000
_Kind = Literal["time", "heads", "end", "move"]
_Bound = Literal["rate", "share", "rest", "nothing left"]


def lower(
    partial: PartialEvaluator,
    strategy: str,
    profile: dict[str, Label],
    *,
    by_moments: bool = False,
) -> Program:
    """The program of a strategy and profile.

    Parameters
    ----------
    partial : evaluates the model's expressions.
    strategy, profile : whose program.
    by_moments : of patients who move at a moment of their own, so that what two events per cycle
        say of the half cycle that is left is not needed.

    Raises
    ------
    ModelError
        What only shows when places are followed: a missing rest row, a step beyond the last line.
    """
    again = partial.model.timing.events_per_cycle == "two" and not by_moments
    return _Lowering(partial, strategy, profile, again).run()


class _Lowering:
    """Follows the places of one journey."""

    def __init__(
        self, partial: PartialEvaluator, strategy: str, profile: dict[str, Label], again: bool
    ) -> None:
        self.partial, self.make = partial, partial.residuals
        self.again = again
        self.model: ResolvedModel = partial.model
        self.journey = Journey(partial, strategy, profile)
        timing = self.model.timing
        self.static = Evaluator(self.model.parameters, None, timing.cycle, timing.cycles)
        self.guards: list[Guard] = []
        self._through: dict[Node, Route] = {}
        self._nodes: dict[Node, tuple[Branch, ...]] = {}

    def run(self) -> Program:
        journey = self.journey
        begin = Node(journey.start, None, None)
        start = self._chances(begin)
        compartments: dict[Place, Compartment] = {}
        todo = list(start.targets)
        while todo:
            place = todo.pop()
            if place in compartments:
                continue
            if len(compartments) >= MAX_COMPARTMENTS:
                raise self._too_many()
            make = self._arrivals if place.at_risk_again else self._compartment
            compartment = compartments[place] = make(place)
            todo += compartment.stays_in
            for flow in (*compartment.risks, *compartment.schedules):
                todo += flow.route.targets
        return Program(
            journey.strategy,
            journey.profile,
            start,
            begin,
            self._nodes,
            compartments,
            self.guards,
            reached=len(compartments),
        )

    def _too_many(self) -> ModelError:
        widest = max(self.model.trackers.values(), key=lambda tracker: tracker.up_to)
        return ModelError(
            f"the history of '{self.journey.strategy}' makes more than {MAX_COMPARTMENTS:,} places",
            where=widest.where,
            mend=f"lower `up_to` of '{widest.name}', or use the individuals engine",
        )

    # -- one compartment

    def _compartment(self, place: Place) -> Compartment:
        risks, schedules = [], []
        for row in self.model.rows_from(place.state):
            value = self._row_value(row, place)
            if value.is_number(0):
                continue
            if row.when is not None:
                schedules.append(Flow(row, value, *self._follow(place, row, place.state, None)))
            else:
                ways = self._follow(place, row, place.state, place.state, again=self.again)
                risks.append(Flow(row, value, *ways))
        counted = tuple(self._counted(place))
        nodes = [flow.value for flow in (*risks, *schedules)] + [c.quantity for c in counted]
        reads_residence = any(RESIDENCE in node.axes for node in nodes)
        bins = self.journey.bins(place.state) if reads_residence else 1
        self._guard(place, risks, schedules, bins)
        return Compartment(
            place, bins, tuple(risks), tuple(schedules), counted, self.journey.aged(place)
        )

    def _arrivals(self, place: Place) -> Compartment:
        """Those who arrived within the cycle: a second move is the last."""
        risks = []
        for row in self.model.rows_from(place.state):
            if row.when is None and not (value := self._row_value(row, place)).is_number(0):
                ways = self._follow(place, row, place.state, place.state)
                risks.append(Flow(row, value, *ways))
        self._guard(place, risks, [], 1)
        aged, older = (
            self.journey.arrived(place, place.state, older=older) for older in (False, True)
        )
        return Compartment(place, 1, tuple(risks), (), (), aged, older)

    def _row_value(self, row: Transition, place: Place) -> Residual:
        known = self.journey.known(place, row.target)
        assert row.value is not None
        value = self.partial.value(row.value, known)
        if row.when is not None:
            value = self.make.times(self.partial.value(row.when, known), value)
        return self._never_is_zero(value, place.state)

    def _never_is_zero(self, value: Residual, state: str) -> Residual:
        """A row that can never happen, whatever is drawn, is no row."""
        if DRAW in value.axes or value.constant:
            return value
        bins = self.journey.bins(state) if RESIDENCE in value.axes else 1
        return value if np.any(self.static(value, bins)) else self.make.zero

    def _counted(self, place: Place) -> list[Counted]:
        found = []
        for number, payoff in enumerate(self.model.payoffs):
            kind: _Kind
            if payoff.within is not None and place.state in payoff.within:
                kind = "time" if payoff.when is None else "heads"
            elif payoff.counts_end and (payoff.sources is None or place.state in payoff.sources):
                kind = "end"
            else:
                continue
            amount = self._amount(number, payoff, place, kind)
            if amount is not None:
                found.append(amount)
        return found

    def _amount(self, number: int, payoff: Payoff, place: Place, kind: _Kind) -> Counted | None:
        known = self.journey.known(place)
        quantity = self.partial.value(payoff.quantity, known)
        if payoff.when is not None:
            quantity = self.make.times(self.partial.value(payoff.when, known), quantity)
        price = self.partial.price(payoff.price, known)
        quantity = self._never_is_zero(quantity, place.state)
        if quantity.is_number(0) or price.is_number(0):
            return None
        if CYCLE in price.axes or RESIDENCE in price.axes:
            raise ModelError(
                f"the price of '{payoff.name}' names a clock",
                where=payoff.price.shown,
                mend="put the schedule into `quantity`",
            )
        return Counted(Cell(number, place.state, price), kind, quantity)

    # -- moves

    def _follow(
        self,
        origin: Place,
        row: Transition,
        stayed_in: str | None,
        lived_in: str | None,
        *,
        again: bool = False,
    ) -> tuple[Step, Route]:
        """One row from a place: its step, and its route to where time is spent.

        `stayed_in` is the state in which time was last spent; `lived_in` is the same if a cycle
        has passed (so that clocks tick), None for moves at the start of a cycle; `again` if who
        arrives is at risk once more within the cycle.
        """
        entered = self.journey.enter(origin, row, stayed_in)
        passed = self._passed(row, origin, entered)
        events: dict[Event, Residual] = {passed: self.make.one} if passed else {}
        if not self.model.states[row.target].instant:
            arrived = (
                replace(entered, at_risk_again=True)
                if again
                else self.journey.arrived(entered, lived_in)
            )
            return Step(passed, arrived), Route({arrived: self.make.one}, events)
        node = Node(entered, stayed_in, lived_in, again)
        beyond = self._chances(node)
        for event, share in beyond.events.items():
            events[event] = self._sum(events.get(event), share)
        return Step(passed, node), Route(beyond.targets, events)

    def _chances(self, node: Node) -> Route:
        """All rows of a chance node (or of the start), weighted."""
        found = self._through.get(node)
        if found is not None:
            return found
        make = self.make
        branches = []
        targets: dict[Place, Residual] = {}
        events: dict[Event, Residual] = {}
        for row, share in self._shares(node.place):
            step, route = self._follow(
                node.place, row, node.stayed_in, node.lived_in, again=node.again
            )
            branches.append(Branch(row, share, step))
            for target, part in route.targets.items():
                targets[target] = self._sum(targets.get(target), make.times(share, part))
            for event, part in route.events.items():
                events[event] = self._sum(events.get(event), make.times(share, part))
        self._nodes[node] = tuple(branches)
        found = self._through[node] = Route(targets, events)
        return found

    def _shares(self, place: Place) -> list[tuple[Transition, Residual]]:
        """The rows out of a chance node that can happen, with their shares; the rest is last."""
        shares: list[tuple[Transition, Residual]] = []
        left, rest = self.make.one, None
        for row in self.model.rows_from(place.state):
            if row.value is None:
                rest = row
                continue
            share = self.partial.value(row.value, self.journey.known(place, row.target))
            left = self.make.minus(left, share)
            if not share.is_number(0):
                self._guard_share(place, row, share)
                shares.append((row, share))
        left = self._rest(place, left, rest)
        if rest is not None and not left.is_number(0):
            shares.append((rest, left))
        return shares

    def _rest(self, place: Place, left: Residual, rest: Transition | None) -> Residual:
        """What the rows with a probability leave; 0 if it is 0 whatever is drawn."""
        rows = self.model.rows_from(place.state)
        if DRAW not in left.axes:
            values = np.asarray(self.static(left))
            if np.all(np.abs(values) <= 1e-12):
                return self.make.zero
            if rest is None and (values > 1e-12).any():
                raise ModelError(
                    f"no row of '{place.state}' takes the rest ({values.max():.4g})",
                    where=rows[0].where,
                    mend="add a row without probability, or make the probabilities sum to 1",
                )
        kind: _Bound = "rest" if rest is not None else "nothing left"
        names = ", ".join(row.name for row in rows)
        self._note(left, 1, kind, f"probabilities out of '{place.state}' ({names})", place, *rows)
        return left

    def _passed(self, row: Transition, origin: Place, entered: Place) -> Event:
        """What the payoffs count of a move."""
        found = []
        for number, payoff in enumerate(self.model.payoffs):
            if payoff.within is not None or payoff.counts_end:
                continue
            if (
                (payoff.event is not None and payoff.event != row.name)
                or (payoff.sources is not None and row.source not in payoff.sources)
                or (payoff.targets is not None and row.target not in payoff.targets)
            ):
                continue
            by_entry = payoff.targets and payoff.sources is None and payoff.event is None
            amount = self._amount(number, payoff, entered if by_entry else origin, "move")
            if amount is not None:
                if RESIDENCE in amount.quantity.axes:
                    raise ModelError(
                        f"'{payoff.name}' counts a move by the time in state",
                        where=payoff.quantity.shown,
                        mend="years_in_state stands in `in:` rows only; use a `years_in` tracker",
                    )
                found.append(amount)
        return tuple(found)

    def _sum(self, first: Residual | None, second: Residual) -> Residual:
        return second if first is None else self.make.plus(first, second)

    # -- guards

    def _guard(self, place: Place, risks: list[Flow], schedules: list[Flow], bins: int) -> None:
        for flow in risks:
            if flow.row.kind == "rate":
                what = f"the rate of '{flow.row.name}'"
                self._note(flow.value, bins, "rate", what, place, flow.row)
        for flows, what in ((risks, "probabilities"), (schedules, "scheduled shares")):
            shares = [flow for flow in flows if flow.row.kind == "probability"]
            total = self.make.zero
            for flow in shares:
                share = f"the share of '{flow.row.name}'"
                self._note(flow.value, bins, "share", share, place, flow.row)
                total = self.make.plus(total, flow.value)
            if shares:
                names = ", ".join(flow.row.name for flow in shares)
                left = self.make.minus(self.make.one, total)
                sum_ = f"{what} out of '{place.state}' ({names})"
                self._note(left, bins, "rest", sum_, place, *(flow.row for flow in shares))

    def _guard_share(self, place: Place, row: Transition, share: Residual) -> None:
        self._note(share, 1, "share", f"the probability of '{row.name}'", place, row)

    def _note(
        self,
        node: Residual,
        bins: int,
        kind: _Bound,
        what: str,
        place: Place,
        *rows: Transition,
    ) -> None:
        if node.constant and kind != "rest" and node.value >= 0:
            return
        if node.constant and kind == "rest" and node.value >= -1e-12:
            return
        used = bins if RESIDENCE in node.axes else 1
        self.guards.append(Guard(node, used, kind, what, rows[0].where, self._shown(place), rows))

    def _shown(self, place: Place) -> str:
        parts = [f"strategy {self.journey.strategy}", f"state {place.state}"]
        if place.line:
            parts.append(f"line {place.line} ({self.journey.treatment(place)})")
        parts += [f"{name} {label}" for name, label in self.journey.profile.items()]
        known = self.journey.known(place)
        parts += [f"{name} {known[name]:g}" for name in self.model.trackers]
        return ", ".join(parts)
