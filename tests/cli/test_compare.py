"""`qalyst compare` as a user types it."""

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
    return runner.invoke(app, ["compare", *words])


def as_json(*words: str):
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_one_table_for_each_outcome_with_intervals():
    found = as_json("sick_sicker", "--draws", "200", "--wtp", "100000")
    (table,) = found["by_effect"]
    assert table["effect"] == "qalys"
    on_frontier = [row for row in table["rows"] if row["icer"] is not None]
    assert on_frontier
    for row in on_frontier:
        assert row["fieller_words"]
        if row["bootstrap"]:
            assert row["bootstrap"][0] < row["icer"] < row["bootstrap"][1]
    for row in found["net_benefit"]:
        assert row["nhb"] == pytest.approx(row["nmb"] / 100_000)
        assert row["inhb_qalms"] == pytest.approx(12 * row["inhb"])


def test_tables_are_written_if_a_folder_is_named():
    first = as_json(MODEL, "--effects", "qalys", "--draws", "50", "--out", "found")
    assert first["files"] == ["by_effect.csv", "net_benefit.csv", "provenance.json"]
    table = pd.read_csv("found/by_effect.csv")
    assert table.outcome.unique().tolist() == ["qalys"]
    assert table.effect.dtype == float
    rerun = json.loads(Path("found/provenance.json").read_text())["rerun"]
    assert as_json(*shlex.split(rerun)[2:])["by_effect"] == first["by_effect"]
    assert as_json(MODEL, "--draws", "50")["folder"] is None


def test_words_on_the_terminal():
    result = call(MODEL, "--draws", "50")
    assert result.exit_code == 0, result.output
    assert "Fieller" in result.output
    assert "(QALMs)" in result.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hiv", "--effects", "life_yeers"], "did you mean 'life_years'?"),
        (["hiv", "--effects", "costs"], "no outcome 'costs' to compare costs with"),
        (["hiv", "--draws", "1"], "1 draw shows no uncertainty"),
        (["heart_valve"], "nothing to compare"),
    ],
)
def test_what_cannot_be_is_told(words, told):
    result = call(*words)
    assert result.exit_code == 1
    assert told in result.output


def test_money_is_no_effect_unless_it_is_asked_for(tmp_path):
    params = tmp_path / "params"
    params.mkdir()
    source = Path(MODEL)
    text = source.read_text(encoding="utf-8")
    text = text.replace("  qalys: {unit", "  drugs: {unit: USD, discount: 0}\n  qalys: {unit")
    text += "  drugs:\n    drug: {to: treated, quantity: strategy.new, price: c_new}\n"
    (tmp_path / "two.yaml").write_text(text.replace("model: by_grade", "model: two"))
    (params / "by_grade.yaml").write_text((source.parent / "params" / "by_grade.yaml").read_text())
    words = (str(tmp_path / "two.yaml"), "--draws", "20")
    assert [each["effect"] for each in as_json(*words)["by_effect"]] == ["qalys"]
    asked = as_json(*words, "--effects", "drugs")
    assert [each["effect"] for each in asked["by_effect"]] == ["drugs"]
