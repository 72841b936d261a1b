"""Drawn parameters as a person gives them, made into a checked table; and groups of their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import DRAW, Float
from qalyst.errors import ModelError, nearest

if TYPE_CHECKING:
    import pandas as pd

Parameters: TypeAlias = Union[
    Mapping[str, ArrayLike], "pd.DataFrame", xr.DataArray, xr.Dataset
]  # [draw, parameter]
Group: TypeAlias = str | Sequence[str]

_WHERE = "parameters"


@dataclass(frozen=True)
class Table:
    """Drawn parameters.

    Attributes
    ----------
    columns : [draw] of each parameter, finite.
    varying : names of those that are not constant.
    """

    columns: Mapping[str, Float]
    varying: frozenset[str]

    def of(self, group: Iterable[str]) -> Float:
        """[draw, parameter] of a group, in the order of the table."""
        wanted = set(group)
        return np.column_stack([x for name, x in self.columns.items() if name in wanted])


def table(parameters: Parameters, n_draws: int) -> Table:
    """The checked table of drawn parameters.

    Parameters
    ----------
    parameters : [draw, parameter]
        A mapping from names to [draw], a data frame, a data set of [draw] variables, or a
        labelled array with the axis `draw` and one of names.
    n_draws : how many draws costs and effects have.
    """
    columns: dict[str, Float] = {}
    for name, values in _pairs(parameters):
        if name in columns:
            raise ModelError(
                f"two parameters are called {name!r}", where=_WHERE, mend="give each its own name"
            )
        columns[name] = _column(name, values, n_draws)
    if not columns:
        raise ModelError(
            "there are no parameters", where=_WHERE, mend="give the drawn values of at least one"
        )
    return Table(columns, frozenset(name for name, x in columns.items() if np.ptp(x) > 0))


def groups(of: Iterable[Group] | str | None, known: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Checked groups of names; each parameter alone if none are given."""
    known = tuple(known)
    if of is None:
        return tuple((name,) for name in known)
    given = [of] if isinstance(of, str) else list(of)
    found = tuple(_group(one, known) for one in given)
    if not found:
        raise ModelError(
            "no parameter is asked for", where="of", mend="name one, or leave out `of`"
        )
    seen: set[frozenset[str]] = set()
    for one in found:
        if frozenset(one) in seen:
            raise ModelError(
                f"{shown(one)} is asked for twice", where="of", mend="name each group once"
            )
        seen.add(frozenset(one))
    return found


def shown(group: Sequence[str]) -> str:
    """Names of a group as a reader sees them.

    >>> shown(["a"]), shown(["a", "b"])
    ('a', '{a, b}')
    """
    return group[0] if len(group) == 1 else f"{{{', '.join(group)}}}"


def _group(given: Group, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
    if not names:
        raise ModelError("a group without parameters", where="of", mend="name its parameters")
    for name in names:
        if name not in known:
            raise ModelError(f"no parameter {name!r}", where="of", mend=nearest(str(name), known))
        if names.count(name) > 1:
            raise ModelError(
                f"{name!r} twice in one group",
                where=f"of, {shown(names)}",
                mend="name each parameter of a group once",
            )
    return names


def _pairs(parameters: Parameters) -> Iterable[tuple[str, Any]]:
    if isinstance(parameters, xr.DataArray):
        return _labelled(parameters)
    if isinstance(parameters, Mapping):  # a data set is one too
        return [(str(name), values) for name, values in parameters.items()]
    if hasattr(parameters, "columns") and hasattr(parameters, "to_numpy"):
        names = [str(name) for name in parameters.columns]
        return list(zip(names, parameters.to_numpy().T, strict=True))
    raise ModelError(
        f"{type(parameters).__name__} holds no names of parameters",
        where=_WHERE,
        mend="give a mapping from names to [draw], a data frame, or a labelled array",
    )


def _labelled(array: xr.DataArray) -> Iterable[tuple[str, Any]]:
    others = [dim for dim in array.dims if dim != DRAW]
    if DRAW not in array.dims or len(others) != 1 or others[0] not in array.coords:
        raise ModelError(
            f"parameters have the dimensions {list(map(str, array.dims))}",
            where=_WHERE,
            mend="give [draw, parameter], with the names of the parameters as coordinate",
        )
    ordered = array.transpose(others[0], DRAW)
    names = [str(name) for name in ordered[others[0]].values]
    return list(zip(names, ordered.values, strict=True))


def _column(name: str, values: Any, n_draws: int) -> Float:
    where = f"{_WHERE}, {name!r}"
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"draws are not all numbers: {error}", where=where, mend="give one number a draw"
        ) from error
    if column.ndim != 1 or len(column) != n_draws:
        raise ModelError(
            f"{' x '.join(map(str, column.shape)) or 'one'} draws, but costs have {n_draws}",
            where=where,
            mend="take parameters, costs and effects from the same run",
        )
    wrong = np.flatnonzero(~np.isfinite(column))
    if len(wrong):
        raise ModelError(
            f"{column[wrong[0]]} is not a finite number",
            where=f"{where}, draw {wrong[0]} (and {len(wrong) - 1} others)",
            mend="mend the run that gave it",
        )
    return column
