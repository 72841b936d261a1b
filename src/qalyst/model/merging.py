"""Places that nothing can tell apart are one compartment (partition refinement).

Two places are alike if their risks, schedules, counts and ageing are alike and lead, with equal
shares, to places that are alike. This is also what finds dead history: a count that no later row
reads makes no difference. Moore (1956), "Gedanken-experiments on sequential machines".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from qalyst.model.places import Place
from qalyst.model.program import (
    Branch,
    Compartment,
    Counted,
    Event,
    Flow,
    Node,
    Program,
    Route,
    Step,
)
from qalyst.model.residual import Residual, Residuals


def merge(program: Program, make: Residuals, *, by_state: bool = False) -> Program:
    """The program with alike places merged and uncounted sinks dropped.

    Parameters
    ----------
    program : as lowered.
    make : makes the sums of shares.
    by_state : keep states and lines apart that no payoff tells apart, and sinks (for a trace).
    """
    places = program.compartments
    sinks = frozenset() if by_state else _sinks(places)
    kept = {place: item for place, item in places.items() if place not in sinks}
    classes = _refine(kept, by_state)
    representative: dict[int, Place] = {}
    for place in kept:
        representative.setdefault(classes[place], place)
    stands_for = {
        place: representative[classes[place]] if place in kept else None for place in places
    }
    rename = _Renaming(stands_for, make)
    return replace(
        program,
        representative=stands_for,
        start=rename.route(program.start),
        nodes={node: rename.branches(ways) for node, ways in program.nodes.items()},
        compartments={place: rename.compartment(kept[place]) for place in representative.values()},
    )


def _sinks(places: Mapping[Place, Compartment]) -> frozenset[Place]:
    """Places that nobody leaves and where nothing is counted, now or later."""
    sinks: set[Place] = set()
    growing = True
    while growing:
        found = {
            place
            for place, item in places.items()
            if not (item.risks or item.schedules or item.counted)
            and all(to == place or to in sinks for to in item.stays_in)
        }
        growing, sinks = found != sinks, found
    aged_into = {to for place, item in places.items() if place not in sinks for to in item.stays_in}
    return frozenset(sinks - aged_into)


def _refine(kept: dict[Place, Compartment], by_state: bool) -> dict[Place, int]:
    numbers: dict[tuple[str, int], int] = {}
    classes = {
        place: numbers.setdefault((place.state, place.line) if by_state else ("", 0), len(numbers))
        for place in kept
    }
    while True:
        signature = _signature(classes)
        seen: dict[Any, int] = {}
        refined = {
            place: seen.setdefault(signature(place, compartment), len(seen))
            for place, compartment in kept.items()
        }
        if len(seen) == len(set(classes.values())):
            return refined
        classes = refined


def _signature(classes: dict[Place, int]) -> Callable[[Place, Compartment], Any]:
    def route(route: Route) -> Any:
        shares: dict[int, list[int]] = {}
        for place, share in route.targets.items():
            if place in classes:
                shares.setdefault(classes[place], []).append(share.index)
        targets = tuple(sorted((number, tuple(sorted(s))) for number, s in shares.items()))
        events = tuple(sorted((event_key(e), share.index) for e, share in route.events.items()))
        return targets, events

    def flows(flows: tuple[Flow, ...]) -> Any:
        return tuple(sorted((flow.value.index, flow.row.kind, route(flow.route)) for flow in flows))

    def of(place: Place, compartment: Compartment) -> Any:
        return (
            classes[place],
            compartment.bins,
            event_key(compartment.counted),
            tuple(classes.get(to, -1) for to in compartment.stays_in),
            flows(compartment.risks),
            flows(compartment.schedules),
        )

    return of


def event_key(counted: Event) -> tuple[Any, ...]:
    """What makes two counts the same."""
    return tuple(map(_counted_key, counted))


def _counted_key(item: Counted) -> tuple[Any, ...]:
    cell = item.cell
    return cell.payoff, cell.state, cell.price.index, item.kind, item.quantity.index


class _Renaming:
    """Replaces places by those that stand for them."""

    def __init__(self, names: dict[Place, Place | None], make: Residuals) -> None:
        self.names, self.make = names, make

    def compartment(self, compartment: Compartment) -> Compartment:
        return replace(
            compartment,
            risks=tuple(map(self.flow, compartment.risks)),
            schedules=tuple(map(self.flow, compartment.schedules)),
            aged=self.names[compartment.aged] or compartment.place,
            older=compartment.older and (self.names[compartment.older] or compartment.place),
        )

    def flow(self, flow: Flow) -> Flow:
        return replace(flow, step=self.step(flow.step), route=self.route(flow.route))

    def branches(self, branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
        return tuple(replace(branch, step=self.step(branch.step)) for branch in branches)

    def step(self, step: Step) -> Step:
        """A step to a dropped sink keeps its place."""
        if isinstance(step.to, Node):
            return step
        return replace(step, to=self.names[step.to] or step.to)

    def route(self, route: Route) -> Route:
        """Shares to places that were merged add up; those to dropped sinks go."""
        targets: dict[Place, Residual] = {}
        for place, share in route.targets.items():
            name = self.names[place]
            if name is not None:
                before = targets.get(name)
                targets[name] = share if before is None else self.make.plus(before, share)
        return Route(targets, route.events)
