"""Prices, rates and thresholds asked afterwards give what a fresh run gives."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.model.weights import at_rates
from qalyst.outcomes import DISCOUNTED, UNDISCOUNTED, Rates
from qalyst.params.draws import Draws
from qalyst.repricing import Question, answer, cells_of, elsewhere
from qalyst.revalued import with_prices
from qalyst.saved_runs import Identity, SavedRun
from qalyst.simulation import base_case, engine_for, individuals_for, simulate, simulate_points

RATES = (Rates(0.035, 0.035), Rates(0.03, 0.015))
SEED, DRAWS = 3, 8
RUNS: dict[str, SavedRun] = {}


def kept(name, **values):
    key = f"{name}{values}"
    if key not in RUNS:
        model = load_model(name, values=values)
        engine = engine_for(model, rates=RATES)
        RUNS[key] = SavedRun(
            Identity(name, (), values, model.sha256, SEED, DRAWS, None, "plain", "0"),
            base_case(model, engine),
            simulate(model, draws=DRAWS, seed=SEED, engine=engine),
        )
    return RUNS[key]


def fresh(name, values, rates=None):
    model = load_model(name, values=values)
    model = at_rates(model, rates) if rates else model
    engine = engine_for(model)
    return base_case(model, engine), simulate(model, draws=DRAWS, seed=SEED, engine=engine)


def check_same(found, expected):
    for which in (DISCOUNTED, UNDISCOUNTED):
        totals = expected.totals[which].to_numpy()
        np.testing.assert_allclose(
            found.totals[which].to_numpy(), totals, rtol=1e-12, atol=1e-13 * np.abs(totals).max()
        )


# compiled kernel, without and with time in state; a tree; curves; matrix exponentials; a list price
PRICES = [
    ("sick_sicker", "c_a"),
    ("sick_sicker_residence", "c_fall_ill"),
    ("sumatriptan", "c_emergency"),
    ("partitioned_survival", "c_progressed"),
    ("illness_death", "c_ill"),
    ("hiv", "c_zidovudine"),
    ("thr", "c_revision"),
]


@pytest.mark.parametrize(("name", "price"), PRICES)
@settings(max_examples=2, deadline=None)
@given(value=st.floats(0, 1e5), rates=st.sampled_from([None, *RATES]))
def test_a_new_price_gives_what_a_fresh_run_gives(name, price, value, rates):
    found = answer(kept(name), Question({price: value}, rates=rates), may_run=False)
    base, psa = fresh(name, {price: value}, rates)
    check_same(found.analysis.base, base)
    check_same(found.analysis.psa, psa)
    assert found.new_run == ()


@settings(max_examples=3, deadline=None)
@given(st.lists(st.floats(0, 1e5), min_size=3, max_size=3))
def test_several_prices_at_once_give_what_a_fresh_run_gives(values):
    asked = dict(zip(("c_healthy", "c_sick", "c_b"), values, strict=True))
    found = answer(kept("sick_sicker"), Question(asked), may_run=False).analysis
    base, psa = fresh("sick_sicker", asked)
    check_same(found.base, base)
    check_same(found.psa, psa)
    for which in (DISCOUNTED, UNDISCOUNTED):
        mean = psa.mean_amounts(undiscounted=which == UNDISCOUNTED).to_numpy()
        again = found.psa.mean_amounts(undiscounted=which == UNDISCOUNTED).to_numpy()
        np.testing.assert_allclose(again, mean, rtol=1e-12, atol=1e-9)


def test_a_price_that_was_zero_can_be_asked_for():
    found = answer(kept("hiv", c_zidovudine=0.0), Question({"c_zidovudine": 2278.0}), may_run=False)
    check_same(found.analysis.psa, fresh("hiv", {"c_zidovudine": 2278.0})[1])


def test_asking_for_the_prices_of_the_run_changes_no_bit():
    run = kept("hiv")
    value = load_model("hiv").parameters["c_zidovudine"].values[()]
    found = answer(run, Question({"c_zidovudine": value}), may_run=False).analysis
    assert found.psa.totals.identical(run.psa.totals)


def test_a_discount_on_a_list_price_is_that_price_reduced():
    found = answer(kept("hiv"), Question(discounts={"c_zidovudine": 0.25}), may_run=False)
    price = load_model("hiv").parameters["c_zidovudine"].values[()]
    check_same(found.analysis.psa, fresh("hiv", {"c_zidovudine": 0.75 * price})[1])


def test_a_discount_on_a_drawn_price_reduces_every_draw():
    found = answer(kept("sick_sicker"), Question(discounts={"c_a": 0.4}), may_run=False).analysis
    model = load_model("sick_sicker")
    drawn = Draws(model.parameters, SEED, np.arange(DRAWS)).raw(model.parameters["c_a"], ())
    expected = simulate_points(model, {("c_a", ()): 0.6 * drawn}, seed=SEED)
    check_same(found.psa, expected)
    base = simulate_points(
        model, {("c_a", ()): 0.6 * np.array([model.parameters["c_a"].values[()]])}
    )
    check_same(found.base, base)


@settings(max_examples=3, deadline=None)
@given(st.floats(0, 1))
def test_a_discount_of_everything_leaves_no_cost_of_the_drug(share):
    none = answer(kept("sick_sicker"), Question(discounts={"c_a": 1.0}), may_run=False).analysis
    some = answer(kept("sick_sicker"), Question(discounts={"c_a": share}), may_run=False).analysis
    full = kept("sick_sicker").psa.total("costs")
    expected = none.psa.total("costs") + (1 - share) * (full - none.psa.total("costs"))
    np.testing.assert_allclose(some.psa.total("costs"), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["sick_sicker", "partitioned_survival", "hiv"])
@pytest.mark.parametrize("rates", RATES)
def test_totals_at_other_rates_are_those_of_a_fresh_run(name, rates):
    found = answer(kept(name), Question(rates=rates), may_run=False).analysis
    base, psa = fresh(name, {}, rates)
    check_same(found.base, base)
    check_same(found.psa, psa)


def test_patients_are_counted_at_other_rates_in_the_same_run():
    model = load_model("sick_sicker")
    found = simulate(
        model, draws=2, seed=SEED, engine=individuals_for(model, patients=50, seed=1, rates=RATES)
    )
    for rates in RATES:
        other = at_rates(model, rates)
        engine = individuals_for(other, patients=50, seed=1)
        expected = simulate(other, draws=2, seed=SEED, engine=engine)
        np.testing.assert_allclose(
            found.totals[str(rates)], expected.totals[DISCOUNTED], rtol=1e-12, atol=1e-9
        )


def test_other_thresholds_change_the_decision_and_no_total():
    run = kept("sick_sicker")
    found = answer(run, Question(thresholds=(1_000.0, 1e6)), may_run=False).analysis
    assert found.psa is run.psa
    assert found.at_thresholds.wtp.values.tolist() == [1_000.0, 1e6]
    assert found.at_thresholds.optimal.values.tolist() == ["standard", "ab"]


def test_what_enters_quantities_runs_again_and_says_why():
    found = answer(kept("sick_sicker"), Question({"u_sick": 0.9}))
    assert "'u_sick' changes quantities" in found.new_run[0]
    assert "payoffs.qalys.health.quantity" in found.new_run[0]
    check_same(found.analysis.psa, fresh("sick_sicker", {"u_sick": 0.9})[1])
    with pytest.raises(ModelError, match="needs a new run"):
        answer(kept("sick_sicker"), Question({"u_sick": 0.9}), may_run=False)


def test_a_hazard_is_found_wherever_it_is_read():
    model = load_model("sick_sicker")
    assert set(elsewhere(model, ["c_a", "u_sick", "hr_worsen_b"])) == {"u_sick", "hr_worsen_b"}
    assert any("transitions" in where for where in elsewhere(model, ["hr_worsen_b"])["hr_worsen_b"])


def test_rates_that_were_not_kept_run_again():
    rates = Rates(0.01, 0.07)
    found = answer(kept("sick_sicker"), Question({"c_a": 7.0}, rates=rates))
    assert "kept no totals at these rates" in found.new_run[0]
    check_same(found.analysis.psa, fresh("sick_sicker", {"c_a": 7.0}, rates)[1])


def test_a_discount_in_a_new_run_reduces_every_draw():
    rates = Rates(0.01, 0.07)
    found = answer(kept("sick_sicker"), Question(discounts={"c_a": 0.4}, rates=rates)).analysis
    model = at_rates(load_model("sick_sicker"), rates)
    drawn = Draws(model.parameters, SEED, np.arange(DRAWS)).raw(model.parameters["c_a"], ())
    check_same(found.psa, simulate_points(model, {("c_a", ()): 0.6 * drawn}, seed=SEED))


def test_a_run_of_patients_is_run_again_since_their_spread_has_the_old_prices():
    model = load_model("hiv")
    engine = individuals_for(model, patients=30, seed=SEED)
    run = SavedRun(
        Identity("hiv", (), {}, model.sha256, SEED, 4, 30, "plain", "0"),
        base_case(model, engine),
        simulate(model, draws=4, seed=SEED, engine=engine),
    )
    found = answer(run, Question({"c_zidovudine": 10.0}))
    assert "spread between patients" in found.new_run[0]
    other = load_model("hiv", values={"c_zidovudine": 10.0})
    engine = individuals_for(other, patients=30, seed=SEED)
    check_same(found.analysis.psa, simulate(other, draws=4, seed=SEED, engine=engine))


def test_profiles_whose_outcomes_are_not_known_are_left_out():
    run = kept("sick_sicker")
    several = run.psa.profiles.isel(profile=[0, 0]).assign_coords(profile=["x", "y"])
    prices = np.zeros(run.psa.quantities["price"].shape)
    qalys = run.psa.quantities["outcome"].values != "costs"
    prices[:, qalys] = run.psa.quantities["price"].values[:, qalys]
    found = with_prices(replace(run.psa, profiles=several), prices)
    assert "costs" not in found.profiles.outcome.values
    assert "qalys" in found.profiles.outcome.values
    assert (found.total("costs") == 0).all()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question({"c_nothing": 1.0}), "no parameter 'c_nothing'"),
        (Question({"c_a[old]": 1.0}), "has no cell"),
        (Question({"c_a": -1.0}), "must be 0 or more"),
        (Question({"c_a": 1.0}, {"c_a": 0.5}), "asked for twice"),
        (Question(discounts={"c_a": 1.5}), "150 %"),
    ],
)
def test_what_the_model_cannot_have_is_refused(question, words):
    with pytest.raises(ModelError, match=words):
        answer(kept("sick_sicker"), question)


def test_a_table_stands_for_all_its_cells():
    parameters = load_model("sick_sicker_by_age").parameters
    table = next(name for name, each in parameters.items() if len(each.values) > 1)
    cells = cells_of(parameters, table)
    assert [path for _, path in cells] == list(parameters[table].values)


TREE = """
model: tree
title: A tree
parameters: [tree]
decision: {cost: costs, effect: qalys, thresholds: [20000]}
outcomes:
  costs: {unit: USD,  discount: 0}
  qalys: {unit: QALY, discount: 0}
strategies:
  old: {new: 0}
  new: {new: 1}
states:
  treated: {absorbing: true}
transitions:
  begin: {from: start, to: treated}
payoffs:
  costs:
    drug: {to: treated, price: c_drug}
  qalys:
    gain: {to: treated, quantity: "strategy.new * (u[a] + u[b]) * year"}
"""
RECORDS = """
common:
  status: assumption
  source: {cite: assumption, locator: a test}
parameters:
  u:      {label: Gains, by: [arm], unit: utility, value: {a: 0.6, b: 0.5}, uncertainty: {family: normal, se: 0.1}}
  c_drug: {label: Drug,  unit: USD, value: 100, price_year: 2024, uncertainty: {family: fixed, reason: a test}}
"""  # noqa: E501


def test_a_discount_reaches_the_cells_of_a_table_that_were_set(tmp_path):
    (tmp_path / "params").mkdir()
    (tmp_path / "tree.yaml").write_text(TREE)
    (tmp_path / "params" / "tree.yaml").write_text(RECORDS)
    run = kept(str(tmp_path / "tree.yaml"), **{"u[b]": 0.5})
    found = answer(run, Question(discounts={"u": 0.5})).analysis
    assert found.base.total("qalys").sel(strategy="new").item() == pytest.approx(0.55)
    assert found.base.trace is not None  # the page shows it, as that of any run
    halves = 0.5 * run.psa.total("qalys")
    np.testing.assert_allclose(found.psa.total("qalys").values, halves.values, rtol=1e-13)
