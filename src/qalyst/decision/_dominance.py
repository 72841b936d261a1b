"""Which strategies are equal, dominated or off the convex frontier; by position, without names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int

# Differences below this share of the largest value are rounding, not dominance.
ROUNDING = 1e-12


def distinct_ranks(values: Float) -> Int:
    """[strategy] place among the distinct values; those within rounding share one."""
    order = np.argsort(values)
    is_new = np.diff(values[order]) > ROUNDING * np.abs(values).max()
    ranks = np.zeros(values.size, dtype=np.int64)
    ranks[order[1:]] = np.cumsum(is_new)
    return ranks


def dominators(cost: Int, effect: Int) -> NDArray[np.bool_]:
    """[strategy, other strategy] whether the other dominates."""
    cheaper, better = cost[None, :] < cost[:, None], effect[None, :] > effect[:, None]
    same_cost, same_effect = cost[None, :] == cost[:, None], effect[None, :] == effect[:, None]
    dominates: NDArray[np.bool_] = (cheaper & (better | same_effect)) | (better & same_cost)
    return dominates


def first_equals(order: list[int], cost: Int, effect: Int) -> dict[int, int]:
    """Each strategy's first equal in `order`; itself if there is none before it."""
    first: dict[tuple[int, int], int] = {}
    return {one: first.setdefault((int(cost[one]), int(effect[one])), one) for one in order}


def convex(survivors: list[int], cost: Float, effect: Float) -> list[int]:
    """Those of the undominated, in order of cost, whose ICERs strictly rise."""

    def icer(before: int, after: int) -> float:
        return float((cost[after] - cost[before]) / (effect[after] - effect[before]))

    frontier: list[int] = []
    for one in survivors:
        while len(frontier) > 1 and icer(frontier[-2], frontier[-1]) >= icer(frontier[-1], one) * (
            1 - ROUNDING
        ):
            frontier.pop()
        frontier.append(one)
    return frontier
