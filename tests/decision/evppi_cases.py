"""Decisions whose EVPPI is known: net benefit of `new` against nothing, with noise or without."""

import numpy as np

from qalyst.decision.evppi import evppi

NAMES = "abcdefghij"


def normals(n_parameters, n=2_000, seed=1):
    """Independent standard normal parameters [draw, parameter], and noise [draw]."""
    values = np.random.default_rng(seed).standard_normal((n, n_parameters + 1))
    return values[:, :-1], values[:, -1]


def linear_normal(n, seed):
    """Effects, costs and parameters of the case `voi_linear_normal`."""
    z, _ = normals(2, n, seed)
    p1, p2 = 1 + z[:, 0], 2 * z[:, 1]
    nothing = np.zeros(n)
    costs, effects = {"old": nothing, "new": p2}, {"old": nothing, "new": p1}
    return costs, effects, {"p1": p1, "p2": p2}


def product(n, seed):
    """Costs, effects and parameters of the case `voi_product_nonlinear`."""
    z, _ = normals(2, n, seed)
    x, y = 2 + z[:, 0], 3 + 1.5 * z[:, 1]
    nothing = np.zeros(n)
    costs = {"old": nothing, "new": nothing + 5.5}
    return costs, {"old": nothing, "new": x * y}, {"X": x, "Y": y}


def values(benefit, x, of=None, **named):
    """EVPPI of columns of `x`, called a, b, c and so on, if net benefit [draw, ...] is that."""
    benefit = benefit if benefit.ndim == 2 else benefit[:, None]
    effects = np.column_stack([np.zeros(len(benefit)), benefit])
    strategies = [f"s{i}" for i in range(effects.shape[1])]
    parameters = dict(zip(NAMES, x.T, strict=False))
    return evppi(
        np.zeros_like(effects), effects, parameters, 1, of=of, strategies=strategies, **named
    )
