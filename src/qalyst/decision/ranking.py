"""Many strategies in order of net benefit: which is best, how surely, what the next one loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qalyst.axes import Float
from qalyst.decision._inputs import DRAWS, Values, labelled, names
from qalyst.decision.net_benefit import thresholds

INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Ranked:
    """A strategy in its place.

    Attributes
    ----------
    place : from 1, by mean net monetary benefit.
    cost, effect, nmb : means over draws.
    low, high : 2.5 % and 97.5 % quantiles of `nmb` over draws.
    probability_best : share of draws in which no strategy has more; ties share a draw.
    """

    place: int
    strategy: str
    cost: float
    effect: float
    nmb: float
    low: float
    high: float
    probability_best: float


@dataclass(frozen=True)
class Ranking:
    """All strategies at a threshold, the best first.

    Attributes
    ----------
    loss : expected loss of the best against the best in each draw (the EVPI).
    runner_up_loss, runner_up_loss_low, runner_up_loss_high : net benefit forgone by the second
        instead of the first: mean, and 2.5 % and 97.5 % quantiles over draws; None if alone.
    runner_up_better : share of draws in which the second has more than the first.
    """

    wtp: float
    rows: tuple[Ranked, ...]
    loss: float
    runner_up_loss: float | None
    runner_up_loss_low: float | None
    runner_up_loss_high: float | None
    runner_up_better: float | None

    @property
    def best(self) -> Ranked:
        """The strategy with the highest mean net benefit."""
        return self.rows[0]

    @property
    def runner_up(self) -> Ranked | None:
        """The second; None if there is one strategy only."""
        return self.rows[1] if len(self.rows) > 1 else None


def rankings(
    costs: Values, effects: Values, wtp: ArrayLike, *, strategies: Sequence[str] | None = None
) -> list[Ranking]:
    """Strategies in order of mean net monetary benefit, at each threshold.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    rankings : [wtp]
        Equal means stand in the order given.

    Examples
    --------
    >>> costs, effects = [[0.0, 10.0], [0.0, 20.0]], [[1.0, 2.0], [1.0, 1.0]]
    >>> found = rankings(costs, effects, 100, strategies=["old", "new"])[0]
    >>> found.best.strategy, found.best.nmb, found.best.probability_best
    ('new', 135.0, 0.5)
    >>> found.runner_up_loss, found.runner_up_better, found.loss
    (35.0, 0.5, 10.0)
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    called = names(cost)
    return [
        _ranking(float(value), cost.to_numpy(), effect.to_numpy(), called)
        for value in thresholds(wtp).to_numpy()
    ]


def _ranking(wtp: float, cost: Float, effect: Float, called: tuple[str, ...]) -> Ranking:
    net = wtp * effect - cost
    mean = net.mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    most = net.max(axis=1, keepdims=True)
    is_best = net == most
    share = (is_best / is_best.sum(axis=1, keepdims=True)).mean(axis=0)
    low, high = np.quantile(net, INTERVAL, axis=0)
    rows = tuple(
        Ranked(
            place=place,
            strategy=called[at],
            cost=float(cost[:, at].mean()),
            effect=float(effect[:, at].mean()),
            nmb=float(mean[at]),
            low=float(low[at]),
            high=float(high[at]),
            probability_best=float(share[at]),
        )
        for place, at in enumerate(order, start=1)
    )
    loss = float((most[:, 0] - net[:, order[0]]).mean())
    if len(order) == 1:
        return Ranking(wtp, rows, loss, None, None, None, None)
    gap = net[:, order[0]] - net[:, order[1]]
    least, greatest = np.quantile(gap, INTERVAL)
    better = float((gap < 0).mean())
    return Ranking(wtp, rows, loss, float(gap.mean()), float(least), float(greatest), better)
