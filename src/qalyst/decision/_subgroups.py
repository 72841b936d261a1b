"""Costs and effects by profile, checked, and added up over subgroups of profiles."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import DRAW, PROFILE, STRATEGY, Float
from qalyst.decision._inputs import labelled, names
from qalyst.errors import ModelError, nearest

Labels: TypeAlias = Sequence[Mapping[str, Hashable]]
ALL = "all"
SUM_TO_ONE = 1e-9  # as the weights of a model's profiles are checked


@dataclass(frozen=True)
class ByProfile:
    """Checked costs and effects by profile, times the weights of the profiles.

    Attributes
    ----------
    strategies : names, in axis order.
    labels : of each profile: dimension -> label.
    cost, effect : [draw, strategy, profile] times the weight of the profile in the draw.
    weight : [draw, profile], summing to 1.
    """

    strategies: tuple[str, ...]
    labels: tuple[dict[str, Hashable], ...]
    cost: Float
    effect: Float
    weight: Float

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the dimensions that tell profiles apart, in order."""
        first = self.labels[0]
        return tuple(name for name in first if len({each[name] for each in self.labels}) > 1)

    def subgroups(self, by: Sequence[str]) -> Subgroups:
        """The profiles put together that have the same labels in the dimensions `by`."""
        return self.put_together([{name: each[name] for name in by} for each in self.labels])

    def put_together(self, wanted: Labels) -> Subgroups:
        """The profiles put together for which the same labels are wanted, first ones first."""
        keys = [tuple(each.items()) for each in wanted]
        known = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        member = np.zeros((len(self.labels), len(known)))
        member[np.arange(len(keys)), [known[key] for key in keys]] = 1
        return Subgroups(
            tuple(dict(key) for key in known),
            self.cost @ member,
            self.effect @ member,
            self.weight @ member,
        )


@dataclass(frozen=True)
class Subgroups:
    """Sums over the profiles of each subgroup.

    Attributes
    ----------
    labels : of each subgroup: dimension -> label; nothing for the whole population.
    cost, effect : [draw, strategy, subgroup] parts of the population's mean.
    weight : [draw, subgroup].
    """

    labels: tuple[dict[str, Hashable], ...]
    cost: Float
    effect: Float
    weight: Float

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the dimensions that tell any of them apart."""
        return tuple(dict.fromkeys(name for each in self.labels for name in each))

    @property
    def names(self) -> list[str]:
        """The subgroups in words: ``burden under_25, grade g1``."""
        return [subgroup_name(each) for each in self.labels]


def subgroup_name(labels: Mapping[str, Hashable]) -> str:
    """A subgroup in words.

    >>> subgroup_name({"burden": "under_25", "grade": "g1"}), subgroup_name({})
    ('burden under_25, grade g1', 'all')
    """
    return ", ".join(f"{name} {label}" for name, label in labels.items()) or ALL


def by_profile(
    costs: xr.DataArray | ArrayLike,
    effects: xr.DataArray | ArrayLike,
    weights: xr.DataArray | ArrayLike,
    *,
    labels: Labels,
    strategies: Sequence[str] | None = None,
) -> ByProfile:
    """Costs and effects by profile, checked; profiles that never occur are left out.

    Parameters
    ----------
    costs, effects : [draw, strategy, profile]
    weights : [profile] or [draw, profile], summing to 1.
    labels : of each profile, in axis order: dimension -> label.
    strategies : names, if `costs` and `effects` are plain arrays.

    Raises
    ------
    ModelError
        Arrays that do not fit together, or weights that are negative or do not sum to 1.
    """
    cost, effect = labelled(
        _named(costs, "costs", strategies),
        _named(effects, "effects", strategies),
        strategies=None,
        dims=((DRAW, STRATEGY, PROFILE),),
    )
    _check_labels(labels, cost.sizes[PROFILE])
    weight = _weights(weights, cost.sizes[DRAW], cost.sizes[PROFILE])
    occurs = weight.max(axis=0) > 0
    weight = weight[:, occurs]
    return ByProfile(
        names(cost),
        tuple(dict(each) for each, here in zip(labels, occurs, strict=True) if here),
        cost.values[..., occurs] * weight[:, None],
        effect.values[..., occurs] * weight[:, None],
        weight,
    )


def check_dimensions(by: Sequence[str], known: Sequence[str], *, where: str) -> tuple[str, ...]:
    """The dimensions, once each.

    Raises
    ------
    ModelError
        One that does not tell any two profiles apart, or is none.
    """
    for name in by:
        if name not in known:
            raise ModelError(
                f"no dimension '{name}' tells profiles apart",
                where=where,
                mend=nearest(name, known),
            )
    return tuple(dict.fromkeys(by))


def _named(
    values: xr.DataArray | ArrayLike, role: str, strategies: Sequence[str] | None
) -> xr.DataArray:
    if isinstance(values, xr.DataArray):
        return values
    array = np.asarray(values, np.float64)
    if array.ndim != 3 or strategies is None or len(strategies) != array.shape[1]:
        raise ModelError(
            f"{role} of the shape {array.shape} for {len(strategies or ())} strategies",
            where=role,
            mend="give [draw, strategy, profile], and name each strategy: strategies=[...]",
        )
    return xr.DataArray(array, dims=(DRAW, STRATEGY, PROFILE), coords={STRATEGY: list(strategies)})


def _check_labels(labels: Labels, profiles: int) -> None:
    if len(labels) != profiles or not labels:
        raise ModelError(
            f"labels of {len(labels)} profiles for {profiles}",
            where="labels",
            mend="give one mapping from dimension to label for each profile, in order",
        )
    if len({tuple(each) for each in labels}) > 1:
        raise ModelError(
            "profiles with different dimensions", where="labels", mend="give each the same ones"
        )
    if len({tuple(each.values()) for each in labels}) < profiles:
        raise ModelError(
            "two profiles have the same labels", where="labels", mend="give each its own"
        )


def _weights(weights: xr.DataArray | ArrayLike, draws: int, profiles: int) -> Float:
    """[draw, profile] checked weights."""
    if isinstance(weights, xr.DataArray):
        weights = weights.transpose(DRAW, PROFILE, missing_dims="ignore")
    array = np.asarray(weights, np.float64)
    if array.shape not in ((profiles,), (draws, profiles), (1, profiles)):
        raise ModelError(
            f"weights of the shape {array.shape} for {draws} draws of {profiles} profiles",
            where="weights",
            mend="give [profile], or [draw, profile]",
        )
    array = np.broadcast_to(array, (draws, profiles))
    total = array.sum(axis=1)
    wrong = ~(np.abs(total - 1) < SUM_TO_ONE) | ~(array >= -1e-12).all(axis=1)  # nan is wrong too
    if wrong.any():
        draw = int(np.flatnonzero(wrong)[0])
        raise ModelError(
            f"the weights of the profiles sum to {total[draw]:.6g}"
            + (", one is negative" if (array[draw] < 0).any() else ""),
            where=f"weights, draw {draw}",
            mend="give weights of 0 or more that sum to 1",
        )
    return np.maximum(array, 0.0)
