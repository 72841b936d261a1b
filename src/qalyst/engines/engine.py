"""What every cohort engine gives: quantities by program, and the trace of the base case."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from qalyst.axes import Float, Int
from qalyst.errors import ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.guards import GuardKeeper
from qalyst.model.partial import PartialEvaluator
from qalyst.model.program import Cell
from qalyst.model.residual import Residual
from qalyst.model.resolved import Label, ResolvedModel
from qalyst.model.sampled import SampledPatients
from qalyst.model.weights import Weights
from qalyst.outcomes import Rates
from qalyst.params.draws import Values

Luck: TypeAlias = Literal["plain", "antithetic", "quasi"]  # of patients
LEAST_CHUNK = 128  # the lanes of the cohort kernel; chunks are a multiple of it
SMALL_CHUNK, LARGE_CHUNK, FEW_PROGRAMS = 256, 1024, 16


@dataclass(frozen=True)
class Quantities:
    """Quantities of one strategy and profile.

    Attributes
    ----------
    strategy, profile : indices.
    cells : [cell] indices into the engine's `cells`.
    amount : [cell, rates, draw] discounted, undiscounted, and at each of the other rates.
    """

    strategy: int
    profile: int
    cells: tuple[int, ...]
    amount: Float


@dataclass(frozen=True)
class TraceRow:
    """Occupancy of one state (on one line) of a strategy over the points of time.

    Attributes
    ----------
    occupancy : [n + 1], averaged over profiles.
    """

    strategy: str
    state: str
    line: int
    occupancy: Float


@dataclass(frozen=True)
class Found:
    """What an engine found for some draws.

    Attributes
    ----------
    programs : quantities of every strategy and profile.
    weights : [profile, draw] shares of the profiles among the patients that were run; None if the
        model's own weights hold.
    between : [draw, total, total] covariance between patients of their totals; None without them.
    patients : how many in each draw; 0 for a cohort.
    """

    programs: Iterable[Quantities]
    weights: Float | None = None
    between: Float | None = None
    patients: int = 0


class Engine(Protocol):
    """A way to run a model: prepared once, run for any draws."""

    shared: Shared
    patients: int  # of each draw; 0 for a cohort
    together: int  # draws that go through side by side

    def run(self, evaluate: Evaluator, draws: Int, threads: int = 1) -> Found:
        """What every program gives for some draws, on so many threads if the engine uses them."""

    def base(self, evaluate: Evaluator, threads: int) -> tuple[Found, list[TraceRow]]:
        """The base case, and the occupancy of every state, on so many threads."""

    def chunk_size(self, draws: int) -> int:
        """How many draws go through together; it changes no bit."""

    @property
    def reached(self) -> dict[str, int]:
        """Strategy -> compartments that the engine carries for one profile."""


def chunk_of_lanes(shared: Shared, draws: int) -> int:
    """Draws that go through a cohort together: no more than an eighth, so that threads share them.

    A small model goes through in larger chunks, since what is done once a chunk weighs more; a
    large one in smaller, so that its progress is seen.
    """
    programs = len(shared.model.strategies) * len(shared.profiles)
    most = LARGE_CHUNK if programs <= FEW_PROGRAMS else SMALL_CHUNK
    return min(max(draws // 8 // LEAST_CHUNK, 1) * LEAST_CHUNK, most)


@dataclass
class Shared:
    """What the programs of a model share: residuals, weights, profiles, cells, guards.

    Attributes
    ----------
    rates : discount rates besides the model's own and none.
    profiles : what is known in the programs of a strategy: each profile for each of its patients.
    sampled : how many patients stand for a profile; 1 without attributes.
    """

    model: ResolvedModel
    rates: tuple[Rates, ...] = ()
    partial: PartialEvaluator = field(init=False)
    weights: Weights = field(init=False)
    static: Evaluator = field(init=False)
    profiles: list[dict[str, Any]] = field(init=False)
    sampled: int = field(init=False)
    cells: list[Cell] = field(default_factory=list)
    guards: GuardKeeper = field(init=False)
    _numbers: dict[tuple[int, str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.partial = PartialEvaluator(self.model)
        self.weights = Weights(self.model, self.partial, self.rates)
        self.static = self.evaluator(None)
        self._profile_weights = _profile_weights(self.partial)
        patients = SampledPatients(self.partial, self.static)
        self.sampled = patients.count
        self.profiles = [
            patient for profile, _ in self._profile_weights for patient in patients.of(profile)
        ]
        self.guards = GuardKeeper(self.partial.residuals, self.model)

    def evaluator(self, values: Values | None) -> Evaluator:
        """Reads residuals for some draws."""
        timing = self.model.timing
        return Evaluator(self.model.parameters, values, timing.cycle, timing.cycles)

    def number(self, cell: Cell) -> int:
        """Index of a cell; a new one is added."""
        key = (cell.payoff, cell.state, cell.price.index)
        if key not in self._numbers:
            self._numbers[key] = len(self.cells)
            self.cells.append(cell)
        return self._numbers[key]

    @property
    def labels(self) -> list[dict[str, Label]]:
        """The labels of each profile, as results are told."""
        return [profile for profile, _ in self._profile_weights]

    def profile_weights(self, evaluate: Evaluator) -> Float:
        """[profile, draw] weights of the profiles, shared out among their patients.

        Raises
        ------
        ModelError
            Weights that are negative or do not sum to 1.
        """
        found = [evaluate(weight)[0, 0] for _, weight in self._profile_weights]
        weights = np.stack(np.broadcast_arrays(*found)).astype(float)
        total = weights.sum(axis=0)
        if not ((np.abs(total - 1) < 1e-9).all() and (weights >= -1e-12).all()):
            worst = int(np.argmax(np.abs(total - 1)))
            raise ModelError(
                f"the weights of the profiles sum to {total[worst]:.6g}"
                + (", one is negative" if (weights < 0).any() else ""),
                where=_profiles_at(self.model),
                mend="the weights of each dimension sum to 1 (in every draw)",
            )
        return np.repeat(weights / self.sampled, self.sampled, axis=0)

    def price(self, evaluate: Evaluator, cell: Cell) -> Float:
        """[draw] price of a cell."""
        return steady(evaluate, cell.price)


def steady(evaluate: Evaluator, node: Residual) -> Float:
    """[draw] a value that is the same in every cycle."""
    return np.asarray(evaluate(node)[0, 0], dtype=float)


def quantities(shared: Shared, number: int, amounts: Mapping[int, Float], count: int) -> Quantities:
    """Quantities of a program.

    Parameters
    ----------
    shared : what the programs share.
    number : of the program: strategies in order, their profiles in order.
    amounts : cell -> [rates, draw].
    count : how many draws.
    """
    amount = np.zeros((len(amounts), shared.weights.count, count))
    for row, found in enumerate(amounts.values()):
        amount[row] = found
    strategy, profile = divmod(number, len(shared.profiles))
    return Quantities(strategy, profile, tuple(amounts), amount)


def _profiles_at(model: ResolvedModel) -> str:
    weights = [next(iter(each.weights.values())) for each in model.dimensions.values()]
    return weights[0].where if weights else model.file


def _profile_weights(partial: PartialEvaluator) -> list[tuple[dict[str, Label], Residual]]:
    """Profiles that can occur, with their weights: a weight may use dimensions above it."""
    make = partial.residuals
    found: list[tuple[dict[str, Label], Residual]] = [({}, make.one)]
    for dimension in partial.model.dimensions.values():
        crossed = []
        for (profile, weight), label in itertools.product(found, dimension.labels):
            own = partial.value(dimension.weights[label], profile)
            both = make.times(weight, own)
            if not both.is_number(0):
                crossed.append(({**profile, dimension.name: label}, both))
        found = crossed
    if not found:
        raise ModelError(
            "no profile has a weight above 0",
            where=_profiles_at(partial.model),
            mend="give weights that sum to 1",
        )
    return found
