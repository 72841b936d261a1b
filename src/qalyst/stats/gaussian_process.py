"""Functions of several parameters at once, for structure that curves and products miss."""

from __future__ import annotations

import numpy as np

from qalyst.axes import Float, Int

STEPS = 40  # of the search for lengths
_PRIOR_MEAN, _PRIOR_SD = -1.0, 3.0  # of the logarithm of an inverse squared length


def process_block(scores: Float, residual: Float, *, learned: Int, centres: Int) -> Float:
    """Functions [draw, function] whose sum with independent weights is a Gaussian process.

    The kernel is squared exponential with a length for each parameter. Lengths are those of
    largest likelihood for some of the residuals; the process is that of its values at the centres.

    Parameters
    ----------
    scores : [draw, parameter]
    residual : [draw], what the process is to explain
    learned : draws whose residuals choose the lengths
    centres : draws at whose places the process is kept

    References
    ----------
    Rasmussen & Williams (2006) Gaussian Processes for Machine Learning, MIT Press; Williams &
    Seeger (2001) Adv Neural Inf Process Syst 13:682-688.
    """
    from scipy.linalg import cholesky, solve_triangular

    some = residual[learned] - residual[learned].mean()
    scaled = scores * np.sqrt(_inverse_lengths(scores[learned], some))
    inner = _kernel(scaled[centres], scaled[centres])
    inner[np.diag_indices_from(inner)] += 1e-6
    lower = cholesky(inner, lower=True)
    outer = _kernel(scaled[centres], scaled)
    return np.asarray(solve_triangular(lower, outer, lower=True).T)


def _kernel(first: Float, second: Float) -> Float:
    return np.asarray(np.exp(-0.5 * _squared_distance(first, second)))


def _squared_distance(first: Float, second: Float) -> Float:
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * first @ second.T, 0.0))


def _inverse_lengths(scores: Float, y: Float) -> Float:
    """Inverse squared length [parameter] of largest penalised likelihood."""
    from scipy.optimize import minimize

    n_parameters, spread = scores.shape[1], float(np.log(y.var()))
    start = np.r_[np.full(n_parameters, -np.log(n_parameters)), np.full(2, spread - np.log(2))]
    bounds = [(-12.0, 4.0)] * n_parameters + [(spread - 12, spread + 6)] * 2
    found = minimize(
        _criterion,
        start,
        args=(scores, y),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": STEPS},
    )
    return np.asarray(np.exp(found.x[:n_parameters]))


def _criterion(logs: Float, scores: Float, y: Float) -> tuple[float, Float]:
    """Minus the penalised log likelihood, and its gradient.

    Parameters
    ----------
    logs : of the inverse squared lengths [parameter], the variance of the process, and the noise.
    """
    from scipy.linalg import LinAlgError, cholesky, lapack

    lengths, signal, noise = np.exp(logs[:-2]), np.exp(logs[-2]), np.exp(logs[-1])
    scaled = scores * np.sqrt(lengths)
    smooth_part = signal * _kernel(scaled, scaled)
    whole = smooth_part.copy()
    whole[np.diag_indices_from(whole)] += noise + 1e-8 * signal
    try:
        lower = cholesky(whole, lower=True)
    except LinAlgError:
        return 1e10, np.zeros_like(logs)
    half = lapack.dpotri(lower, lower=1)[0]
    inverse = np.tril(half) + np.tril(half, -1).T
    weights = inverse @ y
    from_mean = (logs[:-2] - _PRIOR_MEAN) / _PRIOR_SD
    value = y @ weights / 2 + np.log(np.diag(lower)).sum() + from_mean @ from_mean / 2
    pull = np.outer(weights, weights) - inverse
    slope = pull * smooth_part
    # sum of slope_ij (z_i - z_j)^2 for each parameter, without an array of all three axes
    apart = 2 * slope.sum(axis=1) @ scaled**2 - 2 * (scaled * (slope @ scaled)).sum(axis=0)
    gradient = np.r_[
        apart / 4 + from_mean / _PRIOR_SD,
        -slope.sum() / 2,
        -np.trace(pull) * noise / 2,
    ]
    return float(value), gradient
