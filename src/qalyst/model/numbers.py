"""The numbers that the patient kernel reads: one flat array for each draw.

Tables are laid one after another, each once. What no draw changes is the same in every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qalyst.axes import CYCLE, RESIDENCE, Float, Int
from qalyst.model.evaluate import Evaluator
from qalyst.model.residual import Residual
from qalyst.model.stretches import Maps, by_stretch, stretches

Make = Callable[[Evaluator], Float]


@dataclass
class Numbers:
    """Collects tables, and lays out their values for some draws.

    Parameters
    ----------
    static : evaluates what reads no draw.
    cycles : how many.
    """

    static: Evaluator
    cycles: int
    size: int = 0
    _tables: list[tuple[int, int, Make | Float]] = field(default_factory=list)
    _known: dict[Any, int] = field(default_factory=dict)
    _maps: Maps = field(default_factory=Maps)

    def __post_init__(self) -> None:
        self._maps.add(np.zeros(self.cycles + 1, np.int64))

    # -- collecting; what is given back are offsets

    def fixed(self, values: Float) -> int:
        """A vector that no draw changes."""
        values = np.asarray(values, float) + 0.0  # -0.0 is 0.0
        return self._place(("fixed", values.tobytes()), len(values), values)

    def calendar(self, node: Residual, factor: float = 1.0) -> tuple[int, int]:
        """Offset and stride of a value without time in state, times a factor."""
        stride = int(CYCLE in node.axes)
        length = self.cycles + 1 if stride else 1

        def make(evaluate: Evaluator) -> Float:
            return by_draw(evaluate(node)[:, 0], length) * factor

        return self._place(("calendar", node.index, factor), length, make), stride

    def cells(self, node: Residual, bins: int) -> tuple[int, int, int]:
        """Offset, map and number of bins of a value by time in state."""
        if RESIDENCE not in node.axes:
            bins = 1
        epochs, first = stretches(self.static, node)
        length = len(first) * bins

        def make(evaluate: Evaluator) -> Float:
            found = by_stretch(evaluate, node, bins, first)
            found = np.broadcast_to(found, (len(first), bins, found.shape[2]))
            return by_draw(found.reshape(length, -1), length)

        offset = self._place(("cells", node.index, bins), length, make)
        return offset, self._maps.add(epochs * bins), bins

    def cumulated_by_calendar(self, node: Residual, factor: float) -> int:
        """The cumulated value at t_0 to t_n, and once more at the end."""

        def make(evaluate: Evaluator) -> Float:
            return _cumulated(by_draw(evaluate(node)[:, 0], self.cycles + 1)[:, :-1] * factor)

        return self._place(("by calendar", node.index, factor), self.cycles + 2, make)

    def cumulated_by_residence(self, node: Residual, bins: int) -> int:
        """The cumulated value over n cycles in the state; the last bin goes on."""

        def make(evaluate: Evaluator) -> Float:
            found = by_draw(evaluate(node, bins)[0], bins)
            bin_ = np.minimum(np.arange(self.cycles), bins - 1)
            return _cumulated(found[:, bin_])

        return self._place(("by residence", node.index, bins), self.cycles + 2, make)

    def made(self, key: Any, length: int, make: Make) -> int:
        """A vector that is made for each chunk of draws."""
        return self._place(key, length, make)

    def _place(self, key: Any, length: int, table: Make | Float) -> int:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self.size
            self._tables.append((found, length, table))
            self.size += length
        return found

    def map_table(self) -> Int:
        """[map, n + 1]."""
        return self._maps.table()

    # -- values

    def bind(self, evaluate: Evaluator, count: int) -> Float:
        """[draw, number] the values for some draws."""
        values = np.empty((count, self.size))
        for offset, length, table in self._tables:
            found = table(evaluate) if callable(table) else table
            values[:, offset : offset + length] = found
        return values


def by_draw(values: Any, length: int) -> Float:
    """[draw, length] of [cycle or bin, draw]."""
    values = np.asarray(values, float)
    return np.broadcast_to(values, (length, values.shape[1])).T


def _cumulated(steps: Float) -> Float:
    """[draw, n + 2]; the last entry repeats, so that a time of n can be interpolated."""
    total = np.cumsum(steps, axis=1)
    return np.concatenate([np.zeros((len(total), 1)), total, total[:, -1:]], axis=1)
