"""Do the cohort and the individuals agree? Base case, every strategy, profile and payoff row.

Both engines run the same programs, so that the mean of a quantity over patients is that of the
cohort within Monte Carlo error. A z-score is the difference in standard errors. Of a quantity that
few patients have the number is compared instead, by the Poisson law (its z has the same tail
probability); one without spread is compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from qalyst.axes import Float, Int
from qalyst.engines.engine import Engine, Quantities, Shared, steady
from qalyst.engines.individuals import (
    Bound,
    IndividualsEngine,
    Sums,
    Wanted,
    clock_of_history,
    draw_keys,
    symmetric,
)
from qalyst.kernels import patient_layout as layout
from qalyst.model.evaluate import Evaluator
from qalyst.model.resolved import ResolvedModel
from qalyst.model.weights import DISCOUNTED
from qalyst.params.draws import BaseCase
from qalyst.simulation import Progress, check_request, engine_for, workers_of

LEVEL = 0.001  # family-wise: the chance that any comparison fails although all is well
LEAST_PATIENTS, MOST_PATIENTS, ALL_PATIENTS = 4_000, 100_000, 2_000_000
FEW = 100  # patients with a quantity, below which they are counted
EXACT = 1e-9  # relative, of a quantity without spread
NOBODY: Int = np.array([], np.int64)


@dataclass(frozen=True)
class Comparison:
    """One quantity in both engines.

    Attributes
    ----------
    kind : spread (a z-score), count (few patients have it), unseen (nobody had it), or exact (it
        has no spread).
    z : nan of an exact comparison.
    allowed : difference that is the cohort's own error of second order (`two`), and no part of z.
    """

    strategy: str
    profile: str
    row: str
    cohort: float
    individuals: float
    error: float
    kind: str
    z: float
    allowed: float = 0.0


@dataclass(frozen=True)
class Agreement:
    """All comparisons of a model.

    Attributes
    ----------
    limit : the greatest |z| that chance explains at the family-wise level.
    reason : why the model cannot be compared; None if it can.
    """

    patients: int
    level: float
    limit: float
    comparisons: tuple[Comparison, ...]
    reason: str | None = None

    @property
    def failed(self) -> tuple[Comparison, ...]:
        """Comparisons that chance does not explain, worst first."""
        wrong = [
            item
            for item in self.comparisons
            if (item.kind == "exact" and not _same(item)) or abs(item.z) > self.limit
        ]
        return tuple(sorted(wrong, key=lambda item: -abs(item.z)))


def compare_engines(
    model: ResolvedModel,
    *,
    patients: int | None = None,
    seed: int = 0,
    level: float = LEVEL,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Agreement:
    """Compare the individuals with the model's own engine.

    Parameters
    ----------
    patients : of each strategy and profile; None for as many as a few seconds allow.
    seed : of the luck of patients.
    level : family-wise error rate, divided by the number of comparisons (Bonferroni).
    progress : called with (profiles done, profiles).

    Raises
    ------
    ModelError
        A base case that cannot be run.
    """
    reason = _not_applicable(model)
    if reason is not None:
        return Agreement(0, level, np.nan, (), reason)
    check_request(seed=seed, threads=threads, patients=patients)
    engine = engine_for(model)
    workers = workers_of(threads)
    expected_of = _rows_of_cohort(engine, workers)
    allowed_of = _second_order(model, expected_of, workers)
    shared = Shared(model)
    profiles = len(shared.profiles)
    if patients is None:
        share = ALL_PATIENTS // (profiles * len(model.strategies))
        patients = min(max(share, LEAST_PATIENTS), MOST_PATIENTS)
    individuals = IndividualsEngine(shared, patients=patients, seed=seed)
    evaluate = shared.evaluator(BaseCase(model.parameters))
    everybody = individuals.bind(evaluate, NOBODY)
    largest = _largest(individuals, everybody.numbers[0])
    wanted = Wanted(moments=False, squares=True)
    found: list[Comparison] = []
    for profile in range(profiles):
        bound = _only(everybody, profile, seed)
        sums = individuals.follow(bound, wanted, threads=workers)
        for strategy in range(len(model.strategies)):
            program = strategy * profiles + profile
            both = expected_of[strategy, profile], allowed_of.get((strategy, profile), {})
            found += _compared(individuals, evaluate, sums, program, *both, largest)
        if progress is not None:
            progress(profile + 1, profiles)
    return Agreement(patients, level, _limit(level, found), tuple(found))


def _not_applicable(model: ResolvedModel) -> str | None:
    """Why there are no individuals to compare with; None if there are."""
    if model.occupancy:
        return "partitioned survival has no causes that patients could meet"
    clock = clock_of_history(model)
    if model.timing.events_per_cycle == "two" and clock is not None:
        return f"with two events per cycle no patient follows the clock '{clock}' of history"
    return None


def _rows_of_cohort(engine: Engine, threads: int) -> dict[tuple[int, int], dict[int, float]]:
    """Strategy and profile -> payoff row -> amount."""
    evaluate = engine.shared.evaluator(BaseCase(engine.shared.model.parameters))
    engine.shared.guards.check(evaluate, NOBODY)
    return {
        (program.strategy, program.profile): _by_row(engine.shared, evaluate, program)
        for program in engine.base(evaluate, threads)[0].programs
    }


def _second_order(
    model: ResolvedModel, rows: dict[tuple[int, int], dict[int, float]], threads: int
) -> dict[tuple[int, int], dict[int, float]]:
    """The error that halving the cycle predicts, 4/3 of what it changes (Richardson 1911).

    Only with two events per cycle; the others say exactly what patients do.
    """
    timing = model.timing
    if timing.events_per_cycle != "two":
        return {}
    halved = replace(timing, cycle=timing.cycle / 2, cycles=2 * timing.cycles)
    finer = _rows_of_cohort(engine_for(replace(model, timing=halved)), threads)
    return {
        key: {row: 4 / 3 * abs(amount - finer[key].get(row, 0.0)) for row, amount in own.items()}
        for key, own in rows.items()
    }


def _same(item: Comparison) -> bool:
    scale = max(abs(item.cohort), abs(item.individuals))
    return abs(item.cohort - item.individuals) <= item.allowed + EXACT * scale


def _limit(level: float, found: list[Comparison]) -> float:
    from scipy.stats import norm

    count = sum(not isnan(item.z) for item in found)
    return float(norm.isf(level / 2 / max(count, 1)))


def _only(bound: Bound, profile: int, seed: int) -> Bound:
    """Everybody has one profile, and each profile has luck of its own."""
    upto = np.zeros_like(bound.upto)
    upto[:, profile:] = 1.0
    return replace(bound, upto=upto, keys=draw_keys(seed, np.array([profile], np.int64)))


def _by_row(shared: Shared, evaluate: Evaluator, found: Quantities) -> dict[int, float]:
    """Payoff row -> its amount in the cohort, discounted."""
    amounts: dict[int, float] = {}
    for row, number in enumerate(found.cells):
        cell = shared.cells[number]
        value = float(found.amount[row, 0, 0] * shared.price(evaluate, cell)[0])
        amounts[cell.payoff] = amounts.get(cell.payoff, 0.0) + value
    return amounts


def _compared(
    engine: IndividualsEngine,
    evaluate: Evaluator,
    sums: Sums,
    program: int,
    expected: dict[int, float],
    allowances: dict[int, float],
    largest: Float,
) -> Iterator[Comparison]:
    """Every payoff row of a program."""
    shared = engine.shared
    model = shared.model
    strategy, profile = divmod(program, len(shared.profiles))
    labels = ", ".join(f"{name} {label}" for name, label in shared.profiles[profile].items())
    n = engine.patients
    products = symmetric(sums.squares[program])
    for payoff, worth in _worths(engine, evaluate, program).items():
        mean = float(sums.slots[0, program] @ worth) / n
        square = float(worth @ products @ worth) / n
        name = f"{model.payoffs[payoff].outcome}.{model.payoffs[payoff].name}"
        cohort = expected.get(payoff, 0.0)
        error = (max(square - mean**2, 0.0) / n) ** 0.5
        size = float(np.abs(worth * largest).max(initial=0.0))
        allowed = allowances.get(payoff, 0.0)
        near = cohort + min(max(mean - cohort, -allowed), allowed)
        kind, z = _z_score(mean, square, error, near, n, size)
        yield Comparison(
            list(model.strategies)[strategy],
            labels or "all",
            name,
            cohort,
            mean,
            error,
            kind,
            z,
            allowed,
        )


def _worths(engine: IndividualsEngine, evaluate: Evaluator, program: int) -> dict[int, Float]:
    """Payoff row -> what each slot of a program adds to its amount, discounted."""
    found: dict[int, Float] = {}
    slots = int(engine.patient_model.tables.shape[1])
    for item in engine.patient_model.worth[program]:
        if item.which == DISCOUNTED:
            worth = found.setdefault(item.cell.payoff, np.zeros(slots))
            price = engine.shared.price(evaluate, item.cell)
            worth[item.slot] += (steady(evaluate, item.coefficient) * price)[0]
    return found


def _largest(engine: IndividualsEngine, numbers: Float) -> Float:
    """[slot] the most that one stay or event adds to it."""
    tables = engine.patient_model.tables
    n = int(tables.shape[0])
    largest = np.zeros(int(tables.shape[1]))
    for term in tables.terms:
        whole = numbers[term[layout.WHOLE] :][: n + 1]
        most = abs(whole[-1] - whole[0]) if term[layout.MODE] == layout.POINTS else sum(abs(whole))
        largest[term[layout.SLOT]] = max(largest[term[layout.SLOT]], most)
    for slot, weight, _ in tables.passes:
        largest[slot] = max(largest[slot], abs(numbers[weight:][: n + 1]).max())
    return largest


def _z_score(
    mean: float, square: float, error: float, cohort: float, n: int, largest: float
) -> tuple[str, float]:
    """How a quantity was compared, and its z; `largest` is the most that one event adds to it."""
    from scipy.stats import norm, poisson

    if square == 0.0:
        if cohort == 0.0:
            return "exact", np.nan
        due = n * abs(cohort) / largest if largest > 0 else np.inf
        # At least so many events are due: as likely as this to see none of them.
        return "unseen", float(-norm.isf(np.exp(-due) / 2))
    if error * n**0.5 <= 1e-6 * abs(mean):
        return "exact", np.nan
    having = n * mean**2 / square
    if having >= FEW:
        return "spread", (mean - cohort) / error
    size = square / mean  # of the quantity, where somebody has it
    seen, due = n * mean / size, n * cohort / size
    if due <= 0.0:
        return "count", float(np.copysign(np.inf, mean - cohort))
    if seen > due:
        return "count", float(norm.isf(poisson.sf(np.ceil(seen) - 1, due)))
    return "count", float(-norm.isf(poisson.cdf(np.floor(seen), due)))
