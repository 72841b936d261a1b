"""`qalyst evsi` as a user types it: what is written, what is said, what is refused."""

from __future__ import annotations

import json
import shlex

import pandas as pd
import pytest
from typer.testing import CliRunner

from qalyst.cli import app

runner = CliRunner()
COHORT = """\
study: cohort
label: Cohort of people who are sick
design: survival
rate: r_sicken
follow_up: [1, 3]
n: 40
sizes: {from: 10, to: 80}
status: assumption
source: made up for a test
cost: {fixed: 1000, per_patient: 50, status: assumption, source: made up}
population: {incidence: 100, horizon: 5, discount: 0.03, status: recalled, source: made up}
"""
REQUEST = ("sick_sicker", "--study", "cohort.yaml", "--wtp", "75000", "--draws", "400")


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohort.yaml").write_text(COHORT, encoding="utf-8")


def call(*words: str):
    return runner.invoke(app, ["evsi", *words])


def as_json(*words: str):
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_everything_is_written_and_listed(tmp_path):
    found = as_json(*REQUEST)
    folder = tmp_path / "results" / "sick_sicker-evsi-cohort"
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert found["files"] == names
    assert set(names) == {
        "provenance.json",
        "sentence.txt",
        "figures/study_value.png",
        "figures/study_value.svg",
        "tables/evsi.csv",
        "tables/enbs.csv",
    }
    computed = pd.read_csv(folder / "tables" / "evsi.csv")
    assert len(computed) == len(found["evsi"])
    assert set(computed.follow_up) == {1, 3}
    assert {10, 40, 80} <= set(computed.n)
    compared = pd.read_csv(folder / "tables" / "enbs.csv")
    assert len(compared) == 2 * 71
    assert compared.enbs.tolist() == pytest.approx(compared.population_evsi - compared.cost)
    kept = json.loads((folder / "provenance.json").read_text())
    assert kept["study"]["rate"] == "r_sicken"
    assert {each["part"] for each in kept["sources"]} == {"design", "cost", "population"}


def test_the_json_agrees_with_itself_and_the_laws():
    found = as_json(*REQUEST)
    assert (found["study"], found["n"], found["threshold"]) == ("cohort", 40, 75000)
    assert found["parameters"] == ["r_sicken"]
    for row in found["evsi"]:
        assert 0 <= row["lower"] <= row["evsi"] <= row["evppi"] <= row["evpi"]
        assert row["evsi"] <= row["upper"]
    for row in found["enbs"]:
        best = row["best"]
        assert best["n"] == row["best_n"]
        assert row["within"][0] <= row["best_n"] <= row["within"][1]
        assert best["enbs"] >= row["planned"]["enbs"]
        assert best["enbs"] == pytest.approx(best["population_evsi"] - best["cost"])
        assert best["delay"] == row["follow_up"]
    highest = max(found["enbs"], key=lambda row: row["best"]["enbs"])
    assert found["best_follow_up"] == highest["follow_up"]
    assert found["assumptions"][-1] == {
        "part": "population",
        "status": "recalled",
        "source": "made up",
    }


def test_it_says_one_table_and_one_sentence():
    result = call(*REQUEST)
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert "Cohort of people who are sick, at 75,000 USD per QALY" in told
    assert "A study of 40 persons followed for" in told
    assert "The best size is" in told
    assert "Assumptions of the study file, with their reasons there: design and cost." in told


def test_the_command_of_the_provenance_gives_the_same_numbers(tmp_path):
    found = as_json(*REQUEST)
    record = tmp_path / "results" / "sick_sicker-evsi-cohort" / "provenance.json"
    words = shlex.split(json.loads(record.read_text())["rerun"])
    assert words[:2] == ["qalyst", "evsi"]
    assert as_json(*words[2:])["evsi"] == found["evsi"]


def test_a_study_without_cost_has_no_best_size(tmp_path):
    lines = [line for line in COHORT.splitlines() if not line.startswith(("cost", "population"))]
    (tmp_path / "cohort.yaml").write_text("\n".join(lines), encoding="utf-8")
    result = call(*REQUEST)
    assert result.exit_code == 0, result.output
    assert "without cost and population no best size" in " ".join(result.output.split())


def test_rates_are_read_per_year_whatever_the_unit_of_the_record():
    """The cohort sees 0.15 a year: about 1 - exp(-0.15) of 40 persons in a year."""
    from qalyst import load_model
    from qalyst.decision.study_files import load_study
    from qalyst.study_values import _values

    model, file = load_model("sick_sicker"), load_study("cohort.yaml")
    values = _values(model, file, 1, 2000)
    assert values["r_sicken"].mean() == pytest.approx(0.15, rel=0.02)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rate: r_sicken", "rate: r_sickn", "did you mean 'r_sicken'"),
        ("design: survival", "design: survivl", "did you mean 'survival'"),
        ("design: survival", "", "the study has no design"),
        ("n: 40", "n: 0.5", "'n' must be a whole number"),
        ("n: 40", "n: -4", "a study of -4 persons"),
        ("fixed: 1000", "fixd: 1000", "unknown key 'fixd'"),
        ("fixed: 1000", "fixed: -1000", "'fixed' is -1000"),
        ("discount: 0.03", "discount: 3", "a rate per year"),
        ("to: 80", "to: 5", "sizes from 10 to 5"),
        ("follow_up: [1, 3]", "follow_up: [0]", "'follow_up' is 0"),
        ("follow_up: [1, 3]", "follow_up: [1, 1]", "a follow-up is given twice"),
        ("follow_up: [1, 3]", "follow_up: []", "no follow-up"),
        ("source: made up for a test", "", "lacks 'source'"),
        ("status: recalled", "status: sure", "status"),
    ],
)
def test_a_study_file_that_cannot_be_used_is_refused(tmp_path, old, new, words):
    assert old in COHORT
    (tmp_path / "cohort.yaml").write_text(COHORT.replace(old, new, 1), encoding="utf-8")
    result = call(*REQUEST)
    assert result.exit_code == 1
    assert words in result.stderr
    assert not (tmp_path / "results").exists() or not list((tmp_path / "results").iterdir())


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (("sick_sicker", "--study", "nothing"), "no study 'nothing'"),
        (("sick_sicker", "--study", "sick_sicker_onst"), "did you mean 'sick_sicker_onset'"),
        (("sick_sicker", "--study", "cohort.yaml"), "several thresholds"),
        (("heart_valve", "--study", "cohort.yaml", "--wtp", "1"), "no cost and effect"),
        ((*REQUEST[:-1], "20"), "too few for a regression"),
        ((*REQUEST[:-1], "0"), "0 draws are none"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(request_, words):
    result = call(*request_)
    assert result.exit_code == 1
    assert words in result.stderr


def test_the_studies_of_the_catalogue_can_be_read():
    from qalyst.decision.study_files import load_study
    from qalyst.io.files import catalogue

    paths = sorted((catalogue() / "studies").glob("*.yaml"))
    assert len(paths) >= 2
    for path in paths:
        file = load_study(path.stem)
        assert file.study == path.stem
        assert len(file.compared) >= 6
