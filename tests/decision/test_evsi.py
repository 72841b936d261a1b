"""EVSI against closed forms, exact sums and exact posteriors."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from evsi_cases import DRAWS, beta_binomial, costs_and_effects, linear_normal, two_rates
from scipy import stats

from qalyst.decision.evsi import evsi, evsi_by_size
from qalyst.decision.studies import NormalMean, Proportion, Utility
from qalyst.decision.survival_studies import HazardRatioTrial, SurvivalStudy
from qalyst.errors import ModelError

CASE = json.loads((Path(__file__).parents[1] / "cases" / "voi_linear_normal.json").read_text())
NORMAL = NormalMean(n=1, name="survey", measured=("p1",), sd=1.0)
SIZES = (1, 10, 100, 1000)


@pytest.mark.parametrize("method", ["regression", "moment-matching"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_golden_case_within_its_standard_error(k, method):
    costs, effects, parameters = linear_normal(k)
    expected = CASE["expected"]["evsi_p1_n"][str(k)]
    for found in evsi_by_size(costs, effects, parameters, NORMAL, SIZES, k, seed=1, method=method):
        assert abs(found.value - expected[str(found.n)]["value"]) < 2 * found.se
        assert found.se < 0.012
        assert found.interval[0] < expected[str(found.n)]["value"] < found.interval[1]


def test_the_standard_error_is_that_of_repeated_samples():
    """The spread of 24 samples, whose own error is 15 %, and their mean against the truth."""
    found = [evsi(*linear_normal(2, seed), NORMAL.sized(10), 2, seed=seed) for seed in range(24)]
    values = np.array([each.value for each in found])
    truth = CASE["expected"]["evsi_p1_n"]["2"]["10"]["value"]
    assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(24)
    assert np.mean([each.se for each in found]) == pytest.approx(values.std(), rel=0.5)


@pytest.mark.parametrize(("n", "tolerance"), [(1, 0.04), (5, 0.03), (20, 0.02), (100, 0.02)])
def test_a_cohort_for_a_proportion_is_worth_the_sum_over_its_results(n, tolerance):
    """A relative error of four standard deviations of the mean of samples of 10,000 draws."""
    truth = beta_binomial(n, 4, 6, 10.0, 4.3)
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        p = rng.beta(4, 6, DRAWS)
        noise = rng.standard_normal(DRAWS)
        study = Proportion(n=n, name="cohort", measured=("p",))
        costs, effects = costs_and_effects(10 * p - 4.3 + noise - noise.mean())
        found.append(evsi(costs, effects, {"p": p}, study, 1, seed=seed))
    values = np.array([each.value for each in found])
    assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(8)
    assert values.mean() == pytest.approx(truth, rel=4 * tolerance)
    assert np.mean([abs(each.value - truth) < 2 * each.se for each in found]) > 0.6


def test_value_rises_with_size_from_nothing_towards_perfect_information():
    costs, effects, parameters = linear_normal(3)
    sizes = (0, 1, 2, 5, 10, 30, 100, 1000, 100_000)
    found = evsi_by_size(costs, effects, parameters, NORMAL, sizes, 3, seed=1)
    values = [each.value for each in found]
    assert values[0] == 0
    assert found[0].interval == (0, 0)
    assert values == sorted(values)
    assert values[-1] == pytest.approx(found[-1].evppi, rel=1e-3)
    assert all(each.value <= each.evppi <= each.evpi for each in found)
    assert len({each.evppi for each in found}) == 1


def gamma_arms(seed=0, noise=0.05):
    rng = np.random.default_rng(seed)
    control, treatment = rng.gamma(6, 1 / 30, DRAWS), rng.gamma(8, 1 / 60, DRAWS)
    benefit = control - treatment - 0.07 + rng.normal(0, noise, DRAWS)
    return costs_and_effects(benefit), {"r": control, "hr": treatment / control}


def trial(kind, n):
    return kind(n=2 * n, name="trial", follow_up=2.0, rate="r", hazard_ratio="hr")


@dataclass(frozen=True)
class LogHazardRatioAlone(HazardRatioTrial):
    """What is lost if a trial is told by its hazard ratio."""

    def predictors(self, summaries):
        found = super().predictors(summaries)
        return {"log hr": found["log rate of treatment"] - found["log rate of control"]}


def test_events_and_exposure_of_a_trial_recover_its_value_and_the_hazard_ratio_alone_loses():
    truth, error = two_rates([(6, 30), (8, 60)], 20, 2.0, 0.07, 100_000)
    (costs, effects), parameters = gamma_arms()

    def found(kind):
        return evsi(costs, effects, parameters, trial(kind, 20), 1, seed=3, data_sets=3)

    whole, alone = found(HazardRatioTrial), found(LogHazardRatioAlone)
    assert error < 0.01 * truth
    assert abs(whole.value - truth) < 2 * np.hypot(whole.se, error)
    assert alone.value < 0.96 * whole.value  # exact posteriors of the ratio: 6 to 7 % less


@pytest.mark.verification
@pytest.mark.parametrize("n", [20, 100, 200])
def test_trials_against_exact_posteriors(n):
    """The mean of 10 samples; they and the truth have errors of about 1 %."""
    truth, error = two_rates([(6, 30), (8, 60)], n, 2.0, 0.07, 400_000)
    values = []
    for seed in range(10):
        (costs, effects), parameters = gamma_arms(seed)
        values.append(evsi(costs, effects, parameters, trial(HazardRatioTrial, n), 1, seed=9).value)
    assert abs(np.mean(values) - truth) < 4 * np.hypot(np.std(values) / np.sqrt(10), error)
    assert np.mean(values) == pytest.approx(truth, rel=0.03)


@dataclass(frozen=True)
class RateAlone(SurvivalStudy):
    """What is lost if times of uncertain shape are told without their logarithms."""

    def predictors(self, summaries):
        found = super().predictors(summaries)
        return {name: found[name] for name in ("events", "log rate")}


def test_of_an_uncertain_shape_the_mean_log_time_tells_what_the_rate_does_not():
    """Net benefit is the shape, and all events are seen: their mean time tells the scale alone."""
    rng = np.random.default_rng(2)
    shape, scale = rng.gamma(20, 1 / 15, 4000), rng.gamma(40, 1 / 10, 4000)
    costs, effects = costs_and_effects(shape - shape.mean())

    def found(kind):
        study = kind(n=100, name="s", follow_up=50.0, shape="a", scale="b")
        return evsi(costs, effects, {"a": shape, "b": scale}, study, 1, seed=1, data_sets=3)

    assert found(SurvivalStudy).value > 2 * found(RateAlone).value


def test_moment_matching_is_refused_where_a_study_has_two_results():
    rng = np.random.default_rng(0)
    p = rng.beta(4, 6, DRAWS)
    costs, effects = costs_and_effects(10 * p - 4.3)
    study = Proportion(n=1, name="cohort", measured=("p",))

    def found(n):
        return evsi(costs, effects, {"p": p}, study.sized(n), 1, seed=1, method="moment-matching")

    with pytest.raises(ModelError, match="different results"):
        found(1)
    assert "rough for" in found(5).message
    many = found(100)
    assert many.message == ""
    assert many.value == pytest.approx(beta_binomial(100, 4, 6, 10.0, 4.3), rel=0.1)


def test_moment_matching_of_two_parameters_agrees_with_the_regression():
    rng = np.random.default_rng(4)
    u, v = rng.beta(14, 6, DRAWS), rng.beta(12, 8, DRAWS)
    costs, effects = costs_and_effects(u - v - 0.12)
    study = Utility(n=12, name="survey", measured=("u", "v"), sd=0.25)
    one, other = (
        evsi(costs, effects, {"u": u, "v": v}, study, 1, seed=1, method=method)
        for method in ("regression", "moment-matching")
    )
    assert other.value == pytest.approx(one.value, rel=0.04)


def test_moment_matching_needs_a_likelihood():
    rng = np.random.default_rng(2)
    shape, scale = rng.gamma(20, 1 / 15, 400), rng.gamma(40, 1 / 10, 400)
    study = SurvivalStudy(n=10, name="s", follow_up=3.0, shape="a", scale="b")
    with pytest.raises(ModelError, match="likelihood"):
        evsi(
            *costs_and_effects(shape - 4 / 3), {"a": shape, "b": scale}, study, 1,
            seed=0, method="moment-matching",
        )  # fmt: skip


def test_three_strategies_against_a_fine_sum_over_results():
    """Slopes 10, 4 and 0 of a proportion: the best of three lines in the posterior mean."""
    slopes, lines = np.array([10.0, 4.0, 0.0]), np.array([-4.5, -1.7, 0.0])
    p = np.random.default_rng(1).beta(4, 6, DRAWS)
    nothing = np.zeros(DRAWS)
    names = ("a", "b", "c")
    effects = {name: s * p + t for name, s, t in zip(names, slopes, lines, strict=True)}
    study = Proportion(n=30, name="cohort", measured=("p",))
    found = evsi(dict.fromkeys(names, nothing), effects, {"p": p}, study, 1, seed=2)
    events = np.arange(31)
    given = ((4 + events) / 40)[:, None] * slopes + lines
    truth = stats.betabinom(30, 4, 6).pmf(events) @ given.max(axis=1) - (0.4 * slopes + lines).max()
    assert abs(found.value - truth) < 2 * found.se


def test_a_study_of_what_does_not_matter_is_worth_next_to_nothing():
    costs, effects, parameters = linear_normal(1)
    other = np.random.default_rng(9).standard_normal(DRAWS)
    study = NormalMean(n=50, name="s", measured=("other",), sd=1.0)
    found = evsi(costs, effects, parameters | {"other": other}, study, 1, seed=0)
    assert found.value < 0.02 * found.evpi
    constant = NormalMean(n=50, name="s", measured=("one",), sd=1.0)
    found = evsi(costs, effects, {"one": np.ones(DRAWS)}, constant, 1, seed=0)
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.evppi == pytest.approx(0, abs=1e-12)


def test_the_luck_of_the_study_is_addressed():
    costs, effects, parameters = linear_normal(1)
    one, same = (evsi(costs, effects, parameters, NORMAL, 1, seed=7) for _ in range(2))
    assert one == same
    in_company = evsi_by_size(costs, effects, parameters, NORMAL, (50, 1), 1, seed=7)
    assert in_company[1].value == one.value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"study": NormalMean(n=1, name="s", measured=("p3",), sd=1.0)}, "no parameter 'p3'"),
        ({"wtp": (1, 2)}, "2 thresholds"),
        ({"method": "guessing"}, "no method"),
        ({"data_sets": 0}, "0 data sets"),
        ({"parameters": {"p1": [1.0, 2.0]}}, "draws"),
    ],
)
def test_what_cannot_be_computed_is_refused(change, words):
    costs, effects, parameters = linear_normal(1)
    given = {"parameters": parameters, "study": NORMAL, "wtp": 1, "seed": 0} | change
    with pytest.raises(ModelError, match=words):
        evsi(costs, effects, given.pop("parameters"), given.pop("study"), given.pop("wtp"), **given)
