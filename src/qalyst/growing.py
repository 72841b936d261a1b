"""Draws that go on until the Monte Carlo error of every incremental net benefit is small enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from qalyst.axes import DRAW
from qalyst.decision.replicates import error_of_mean
from qalyst.engines.engine import Engine
from qalyst.errors import ModelError
from qalyst.io.store import ChunkStore
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import Outcomes
from qalyst.simulation import Progress, check_request, design_for, simulate
from qalyst.stats.designs import REPLICATES, Design, Sampling

FIRST_DRAWS, MOST_DRAWS = 1_000, 1_000_000


@dataclass(frozen=True)
class Tolerance:
    """The largest Monte Carlo standard error of an incremental net benefit that is small enough.

    Attributes
    ----------
    text : as the user wrote it: ``500`` or ``0.5%``.
    money : an amount in the model's money; None if it is a share.
    share : of each threshold: 0.005 is half a percent of what a unit of effect is worth, that is an
        error of 0.005 units of net health benefit.
    """

    text: str
    money: float | None
    share: float | None

    def amount(self, wtp: float) -> float:
        """The error that is allowed at a threshold, money."""
        return self.money if self.money is not None else (self.share or 0.0) * wtp


@dataclass(frozen=True)
class Precision:
    """The largest error at a threshold beside what is allowed, money."""

    wtp: float
    error: float
    allowed: float

    @property
    def holds(self) -> bool:
        """Whether the error is small enough."""
        return self.error <= self.allowed


def tolerance(text: str) -> Tolerance:
    """Read ``500`` (money) or ``0.5%`` (of each threshold).

    Raises
    ------
    ModelError
        Anything else, or nothing above 0.

    Examples
    --------
    >>> tolerance("0.5%").amount(20_000), tolerance("500").amount(20_000)
    (100.0, 500.0)
    """
    plain = text.strip().replace(",", "")
    try:
        number = float(plain.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise ModelError(
            f"'{text}' is no Monte Carlo error",
            where=f"command line  --until {text}",
            mend="write an amount of money (500), or a share of each threshold (0.5%)",
        )
    if plain.endswith("%"):
        return Tolerance(text, None, number / 100)
    return Tolerance(text, number, None)


def simulate_until(
    model: ResolvedModel,
    wanted: Tolerance,
    *,
    seed: int,
    most: int = MOST_DRAWS,
    sampling: Sampling = "random",
    replicates: int = REPLICATES,
    threads: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
    store: ChunkStore | None = None,
) -> tuple[Outcomes, Design | None, tuple[Precision, ...]]:
    """The probabilistic analysis with as many draws as a tolerance takes.

    Draws are doubled until the standard error of every incremental net benefit is small enough at
    every threshold, or `most` is reached. The outcomes are those of `simulate` with the final
    number, bit for bit.

    Parameters
    ----------
    model : the resolved model.
    wanted : the tolerance; see `tolerance`.
    seed, threads, engine, progress, store : see `simulate`.
    most : draws; the last doubling stops there.
    sampling, replicates : see `design_for`.

    Raises
    ------
    ModelError
        No strategies to compare at a threshold, a threshold of 0 alone of which there is no share,
        or Latin hypercubes, which cannot grow.
    """
    check_request(draws=most, seed=seed, threads=threads)
    _check(model, wanted, sampling)
    draws = first_draws(sampling, replicates, most)
    while True:
        design = design_for(model, sampling, seed=seed, draws=draws, replicates=replicates)
        outcomes = simulate(
            model,
            draws=draws,
            seed=seed,
            threads=threads,
            engine=engine,
            progress=progress,
            store=store,
            design=design,
        )
        found = precision(model, outcomes, wanted, 1 if design is None else design.replicates)
        following = min(2 * draws, most) if sampling == "random" else 2 * draws
        if all(each.holds for each in found) or following > most or following == draws:
            return outcomes, design, found
        draws = following


def first_draws(sampling: Sampling, replicates: int, most: int) -> int:
    """Draws of the first round: 1,000, or the least whole replicates of a power of two above."""
    if sampling == "random":
        return min(FIRST_DRAWS, most)
    draws = replicates
    while draws < FIRST_DRAWS and 2 * draws <= most:
        draws *= 2
    return draws


def precision(
    model: ResolvedModel, outcomes: Outcomes, wanted: Tolerance, replicates: int
) -> tuple[Precision, ...]:
    """The largest error of an incremental net benefit at each threshold of the model.

    Increments are against the strategy with the lowest mean cost.
    """
    assert model.decision.cost is not None
    assert model.decision.effect is not None
    cost = outcomes.total(model.decision.cost).transpose(DRAW, ...).to_numpy()
    effect = outcomes.total(model.decision.effect).transpose(DRAW, ...).to_numpy()
    base = int(np.lexsort((-effect.mean(axis=0), cost.mean(axis=0)))[0])
    spent, gained = cost - cost[:, base, None], effect - effect[:, base, None]
    found = []
    for wtp in model.decision.thresholds:
        error = float(error_of_mean(wtp * gained - spent, replicates).max())
        found.append(Precision(float(wtp), error, wanted.amount(wtp)))
    return tuple(found)


def _check(model: ResolvedModel, wanted: Tolerance, sampling: Sampling) -> None:
    where = f"command line  --until {wanted.text}"
    decision = model.decision
    if decision.cost is None or decision.effect is None or len(model.strategies) < 2:
        raise ModelError(
            f"'{model.name}' has no incremental net benefit: it takes two strategies, a cost "
            "and an effect",
            where=where,
            mend="ask for --draws",
        )
    if not decision.thresholds:
        raise ModelError(
            f"'{model.name}' names no threshold",
            where=where,
            mend="write `decision: {thresholds: [...]}` in the model, or ask for --draws",
        )
    if wanted.share is not None and min(decision.thresholds) == 0:
        raise ModelError(
            "there is no share of a threshold of 0",
            where=where,
            mend="write an amount of money, such as 500",
        )
    if sampling == "latin":
        raise ModelError(
            "Latin hypercubes cannot grow: every stratum changes with the number of draws",
            where=f"{where} --sampling latin",
            mend="sample by random or sobol, or ask for --draws",
        )
