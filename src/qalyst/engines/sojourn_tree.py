"""The sequences of one profile as a tree of lines, and what each strategy adds up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from qalyst.axes import Float
from qalyst.engines.engine import Shared
from qalyst.errors import ModelError
from qalyst.kernels.sojourns import fits, through_lines
from qalyst.model.chains import Chain, Line, Link, NotAChainError, by_calendar
from qalyst.model.evaluate import Evaluator
from qalyst.model.program import Counted
from qalyst.model.residual import Residual

ONWARD = 0  # the cause that leads to the next line
BACKGROUND = -1
_Source = Literal["time", "moved", "passed", "start"]


@dataclass(frozen=True)
class _Amount:
    """What a node adds to a cell: a row of sums for each of the rates, times a drawn factor."""

    cell: int
    source: _Source
    node: int
    rows: tuple[int, ...]
    factor: Residual


@dataclass
class _Rows:
    """Weights over points or cycles, each kept once: a known series, times a value that is drawn.

    Attributes
    ----------
    length : of each row.
    """

    length: int
    causes: list[int] = field(default_factory=list)
    _known: dict[tuple[bytes, int, int], int] = field(default_factory=dict)
    _parts: list[list[tuple[Float, Residual, int]]] = field(default_factory=list)

    def add(self, parts: list[tuple[Float, Residual, int]], cause: int = 0) -> int:
        """Index of a row: the sum of series [length] times a residual, so many cycles earlier."""
        key = (b"".join(s.tobytes() for s, _, _ in parts), parts[0][1].index, cause)
        if key not in self._known:
            self._known[key] = len(self._parts)
            self._parts.append(parts)
            self.causes.append(cause)
        return self._known[key]

    def values(self, evaluate: Evaluator) -> Float:
        """[draw or 1, row, length]."""
        rows = [
            sum(
                series * _running(evaluate, node, self.length, earlier)
                for series, node, earlier in p
            )
            for p in self._parts
        ]
        draws = max((len(np.atleast_2d(row)) for row in rows), default=1)
        found = np.zeros((draws, len(rows), self.length))
        for number, row in enumerate(rows):
            found[:, number] = row
        return found


def _running(evaluate: Evaluator, node: Residual, length: int, earlier: int = 0) -> Float:
    """[draw or 1, length] a value over the calendar, as it was so many cycles earlier."""
    values = np.asarray(evaluate(node)[:, 0], float).T
    at = np.clip(np.arange(length) - earlier, 0, values.shape[1] - 1)
    return np.asarray(values[:, at])


class Tree:
    """The sequences of one profile: nodes, hazards and what each strategy adds up."""

    def __init__(self, shared: Shared, two_events: bool) -> None:
        self.shared, self.two_events = shared, two_events
        self.make, self.weights = shared.partial.residuals, shared.weights
        cycles = shared.model.timing.cycles
        self.heads, self.moves, self.onward = _Rows(cycles + 1), _Rows(cycles), _Rows(cycles)
        self.parent: list[int] = []
        self.key: list[int] = []
        self.arrives: list[Residual] = []
        self.background: tuple[Residual, ...] | None = None
        self.lines: list[Line] = []  # [key]
        self.causes: dict[str, int] = {}
        self.strategies: list[list[_Amount]] = []
        self._nodes: dict[object, tuple[int, list[_Amount]]] = {}
        self._keys: dict[object, int] = {}

    # -- preparing

    def add(self, chain: Chain) -> None:
        """Take a strategy in."""
        amounts = self._started(chain.start)
        node, link = -1, chain.start
        for line in chain.lines:
            if node >= 0:
                amounts += self._on_the_way(link, node, "passed")
            node, own = self._node(node, line, link)
            amounts += own
            if line.onward is None:
                break
            link = line.onward
        self.strategies.append(amounts)

    def _node(self, parent: int, line: Line, link: Link) -> tuple[int, list[_Amount]]:
        assert link.arrives is not None
        identity = (parent, line.identity, link.arrives.index)
        found = self._nodes.get(identity)
        if found is None:
            background = tuple(each.hazard for each in line.background if each.hazard is not None)
            if self.background not in (None, background):
                raise NotAChainError("the hazards of the calendar are not the same on all lines")
            self.background = background
            node = len(self.parent)
            self.parent.append(parent)
            self.key.append(self._key(line))
            self.arrives.append(link.arrives)
            found = self._nodes[identity] = node, self._counted(line, node)
        return found

    def _key(self, line: Line) -> int:
        key = (line.bins, line.hazards)
        if key not in self._keys:
            self._keys[key] = len(self.lines)
            self.lines.append(line)
            for leaving in line.leaving:
                self.causes.setdefault(leaving.name, len(self.causes) + 1)
        return self._keys[key]

    def _counted(self, line: Line, node: int) -> list[_Amount]:
        found = [self._present(item, node) for item in line.counted]
        for link in (*line.leaving, *line.background):
            found += self._on_the_way(link, node, "moved")
        return found

    def _present(self, item: Counted, node: int) -> _Amount:
        series, runs, factor = by_calendar(self.make, item.quantity)
        known = self._series(series, self.heads.length)
        outcome = self.shared.model.payoffs[item.cell.payoff].outcome
        rows, weights = [], self.weights
        for which in weights.all:
            if item.kind == "heads":
                parts = [(weights.heads(outcome, which) * known, runs, 0)]
            elif item.kind == "end":
                parts = [(weights.at_horizon(outcome, which) * known, runs, 0)]
            else:
                first = weights.time_at_points(outcome, which)
                first = first + weights.time_at_start(outcome, which)
                last = weights.time_at_end(outcome, which) * known
                parts = [
                    (first * known, runs, 0),
                    (np.concatenate([[0.0], last[:-1]]), runs, 1),
                ]
            rows.append(self.heads.add(parts))
        return _Amount(self.shared.number(item.cell), "time", node, tuple(rows), factor)

    def _on_the_way(
        self, link: Link, node: int, source: Literal["moved", "passed"]
    ) -> list[_Amount]:
        found = []
        assert link.hazard is not None
        cause = ONWARD if source == "passed" else self.causes.get(link.name, BACKGROUND)
        hazard = self.make.one
        if cause == BACKGROUND:  # its hazard is part of the weights
            hazard = self.make.times(link.hazard, self.make.constant(self._cycle))
        table = self.onward if source == "passed" else self.moves
        for event, share in link.events:
            for item in event:
                amount = self.make.times(self.make.times(item.quantity, share), hazard)
                series, runs, factor = by_calendar(self.make, amount)
                known = self._series(series, table.length)
                outcome = self.shared.model.payoffs[item.cell.payoff].outcome
                rows = tuple(
                    table.add(
                        [(self.weights.moves(outcome, which)[: table.length] * known, runs, 0)],
                        cause,
                    )
                    for which in self.weights.all
                )
                cell = self.shared.number(item.cell)
                found.append(_Amount(cell, source, node, rows, factor))
        return found

    def _started(self, link: Link) -> list[_Amount]:
        found = []
        for event, share in link.events:
            for item in event:
                outcome = self.shared.model.payoffs[item.cell.payoff].outcome
                # time 0 is not discounted: the same at every rate
                plain = float(self.weights.scheduled(outcome, 0)[0])
                amount = self.make.times(
                    self.make.times(item.quantity, share), self.make.constant(plain)
                )
                cell = self.shared.number(item.cell)
                found.append(_Amount(cell, "start", -1, (), amount))
        return found

    @property
    def _cycle(self) -> float:
        return self.shared.model.timing.cycle

    def _series(self, node: Residual, length: int) -> Float:
        values = np.asarray(self.shared.static(node)[:, 0, 0], float)
        return np.broadcast_to(values, length) if len(values) == 1 else values[:length]

    # -- running

    def hazards(self, evaluate: Evaluator, count: int) -> tuple[Float, Float]:
        """Hazards per cycle [draw, key, cause, residence], and background [draw or 1, cycle]."""
        bins = max(line.bins for line in self.lines)
        found = np.zeros((count, len(self.lines), len(self.causes) + 1, bins))
        for key, line in enumerate(self.lines):
            links = [(ONWARD, line.onward)] if line.onward else []
            for cause, link in [*links, *((self.causes[each.name], each) for each in line.leaving)]:
                assert link is not None
                assert link.hazard is not None
                values = evaluate(link.hazard, line.bins)[0].T * self._cycle  # [draw, residence]
                found[:, key, cause, : values.shape[1]] += values
                found[:, key, cause, values.shape[1] :] += values[:, -1:]
        cycles = self.shared.model.timing.cycles
        background = np.zeros((1, cycles))
        for node in self.background or ():
            background = background + _running(evaluate, node, cycles) * self._cycle
        return found, background

    def run(self, evaluate: Evaluator, count: int) -> list[dict[int, Float]]:
        """Of each strategy: cell -> [rates, draw]."""
        hazards, background = self.hazards(evaluate, count)
        if not fits(hazards, background, two_events=self.two_events):
            raise ModelError(
                "hazards of a line are too high for sequences that are run together",
                where=self.shared.model.file,
                mend="run each sequence by itself: --one-by-one",
            )
        entered = np.stack(
            [np.broadcast_to(evaluate(share)[0, 0], count) for share in self.arrives], axis=1
        )
        time, moved, passed = through_lines(
            hazards,
            background,
            self.heads.values(evaluate),
            self.moves.values(evaluate),
            np.array(self.moves.causes, np.int64),
            self.onward.values(evaluate),
            np.array(self.parent),
            np.array(self.key),
            entered,
            two_events=self.two_events,
        )
        sums = {
            name: np.ascontiguousarray(each.transpose(1, 2, 0))
            for name, each in (("time", time), ("moved", moved), ("passed", passed))
        }
        factors: dict[int, Float] = {}
        found = []
        for amounts in self.strategies:
            total: dict[int, Float] = {}
            for each in amounts:
                factor = factors.get(each.factor.index)
                if factor is None:
                    factor = factors[each.factor.index] = np.asarray(evaluate(each.factor)[0, 0])
                if each.source == "start":
                    amount = np.broadcast_to(factor, (self.weights.count, count))
                else:
                    amount = sums[each.source][each.node, list(each.rows)] * factor
                before = total.get(each.cell)
                total[each.cell] = amount if before is None else before + amount
            found.append(total)
        return found
