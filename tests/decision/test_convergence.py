import math

import numpy as np
import pytest
from decision_cases import against_nothing, hiv
from scipy.special import ndtr

from qalyst.decision.convergence import enough_draws, stability
from qalyst.decision.replicates import error_of_mean, replicate_means
from qalyst.errors import ModelError


def gain(mean, sd, draws):
    """Costs and effects of a new strategy whose net benefit has just these moments."""
    ends = np.tile([-1.0, 1.0], draws // 2) * sd * math.sqrt((draws - 1) / draws)
    return against_nothing(-(mean + ends), np.zeros(draws))


def test_two_strategies_change_places_by_the_closed_form():
    (found,) = stability(*gain(10, 100, 400), 0)
    error = 100 / math.sqrt(400)
    assert (found.optimal, found.runner_up) == ("new", "old")
    assert found.gain == pytest.approx(10, rel=1e-12)
    assert found.gain_mcse == pytest.approx(error, rel=1e-12)
    # n to 2n: s sqrt(n / (n * 2n)); to infinity: s / sqrt(n)
    assert found.change_if_doubled == pytest.approx(ndtr(-10 / (100 * math.sqrt(1 / 800))))
    assert found.change_ever == pytest.approx(ndtr(-10 / error))


def test_draws_needed_make_another_choice_improbable():
    (found,) = stability(*gain(5, 100, 400), 0)
    assert not found.settled
    # the one-sided 5 % quantile of a normal: (1.6449 * 100 / 5)^2
    assert found.draws_needed == math.ceil((1.6448536269514722 * 20) ** 2)
    (more,) = stability(*gain(5, 100, 2 * (found.draws_needed // 2 + 1)), 0)
    assert more.settled


def test_equal_means_are_told_apart_by_no_number_of_draws():
    (found,) = stability({"a": [0, 2], "b": [1, 1]}, {"a": [0, 0], "b": [0, 0]}, 0)
    assert found.change_ever == 0.5
    assert found.draws_needed is None


def test_strategies_equal_in_every_draw_are_one_choice():
    same = [1.0, 5.0]
    (found,) = stability({"a": same, "b": same}, {"a": same, "b": same}, 3)
    assert (found.change_if_doubled, found.change_ever) == (0, 0)


def test_a_certain_lead_never_changes():
    (found,) = stability({"a": [0, 1], "b": [7, 8]}, {"a": [0, 0], "b": [0, 0]}, 0)
    assert (found.optimal, found.change_ever, found.gain_mcse) == ("a", 0, 0)
    assert found.settled


def test_one_strategy_has_no_rival():
    (found,) = stability({"only": [0.0, 1.0]}, {"only": [1.0, 1.0]}, 5)
    assert found.runner_up is None
    assert found.settled


def test_a_rival_that_equals_another_adds_nothing():
    rng = np.random.default_rng(1)
    cost = {"a": np.zeros(200), "b": rng.normal(0.1, 1, 200)}
    nothing = np.zeros(200)
    two = stability(cost, dict.fromkeys("ab", nothing), 0)[0].change_ever
    cost["c"] = cost["b"]
    three = stability(cost, dict.fromkeys("abc", nothing), 0)[0].change_ever
    # fixed normal vectors against the closed form: 1,000 antithetic ones, 4 standard errors
    assert three == pytest.approx(two, abs=4 * math.sqrt(two * (1 - two) / 1000))


def test_three_rivals_change_places_as_integration_says():
    # the leader is certain; three independent rivals behind by 1 standard error each
    n = 8
    base = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, n)  # uncorrelated
    base /= base.std(axis=1, ddof=1)[:, None] / math.sqrt(n)  # standard error 1
    costs = {"a": np.zeros(n), **{name: 1 + base[i] for i, name in enumerate("bcd")}}
    (found,) = stability(costs, {name: np.zeros(n) for name in costs}, 0)
    expected = 1 - ndtr(1) ** 3
    assert found.change_ever == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 1000))


def test_every_headline_has_an_error():
    found = enough_draws(*hiv(), [2000, 10_000])
    assert found.draws == hiv()[0]["mono"].size
    assert (found.summary.sel(statistic="mcse").inmb.sel(strategy="comb") > 0).all()
    assert (found.curves.evpi_mcse >= 0).all()
    assert all(each.mcse > 0 for each in found.icers)
    assert [each.wtp for each in found.stability] == [2000, 10_000]


def test_draws_for_an_error_follow_the_square_root():
    found = enough_draws(*gain(10, 100, 400), [0])
    assert found.error == pytest.approx(5)
    assert found.draws_for(0.5) == pytest.approx(40_000, abs=1)
    with pytest.raises(ModelError, match="an error of 0"):
        found.draws_for(0)


def test_error_from_replicates_is_that_of_their_means():
    values = np.arange(12.0) ** 2
    means = replicate_means(values, 4)
    assert means.tolist() == [values[i::4].mean() for i in range(4)]
    assert error_of_mean(values, 4) == pytest.approx(means.std(ddof=1) / 2)
    assert error_of_mean(values) == pytest.approx(values.std(ddof=1) / math.sqrt(12))


def test_all_errors_are_those_of_replicates_when_there_are_some():
    rng = np.random.default_rng(2)
    costs, effects = against_nothing(rng.normal(0, 1, 64), rng.normal(0.1, 1, 64))
    found = enough_draws(costs, effects, [1.0, 5.0], replicates=8)
    net = 5 * effects["new"] - costs["new"]
    by_replicate = net.reshape(8, 8).mean(axis=0)
    expected = by_replicate.std(ddof=1) / math.sqrt(8)
    where = {"wtp": 5.0, "strategy": "new"}
    assert float(found.summary.inmb.sel(where).sel(statistic="mcse")) == pytest.approx(expected)
    assert found.stability[1].gain_mcse == pytest.approx(expected)
    shares = (net.reshape(8, 8) > 0).mean(axis=0)
    error = shares.std(ddof=1) / math.sqrt(8)
    assert float(found.curves.ceac_mcse.sel(where)) == pytest.approx(error)


def test_draws_that_are_no_whole_replicates_are_refused():
    with pytest.raises(ModelError, match="not 3 replicates"):
        enough_draws(*gain(1, 1, 10), [0], replicates=3)


@pytest.mark.verification
@pytest.mark.parametrize(("mean", "strategies"), [(0.0, 2), (0.08, 2), (0.2, 2), (0.1, 4)])
def test_choices_change_as_often_as_predicted(mean, strategies):
    # normal net benefits; n = 100 draws, then 100 more: among runs with a predicted probability the
    # share that changed is that probability, within 4 standard errors of the sum
    rng = np.random.default_rng(7)
    n, runs = 100, 3000
    predicted, changed = [], []
    names = list("abcd")[:strategies]
    centre = np.r_[0.0, np.full(strategies - 1, mean)]
    effect = np.zeros((n, strategies))
    for _ in range(runs):
        benefit = rng.normal(centre, 1, (2 * n, strategies))
        (found,) = stability(-benefit[:n], effect, 0, strategies=names)
        predicted.append(found.change_if_doubled)
        changed.append(names[benefit.mean(axis=0).argmax()] != found.optimal)
    predicted, changed = np.array(predicted), np.array(changed)
    for low, high in ((0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.6)):
        chosen = (predicted >= low) & (predicted < high)
        if chosen.sum() < 50:
            continue
        error = math.sqrt((predicted[chosen] * (1 - predicted[chosen])).sum()) / chosen.sum()
        # a flat prior of the mean is right on average over means, not at one: 0.08 as measured for
        # many strategies, 0.05 for two
        room = 0.05 if strategies == 2 else 0.08
        assert abs(changed[chosen].mean() - predicted[chosen].mean()) < 4 * error + room
