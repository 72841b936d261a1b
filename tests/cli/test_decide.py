"""`qalyst decide`: draws that another tool made."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from qalyst.cli import app

RUNNER = CliRunner()
GOOD = "a,b\n1,2\n3,4\n5,6\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_text(GOOD)
    return tmp_path


def decided(*words: str) -> dict:
    done = RUNNER.invoke(app, ["decide", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refused(*words: str) -> str:
    done = RUNNER.invoke(app, ["decide", *words], catch_exceptions=False)
    assert done.exit_code == 1, done.output
    assert not done.stdout
    return done.stderr


def test_the_answer_is_that_of_the_vaccine_case(folder):
    """Baio's influenza draws: printed expected net benefits, EVPI and acceptability."""
    from decision_cases import case, vaccine

    golden = case("psa_bcea_vaccine")
    costs, effects = vaccine()
    for name, table in (("costs.csv", costs), ("effects.csv", effects)):
        columns = list(table)
        np.savetxt(
            folder / name,
            np.column_stack([table[column] for column in columns]),
            delimiter=",",
            header=",".join(columns),
            comments="",
            fmt="%.17g",
        )
    found = decided("costs.csv", "effects.csv", "--wtp", "25000", "--currency", "GBP")
    expected = golden["expected"]["k25000"]
    (at,) = found["thresholds"]
    assert at["optimal"] == expected["optimal"]
    assert at["evpi"] == pytest.approx(expected["evpi"]["value"], abs=expected["evpi"]["abs_tol"])
    assert at["probability"]["vaccination"] == pytest.approx(
        expected["ceac_vaccination"]["value"], abs=expected["ceac_vaccination"]["abs_tol"]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3,nan\n5,6\n", "'b' holds 'nan'"),
        ("a,b\n1,2\n3,inf\n5,6\n", "'b' holds 'inf'"),
        ("a,b\n1,2\n3,1_0\n5,6\n", "'b' holds '1_0'"),
        ("a,b\n1,2\n3,x\n5,6\n", "'b' holds 'x'"),
        ("a,b\n1,2\n3,\n5,6\n", "'b' holds ''"),
        ("a;b\n1;2,5\n3;4\n5;6\n", "decimals with a point"),
        ("a,b\n1,2\n3,4\n", "2 draws, and 3 in good.csv"),
        ("a,c\n1,2\n3,4\n5,6\n", "strategy 'b' of good.csv is not there"),
        ("a,b,c\n1,2,1\n3,4,1\n5,6,1\n", "strategy 'c' of bad.csv is not there"),
        ("a,a\n1,2\n3,4\n5,6\n", "two columns are called 'a'"),
        ("a\n1\n3\n5\n", "strategy 'b' of good.csv is not there"),
        ("a,b\n", "names and no draws"),
        ("", "is empty"),
        ("1,2\n3,4\n5,6\n", "numbers where names are expected"),
        ("a,b\n1,2\n3\n5,6\n", "1 cells under 2 names"),
        ("a,\n1,2\n3,4\n5,6\n", "column 2 has no name"),
    ],
)
def test_a_fault_is_told_with_its_file(folder, text, words):
    (folder / "bad.csv").write_text(text)
    told = refused("good.csv", "bad.csv", "--wtp", "1000")
    assert words in told
    assert "bad.csv" in told


@pytest.mark.parametrize("wtp", ["nan", "inf", "-1", "abc", "1_0", "1e308"])
def test_a_threshold_that_cannot_be_is_refused(folder, wtp):
    assert wtp in refused("good.csv", "good.csv", "--wtp", wtp) or wtp == "1e308"


def test_one_strategy_is_no_decision(folder):
    (folder / "one.csv").write_text("a\n1\n2\n")
    assert "'a' is the only strategy" in refused("one.csv", "one.csv")


def test_files_that_are_not_there_or_no_text_are_told(folder):
    assert "'none.csv' cannot be read" in refused("none.csv", "good.csv")
    (folder / "binary.csv").write_bytes(bytes(range(128, 256)))
    assert "no table of text" in refused("good.csv", "binary.csv")


@pytest.mark.parametrize("name", ["", '""', "draw", "Iteration"])
def test_a_column_that_numbers_the_rows_is_left_out_and_told(folder, name):
    (folder / "numbered.csv").write_text(f"{name},a,b\n1,1,2\n2,3,4\n3,5,6\n")
    found = decided("numbered.csv", "good.csv", "--wtp", "1000")
    assert list(found["strategies"]) == ["a", "b"]
    assert any("numbers the rows" in note for note in found["notes"])


def test_strategies_are_matched_by_name_in_any_order(folder):
    (folder / "turned.csv").write_text("b,a\n2,1\n4,3\n6,5\n")
    one = decided("good.csv", "good.csv", "--wtp", "1000")
    other = decided("good.csv", "turned.csv", "--wtp", "1000")
    assert one["thresholds"] == other["thresholds"]


def test_semicolons_and_a_byte_order_mark_are_read(folder):
    (folder / "excel.csv").write_text("\ufeffa;b\n1;2\n3;4\n5;6\n", encoding="utf-8")
    assert decided("excel.csv", "good.csv", "--wtp", "1000")["draws"] == 3


def test_the_folder_holds_tables_figures_and_the_inputs_hashes(folder):
    found = decided("good.csv", "good.csv", "--wtp", "1000,2000", "--out", "found")
    assert "tables/incremental.csv" in found["files"]
    assert "figures/ceac.png" in found["files"]
    origin = json.loads((folder / "found" / "provenance.json").read_text())
    assert set(origin["inputs"]) == {"good.csv"}


@pytest.fixture
def product(folder):
    """Net benefit x1 * x2 of two standard normals, and one that has no part in it."""
    x = np.random.default_rng(5).standard_normal((2_000, 3))
    tables = {
        "params.csv": ("x1,x2,noise", x),
        "qalys.csv": ("none,treat", np.column_stack([np.zeros(2_000), x[:, 0] * x[:, 1]])),
        "costs.csv": ("none,treat", np.zeros((2_000, 2))),
    }
    for name, (head, values) in tables.items():
        np.savetxt(folder / name, values, delimiter=",", header=head, comments="", fmt="%.17g")
    return ("costs.csv", "qalys.csv", "--params", "params.csv", "--wtp", "1")


def test_a_pair_is_worth_what_neither_is_alone(product):
    asked = [word for name in ("x1", "noise", "x1,x2") for word in ("--evppi", name)]
    rows = {tuple(row["parameters"]): row for row in decided(*product, *asked)["evppi"]}
    pair = rows["x1", "x2"]
    assert abs(pair["value"] - 1 / np.pi) < 4 * pair["se"]  # E|x1 x2| / 2
    assert rows["x1",]["value"] < 0.05 > rows["noise",]["value"]


def test_all_asks_for_each_parameter_alone(product):
    rows = decided(*product, "--evppi", "all")["evppi"]
    assert [row["parameters"] for row in rows] == [["x1"], ["x2"], ["noise"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--params", "params.csv", "--wtp", "1", "--evppi", "x1,x3"), "no parameter 'x3'"),
        (("--wtp", "1", "--evppi", "x1"), "--params draws.csv"),
        (("--params", "params.csv", "--evppi", "x1"), "--wtp 50000"),
        (("--params", "good.csv", "--wtp", "1"), "3 draws, and 2,000 in costs.csv"),
        (("--params", "params.csv", "--wtp", "1", "--evppi", "x1,x1"), "x1"),
    ],
)
def test_what_cannot_be_learnt_is_told(product, words, told):
    assert told in refused("costs.csv", "qalys.csv", *words)


def test_learning_has_a_table_and_a_figure(product, folder):
    found = decided(*product, "--evppi", "x1,x2", "--out", "found")
    assert "tables/evppi.csv" in found["files"]
    assert "figures/evppi_1.png" in found["files"]


def test_the_luck_of_simulated_patients_is_worth_nothing(folder):
    """Net benefit x with noise of simulated patients: EVPI of x is phi(0), not of x and noise."""
    draws = np.random.default_rng(3).standard_normal((4_000, 2))
    x, luck = draws[:, :1], 3 * draws[:, 1:]
    nothing = np.zeros_like(x)
    for name, head, values in (
        ("params.csv", "x", x),
        ("costs.csv", "old,new", np.hstack([nothing, nothing])),
        ("qalys.csv", "old,new", np.hstack([nothing, x + luck])),
    ):
        np.savetxt(folder / name, values, delimiter=",", header=head, comments="", fmt="%.17g")
    words = ("costs.csv", "qalys.csv", "--params", "params.csv", "--wtp", "1")
    (plain,), (without,) = (decided(*words, *more)["thresholds"] for more in ((), ("--simulated",)))
    truth = 1 / np.sqrt(2 * np.pi)
    assert abs(without["evpi"] - truth) < 4 * without["evpi_mcse"]
    assert plain["evpi"] > 2 * truth  # sqrt(1 + 9) times the truth, in the long run
    assert "--params" in refused("costs.csv", "qalys.csv", "--wtp", "1", "--simulated")
