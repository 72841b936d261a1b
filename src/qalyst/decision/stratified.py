"""Decisions by subgroup, and what it is worth to take them by subgroup rather than for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import STRATEGY, WTP, Float
from qalyst.decision._subgroups import (
    ByProfile,
    Labels,
    Subgroups,
    by_profile,
    check_dimensions,
)
from qalyst.decision.net_benefit import thresholds
from qalyst.errors import ModelError

SUBGROUP, KNOWN = "subgroup", "known"
Plain = xr.DataArray | ArrayLike


def stratified_decisions(
    costs: Plain,
    effects: Plain,
    weights: Plain,
    wtp: ArrayLike | xr.DataArray,
    *,
    labels: Labels,
    by: Sequence[str] | None = None,
    strategies: Sequence[str] | None = None,
) -> xr.Dataset:
    """The best strategy of each subgroup, and the value of choosing by subgroup.

    With B the net monetary benefit of strategy s in subgroup g, times the weight of g in the draw,

    ``gain = sum_g max_s E B - max_s E sum_g B``

    is the static value of heterogeneity: what decisions by subgroup gain under current
    information, per person of the whole population. ``gain_perfect`` is the same with the maxima
    within each draw: what they gain if all parameters were known. Both estimates are 0 or more;
    like every maximum of means they err upwards while there are few draws.

    Parameters
    ----------
    costs : [draw, strategy, profile], currency
    effects : [draw, strategy, profile], e.g. QALYs
    weights : [profile] or [draw, profile], summing to 1.
    wtp : [wtp] or one number, currency per unit of effect
    labels : of each profile, in axis order: dimension -> label.
    by : dimensions that the decision may depend on; profiles that differ in others only are
        averaged by their weights. All dimensions if None.
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    dataset
        ``weight`` [subgroup], mean over draws; ``cost``, ``effect`` [subgroup, strategy] and
        ``nmb`` [wtp, subgroup, strategy], means of a person of the subgroup; ``optimal`` [wtp,
        subgroup]; ``probability`` [wtp, subgroup, strategy], share of draws in which each is best
        there, equals sharing; ``population_nmb`` [wtp, strategy]; ``population_optimal``, ``gain``,
        ``gain_mcse``, ``gain_perfect``, ``gain_perfect_mcse``, ``evpi`` (of one decision for all)
        and ``evpi_stratified`` [wtp].

    Raises
    ------
    ModelError
        Weights that do not sum to 1, an unknown dimension, arrays that do not fit together.

    References
    ----------
    Coyle, Buxton & O'Brien (2003) Health Econ 12:421-427; Espinoza, Manca, Claxton & Sculpher
    (2014) Med Decis Making 34:951-964.

    Examples
    --------
    >>> costs = np.zeros((2, 2, 2))
    >>> effects = np.tile([[1.0, 1.0], [0.0, 3.0]], (2, 1, 1))  # the new one harms the first
    >>> found = stratified_decisions(
    ...     costs, effects, [0.5, 0.5], 10, strategies=["old", "new"],
    ...     labels=[{"grade": "g1"}, {"grade": "g2"}],
    ... )
    >>> found.optimal.values.tolist(), found.population_optimal.item(), found.gain.item()
    ([['old', 'new']], 'new', 5.0)
    """
    found = by_profile(costs, effects, weights, labels=labels, strategies=strategies)
    dimensions = found.dimensions if by is None else by
    groups = found.subgroups(check_dimensions(dimensions, found.dimensions, where="by"))
    return decisions_of(found.strategies, groups, wtp)


def value_of_stratifying(
    costs: Plain,
    effects: Plain,
    weights: Plain,
    wtp: ArrayLike | xr.DataArray,
    *,
    labels: Labels,
    by: Sequence[str] | None = None,
    strategies: Sequence[str] | None = None,
) -> xr.Dataset:
    """What it is worth to let decisions depend on each dimension alone, and on all together.

    Parameters
    ----------
    costs, effects, weights, wtp, labels, strategies : see `stratified_decisions`.
    by : dimensions of which each alone and all together are told; all if None.

    Returns
    -------
    dataset
        ``gain``, ``gain_mcse``, ``gain_perfect``, ``gain_perfect_mcse``, ``evpi_stratified``
        [known, wtp], currency per person; `known` is each dimension, several joined by " + ".

    References
    ----------
    Espinoza, Manca, Claxton & Sculpher (2014) Med Decis Making 34:951-964.
    """
    found = by_profile(costs, effects, weights, labels=labels, strategies=strategies)
    dimensions = check_dimensions(by or found.dimensions, found.dimensions, where="by")
    return values_of(found, dimensions, wtp)


def values_of(
    found: ByProfile, dimensions: Sequence[str], wtp: ArrayLike | xr.DataArray
) -> xr.Dataset:
    """`value_of_stratifying` of costs and effects that are checked already."""
    together = [tuple(dimensions)] if len(dimensions) != 1 else []
    if set(dimensions) != set(found.dimensions):
        together.append(found.dimensions)
    sets = list(dict.fromkeys([*((name,) for name in dimensions), *together]))
    values = ["gain", "gain_mcse", "gain_perfect", "gain_perfect_mcse", "evpi_stratified"]
    parts = [decisions_of(found.strategies, found.subgroups(each), wtp)[values] for each in sets]
    words = [" + ".join(each) or "nothing" for each in sets]
    return xr.concat(parts, dim=xr.Variable(KNOWN, words), join="exact")


def decisions_of(
    strategies: Sequence[str], groups: Subgroups, wtp: ArrayLike | xr.DataArray
) -> xr.Dataset:
    """`stratified_decisions` of subgroups that are put together already."""
    if len(groups.cost) < 2:
        raise ModelError(
            "1 draw shows no uncertainty", where="costs, effects", mend="run 2 draws or more"
        )
    threshold = thresholds(wtp)
    blocks = [_at_threshold(groups, float(each)) for each in threshold]
    coords: dict[str, Any] = {
        # a dimension of profiles may be called like an axis
        (name if name not in (WTP, SUBGROUP, STRATEGY) else f"{name}_label"): (
            SUBGROUP,
            [str(each.get(name, "")) for each in groups.labels],
        )
        for name in groups.dimensions
    }
    coords |= {WTP: threshold.values, SUBGROUP: groups.names, STRATEGY: list(strategies)}
    known = np.array(list(strategies))
    data = {
        name: ((WTP, *dims), np.stack([block[name] for block in blocks]))
        for name, dims in _DIMS.items()
    }
    for name in ("optimal", "population_optimal"):
        data[name] = (data[name][0], known[data[name][1]])
    weight = groups.weight.mean(axis=0)
    data["weight"] = ((SUBGROUP,), weight)
    for name, values in (("cost", groups.cost), ("effect", groups.effect)):
        data[name] = ((SUBGROUP, STRATEGY), (values.mean(axis=0) / weight).T)
    return xr.Dataset(data, coords=coords)


_DIMS: dict[str, tuple[str, ...]] = {
    "nmb": (SUBGROUP, STRATEGY),
    "optimal": (SUBGROUP,),
    "probability": (SUBGROUP, STRATEGY),
    "population_nmb": (STRATEGY,),
    "population_optimal": (),
    "gain": (),
    "gain_mcse": (),
    "gain_perfect": (),
    "gain_perfect_mcse": (),
    "evpi": (),
    "evpi_stratified": (),
}


def _at_threshold(groups: Subgroups, wtp: float) -> dict[str, Float]:
    """All values at one threshold; strategies by their number."""
    part = wtp * groups.effect - groups.cost  # [draw, strategy, subgroup]
    whole = part.sum(axis=2)
    expected = part.mean(axis=0)
    best = expected.argmax(axis=0)
    # compared as sums of the same numbers, so that the gain is exactly 0 where all choose alike
    overall = int(expected.sum(axis=1).argmax())
    places = np.arange(part.shape[2])
    stratified, single = part[:, best, places], part[:, overall]
    most = part.max(axis=1)
    best_overall = np.take_along_axis(part, whole.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    now = (stratified - single).sum(axis=1)
    perfect = (most - best_overall).sum(axis=1)
    return {
        "nmb": (expected / groups.weight.mean(axis=0)).T,
        "optimal": best,
        "probability": _shares(part, groups.weight).T,
        "population_nmb": expected.sum(axis=1),
        "population_optimal": np.array(overall),
        # what each subgroup gains is 0 or more; their sum over draws first loses no sign
        "gain": (expected[best, places] - expected[overall]).sum(),
        "gain_mcse": _error(now),
        "gain_perfect": perfect.mean(),
        "gain_perfect_mcse": _error(perfect),
        "evpi": (best_overall - single).sum(axis=1).mean().clip(min=0),
        "evpi_stratified": (most - stratified).sum(axis=1).mean(),
    }


def _shares(part: Float, weight: Float) -> Float:
    """[strategy, subgroup] share of the draws in which it is best, where the subgroup occurs."""
    is_best = part == part.max(axis=1, keepdims=True)
    shared = is_best / is_best.sum(axis=1, keepdims=True)
    occurs = (weight > 0)[:, None]
    return np.asarray((shared * occurs).sum(axis=0) / occurs.sum(axis=0))


def _error(values: Float) -> Float:
    return np.asarray(values.std(ddof=1) / np.sqrt(values.size))


def decision_rule(optimal: xr.DataArray, labels: Labels) -> list[dict[str, object]]:
    """The labels that a decision depends on: the leaves of a small tree of dimensions.

    Parameters
    ----------
    optimal : [wtp, subgroup] the best strategies of each.
    labels : of each subgroup, in axis order: dimension -> label.

    Returns
    -------
    leaves
        In the order of the tree, each with the labels that lead to it. All subgroups of a leaf have
        the same best strategy at every threshold.

    Examples
    --------
    >>> best = xr.DataArray([["a", "a", "b", "b"]], dims=("wtp", "subgroup"))
    >>> labels = [{"sex": s, "grade": g} for g in ("g1", "g2") for s in ("male", "female")]
    >>> decision_rule(best, labels)
    [{'grade': 'g1'}, {'grade': 'g2'}]
    """
    rows = [tuple(column) for column in optimal.transpose(SUBGROUP, WTP).values]
    return list(_leaves(list(range(len(rows))), rows, labels, {}))


def _leaves(
    members: list[int],
    rows: list[tuple[object, ...]],
    labels: Labels,
    path: dict[str, object],
) -> Iterator[dict[str, object]]:
    if len({rows[member] for member in members}) == 1:
        yield path
        return

    def split(name: str) -> dict[object, list[int]]:
        parts: dict[object, list[int]] = {}
        for member in members:
            parts.setdefault(labels[member][name], []).append(member)
        return parts

    def left(name: str) -> tuple[int, int]:
        parts = split(name).values()
        return sum(len({rows[member] for member in part}) for part in parts), len(parts)

    # the one after which the least is left to tell apart; of equals the first of the model
    splitting = [name for name in labels[members[0]] if len(split(name)) > 1]
    best = min(splitting, key=left)
    for label, part in split(best).items():
        yield from _leaves(part, rows, labels, {**path, best: label})
