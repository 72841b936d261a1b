"""Programs that are a chain: one line of therapy after the other, each entered at any time.

In a chain the hazards of a line depend on the draw, on the time since it began and, for what is
the same on all lines, on the calendar. What a patient had before is part of the place (trackers),
so it may decide the hazards of a line; two lines with the same hazards are alike, whatever led to
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qalyst.axes import CYCLE, RESIDENCE
from qalyst.model.merging import event_key
from qalyst.model.places import Place
from qalyst.model.program import Compartment, Counted, Event, Flow, Program, Route
from qalyst.model.residual import Residual, Residuals, factors


class NotAChainError(Exception):
    """Why a program is no chain, in words that follow "since"."""


@dataclass(frozen=True)
class Link:
    """A way out of a line, or into the first.

    Attributes
    ----------
    name : of the row; empty for the start.
    hazard : 1/year; None for the start.
    arrives : share of those who take it that reaches the next line; None if it leads out of them.
    events : what is counted on the way, with the share that passes it.
    """

    name: str
    hazard: Residual | None
    arrives: Residual | None
    events: tuple[tuple[Event, Residual], ...]


@dataclass(frozen=True)
class Line:
    """A line of therapy: what is counted on it, and the ways out.

    Attributes
    ----------
    onward : to the next line; None on the last.
    leaving : out of the lines, by hazards of the time since the line began.
    background : out of the lines, by hazards of the calendar.
    at_arrival : name of a row -> its hazard for those who arrived within the cycle; None if they
        are not at risk before the next.
    """

    bins: int
    counted: tuple[Counted, ...]
    onward: Link | None
    leaving: tuple[Link, ...]
    background: tuple[Link, ...]
    at_arrival: Mapping[str, Residual] | None

    @property
    def hazards(self) -> tuple[tuple[str, int], ...]:
        """What makes two lines move alike: the hazards by time since they began."""
        own = [("", self.onward)] if self.onward else []
        links = [*own, *((link.name, link) for link in self.leaving)]
        return tuple((name, link.hazard.index) for name, link in links if link.hazard is not None)

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two lines the same: hazards, and what is counted but for the way onward."""
        ways = (*self.leaving, *self.background)
        counted = tuple((way.name, _events_key(way.events)) for way in ways)
        return (self.bins, self.hazards, event_key(self.counted), counted)


@dataclass(frozen=True)
class Chain:
    """The way into the first line, and the lines in their order."""

    start: Link
    lines: tuple[Line, ...]


def chain_of(program: Program) -> Chain:
    """A merged program as a chain.

    Raises
    ------
    NotAChainError
        It is none.
    """
    start, here = _link("", None, program.start)
    lines: list[Line] = []
    seen: set[Place] = set()
    while here is not None:
        if here in seen:
            raise NotAChainError("a line can be entered twice")
        seen.add(here)
        line, here = _line(program, program.compartments[here])
        lines.append(line)
    if not lines:
        raise NotAChainError("nobody enters a line")
    return Chain(start, tuple(lines))


def _line(program: Program, entered: Compartment) -> tuple[Line, Place | None]:
    arrivals = entered if entered.place.at_risk_again else None
    settled = program.compartments[entered.aged] if arrivals else entered
    if settled.schedules:
        raise NotAChainError(f"'{settled.schedules[0].row.name}' is scheduled")
    if settled.by_probability:
        raise NotAChainError(f"'{settled.risks[0].row.name}' is a probability")
    if set(settled.stays_in) != {settled.place} or (
        arrivals and set(arrivals.stays_in) != {settled.place}
    ):
        raise NotAChainError("a clock of history ticks while a line goes on")
    for item in settled.counted:
        if RESIDENCE in item.quantity.axes:
            raise NotAChainError("a payoff depends on the time since the line began")
    onward: Link | None = None
    leaving: list[Link] = []
    background: list[Link] = []
    then: Place | None = None
    for flow in settled.risks:
        link, to = _link(flow.row.name, flow.value, flow.route)
        by_calendar = CYCLE in flow.value.axes
        if by_calendar and (to is not None or RESIDENCE in flow.value.axes):
            raise NotAChainError(
                f"the rate of '{flow.row.name}' depends on the calendar and "
                + (
                    "leads to the next line"
                    if to is not None
                    else "on the time since the line began"
                )
            )
        if to is not None:
            if onward is not None:
                raise NotAChainError("two rows lead to the next line")
            onward, then = link, to
        else:
            (background if by_calendar else leaving).append(link)
    _check_arrivals(program, arrivals, settled, then)
    at_arrival = None
    if arrivals:
        at_arrival = {flow.row.name: flow.value for flow in arrivals.risks}
    line = Line(
        settled.bins, settled.counted, onward, tuple(leaving), tuple(background), at_arrival
    )
    return line, then


def _check_arrivals(
    program: Program, arrivals: Compartment | None, settled: Compartment, then: Place | None
) -> None:
    """Who moves on within the cycle of arrival goes the same ways."""
    if arrivals is None:
        return
    usual = {flow.row.name: flow for flow in settled.risks}
    for flow in arrivals.risks:
        same = usual.get(flow.row.name)
        if same is None or _ways(flow, None) != _ways(same, (program, then)):
            raise NotAChainError(f"'{flow.row.name}' leads elsewhere in the cycle of arrival")


def _ways(flow: Flow, settle: tuple[Program, Place | None] | None) -> object:
    targets = []
    for place, share in flow.route.targets.items():
        if settle is not None and place.at_risk_again:
            place = settle[0].compartments[place].aged
        targets.append((place, share.index))
    return targets, _events_key(tuple(flow.route.events.items()))


def _link(name: str, hazard: Residual | None, route: Route) -> tuple[Link, Place | None]:
    outside = [place.state for place in route.targets if not place.line]
    if outside:
        raise NotAChainError(f"what happens in '{outside[0]}', outside the lines, counts as well")
    if len(route.targets) > 1:
        raise NotAChainError("a move leads to more than one line")
    to, share = next(iter(route.targets.items()), (None, None))
    return Link(name, hazard, share, tuple(route.events.items())), to


def _events_key(events: tuple[tuple[Event, Residual], ...]) -> object:
    return tuple(sorted((event_key(event), share.index) for event, share in events))


def by_calendar(make: Residuals, node: Residual) -> tuple[Residual, Residual, Residual]:
    """A value without time in state as a series, a factor that runs and is drawn, and a drawn one.

    The last has no axis of cycles; each is 1 if there is none.
    """
    parts = factors(make, node)
    runs, drawn = make.one, make.one
    for factor in _taken_apart(parts.lanes):
        if CYCLE in factor.axes:
            runs = make.times(runs, factor)
        else:
            drawn = make.times(drawn, factor)
    return parts.series, runs, drawn


def _taken_apart(node: Residual) -> list[Residual]:
    if node.operation != "*":
        return [node]
    return [factor for part in node.parts for factor in _taken_apart(part)]
