"""Rows of sojourn matrices: what one line does in one cycle to those who entered before.

Element s of a row belongs to those who entered in cycle s; see `qalyst.kernels.sojourns`.
"""

from __future__ import annotations

import math
from typing import Any

import numba

from qalyst.kernels.phi import FAR, REACH, phi, phi_far

UNROLLED = 4  # cycles whose weights are added in one pass over a row

INNER: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy"}


@numba.njit(**INNER)
def phi_any(x):
    """(1 - exp(-x)) / x for any x of 0 or more."""
    if x <= REACH:
        return phi(x)
    return -math.expm1(-x) / x


@numba.njit(**INNER)
def _near_row(out, share, hazard, calendar):
    for s in range(out.size):
        out[s] = share[s] * phi(hazard[s] + calendar)


@numba.njit(**INNER)
def _far_row(out, share, hazard, calendar):
    for s in range(out.size):
        out[s] = share[s] * phi_far(hazard[s] + calendar)


@numba.njit(**INNER)
def _any_row(out, share, hazard, calendar):
    for s in range(out.size):
        out[s] = share[s] * phi_any(hazard[s] + calendar)


@numba.njit(**INNER)
def _phi_row(out, share, hazard, calendar, greatest):
    """The row share * phi(hazard + calendar), by the cheapest way that holds so far."""
    if greatest <= REACH:
        _near_row(out, share, hazard, calendar)
    elif greatest <= REACH * 2**FAR:
        _far_row(out, share, hazard, calendar)
    else:
        _any_row(out, share, hazard, calendar)


@numba.njit(**INNER)
def survive(hazards, stay, total, n):
    """Tables by residence, the last first: hazard of all causes, and share still there.

    Element n - 1 - r of `total`, and n - r of `stay`, belongs to residence r.
    """
    causes, bins = hazards.shape
    gone = 0.0
    stay[n] = 1.0
    for r in range(n):
        at = min(r, bins - 1)
        here = 0.0
        for cause in range(causes):
            here += hazards[cause, at]
        total[n - 1 - r] = here
        gone += here
        stay[n - 1 - r] = math.exp(-gone)


@numba.njit(**INNER)
def _add_four(out, stay, o, w0, w1, w2, w3):
    a, b = stay[o : o + out.size], stay[o - 1 : o - 1 + out.size]
    c, d = stay[o - 2 : o - 2 + out.size], stay[o - 3 : o - 3 + out.size]
    for s in range(out.size):
        out[s] += (w0 * a[s] + w1 * b[s]) + (w2 * c[s] + w3 * d[s])


@numba.njit(**INNER)
def value_of_time(weights, stay, values, n):
    """values[row, s] = sum over t >= s of weights[row, t] S(t - s); S is 0 before the entry.

    `stay` is padded: its element UNROLLED + n - r is S(r), and 0 before and beyond.
    """
    for row in range(weights.shape[0]):
        values[row, :] = 0.0
        for t in range(0, n + 1, UNROLLED):
            to = min(t + UNROLLED, n + 1)
            out = values[row, :to]
            w = weights[row]
            _add_four(out, stay, UNROLLED + n - t, w[t], w[t + 1], w[t + 2], w[t + 3])


@numba.njit(**INNER)
def _add_product(out, weight, hazard, row):
    for s in range(out.size):
        out[s] += weight * (hazard[s] * row[s])


@numba.njit(**INNER)
def matrix_rows(
    block, begin, share, total, background, greatest, by_residence, weights, cause_of, survival,
    values, line, n,
):  # fmt: skip
    """Rows of the matrix of a key: flow of each cause in cycle t by cycle of entry.

    ``share`` times phi is the time of the cycle that is lived; times the hazard, a flow. Counted
    causes add to `values`; the first cause is kept in `block`.
    """
    for i in range(block.shape[0]):
        t = begin + i
        entries = t + 1
        o = n - 1 - t
        row = line[:entries]
        _phi_row(row, share[o + 1 :][:entries], total[o:][:entries], background[t], greatest)
        for k in range(weights.shape[0]):
            weight = weights[k, t] * survival[t]
            if cause_of[k] < 0:
                for s in range(entries):
                    values[k, s] += weight * row[s]
            else:
                _add_product(values[k, :entries], weight, by_residence[cause_of[k], o:], row)
        onward = by_residence[0, o:]
        for s in range(entries):
            block[i, s] = onward[s] * row[s]
        block[i, entries:] = 0.0


@numba.njit(**INNER)
def half_a_cycle(hazard, calendar, shares):
    """Of somebody who arrives within a cycle and is at risk for half of it.

    shares[0]: cycles lived in it; shares[1]: half of the share that stays; shares[2]: how many at
    the start of the cycle would leave as many at residence 1 at its end.
    """
    whole = hazard + calendar
    shares[0] = 0.5 * phi_any(0.5 * whole)
    shares[1] = 0.5 * (1.0 - whole * shares[0])
    shares[2] = shares[1] * math.exp(whole)
