"""`qalyst voi`: what would be worth finding out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qalyst.cli import app

RUNNER = CliRunner()
MODEL = str(Path(__file__).parents[1] / "sensitivity" / "models" / "by_grade.yaml")
WORDS = (
    "--wtp",
    "30000,20000",
    "--group",
    "gains=du_g1,du_g2",
    "--persons",
    "100",
    "--draws",
    "60",
)


def call(*words: str):
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def voi(*words: str) -> dict:
    done = RUNNER.invoke(app, ["voi", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refused(*words: str) -> str:
    done = RUNNER.invoke(app, ["voi", *words], catch_exceptions=False)
    assert done.exit_code == 1, done.output
    return done.stderr


def test_everything_is_worth_most_and_a_group_no_less_than_its_members():
    found = voi("sick_sicker", "--wtp", "100000", "--draws", "1000", "--group", "u=u_sick,u_sicker")
    (at,) = found["thresholds"]
    singles = {row["parameters"][0]: row["value"] for row in at["evppi"]}
    (group,) = at["groups"]
    assert group["name"] == "u"
    assert at["evpi"] >= group["value"] >= max(singles["u_sick"], singles["u_sicker"]) >= 0


def test_regression_agrees_with_running_the_model_again():
    words = ("--wtp", "100000", "--draws", "2000", "--check", "u_sick", "--budget", "60000")
    (check,) = voi("sick_sicker", *words)["checks"]
    assert check["nested"] > 0
    assert abs(check["apart"]) < 4


def test_shares_of_one_whole_are_checked_together():
    told = refused("hiv", "--wtp", "6000", "--draws", "100", "--check", "p_a[a]")
    assert "'p_a[b]' is drawn together with 'p_a[a]'" in told
    assert "as p_a" in told


def test_population_values_are_those_of_the_persons(tmp_path):
    words = ("--wtp", "6000", "--draws", "200", "--persons", "100", "--horizon", "2")
    found = voi("hiv", *words, "--discount", "0.25")
    assert found["persons"] == pytest.approx(100 + 100 / 1.25)
    text = (tmp_path / "results" / "hiv-voi" / "tables" / "evppi.csv").read_text()
    assert "population_evppi" in text.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("hiv",), "states no willingness to pay"),
        (("hiv", "--wtp", "6000", "--group", "rr_combinaton,c_a"), "did you mean 'rr_combination'"),
        (("hiv", "--wtp", "6000", "--group", "x="), "a group of nothing"),
        (("hiv", "--wtp", "6000", "--draws", "20"), "too few"),
        (("heart_valve", "--wtp", "6000"), "heart_valve"),
        (("hiv", "--wtp", "6000", "--persons", "-1"), "incidence"),
    ],
)
def test_what_cannot_be_learnt_is_told(words, told):
    assert told in refused(*words)


def test_the_command_of_the_provenance_gives_the_same_files():
    first = call("voi", MODEL, *WORDS, "--out", "one", "--json")
    assert first.exit_code == 0, first.output
    record = json.loads(Path("one/provenance.json").read_text(encoding="utf-8"))
    program, *again = shlex.split(record["rerun"])
    assert program == "qalyst"
    second = call(*again, "--out", "two", "--json")
    assert second.exit_code == 0, second.output
    found = json.loads(first.stdout)
    assert [each["wtp"] for each in found["thresholds"]] == [30_000, 20_000]
    assert found["thresholds"] == json.loads(second.stdout)["thresholds"]
    other = json.loads(Path("two/provenance.json").read_text(encoding="utf-8"))
    assert record["outputs"] == other["outputs"]


def test_nothing_is_worth_more_than_everything():
    found = json.loads(call("voi", MODEL, *WORDS, "--json").stdout)
    for each in found["thresholds"]:
        for value in (*each["evppi"], *each["groups"]):
            assert 0 <= value["value"] <= each["evpi"] * (1 + 1e-12)
