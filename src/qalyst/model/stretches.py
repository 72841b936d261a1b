"""Stretches of cycles on which a value is constant, and maps from a cycle to where its stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Int
from qalyst.model.evaluate import Evaluator
from qalyst.model.residual import Residual


def stretches(static: Evaluator, node: Residual) -> tuple[Int, Int]:
    """The stretch of each cycle, [n + 1], and the first cycle of each stretch."""
    epochs = static.epochs(node)
    return epochs, np.searchsorted(epochs, np.arange(epochs[-1] + 1))


def by_stretch(evaluate: Evaluator, node: Residual, bins: int, first: Int) -> NDArray[Any]:
    """[stretch or 1, residence, draw] a value, at the first cycle of each stretch."""
    found = np.asarray(evaluate(node, bins), dtype=float)
    return found[first] if 1 < len(found) != len(first) else found


@dataclass
class Maps:
    """Vectors over cycles, each kept once."""

    _known: dict[bytes, int] = field(default_factory=dict)
    _values: list[Int] = field(default_factory=list)

    def add(self, values: Int) -> int:
        """Index of a map."""
        key = values.tobytes()
        if key not in self._known:
            self._known[key] = len(self._values)
            self._values.append(values)
        return self._known[key]

    def __getitem__(self, index: int) -> Int:
        """[n + 1] the map of an index."""
        return self._values[index]

    def table(self) -> Int:
        """[map, n + 1]."""
        return np.array(self._values, np.int64)
