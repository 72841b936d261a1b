"""Random numbers by address, one at a time.

A patient's numbers hang on nothing but (seed, draw, patient, purpose, count): not on the strategy,
the state or the time, so that strategies are compared on the same luck, and not on the order in
which numbers are asked for, so that chunks and threads change no bit. Salmon, Moraes, Dror & Shaw
(2011) SC11; the mixing is that of splitmix64, as in `qalyst.stats.addresses`.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from qalyst.kernels.rows import LANE

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_30, _27, _31, _11, _32 = (np.uint64(k) for k in (30, 27, 31, 11, 32))
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = 2.0**-53


@numba.njit(**LANE)
def mix(state):
    """Sixty-four mixed bits."""
    state = (state ^ (state >> _30)) * _FIRST
    state = (state ^ (state >> _27)) * _SECOND
    return state ^ (state >> _31)


@numba.njit(**LANE)
def patient_key(draw_key, patient):
    """The key of a patient's numbers in a draw."""
    return mix(draw_key + np.uint64(patient) * GOLDEN)


@numba.njit(**LANE)
def uniform(key, purpose, count):
    """A number in (0, 1]: the `count`-th of a patient for a purpose."""
    address = (np.uint64(purpose) << _32) | np.uint64(count)
    bits = mix(key + address * GOLDEN)
    return (np.float64(bits >> _11) + 0.5) * _STEP


@numba.njit(**LANE)
def exponential(key, purpose, count, mirrored):
    """A number of mean 1, exponential; `mirrored` takes the other end of the uniform."""
    u = uniform(key, purpose, count)
    if mirrored:
        u = 1.0 - u + _STEP * 0.5
    return -math.log(u)
