"""Incremental cost-effectiveness analysis: dominance, the frontier and its ICERs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import STRATEGY, WTP
from qalyst.decision._dominance import (
    ROUNDING,
    convex,
    distinct_ranks,
    dominators,
    first_equals,
)
from qalyst.decision._inputs import MEANS, Values, check_strategy, labelled, names
from qalyst.decision._plane import MEANING, RATIO_OF_GAINS, RATIO_OF_LOSSES, quadrants
from qalyst.decision.net_benefit import net_monetary_benefit, thresholds
from qalyst.errors import ModelError, nearest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Switch:
    """From `wtp` upwards the choice is `enters`; below it was `leaves`."""

    wtp: float
    leaves: str
    enters: str


@dataclass(frozen=True)
class Row:
    """One strategy of the fully incremental table; None where there is nothing to compare."""

    strategy: str
    cost: float
    effect: float
    compared_with: str | None
    incremental_cost: float | None
    incremental_effect: float | None
    icer: float | None
    status: str


@dataclass(frozen=True)
class IncrementalAnalysis:
    """The fully incremental table in order of cost, and its frontier."""

    rows: tuple[Row, ...]
    frontier: tuple[str, ...]

    @property
    def note(self) -> str:
        """Why there is no ICER, if there is none."""
        if len(self.frontier) > 1:
            return ""
        if len(self.rows) == 1:
            return f"{self.frontier[0]} is the only strategy: nothing to compare, so no ICER"
        return f"no other strategy is better value than {self.frontier[0]} at any price: no ICER"

    @property
    def switches(self) -> tuple[Switch, ...]:
        """Thresholds at which the optimal strategy changes: the ICERs of the frontier."""
        return tuple(
            Switch(wtp=row.icer, leaves=row.compared_with, enters=row.strategy)
            for row in self.rows
            if row.icer is not None and row.compared_with is not None
        )

    def __getitem__(self, strategy: str) -> Row:
        known = {row.strategy: row for row in self.rows}
        if strategy not in known:
            raise ModelError(
                f"no strategy {strategy!r}",
                where="incremental analysis",
                mend=nearest(strategy, known),
            )
        return known[strategy]

    def to_dataset(self) -> xr.Dataset:
        """[strategy] the table; nan or an empty word where there is nothing to compare."""
        numbers = "cost", "effect", "incremental_cost", "incremental_effect", "icer"
        data = {
            name: (STRATEGY, np.array([getattr(row, name) for row in self.rows], dtype=np.float64))
            for name in numbers
        }
        words = {
            name: (STRATEGY, np.array([getattr(row, name) or "" for row in self.rows]))
            for name in ("compared_with", "status")
        }
        labels = {STRATEGY: [row.strategy for row in self.rows]}
        return xr.Dataset(data | words, coords=labels, attrs={"note": self.note})

    def to_dataframe(self) -> pd.DataFrame:
        """The table with one row per strategy."""
        return self.to_dataset().to_dataframe()


@dataclass(frozen=True)
class Comparison:
    """A strategy against one comparator.

    The ICER is the cost of a unit gained in the quadrant "more costly, more effective", the
    saving per unit lost in "less costly, less effective", and None elsewhere.
    """

    strategy: str
    comparator: str
    incremental_cost: float
    incremental_effect: float
    quadrant: str
    icer: float | None
    meaning: str


def incremental_analysis(
    costs: Values, effects: Values, *, strategies: Sequence[str] | None = None
) -> IncrementalAnalysis:
    """Fully incremental analysis: dominance, extended dominance, ICERs of the frontier.

    A strategy is dominated if another costs no more and is at least as effective, one of them
    strictly; extendedly dominated if it is off the convex frontier of the rest (so that ICERs
    strictly rise). Of equal strategies the first by name stands for all. The ICER of a
    strategy on the frontier is against the one before it.

    Parameters
    ----------
    costs : [strategy], currency
    effects : [strategy], e.g. QALYs
    strategies : names, if `costs` and `effects` are plain arrays.

    References
    ----------
    Karlsson & Johannesson (1996) PharmacoEconomics 9:113-120; Paulden (2020)
    PharmacoEconomics 38:785-807.

    Examples
    --------
    >>> table = incremental_analysis(
    ...     {"usual": 5_000, "a": 12_000, "b": 10_000}, {"usual": 1.0, "a": 1.5, "b": 2.0}
    ... )
    >>> [(row.strategy, row.icer) for row in table.rows]
    [('usual', None), ('b', 5000.0), ('a', None)]
    >>> [row.status for row in table.rows]
    ['reference', 'on the frontier', 'dominated (by b)']
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=MEANS)
    known = names(cost)
    ranks = distinct_ranks(cost.values), distinct_ranks(effect.values)
    order = sorted(range(len(known)), key=lambda one: (ranks[0][one], ranks[1][one], known[one]))
    beaten_by = dominators(*ranks)
    first_equal = first_equals(order, *ranks)
    survivors = [one for one in order if first_equal[one] == one and not beaten_by[one].any()]
    frontier = convex(survivors, cost.values, effect.values)
    place = {one: position for position, one in enumerate(frontier)}

    def status(one: int) -> str:
        if first_equal[one] != one:
            return f"equal to {known[first_equal[one]]}"
        if one in place:
            return "on the frontier" if place[one] else "reference"
        if beaten_by[one].any():
            # a frontier strategy if one dominates, else the cheapest that does
            winner = min(
                (other for other in order if beaten_by[one, other]),
                key=lambda other: (other not in place, order.index(other)),
            )
            return f"dominated (by {known[winner]})"
        above = next(rank for rank, other in enumerate(frontier) if ranks[1][other] > ranks[1][one])
        less, more = known[frontier[above - 1]], known[frontier[above]]
        return f"extendedly dominated (by {less} and {more})"

    def row(one: int) -> Row:
        here = (known[one], float(cost[one]), float(effect[one]))
        if not place.get(one):
            return Row(*here, None, None, None, None, status(one))
        before = frontier[place[one] - 1]
        spent, gained = float(cost[one] - cost[before]), float(effect[one] - effect[before])
        return Row(*here, known[before], spent, gained, spent / gained, status(one))

    return IncrementalAnalysis(
        rows=tuple(row(one) for one in order), frontier=tuple(known[one] for one in frontier)
    )


def pairwise(
    costs: Values, effects: Values, *, comparator: str, strategies: Sequence[str] | None = None
) -> tuple[Comparison, ...]:
    """Each other strategy against one comparator, with the quadrant in words.

    Parameters
    ----------
    costs : [strategy], currency
    effects : [strategy], e.g. QALYs
    comparator : the strategy that the others are compared with.
    strategies : names, if `costs` and `effects` are plain arrays.

    References
    ----------
    Black (1990) Med Decis Making 10:212-214, the cost-effectiveness plane.

    Examples
    --------
    >>> pair, = pairwise({"new": 700, "old": 1_000}, {"new": 1.5, "old": 2.0}, comparator="old")
    >>> pair.quadrant, pair.icer, pair.meaning
    ('less costly, less effective', 600.0, 'savings per unit of effect lost')
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=MEANS)
    check_strategy(comparator, cost, where="comparator")
    spent = _without_rounding(cost - cost.sel({STRATEGY: comparator}), cost)
    gained = _without_rounding(effect - effect.sel({STRATEGY: comparator}), effect)
    others = [name for name in names(cost) if name != comparator]
    return tuple(
        _comparison(
            (other, comparator),
            float(spent.sel({STRATEGY: other})),
            float(gained.sel({STRATEGY: other})),
        )
        for other in others
    )


def optimal(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
) -> xr.Dataset:
    """Strategy with the highest net monetary benefit at each threshold, ties reported.

    Parameters
    ----------
    costs : [strategy], currency
    effects : [strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    dataset
        ``nmb`` [wtp, strategy], currency; ``is_optimal`` [wtp, strategy]; ``optimal`` [wtp],
        the name, or the names of equals joined by " = ".

    References
    ----------
    Stinnett & Mullahy (1998) Med Decis Making 18:S68-S80.

    Examples
    --------
    >>> best = optimal({"a": 100, "b": 900}, {"a": 1.0, "b": 1.5}, [0, 1_600, 2_000])
    >>> best.optimal.values.tolist()
    ['a', 'a = b', 'b']
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=MEANS)
    nmb = net_monetary_benefit(cost, effect, wtp)
    scale = (abs(thresholds(wtp) * effect) + abs(cost)).max(STRATEGY)
    best = nmb >= nmb.max(STRATEGY) - ROUNDING * scale
    words = [
        " = ".join(name for name, is_best in zip(names(cost), row, strict=True) if is_best)
        for row in best.transpose(WTP, STRATEGY).values
    ]
    return xr.Dataset({"nmb": nmb, "is_optimal": best, "optimal": (WTP, words)})


def _comparison(pair: tuple[str, str], spent: float, gained: float) -> Comparison:
    word = str(quadrants(np.array(spent), np.array(gained)))
    icer = spent / gained if word in (RATIO_OF_GAINS, RATIO_OF_LOSSES) else None
    return Comparison(*pair, spent, gained, word, icer, MEANING[word])


def _without_rounding(difference: xr.DataArray, values: xr.DataArray) -> xr.DataArray:
    return difference.where(abs(difference) > ROUNDING * abs(values).max(), 0.0)
