"""Speed of the patient kernel beside a hand-written one, numpy, and a loop of random numbers.

    python benchmarks/individuals.py [--quick]

`README.md` says what is measured and what the columns mean.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

from qalyst import load_model
from qalyst.engines.engine import Shared
from qalyst.engines.individuals import Bound, IndividualsEngine, Wanted
from qalyst.kernels import patient_layout as layout
from qalyst.kernels.chance import exponential, patient_key, uniform
from qalyst.kernels.patients import run_patients
from qalyst.params.draws import BaseCase, Draws

HERE = Path(__file__).parent
SEED = 20261124
NOBODY = np.array([], np.int64)
TURNS = 5
COUNTED = 400  # patients of whom random numbers are counted


# ---- the hand-written kernel


@numba.njit(error_model="numpy")
def sick_sicker(rates, cumulated, weights, keys, patients, worth, out):
    """Sick-Sicker event by event: what one would write for this model and no other.

    rates [draw, (sicken, recover, worsen, hr, hr sick, hr sicker)]; cumulated [n + 1] hazard of
    death; weights [n + 2] cumulated discount times correction; worth [draw, strategy, state, 2];
    out [draw, strategy, 2] sums; the random numbers used are returned.
    """
    n = cumulated.shape[0] - 1
    used = 0
    for d in range(rates.shape[0]):
        sicken, recover, worsen, hr, hr_sick, hr_sicker = rates[d]
        for p in range(patients):
            key = patient_key(keys[d], p)
            for s in range(4):
                worse = worsen * hr if s >= 2 else worsen
                state, t, k = 0, 0, 0
                cost = effect = 0.0
                while True:
                    ratio = 1.0 if state == 0 else (hr_sick if state == 1 else hr_sicker)
                    best, to = float(n - t), -1
                    need = cumulated[t] + exponential(key, 1, k, False) / ratio
                    k += 1
                    if need < cumulated[n]:
                        low, width = t, n - t
                        while width > 1:
                            half = width >> 1
                            low = low + half if cumulated[low + half] <= need else low
                            width -= half
                        step = cumulated[low + 1] - cumulated[low]
                        best, to = low + (need - cumulated[low]) / step - t, 3
                    if state == 0:
                        after = exponential(key, 2, k, False) / sicken
                        k += 1
                        if after < best:
                            best, to = after, 1
                    elif state == 1:
                        after = exponential(key, 3, k, False) / (recover + worse)
                        k += 1
                        if after < best:
                            best = after
                            to = 0 if uniform(key, 4, k) * (recover + worse) < recover else 2
                            k += 1
                    until = n + 1 if to < 0 else int(t + best) + 1
                    weight = weights[until] - weights[t]
                    cost += weight * worth[d, s, state, 0]
                    effect += weight * worth[d, s, state, 1]
                    if to < 0 or to == 3:
                        break
                    t, state = until, to
                    if t >= n:
                        last = weights[n + 1] - weights[n]
                        cost += last * worth[d, s, state, 0]
                        effect += last * worth[d, s, state, 1]
                        break
                out[d, s, 0] += cost
                out[d, s, 1] += effect
                used += k
    return used


@numba.njit(error_model="numpy")
def random_loop(keys, patients, exponentials, uniforms):
    """The limit: so many random numbers for each patient, and nothing else."""
    total = 0.0
    for d in range(keys.shape[0]):
        for p in range(patients):
            key = patient_key(keys[d], p)
            for k in range(exponentials):
                total += exponential(key, 1, k, False)
            for k in range(uniforms):
                total += uniform(key, 2, k)
    return total


# ---- numpy, cycle by cycle


def per_cycle(engine: IndividualsEngine, bound: Bound, patients: int, seed: int) -> np.ndarray:
    """The usual way in numpy: all patients step from cycle to cycle; mean totals [strategy].

    It reads the index tables of the product, so that it runs any model of rates and chance nodes.
    Only life years are added up, which favours it.
    """
    t, numbers = engine.patient_model.tables, bound.numbers[0]
    n, profiles = int(t.shape[0]), bound.upto.shape[1]
    random = np.random.default_rng(seed)
    means = []
    for strategy in range(len(t.begin) // profiles):
        profile = np.searchsorted(bound.upto[0], random.random(patients))
        place = t.begin[strategy * profiles + np.minimum(profile, profiles - 1)]
        place = through_nodes(t, numbers, place, 0, random)
        since = np.zeros(patients, np.int64)
        years = np.zeros(patients)
        for cycle in range(n):
            to = np.full(patients, -1 << 40)
            u, total = random.random(patients), np.zeros(patients)
            low, high = (t.compartments[place, c] for c in (layout.ROW_LOW, layout.ROW_HIGH))
            years += low < high
            hazards = []
            for k in range(int((high - low).max())):
                row = np.minimum(low + k, len(t.rows) - 1)
                hazard = np.where(low + k < high, value_of(t, numbers, row, cycle, since), 0.0)
                hazards.append((row, hazard))
                total += hazard
            leaving = -np.expm1(-total)
            reached = np.zeros(patients)
            for row, hazard in hazards:
                before = reached.copy()
                reached += leaving * np.divide(
                    hazard, total, out=np.zeros(patients), where=total > 0
                )
                to = np.where((u >= before) & (u < reached), t.rows[row, layout.TO], to)
            moves = to > -1 << 40
            to = through_nodes(t, numbers, np.where(moves, to, place), cycle, random)
            since = np.where(moves, cycle + 1, since)
            place = to
        means.append(years.mean() * t.cycle[0])
    return np.array(means)


def value_of(t: Any, numbers: np.ndarray, row: np.ndarray, cycle: int, since: np.ndarray) -> Any:
    """The hazards of rows, one a patient, in a cycle."""
    kind, table = t.rows[row, layout.KIND], t.rows[row, layout.TABLE]
    factor = numbers[t.rows[row, layout.FACTOR]]
    x = cycle - since
    running = np.where(kind == layout.BY_CALENDAR, cycle, x)
    last = len(numbers) - 1
    step = (
        numbers[np.minimum(table + running + 1, last)] - numbers[np.minimum(table + running, last)]
    )
    cells = table + t.maps[t.rows[row, layout.MAP], cycle]
    cells = cells + np.minimum(x, t.rows[row, layout.BINS] - 1)
    both = numbers[
        np.minimum(t.rows[row, layout.FACTOR] + t.rows[row, layout.STRIDE] * cycle, last)
    ]
    both = both * numbers[np.minimum(cells, last)]
    return np.select(
        [kind == layout.CONSTANT, kind == layout.BY_BOTH], [factor, both], factor * step
    )


def through_nodes(
    t: Any, numbers: np.ndarray, to: np.ndarray, cycle: int, random: np.random.Generator
) -> np.ndarray:
    """On through chance nodes until everybody is where time is spent."""
    to = to.copy()
    while (to < 0).any():
        here = np.flatnonzero(to < 0)
        node = -1 - to[here]
        low, high = t.nodes[node, layout.BRANCH_LOW], t.nodes[node, layout.BRANCH_HIGH]
        taken = high - 1
        u, upto = random.random(len(here)), np.zeros(len(here))
        open_ = np.ones(len(here), bool)
        for k in range(int((high - low).max()) - 1):
            branch = np.minimum(low + k, high - 1)
            at = t.branches[branch, layout.FACTOR] + t.branches[branch, layout.STRIDE] * cycle
            upto = upto + np.where(low + k < high - 1, numbers[at], 0.0)
            found = open_ & (u < upto) & (low + k < high - 1)
            taken = np.where(found, branch, taken)
            open_ &= ~found
        to[here] = t.branches[taken, layout.TO]
    return to


# ---- measuring


def least(work: Callable[[], object], turns: int) -> float:
    """Least CPU seconds of some turns."""
    found = math.inf
    for _ in range(turns):
        begin = time.process_time()
        work()
        found = min(found, time.process_time() - begin)
    return found


def numbers_drawn(engine: IndividualsEngine, bound: Bound) -> tuple[float, float]:
    """Exponential and uniform numbers of a patient and strategy, on average."""
    tables = engine.patient_model.tables
    profiles, strategies = bound.upto.shape[1], len(engine.shared.model.strategies)
    clocks = set(tables.rows[:, layout.CAUSE].tolist())
    shape = bound.values.shape
    exponentials = uniforms = 0.0
    for strategy in range(strategies):
        here = slice(strategy * profiles, (strategy + 1) * profiles)
        own = tables._replace(begin=tables.begin[here])
        for patient in range(COUNTED):
            counts = np.zeros(len(tables.purposes), np.int64)
            run_patients(
                own, bound.numbers[:1], bound.keys[:1], bound.upto[:1], bound.values[:1, here],
                patient, 1, 0, np.zeros((1, 0)), np.zeros((1, 0)), np.zeros(len(counts)), counts,
                np.zeros(shape[2]),
                np.zeros(1 + shape[3]), np.zeros((1, profiles, shape[2])),
                np.zeros((1, profiles), np.int64), np.zeros((0, 0, 0)), np.zeros((0, 0, 0)),
                np.zeros((0, 0), np.int64), np.zeros((0, 0, 0, 0)), np.zeros((0, 6)),
            )  # fmt: skip
            drawn = [(counts[c], c in clocks) for c in range(len(counts))]
            exponentials += sum(k for k, is_clock in drawn if is_clock)
            uniforms += sum(k for k, is_clock in drawn if not is_clock)
    count = COUNTED * strategies
    return exponentials / count, uniforms / count + 1 / strategies  # and the profile


def living_cycles(engine: IndividualsEngine, bound: Bound) -> float:
    """Cycles of a patient and strategy that are begun in a state which can be left."""
    few = Bound(bound.numbers[:1], bound.keys[:1], bound.upto[:1], bound.values[:1])
    sums = engine.block(few, Wanted(moments=False, trace=True), 0, 4096)
    present = np.cumsum(sums.trace, axis=1)[:, :-2]
    states = engine.shared.model.states
    alive = [not states[state].absorbing for state, _ in engine.patient_model.places]
    strategies = len(engine.shared.model.strategies)
    return float(present[np.tile(alive, strategies)].sum() / 4096 / strategies)


def workload(name: str, file: str, draws: int, patients: int, turns: int) -> dict[str, Any]:
    """The product alone: whole path and kernel, on one thread and on two."""
    model = load_model(file)
    engine = IndividualsEngine(Shared(model), patients=patients, seed=SEED)
    numbers = np.arange(draws) if draws > 1 else NOBODY
    values = Draws(model.parameters, SEED, numbers) if draws > 1 else BaseCase(model.parameters)

    def bind() -> Bound:
        evaluate = engine.shared.evaluator(
            Draws(model.parameters, SEED, numbers) if draws > 1 else values
        )
        return engine.bind(evaluate, numbers)

    bound = bind()
    engine.block(bound, Wanted(), 0, 1)  # compiled
    lives = draws * patients * len(model.strategies)
    whole = least(lambda: engine.follow(bind(), Wanted()), turns)
    kernel = least(lambda: engine.follow(bound, Wanted(moments=False)), turns)
    walls = []
    for threads in (1, 2):
        begin = time.perf_counter()
        engine.follow(bound, Wanted(moments=False), threads=threads)
        walls.append(time.perf_counter() - begin)
    exponentials, uniforms = numbers_drawn(engine, bound)
    keys = bound.keys

    def bare() -> object:
        per = max(round(exponentials), 1), round(uniforms)
        return random_loop(keys, patients * len(model.strategies), *per)

    bare()
    limit = least(bare, turns)
    cycles = living_cycles(engine, bound)

    def one_a_cycle() -> object:
        return random_loop(keys, patients * len(model.strategies), 0, round(cycles))

    stepping = least(one_a_cycle, turns)
    return {
        "name": name, "lives": lives, "whole": whole, "kernel": kernel, "limit": limit,
        "cycles": cycles, "stepping": stepping, "exponentials": exponentials,
        "uniforms": uniforms, "wall": walls,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }  # fmt: skip


def nested(quick: bool) -> dict[str, Any]:
    """Sick-Sicker, draws by patients by strategies, beside the hand-written kernel."""
    draws = 100 if quick else 1000
    found = workload(
        "Sick-Sicker, 75 annual cycles",
        str(HERE / "models/sick_sicker_psa.yaml"),
        draws,
        1000,
        TURNS,
    )
    model = load_model(str(HERE / "models/sick_sicker_psa.yaml"))
    drawn = Draws(model.parameters, SEED, np.arange(draws))
    names = ("r_sicken", "r_recover", "r_worsen", "hr_worsen_b", "hr_death_sick", "hr_death_sicker")
    rates = np.stack([drawn.cell(name, ()) for name in names], axis=1)
    deaths = model.parameters["r_death_by_age"].values
    hazard = np.array([deaths["total", float(25 + c)] for c in range(75)])
    cumulated = np.concatenate([[0.0], np.cumsum(hazard)])
    discount = 1.03 ** -np.arange(76.0)
    discount[[0, 75]] *= 0.5
    weights = np.concatenate([[0.0], np.cumsum(discount)])
    worth = np.zeros((draws, 4, 3, 2))
    costs = [drawn.cell(name, ()) for name in ("c_healthy", "c_sick", "c_sicker")]
    effects = [drawn.cell(name, ()) for name in ("u_healthy", "u_sick", "u_sicker")]
    for state in range(3):
        worth[:, :, state, 0] = costs[state][:, None]
        worth[:, :, state, 1] = effects[state][:, None]
    worth[:, [1, 3], 1, 1] = drawn.cell("u_sick_treated", ())[:, None]
    for strategy, names in ((1, ["c_a"]), (2, ["c_b"]), (3, ["c_a", "c_b"])):
        more = sum(drawn.cell(name, ()) for name in names)
        worth[:, strategy, 1:, 0] += more[:, None]
    keys = (
        IndividualsEngine(Shared(model), patients=1, seed=SEED)
        .bind(Shared(model).evaluator(drawn), np.arange(draws))
        .keys
    )
    out = np.zeros((draws, 4, 2))
    arguments = rates, cumulated, weights, keys, 1000, worth
    sick_sicker(*arguments, out)
    _check_agreement(model, keys, out / 1000)
    found["specialised"] = least(lambda: sick_sicker(*arguments, np.zeros((draws, 4, 2))), TURNS)
    return found


def _check_agreement(model: Any, keys: np.ndarray, hand: np.ndarray) -> None:
    """Means over draws of the hand-written kernel and of the product: costs of care and utility.

    Onset and dying, which the hand-written kernel leaves out, are left out of both.
    """
    engine = IndividualsEngine(Shared(model), patients=1000, seed=SEED)
    numbers = np.arange(len(keys))
    evaluate = engine.shared.evaluator(Draws(model.parameters, SEED, numbers))
    found = engine.run(evaluate, numbers)
    totals = np.zeros((4, 2))
    for program in found.programs:
        for row, number in enumerate(program.cells):
            cell = engine.shared.cells[number]
            payoff = model.payoffs[cell.payoff]
            if payoff.name in ("care", "treatment", "health"):
                amount = program.amount[row, 0] * engine.shared.price(evaluate, cell)
                totals[program.strategy, int(payoff.outcome == "qalys")] += amount.mean()
    off = np.abs(hand.mean(axis=0) / totals - 1)
    assert off.max() < 0.01, f"the hand-written kernel is off by {off.max():.1%}"


def main() -> None:
    """Measure, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the patients")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    parts = {
        "nested": nested, "nelm": nelm, "memoryless": memoryless, "continuous": continuous,
        "scaling": scaling,
    }  # fmt: skip
    if given.part:
        print(json.dumps(parts[given.part](given.quick)))
        return
    found = {}
    for name in parts:
        print(f"{name} ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--part", name, *["--quick"] * given.quick]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[name] = json.loads(done.stdout.splitlines()[-1])
    text = page(found)
    print(text)
    if not given.quick:
        (HERE / "individuals.json").write_text(json.dumps(found, indent=2) + "\n")
        (HERE / "INDIVIDUALS.md").write_text(text)


def nelm(quick: bool) -> dict[str, Any]:
    """NELM as it stands, with history, beside numpy cycle by cycle."""
    return _with_numpy("NELM, 480 monthly cycles, with history", "nelm", quick)


def memoryless(quick: bool) -> dict[str, Any]:
    """NELM without time in state."""
    file = str(HERE / "models/nelm_memoryless.yaml")
    return _with_numpy("NELM without time in state", file, quick)


def _with_numpy(name: str, file: str, quick: bool) -> dict[str, Any]:
    patients = 100_000 if quick else 1_000_000
    found = workload(name, file, 1, patients, 3)
    model = load_model(file)
    engine = IndividualsEngine(Shared(model), patients=patients, seed=SEED)
    bound = engine.bind(engine.shared.evaluator(BaseCase(model.parameters)), NOBODY)
    few = patients // 50
    seconds = least(lambda: per_cycle(engine, bound, few, SEED), 1)
    found["numpy"] = seconds * patients / few
    return found


def continuous(quick: bool) -> dict[str, Any]:
    """Weibull illness-death in continuous time: CPU seconds of the whole path, and its means."""
    model = load_model(str(HERE / "models/weibull_illness_death.yaml"))
    draws = 100 if quick else 1000
    engine = IndividualsEngine(Shared(model), patients=1000, seed=SEED)
    sums = []

    def whole() -> None:
        sums.clear()
        for first in range(0, draws, 100):  # in chunks, as a run does: memory is bounded
            numbers = np.arange(first, first + 100)
            evaluate = engine.shared.evaluator(Draws(model.parameters, SEED, numbers))
            found = engine.follow(engine.bind(evaluate, numbers), Wanted())
            sums.append(found.moments[:, 1:, 0] / 1000)

    whole()
    seconds = least(whole, 2)
    means = np.concatenate(sums).mean(axis=0).reshape(len(model.strategies), -1)
    return {
        "seconds": seconds * 1000 / draws,
        "means": means.tolist(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def scaling(quick: bool) -> list[dict[str, Any]]:
    """NELM: patients, draws and threads; wall seconds and most memory."""
    from qalyst.simulation import individuals_for, simulate

    model = load_model("nelm")
    found = []
    sizes = [(1, 100_000), (1, 1_000_000), (10, 10_000), (100, 10_000), (100, 1_000)]
    for draws, patients in sizes[: 3 if quick else None]:
        for threads in (1, 2):
            engine = individuals_for(model, patients=patients, seed=SEED)
            begin = time.perf_counter()
            simulate(model, draws=draws, seed=SEED, threads=threads, engine=engine)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            found.append(
                {
                    "draws": draws, "patients": patients, "threads": threads,
                    "seconds": time.perf_counter() - begin, "peak": peak,
                }
            )  # fmt: skip
    return found


def page(found: dict[str, Any]) -> str:
    """The results as tables."""
    lines = [
        "# Individuals: results",
        "",
        "One thread, CPU time, least of some turns; lives are patients times strategies times "
        "draws. README.md says how.",
        "",
        "| workload | lives | ns a life, whole path | kernel | the same random numbers "
        "| one number a living cycle | kernel / that | hand-written | whole / hand-written [2] "
        "| numpy / kernel [25] | wall s, 1 and 2 threads | million living cycles a second "
        "| peak GB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in ("nested", "nelm", "memoryless"):
        row = found[name]
        per = 1e9 / row["lives"]
        hand, numpy = row.get("specialised"), row.get("numpy")
        lines.append(
            f"| {row['name']} | {row['lives']:,} | {row['whole'] * per:.0f} "
            f"| {row['kernel'] * per:.0f} | {row['limit'] * per:.0f} "
            f"({row['exponentials']:.1f} exponentials, {row['uniforms']:.1f} uniforms) "
            f"| {row['stepping'] * per:.0f} ({row['cycles']:.0f} cycles) "
            f"| {row['kernel'] / row['stepping']:.1f} | {f'{hand * per:.0f}' if hand else ''} "
            f"| {f'''{row['whole'] / hand:.2f}''' if hand else ''} "
            f"| {f'''{numpy / row['kernel']:.0f}''' if numpy else ''} "
            f"| {row['wall'][0]:.2f}, {row['wall'][1]:.2f} "
            f"| {row['cycles'] * row['lives'] / row['kernel'] / 1e6:.0f} | {row['peak']:.2f} |"
        )
    weibull = found["continuous"]
    costs, qalys = zip(*weibull["means"], strict=True)
    lines += [
        "",
        "Weibull illness-death in continuous time, clock reset, 40 years by monthly hazards, 1,000 "
        f"draws of 1,000 patients in 3 strategies, one thread: {weibull['seconds']:.2f} CPU s and "
        f"{weibull['peak']:.2f} GB, drawing and evaluating included (the R package hesim, in C++: "
        "4.8 CPU s and 1.25 GB on another machine; target a tenth). Mean QALYs "
        + ", ".join(f"{value:.3f}" for value in qalys)
        + " (about 2.75, 3.30, 3.61 there), costs "
        + ", ".join(f"{value:,.0f}" for value in costs)
        + " (101,500, 121,900, 133,200).",
        "",
        "NELM, the whole path of a probabilistic analysis:",
        "",
        "| draws | patients in each | threads | wall s | peak GB of the process so far |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['draws']} | {row['patients']:,} | {row['threads']} | {row['seconds']:.2f} "
        f"| {row['peak']:.2f} |"
        for row in found["scaling"]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
