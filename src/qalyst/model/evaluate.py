"""The numpy reading of residuals: arrays [cycle, residence, draw].

An axis that is not used has length 1. Points of time are t_0 to t_n, so the cycle axis has
n + 1 entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import CYCLE, DRAW, RESIDENCE, Float, Int
from qalyst.errors import ModelError
from qalyst.model.residual import NUMERIC, TIME, Residual
from qalyst.model.vocabulary import TOLERANCE
from qalyst.params.draws import Values
from qalyst.params.parameter import Parameter
from qalyst.stats import survival
from qalyst.stats.differences import FAMILIES, quantile
from qalyst.stats.scalar_families import ImpossibleMoments

Array: TypeAlias = NDArray[Any]
_TIMES = {CYCLE: 0, RESIDENCE: 1}
ROUNDING = 1e-10  # of log survival, in a cycle


class Evaluator:
    """Values of residuals for some draws; each node is computed once.

    Parameters
    ----------
    parameters : by name, for the families of their curves.
    values : where drawn parameters come from; None for what reads no draw.
    cycle : years.
    cycles : how many.
    delay : years by which model time is read after the start of each cycle.
    """

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        values: Values | None,
        cycle: float,
        cycles: int,
        *,
        delay: float = 0.0,
    ) -> None:
        self._parameters, self._values = parameters, values
        self._cycle, self._cycles, self._delay = cycle, cycles, delay
        self._memo: dict[tuple[int, int], Array] = {}
        self._changes: dict[int, NDArray[np.bool_]] = {}

    def __call__(self, node: Residual, bins: int = 1) -> Array:
        """[cycle, residence, draw] of a node.

        Parameters
        ----------
        node : the residual.
        bins : length of the residence axis, if the node has one.
        """
        with np.errstate(all="ignore"):
            return self._of(node, bins, None)

    def _of(self, node: Residual, bins: int, times: _Times | None) -> Array:
        if times is not None and TIME in node.axes:
            memo, key = times.memo, (node.index, 0)
        else:
            memo, key = self._memo, (node.index, bins if RESIDENCE in node.axes else 0)
        found = memo.get(key)
        if found is None:
            found = memo[key] = self._compute(node, bins, times)
        return found

    def _compute(self, node: Residual, bins: int, times: _Times | None) -> Array:
        arguments = node.arguments
        match node.operation:
            case "constant":
                return np.full((1, 1, 1), node.value)
            case "parameter":
                assert self._values is not None
                return self._values.cell(*arguments)[None, None, :]
            case "exponential_rate":
                assert self._values is not None
                return np.asarray(self._values.curve(*arguments)["rate"])[None, None, :]
            case "years":
                return self._grid(CYCLE, self._cycles + 1)
            case "cycle":
                return np.arange(self._cycles + 1.0)[:, None, None]
            case "residence":
                return self._grid(RESIDENCE, bins)
            case "time":
                assert times is not None
                return times.values
            case "quantile":
                return self._quantile(node, bins, times)
            case "step":
                return self._step(node, bins, times)
            case "hazard":
                return self._hazard(node, bins, times)
            case "survival":
                curve, time = arguments
                return np.exp(self._log_survival(curve, self._of(time, bins, times), bins))
        parts = [self._of(part, bins, times) for part in node.parts]
        return np.asarray(NUMERIC[node.operation](*parts))

    def _grid(self, axis: str, points: int) -> Float:
        shape = [1, 1, 1]
        shape[_TIMES[axis]] = points
        delay = self._delay if axis == CYCLE else 0.0
        return np.asarray((np.arange(points) * self._cycle + delay).reshape(shape))

    def later(self, delay: float) -> Evaluator:
        """The same draws, with model time read so many years after the start of each cycle."""
        return Evaluator(self._parameters, self._values, self._cycle, self._cycles, delay=delay)

    def _quantile(self, node: Residual, bins: int, times: _Times | None) -> Array:
        """What an attribute is for a sampled patient."""
        family, u, where, *parts = node.arguments
        values = (self._of(part, bins, times) for part in parts)
        try:
            return quantile(family, u, dict(zip(FAMILIES[family].arguments, values, strict=True)))
        except ImpossibleMoments as error:
            raise ModelError(
                f"the attribute is impossible: {error}",
                where=where,
                mend="mend its arguments, or choose another family",
            ) from error

    # -- tables

    def _step(self, node: Residual, bins: int, times: _Times | None) -> Array:
        name, steps, index, *values = node.arguments
        where = self._of(index, bins, times)
        chosen = np.searchsorted(np.array(steps), where + TOLERANCE, side="right") - 1
        if (chosen < 0).any():
            cycle = int(np.argmax((chosen < 0).any(axis=(1, 2))))
            when = f" at year {cycle * self._cycle:.3g}" if len(where) > 1 else ""
            least = where[cycle].min()
            raise ModelError(
                f"'{name}' starts at {steps[0]:g}; asked for {least:g} ({index}){when}",
                where=f"{self._parameters[name].mark}  parameters.{name}",
                mend="begin the table earlier, or start the model later",
            )
        cells = [self._of(value, bins, times) for value in values]
        if all(cell.size == 1 for cell in cells):
            return np.array([cell.item() for cell in cells])[chosen]
        shape = np.broadcast_shapes(chosen.shape, *(cell.shape for cell in cells))
        if all(cell.shape[:2] == (1, 1) for cell in cells) and chosen.shape[2] == 1:
            table = np.stack([np.broadcast_to(cell[0, 0], shape[2:]) for cell in cells])
            return np.asarray(table[chosen[:, :, 0]])
        result = np.empty(shape)
        chosen = np.broadcast_to(chosen, shape)
        for number, cell in enumerate(cells):
            np.copyto(result, cell, where=chosen == number)
        return result

    # -- curves

    def _hazard(self, node: Residual, bins: int, times: _Times | None) -> Array:
        """Mean hazard of the cycle that begins at t: -(log S(t + d) - log S(t)) / d."""
        curve, time = node.arguments
        axis = {"years": CYCLE, "residence": RESIDENCE}.get(time.operation)
        if axis is not None:  # one grid, differenced: half the work
            points = bins if axis == RESIDENCE else self._cycles + 1
            log_survival = self._log_survival(curve, self._grid(axis, points + 1), bins)
            early = log_survival[:-1] if axis == CYCLE else log_survival[:, :-1]
            late = log_survival[1:] if axis == CYCLE else log_survival[:, 1:]
            falls = early - late
        else:
            start = self._of(time, bins, times)
            falls = self._log_survival(curve, start, bins) - self._log_survival(
                curve, start + self._cycle, bins
            )
        least = falls.min()
        if least < -ROUNDING:
            raise ModelError(
                f"the survival of {self._shown(curve)} rises (its hazard is negative)",
                where=self._where(curve),
                mend="survival never rises: look at the curve and its parameters",
            )
        falls /= self._cycle
        return falls if least >= 0 else np.maximum(falls, 0)

    def _shown(self, curve: Residual) -> str:
        return f"the curve '{curve.arguments[0 if curve.operation == 'family' else 1]}'"

    def _where(self, curve: Residual) -> str:
        if curve.operation == "family":
            parameter = self._parameters[curve.arguments[0]]
            return f"{parameter.mark}  parameters.{parameter.name}"
        return str(curve.arguments[2])

    def _log_survival(self, curve: Residual, time: Array, bins: int) -> Array:
        time = np.maximum(time, 0)
        match curve.operation:
            case "family":
                return self._family(curve, time)
            case "survival_curve":
                share = self._of(curve.arguments[0], bins, _Times(time))
                self._check_survival(curve, share, time)
                return np.log(share) + np.zeros_like(time)
            case _:
                return self._from_hazard(curve, time, bins)

    def _check_survival(self, curve: Residual, share: Array, time: Array) -> None:
        if not (share > 0).all():
            where = np.broadcast_to(time, np.broadcast_shapes(share.shape, time.shape))
            years = where[~(np.broadcast_to(share, where.shape) > 0)].min()
            raise ModelError(
                f"the curve '{curve.arguments[1]}' falls to 0 (or is no number) at year "
                f"{years:.3g}",
                where=self._where(curve),
                mend="write the curve by `hazard:`",
            )

    def _family(self, curve: Residual, time: Array) -> Array:
        name, labels = curve.arguments
        parameter = self._parameters[name]
        if DRAW in curve.axes:
            assert self._values is not None
            given = self._values.curve(name, labels)
        else:
            given = parameter.curve_values(labels, lambda p: np.array([parameter.values[p]]))
        assert parameter.curve is not None
        return np.asarray(survival.FAMILIES[parameter.curve].log_survival(time, **given))

    def _from_hazard(self, curve: Residual, time: Array, bins: int) -> Array:
        """A hazard cumulated cycle by cycle, log-linear within."""
        if time.shape[2] > 1:
            raise ModelError(
                f"the curve '{curve.arguments[1]}' is read at a time that differs between draws",
                where=self._where(curve),
                mend="read it at years or years_in_state",
            )
        points = int(np.ceil(time.max() / self._cycle)) + 2
        grid = (np.arange(points) * self._cycle)[:, None, None]
        hazard = self._of(curve.arguments[0], bins, _Times(grid))
        hazard = np.broadcast_to(hazard, (points, 1, hazard.shape[2]))[:, 0]
        cumulated = np.concatenate(
            [np.zeros((1, hazard.shape[1])), np.cumsum(hazard * self._cycle, axis=0)]
        )
        position = time / self._cycle
        index = np.minimum(np.floor(position + TOLERANCE).astype(np.int64), points - 1)
        share = np.clip(position - index, 0, 1)
        index = index[:, :, 0]
        return np.asarray(-(cumulated[index] * (1 - share) + cumulated[index + 1] * share))

    # -- when does a value change?

    def epochs(self, node: Residual) -> Int:
        """[cycle] label of the stretch of cycles on which a node is constant, from 0 upwards.

        It is decided from what no draw can change (``age < 65``, the step of a table).
        """
        return np.concatenate([[0], np.cumsum(self._changing(node))]).astype(np.int64)

    def _changing(self, node: Residual) -> NDArray[np.bool_]:
        """[cycle - 1] whether a node may differ between t_j and t_(j+1)."""
        if CYCLE not in node.axes:
            return np.zeros(self._cycles, bool)
        found = self._changes.get(node.index)
        if found is None:
            found = self._changes[node.index] = self._compute_changing(node)
        return found

    def _compute_changing(self, node: Residual) -> NDArray[np.bool_]:
        if DRAW not in node.axes and TIME not in node.axes and RESIDENCE not in node.axes:
            values = np.broadcast_to(self(node)[:, 0, 0], self._cycles + 1)
            return np.asarray(values[1:] != values[:-1])
        if node.operation in ("hazard", "survival"):
            return np.ones(self._cycles, bool)
        if node.operation == "step" and not node.arguments[2].axes & {DRAW, RESIDENCE}:
            steps, index = node.arguments[1:3]
            where = np.broadcast_to(self(index)[:, 0, 0], self._cycles + 1)
            step = np.searchsorted(np.array(steps), where + TOLERANCE, side="right")
            changing = np.asarray(step[1:] != step[:-1])
            parts = node.arguments[3:]
        else:
            changing, parts = np.zeros(self._cycles, bool), node.parts
        for part in parts:
            changing = changing | self._changing(part)
        return np.asarray(changing)


class _Times:
    """Times at which a curve is read, with what was computed of it there."""

    def __init__(self, values: Array) -> None:
        self.values = values
        self.memo: dict[tuple[int, int], Array] = {}
