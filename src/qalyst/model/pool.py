"""The pool: every table that the programs of a model read, once, as rows of lanes.

A *row* holds one value a draw. A table of residuals takes a row for each stretch of cycles on
which it is constant (its epochs) and each bin of the time in state; a *map* turns a cycle into the
offset of its row. What no draw changes is a *series* over cycles instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from qalyst.axes import RESIDENCE, Float, Int
from qalyst.model.evaluate import Evaluator
from qalyst.model.residual import Residual
from qalyst.model.stretches import Maps, by_stretch, stretches

ONES = 0  # the row of ones, and the map of zeros


@dataclass(frozen=True)
class _Table:
    node: Residual
    bins: int
    row: int
    at: Int  # [epoch] the first cycle of each


@dataclass
class Pool:
    """Collects the tables of a model's programs; then holds their values for a chunk of draws.

    Parameters
    ----------
    static : evaluates what reads no draw.
    cycles : how many.
    """

    static: Evaluator
    cycles: int
    size: int = 1
    _tables: list[_Table] = field(default_factory=list)
    _rows: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    _maps: Maps = field(default_factory=Maps)
    _series: dict[bytes, int] = field(default_factory=dict)
    _series_values: list[Float] = field(default_factory=list)
    _values: dict[int, Float] = field(default_factory=dict)
    _weights: dict[bytes, int] = field(default_factory=dict)
    _weight_values: list[Float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._maps.add(np.zeros(self.cycles + 1, np.int64))

    # -- collecting

    def lanes(self, node: Residual) -> tuple[int, int]:
        """Row and map of a value without time in state."""
        return self._place(node, 1)

    def cells(self, node: Residual, bins: int) -> tuple[int, int]:
        """Row and map of a value by time in state: `bins` rows an epoch."""
        return self._place(node, bins if RESIDENCE in node.axes else 1)

    def _place(self, node: Residual, bins: int) -> tuple[int, int]:
        if node.is_number(1):
            return ONES, ONES
        found = self._rows.get((node.index, bins))
        if found is None:
            epochs, first = stretches(self.static, node)
            found = self.size, self._maps.add(epochs * bins)
            self._rows[node.index, bins] = found
            self._tables.append(_Table(node, bins, self.size, first))
            self.size += len(first) * bins
        return found

    def series(self, node: Residual, factor: float) -> int:
        """Index of a value that no draw changes, times a factor."""
        return self._keep(self.series_values(node) * factor, self._series, self._series_values)

    def series_values(self, node: Residual) -> Float:
        """[n + 1] a value that no draw changes."""
        found = self._values.get(node.index)
        if found is None:
            values = np.asarray(self.static(node)[:, 0, 0], dtype=float)
            found = np.broadcast_to(values, self.cycles + 1).copy()
            self._values[node.index] = found
        return found

    def series_of(self, index: int) -> Float:
        """[n + 1] the series of an index."""
        return self._series_values[index]

    def weight(self, values: Float) -> int:
        """Index of a vector of weights over the points of time."""
        return self._keep(values, self._weights, self._weight_values)

    def shifted(self, map_: int) -> int:
        """The map that gives at t_(c+1) what another gives at t_c."""
        values = self._maps[map_]
        return self._maps.add(np.concatenate([values[:1], values[:-1]]))

    def _keep(self, values: Float, known: dict[bytes, int], kept: list[Float]) -> int:
        values = values + 0.0  # -0.0 is 0.0
        key = values.tobytes()
        if key not in known:
            known[key] = len(kept)
            kept.append(values)
        return known[key]

    # -- tables for the kernel

    def map_table(self) -> Int:
        """[map, n + 1]."""
        return self._maps.table()

    def series_table(self) -> Float:
        """[series, n + 1]."""
        return np.array(self._series_values, float).reshape(-1, self.cycles + 1)

    def weight_table(self, stretch: int) -> Float:
        """[weight, n + 1], padded with zeros to whole stretches."""
        points = -(-(self.cycles + 1) // stretch) * stretch
        table = np.zeros((len(self._weight_values), points))
        if self._weight_values:
            table[:, : self.cycles + 1] = self._weight_values
        return table

    # -- values

    def fill(self, evaluate: Evaluator, values: Float, count: int) -> None:
        """Write the values of every table for a chunk of draws.

        Parameters
        ----------
        evaluate : reads the residuals for these draws.
        values : [block, row, lane], written in place; draws in order, block by block.
        count : how many draws; the last one fills the lanes that are left.
        """
        blocks, _, lanes = values.shape
        spare = blocks * lanes - count
        values[:, ONES] = 1.0
        for table in self._tables:
            found = by_stretch(evaluate, table.node, table.bins, table.at)
            if spare and found.shape[2] > 1:
                found = np.concatenate([found, np.repeat(found[:, :, -1:], spare, axis=2)], axis=2)
            rows = len(table.at) * table.bins
            found = np.broadcast_to(found, (len(table.at), table.bins, blocks * lanes))
            found = found.reshape(rows, blocks, lanes)
            values[:, table.row : table.row + rows] = found.transpose(1, 0, 2)
