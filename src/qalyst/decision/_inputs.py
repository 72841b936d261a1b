"""Costs and effects as a person gives them, made into checked, labelled arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import DRAW, STRATEGY, Float
from qalyst.errors import ModelError, nearest

Values: TypeAlias = xr.DataArray | Mapping[str, ArrayLike] | ArrayLike

MEANS = ((STRATEGY,),)
DRAWS = ((DRAW, STRATEGY),)
MEANS_OR_DRAWS = MEANS + DRAWS


def labelled(
    costs: Values,
    effects: Values,
    *,
    strategies: Sequence[str] | None,
    dims: tuple[tuple[str, ...], ...],
) -> tuple[xr.DataArray, xr.DataArray]:
    """Costs and effects with the same finite, named strategies in the order of `costs`.

    Parameters
    ----------
    costs, effects : [strategy] or [draw, strategy], as one of `dims` says
        Labelled arrays; or mappings from strategy to a number or to [draw]; or data frames with a
        column a strategy; or plain arrays.
    strategies : names of the last axis of plain arrays.
    dims : the dimensions that are allowed.
    """
    cost = _array(costs, "costs", strategies=strategies, dims=dims)
    effect = _array(effects, "effects", strategies=strategies, dims=dims)
    _check_same_strategies(cost, effect)
    effect = effect.sel({STRATEGY: cost[STRATEGY]})
    _check_same_draws(cost, effect)
    return cost, effect


def names(values: xr.DataArray) -> tuple[str, ...]:
    """Names of the strategies, in axis order."""
    return tuple(str(name) for name in values[STRATEGY].values)


def check_strategy(strategy: str, values: xr.DataArray, *, where: str) -> None:
    """Refuse a strategy that is not among those of `values`."""
    if strategy not in names(values):
        raise ModelError(
            f"no strategy {strategy!r}", where=where, mend=nearest(strategy, names(values))
        )


def increments(
    cost: xr.DataArray, effect: xr.DataArray, *, strategy: str, comparator: str
) -> tuple[Float, Float]:
    """[draw] what a strategy costs and gains more than the comparator.

    Raises
    ------
    ModelError
        A strategy that is not among those of `cost`.
    """
    for role, name in (("strategy", strategy), ("comparator", comparator)):
        check_strategy(name, cost, where=role)
    spent, gained = (
        each.sel({STRATEGY: strategy}).to_numpy() - each.sel({STRATEGY: comparator}).to_numpy()
        for each in (cost, effect)
    )
    return spent, gained


def _array(
    values: Values,
    role: str,
    *,
    strategies: Sequence[str] | None,
    dims: tuple[tuple[str, ...], ...],
) -> xr.DataArray:
    array = _named(values, role, strategies=strategies, dims=dims)
    allowed = next((order for order in dims if set(order) == set(array.dims)), None)
    if allowed is None:
        raise ModelError(
            f"{role} have the dimensions {list(map(str, array.dims))}",
            where=role,
            mend=f"give {' or '.join(map(_bracket, dims))}; select or average the others first",
        )
    array = array.transpose(*allowed).reset_coords(drop=True)
    _check_names(array, role)
    _check_finite(array, role)
    return array


def _named(
    values: Values,
    role: str,
    *,
    strategies: Sequence[str] | None,
    dims: tuple[tuple[str, ...], ...],
) -> xr.DataArray:
    if isinstance(values, xr.DataArray):
        if STRATEGY in values.dims and STRATEGY not in values.coords:
            raise ModelError(
                f"the strategies of {role} have no names",
                where=role,
                mend="add them: costs.assign_coords(strategy=[...])",
            )
        return values.astype(np.float64)
    if hasattr(values, "columns"):
        frame: Any = values
        labels = {STRATEGY: list(map(str, frame.columns))}
        numbers = _numbers(frame.to_numpy(), role)
        return xr.DataArray(numbers, dims=(DRAW, STRATEGY), coords=labels)
    if isinstance(values, Mapping):
        strategies = tuple(values)
        values = [_numbers(column, role) for column in values.values()]
        if len({np.shape(column) for column in values}) > 1:
            raise ModelError(
                f"{role} have more draws for one strategy than for another",
                where=role,
                mend="give each strategy the same draws",
            )
        data = np.moveaxis(_numbers(values, role), 0, -1) if values else np.empty(0)
    else:
        data = _numbers(values, role)
    axes = next((order for order in dims if len(order) == data.ndim), None)
    if axes is None:
        raise ModelError(
            f"{role} have {data.ndim} axes", where=role, mend=f"give {_bracket(dims[0])}"
        )
    if strategies is None or len(strategies) != data.shape[-1]:
        raise ModelError(
            f"{0 if strategies is None else len(strategies)} names for the"
            f" {data.shape[-1]} strategies of {role}",
            where=role,
            mend="name each one: strategies=[...], or give a mapping or a labelled array",
        )
    return xr.DataArray(data, dims=axes, coords={STRATEGY: list(strategies)})


def _numbers(values: ArrayLike, role: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{role} are not all numbers: {error}", where=role, mend="give one number each"
        ) from error


def _check_names(array: xr.DataArray, role: str) -> None:
    if array.size == 0:
        raise ModelError(f"{role} are empty", where=role, mend="give at least one strategy")
    known = names(array)
    twice = sorted({name for name in known if known.count(name) > 1})
    if twice:
        raise ModelError(
            f"two strategies are called {twice[0]!r}", where=role, mend="give each its own name"
        )


def _check_finite(array: xr.DataArray, role: str) -> None:
    places = np.nonzero(~np.isfinite(array.values))
    n_wrong = places[0].size
    if not n_wrong:
        return
    first = {dim: int(place[0]) for dim, place in zip(array.dims, places, strict=True)}
    found = array.isel(first)
    draw = f", draw {first[DRAW]}" if DRAW in first else ""
    raise ModelError(
        f"{float(found)} is not a finite number",
        where=f"{role}, strategy {found[STRATEGY].item()!r}{draw} (and {n_wrong - 1} others)",
        mend="mend the run that gave it; such a draw cannot be compared",
    )


def _check_same_strategies(cost: xr.DataArray, effect: xr.DataArray) -> None:
    for one, other, role in ((cost, effect, "effects"), (effect, cost, "costs")):
        for name in names(one):
            if name not in names(other):
                raise ModelError(
                    f"strategy {name!r} is missing", where=role, mend=nearest(name, names(other))
                )


def _check_same_draws(cost: xr.DataArray, effect: xr.DataArray) -> None:
    mend = "take both from the same run"
    if cost.dims != effect.dims or cost.shape != effect.shape:
        raise ModelError(
            f"costs are {dict(cost.sizes)}, effects are {dict(effect.sizes)}",
            where="costs, effects",
            mend=mend,
        )
    labelled_both = DRAW in cost.coords and DRAW in effect.coords
    if labelled_both and not cost[DRAW].equals(effect[DRAW]):
        raise ModelError("the draws of costs and effects differ", where="costs, effects", mend=mend)


def _bracket(order: tuple[str, ...]) -> str:
    return f"[{', '.join(order)}]"
