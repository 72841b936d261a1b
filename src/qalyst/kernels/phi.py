"""phi(x) = (1 - exp(-x)) / x without a division and without an exponential.

With H the cumulative hazard of a cycle and y the heads at its start, p = y phi(H) gives the
flow of each cause as h p and those who stay as y - H p: shares of competing risks (Putter,
Fiocco & Geskus 2007, Stat Med 26:2389-2430) with neither 1 - exp(-H) nor h / H formed.
"""

from __future__ import annotations

import math

import numba

REACH = 0.5  # the polynomial holds for 0 <= x <= REACH
FAR = 3  # doublings of `phi_far`

# Chebyshev interpolant of degree 9 on [0, 1/2], computed with 60 digits; relative error 1 ulp.
_C0, _C1, _C2, _C3, _C4 = (
    1.0,
    -0.49999999999998485,
    0.16666666666566382,
    -0.041666666640941714,
    0.008333332997835102,
)
_C5, _C6, _C7, _C8, _C9 = (
    -0.0013888863717021528,
    0.0001984011727676172,
    -2.4768788096264572e-05,
    2.6988592921217972e-06,
    -2.1985703840083692e-07,
)


@numba.njit(fastmath={"contract"}, error_model="numpy", forceinline=True)
def phi(x):
    """phi(x) for 0 <= x <= `REACH`; 1 at 0."""
    return _C0 + x * (
        _C1
        + x
        * (_C2 + x * (_C3 + x * (_C4 + x * (_C5 + x * (_C6 + x * (_C7 + x * (_C8 + x * _C9)))))))
    )


@numba.njit(fastmath={"contract"}, error_model="numpy", forceinline=True)
def phi_far(x):
    """phi(x) for 0 <= x <= 8 `REACH`: phi(2 y) = phi(y) (1 + exp(-y)) / 2, three times."""
    y = 0.125 * x
    q = phi(y)
    survival = 1.0 - y * q  # exp(-y)
    squared = survival * survival
    q = q + q * survival
    q = q + q * squared
    return 0.125 * (q + q * (squared * squared))


@numba.njit(error_model="numpy")
def doublings(greatest):
    """How often x must be halved to come within reach of the polynomial."""
    if not greatest > REACH:
        return 0
    return math.ceil(math.log2(greatest / REACH))
