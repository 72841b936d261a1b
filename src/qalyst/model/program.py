"""The lowered form of one strategy and profile: compartments, routes and what is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from qalyst.model.places import Place
from qalyst.model.residual import Residual
from qalyst.model.resolved import Label, Transition


@dataclass(frozen=True)
class Cell:
    """A quantity that is kept apart: a payoff row, by state, at one price.

    Attributes
    ----------
    payoff : index of the payoff row.
    state : where the time is spent, or from where the move is seen.
    price : the residual of its price: numbers and drawn parameters only.
    """

    payoff: int
    state: str
    price: Residual


@dataclass(frozen=True)
class Counted:
    """An amount of a cell's quantity: how it counts, and how much.

    `time` counts years, `heads` those present when a condition holds, `end` those who reach the
    horizon, `move` those who pass.
    """

    cell: Cell
    kind: Literal["time", "heads", "end", "move"]
    quantity: Residual


Event: TypeAlias = tuple[Counted, ...]


@dataclass(frozen=True)
class Node:
    """A chance node on the way of a move.

    Attributes
    ----------
    place : the instant state (or `start`), with its line and history.
    stayed_in, lived_in : where the move came from; see `Journey.enter` and `Journey.arrived`.
    again : whether those who pass are at risk once more within the cycle.
    """

    place: Place
    stayed_in: str | None
    lived_in: str | None
    again: bool = False


@dataclass(frozen=True)
class Step:
    """One step of a move: what it passes, and the place or chance node that it leads to."""

    event: Event
    to: Place | Node


@dataclass(frozen=True)
class Branch:
    """A way out of a chance node, with its share."""

    row: Transition
    share: Residual
    step: Step


@dataclass(frozen=True)
class Route:
    """Where those who move end, and which events they pass, with their shares."""

    targets: Mapping[Place, Residual]
    events: Mapping[Event, Residual]


@dataclass(frozen=True)
class Flow:
    """A cause out of a compartment: a rate (1/year), a probability or a scheduled share.

    `route` is where `step` leads when the chance nodes beyond it are folded into shares.
    """

    row: Transition
    value: Residual
    step: Step
    route: Route


@dataclass(frozen=True)
class Compartment:
    """A place that can be reached, with its risks, schedules and what is counted there.

    Attributes
    ----------
    aged : the place one cycle later of who stays; of arrivals who are at risk once more, the
        place of that half of them whose clocks begin at 0.
    older : the place of the other half, whose clocks begin at one cycle.
    """

    place: Place
    bins: int
    risks: tuple[Flow, ...]
    schedules: tuple[Flow, ...]
    counted: tuple[Counted, ...]
    aged: Place
    older: Place | None = None

    @property
    def stays_in(self) -> tuple[Place, ...]:
        """The places of those who stay, at the end of the cycle."""
        return (self.aged,) if self.older is None else (self.aged, self.older)

    @property
    def by_probability(self) -> bool:
        """Whether its risks are probabilities per cycle."""
        return any(flow.row.kind == "probability" for flow in self.risks)


@dataclass(frozen=True)
class Guard:
    """A value that must be in bounds in every draw, and how to say that it is not."""

    node: Residual
    bins: int
    kind: Literal["rate", "share", "rest", "nothing left"]
    what: str
    where: str
    place: str
    rows: tuple[Transition, ...] = ()


@dataclass(frozen=True)
class Program:
    """The lowered form of one strategy and profile.

    Attributes
    ----------
    start : where everybody is after the moves of time 0, and the events of these moves.
    begin : the chance node of these moves.
    nodes : the branches of each chance node; the last takes what the others leave.
    compartments : by place; merged ones by their representative.
    representative : every reached place -> the place that stands for it; None for a sink.
    reached : how many places can be reached before merging.
    """

    strategy: str
    profile: dict[str, Label]
    start: Route
    begin: Node
    nodes: dict[Node, tuple[Branch, ...]]
    compartments: dict[Place, Compartment]
    guards: list[Guard]
    representative: dict[Place, Place | None] = field(default_factory=dict)
    reached: int = 0

    @property
    def cells(self) -> int:
        """Places times bins: what the kernel carries."""
        return sum(compartment.bins for compartment in self.compartments.values())

    def counted_cells(self) -> Iterator[Cell]:
        """The cells of everything that is counted, in a fixed order."""
        for compartment in self.compartments.values():
            yield from (item.cell for item in compartment.counted)
        flows = (
            flow
            for compartment in self.compartments.values()
            for flow in (*compartment.risks, *compartment.schedules)
        )
        for route in (self.start, *(flow.route for flow in flows)):
            for event in route.events:
                yield from (item.cell for item in event)
