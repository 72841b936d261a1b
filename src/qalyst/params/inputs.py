"""The uncertain inputs of a model: what can be varied by itself, or learnt about by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError, nearest
from qalyst.params.draws import Draws, cell_coordinates
from qalyst.params.parameter import Parameter, Path, show_path
from qalyst.stats.scalar_families import CENTRAL95, Z95, LogNormal, Normal, ScalarFamily
from qalyst.stats.uncertainty import Dirichlet, Fixed
from qalyst.stats.uncertainty import Draws as Rows

Changes = dict[tuple[str, Path], Float]  # (record, path) -> [point] in the unit of the record


@dataclass(frozen=True)
class Input:
    """A number, or the cells of a table that share one draw.

    Attributes
    ----------
    name : as users write it: ``p_cured``, ``u_norm[60]``.
    parameter : the record that holds it.
    paths : of its cells; several only if one draw moves them all.
    """

    name: str
    parameter: Parameter
    paths: tuple[Path, ...]

    @property
    def base(self) -> float:
        """Base value (of the first cell) in the unit of the record."""
        return self.parameter.values[self.paths[0]]

    @property
    def interval(self) -> tuple[float, float]:
        """The 2.5 % and 97.5 % quantiles (of the first cell) in the unit of the record."""
        low, high = self.at_quantile(np.array(CENTRAL95))[self.parameter.name, self.paths[0]]
        return float(low), float(high)

    def at(self, values: Float) -> Changes:
        """The changes that give the input these values [point].

        Other shares of a dirichlet keep their proportions to each other. Cells that share one draw
        move to the same quantile as the first.

        Raises
        ------
        ModelError
            Cells that share one draw, which have no values of their own: see `at_quantile`.
        """
        values = np.asarray(values, np.float64)
        if len(self.paths) > 1:
            raise ModelError(
                f"'{self.name}' has {len(self.paths)} cells with one draw for all",
                where=f"{self.parameter.mark}  parameters.{self.parameter.name}",
                mend="vary it by its quantiles, or set one cell",
            )
        (path,) = self.paths
        changes = {(self.parameter.name, path): values}
        if isinstance(self.parameter.uncertainty.get(path), Dirichlet):
            rest = 1 - self.base
            for other, share in self.parameter.values.items():
                if other != path:
                    changes[self.parameter.name, other] = share / rest * (1 - values)
        return changes

    def at_quantile(self, u: Float) -> Changes:
        """The changes that move every cell to the quantiles `u` [point] of its own distribution."""
        u = np.asarray(u, np.float64)
        if len(self.paths) == 1:
            return self.at(_quantile(self.parameter, self.paths[0], u))
        return {
            (self.parameter.name, path): _quantile(self.parameter, path, u) for path in self.paths
        }


def uncertain_inputs(
    parameters: Mapping[str, Parameter], names: Iterable[str] | None = None
) -> tuple[Input, ...]:
    """Every input that differs between draws, in the order of the files.

    Parameters
    ----------
    parameters : by name.
    names : of the records to look at; all if None.
    """
    found = []
    for name in parameters if names is None else names:
        parameter = parameters[name]
        moving = [path for path in parameter.values if _moves(parameter, path)]
        if parameter.together and moving:
            found.append(Input(name, parameter, tuple(moving)))
        else:
            found += [Input(f"{name}{show_path(path)}", parameter, (path,)) for path in moving]
    return tuple(found)


def chosen(inputs: Iterable[Input], names: Iterable[str], where: str) -> tuple[Input, ...]:
    """The inputs with these names; the name of a table stands for all its cells.

    Raises
    ------
    ModelError
        A name that no uncertain input has.
    """
    known = {each.name: each for each in inputs}
    found: dict[str, Input] = {}
    for name in names:
        cells = [each for each in known.values() if name in (each.name, each.parameter.name)]
        if not cells:
            raise ModelError(
                f"no uncertain parameter '{name}'", where=where, mend=nearest(name, known)
            )
        found |= {each.name: each for each in cells}
    return tuple(found.values())


def drawn(inputs: Iterable[Input], draws: Draws) -> dict[str, Float]:
    """Name of each input -> its draws [draw] in the unit of its record (of the first cell)."""
    return {each.name: draws.raw(each.parameter, each.paths[0]) for each in inputs}


def addresses(parameters: Mapping[str, Parameter], each: Input) -> frozenset[tuple[str, str]]:
    """The uniform numbers that decide an input; inputs drawn together share some."""
    return frozenset(cell_coordinates(parameters, each.parameter, each.paths))


def _moves(parameter: Parameter, path: Path) -> bool:
    if parameter.joint is not None:
        own = path if parameter.curve is not None else (parameter.name,)
        return own in parameter.joint.names
    family = parameter.uncertainty.get(path)
    return family is not None and not isinstance(family, Fixed)


def _quantile(parameter: Parameter, path: Path, u: Float) -> Float:
    """[point] of the cell's own distribution."""
    from scipy import special

    value = parameter.values[path]
    if parameter.joint is not None:
        joint = parameter.joint
        place = joint.names.index(path if parameter.curve is not None else (parameter.name,))
        if joint.rows is not None:
            column = np.array([row[place] for row in joint.rows])
            return Rows(file=joint.record).quantile(column, u)
        assert joint.covariance is not None
        spread = math.sqrt(joint.covariance[place][place])
        if joint.logarithm and joint.logarithm[place]:
            ends = (value * math.exp(-Z95 * spread), value * math.exp(Z95 * spread))
            return LogNormal(ci95=ends).quantile(value, u)
        return Normal(se=spread).quantile(value, u)
    family = parameter.uncertainty[path]
    if isinstance(family, Dirichlet):
        count = family.counts[str(path[-1])]
        return np.asarray(special.betaincinv(count, sum(family.counts.values()) - count, u))
    assert isinstance(family, ScalarFamily)
    return family.quantile(value, u)
