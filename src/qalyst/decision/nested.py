"""EVPPI by running the model again: a check of regression that assumes no shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from qalyst.axes import Float
from qalyst.decision._parameters import Group, groups
from qalyst.errors import ModelError

NetBenefit: TypeAlias = Callable[[Float], ArrayLike]
Sampler: TypeAlias = Callable[[np.random.Generator, int], ArrayLike]

RELATIVE = 0.03  # of the value, the error aimed at
BUDGET = 20_000_000
PILOT = 1_000  # outer samples of a level that is new
AT_ONCE = 200_000  # evaluations in one call
LEVELS = 3  # at least
SMALLEST_BUDGET = PILOT * (2 ** (LEVELS + 1) - 1)  # evaluations of the first levels
DEEPEST = 14
SLOWEST = 0.5  # a level's mean falls at least by 2^-this, so that the rest is not understated


@dataclass(frozen=True)
class NestedEvppi:
    """EVPPI by nested simulation.

    Attributes
    ----------
    parameters : whose values would be known.
    value : currency per person; it may be negative by chance.
    se : standard error, with what levels that were not run may add.
    evaluations : of net benefit, all strategies in one.
    levels : of doubled inner samples.
    reached : whether the error aimed at was reached within the budget.
    """

    parameters: tuple[str, ...]
    value: float
    se: float
    evaluations: int
    levels: int
    reached: bool

    def disagreement(self, value: float, se: float) -> float:
        """How far another estimate lies above this one, in standard errors of the difference."""
        both = float(np.hypot(self.se, se))
        return (value - self.value) / both if both else float(np.inf * np.sign(value - self.value))


def nested_evppi(
    net_benefit: NetBenefit,
    samplers: Mapping[str, Sampler],
    of: Group,
    *,
    seed: int,
    relative_error: float = RELATIVE,
    target: float = 0.0,
    budget: int = BUDGET,
) -> NestedEvppi:
    """EVPPI of independent inputs by antithetic multilevel Monte Carlo.

    EVPPI is the EVPI less ``E max_d f_d - E max_d E[f_d | x]``. Level l estimates what doubling
    the inner samples from 2^(l - 1) to 2^l adds to that difference: the mean of the maxima of the
    two halves' means less the maximum of the whole's, never negative. Samples go to the levels in
    proportion to ``sqrt(variance / cost)``; a level is added while what all further ones would
    add, by extrapolation, is more than the error by chance. That rest is subtracted, and counted
    as error in full.

    Parameters
    ----------
    net_benefit : values [draw, parameter] -> net benefit [draw, strategy]
        Columns in the order of `samplers`. Without noise of its own.
    samplers : of each independent input: generator, n -> [n]
    of : name, or names, of the parameters that would be known.
    seed : of the random numbers.
    relative_error : aimed at, of the value.
    target : error aimed at if that is larger, currency per person.
    budget : most evaluations of `net_benefit`.

    Raises
    ------
    ModelError
        Unknown names, an impossible budget or error, or net benefit that is not finite.

    References
    ----------
    Giles & Goda (2019) Stat Comput 29:739-751; Giles (2015) Acta Numer 24:259-328.

    Examples
    --------
    >>> def net_benefit(values):
    ...     return np.column_stack([np.zeros(len(values)), values.sum(axis=1)])
    >>> normal = np.random.Generator.standard_normal
    >>> found = nested_evppi(net_benefit, {"x": normal, "y": normal}, "x", seed=1)
    >>> abs(found.value - 0.3989) < 3 * found.se, found.reached
    (True, True)
    """
    (wanted,) = groups([of], samplers)
    _check_request(relative_error, target, budget)
    model = _Model(net_benefit, samplers, wanted, np.random.default_rng(seed))
    levels = [_Level(depth) for depth in range(LEVELS + 1)]
    for level in levels:
        level.add(model, PILOT)
    while True:
        value, rest = _value(levels)
        spread = sum(level.variance / level.n for level in levels)
        se, aim = float(np.sqrt(spread + rest**2)), max(target, relative_error * abs(value))
        spare = budget - model.evaluations
        if se <= aim or not _work(levels, model, aim, deeper=rest**2 > spread, spare=spare):
            break
    return NestedEvppi(wanted, value, se, model.evaluations, len(levels) - 1, se <= aim)


class _Model:
    """Net benefit at sampled inputs; counts its evaluations."""

    def __init__(
        self,
        net_benefit: NetBenefit,
        samplers: Mapping[str, Sampler],
        known: Sequence[str],
        random: np.random.Generator,
    ) -> None:
        self._net_benefit, self._samplers = net_benefit, samplers
        self._known, self._random = frozenset(known), random
        self.evaluations = 0

    def sample(self, n_outer: int, n_inner: int) -> Float:
        """Net benefit [outer, inner, strategy]; what would be known is the same within outer."""
        n = n_outer * n_inner
        values = np.column_stack(
            [
                np.repeat(self._drawn(name, n_outer), n_inner)
                if name in self._known
                else self._drawn(name, n)
                for name in self._samplers
            ]
        )
        found = np.asarray(self._net_benefit(values), np.float64)
        self.evaluations += n
        if found.ndim != 2 or len(found) != n or found.shape[1] == 0:
            raise ModelError(
                f"net benefit of {n} draws has the shape {found.shape}",
                where="net_benefit",
                mend="give [draw, strategy]",
            )
        if not np.isfinite(found).all():
            raise ModelError(
                "net benefit is not finite for some draws",
                where="net_benefit",
                mend="mend the function, or the samplers that lead it there",
            )
        return found.reshape(n_outer, n_inner, -1)

    def _drawn(self, name: str, n: int) -> Float:
        drawn = np.asarray(self._samplers[name](self._random, n), np.float64)
        if drawn.shape != (n,):
            raise ModelError(
                f"{n} draws have the shape {drawn.shape}",
                where=f"samplers, {name!r}",
                mend="give one number a draw",
            )
        return drawn


@dataclass
class _Level:
    """Sums over the outer samples of a level. Depth 0 is the EVPI, the others what is less.

    Attributes
    ----------
    total, squares : of the level's term; at depth 0 of the maximum.
    means, products : at depth 0, sums of each strategy's net benefit, and of its products with the
        others and with the maximum, last.
    """

    depth: int
    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    means: Float = field(default_factory=lambda: np.zeros(0))
    products: Float = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def cost(self) -> int:
        """Evaluations of an outer sample."""
        return 1 << self.depth

    @property
    def mean(self) -> float:
        """Mean of the level's term."""
        if self.depth:
            return self.total / self.n
        return self.total / self.n - float(self.means.max() / self.n)

    @property
    def variance(self) -> float:
        """Variance of the level's term between outer samples."""
        if self.depth:
            return max(0.0, self.squares / self.n - self.mean**2)
        best = int(self.means.argmax())
        square = self.squares + self.products[best, best] - 2 * self.products[best, -1]
        return max(0.0, float(square) / self.n - self.mean**2)

    def add(self, model: _Model, n: int) -> None:
        """Run `n` more outer samples."""
        while n > 0:
            now = min(n, max(1, AT_ONCE // self.cost))
            n -= now
            self._count(model.sample(now, self.cost))

    def _count(self, found: Float) -> None:
        if self.depth:
            halves = found.reshape(len(found), 2, self.cost // 2, -1).mean(axis=2)
            term = halves.max(axis=2).mean(axis=1) - halves.mean(axis=1).max(axis=1)
            self.n += len(term)
            self.total += float(term.sum())
            self.squares += float(term @ term)
            return
        benefit = found[:, 0]
        best = benefit.max(axis=1)
        if not self.n:
            self.means = np.zeros(benefit.shape[1])
            self.products = np.zeros((benefit.shape[1], benefit.shape[1] + 1))
        self.n += len(best)
        self.total += float(best.sum())
        self.squares += float(best @ best)
        self.means += benefit.sum(axis=0)
        self.products += benefit.T @ np.column_stack([benefit, best])


def _value(levels: Sequence[_Level]) -> tuple[float, float]:
    """EVPPI, and what is extrapolated for the levels that were not run."""
    inner = np.array([level.mean for level in levels[1:]])
    last = inner[-LEVELS:]
    falling = SLOWEST
    if (last > 0).all():
        falling = max(SLOWEST, -float(np.polyfit(np.arange(len(last)), np.log2(last), 1)[0]))
    rest = float(last[-1] / (2.0**falling - 1))
    return levels[0].mean - float(inner.sum()) - rest, rest


def _work(levels: list[_Level], model: _Model, aim: float, *, deeper: bool, spare: int) -> bool:
    """Add a level, or samples to those there are; whether the budget allowed anything."""
    new = _Level(len(levels))
    if deeper and new.depth <= DEEPEST and PILOT * new.cost <= spare:
        new.add(model, PILOT)
        levels.append(new)
        return True
    if spare <= 0:
        return False
    spread = np.array([level.variance for level in levels])
    cost = np.array([float(level.cost) for level in levels])
    n = np.array([float(level.n) for level in levels])
    whole, spent = np.sqrt(spread * cost).sum(), n @ cost
    if whole == 0:
        return False
    # half of the error's square, but at most what was spent: the aim itself is an estimate
    most = min(float(spare), spent)
    scale = (spent + most) / whole
    if aim > 0:
        scale = min(scale, 2 / aim**2 * whole)
    more = np.maximum(scale * np.sqrt(spread / cost) - n, 0)
    if more @ cost > most:
        more *= most / (more @ cost)
    more = np.floor(more)
    for level, count in zip(levels, more, strict=True):
        level.add(model, int(count))
    return bool(more.any())


def _check_request(relative_error: float, target: float, budget: int) -> None:
    if not 0 < relative_error < 1:
        raise ModelError(
            f"a relative error of {relative_error}",
            where="relative_error",
            mend="give a number between 0 and 1, e.g. 0.03",
        )
    if not 0 <= target < np.inf:
        raise ModelError(
            f"an error of {target}", where="target", mend="give an amount of 0 or more"
        )
    if not budget >= SMALLEST_BUDGET:
        raise ModelError(
            f"a budget of {budget} evaluations",
            where="budget",
            mend=f"allow at least {SMALLEST_BUDGET:,}",
        )
