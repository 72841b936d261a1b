"""Intervals of a ratio of means: Fieller's set in words, and the bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float
from qalyst.decision._inputs import DRAWS, Values, increments, labelled
from qalyst.decision._plane import MEANING, RATIO_OF_GAINS, RATIO_OF_LOSSES, quadrants
from qalyst.decision.uncertainty import check_draws
from qalyst.errors import ModelError
from qalyst.stats.addresses import uniforms

INSIDE, OUTSIDE, EVERYTHING = "inside", "outside", "everything"
RESAMPLES = 2_000
FEWEST_RESAMPLES, MOST_RESAMPLES = 100, 100_000
BLOCK = 2**22  # resampled numbers held at once


@dataclass(frozen=True)
class FiellerSet:
    """The ratios that are compatible with two normal increments.

    Attributes
    ----------
    kind : inside (from `lower` to `upper`), outside (below `lower` or above `upper`), or everything
        (both are None).
    words : what that says.
    """

    kind: str
    lower: float | None
    upper: float | None
    words: str


@dataclass(frozen=True)
class BootstrapInterval:
    """A percentile interval of a ratio of means; None with the reason why there is none."""

    strategy: str
    comparator: str
    icer: float | None
    interval: tuple[float, float] | None
    resamples: int
    reason: str


def fieller_set(
    incremental_cost: float,
    incremental_effect: float,
    *,
    sd_cost: float,
    sd_effect: float,
    covariance: float,
    level: float = 0.95,
) -> FiellerSet:
    """Fieller's set of ratios, bounded or not, in words.

    The set holds the ratios R at which ``incremental_cost - R incremental_effect`` is within z
    standard deviations of 0. It is an interval only if the increment of effect differs from 0 by
    more than z standard deviations; else it is all but an interval, or everything.

    Parameters
    ----------
    incremental_cost : mean, currency
    incremental_effect : mean, e.g. QALYs
    sd_cost, sd_effect, covariance : of the two increments (of their means, for the error of means).
    level : probability.

    References
    ----------
    Fieller (1954) J R Stat Soc B 16:175-185; Briggs & Fenn (1998) Health Econ 7:723-740.

    Examples
    --------
    >>> found = fieller_set(8.0, 2.0, sd_cost=1.0, sd_effect=2.0, covariance=0.0)
    >>> found.kind, round(found.lower, 3), round(found.upper, 3)
    ('outside', -4.105, 1.289)
    """
    from scipy.special import ndtri

    check_level(level)
    z2 = float(ndtri((1 + level) / 2)) ** 2
    square = incremental_effect**2 - z2 * sd_effect**2
    middle = incremental_cost * incremental_effect - z2 * covariance
    constant = incremental_cost**2 - z2 * sd_cost**2
    discriminant = middle**2 - square * constant
    share = f"{100 * level:.10g} %"
    if square > 0:
        root = np.sqrt(max(discriminant, 0.0))
        low, high = float((middle - root) / square), float((middle + root) / square)
        words = f"the {share} set of ratios is the interval from {_plain(low)} to {_plain(high)}"
        return FiellerSet(INSIDE, low, high, words)
    why = f"the increment of effect does not differ from 0 at the {share} level"
    if square < 0 < discriminant:
        ends = sorted((middle + sign * np.sqrt(discriminant)) / square for sign in (-1, 1))
        low, high = float(ends[0]), float(ends[1])
        words = (
            f"no bounds: {why}, and the set of ratios is all below {_plain(low)} and all above "
            f"{_plain(high)}; only those between are ruled out"
        )
        return FiellerSet(OUTSIDE, low, high, words)
    return FiellerSet(
        EVERYTHING, None, None, f"no bounds: {why}, nor does the increment of cost; no ratio is "
        "ruled out"
    )  # fmt: skip


def icer_bootstrap(
    costs: Values,
    effects: Values,
    *,
    strategy: str,
    comparator: str,
    strategies: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> BootstrapInterval:
    """Percentile bootstrap interval of the ratio of mean increments.

    Pairs of increments are drawn again with replacement, as many as there are. The interval is that
    of the ratio of means: of patients of a trial its sampling error, of draws of a probabilistic
    analysis its Monte Carlo error, which more draws make as small as one likes.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    strategy, comparator : the two that are compared.
    strategies : names, if `costs` and `effects` are plain arrays.
    level : probability.
    resamples : how often all increments are drawn again.
    seed : the same gives the same interval.

    References
    ----------
    Briggs, Wonderling & Mooney (1997) Health Econ 6:327-340; Efron & Tibshirani (1993) An
    Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> found = icer_bootstrap(
    ...     {"old": [0, 0], "new": [8, 12]}, {"old": [0, 0], "new": [-1, 3]},
    ...     strategy="new", comparator="old",
    ... )
    >>> found.icer, found.interval
    (10.0, None)
    >>> found.reason  # by theory in 25 %
    'no interval: the increment of effect is not above 0 in 25.6 % of the resamples'
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_draws(cost)
    check_level(level)
    if not FEWEST_RESAMPLES <= resamples <= MOST_RESAMPLES:
        raise ModelError(
            f"{resamples} resamples",
            where="resamples",
            mend=f"give a whole number from {FEWEST_RESAMPLES} to {MOST_RESAMPLES:,}",
        )
    spent, gained = increments(cost, effect, strategy=strategy, comparator=comparator)
    word = str(quadrants(spent.mean(), gained.mean()))
    if word not in (RATIO_OF_GAINS, RATIO_OF_LOSSES):
        return BootstrapInterval(strategy, comparator, None, None, resamples, MEANING[word])
    icer = float(spent.mean() / gained.mean())
    means = _resampled_means(spent, gained, resamples, seed)
    sign = np.sign(gained.mean())
    other = float((means[1] * sign <= 0).mean())
    if other:
        side = "above" if sign > 0 else "below"
        reason = (
            f"no interval: the increment of effect is not {side} 0 in {100 * other:.3g} % of the "
            "resamples"
        )
        return BootstrapInterval(strategy, comparator, icer, None, resamples, reason)
    tail = (1 - level) / 2
    low, high = np.quantile(means[0] / means[1], [tail, 1 - tail])
    return BootstrapInterval(
        strategy, comparator, icer, (float(low), float(high)), resamples, MEANING[word]
    )


def _resampled_means(spent: Float, gained: Float, resamples: int, seed: int) -> Float:
    """[cost and effect, resample] means of increments drawn again."""
    count = spent.size
    found = np.empty((2, resamples))
    step = max(1, BLOCK // count)
    for begin in range(0, resamples, step):
        end = min(begin + step, resamples)
        u = uniforms(seed, "bootstrap", "", np.arange(begin * count, end * count))
        taken = (u * count).astype(np.int64).reshape(end - begin, count)
        found[0, begin:end] = spent[taken].mean(axis=1)
        found[1, begin:end] = gained[taken].mean(axis=1)
    return found


def _plain(value: float) -> str:
    """A number in words, never with a power of ten.

    >>> _plain(12353.4), _plain(-0.12345)
    ('12,353', '-0.1235')
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def check_level(level: float) -> None:
    """Refuse a level that is no probability between 0 and 1."""
    if not 0 < level < 1:
        raise ModelError(f"a level of {level}", where="level", mend="give a probability, e.g. 0.95")
