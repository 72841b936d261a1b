"""Survival curves, as language.md section 3.4 says them: records, survival and hazard rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import expression_values
import numpy as np

from qalyst.errors import ModelError
from qalyst.model.resolved import Curve
from qalyst.model.vocabulary import TOLERANCE
from qalyst.stats.survival import FAMILIES

if TYPE_CHECKING:
    from expression_values import Setting


class ByLogSurvival:
    """A curve known by log S: the mean hazard of a cycle is -ln(S(t + d) / S(t)) / d."""

    setting: Setting

    def log_survival(self, time: Any) -> Any:
        raise NotImplementedError

    def mean_hazard(self, time: Any) -> Any:
        cycle = self.setting.model.timing.cycle
        return (self.log_survival(time) - self.log_survival(time + cycle)) / cycle


@dataclass(frozen=True)
class RecordCurve(ByLogSurvival):
    """A curve of the parameter files."""

    setting: Setting
    name: str
    labels: tuple[Any, ...]

    def log_survival(self, time: Any) -> Any:
        record = self.setting.model.parameters[self.name]
        assert record.curve is not None
        drawn = self.setting.values.curve(self.name, self.labels)
        return FAMILIES[record.curve].log_survival(np.maximum(time, 0.0), **drawn)


@dataclass(frozen=True)
class SurvivalCurve(ByLogSurvival):
    """`{survival: expression}`: S(time) for time >= 0, 1 before."""

    setting: Setting
    curve: Curve

    def log_survival(self, time: Any) -> Any:
        begun = replace(self.setting, time=np.maximum(time, 0.0))
        share = expression_values.evaluate(self.curve.expression, begun)
        if np.any(np.asarray(share) <= 0):
            raise ModelError(
                f"the survival of '{self.curve.name}' falls to 0",
                where=self.curve.expression.shown,
                mend="write it by hazard",
            )
        return np.where(time < 0, 0.0, np.log(share))


@dataclass(frozen=True)
class HazardCurve:
    """`{hazard: expression}`: h_k in [k d, (k + 1) d), read at k d, from time 0 on."""

    setting: Setting
    curve: Curve

    def log_survival(self, time: Any) -> Any:
        cycle = self.setting.model.timing.cycle
        whole, part, hazards = self._grid(time)
        cumulated = np.concatenate([0 * hazards[:1], np.cumsum(hazards * cycle, axis=0)])
        within = _taken(hazards, whole) * part * cycle
        return np.where(time < 0, 0.0, -(_taken(cumulated, whole) + within))

    def mean_hazard(self, time: Any) -> Any:
        """Of [t, t + d): a part of it lies in cycle k, the rest in the next; none before 0."""
        whole, part, hazards = self._grid(time)
        padded = np.concatenate([0 * hazards[:1], hazards])
        first, second = (np.maximum(whole + more, 0) for more in (1, 2))
        return (1 - part) * _taken(padded, first) + part * _taken(padded, second)

    def _grid(self, time: Any) -> tuple[Any, Any, Any]:
        """The cycle k that holds each time, the share of it gone by, and h_k [k, ..., draw]."""
        cycle, axes = self.setting.model.timing.cycle, max(self.setting.axes, np.ndim(time))
        whole = np.floor(time / cycle + TOLERANCE).astype(int)
        part = np.maximum(time / cycle - whole, 0.0)
        part = np.where(part < TOLERANCE, 0.0, part)
        moments = np.arange(max(int(np.max(whole)), 0) + 2) * cycle
        times = moments.reshape(-1, *[1] * axes)
        inner = replace(self.setting, time=times, axes=axes + 1)
        hazards = np.asarray(expression_values.evaluate(self.curve.expression, inner), float)
        shape = np.broadcast_shapes(hazards.shape, times.shape)
        return whole, part, np.broadcast_to(hazards, shape)


def _taken(table: Any, index: Any) -> Any:
    """``table[index, ...]``: the row of a table [k, ..., draw] for each element of the index."""
    index = np.maximum(index, 0)
    if table[0].size == 1:
        return table.reshape(-1)[index]
    shape = np.broadcast_shapes(table.shape[1:], index.shape)
    table = np.broadcast_to(table, (len(table), *shape))
    return np.take_along_axis(table, np.broadcast_to(index, shape)[None], axis=0)[0]


AnyCurve: TypeAlias = RecordCurve | SurvivalCurve | HazardCurve
