"""Two strategies whose net benefit is known, and what studies of it are worth exactly."""

import numpy as np
from scipy import stats

DRAWS = 10_000


def costs_and_effects(benefit):
    """Costs and effects of a strategy with this net benefit [draw] at a threshold of 1."""
    nothing = np.zeros_like(benefit)
    return {"old": nothing, "new": nothing}, {"old": nothing, "new": benefit}


def linear_normal(k, seed=5):
    """Costs, effects and parameters of the case `voi_linear_normal` at threshold `k`."""
    rng = np.random.default_rng(seed)
    p1, p2 = rng.normal(1, 1, DRAWS), rng.normal(0, 2, DRAWS)
    nothing = np.zeros(DRAWS)
    return {"old": nothing, "new": p2}, {"old": nothing, "new": p1}, {"p1": p1, "p2": p2}


def beta_binomial(n, a, b, per_unit, less):
    """Exact EVSI of `n` persons for net benefit ``per_unit * p - less``, p beta: a sum."""
    events = np.arange(n + 1)
    chance = stats.betabinom(n, a, b).pmf(events)
    given = per_unit * (a + events) / (a + b + n) - less
    return float(chance @ np.maximum(given, 0) - max(0.0, per_unit * a / (a + b) - less))


def two_rates(priors, n, follow_up, less, samples, seed=0):
    """EVSI, and its error, of two exponential arms of `n` persons.

    Net benefit is control rate - treatment rate - less; both rates have gamma priors (a, b), and so
    have their posteriors: (a + events, b + exposure).
    """
    rng, given = np.random.default_rng(seed), []
    for a, b in priors:
        rate = rng.gamma(a, 1 / b, samples)
        events, exposure = np.zeros(samples), np.zeros(samples)
        for _ in range(n):
            time = rng.exponential(1 / rate)
            events += time < follow_up
            exposure += np.minimum(time, follow_up)
        given.append((a + events) / (b + exposure))
    best = np.maximum(given[0] - given[1] - less, 0)
    (a0, b0), (a1, b1) = priors
    return best.mean() - max(0.0, a0 / b0 - a1 / b1 - less), best.std() / np.sqrt(samples)
