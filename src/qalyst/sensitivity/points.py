"""A model at many values of its inputs: as lanes of one run, or loaded again where it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import DRAW, OUTCOME, STRATEGY, Int
from qalyst.engines.engine import Engine
from qalyst.errors import ModelError, nearest
from qalyst.model.names import names_below
from qalyst.model.resolve import load_model
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import DISCOUNTED, UNDISCOUNTED
from qalyst.params.inputs import Changes, Input, uncertain_inputs
from qalyst.params.parameter import Path, show_path
from qalyst.sensitivity.shifts import Shift, changes_of
from qalyst.simulation import engine_for, simulate_points
from qalyst.stats.uncertainty import Fixed, Normal

if TYPE_CHECKING:
    import xarray as xr

MOST_POINTS = 100_000
UNSET = np.inf  # of an input at its own value; equal to itself, as nan is not
_LANE = Normal(se=1)  # makes a fixed cell a lane; its draws are never read, since it is always set


class Study:
    """A model that is run at many values of its inputs.

    An input that differs between draws moves as a lane of the kernel. So does a fixed one, which is
    made a lane for the purpose; but what is read when a model is loaded (discount rates) is set by
    loading the model again, once for each of its values.

    Parameters
    ----------
    model : the resolved model.
    again : loads it again with values (name -> value) besides its own.
    threads : of each run; all processors if None. It does not change any bit.
    """

    def __init__(
        self,
        model: ResolvedModel,
        again: Callable[[Mapping[str, float]], ResolvedModel],
        *,
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.inputs = uncertain_inputs(model.parameters, model.used_parameters)
        self._again, self._threads = again, threads
        self._uncertain = {_squeezed(each.name): each for each in self.inputs}
        self._engines: dict[object, tuple[ResolvedModel, Engine]] = {}
        discounts = [outcome.discount for outcome in model.outcomes.values()]
        self._read_at_load = {name for each in discounts for name in names_below(model, each)}

    @cached_property
    def base(self) -> xr.Dataset:
        """Totals of the base case; `draw` has length 1."""
        return self.totals(1, ())

    def named(self, name: str, where: str) -> Input:
        """The input of this name: an uncertain one, or a number or cell that is fixed.

        Raises
        ------
        ModelError
            No number of the model has this name, or it is that of a whole table.
        """
        wanted = _squeezed(name)
        if wanted in self._uncertain:
            return self._uncertain[wanted]
        known = {
            _squeezed(f"{each}{show_path(path)}"): (each, path)
            for each in self.model.used_parameters
            for path in self.model.parameters[each].values
        }
        if wanted not in known:
            raise self._unknown(name, where)
        parameter = self.model.parameters[known[wanted][0]]
        path = known[wanted][1]
        if parameter.together and not isinstance(parameter.uncertainty.get(path), Fixed | None):
            raise ModelError(
                f"'{name}' shares one draw with the other cells of '{parameter.name}'",
                where=where,
                mend=f"vary '{parameter.name}', whose cells move together",
            )
        return Input(f"{parameter.name}{show_path(path)}", parameter, (path,))

    def is_uncertain(self, each: Input) -> bool:
        """Whether an input differs between draws, so that it has a range of its own."""
        return _squeezed(each.name) in self._uncertain

    def totals(self, count: int, shifts: Sequence[Shift]) -> xr.Dataset:
        """Totals at so many points, without uncertainty.

        Parameters
        ----------
        count : of points.
        shifts : what moves, and where.

        Returns
        -------
        dataset
            ``discounted`` and ``undiscounted`` [draw, strategy, outcome], `draw` counting points.

        Raises
        ------
        ModelError
            Points at which the model cannot be run, or too many of them.
        """
        if not 1 <= count <= MOST_POINTS:
            raise ModelError(
                f"{count:,} points are {'none' if count < 1 else 'too many'}",
                where="points of a sensitivity analysis",
                mend=f"ask for 1 to {MOST_POINTS:,}",
            )
        import xarray as xr

        loaded = [each for each in shifts if self.at_load(each.input)]
        lanes = [each for each in shifts if not self.at_load(each.input)]
        changes = changes_of(count, lanes)
        values = np.full((count, len(loaded)), UNSET)
        for column, shift in enumerate(loaded):
            values[shift.points, column] = shift.values
        names = [shift.input.name for shift in loaded]
        parts, order = [], []
        rows, group_of = np.unique(values, axis=0, return_inverse=True)
        for group, row in enumerate(rows):
            points = np.flatnonzero(group_of.reshape(-1) == group)
            given = {n: float(v) for n, v in zip(names, row, strict=True) if v != UNSET}
            parts.append(self._run(given, changes, points))
            order.append(points)
        found = xr.concat(parts, DRAW) if len(parts) > 1 else parts[0]
        found = found.isel({DRAW: np.argsort(np.concatenate(order))})
        return _finite(found.assign_coords({DRAW: np.arange(count)}))

    def drawn(
        self, values: Mapping[str, float], *, draws: int, seed: int, where: str
    ) -> xr.Dataset:
        """Totals of the draws with some inputs at given values; the draws are those of any value.

        Parameters
        ----------
        values : name of an input -> value in the unit of its record, the same in every draw.
        draws, seed : of what is not set.
        where : what names the inputs, for messages.

        Returns
        -------
        dataset
            ``discounted`` and ``undiscounted`` [draw, strategy, outcome].
        """
        inputs = {name: self.named(name, where) for name in values}
        given = {each.name: values[name] for name, each in inputs.items() if self.at_load(each)}
        lanes = [
            Shift(each, np.arange(draws), np.full(draws, values[name]))
            for name, each in inputs.items()
            if not self.at_load(each)
        ]
        changes = changes_of(draws, lanes)
        model, engine = self._prepared(given, changes)
        changes = changes or _nothing(draws)
        run = simulate_points(model, changes, seed=seed, engine=engine, threads=self._threads)
        return _finite(run.totals)

    def at_load(self, each: Input) -> bool:
        """Whether each of its values needs the model to be loaded again."""
        return each.parameter.name in self._read_at_load and not self.is_uncertain(each)

    def _run(self, given: Mapping[str, float], changes: Changes, points: Int) -> xr.Dataset:
        """Totals at some of the points, with the model loaded again if values are `given`."""
        here = {key: values[points] for key, values in changes.items()}
        model, engine = self._prepared(given, here)
        here = here or _nothing(len(points))
        return simulate_points(model, here, engine=engine, threads=self._threads).totals

    def _prepared(
        self, given: Mapping[str, float], changed: Iterable[tuple[str, Path]]
    ) -> tuple[ResolvedModel, Engine]:
        """The model whose changed cells are lanes, and its engine; kept for the next run."""
        fixed = tuple(
            (name, path)
            for name, path in changed
            if isinstance(self.model.parameters[name].uncertainty.get(path), Fixed | None)
            and self.model.parameters[name].joint is None
        )
        if given:  # not kept: there may be many
            model = _with_lanes(self._again(given), fixed)
            return model, engine_for(model)
        if fixed not in self._engines:
            model = _with_lanes(self.model, fixed)
            self._engines[fixed] = model, engine_for(model)
        return self._engines[fixed]

    def _unknown(self, name: str, where: str) -> ModelError:
        if name in self.model.parameters and name in self.model.used_parameters:
            cells = [show_path(path) for path in self.model.parameters[name].values]
            return ModelError(
                f"'{name}' is a table of {len(cells)} cells, not one number",
                where=where,
                mend=f"name a cell, such as {name}{cells[0]}",
            )
        if name in self.model.parameters:
            return ModelError(f"the model does not use '{name}'", where=where, mend="leave it out")
        names = [*self._uncertain, *self.model.used_parameters]
        return ModelError(f"no parameter '{name}'", where=where, mend=nearest(name, names))


def open_study(
    name: str,
    *,
    scenarios: Sequence[str] = (),
    values: Mapping[str, float] | None = None,
    threads: int | None = None,
) -> Study:
    """A model of the catalogue or of a file, ready to be run at many values of its inputs.

    Parameters
    ----------
    name, scenarios, values : see `load_model`.
    threads : of each run; all processors if None.
    """
    own = dict(values or {})

    def again(given: Mapping[str, float]) -> ResolvedModel:
        fresh = {key: value for key, value in own.items() if _squeezed(key) not in changed(given)}
        return load_model(name, scenarios=scenarios, values={**fresh, **given})

    def changed(given: Mapping[str, float]) -> set[str]:
        return {_squeezed(key) for key in given}

    return Study(again({}), again, threads=threads)


def _squeezed(name: str) -> str:
    return "".join(name.split())


def _nothing(count: int) -> Changes:
    """Changes of no cell, so many times."""
    return {("", ()): np.zeros(count)}


def _with_lanes(model: ResolvedModel, cells: Iterable[tuple[str, Path]]) -> ResolvedModel:
    parameters = dict(model.parameters)
    for name, path in cells:
        parameter = parameters[name]
        parameters[name] = replace(parameter, uncertainty={**parameter.uncertainty, path: _LANE})
    return replace(model, parameters=parameters)


def _finite(totals: xr.Dataset) -> xr.Dataset:
    for which in (DISCOUNTED, UNDISCOUNTED):
        values = totals[which].to_numpy()
        if not np.isfinite(values).all():
            point, strategy, outcome = map(int, np.argwhere(~np.isfinite(values))[0])
            raise ModelError(
                f"'{totals[OUTCOME].values[outcome]}' is no finite number at point {point}",
                where=f"strategy {totals[STRATEGY].values[strategy]}",
                mend="narrow the range: the model has no value there",
            )
    return totals[[DISCOUNTED, UNDISCOUNTED]]
