"""Studies give the data sets that theory says, whatever else is simulated."""

import numpy as np
import pytest
from scipy import stats

from qalyst.decision.studies import NormalMean, Proportion, Rate, Utility
from qalyst.decision.survival_studies import HazardRatioTrial, SurvivalStudy
from qalyst.errors import ModelError

DRAWS, SETS = 4000, 5


def simulated(study, **values):
    known = {name: np.full(DRAWS, value) for name, value in values.items()}
    return study.simulate(known, seed=3, data_sets=SETS)


def assert_mean_and_variance(found, mean, variance):
    """Within four standard errors; that of the variance for tails no heavier than of a gamma."""
    assert found.shape == (DRAWS, SETS)
    assert abs(found.mean() - mean) < 4 * np.sqrt(variance / found.size)
    assert found.var() == pytest.approx(variance, rel=4 * np.sqrt(4 / found.size))


@pytest.mark.parametrize(
    ("study", "value", "mean", "variance"),
    [
        (NormalMean(n=25, name="s", measured=("x",), sd=2.0), 3.0, 3.0, 4 / 25),
        (Proportion(n=20, name="s", measured=("x",)), 0.3, 6.0, 20 * 0.3 * 0.7),
        (Rate(n=10, name="s", measured=("x",), follow_up=3.0), 0.4, 12.0, 12.0),
        (Utility(n=9, name="s", measured=("x",), sd=0.3), 0.7, 0.7, 0.01),
        (Utility(n=9, name="s", measured=("x",), sd=0.3, outcome="beta"), 0.7, 0.7, 0.01),
    ],
)
def test_what_is_measured_has_the_mean_and_variance_of_its_distribution(
    study, value, mean, variance
):
    (found,) = simulated(study, x=value).values()
    assert_mean_and_variance(found, mean, variance)


def test_one_beta_utility_has_the_beta_distribution():
    study = Utility(n=1, name="s", measured=("x",), sd=0.2, outcome="beta")
    (found,) = simulated(study, x=0.6).values()
    total = 0.6 * 0.4 / 0.2**2 - 1
    exact = stats.beta(0.6 * total, 0.4 * total)
    assert stats.kstest(found.ravel(), exact.cdf).pvalue > 1e-4


def test_censored_constant_hazards_have_their_events_and_exposure():
    found = simulated(
        SurvivalStudy(n=30, name="s", follow_up=2.0, rate="r"),
        r=0.5,
    )
    seen = 1 - np.exp(-1.0)
    second = 2 / 0.5**2 * (1 - np.exp(-1) * 2)  # of min(t, 2): integral of 2 t S(t)
    first = seen / 0.5
    assert_mean_and_variance(found["events"], 30 * seen, 30 * seen * (1 - seen))
    assert_mean_and_variance(found["exposure"], 30 * first, 30 * (second - first**2))


def test_the_arms_of_a_trial_differ_by_the_hazard_ratio():
    trial = HazardRatioTrial(n=41, name="s", follow_up=1.5, rate=0.4, hazard_ratio="hr")
    assert trial.parameters == ("hr",)
    assert set(simulated(trial, hr=0.5)) == {"events of treatment", "exposure of treatment"}
    trial = HazardRatioTrial(n=41, name="s", follow_up=1.5, rate="r", hazard_ratio="hr")
    found = simulated(trial, r=0.4, hr=0.5)
    for arm, n, rate in (("treatment", 20, 0.2), ("control", 21, 0.4)):
        seen = 1 - np.exp(-1.5 * rate)
        assert_mean_and_variance(found[f"events of {arm}"], n * seen, n * seen * (1 - seen))


def test_a_known_shape_only_changes_the_clock():
    """Times to the power of the shape are exponential with rate scale^-shape until T^shape."""
    weibull = SurvivalStudy(n=12, name="s", follow_up=2.0, shape=1.7, scale="b")
    clock = SurvivalStudy(n=12, name="s", follow_up=2.0**1.7, rate="r")
    found, plain = simulated(weibull, b=1.3), simulated(clock, r=1.3**-1.7)
    assert list(found) == ["events", "exposure"]
    for name in found:
        np.testing.assert_allclose(found[name], plain[name], rtol=1e-9)


def test_an_uncertain_shape_adds_the_mean_log_time():
    """Of Weibull times without censoring ``E log t = log scale - gamma / shape``."""
    study = SurvivalStudy(n=15, name="s", follow_up=100.0, shape="a", scale="b")
    found = simulated(study, a=1.5, b=2.0)
    assert (found["events"] == 15).all()
    logs = found["mean log time"] * 16 + 1
    each = np.log(2.0) - np.euler_gamma / 1.5 - np.log(100)
    assert_mean_and_variance(logs, 15 * each, 15 * np.pi**2 / 6 / 1.5**2)
    assert_mean_and_variance(
        found["exposure"],
        15 * stats.weibull_min(1.5).mean() * 2,
        15 * stats.weibull_min(1.5).var() * 4,
    )


def test_no_event_has_a_mean_log_time_all_the_same():
    study = SurvivalStudy(n=2, name="s", follow_up=1e-6, shape="a", scale="b")
    found = simulated(study, a=1.5, b=2.0)
    assert (found["events"] == 0).all()
    assert (found["mean log time"] == -1).all()


def test_a_data_set_depends_on_its_own_draw_and_number_alone():
    values = np.linspace(0.2, 0.8, 50)
    study = SurvivalStudy(n=7, name="s", follow_up=1.0, rate="r")
    whole = study.simulate({"r": values, "other": values}, seed=1, data_sets=4)
    part = study.simulate({"r": values[:20]}, seed=1, data_sets=2)
    for name in part:
        np.testing.assert_array_equal(whole[name][:20, :2], part[name])
    other = study.simulate({"r": values}, seed=2, data_sets=4)
    assert not np.array_equal(whole["exposure"], other["exposure"])


def test_a_larger_study_contains_the_smaller_one():
    values = {"r": np.full(50, 0.3)}
    small = SurvivalStudy(n=5, name="s", follow_up=1.0, rate="r")
    few, many = (study.simulate(values, seed=1) for study in (small, small.sized(6)))
    assert ((many["events"] - few["events"]) <= 1).all()
    assert (many["events"] >= few["events"]).all()
    added = many["exposure"] - few["exposure"]
    assert (added > 0).all()
    assert (added < 1 + 1e-12).all()


def test_likelihoods_are_those_of_the_distributions():
    """Differences between two values, for the constant is left out."""
    values = np.array([0.3, 0.6])
    both = {"x": values}

    def difference(study, **seen):
        found = study.log_likelihood({name.replace("_", " "): v for name, v in seen.items()}, both)
        return found[1] - found[0]

    binomial = Proportion(n=9, name="s", measured=("x",))
    expected = np.diff(stats.binom(9, values).logpmf(4))[0]
    assert difference(binomial, events_of_x=4) == pytest.approx(expected)
    poisson = Rate(n=9, name="s", measured=("x",), follow_up=2.0)
    expected = np.diff(stats.poisson(18 * values).logpmf(4))[0]
    assert difference(poisson, events_of_x=4) == pytest.approx(expected)
    normal = NormalMean(n=9, name="s", measured=("x",), sd=0.6)
    expected = np.diff(stats.norm(values, 0.2).logpdf(0.5))[0]
    assert difference(normal, mean_of_x=0.5) == pytest.approx(expected)
    expected = np.diff(3 * np.log(values) - values * 5.0)[0]
    survival = SurvivalStudy(n=9, name="s", follow_up=2.0, rate="x")
    assert difference(survival, events=3, exposure=5.0) == pytest.approx(expected)
    trial = HazardRatioTrial(n=9, name="s", follow_up=2.0, rate=0.5, hazard_ratio="x")
    expected = np.diff(3 * np.log(values) - 0.5 * values * 5.0)[0]
    seen = {"events_of_treatment": 3, "exposure_of_treatment": 5.0}
    assert difference(trial, **seen) == pytest.approx(expected)
    beta = Utility(n=1, name="s", measured=("x",), sd=0.2, outcome="beta")
    total = 0.45 * 0.55 / 0.04 - 1
    expected = np.diff(stats.beta(values * total, (1 - values) * total).logpdf(0.5))[0]
    assert difference(beta, mean_of_x=0.5) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Proportion(n=-1, name="s", measured=("x",)), "-1 persons"),
        (lambda: Proportion(n=2.5, name="s", measured=("x",)), "2.5 persons"),
        (lambda: Proportion(n=5, name="s", measured=()), "no parameter"),
        (lambda: HazardRatioTrial(n=1, name="s", follow_up=1.0, rate=0.1), "a study of 1"),
        (lambda: NormalMean(n=5, name="s", measured=("x",), sd=0.0), "'sd' is 0"),
        (lambda: SurvivalStudy(n=5, name="s", follow_up=1.0), "needs a rate"),
        (lambda: SurvivalStudy(n=5, name="s", follow_up=1.0, shape="a"), "needs a rate"),
        (lambda: SurvivalStudy(n=5, name="s", follow_up=1.0, rate=0.2), "teaches nothing"),
        (lambda: SurvivalStudy(n=5, name="s", follow_up=-1.0, rate="r"), "follow_up"),
    ],
)
def test_a_study_that_cannot_be_is_refused(make, words):
    with pytest.raises(ModelError, match=words):
        make()


def test_draws_that_a_design_cannot_have_are_refused():
    with pytest.raises(ModelError, match=r"draw 1 of 'x' is 1\.2"):
        Proportion(n=5, name="s", measured=("x",)).simulate({"x": np.array([0.5, 1.2])}, seed=0)
    with pytest.raises(ModelError, match="did you mean 'p_cure'"):
        Proportion(n=5, name="s", measured=("p_cur",)).simulate({"p_cure": np.ones(3)}, seed=0)
    beta = Utility(n=5, name="s", measured=("x",), sd=0.6, outcome="beta")
    with pytest.raises(ModelError, match=r"cannot have an sd of 0\.6"):
        beta.simulate({"x": np.full(3, 0.5)}, seed=0)
    with pytest.raises(ModelError, match="a rate above 0"):
        SurvivalStudy(n=5, name="s", follow_up=1.0, rate="r").simulate({"r": np.zeros(3)}, seed=0)


def test_no_persons_give_no_data():
    assert Proportion(n=0, name="s", measured=("x",)).simulate({"x": np.ones(3)}, seed=0) == {}
