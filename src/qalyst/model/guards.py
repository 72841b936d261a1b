"""Bounds that hold in every draw: rates and shares not below 0, shares not above 1 in sum."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int
from qalyst.errors import ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.names import names_below
from qalyst.model.program import Guard
from qalyst.model.residual import Residual, Residuals, factors, parameters_of
from qalyst.model.resolved import ResolvedModel

ROUNDING = 1e-12


class GuardKeeper:
    """Keeps each bound once, and checks them for a chunk of draws."""

    def __init__(self, make: Residuals, model: ResolvedModel) -> None:
        self._make, self._model = make, model
        self._guards: dict[tuple[int, int, str], tuple[Guard, tuple[Residual, ...]]] = {}

    def add(self, guards: Iterable[Guard]) -> None:
        """Take bounds in; equal ones are kept once.

        A rate is taken apart here, since that makes nodes and `check` runs on several threads.
        """
        for guard in guards:
            key = guard.node.index, guard.bins, guard.kind
            if key not in self._guards:
                factored = self._factors(guard.node) if guard.kind == "rate" else ()
                self._guards[key] = guard, factored

    def check(self, evaluate: Evaluator, draws: Int) -> None:
        """Check all bounds.

        Parameters
        ----------
        evaluate : reads residuals for the draws.
        draws : [draw] their numbers, for messages; empty for the base case.

        Raises
        ------
        ModelError
            A value out of bounds: which, where, in which cycle and draws.
        """
        for guard, factored in self._guards.values():
            if factored and all(self._fine(evaluate(factor, guard.bins)) for factor in factored):
                continue
            values = np.asarray(evaluate(guard.node, guard.bins), dtype=float)
            wrong = self._wrong(guard, values)
            if wrong.any():
                raise self._fault(guard, values, wrong, draws)

    def _factors(self, node: Residual) -> tuple[Residual, ...]:
        parts = factors(self._make, node)
        return parts.series, parts.lanes, parts.cells

    def _fine(self, values: Float) -> bool:
        return bool(values.min() >= 0 and values.max() < np.inf)

    def _wrong(self, guard: Guard, values: Float) -> NDArray[np.bool_]:
        last = -1 if len(values) > 1 else None  # no cycle begins at the horizon
        values = values[:last]
        if guard.kind == "nothing left":
            return ~(np.abs(values) <= ROUNDING)
        low = -ROUNDING if guard.kind == "rest" else 0.0
        return ~((values >= low) & np.isfinite(values))

    def _fault(
        self, guard: Guard, values: Float, wrong: NDArray[np.bool_], draws: Int
    ) -> ModelError:
        cycle, residence, lane = (int(i[0]) for i in np.nonzero(wrong))
        found = values[cycle, residence, lane]
        what = {
            "rate": f"{guard.what} is {found:.4g}; a rate is 0 or more",
            "share": f"{guard.what} is {found:.4g}; a probability is between 0 and 1",
            "rest": f"{guard.what} sum to {1 - found:.4g}; the rest would be negative",
            "nothing left": f"{guard.what} sum to {1 - found:.4g}, and no row takes the rest",
        }[guard.kind]
        where = [guard.where, guard.place]
        if len(values) > 1:
            where.append(f"cycle {cycle}")
        if wrong.shape[2] > 1 and len(draws):
            count = int(wrong.any(axis=(0, 1)).sum())
            more = f" (and {count - 1} other draws)" if count > 1 else ""
            where.append(f"draw {draws[lane]}{more}")
        names = sorted(parameters_of(guard.node) | self._set(guard))
        advice = f"look at {', '.join(names)}" if names else "mend the row"
        if guard.kind in ("rest", "share") and names:
            advice += "; shares that belong together are drawn together (family: dirichlet)"
        if guard.kind == "nothing left":
            advice = f"add a row without probability, or {advice}"
        return ModelError(what, where="; ".join(where), mend=advice)

    def _set(self, guard: Guard) -> set[str]:
        """Attributes of its rows, and parameters that the user set: they may be out of bounds."""
        found: set[str] = set()
        for row in guard.rows:
            if row.value is not None:
                found |= names_below(self._model, row.value)
        parameters = self._model.parameters
        fixed = {name for name in found if name in parameters and parameters[name].fixed_by}
        return fixed | (found & self._model.attributes.keys())
