"""Hand-written kernels of three workloads: what one would write for that model and no other.

They are the practical limit that `run.py` holds the product against. A lane is a draw, as in the
product, but states, causes and payoffs are literal lines of one fused loop, so that the compiler
keeps the occupancy of a cycle in registers. phi is the product's polynomial.

Every function takes `drawn`, parameter -> [draw], and `Static`, and gives [block, strategy, row,
lane] quantities; rows 2 i and 2 i + 1 are cell i of `cells.py`, discounted and undiscounted.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from cells import (
    NELM,
    NELM_MEMORYLESS,
    SEQUENCES,
    SICK_SICKER,
    Drawn,
    Float,
    course,
    course_cells,
)
from qalyst.kernels.phi import phi, phi_far

LANES = 64
OPTIONS = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True, "cache": True}
INLINE = {"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True}
YOUNG = 0.03  # below this death rate nobody's risks need the longer phi, but for the sick
_WIDTH, _TWO, _THREE, _FOUR = (np.uint64(rows * LANES) for rows in (1, 2, 3, 4))


class Static(NamedTuple):
    """What no draw changes.

    Attributes
    ----------
    death : [cycle] background death rate, 1/year.
    discount : [cycle + 1] discount factors at the points of time.
    cycle : years.
    """

    death: Float
    discount: Float
    cycle: float


def _blocks(rows: list[Float]) -> Float:
    """[block, row, lane] of rows [draw]; the last draw fills the lanes that are left."""
    table = np.stack(np.broadcast_arrays(*rows))
    spare = -table.shape[1] % LANES
    table = np.pad(table, ((0, 0), (0, spare)), mode="edge")
    return np.ascontiguousarray(table.reshape(len(rows), -1, LANES).transpose(1, 0, 2))


# ---- exponential and Weibull, in lanes


@intrinsic
def _bits(_context, x):
    """The 64 bits of a number as an integer."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _number(_context, bits):
    """The number that has these 64 bits."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@numba.njit(**INLINE)
def _exp(x):
    """exp(x) for -700 < x < 700: 2^k times the Taylor polynomial of degree 13 of what is left."""
    shifted = x * 1.4426950408889634 + 6755399441055744.0  # k stands in the low bits of the sum
    k = shifted - 6755399441055744.0
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    p = 2.08767569878681e-9 + r * 1.6059043836821613e-10
    p = 2.755731922398589e-7 + r * (2.505210838544172e-8 + r * p)
    p = 2.48015873015873e-5 + r * (2.7557319223985893e-6 + r * p)
    p = 0.001388888888888889 + r * (1.984126984126984e-4 + r * p)
    p = 0.041666666666666664 + r * (0.008333333333333333 + r * p)
    p = 1.0 + r * (1.0 + r * (0.5 + r * (0.16666666666666666 + r * p)))
    return _number(_bits(p) + (_bits(shifted) << 52))


@numba.njit(**INLINE)
def _weibull(table, first, shape, log_scale, times, cycle):
    """Rows from `first` on: the fall of the log survival in each cycle, from time 0."""
    before = np.zeros(LANES)
    for t in range(times):
        log_time = math.log((t + 1) * cycle)
        for w in range(LANES):
            now = _exp(shape[w] * (log_time - log_scale[w]))
            table[first + t, w] = now - before[w]
            before[w] = now


@numba.njit(**INLINE)
def _phi_once(x):
    """phi(x) for 0 <= x <= 1: one doubling."""
    q = phi(0.5 * x)
    return q * (1.0 - 0.25 * x * q)


# ---- (a) Sick-Sicker


@numba.njit(**OPTIONS)
def _sick_sicker(parameters, death, discount, out):
    cycles = len(death)
    s = np.empty((64, LANES))
    for block in range(len(parameters)):
        for strategy in range(4):
            p, o = parameters[block], out[block, strategy]
            for w in range(LANES):
                for row in range(13):
                    s[row, w] = 0.0
                s[0, w] = 1.0
                s[20, w] = p[0, w]
                s[21, w] = p[1, w]
                s[22, w] = p[2, w] * (p[5, w] if strategy >= 2 else 1.0)
                s[23, w] = p[3, w]
                s[24, w] = p[4, w]
            for t in range(cycles):
                d = death[t]
                undiscounted = 0.5 if t == 0 else 1.0
                discounted = discount[t] * undiscounted
                moved = math.sqrt(discount[t] * discount[t + 1])
                if d < YOUNG:
                    for w in range(LANES):
                        healthy, sick, sicker = s[0, w], s[1, w], s[2, w]
                        h, worse, well, dies = s[20, w], s[22, w], s[21, w], s[23, w] * d
                        all_1, all_2, all_3 = h + d, (well + worse) + dies, s[24, w] * d
                        p1 = healthy * phi(all_1)
                        p2 = sick * _phi_once(all_2)
                        p3 = sicker * phi(all_3)
                        s[0, w] = (healthy - all_1 * p1) + well * p2
                        s[1, w] = (sick - all_2 * p2) + h * p1
                        s[2, w] = (sicker - all_3 * p3) + worse * p2
                        s[3, w] += discounted * healthy
                        s[4, w] += undiscounted * healthy
                        s[5, w] += discounted * sick
                        s[6, w] += undiscounted * sick
                        s[7, w] += discounted * sicker
                        s[8, w] += undiscounted * sicker
                        falls, dead = h * p1, (d * p1 + dies * p2) + all_3 * p3
                        s[9, w] += moved * falls
                        s[10, w] += falls
                        s[11, w] += moved * dead
                        s[12, w] += dead
                else:
                    for w in range(LANES):
                        healthy, sick, sicker = s[0, w], s[1, w], s[2, w]
                        h, worse, well, dies = s[20, w], s[22, w], s[21, w], s[23, w] * d
                        all_1, all_2, all_3 = h + d, (well + worse) + dies, s[24, w] * d
                        p1 = healthy * _phi_once(all_1)
                        p2 = sick * phi_far(all_2)
                        p3 = sicker * phi_far(all_3)
                        s[0, w] = (healthy - all_1 * p1) + well * p2
                        s[1, w] = (sick - all_2 * p2) + h * p1
                        s[2, w] = (sicker - all_3 * p3) + worse * p2
                        s[3, w] += discounted * healthy
                        s[4, w] += undiscounted * healthy
                        s[5, w] += discounted * sick
                        s[6, w] += undiscounted * sick
                        s[7, w] += discounted * sicker
                        s[8, w] += undiscounted * sicker
                        falls, dead = h * p1, (d * p1 + dies * p2) + all_3 * p3
                        s[9, w] += moved * falls
                        s[10, w] += falls
                        s[11, w] += moved * dead
                        s[12, w] += dead
            last = 0.5 * discount[cycles]
            treated = strategy == 1 or strategy == 3
            for w in range(LANES):
                for state in range(3):
                    s[3 + 2 * state, w] += last * s[state, w]
                    s[4 + 2 * state, w] += 0.5 * s[state, w]
            for w in range(LANES):
                u_sick = p[8, w] if treated else p[7, w]
                for which in range(2):
                    healthy, sick, sicker = s[3 + which, w], s[5 + which, w], s[7 + which, w]
                    o[which, w] = healthy
                    o[2 + which, w] = healthy * p[6, w]
                    o[4 + which, w] = s[4, w]
                    o[6 + which, w] = sick
                    o[8 + which, w] = sick * u_sick
                    o[10 + which, w] = s[6, w]
                    o[12 + which, w] = sicker
                    o[14 + which, w] = sicker * p[9, w]
                    o[16 + which, w] = s[8, w]
                    o[18 + which, w] = s[9 + which, w]
                    o[20 + which, w] = -s[9 + which, w] * p[10, w]
                    o[22 + which, w] = s[11 + which, w]


def sick_sicker(drawn: Drawn, static: Static) -> Float:
    """Quantities of `sick_sicker_psa` [block, strategy, row, lane]; treatment is paid on care."""
    names = ("r_sicken", "r_recover", "r_worsen", "hr_death_sick", "hr_death_sicker",
             "hr_worsen_b", "u_healthy", "u_sick", "u_sick_treated", "u_sicker",
             "du_fall_ill")  # fmt: skip
    parameters = _blocks([drawn[name] for name in names])
    out = np.empty((len(parameters), 4, 2 * len(SICK_SICKER), LANES))
    _sick_sicker(parameters, static.death, static.discount, out)
    return out


# ---- (b) NELM without time in state


@numba.njit(**OPTIONS)
def _nelm_memoryless(parameters, death, discount, ageing, out):
    cycles, d = len(death), 1.0 / 12.0
    s = np.empty((64, LANES))
    first, second = np.empty((cycles, LANES)), np.empty((cycles, LANES))
    for block in range(len(parameters)):
        p = parameters[block]
        _weibull(first, 0, p[0], p[1], cycles, d)
        _weibull(second, 0, p[2], p[3], cycles, d)
        for strategy in range(3):
            o = out[block, strategy]
            for w in range(LANES):
                for row in range(34):
                    s[row, w] = 0.0
                s[0, w] = 1.0
                s[40, w] = p[4 + strategy, w]
                for row in range(7):
                    s[41 + row, w] = p[7 + row, w] * d
            for t in range(cycles):
                b = death[t] * d
                both = (0.5 if t == 0 else 1.0) * d
                v = both * discount[t]
                a = 0.5 * d * (ageing[t] + (ageing[t - 1] if t > 0 else 0.0))
                va = a * discount[t]
                moved = math.sqrt(discount[t] * discount[t + 1])
                for w in range(LANES):
                    x1, x2, x3, x4, x5 = s[0, w], s[1, w], s[2, w], s[3, w], s[4, w]
                    h1, h2 = first[t, w] * s[40, w], second[t, w] * s[40, w]
                    h3, h4 = s[41, w], s[42, w]
                    all_1, all_2 = h1 + (s[43, w] + b), h2 + (s[44, w] + b)
                    all_3, all_4 = h3 + (s[45, w] + b), h4 + (s[46, w] + b)
                    all_5 = s[47, w] + b
                    p1, p2, p3 = x1 * phi(all_1), x2 * phi(all_2), x3 * phi(all_3)
                    p4, p5 = x4 * phi(all_4), x5 * phi(all_5)
                    f1, f2, f3, f4 = h1 * p1, h2 * p2, h3 * p3, h4 * p4
                    s[0, w] = x1 - all_1 * p1
                    s[1, w] = (x2 - all_2 * p2) + f1
                    s[2, w] = (x3 - all_3 * p3) + f2
                    s[3, w] = (x4 - all_4 * p4) + f3
                    s[4, w] = (x5 - all_5 * p5) + f4
                    s[5, w] += v * x1
                    s[6, w] += both * x1
                    s[7, w] += va * x1
                    s[8, w] += a * x1
                    s[9, w] += v * x2
                    s[10, w] += both * x2
                    s[11, w] += va * x2
                    s[12, w] += a * x2
                    s[13, w] += v * x3
                    s[14, w] += both * x3
                    s[15, w] += va * x3
                    s[16, w] += a * x3
                    s[17, w] += v * x4
                    s[18, w] += both * x4
                    s[19, w] += va * x4
                    s[20, w] += a * x4
                    s[21, w] += v * x5
                    s[22, w] += both * x5
                    s[23, w] += va * x5
                    s[24, w] += a * x5
                    s[25, w] += moved * f1
                    s[26, w] += f1
                    s[27, w] += moved * f2
                    s[28, w] += f2
                    s[29, w] += moved * f3
                    s[30, w] += f3
                    s[31, w] += moved * f4
                    s[32, w] += f4
            v, a = discount[cycles], ageing[cycles - 1]
            for state in range(5):
                k = 5 + 4 * state
                for w in range(LANES):
                    last = 0.5 * d * s[state, w]
                    s[k, w] += v * last
                    s[k + 1, w] += last
                    s[k + 2, w] += v * a * last
                    s[k + 3, w] += a * last
                for which in range(2):
                    for w in range(LANES):
                        o[8 * state + which, w] = s[k + which, w]
                        o[8 * state + 2 + which, w] = s[k + which, w] * p[14 + state, w]
                        o[8 * state + 4 + which, w] = -s[k + 2 + which, w]
                        o[8 * state + 6 + which, w] = s[k + 1, w]
            for row in range(8):
                for w in range(LANES):
                    o[40 + row, w] = s[25 + row, w]


def nelm_memoryless(drawn: Drawn, static: Static) -> Float:
    """Quantities of `nelm_memoryless` [block, strategy, row, lane]."""
    names = ("r_progress_third", "r_progress_fourth", "r_die_first", "r_die_second",
             "r_die_third", "r_die_fourth", "r_die_supportive", "u_first", "u_second",
             "u_third", "u_fourth", "u_supportive")  # fmt: skip
    curves = []
    for curve in ("pfs_first", "pfs_second"):
        curves += [drawn[f"{curve}.shape"], np.log(drawn[f"{curve}.scale"])]
    ratios = [drawn["hr_surgical"], drawn["hr_arterial"], np.ones(1)]
    parameters = _blocks([*curves, *ratios, *(drawn[name] for name in names)])
    ageing = drawn["du_per_year"][0] * np.arange(len(static.death)) * static.cycle
    out = np.empty((len(parameters), 3, 2 * len(NELM_MEMORYLESS), LANES))
    _nelm_memoryless(parameters, static.death, static.discount, ageing, out)
    return out


# ---- (c) NELM: time in state on three lines, then supportive care

BINS = 181  # fifteen years of months, and the bin that keeps whom it holds
EPOCHS = (96, 216)  # cycles at which the population norm changes: ages 65 and 75
# rows of a strategy's parameters: factor of the progression hazard and death rate of each line,
# share that survives the start of each line
_PROGRESS, _DIE, _SURVIVE = 0, 3, 7
# working rows: sums of a line, the line's inflow, heads of the first and of the last line
_P, _FLOW, _HEADS, _INFLOW, _FIRST, _LAST, _A, _U = (np.uint64(row * LANES) for row in range(8))


@numba.njit(**INLINE)
def _four_bins(x, o, g, i, z):
    """Risks of four bins at once, from the one at offset `o` up; who stays moves up by one."""
    o1, o2, o3, o4 = o + _WIDTH, o + _TWO, o + _THREE, o + _FOUR
    i1, i2, i3 = i + _WIDTH, i + _TWO, i + _THREE
    for w in range(_WIDTH):
        a, u = z[_A + w], z[_U + w]
        x0, x1, x2, x3 = x[o + w], x[o1 + w], x[o2 + w], x[o3 + w]
        h0, h1, h2, h3 = u * g[i + w], u * g[i1 + w], u * g[i2 + w], u * g[i3 + w]
        p0, p1, p2, p3 = x0 * phi(a + h0), x1 * phi(a + h1), x2 * phi(a + h2), x3 * phi(a + h3)
        z[_P + w] += (p0 + p1) + (p2 + p3)
        z[_FLOW + w] += (h0 * p0 + h1 * p1) + (h2 * p2 + h3 * p3)
        z[_HEADS + w] += (x0 + x1) + (x2 + x3)
        x[o1 + w] = x0 - (a + h0) * p0
        x[o2 + w] = x1 - (a + h1) * p1
        x[o3 + w] = x2 - (a + h2) * p2
        x[o4 + w] = x3 - (a + h3) * p3


@numba.njit(**INLINE)
def _one_bin(x, o, g, i, z, onward):
    """Risks of one bin; who stays is added to the bin at offset `onward`, and the bin cleared."""
    for w in range(_WIDTH):
        a, here = z[_A + w], x[o + w]
        h = z[_U + w] * g[i + w]
        left = here * phi(a + h)
        z[_P + w] += left
        z[_FLOW + w] += h * left
        z[_HEADS + w] += here
        x[o + w] = 0.0
        x[onward + w] += here - (a + h) * left


@numba.njit(**INLINE)
def _line(x, first, g, table, z, top):
    """Risks of a line with bins 0 to `top` occupied; bin 0 is left empty."""
    for w in range(_WIDTH):
        z[_P + w] = 0.0
        z[_FLOW + w] = 0.0
        z[_HEADS + w] = 0.0
    r = top
    while r >= 0:
        o = np.uint64((first + r) * LANES)
        i = np.uint64((table + r) * LANES)
        if r >= BINS - 2:
            _one_bin(x, o, g, i, z, np.uint64((first + BINS - 1) * LANES))
            r -= 1
        elif r >= 3:
            _four_bins(x, o - _THREE, g, i - _THREE, z)
            r -= 4
        else:
            for w in range(_WIDTH):
                x[o + _WIDTH + w] = 0.0
            _one_bin(x, o, g, i, z, o + _WIDTH)
            r -= 1
    for w in range(_WIDTH):
        x[np.uint64(first * LANES) + w] = 0.0


@numba.njit(**INLINE)
def _count(z, row, sums, k, v, u):
    """Add a working row to the sums k (weight v) and k + 1 (weight u)."""
    o = np.uint64(k * LANES)
    for w in range(_WIDTH):
        sums[o + w] += v * z[row + w]
        sums[o + _WIDTH + w] += u * z[row + w]


@numba.njit(**OPTIONS)
def _course(parameters, g, tables, death, discount, out):
    """Sums of one strategy for one block.

    Parameters
    ----------
    parameters : [row, lane] see above; times the cycle.
    g : flat [table, bin, lane] falls of the log survival.
    tables : numbers of the tables of the three lines.
    out : flat [row, lane] sums: 6 line + 2 epoch years in line 0 to 3, then the scans, the
        entries of lines 1 to 3 and the deaths of disease.
    """
    cycles, d = len(death), 1.0 / 12.0
    x, z = np.zeros(2 * (BINS + 1) * LANES), np.zeros(8 * LANES)
    out[:] = 0.0
    p = parameters
    for w in range(LANES):
        z[_FIRST + w] = p[_SURVIVE, w]
    epoch = 0
    for t in range(cycles):
        share = 1.0 if t > 0 else 0.5
        scans = t > 0 and t % 6 == 0
        v, u = share * discount[t] * d, share * d
        moved = math.sqrt(discount[t] * discount[t + 1])
        turn = t == EPOCHS[0] or t == EPOCHS[1]
        if turn:
            v, u = 0.5 * v, 0.5 * u
        b = death[t] * d
        for line in range(3, -1, -1):
            if t < line:
                continue
            k = 6 * line + 2 * epoch
            if line == 3:
                for w in range(_WIDTH):
                    here, dies = z[_LAST + w], p[_DIE + 3, w]
                    left = here * phi(dies + b)
                    z[_P + w], z[_HEADS + w] = left, here
                    z[_LAST + w] = here - (dies + b) * left
            elif line > 0:
                for w in range(_WIDTH):
                    z[_A + w] = p[_DIE + line, w] + b
                    z[_U + w] = p[_PROGRESS + line, w]
                top = min(t - line, BINS - 1)
                _line(x, (line - 1) * (BINS + 1), g, tables[line] * BINS, z, top)
            else:
                i = np.uint64((tables[0] * BINS + min(t, BINS - 1)) * LANES)
                for w in range(_WIDTH):
                    here, h = z[_FIRST + w], p[_PROGRESS, w] * g[i + w]
                    both = h + (p[_DIE, w] + b)
                    left = here * phi(both)
                    z[_P + w], z[_HEADS + w], z[_FLOW + w] = left, here, h * left
                    z[_FIRST + w] = here - both * left
            _count(z, _HEADS, out, k, v, u)
            if turn:
                _count(z, _HEADS, out, k + 2, v, u)
            if scans and line < 3:
                _count(z, _HEADS, out, 24, discount[t], 1.0)
            for w in range(_WIDTH):
                z[_P + w] *= p[_DIE + line, w]
            _count(z, _P, out, 32, moved, 1.0)
            if line < 3:
                _count(z, _FLOW, out, 26 + 2 * line, moved, 1.0)
                for w in range(_WIDTH):
                    z[_INFLOW + w] = z[_FLOW + w] * p[_SURVIVE + line + 1, w]
                if line == 2:
                    for w in range(_WIDTH):
                        z[_LAST + w] += z[_INFLOW + w]
                else:
                    o = np.uint64(line * (BINS + 1) * LANES)
                    for w in range(_WIDTH):
                        x[o + w] = z[_INFLOW + w]
        if turn:
            epoch += 1
    v, u = 0.5 * d * discount[cycles], 0.5 * d
    for line in range(4):
        for w in range(_WIDTH):
            z[_HEADS + w] = z[_LAST + w] if line == 3 else z[_FIRST + w] if line == 0 else 0.0
        if line == 1 or line == 2:
            for r in range(BINS):
                o = np.uint64(((line - 1) * (BINS + 1) + r) * LANES)
                for w in range(_WIDTH):
                    z[_HEADS + w] += x[o + w]
        _count(z, _HEADS, out, 6 * line + 2 * epoch, v, u)


@numba.njit(**OPTIONS)
def _nelm(courses, curves, sequences, death, discount, out):
    d = 1.0 / 12.0
    g = np.empty((5 * BINS, LANES))
    flat = g.reshape(-1)
    for block in range(len(courses)):
        c = curves[block]
        for treatment in range(1, 5):
            _weibull(g, treatment * BINS, c[0], c[treatment], BINS, d)
        for r in range(BINS):
            for w in range(LANES):
                cured, rate = c[5, w], c[6, w]
                now = math.log(cured + (1 - cured) * math.exp(-rate * r * d))
                then = math.log(cured + (1 - cured) * math.exp(-rate * (r + 1) * d))
                g[r, w] = now - then
        for strategy in range(3):
            sums = out[block, strategy].reshape(-1)
            _course(courses[block, strategy], flat, sequences[strategy], death, discount, sums)


def nelm(drawn: Drawn, static: Static) -> Float:
    """Quantities of `nelm_one_profile` [block, strategy, row, lane]."""
    medians = [
        np.log(drawn[f"median_pfs_{name}"]) - np.log(np.log(2)) / drawn["shape_pfs"]
        for name in ("embolisation", "octreotide", "everolimus", "prrt")
    ]
    curves = _blocks([drawn["shape_pfs"], *medians, drawn["p_cured"], drawn["r_recur_uncured"]])
    rows = []
    for sequence in SEQUENCES.values():
        lines = course(drawn, sequence)
        rows += [line.progress for line in lines[:3]]
        rows += [line.die * static.cycle for line in lines]
        rows += [1 - line.p_death for line in lines]
    courses = _blocks(rows).reshape(len(curves), 3, -1, LANES)
    sequences = np.array([[0, 1, 4], [1, 4, 3], [2, 4, 3]])
    sums = np.empty((len(curves), 3, 34, LANES))
    _nelm(courses, curves, sequences, static.death, static.discount, sums)
    draws = len(drawn["shape_pfs"])
    flat = sums.transpose(1, 2, 0, 3).reshape(3, 34, -1)[:, :, :draws]
    found = course_cells(drawn, flat)
    return _blocks(list(found.reshape(-1, draws))).reshape(len(curves), 3, 2 * len(NELM), LANES)
