"""Uniform numbers by address: the same (seed, record, cell, draw) is the same number, always.

Nothing is drawn in sequence, so adding a record, reordering a file or cutting the draws into chunks
changes no number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int
from qalyst.errors import ModelError

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
BELOW_ONE = 1 - 2.0**-53


def mix64(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sixty-four mixed bits of each state: the output function of splitmix64.

    Parameters
    ----------
    state : any shape, at least one axis (numpy warns when a bare scalar wraps round).

    References
    ----------
    Steele, Lea & Flood (2014) OOPSLA 453-472; variant 13 of Stafford (2011).
    """
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def uniforms(seed: int, record: str, cell: str, draws: Int | Iterable[int]) -> Float:
    """Uniform numbers strictly between 0 and 1 at an address, [draw].

    The number of draw d is ``((mix64(key + d * golden) >> 11) + 0.5) * 2**-53``, where the key is a
    hash of seed, record and cell. Its rounding up to 1 (one in 2**53) is held just below 1.

    Parameters
    ----------
    seed : 0 <= seed < 2**64; 0 is a seed like another.
    record : name of the parameter record, or of what else owns the number.
    cell : name of the cell within the record; empty for a scalar.
    draws : [draw], indices of the draws; any chunk of them gives the same numbers.

    Examples
    --------
    >>> whole = uniforms(0, "p_response", "", range(100))
    >>> bool((whole[40:60] == uniforms(0, "p_response", "", range(40, 60))).all())
    True

    References
    ----------
    Salmon, Moraes, Dror & Shaw (2011) SC11 (counter-based numbers); Steele et al. (2014).
    """
    if not 0 <= seed < 2**64:
        raise ModelError(
            f"seed {seed} is not a 64-bit number",
            where="seed",
            mend=f"give a whole number from 0 to {2**64 - 1}",
        )
    index = draws if isinstance(draws, np.ndarray) else np.array(list(draws), dtype=np.int64)
    bits = mix64(index.astype(np.uint64) * GOLDEN + np.uint64(_key(seed, record, cell)))
    return np.minimum(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53, BELOW_ONE)


def _key(seed: int, record: str, cell: str) -> int:
    """Stable 64-bit hash of an address; a name follows its length, so that none run together."""
    text = hashlib.blake2b(seed.to_bytes(8, "little"), digest_size=8)
    for name in (record, cell):
        encoded = name.encode()
        text.update(len(encoded).to_bytes(8, "little") + encoded)
    return int.from_bytes(text.digest(), "little")
