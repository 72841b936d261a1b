"""Logarithms of the incomplete gamma and beta functions, also where they underflow.

A gamma survival of exp(-2000) is nothing to a float, yet its hazard is an ordinary number; so the
survival families need the logarithm itself. scipy's functions serve wherever they are not tiny.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float

Tail: TypeAlias = Callable[..., Float]

TINY = 1e-290
PRECISION = 1e-15
MOST_TERMS = 100_000


def log_upper_gamma(shape: Float, x: Float) -> Float:
    """Log of the regularised upper incomplete gamma function, log Q(shape, x)."""
    from scipy import special

    return _with_tail(
        special.gammaincc(shape, x), special.gammainc(shape, x), _upper_gamma_tail, shape, x
    )


def log_lower_gamma(shape: Float, log_ratio: Float) -> Float:
    """Log of the regularised lower incomplete gamma function, log P(shape, shape * ratio).

    Given by the log of the ratio: near 0 it is a power of x, which goes on where x underflows.
    """
    from scipy import special

    with np.errstate(over="ignore"):
        x = shape * np.exp(log_ratio)
    lower, upper = special.gammainc(shape, x), special.gammaincc(shape, x)
    return _with_tail(lower, upper, _lower_gamma_tail, shape, log_ratio)


def log_beta_share(a: Float, b: Float, log_odds: Float) -> Float:
    """Log of the regularised incomplete beta function at 1 / (1 + odds), log I(a, b).

    Given by the log of the odds, so that neither end of the unit interval is rounded away.
    """
    from scipy import special

    # From the end that is nearer: a share beyond 1 - 1e-16 is 1 to a float, its rest is not 0.
    swapped = log_odds < 0
    first, second = np.where(swapped, b, a), np.where(swapped, a, b)
    nearer = special.expit(-np.abs(log_odds))
    below = special.betainc(first, second, nearer)
    above = special.betainc(second, first, special.expit(np.abs(log_odds)))
    rounded = (nearer < 1e-3) & (below > 0.5)
    if rounded.any():  # ten times slower, so only where it is needed
        exact = special.betaincc(first, second, np.where(rounded, nearer, 0.0))
        above = np.where(rounded, exact, above)
    value, complement = np.where(swapped, above, below), np.where(swapped, below, above)
    return _with_tail(value, complement, _beta_tail, a, b, log_odds)


def _with_tail(value: Float, complement: Float, tail: Tail, *arguments: Float) -> Float:
    """Log of `value`: by its complement if near 1, by `tail` if too small for a float."""
    with np.errstate(divide="ignore"):
        result = np.array(np.where(complement < 0.5, np.log1p(-complement), np.log(value)))
    far = _far(value, *arguments)
    if far.any():
        cells = [np.broadcast_to(argument, result.shape)[far] for argument in arguments]
        result[far] = tail(*cells)
    return result


def _far(value: Float, *arguments: Float) -> NDArray[np.bool_]:
    """Where the value underflows although its arguments are finite."""
    inside = [np.isfinite(argument) for argument in arguments]
    return np.asarray(np.logical_and.reduce(np.broadcast_arrays(value < TINY, *inside)))


def _upper_gamma_tail(shape: Float, x: Float) -> Float:
    """Legendre's continued fraction (Abramowitz & Stegun 1964, 6.5.31)."""
    from scipy import special

    fraction = _continued_fraction(
        x + 1 - shape, lambda n: (-n * (n - shape), x + 2 * n + 1 - shape)
    )
    return np.asarray(shape * np.log(x) - x - special.gammaln(shape) - np.log(fraction))


def _lower_gamma_tail(shape: Float, log_ratio: Float) -> Float:
    """Kummer's series (Abramowitz & Stegun 1964, 6.5.12)."""
    from scipy import special

    log_x = np.log(shape) + log_ratio
    x = np.exp(log_x)
    series = np.log(special.hyp1f1(1, shape + 1, x))
    return np.asarray(shape * log_x - x - special.gammaln(shape + 1) + series)


def _beta_tail(a: Float, b: Float, log_odds: Float) -> Float:
    """Continued fraction of the incomplete beta (Abramowitz & Stegun 1964, 26.5.8)."""
    from scipy import special

    x = special.expit(-log_odds)

    def term(n: int) -> tuple[Float, Float]:
        m, odd = divmod(n, 2)
        if odd:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        return numerator, np.ones_like(x)

    fraction = _continued_fraction(np.ones_like(x), term)
    powers = -a * np.logaddexp(0, log_odds) - b * np.logaddexp(0, -log_odds)
    return np.asarray(powers - np.log(a) - special.betaln(a, b) - np.log(fraction))


def _continued_fraction(first: Float, term: Callable[[int], tuple[Float, Float]]) -> Float:
    """``first + a1 / (b1 + a2 / (b2 + ...))`` with ``term(n) = (a_n, b_n)``.

    References
    ----------
    Lentz (1976) Appl Opt 15:668-671, as modified by Thompson & Barnett (1986).
    """
    value, above, below = first, first, np.zeros_like(first)
    for n in range(1, MOST_TERMS):
        numerator, denominator = term(n)
        below = 1 / (denominator + numerator * below)
        above = denominator + numerator / above
        step = above * below
        value = value * step
        if np.all(np.abs(step - 1) < PRECISION):
            return value
    raise AssertionError("a continued fraction of an incomplete integral always converges")
