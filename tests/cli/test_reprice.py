"""The commands reprice and guidelines, as a user gives them."""

import json

import pytest
from typer.testing import CliRunner

from qalyst.cli import app
from qalyst.model.resolve import load_model
from qalyst.params.guidelines import guideline
from qalyst.repricing import Question, by_guideline

runner = CliRunner()


def call(*words):
    return runner.invoke(app, list(map(str, words)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "hiv"
    found = call("run", "hiv", "--draws", 12, "--seed", 4, "--out", place)
    assert found.exit_code == 0, found.output
    return place


def asked(folder, *words):
    found = call("reprice", folder, *words, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_the_answer_is_that_of_a_fresh_run(folder, tmp_path):
    found = asked(folder, "--price", "c_zidovudine=1000", "--wtp", 500, "--wtp", 20_000)
    other = call(
        "run", "hiv", "--draws", 12, "--seed", 4, "--set", "c_zidovudine=1000", "--out",
        tmp_path / "x", "--json",
    )  # fmt: skip
    expected = json.loads(other.stdout)
    assert found["new_run"] == []
    assert found["folder"] is None
    assert [row["wtp"] for row in found["thresholds"]] == [500, 20_000]
    for strategy, outcomes in expected["base_case"].items():
        assert found["base_case"][strategy] == pytest.approx(outcomes, rel=1e-12)
    for strategy, outcomes in expected["probabilistic"].items():
        for outcome, spread in outcomes.items():
            assert found["probabilistic"][strategy][outcome] == pytest.approx(spread, rel=1e-9)
    assert found["sentence"].startswith("At GBP 500")


def test_a_guideline_brings_its_rates_but_no_thresholds_of_another_effect(folder):
    found = asked(folder, "--rates", "nice_2026")  # for a QALY; the effect is life years
    assert found["asked"]["rates"] == {"costs": 0.035, "effects": 0.035}
    assert found["asked"]["thresholds"] == []
    assert "for a QALY, the effect is in year" in found["notes"][0]
    assert found["new_run"] == []


def test_a_guideline_brings_its_thresholds_for_a_qaly_in_its_money():
    question, said = by_guideline(load_model("thr"), Question(), guideline("nice_2026", ""))
    assert question.thresholds == (25_000, 35_000)
    assert not said


def test_thresholds_in_other_money_are_not_taken_and_it_is_said(folder):
    found = asked(folder, "--rates", "zin")
    assert found["asked"]["thresholds"] == []
    assert "in EUR" in found["notes"][0]


def test_a_folder_of_results_is_written_when_asked(folder, tmp_path):
    words = ("--discount", "c_zidovudine=50%", "--out", tmp_path / "half")
    found = asked(folder, *words)
    assert "index.html" in found["files"]
    record = json.loads((tmp_path / "half" / "provenance.json").read_text(encoding="utf-8"))
    assert record["rerun"] == f"qalyst reprice {folder} --discount c_zidovudine=50%"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing is asked"),
        (("--discount", "c_zidovudine=25"), "is no discount"),
        (("--discount", "c_zidovudine=125%"), "is no discount"),
        (("--price", "rr_combination=1"), "--set"),
        (("--utility", "c_zidovudine=1"), "--price"),
        (("--price", "c_zidovudine=1", "--discount", "c_zidovudine=5%"), "asked for twice"),
        (("--rates", "nise"), "no guideline 'nise'"),
        (("--price", "c_zidovudin=1"), "c_zidovudine"),
    ],
)
def test_what_cannot_be_asked_is_refused(folder, words, said):
    found = call("reprice", folder, *words)
    assert found.exit_code == 1
    assert said in found.output


def test_a_folder_that_holds_no_run_is_refused(tmp_path):
    found = call("reprice", tmp_path, "--wtp", 1)
    assert found.exit_code == 1
    assert "run the model again" in found.output


def test_a_run_without_other_rates_is_run_again(tmp_path):
    words = ("--draws", 4, "--rates", "none", "--out", tmp_path / "plain")
    assert call("run", "hiv", *words).exit_code == 0
    found = call("reprice", tmp_path / "plain", "--rates", "pbac", "--no-run")
    assert found.exit_code == 1
    assert "kept no totals" in found.output


def test_guidelines_are_listed_and_shown():
    found = json.loads(call("guidelines", "--json").stdout)["guidelines"]
    zin = next(row for row in found if row["name"] == "zin")
    assert (zin["discount_costs"], zin["severity"]) == (0.03, "threshold")
    shown = call("guidelines", "zin")
    assert shown.exit_code == 0
    assert "recalled" in shown.output
    assert call("guidelines", "zim").exit_code == 1
