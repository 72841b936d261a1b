"""Attributes of patients: closed forms, the error of the sample, both engines, the same bits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qalyst.analysis import analyse
from qalyst.decision.sample import sample_error
from qalyst.histories import follow_patients
from qalyst.model.resolve import load_model
from qalyst.report.notes import notes
from qalyst.report.patients_report import patients_data
from qalyst.report.tables import profiles_table
from qalyst.simulation import base_case, individuals_for, simulate

TWO = str(Path(__file__).parent / "models" / "two_attributes.yaml")
RATE, THETA, YEARS = 0.1, 0.5, 30

MODEL = """
model: one
title: One attribute on the rate of death
parameters: [one]
time: {{cycle: 1 year, horizon: 30 years, events_per_cycle: one, correction: start}}
outcomes:
  life_years: {{unit: year, discount: 0}}
{attributes}
strategies: {{only: {{}}}}
states:
  alive: {{}}
  dead:  {{absorbing: true}}
transitions:
  begin: {{from: start, to: alive}}
  die:   {{from: alive, to: dead, rate: "{rate}"}}
payoffs:
  life_years:
    all: {{in: alive}}
scenarios:
  continuous: {{time: {{events_per_cycle: any, correction: exact}}}}
  shares:
    time: {{events_per_cycle: null, correction: exact}}
    curves: {{frail: {{hazard: "{rate}"}}}}
    transitions: null
    occupancy: {{alive: "survival(frail, years)", dead: "1 - survival(frail, years)"}}
"""
PARAMETERS = """
common: {status: assumption, source: {cite: assumption, locator: test}}
parameters:
  r_die: {label: Death, value: 0.1, unit: 1/year, uncertainty: {family: gamma, se: 0.02}}
  mean:  {label: Mean, value: 1, unit: hazard ratio, uncertainty: {family: gamma, se: 0.2}}
"""
GAMMA = "family: gamma, mean: 1, sd: 0.7071067811865476, unit: hazard ratio"


@pytest.fixture
def model_of(tmp_path):
    """A model by its row of an attribute and its rate of death."""

    def write(row, rate="r_die * z", patients=128, scenarios=()):
        section = f"attributes:\n  patients_sampled: {patients}\n  z: {{{row}}}" if row else ""
        (tmp_path / "params").mkdir(exist_ok=True)
        (tmp_path / "params" / "one.yaml").write_text(PARAMETERS)
        (tmp_path / "one.yaml").write_text(MODEL.format(attributes=section, rate=rate))
        return load_model(str(tmp_path / "one.yaml"), scenarios=scenarios)

    return write


def survivors(model):
    """[point] share alive of the base case."""
    return base_case(model).trace.sel(strategy="only", place="alive").to_numpy()


def gamma_frailty(years):
    """Survival under a gamma frailty of mean 1 and variance theta: its Laplace transform."""
    return (1 + THETA * RATE * years) ** (-1 / THETA)


class TestClosedForms:
    @pytest.mark.parametrize("patients", [16, 128, 1024])
    def test_gamma_frailty_within_the_printed_error(self, model_of, patients):
        outcomes = base_case(model_of(GAMMA, patients=patients))
        expected = gamma_frailty(np.arange(YEARS)).sum()
        error = float(sample_error(outcomes.by_patient).item())
        assert abs(float(outcomes.total("life_years").item()) - expected) < error

    def test_survival_under_gamma_frailty_comes_nearer_with_more_patients(self, model_of):
        expected = gamma_frailty(np.arange(YEARS + 1))
        errors = [
            np.abs(survivors(model_of(GAMMA, patients=n)) - expected).max() for n in (16, 128, 1024)
        ]
        assert errors[2] < errors[1] / 4 < errors[0] / 16

    @pytest.mark.parametrize("scenario", ["continuous", "shares"])
    def test_other_engines(self, model_of, scenario):
        """Continuous time, and partitioned survival: the integral of the survival."""
        outcomes = base_case(model_of(GAMMA, scenarios=(scenario,)))
        expected = (1 - (1 + THETA * RATE * YEARS) ** (1 - 1 / THETA)) / (RATE * (1 - THETA))
        error = float(sample_error(outcomes.by_patient).item())
        assert abs(float(outcomes.total("life_years").item()) - expected) < error

    def test_normal_log_hazard_ratio(self, model_of):
        """Against Gauss-Hermite quadrature; one smooth attribute, so far within the error."""
        row = "family: normal, mean: -0.1, sd: 0.4, unit: 1"
        outcomes = base_case(model_of(row, "r_die * exp(z)"))
        x, w = np.polynomial.hermite_e.hermegauss(60)
        rates = RATE * np.exp(-0.1 + 0.4 * x)
        years = np.exp(-np.outer(np.arange(YEARS), rates)).sum(axis=0)
        expected = years @ w / w.sum()
        error = float(sample_error(outcomes.by_patient).item())
        assert abs(float(outcomes.total("life_years").item()) - expected) < error / 4

    def test_no_spread_is_no_attribute(self, model_of):
        same = model_of("family: normal, mean: 1, sd: 1e-13, unit: hazard ratio")
        plain = survivors(model_of("", "r_die"))
        np.testing.assert_allclose(survivors(same), plain, rtol=1e-11)

    def test_an_argument_that_is_drawn(self, model_of):
        """A scale of the frailty scales the rate: each draw has its closed form, within 1 %."""
        row = "family: gamma, mean: mean, sd: mean * 0.7071067811865476, unit: hazard ratio"
        model = model_of(row, patients=512)
        found = simulate(model, draws=20, seed=3).total("life_years").to_numpy()[:, 0]
        from qalyst.params.draws import Draws

        draws = Draws(model.parameters, 3, np.arange(20))
        rates = draws.cell("r_die", ()) * draws.cell("mean", ())
        survival = (1 + THETA * rates * np.arange(YEARS)[:, None]) ** (-1 / THETA)
        np.testing.assert_allclose(found, survival.sum(axis=0), rtol=0.01)

    def test_bare_arguments_are_in_the_unit_of_the_attribute(self, model_of):
        in_months = model_of("family: normal, mean: 24, sd: 6, unit: month", "r_die * z / year")
        in_years = model_of("family: normal, mean: 2, sd: 0.5, unit: year", "r_die * z / year")
        np.testing.assert_allclose(survivors(in_months), survivors(in_years), rtol=1e-12)


class TestTwoAttributes:
    def test_the_mean_over_individuals_is_that_of_the_cohort(self):
        """All profiles and sampled patients together: 4 Monte Carlo standard errors."""
        model = load_model(TWO)
        cohort = base_case(model).totals.discounted.isel(draw=0)
        found = base_case(model, individuals_for(model, patients=100_000, seed=2))
        for strategy in model.strategies:
            for outcome in model.outcomes:
                at = {"strategy": strategy, "outcome": outcome}
                both = {f"{key}_2": value for key, value in at.items()}
                error = float(found.between_patients.sel(at | both) / found.patients) ** 0.5
                mean = float(found.totals.discounted.isel(draw=0).sel(at))
                assert abs(mean - float(cohort.sel(at))) < 4 * error

    @pytest.mark.parametrize("patients", [None, 200])
    def test_threads_change_no_bit(self, patients):
        model = load_model(TWO)

        def run(threads):
            engine = individuals_for(model, patients=patients, seed=1) if patients else None
            return simulate(model, draws=300, seed=1, threads=threads, engine=engine)

        one, two = run(1), run(2)
        np.testing.assert_array_equal(one.totals.discounted, two.totals.discounted)
        np.testing.assert_array_equal(one.by_patient, two.by_patient)

    def test_the_order_of_rows_changes_no_bit(self, tmp_path):
        text, params = Path(TWO).read_text(), Path(TWO).parent / "params" / "two_attributes.yaml"
        lines = text.splitlines(keepends=True)
        first = next(i for i, line in enumerate(lines) if line.startswith("  frailty:"))
        lines[first], lines[first + 1] = lines[first + 1], lines[first]
        (tmp_path / "params").mkdir()
        (tmp_path / "params" / params.name).write_text(params.read_text())
        (tmp_path / "two_attributes.yaml").write_text("".join(lines))
        same = load_model(str(tmp_path / "two_attributes.yaml"))
        assert list(same.attributes) != list(load_model(TWO).attributes)
        np.testing.assert_array_equal(
            base_case(same).totals.discounted, base_case(load_model(TWO)).totals.discounted
        )

    def test_correlation_matters(self):
        """The frail are also the old, or not: the outcomes differ."""
        together, apart = load_model(TWO), load_model(TWO, scenarios=["apart"])
        found = [base_case(model).total("qalys").to_numpy() for model in (together, apart)]
        assert np.abs(found[0] - found[1]).min() > 0.01


class TestReport:
    def test_a_patient_that_is_followed_has_numbers_for_attributes(self):
        """Also those whose spread is drawn: of the base case, in strata of the sample."""
        model = load_model(TWO)
        histories = follow_patients(model, patients=2_000, seed=1)
        own = [histories.profiles[number] for number in histories.profile]
        for name in model.attributes:
            assert all(isinstance(known[name], float) for known in own)
            assert len({(known["sex"], known[name]) for known in own}) == 2 * model.patients_sampled
        found = patients_data(histories, {0: "a story"})
        assert json.loads(json.dumps(found))["stories"][0]["profile"] == own[0]

    def test_results_by_profile_are_means_over_their_patients(self):
        model = load_model(TWO)
        outcomes = base_case(model)
        table = profiles_table(analyse(model, outcomes))
        assert list(table["profile"].unique()) == ["sex female", "sex male"]
        for strategy in model.strategies:
            own = table[table["strategy"] == strategy]
            total = float(outcomes.total("qalys").sel(strategy=strategy).item())
            assert (own["weight"] * own["qalys"]).sum() == pytest.approx(total, rel=1e-12)

    def test_the_error_of_the_sample_is_printed(self):
        model = load_model(TWO)
        found = [n for n in notes(analyse(model, base_case(model))) if "sampled patients" in n]
        assert len(found) == 1
        assert "16 sampled patients stand for each profile" in found[0]
        assert "an incremental net benefit is USD" in found[0]
        assert "upper bound since the sample is stratified" in found[0]

    def test_without_a_decision_it_is_that_of_the_outcomes(self, model_of):
        model = model_of(GAMMA)
        found = "\n".join(notes(analyse(model, base_case(model))))
        assert "that this leaves of the outcomes is" in found
        assert "Life years" in found

    def test_a_model_without_attributes_has_no_such_note(self, model_of):
        model = model_of("", "r_die")
        assert "sampled" not in "\n".join(notes(analyse(model, base_case(model))))

    def test_a_larger_sample_lowers_the_error(self):
        model = load_model(TWO)
        large = replace(model, patients_sampled=256)
        errors = [sample_error(base_case(m).by_patient).to_numpy() for m in (model, large)]
        assert (errors[1] < errors[0] / 2).all()
