"""Thresholds against closed forms, and prices against quantities by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from qalyst.errors import ModelError
from qalyst.sensitivity.points import open_study
from qalyst.sensitivity.price import value_based_prices
from qalyst.sensitivity.threshold import Steps, _switches, threshold
from qalyst.simulation import base_case

HERE = Path(__file__).parent
EXPONENTIAL = str(HERE / "models" / "exponential.yaml")
WTP = 50_000.0


@pytest.fixture(scope="module")
def exponential():
    return open_study(EXPONENTIAL)


@pytest.fixture(scope="module")
def hiv():
    return open_study("hiv")


def years(rate: float, force: float) -> float:
    """Discounted years over 40 cycles under a constant hazard, counted at their starts."""
    return math.expm1(-40 * (rate + force)) / math.expm1(-(rate + force))


FORCE = math.log(1.03)


def test_the_price_at_which_the_icer_equals_the_threshold(exponential):
    # new: hazard 0.1 x 0.8, price p a year alive; old: hazard 0.1, nothing; utility 0.7
    new, old = years(0.08, FORCE), years(0.10, FORCE)
    expected = WTP * 0.7 * (new - old) / new
    found = threshold(exponential, "c_new", between=(0, 20_000), wtp=WTP)
    (switch,) = found.switches
    assert switch.value == pytest.approx(expected, rel=1e-10)
    assert (switch.below, switch.above) == ("new", "old")
    (price,) = value_based_prices(exponential, "c_new", wtp=[WTP])
    assert price.price == pytest.approx(expected, rel=1e-10)
    assert price.slope == pytest.approx(-new, rel=1e-10)


def test_the_hazard_ratio_at_which_the_choice_changes(exponential):
    from scipy.optimize import brentq

    def inmb(ratio: float) -> float:
        new, old = years(0.1 * ratio, FORCE), years(0.1, FORCE)
        return WTP * 0.7 * (new - old) - 3000 * new

    expected = brentq(inmb, 0.5, 1.0, xtol=1e-14)
    (switch,) = threshold(exponential, "hr_new", between=(0.5, 1.0), wtp=WTP).switches
    assert switch.value == pytest.approx(expected, rel=1e-9)


def test_the_discount_rate_at_which_the_choice_changes():
    # a cost now of 40,000 against life years later: the model is loaded again for each rate
    study = open_study(EXPONENTIAL, values={"c_start": 40_000.0, "c_new": 0.0})
    from scipy.optimize import brentq

    def inmb(rate: float) -> float:
        force = math.log(1 + rate)
        return WTP * 0.7 * (years(0.08, force) - years(0.1, force)) - 40_000

    expected = brentq(inmb, 1e-6, 0.1, xtol=1e-14)
    (switch,) = threshold(study, "r_discount", between=(0.0, 0.1), wtp=WTP).switches
    assert switch.value == pytest.approx(expected, rel=1e-5)
    assert (switch.below, switch.above) == ("new", "old")


def test_a_price_by_hand_from_quantities(hiv):
    """Incremental cost without lamivudine, years of lamivudine, and life years gained."""
    base = base_case(hiv.model)
    amounts = base.quantities.isel(draw=0)
    rows = amounts.row.values == "lamivudine"
    taken = float(amounts.discounted.sel(strategy="combination").values[rows].sum())
    gained, spent = (
        float((total.sel(strategy="combination") - total.sel(strategy="monotherapy")).item())
        for total in (base.total("life_years"), base.total("costs"))
    )
    rest = spent - 2086.5 * taken  # the price of the record
    for price in value_based_prices(hiv, "c_lamivudine", wtp=[5_000, 20_000]):
        expected = (price.standing.wtp * gained - rest) / taken
        assert price.base == 2086.5
        assert price.price == pytest.approx(expected, rel=1e-10)


def test_a_price_makes_the_icer_equal_the_threshold(hiv):
    (price,) = value_based_prices(hiv, "c_lamivudine", wtp=[20_000])
    study = open_study("hiv", values={"c_lamivudine": price.price})
    totals = study.base.discounted.isel(draw=0)
    gain = totals.sel(strategy="combination") - totals.sel(strategy="monotherapy")
    icer = float(gain.sel(outcome="costs") / gain.sel(outcome="life_years"))
    assert icer == pytest.approx(20_000, rel=1e-10)


def test_several_switches_and_a_third_strategy_between_scan_points():
    # the lines -x, 0.4 - 2|x - 0.503| and x - 1 over [0, 1]: the middle one is best near 0.503
    def means(x):
        return np.stack([-x, 0.4 - 90 * np.abs(x - 0.503) - 0.5, x - 1.0], axis=1)

    scan = np.linspace(0, 1, 33)
    found = _switches(means, scan, means(scan), ("a", "b", "c"), Steps(33, 64, 3))
    assert [(each.below, each.above) for each in found] == [("a", "b"), ("b", "c")]
    # -x = -0.1 - 90 (0.503 - x), and -0.1 - 90 (x - 0.503) = x - 1
    assert found[0].value == pytest.approx((0.1 + 90 * 0.503) / 91, rel=1e-9)
    assert found[1].value == pytest.approx((0.9 + 90 * 0.503) / 91, rel=1e-9)


def test_equal_strategies_do_not_switch():
    def means(x):
        return np.stack([x, x * (1 + 1e-15 * np.sin(1e6 * x))], axis=1)

    scan = np.linspace(1, 2, 65)
    assert _switches(means, scan, means(scan), ("a", "b"), Steps(65, 64, 2)) == []


def test_a_probabilistic_price_has_the_error_of_a_ratio_of_means(exponential):
    # mean of quantities over the same draws of the hazard: expected price by the draws themselves
    from qalyst.simulation import simulate

    draws = 400
    run = simulate(exponential.model, draws=draws, seed=5)
    amounts = run.quantities
    new = amounts.discounted.sel(strategy="new").values[:, amounts.row.values == "drug"].sum(1)
    qalys = run.total("qalys")
    gained = (qalys.sel(strategy="new") - qalys.sel(strategy="old")).values
    expected = WTP * gained.mean() / new.mean()
    (price,) = value_based_prices(exponential, "c_new", wtp=[WTP], draws=draws, seed=5)
    assert price.price == pytest.approx(expected, rel=1e-10)
    rest = WTP * gained - expected * new
    assert price.mcse == pytest.approx(rest.std(ddof=1) / math.sqrt(draws) / new.mean(), rel=1e-8)
    found = threshold(exponential, "c_new", between=(0, 20_000), wtp=WTP, draws=draws, seed=5)
    (switch,) = found.switches
    assert switch.value == pytest.approx(expected, rel=1e-8)
    assert switch.mcse == pytest.approx(price.mcse, rel=1e-6)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"parameter": "c_new"}, "give one: --between"),
        ({"parameter": "hr_new", "between": (1.0, 0.5)}, "does not rise"),
        ({"parameter": "hr_neu", "between": (0.5, 1.0)}, "did you mean 'hr_new'"),
        ({"parameter": "hr_new", "between": (-0.5, 1.0)}, "'hr_new' is -0.5"),
        ({"parameter": "hr_new", "between": (0.5, 1.0), "draws": 1}, "2 or more"),
    ],
)
def test_what_has_no_threshold_is_refused(exponential, asked, words):
    with pytest.raises(ModelError, match=words):
        threshold(exponential, **{"wtp": WTP, **asked})


def test_only_money_has_a_price(exponential):
    with pytest.raises(ModelError, match="which is no money"):
        value_based_prices(exponential, "hr_new", wtp=[WTP])


def test_a_price_that_no_strategy_pays_more_of_does_not_matter(hiv):
    study = open_study("hiv", values={"rr_combination": 1.0})
    (price,) = value_based_prices(
        study, "c_zidovudine", wtp=[WTP], strategy="combination", comparator="monotherapy"
    )
    assert price.price is None
    assert price.slope == 0


def test_the_error_of_a_switch_at_the_end_of_its_range_looks_inwards(exponential):
    # a cost once at the start: net benefit falls by it, so the switch is the mean without it
    study = exponential
    found = threshold(study, "c_start", between=(0, 1e9), wtp=1e5, draws=40, seed=1)
    (switch,) = found.switches
    inmb = found.standing.inmb(study.drawn({"c_start": 0.0}, draws=40, seed=1, where=""))
    assert found.standing.strategy == "new"
    assert switch.value == pytest.approx(inmb.mean(), rel=1e-6)
    assert switch.mcse == pytest.approx(inmb.std(ddof=1) / 40**0.5, rel=1e-6)
