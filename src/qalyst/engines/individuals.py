"""The individuals engine: patient by patient over the same programs as the cohort."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int
from qalyst.engines.engine import (
    Found,
    Luck,
    Quantities,
    Shared,
    TraceRow,
    quantities,
    steady,
)
from qalyst.errors import ModelError
from qalyst.kernels.patients import DEPTH, STORY_COLUMNS, run_patients
from qalyst.model.evaluate import Evaluator
from qalyst.model.lowering import lower
from qalyst.model.merging import merge
from qalyst.model.numbers import Numbers
from qalyst.model.patient_tables import PatientBuilder, PatientModel
from qalyst.model.resolved import ResolvedModel
from qalyst.model.weights import DISCOUNTED
from qalyst.stats.addresses import GOLDEN, mix64

BLOCK = 4096  # patients that are added up together, by number
BASE_DRAW = 0
BASE_PATIENTS = 100_000  # of the base case, at least
LIVES_AT_ONCE = 400_000  # patients times strategies of a chunk of draws


@dataclass
class Sums:
    """What is added up over the patients of some draws.

    Attributes
    ----------
    slots : [draw, program, slot] sums over patients.
    people : [draw, profile] how many patients.
    moments : [draw, 1 + total, 1 + total] sums of products of 1 and the patients' totals
        (strategy by strategy, outcome by outcome); the lower half.
    squares : [program, slot, slot] sums of products of slots, the lower half.
    trace : [strategy x place, n + 2] differences of the number of patients at points of time.
    totals : [draw, patient, strategy, outcome] discounted.
    story : [row, column] stays; see `kernels.patients`.
    """

    slots: Float
    people: Int
    moments: Float
    squares: Float
    trace: Int
    totals: Float
    story: Float


@dataclass(frozen=True)
class Wanted:
    """What is kept besides sums of slots; the rest costs nothing."""

    moments: bool = True
    squares: bool = False
    trace: bool = False
    totals: bool = False
    story: bool = False


class IndividualsEngine:
    """Runs patients through the programs of a model.

    Parameters
    ----------
    shared : what the programs of the model share.
    patients : how many in each draw.
    seed : of the luck of patients.
    luck : `plain`; `antithetic`: patients 2 k and 2 k + 1 share theirs, mirrored; `quasi`: the
        first thresholds of each clock are points of a Sobol sequence, shifted in each draw.

    Raises
    ------
    ModelError
        A model without states and causes (partitioned survival), one with two events per cycle
        and a clock of history, no patients, or a history too large to follow.
    """

    together = 1

    def __init__(self, shared: Shared, *, patients: int, seed: int, luck: Luck = "plain") -> None:
        model = shared.model
        if model.occupancy:
            raise ModelError(
                f"'{model.name}' gives shares of states, not causes of leaving them",
                where=f"{model.file}  occupancy",
                mend="individuals need `transitions:`; partitioned survival has its own engine",
            )
        clock = clock_of_history(model)
        if model.timing.events_per_cycle == "two" and clock is not None:
            raise ModelError(
                "with two events per cycle patients move at any moment, and the clock "
                f"'{clock}' of their history ticks from cycle to cycle",
                where=f"{model.timing.where}  time.events_per_cycle",
                mend="use `one`, or the cohort engine",
            )
        if patients < 1:
            raise ModelError(
                f"{patients} patients are none",
                where="patients",
                mend="ask for 1 or more; 1,000 in each draw are usual",
            )
        self.shared, self.patients, self.seed, self.luck = shared, patients, seed, luck
        self.reached: dict[str, int] = {}
        self.patient_model = self._lower()
        for worth in self.patient_model.worth:
            for item in worth:
                shared.number(item.cell)

    def _lower(self) -> PatientModel:
        shared = self.shared
        make = shared.partial.residuals
        numbers = Numbers(shared.static, shared.model.timing.cycles)
        builder = PatientBuilder(shared.model, make, shared.weights, numbers)
        for strategy in shared.model.strategies:
            for profile in shared.profiles:
                program = lower(shared.partial, strategy, profile, by_moments=True)
                shared.guards.add(program.guards)
                merged = merge(program, make, by_state=True)
                most = max(self.reached.get(strategy, 0), len(merged.compartments))
                self.reached[strategy] = most
                builder.add(merged)
        return builder.build()

    def chunk_size(self, draws: int) -> int:
        """How many draws go through together: so many that progress is seen."""
        lives = self.patients * len(self.shared.model.strategies)
        return int(np.clip(LIVES_AT_ONCE // lives, 1, max(draws // 8, 1)))

    def run(self, evaluate: Evaluator, draws: Int, threads: int = 1) -> Found:
        """Quantities of every program, for the patients of some draws."""
        sums = self.follow(self.bind(evaluate, draws), Wanted(), threads=threads)
        return self._found(evaluate, sums, self.patients)

    def base(self, evaluate: Evaluator, threads: int) -> tuple[Found, list[TraceRow]]:
        """The base case, of more patients than a draw has, and the share of them in each state."""
        patients = max(self.patients, BASE_PATIENTS)
        bound = self.bind(evaluate, np.array([], np.int64))
        sums = self.follow(bound, Wanted(trace=True), threads=threads, patients=patients)
        places = self.patient_model.places
        present = np.cumsum(sums.trace, axis=1)[:, :-1] / patients
        rows = [
            TraceRow(strategy, *place, present[s * len(places) + p])
            for s, strategy in enumerate(self.shared.model.strategies)
            for p, place in enumerate(places)
        ]
        return self._found(evaluate, sums, patients), rows

    def _found(self, evaluate: Evaluator, sums: Sums, patients: int) -> Found:
        programs = list(self.quantities(evaluate, sums))
        return Found(programs, sums.people.T / patients, _covariance(sums.moments), patients)

    # -- the patients of some draws

    def bind(self, evaluate: Evaluator, draws: Int) -> Bound:
        """What the kernel reads, for some draws; no draws: the base case."""
        shared, patient_model = self.shared, self.patient_model
        count = max(len(draws), 1)
        numbered = draws if len(draws) else np.array([BASE_DRAW], np.int64)
        weights = np.broadcast_to(shared.profile_weights(evaluate), (len(shared.profiles), count))
        outcomes = list(shared.model.outcomes)
        tables = patient_model.tables
        values = np.zeros((count, len(tables.begin), int(tables.shape[1]), len(outcomes)))
        for program, worth in enumerate(patient_model.worth):
            for item in worth:
                if item.which == DISCOUNTED:
                    outcome = outcomes.index(shared.model.payoffs[item.cell.payoff].outcome)
                    price = shared.price(evaluate, item.cell)
                    worth_of_one = price * steady(evaluate, item.coefficient)
                    values[:, program, item.slot, outcome] += worth_of_one
        return Bound(
            numbers=patient_model.numbers.bind(evaluate, count),
            keys=draw_keys(self.seed, numbered),
            upto=np.cumsum(weights, axis=0).T.copy(),
            values=values,
        )

    def follow(
        self, bound: Bound, wanted: Wanted, *, threads: int = 1, patients: int | None = None
    ) -> Sums:
        """Run all patients, block by block; blocks are added in their order."""
        count = self.patients if patients is None else patients
        blocks = range(0, count, BLOCK)

        def work(first: int) -> Sums:
            return self.block(bound, wanted, first, min(BLOCK, count - first))

        if threads > 1 and len(blocks) > 1:
            with ThreadPoolExecutor(threads) as pool:
                return added_up(pool.map(work, blocks))
        return added_up(map(work, blocks))

    def block(
        self,
        bound: Bound,
        wanted: Wanted,
        first: int,
        count: int,
        chunk: int = BLOCK,
    ) -> Sums:
        """Some patients of every draw; in chunks, which change no bit."""
        sums = self._nothing(bound, wanted, count)
        for begin in range(0, count, chunk):
            these = min(chunk, count - begin)
            self._run(bound, sums, sums.totals[:, begin : begin + these], first + begin, these)
        if wanted.story:
            sums.story = self._stories(bound, first, count)
        return sums

    def _nothing(self, bound: Bound, wanted: Wanted, count: int) -> Sums:
        """Sums of nobody."""
        draws, (programs, slots, outcomes) = len(bound.keys), bound.values.shape[1:]
        strategies = programs // bound.upto.shape[1]
        size = 1 + strategies * outcomes
        points = int(self.patient_model.tables.shape[0]) + 2
        rows = strategies * len(self.patient_model.places)
        return Sums(
            slots=np.zeros((draws, programs, slots)),
            people=np.zeros((draws, bound.upto.shape[1]), np.int64),
            moments=np.zeros((draws if wanted.moments else 0, size, size)),
            squares=np.zeros((programs if wanted.squares else 0, slots, slots)),
            trace=np.zeros((rows if wanted.trace else 0, points), np.int64),
            totals=np.zeros((draws if wanted.totals else 0, count, strategies, outcomes)),
            story=np.zeros((0, STORY_COLUMNS)),
        )

    def _run(self, bound: Bound, sums: Sums, totals: Float, first: int, count: int) -> int:
        tables = self.patient_model.tables
        causes, (_, slots, outcomes) = len(tables.purposes), bound.values.shape[1:]
        points, shifts = self._points(bound, first, count)
        totals_of_patient = len(tables.begin) // bound.upto.shape[1] * outcomes
        work = (
            np.zeros(causes),
            np.zeros(causes, np.int64),
            np.zeros(slots),
            np.zeros(1 + totals_of_patient),
        )
        return int(
            run_patients(
                tables, bound.numbers, bound.keys, bound.upto, bound.values, first, count,
                int(self.luck == "antithetic"), points, shifts, *work, sums.slots, sums.people,
                sums.moments, sums.squares, sums.trace, totals, sums.story,
            )
        )  # fmt: skip

    def _points(self, bound: Bound, first: int, count: int) -> tuple[Float, Float]:
        """Quasi-random numbers of some patients, and the shifts of their draws."""
        if self.luck != "quasi":
            return np.zeros((1, 0)), np.zeros((len(bound.keys), 0))
        from scipy.stats import qmc

        size = DEPTH * len(self.patient_model.causes)
        sequence = qmc.Sobol(size, scramble=False)
        block = first - first % BLOCK
        if block:
            sequence.fast_forward(block)
        points = sequence.random(BLOCK)[first - block : first - block + count]
        address = np.arange(1, size + 1, dtype=np.uint64)
        bits = mix64(mix64(bound.keys)[:, None] + address * GOLDEN) >> np.uint64(11)
        return np.asarray(points), np.asarray((bits + 0.5) * 2.0**-53, float)

    def _stories(self, bound: Bound, first: int, count: int) -> Float:
        """The stays of some patients: told again if there were more than expected."""
        nothing = self._nothing(bound, Wanted(moments=False), count)
        room = 8 * count * len(self.shared.model.strategies) * len(bound.keys)
        while True:
            nothing.story = np.zeros((room, STORY_COLUMNS))
            told = self._run(bound, nothing, nothing.totals, first, count)
            if told <= room:
                return nothing.story[:told]
            room = told

    # -- results

    def quantities(self, evaluate: Evaluator, sums: Sums) -> Iterator[Quantities]:
        """Mean quantities of the patients of each program."""
        profiles = len(self.shared.profiles)
        people = np.maximum(sums.people, 1)
        for program, worth in enumerate(self.patient_model.worth):
            profile = program % profiles
            means = sums.slots[:, program] / people[:, profile, None]
            amounts: dict[int, Float] = {}
            for item in worth:
                cell = self.shared.number(item.cell)
                if cell not in amounts:
                    amounts[cell] = np.zeros((self.shared.weights.count, len(means)))
                amount = means[:, item.slot] * steady(evaluate, item.coefficient)
                amounts[cell][item.which] += amount
            yield quantities(self.shared, program, amounts, len(means))


def clock_of_history(model: ResolvedModel) -> str | None:
    """A tracker that counts time; None if there is none."""
    return next((name for name, each in model.trackers.items() if each.kind != "count"), None)


@dataclass(frozen=True)
class Bound:
    """What the kernel reads for some draws; see `kernels.patients.run_patients`."""

    numbers: Float
    keys: NDArray[np.uint64]
    upto: Float
    values: Float


def draw_keys(seed: int, draws: Int) -> NDArray[np.uint64]:
    """[draw] keys of the luck of a draw's patients."""
    start = mix64(np.array([seed], np.uint64) * GOLDEN + np.uint64(1))
    return mix64(start + draws.astype(np.uint64) * GOLDEN)


def symmetric(lower: Float) -> Float:
    """[..., n, n] a symmetric matrix of its lower half, which is all that the kernel fills."""
    return np.tril(lower) + np.swapaxes(np.tril(lower, -1), -1, -2)


def _covariance(moments: Float) -> Float:
    """[draw, total, total] covariance between patients, of sums of products of (1, totals)."""
    whole = symmetric(moments)
    count = whole[:, :1, :1]
    mean = whole[:, 1:, :1] / count
    spread = whole[:, 1:, 1:] / count - mean * np.swapaxes(mean, 1, 2)
    return np.asarray(spread * count / np.maximum(count - 1, 1))


def added_up(parts: Iterator[Sums]) -> Sums:
    """Sums of blocks in their order; patients and stories one after another."""
    whole = next(parts)
    for part in parts:
        whole.slots += part.slots
        whole.people += part.people
        whole.moments += part.moments
        whole.squares += part.squares
        whole.trace += part.trace
        whole.totals = np.concatenate([whole.totals, part.totals], axis=1)
        whole.story = np.concatenate([whole.story, part.story])
    return whole
