"""Sampling designs of the draws: independent ones, scrambled Sobol points, Latin hypercubes.

A design gives the uniform numbers of an addressed cell for given draws. Draw i belongs to replicate
``i % replicates`` and is the point ``i // replicates`` of it, so that a design grows at its end.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int
from qalyst.errors import ModelError
from qalyst.stats.addresses import BELOW_ONE, GOLDEN, mix64, uniforms

Sampling: TypeAlias = Literal["random", "sobol", "latin"]
Address: TypeAlias = tuple[str, str]

MOST_DIMENSIONS = 21_201  # of the direction numbers that scipy holds
REPLICATES = 8
BITS = 32  # of a Sobol point; what follows them is independent
MOST_RANKS = 200_000_000  # numbers of Latin hypercubes held in memory: 0.8 GB


class Uniforms(Protocol):
    """Uniform numbers of some draws by address."""

    def uniforms(self, record: str, cell: str) -> Float:
        """[draw] strictly between 0 and 1."""


@dataclass(frozen=True)
class Addressed:
    """Independent uniform numbers: those of `addresses.uniforms`.

    Attributes
    ----------
    seed : see there.
    indices : [draw] which draws.
    """

    seed: int
    indices: Int

    def uniforms(self, record: str, cell: str) -> Float:
        """[draw] strictly between 0 and 1."""
        return uniforms(self.seed, record, cell, self.indices)


@dataclass(frozen=True)
class Design:
    """A randomised design whose replicates show its error.

    Attributes
    ----------
    kind : sobol or latin.
    seed : as of independent draws.
    draws : in all replicates together.
    replicates : independent of each other, of ``draws / replicates`` points each.
    coordinates : the addresses of every uncertain number; their order is that of the dimensions.
    """

    kind: Literal["sobol", "latin"]
    seed: int
    draws: int
    replicates: int
    coordinates: tuple[Address, ...]
    _ranks: dict[tuple[Address, int], NDArray[np.int32]] = field(
        default_factory=dict, compare=False, repr=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_design(self.kind, self.draws, self.replicates)
        if self.kind == "sobol" and len(self.coordinates) > MOST_DIMENSIONS:
            raise ModelError(
                f"{len(self.coordinates):,} uncertain numbers are more than the {MOST_DIMENSIONS:,}"
                " dimensions that Sobol points have",
                where="sampling (--sampling sobol)",
                mend="sample by latin or random",
            )
        if self.kind == "latin" and self.draws * len(self.coordinates) > MOST_RANKS:
            raise ModelError(
                f"{self.draws:,} draws of {len(self.coordinates):,} uncertain numbers do not fit "
                "into the memory that Latin hypercubes take",
                where="sampling (--sampling latin)",
                mend="sample by sobol or random, or ask for fewer draws",
            )

    @property
    def points(self) -> int:
        """How many points a replicate has."""
        return self.draws // self.replicates

    def at(self, indices: Int) -> Uniforms:
        """The uniform numbers of these draws."""
        return _Points(self, indices)

    def ranks(self, address: Address, replicate: int) -> NDArray[np.int32]:
        """[point] the stratum of each point of a Latin hypercube: a permutation by address."""
        key = (address, replicate)
        with self._lock:
            if key not in self._ranks:
                order = uniforms(self.seed, *_own(address, replicate), range(self.points))
                ranks = np.empty(self.points, np.int32)
                ranks[np.argsort(order, kind="stable")] = np.arange(self.points, dtype=np.int32)
                self._ranks[key] = ranks
            return self._ranks[key]


class _Points:
    """The points of a design that are these draws."""

    def __init__(self, design: Design, indices: Int) -> None:
        self._design = design
        self._replicate = indices % design.replicates
        self._point = indices // design.replicates
        self._indices = indices
        self._places = {address: n for n, address in enumerate(design.coordinates)}
        self._sobol: NDArray[np.uint64] | None = None
        if design.kind == "sobol" and len(indices) and design.coordinates:
            first, last = int(self._point.min()), int(self._point.max())
            points = sobol_points(len(design.coordinates), first, last + 1 - first)
            self._sobol = points[self._point - first]

    def uniforms(self, record: str, cell: str) -> Float:
        """[draw] strictly between 0 and 1."""
        address = (record, cell)
        place = self._places[address]
        found = np.empty(len(self._indices))
        for replicate in range(self._design.replicates):
            chosen = self._replicate == replicate
            if self._sobol is None:
                found[chosen] = self._latin(address, replicate, self._point[chosen])
            else:
                name, part = _own(address, replicate)
                key = uniforms(self._design.seed, name, part, range(1))[0]
                found[chosen] = scrambled(self._sobol[chosen, place], int(key * 2.0**53))
        return found

    def _latin(self, address: Address, replicate: int, point: Int) -> Float:
        points = self._design.points
        # draws that only fill up the last group of a kernel are beyond the design; nobody sees them
        stratum = self._design.ranks(address, replicate)[np.minimum(point, points - 1)]
        record, cell = _own(address, replicate)
        within = uniforms(self._design.seed, record, f"{cell}, within", point)
        return np.minimum((stratum + within) / points, BELOW_ONE)


def check_design(kind: Sampling, draws: int, replicates: int) -> None:
    """Refuse draws that are not whole replicates of a design.

    Raises
    ------
    ModelError
        Fewer than 2 replicates, or draws that are not replicates times a power of two (sobol), or
        times a whole number (latin).
    """
    if kind == "random":
        return
    if replicates < 2:
        raise ModelError(
            f"{replicates} replicate of a design shows no error",
            where=f"replicates (--replicates {replicates})",
            mend="ask for 2 or more; 8 are usual",
        )
    if kind == "latin" and draws >= replicates and draws % replicates == 0:
        return
    if kind == "sobol" and draws >= replicates and draws % replicates == 0:
        points = draws // replicates
        if points & (points - 1) == 0:
            return
    form = "times a power of two" if kind == "sobol" else "times a whole number"
    words = " or ".join(str(each) for each in _nearest(kind, draws, replicates))
    raise ModelError(
        f"{draws:,} draws are not {replicates} replicates {form}",
        where=f"draws (--sampling {kind} --draws {draws} --replicates {replicates})",
        mend=f"ask for --draws {words}",
    )


def _nearest(kind: Sampling, draws: int, replicates: int) -> list[int]:
    """Numbers of draws that a design can have, next below and next above."""
    points = max(draws / replicates, 1.0)
    if kind == "latin":
        below = int(points)
        return [below * replicates, (below + 1) * replicates]
    below = 1 << int(np.floor(np.log2(points)))
    return [below * replicates, 2 * below * replicates]


def sobol_points(dimensions: int, first: int, count: int) -> NDArray[np.uint64]:
    """[point, dimension] Sobol points from `first` on, as `BITS` bits, not randomised.

    References
    ----------
    Sobol' (1967) USSR Comput Math Math Phys 7:86-112; direction numbers of Joe & Kuo (2008) SIAM J
    Sci Comput 30:2635-2654.
    """
    from scipy.stats import qmc

    source = qmc.Sobol(dimensions, scramble=False, bits=BITS)
    parts: list[Float] = []
    if first:
        source.fast_forward(first)
    else:  # the first one alone: scipy warns of numbers that are no power of two
        parts.append(source.random(1))
        count -= 1
    if count:
        parts.append(source.random(count))
    return np.asarray(np.concatenate(parts) * 2.0**BITS).astype(np.uint64)


def scrambled(points: Sequence[int] | NDArray[np.uint64], key: int) -> Float:
    """Uniform numbers from points [point] of `BITS` bits by nested uniform scrambling.

    Each bit is turned by a coin of its own for all that stands before it, so that equal intervals
    of every size keep their numbers of points; 21 coins make the bits behind the last.

    Examples
    --------
    >>> points = sobol_points(1, 0, 8)[:, 0]
    >>> np.sort((scrambled(points, 5) * 8).astype(int)).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7]

    References
    ----------
    Owen (1995) in Monte Carlo and Quasi-Monte Carlo Methods in Scientific Computing 299-317; Owen
    (1997) Ann Stat 25:1541-1562.
    """
    bits = np.asarray(points, dtype=np.uint64)
    salt = mix64(np.array([key], dtype=np.uint64))
    one = np.uint64(1)
    turned = np.zeros_like(bits)
    for length in range(BITS):
        behind = np.uint64(BITS - length)
        # a 1 in front tells prefixes of different lengths apart
        prefix = (bits >> behind) | (one << np.uint64(length))
        coin = mix64(prefix * GOLDEN ^ salt) >> np.uint64(63)
        turned = (turned << one) | (((bits >> (behind - one)) & one) ^ coin)
    rest = mix64((bits | (one << np.uint64(BITS))) * GOLDEN ^ salt) >> np.uint64(43)
    return np.minimum((turned + (rest + 0.5) * 2.0**-21) * 2.0**-BITS, BELOW_ONE)


def _own(address: Address, replicate: int) -> Address:
    """The address of what randomises a coordinate of a replicate."""
    record, cell = address
    return record, f"{cell}, replicate {replicate}"
