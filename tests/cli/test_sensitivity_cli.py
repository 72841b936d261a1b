"""The commands of sensitivity analysis as a user types them."""

from __future__ import annotations

import csv
import json
import shlex

import pytest
from typer.testing import CliRunner

from qalyst.cli import app

runner = CliRunner()
WTP = ("--wtp", "10000")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")  # so that no cell of a table is folded


def call(*words: str):
    return runner.invoke(app, list(words))


def as_json(*words: str):
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_tornado_writes_tables_figures_and_how_to_run_it_again(tmp_path):
    found = as_json("tornado", "hiv", *WTP, "--range", "c_lamivudine=0:9000", "--out", "here")
    assert found["strategy"] == "combination"
    assert len(found["inputs"]) == 14  # 13 uncertain ones, and the fixed price
    assert set(found["files"]) == {
        "figures/tornado.png",
        "figures/tornado.svg",
        "provenance.json",
        "tables/outcomes.csv",
        "tables/tornado.csv",
    }
    with (tmp_path / "here" / "tables" / "tornado.csv").open() as file:
        rows = {row["input"]: row for row in csv.DictReader(file)}
    row = next(each for each in found["inputs"] if each["input"] == "c_lamivudine")
    assert float(rows["c_lamivudine"]["swing"]) == pytest.approx(row["swing"])
    record = json.loads((tmp_path / "here" / "provenance.json").read_text())
    words = shlex.split(record["rerun"])[1:]
    again = as_json(*words, "--out", "again")
    assert again["inputs"] == found["inputs"]


def test_tornado_tells_where_the_decision_changes():
    told = call("tornado", "hiv", *WTP).output
    assert "high: Zidovudine alone" in told
    assert "1 of 13 inputs change the optimal strategy" in told


def test_grid_counts_its_points():
    found = as_json("grid", "hiv", "rr_combination=0.4:1:4", "c_lamivudine=0:9000:3", *WTP)
    assert [len(row) for row in found["optimal"]] == [3, 3, 3, 3]
    assert found["x"]["values"] == pytest.approx([0.4, 0.6, 0.8, 1.0])


def test_points_come_from_a_table(tmp_path):
    (tmp_path / "points.csv").write_text("name,c_a,rr_combination\nlow,1000,0.4\n,,0.7\n")
    found = as_json("points", "hiv", "points.csv", *WTP)
    assert [each["name"] for each in found["points"]] == ["low", "2"]
    assert found["points"][1]["values"] == {"rr_combination": 0.7}


def test_threshold_is_told_in_a_sentence():
    told = call("threshold", "hiv", "rr_combination", "--between", "0.4:1.2", *WTP).output
    assert "is optimal below 0.74481, Zidovudine alone above 0.74481" in " ".join(told.split())


def test_a_price_is_found_for_every_threshold_of_the_model():
    found = as_json("threshold", "sick_sicker", "c_b", "--price")
    assert [each["wtp"] for each in found["prices"]] == [50_000, 100_000, 150_000]
    # the published ICER of B is 72,988 at a price of 13,000, on the line through the others
    low, high = (each["price"] for each in found["prices"][:2])
    share = (13_000 - low) / (high - low)
    assert 50_000 + 50_000 * share == pytest.approx(72_988, abs=1)


def test_scenarios_come_from_the_model_a_table_or_a_file(tmp_path):
    found = as_json("scenarios", "hiv", *WTP)
    assert [row["name"] for row in found["rows"]] == ["half_cycle", "undiscounted"]
    (tmp_path / "mine.csv").write_text(
        "name,scenarios,c_a,justification\nboth,half_cycle; undiscounted,3000,why\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "both: {scenarios: [half_cycle, undiscounted], parameters: {c_a: 3000}, "
        "justification: why}\n"
    )
    one, other = (as_json("scenarios", "hiv", name, *WTP) for name in ("mine.csv", "mine.yaml"))
    assert one["rows"] == other["rows"]
    assert one["rows"][0]["scenarios"] == ["half_cycle", "undiscounted"]
    assert one["rows"][0]["values"] == {"c_a": 3000}


def test_scenarios_may_be_crossed():
    found = as_json("scenarios", "hiv", *WTP, "--cross", "half_cycle,undiscounted")
    assert [row["name"] for row in found["rows"]][-1] == "half_cycle + undiscounted"


def test_elasticities_have_errors():
    found = as_json("elasticities", "hiv", *WTP, "--parameter", "c_lamivudine")
    slopes = found["inputs"][0]["slopes"]
    assert {slope["outcome"] for slope in slopes} == {
        *("costs", "life_years", "nmb", "incremental_nmb")
    }
    assert all(slope["error"] >= 0 for slope in slopes)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tornado", "hiv"), "states no willingness to pay"),
        (("tornado", "hiv", *WTP, "--range", "c_a"), "is not NAME=LOW:HIGH"),
        (("tornado", "hiv", *WTP, "--range", "c_a=1:x"), "'x' is no finite number"),
        (("tornado", "hiv", *WTP, "--range", "c_a=1:nan"), "'nan' is no finite number"),
        (("grid", "hiv", "c_a=1:2:x", "c_b=1:2", *WTP), "'x' is no number of steps"),
        (("points", "hiv", "none.csv", *WTP), "no file 'none.csv'"),
        (("scenarios", "hiv", "none.csv", *WTP), "no file 'none.csv'"),
        (("threshold", "hiv", "c_a", "--price", "--between", "1:2", *WTP), "needs no range"),
        (("threshold", "hiv", "c_a", "--strategy", "combination", *WTP), "not at a pair"),
        (("elasticities", "hiv", *WTP, "--parameter", "c_aa"), "did you mean 'c_a'"),
        (("tornado", "hiv", *WTP, "--threads", "0"), "0 threads are none"),
    ],
)
def test_what_cannot_be_done_is_refused_and_writes_nothing(tmp_path, words, told):
    result = call(*words)
    assert result.exit_code == 1
    assert told in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,c_a,c_a\na,1,2\n", "the column 'c_a' twice"),
        ("name,c_a\na,much\n", "the cell 'c_a' holds 'much'"),
        ("name,c_aa\na,1\n", "did you mean 'c_a'"),
        ("", "is empty"),
        ("name,c_a\n", "there are no points"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, text, told):
    (tmp_path / "points.csv").write_text(text)
    result = call("points", "hiv", "points.csv", *WTP)
    assert result.exit_code == 1
    assert told in result.output
