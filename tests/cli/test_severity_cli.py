"""The command severity: what it prints is the sum of its parts."""

import json

import pytest
from typer.testing import CliRunner

from qalyst.cli import app
from qalyst.decision.severity import quality_adjusted_life_expectancy
from qalyst.model.resolve import load_model
from qalyst.model.weights import at_rates
from qalyst.outcomes import Rates
from qalyst.params.populations import general_population
from qalyst.simulation import simulate

runner = CliRunner()
WHO = ("--strategy", "standard", "--age", "25", "--female", "0.25")


def call(*words):
    return runner.invoke(app, list(map(str, words)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "sick"
    found = call("run", "sick_sicker", "--draws", 20, "--seed", 4, "--out", place)
    assert found.exit_code == 0, found.output
    return place


def test_the_shortfall_is_the_population_less_the_patients(folder):
    found = json.loads(call("severity", folder, "--guideline", "nice_2026", *WHO, "--json").stdout)
    people = general_population("life_table_england_2017_2019", "norm_england_hse2014", "test")
    by_sex = {
        sex: quality_adjusted_life_expectancy(
            people.hazards[sex], people.utilities[sex], age=25, rate=0.035
        )
        for sex in ("female", "male")
    }
    general = 0.25 * by_sex["female"] + 0.75 * by_sex["male"]
    model = at_rates(load_model("sick_sicker"), Rates(0.035, 0.035))
    patients = simulate(model, draws=20, seed=4).total("qalys").sel(strategy="standard").mean()
    assert found["qalys_general_population"] == pytest.approx(general, rel=1e-12)
    assert found["qalys_patients"] == pytest.approx(float(patients), rel=1e-12)
    assert found["absolute_shortfall"] == pytest.approx(general - float(patients), rel=1e-9)
    assert found["value"] == 1.0
    assert "in GBP" in found["notes"][0]  # the model is in dollars
    assert sum(row["share"] for row in found["chances"]) == 1


def test_a_weight_multiplies_qalys_and_leaves_costs(folder, tmp_path, monkeypatch):
    preset = tmp_path / "params" / "guidelines" / "mine.yaml"
    preset.parent.mkdir(parents=True)
    preset.write_text(
        """
guideline: mine
title: Mine
agency: Me
country: Here
currency: USD
since: "2020"
sources: {book: {cite: A book, date: "2020"}}
discount:
  costs:   {value: 0.03, status: recalled, source: book}
  effects: {value: 0.03, status: recalled, source: book}
thresholds: [{value: 70000, use: all, status: recalled, source: book}]
severity:
  gives: weight
  population: {life_table: life_table_england_2017_2019, norm: norm_england_hse2014}
  bands: [{absolute: 1, weight: 2.0, status: recalled, source: book}]
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    found = json.loads(call("severity", folder, "--guideline", "mine", *WHO, "--json").stdout)
    assert found["value"] == 2.0
    plain = json.loads(call("reprice", folder, "--rates", "mine", "--json").stdout)
    for weighted, row in zip(found["incremental"], plain["incremental"], strict=True):
        assert weighted["cost"] == pytest.approx(row["cost"], rel=1e-12)
        assert weighted["effect"] == pytest.approx(2 * row["effect"], rel=1e-12)
        if row["icer"] is not None:
            assert weighted["icer"] == pytest.approx(row["icer"] / 2, rel=1e-12)
    assert [row["wtp"] for row in found["thresholds"]] == [70_000]
    assert call("severity", folder, "--guideline", "mine", *WHO).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--guideline", "us", *WHO), "does not weigh severity"),
        (("--guideline", "zin", *WHO), "names no general population"),
        (("--guideline", "nice_2026", *WHO[2:], "--strategy", "nobody"), "no strategy 'nobody'"),
        (("--guideline", "nice_2026", *WHO[:4], "--female", "25"), "no share of women"),
        (("--guideline", "nice_2026", *WHO[:2], "--age", "140", "--female", "1"), "life table"),
    ],
)
def test_what_has_no_shortfall_is_refused(folder, words, said):
    found = call("severity", folder, *words)
    assert found.exit_code == 1
    assert said in found.output


def test_life_years_have_no_shortfall_of_qalys(tmp_path):
    assert call("run", "hiv", "--draws", 2, "--out", tmp_path / "hiv").exit_code == 0
    words = ("--guideline", "nice_2026", "--strategy", "monotherapy", *WHO[2:])
    found = call("severity", tmp_path / "hiv", *words)
    assert found.exit_code == 1
    assert "is in year" in found.output
    assert "QALY" in found.output
