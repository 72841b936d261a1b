"""Which strategy has the highest net benefit, draw by draw, over many thresholds.

The highest of the lines ``wtp * effect - cost`` is convex in the threshold: a strategy that leads
clearly at two thresholds leads at all between them. So a draw is looked at where its leader
changes, by halving, and what lies between is counted at its ends.
"""

from __future__ import annotations

import numba
import numpy as np

from qalyst.axes import Float, Int

# One draw, in units that every tie of up to 22 strategies divides: counts stay whole numbers, so
# that adding and taking away leaves nothing behind.
WHOLE = 232_792_560
ROUNDING = 8 * 2.0**-52  # of a difference of two net benefits, in units of their largest parts
GUIDED, DEPTH = (
    32,
    64,
)  # steps in sight of a crossing; with the halvings of any number of thresholds


@numba.njit(nogil=True, cache=True, error_model="numpy")
def count_best(effect, cost, wtp, optimal, counts, losses, squares):
    """Count for every threshold how often each strategy is best, and what the optimal one loses.

    Parameters
    ----------
    effect, cost : [draw, strategy]
    wtp : [wtp] ascending.
    optimal : [wtp] the strategy whose losses are wanted.
    counts : [strategy, wtp + 1] output, zeros: draws in which it is best, in units of `WHOLE`;
        strategies that are equal share a draw.
    losses, squares : [wtp] output, zeros: sum over draws of the loss of `optimal`, and of its
        square.
    """
    draws = effect.shape[0]
    last = wtp.size - 1
    until = np.empty(wtp.size, np.int64)  # where another strategy becomes optimal
    until[last] = wtp.size
    for at in range(last - 1, -1, -1):
        until[at] = until[at + 1] if optimal[at] == optimal[at + 1] else at + 1
    waiting, leaders, leads = np.empty(DEPTH, np.int64), np.empty(DEPTH, np.int64), np.empty(DEPTH)
    for draw in range(draws):
        e, c = effect[draw], cost[draw]
        size_e = size_c = 0.0
        for d in range(e.size):
            size_e, size_c = max(size_e, abs(e[d])), max(size_c, abs(c[d]))
        low = 0
        leader, lead = _leader(e, c, wtp[low])
        depth = 0
        waiting[0] = last
        leaders[0], leads[0] = _leader(e, c, wtp[last])
        while low < last:
            high = waiting[depth]
            doubt = ROUNDING * (wtp[high] * size_e + size_c)
            sure = leaders[depth] == leader and min(lead, leads[depth]) > doubt
            if sure or high == low + 1:
                _credit(e, c, wtp, optimal, until, leader, low, high, counts, losses, squares)
                low, leader, lead = high, leaders[depth], leads[depth]
                depth -= 1
            else:
                middle = _between(e, c, wtp, low, high, leader, leaders[depth], depth)
                depth += 1
                waiting[depth] = middle
                leaders[depth], leads[depth] = _leader(e, c, wtp[middle])
        _credit(e, c, wtp, optimal, until, leader, last, last + 1, counts, losses, squares)
    for strategy in range(counts.shape[0]):
        for at in range(1, wtp.size):
            counts[strategy, at] += counts[strategy, at - 1]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _leader(e, c, k):
    """The first strategy with the highest net benefit; how far those not equal to it are below."""
    best = 0
    highest, second = k * e[0] - c[0], -np.inf
    for d in range(1, e.size):
        value = k * e[d] - c[d]
        if value > highest:
            best, highest, second = d, value, highest
        elif value > second and (e[d] != e[best] or c[d] != c[best]):
            second = value
    return best, highest - second


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _between(e, c, wtp, low, high, one, other, depth):
    """Where to look next: where the lines of two leaders cross, or else in the middle."""
    if one == other or e[one] == e[other] or depth > GUIDED:
        return (low + high) // 2
    crossing = (c[other] - c[one]) / (e[other] - e[one])
    below, above = low + 1, high - 1
    while below < above:
        half = (below + above) // 2
        if wtp[half] < crossing:
            below = half + 1
        else:
            above = half
    return below


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _credit(e, c, wtp, optimal, until, leader, low, high, counts, losses, squares):
    """The draw goes to its leader, and to its equals, at the thresholds from low to before high."""
    highest = wtp[low] * e[leader] - c[leader]
    equals = 0
    for d in range(e.size):
        equals += wtp[low] * e[d] - c[d] == highest
    share, rest = WHOLE // equals, WHOLE % equals
    for d in range(e.size):
        if wtp[low] * e[d] - c[d] == highest:
            given = share + (rest > 0)
            rest -= 1
            counts[d, low] += given
            counts[d, high] -= given
    while low < high:
        chosen = optimal[low]
        end = min(until[low], high)
        if chosen != leader:
            best_e, best_c, own_e, own_c = e[leader], c[leader], e[chosen], c[chosen]
            for at in range(np.uint64(low), np.uint64(end)):
                loss = (wtp[at] * best_e - best_c) - (wtp[at] * own_e - own_c)
                losses[at] += loss
                squares[at] += loss * loss
        low = end


def acceptability(
    effect: Float, cost: Float, wtp: Float, optimal: Int
) -> tuple[Float, Float, Float]:
    """How often each strategy is best, and the losses of one of them, at each threshold.

    Parameters
    ----------
    effect, cost : [draw, strategy]
    wtp : [wtp] ascending, 0 or more, finite.
    optimal : [wtp] the strategy whose losses are wanted: that with the highest mean.

    Returns
    -------
    shares : [strategy, wtp]
        Of the draws in which each strategy is best. Strategies that are equal share a draw: exactly
        for up to 22 of them, to 4e-9 beyond.
    mean, spread : [wtp]
        Mean over draws of the loss of `optimal`, and its standard deviation.

    Examples
    --------
    >>> effect, cost = np.array([[0.0, 1.0], [0.0, 3.0]]), np.array([[0.0, 10.0], [0.0, 10.0]])
    >>> wtp, optimal = np.array([0.0, 5.0, 10.0]), np.array([0, 0, 1])
    >>> shares, mean, _ = acceptability(effect, cost, wtp, optimal)
    >>> shares.tolist(), mean.tolist()
    ([[1.0, 0.5, 0.25], [0.0, 0.5, 0.75]], [0.0, 2.5, 0.0])
    """
    draws, strategies = effect.shape
    counts = np.zeros((strategies, wtp.size + 1), np.int64)
    losses, squares = np.zeros(wtp.size), np.zeros(wtp.size)
    count_best(
        np.ascontiguousarray(effect, np.float64),
        np.ascontiguousarray(cost, np.float64),
        np.ascontiguousarray(wtp, np.float64),
        np.ascontiguousarray(optimal, np.int64),
        counts,
        losses,
        squares,
    )
    mean = losses / draws
    variance = np.maximum(squares - draws * mean**2, 0.0) / max(draws - 1, 1)
    return counts[:, :-1] / (WHOLE * draws), mean, np.sqrt(variance)
