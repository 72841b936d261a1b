"""Patients one by one: their stays, their totals, and the tables over them."""

import numpy as np
import pytest

from qalyst.engines.engine import Shared
from qalyst.engines.individuals import IndividualsEngine, Wanted
from qalyst.errors import ModelError
from qalyst.histories import follow_patients, patients_table
from qalyst.model.resolve import load_model
from qalyst.params.draws import BaseCase
from qalyst.report.patients_tables import (
    NET_BENEFIT,
    distribution_table,
    subgroups_table,
    survival_curves,
)
from qalyst.simulation import base_case

COUNT = 2_000
NOBODY = np.array([], np.int64)


@pytest.fixture(scope="module", params=["nelm", "sick_sicker", "illness_death", "thr"])
def followed(request):
    return follow_patients(load_model(request.param), patients=COUNT, seed=3)


@pytest.fixture(scope="module")
def nelm():
    return follow_patients(load_model("nelm"), patients=COUNT, seed=3)


def test_stays_follow_one_another_from_the_start_to_the_horizon(followed):
    stays, timing = followed.stays, followed.model.timing
    for _, course in stays.groupby(["patient", "strategy"], sort=False):
        start, end = course["from_years"].to_numpy(), course["to_years"].to_numpy()
        assert start[0] == 0
        assert end[-1] == timing.cycle * timing.cycles
        np.testing.assert_array_equal(start[1:], end[:-1])
        assert course["ended_by"].iloc[-1] == "horizon"
        assert (course["ended_by"].iloc[:-1] != "horizon").all()
    courses = COUNT * len(followed.model.strategies)
    assert len(stays[["patient", "strategy"]].drop_duplicates()) == courses


def test_means_of_patients_are_those_of_the_engine(followed):
    """The engine adds up quantities, and prices them once."""
    model = followed.model
    engine = IndividualsEngine(Shared(model), patients=COUNT, seed=3)
    evaluate = engine.shared.evaluator(BaseCase(model.parameters))
    bound = engine.bind(evaluate, NOBODY)
    sums = engine.follow(bound, Wanted())
    worth = np.einsum("ps,pso->po", sums.slots[0], bound.values[0]) / COUNT
    programs = worth.reshape(len(model.strategies), len(engine.shared.profiles), -1)
    table = patients_table(followed)
    means = table.groupby("strategy", sort=False)[list(model.outcomes)].mean()
    np.testing.assert_allclose(means.to_numpy(), programs.sum(axis=1), rtol=1e-9)


def test_profiles_are_those_of_the_engine(nelm):
    engine = IndividualsEngine(Shared(nelm.model), patients=COUNT, seed=3)
    evaluate = engine.shared.evaluator(BaseCase(nelm.model.parameters))
    people = engine.follow(engine.bind(evaluate, NOBODY), Wanted()).people[0]
    np.testing.assert_array_equal(np.bincount(nelm.profile, minlength=len(people)), people)


def test_life_years_are_the_time_until_death(nelm):
    """Not discounted; the trapezoid of whole cycles counts half of the one in which they die."""
    table = patients_table(nelm)
    life_years = table["life_years"].to_numpy().reshape(COUNT, -1)
    absorbed = np.nan_to_num(nelm.absorbed(), nan=40.0)
    assert (np.abs(life_years - absorbed) <= 1 / 24 + 1e-9).all()


def test_first_patients_are_the_same_however_many_follow(nelm):
    few = follow_patients(nelm.model, patients=10, seed=3)
    assert few.stays.equals(nelm.stays[nelm.stays["patient"] < 10])
    np.testing.assert_array_equal(few.totals, nelm.totals[:10])


def test_survival_is_that_of_the_cohort(followed):
    """At every point of time within 5 binomial standard errors."""
    model = followed.model
    trace = base_case(model).trace
    states = [str(state) for state in trace["state"].to_numpy()]
    gone = np.array([model.states[state].absorbing for state in states])
    years = trace["years"].to_numpy()
    for name, curve in survival_curves(followed).items():
        occupancy = trace.sel(strategy=name).transpose("place", "point").to_numpy()
        expected = 1 - occupancy[gone].sum(axis=0)
        found = curve.survival[np.searchsorted(curve.years, years + 1e-9, side="right") - 1]
        error = np.sqrt(np.maximum(expected * (1 - expected), 0) / COUNT)
        assert (np.abs(found - expected) <= 5 * error + 1 / COUNT).all()


def test_distribution_has_the_quantiles_of_the_patients(nelm):
    table = distribution_table(nelm).set_index(["strategy", "outcome"])
    costs = nelm.totals[:, 1, 0]
    row = table.loc[("arterial_first", "costs")]
    assert row["unit"] == "USD"
    assert row["mean"] == pytest.approx(costs.mean())
    assert row["standard_error"] == pytest.approx(costs.std(ddof=1) / COUNT**0.5)
    assert row["p97_5"] == pytest.approx(np.sort(costs)[int(0.975 * COUNT)], rel=0.01)
    assert row["minimum"] <= row["p2_5"] <= row["p25"] <= row["median"] <= row["p75"]


def test_subgroups_average_to_the_whole(nelm):
    table = subgroups_table(nelm)
    keys = ["strategy", "outcome", "threshold"]
    whole = table[table["dimension"] == "all"].set_index(keys)["mean"]
    for name in nelm.model.dimensions:
        own = table[table["dimension"] == name]
        weighted = (own["mean"] * own["patients"]).groupby(
            [own[key] for key in keys], dropna=False, sort=False
        )
        np.testing.assert_allclose(weighted.sum().loc[whole.index] / COUNT, whole, rtol=1e-9)


def test_net_benefit_of_a_subgroup_is_of_the_same_patients_differences(nelm):
    table = subgroups_table(nelm)
    row = table[
        (table["outcome"] == NET_BENEFIT)
        & (table["threshold"] == 100_000)
        & (table["strategy"] == "systemic_first")
        & (table["label"] == "g2")
    ].iloc[0]
    members = nelm.labels("grade") == "g2"
    benefit = 100_000 * nelm.totals[:, :, 1] - nelm.totals[:, :, 0]
    differences = (benefit[:, 2] - benefit[:, 0])[members]
    assert row["patients"] == members.sum()
    assert row["mean"] == pytest.approx(differences.mean())
    assert row["standard_error"] == pytest.approx(differences.std(ddof=1) / members.sum() ** 0.5)
    assert row["lower"] < row["mean"] < row["upper"]


def test_a_subgroup_of_nobody_has_no_mean():
    table = subgroups_table(follow_patients(load_model("nelm"), patients=1, seed=3))
    empty = table[table["patients"] == 0]
    assert len(empty)
    assert empty["mean"].isna().all()
    assert table["standard_error"].isna().all()


def test_a_decision_tree_has_no_survival():
    followed = follow_patients(load_model("sumatriptan"), patients=50, seed=1)
    assert survival_curves(followed) == {}
    assert (followed.stays["to_years"] == 0).all()
    assert len(followed.stays) == 100


@pytest.mark.parametrize(
    ("model", "patients", "words"),
    [
        ("sick_sicker", 0, "0 patients are none"),
        ("sick_sicker", 1_000_001, "too many to keep"),
        ("partitioned_survival", 10, "gives shares of states, not causes"),
    ],
)
def test_what_cannot_be_followed_is_refused(model, patients, words):
    with pytest.raises(ModelError, match=words):
        follow_patients(load_model(model), patients=patients, seed=1)
