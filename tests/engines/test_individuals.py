"""Individuals: the law of the cohort, the spread between patients, and the same bits always."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qalyst.agreement import compare_engines
from qalyst.engines.engine import Shared
from qalyst.engines.individuals import (
    BLOCK,
    IndividualsEngine,
    Wanted,
    added_up,
    clock_of_history,
    draw_keys,
)
from qalyst.errors import ModelError
from qalyst.kernels.chance import exponential, patient_key, uniform
from qalyst.model.resolve import load_model
from qalyst.params.draws import BaseCase, Draws

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("models", "tests/reference/models", "tests/engines/models")
    for path in (ROOT / folder).glob("*.yaml")
    if path.stem not in ("nelm", "partitioned_survival")
)
NOBODY = np.array([], np.int64)
KRIJKAMP = json.loads((ROOT / "tests/cases/microsim_krijkamp_basic.json").read_text())["expected"]


def compare_engines_can(model):
    """Whether patients can follow the model; `two` with a clock of history they cannot."""
    return model.timing.events_per_cycle != "two" or clock_of_history(model) is None


def cases():
    for path in FILES:
        model = load_model(str(path))
        if model.occupancy:
            continue
        for scenario in (None, *model.known_scenarios):
            model = load_model(str(path), scenarios=(scenario,) if scenario else ())
            if compare_engines_can(model):
                yield pytest.param(path, scenario, id=f"{path.stem} {scenario or ''}".strip())


def engine_of(model, patients, seed=1, **options):
    return IndividualsEngine(Shared(model), patients=patients, seed=seed, **options)


def base_sums(engine, wanted, **options):
    evaluate = engine.shared.evaluator(BaseCase(engine.shared.model.parameters))
    return engine.follow(engine.bind(evaluate, NOBODY), wanted, **options)


@pytest.mark.parametrize(("path", "scenario"), list(cases()))
def test_means_are_those_of_the_cohort(path, scenario):
    """Every strategy, profile and payoff row, at a family-wise level of one in a thousand."""
    model = load_model(str(path), scenarios=(scenario,) if scenario else ())
    agreement = compare_engines(model, patients=10_000, seed=5)
    assert agreement.comparisons
    assert not agreement.failed


@pytest.mark.verification
def test_z_scores_are_standard_normal():
    """200 runs with luck of their own, by the test of Kolmogorov at 0.1 %, and the mean."""
    from scipy.stats import kstest

    for name, row in (("sick_sicker_by_age", "life_years.alive"), ("thr", "qalys.health")):
        model = load_model(name)
        scores = []
        for seed in range(200):
            agreement = compare_engines(model, patients=4_000, seed=seed)
            scores.append(next(c.z for c in agreement.comparisons if c.row == row))
        assert kstest(scores, "norm").pvalue > 1e-3
        assert abs(np.mean(scores)) < 4 / 200**0.5


class TestKrijkamp:
    """The tutorial microsimulation: exact means and exact spreads between patients."""

    COUNT = 400_000
    PAIRS = (
        ("cost_no", lambda t: t[:, 0, 0]),
        ("qaly_no", lambda t: t[:, 0, 1]),
        ("cost_trt", lambda t: t[:, 1, 0]),
        ("qaly_trt", lambda t: t[:, 1, 1]),
        ("inc_cost", lambda t: t[:, 1, 0] - t[:, 0, 0]),
        ("inc_qaly", lambda t: t[:, 1, 1] - t[:, 0, 1]),
    )

    @pytest.fixture
    def totals(self):
        engine = engine_of(load_model("krijkamp"), self.COUNT, seed=2)
        return base_sums(engine, Wanted(totals=True)).totals[0]

    def test_mean_is_within_the_stated_error(self, totals):
        """4 Monte Carlo standard errors of the published run, scaled to this many patients."""
        published = KRIJKAMP["microsimulation_published_n100000"]
        exact = KRIJKAMP["full_precision"]
        scale = (100_000 / self.COUNT) ** 0.5
        for s, strategy in enumerate(("no_treatment", "treatment")):
            for o, outcome in enumerate(("cost", "qaly")):
                error = published[strategy][f"mcse_{outcome}"] * scale
                assert abs(totals[:, s, o].mean() - exact[strategy][outcome]) < 4 * error

    @pytest.mark.parametrize(("name", "of"), PAIRS, ids=[name for name, _ in PAIRS])
    def test_spread_between_patients_is_exact(self, totals, name, of):
        """The sample variance is within 4 of its own standard errors of the exact one."""
        values = of(totals)
        squares = (values - values.mean()) ** 2
        error = squares.std() / len(values) ** 0.5
        assert abs(squares.mean() - KRIJKAMP["exact_individual_sd"][name] ** 2) < 4 * error


class TestBits:
    """Nothing but the seed changes a bit."""

    MODELS = ("sick_sicker_by_age", "illness_death", "sumatriptan")

    @pytest.mark.parametrize("name", MODELS)
    def test_threads(self, name):
        engine = engine_of(load_model(name), 2 * BLOCK + 700)
        wanted = Wanted(squares=True, trace=True, totals=True)
        one, two = (base_sums(engine, wanted, threads=threads) for threads in (1, 2))
        for field in ("slots", "people", "moments", "squares", "trace", "totals"):
            np.testing.assert_array_equal(getattr(one, field), getattr(two, field))

    @pytest.mark.parametrize("name", MODELS)
    @pytest.mark.parametrize("chunk", [1, 7, 4096])
    def test_chunks_of_patients(self, name, chunk):
        engine = engine_of(load_model(name), 500)
        evaluate = engine.shared.evaluator(BaseCase(engine.shared.model.parameters))
        bound = engine.bind(evaluate, NOBODY)
        whole = engine.block(bound, Wanted(totals=True), 0, 500)
        parts = engine.block(bound, Wanted(totals=True), 0, 500, chunk=chunk)
        for field in ("slots", "people", "moments", "totals"):
            np.testing.assert_array_equal(getattr(whole, field), getattr(parts, field))

    def test_chunks_of_draws(self):
        model = load_model("sick_sicker_by_age")
        engine = engine_of(model, 50)

        def run(numbers):
            evaluate = engine.shared.evaluator(Draws(model.parameters, 3, numbers))
            return engine.follow(engine.bind(evaluate, numbers), Wanted())

        whole = run(np.arange(6))
        parts = [run(np.array([d])) for d in range(6)]
        np.testing.assert_array_equal(whole.slots, np.concatenate([p.slots for p in parts]))
        np.testing.assert_array_equal(whole.moments, np.concatenate([p.moments for p in parts]))

    def test_another_seed_is_another_luck(self):
        model = load_model("sick_sicker")
        first, second = (base_sums(engine_of(model, 10, seed=s), Wanted()) for s in (1, 2))
        assert (first.slots != second.slots).any()

    def test_patients_by_number(self):
        """The first patients are the same, however many follow."""
        model = load_model("sick_sicker")
        few, many = (base_sums(engine_of(model, n), Wanted(totals=True)) for n in (10, 1000))
        np.testing.assert_array_equal(few.totals, many.totals[:, :10])


class TestChance:
    """Numbers by address."""

    KEYS = draw_keys(4, np.arange(3))

    def key(self, draw, patient):
        return np.uint64(patient_key(self.KEYS[draw], patient))  # back from the kernel as an int

    def test_uniform(self):
        """Means of u, u**2 and of neighbours' products, within 4 standard errors."""
        key = self.key(0, 7)
        u = np.array([uniform(key, p, c) for p in range(200) for c in range(200)])
        n = len(u)
        assert abs(u.mean() - 1 / 2) < 4 * (1 / 12 / n) ** 0.5
        assert abs((u**2).mean() - 1 / 3) < 4 * (4 / 45 / n) ** 0.5
        product = (u[1:] - 0.5) * (u[:-1] - 0.5)
        assert abs(product.mean()) < 4 / 12 / n**0.5

    def test_patients_and_draws_are_apart(self):
        keys = {self.key(draw, p) for draw in range(3) for p in range(1000)}
        assert len(keys) == 3000

    def test_exponential(self):
        key = self.key(1, 1)
        e = np.array([exponential(key, 5, c, False) for c in range(40_000)])
        assert abs(e.mean() - 1) < 4 / len(e) ** 0.5
        assert e.min() > 0

    def test_mirrored(self):
        """-log u of the two ends: exp(-a) + exp(-b) is 1."""
        key = self.key(2, 3)
        for count in range(50):
            a, b = (exponential(key, 9, count, mirrored) for mirrored in (False, True))
            assert np.exp(-a) + np.exp(-b) == pytest.approx(1, abs=1e-15)


class TestVariance:
    """Common random numbers and antithetic pairs."""

    def incremental(self, name, first, second, wtp, **options):
        """[patient] incremental net benefit of two strategies, and their net benefits."""
        engine = engine_of(load_model(name), 40_000, **options)
        totals = base_sums(engine, Wanted(totals=True)).totals[0]
        benefit = wtp * totals[:, :, 1] - totals[:, :, 0]
        return benefit[:, second] - benefit[:, first], benefit

    @pytest.mark.parametrize(("first", "second"), [(0, 2), (1, 3)])
    def test_common_luck_takes_away_three_quarters(self, first, second):
        """Against independent streams, whose variance is the sum of the two."""
        difference, benefit = self.incremental("sick_sicker", first, second, 100_000)
        independent = benefit[:, first].var() + benefit[:, second].var()
        assert difference.var() <= 0.25 * independent

    def test_antithetic_pairs_keep_the_mean(self):
        plain = self.incremental("sick_sicker", 0, 2, 100_000)[1].mean(axis=0)
        mirrored = self.incremental("sick_sicker", 0, 2, 100_000, luck="antithetic")[1]
        pairs = mirrored.reshape(-1, 2, 4).mean(axis=1)
        error = (pairs.var(axis=0) / len(pairs) + mirrored.var(axis=0) / len(mirrored)) ** 0.5
        assert (np.abs(pairs.mean(axis=0) - plain) < 4 * error).all()

    def test_quasi_random_luck_has_less_noise(self):
        """Means over shifted draws: the same within 4 errors, and at most half the variance."""
        model = load_model("sick_sicker")
        means = {}
        for luck in ("plain", "quasi"):
            engine = engine_of(model, 1024, luck=luck)
            evaluate = engine.shared.evaluator(BaseCase(model.parameters))
            found = []
            for draw in range(40):
                bound = replace(
                    engine.bind(evaluate, NOBODY), keys=draw_keys(1, np.array([draw], np.int64))
                )
                found.append(engine.follow(bound, Wanted()).moments[0, 1:, 0] / 1024)
            means[luck] = np.array(found)
        gap = means["plain"].mean(axis=0) - means["quasi"].mean(axis=0)
        error = (sum(each.var(axis=0, ddof=1) for each in means.values()) / 40) ** 0.5
        assert (np.abs(gap) < 4 * error).all()
        assert (means["quasi"].var(axis=0) < 0.5 * means["plain"].var(axis=0)).all()

    def test_quasi_random_luck_has_the_same_bits_in_chunks(self):
        engine = engine_of(load_model("krijkamp"), 300, luck="quasi")
        evaluate = engine.shared.evaluator(BaseCase(engine.shared.model.parameters))
        bound = engine.bind(evaluate, NOBODY)
        whole = engine.block(bound, Wanted(totals=True), 0, 300)
        parts = engine.block(bound, Wanted(totals=True), 0, 300, chunk=64)
        np.testing.assert_array_equal(whole.totals, parts.totals)


class TestContinuousTime:
    """Patients who move at moments of their own, with time in state."""

    MODEL = load_model(str(ROOT / "benchmarks/models/weibull_illness_death.yaml"))
    SHAPES, SCALES = (1.1, 1.05, 1.2), (3.0, 20.0, 2.0)
    UTILITY, COST = np.array([0.77, 0.61]), np.array([30_000.0, 20_000.0])

    def exact(self, stretch, steps=40_000):
        """Discounted years stable and progressed, by quadrature of the integrals."""
        t = np.linspace(0, 40, steps + 1)
        hazards = [
            k / (b * stretch) * np.maximum(t / (b * stretch), 1e-300) ** (k - 1)
            for k, b in zip(self.SHAPES, self.SCALES, strict=True)
        ]
        cumulated = [
            (t / (b * stretch)) ** k for k, b in zip(self.SHAPES, self.SCALES, strict=True)
        ]
        discount = 1.03**-t
        stable = np.exp(-cumulated[0] - cumulated[1])
        entered = stable * hazards[0]  # density of progression
        late = np.exp(-cumulated[2])
        alive = np.convolve(entered, late)[: steps + 1] * (t[1] - t[0])
        alive -= 0.5 * (t[1] - t[0]) * (entered[0] * late + entered * late[0])
        return np.array([np.trapezoid(discount * y, t) for y in (stable, alive)])

    def test_weibull_stays_have_their_integrals(self):
        """Within 4 errors and 0.0005 of a year, what monthly hazards and points lose."""
        engine = engine_of(self.MODEL, 400_000)
        totals = base_sums(engine, Wanted(totals=True)).totals[0]
        for strategy, stretch in enumerate((1.0, np.exp(0.2), np.exp(0.3))):
            years = self.exact(stretch)
            for outcome, worth in enumerate((self.COST, self.UTILITY)):
                values = totals[:, strategy, outcome]
                error = values.std() / len(values) ** 0.5
                allowed = 4 * error + 0.0005 * worth.max()
                assert abs(values.mean() - years @ worth) < allowed

    def test_clocks_of_history_are_refused(self):
        model = load_model(str(ROOT / "tests/engines/models/two_by_residence.yaml"))
        with pytest.raises(ModelError, match="the clock 't_ill' of their history"):
            engine_of(model, 10)
        assert "'t_ill'" in compare_engines(model).reason


def test_trace_is_that_of_the_cohort():
    """Patients in each state at each point: binomial, within 5 standard errors."""
    from qalyst.simulation import base_case

    model = load_model("sick_sicker_by_age")
    engine = engine_of(model, 40_000)
    trace = np.cumsum(base_sums(engine, Wanted(trace=True)).trace, axis=1)[:, :-1]
    places = [state for state, _ in engine.patient_model.places]
    found = trace.reshape(len(model.strategies), len(places), -1) / engine.patients
    cohort = base_case(model).trace
    for row, place in enumerate(places):
        share = cohort.sel(place=place).to_numpy()
        error = np.sqrt(share * (1 - share) / engine.patients)
        assert (np.abs(found[:, row] - share) <= 5 * error + 1e-12).all()


def test_stories_add_up():
    """Stays of a patient follow one another from 0 to the horizon."""
    engine = engine_of(load_model("sick_sicker"), 50)
    story = base_sums(engine, Wanted(story=True)).story
    for patient in range(50):
        for program in range(4):
            stays = story[(story[:, 0] == patient) & (story[:, 1] == program)]
            assert stays[0, 4] == 0
            assert stays[-1, 5] == 76  # past the last point of 75 cycles
            np.testing.assert_array_equal(stays[1:, 4], stays[:-1, 5])


def test_added_up_keeps_patients_in_order():
    engine = engine_of(load_model("krijkamp"), BLOCK + 3)
    evaluate = engine.shared.evaluator(BaseCase(engine.shared.model.parameters))
    bound = engine.bind(evaluate, NOBODY)
    blocks = [engine.block(bound, Wanted(totals=True), 0, BLOCK)]
    blocks.append(engine.block(bound, Wanted(totals=True), BLOCK, 3))
    last = blocks[1].totals.copy()
    np.testing.assert_array_equal(added_up(iter(blocks)).totals[:, BLOCK:], last)


class TestRefusals:
    def test_no_patients(self):
        with pytest.raises(ModelError, match="0 patients are none"):
            engine_of(load_model("krijkamp"), 0)

    def test_partitioned_survival(self):
        with pytest.raises(ModelError, match="gives shares of states, not causes"):
            engine_of(load_model("partitioned_survival"), 10)

    def test_partitioned_survival_is_not_applicable(self):
        assert compare_engines(load_model("partitioned_survival")).reason
