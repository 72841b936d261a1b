"""`run --engine individuals` and `verify` as a user meets them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qalyst.cli import app

FEW = ("--engine", "individuals", "--patients", "200", "--draws", "6", "--seed", "4")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(*words: str):
    return CliRunner().invoke(app, list(words))


def rows(folder: str, table: str) -> list[dict[str, str]]:
    with (Path(folder) / "tables" / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_of_patients_writes_what_a_cohort_does_and_the_split():
    assert call("run", "sick_sicker", *FEW, "--out", "patients").exit_code == 0
    assert call("run", "sick_sicker", "--draws", "6", "--out", "cohort").exit_code == 0
    names = {path.name for path in Path("patients/tables").iterdir()}
    assert names == {path.name for path in Path("cohort/tables").iterdir()} | {"variance.csv"}
    split = rows("patients", "variance")
    assert {row["result"] for row in split} >= {"costs", "qalys"}
    for row in split:
        noise, patients = float(row["sd_noise"]), float(row["sd_patients"])
        assert noise == pytest.approx(patients / 200**0.5, rel=1e-6)


def test_provenance_runs_it_again():
    assert call("run", "krijkamp", *FEW, "--out", "one").exit_code == 0
    record = json.loads(Path("one/provenance.json").read_text())
    assert (record["engine"], record["patients"]) == ("individuals", 200)
    words = record["rerun"].split()[1:]
    assert call(*words, "--out", "two").exit_code == 0
    for path in Path("one/tables").iterdir():
        assert path.read_bytes() == (Path("two/tables") / path.name).read_bytes()


def test_asking_for_patients_asks_for_individuals():
    found = call("run", "krijkamp", "--patients", "50", "--draws", "3", "--json")
    assert json.loads(found.stdout)["patients"] == 50


def test_base_case_of_patients():
    words = ("--engine", "individuals", "--deterministic", "--json")
    found = json.loads(call("run", "sumatriptan", *words).stdout)
    assert found["draws"] is None
    assert found["patients"] == 1000
    assert any("all results are means of 100,000 patients" in note for note in found["notes"])
    assert all(row["parameters"] is None for row in found["variance"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--engine", "individuals", "--patients", "0"), "0 patients are none"),
        (("--engine", "cohort", "--patients", "5"), "a cohort has no patients one by one"),
        (("--deterministic", "--resume"), "only draws can be gone on with"),
        (("--resume",), "there is no unfinished run"),
        (("--patients", "5", "--error", "10"), "are both given"),
        (("--error", "0", "--draws", "5"), "a Monte Carlo error is above 0"),
    ],
)
def test_requests_that_cannot_be(words, told):
    found = call("run", "krijkamp", *words, "--out", "here")
    assert found.exit_code == 1
    assert told in found.stderr
    assert not Path("here").exists()


def test_the_number_of_patients_is_chosen():
    words = ("--scenario", "base_case_man", "--error", "1e5", "--draws", "30", "--json")
    found = json.loads(call("run", "nelm", *words).stdout)
    assert found["patients"] == 10  # the least


def test_partitioned_survival_has_no_patients():
    found = call("run", "partitioned_survival", *FEW, "--out", "here")
    assert found.exit_code == 1
    assert "gives shares of states, not causes of leaving them" in found.stderr
    assert "partitioned_survival.yaml" in found.stderr
    assert not Path("here").exists()


def test_verify_agrees():
    found = call("verify", "krijkamp", "--patients", "2000")
    assert found.exit_code == 0
    assert "the engines agree" in found.stdout


def test_verify_is_not_applicable():
    found = call("verify", "partitioned_survival")
    assert found.exit_code == 0
    assert "not applicable" in found.stdout


def test_verify_fails_if_the_engines_disagree(monkeypatch):
    """A cohort that is 1 % too dear is found out."""
    import qalyst.agreement as agreement

    plain = agreement._by_row
    monkeypatch.setattr(
        agreement,
        "_by_row",
        lambda *given: {row: 1.01 * amount for row, amount in plain(*given).items()},
    )
    found = call("verify", "sick_sicker", "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert told["agrees"] is False
    assert told["failed"]
