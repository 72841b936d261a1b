"""`qalyst profiles` as a user types it: what is decided for whom, and what is written."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from qalyst.cli import app

runner = CliRunner()
MODEL = str(Path(__file__).parents[1] / "sensitivity" / "models" / "by_grade.yaml")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(*words: str):
    return runner.invoke(app, ["profiles", *words])


def as_json(*words: str):
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_decisions_values_and_files():
    found = as_json(MODEL, "--draws", "500")
    assert found["by"] == ["grade", "sex"]
    chosen = {
        (s["labels"]["grade"], d["wtp"]): d["optimal"]
        for s in found["subgroups"]
        for d in s["decisions"]
    }
    # net benefit of the new: grade 1 wtp * 0.4 - 8,000, grade 2 wtp * -0.1 - 8,000
    assert chosen["g1", 50_000] == "new"
    assert chosen["g2", 50_000] == "old"
    assert [row["labels"] for row in found["rule"]] == [{"grade": "g1"}, {"grade": "g2"}]
    value = {(tuple(row["known"]), row["wtp"]): row for row in found["value"]}
    # one decision for all is the new at 50,000: by grade the loss of grade 2 is spared
    by_grade = value[("grade",), 50_000]
    assert abs(by_grade["gain"] - 0.25 * 13_000) < 4 * by_grade["gain_mcse"]
    assert value[("sex",), 50_000]["gain"] == value[("sex",), 50_000]["gain_perfect"] == 0
    assert value[("grade", "sex"), 50_000]["gain"] == pytest.approx(by_grade["gain"])
    assert {"figures/decision_map.png", "tables/decisions.csv", "provenance.json"} <= set(
        found["files"]
    )
    assert "New treatment is best value for all together" in found["sentence"]
    incremental = pd.read_csv(Path(found["folder"]) / "tables" / "incremental.csv")
    grade_1 = incremental.query("strategy == 'new' and grade == 'g1' and sex == 'male'").iloc[0]
    assert grade_1.icer == pytest.approx(8_000 / 0.4, rel=0.05)


def test_the_command_in_the_provenance_gives_the_same_again():
    first = as_json(MODEL, "--draws", "20", "--by", "grade", "--wtp", "30000", "--seed", "5")
    rerun = json.loads((Path(first["folder"]) / "provenance.json").read_text())["rerun"]
    again = as_json(*shlex.split(rerun)[2:], "--out", "again")
    assert again["subgroups"] == first["subgroups"]
    assert first["by"] == ["grade"]


def test_words_on_the_terminal():
    result = call(MODEL, "--draws", "50", "--by", "grade")
    assert result.exit_code == 0, result.output
    assert "grade g2" in result.output
    assert "B  New treatment" in result.output
    assert "Gain of choosing by subgroup" in result.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([MODEL, "--by", "grad"], "did you mean 'grade'?"),
        ([MODEL, "--draws", "1"], "1 draw shows no uncertainty"),
        ([MODEL, "--draws", "10000000"], "more than a run keeps"),
        ([MODEL, "--wtp", "-5"], "a willingness to pay of -5"),
        (["hiv", "--wtp", "50000"], "the same profile"),
        (["heart_valve"], "no cost and effect"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(words, told):
    result = call(*words)
    assert result.exit_code == 1
    assert told in result.output
    assert not Path("results").exists() or not any(Path("results").iterdir())
