"""`qalyst sequences` as a user types it: what is written, what is said, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from qalyst.cli import app

LINES = str(Path(__file__).parents[1] / "sensitivity" / "models" / "lines.yaml")
runner = CliRunner()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(*words: str):
    return runner.invoke(app, ["sequences", LINES, "--draws", "8", "--threads", "1", *words])


def as_json(*words: str):
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_everything_is_written_and_agrees(tmp_path):
    found = as_json("--wtp", "20000", "--wtp", "60000", "--top", "3")
    folder = tmp_path / "results" / "lines-sequences"
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert found["files"] == names
    assert names == [
        *(f"figures/top_sequences_{w}.{e}" for w in (20000, 60000) for e in ("png", "svg")),
        "provenance.json",
        "tables/best_by_profile.csv",
        "tables/sequences.csv",
    ]
    assert found["sequences"] == 24
    table = pd.read_csv(folder / "tables" / "sequences.csv")
    assert len(table) == 2 * 24
    assert table.groupby("wtp")["probability_best"].sum().tolist() == pytest.approx([1, 1])
    for at in found["thresholds"]:
        own = table[table.wtp == at["wtp"]].iloc[0]
        assert own["strategy"] == at["best"] == at["top"][0]["strategy"]
        assert own["nmb"] == pytest.approx(at["wtp"] * own["effect"] - own["cost"], rel=1e-6)
        assert len(at["top"]) == 3
    assert len(found["by_profile"]) == 4
    assert len(pd.read_csv(folder / "tables" / "best_by_profile.csv")) == 2 * 4


def test_the_words_name_the_best_the_next_and_how_it_was_run():
    result = call("--lines", "3", "--top", "2")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "The best 2 of 12 sequences (all then care) at 30,000 USD per QALY" in text
    assert re.search(r"At 30,000 USD per QALY the best of 12 sequences \(all then care\) is ", text)
    assert "of net benefit per person and is better in" in text
    assert "Best of 4 profiles at 30,000:" in text


def test_each_by_itself_gives_the_same():
    together, alone = as_json("--together"), as_json("--one-by-one", "--out", "other")
    assert alone["how"].endswith("as asked")
    assert together["how"].startswith("sequences are run together: 64 lines of 96")
    assert (together["together"], alone["together"]) == (True, False)
    best = together["thresholds"][0], alone["thresholds"][0]
    assert best[0]["best"] == best[1]["best"]
    assert best[0]["top"][0]["nmb"] == pytest.approx(best[1]["top"][0]["nmb"], rel=1e-9)


def test_the_rerun_gives_the_same(tmp_path):
    asked = ["--first", "drug", "--exclude", "pills", "--lines", "3", "--profile", "sex=male"]
    found = as_json(*asked, "--wtp", "1e4")
    assert found["scope"] == "sex=male"
    record = json.loads(Path(found["folder"], "provenance.json").read_text())
    words = record["rerun"].split()
    again = runner.invoke(app, [*words[1:], "--json", "--out", "again"])
    assert again.exit_code == 0, again.output
    second = json.loads(again.stdout)
    for key in ("thresholds", "by_profile", "sentence", "rules"):
        assert second[key] == found[key]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--top", "0"], "the best 0 are none"),
        (["--wtp", "-5"], "willingness to pay of -5"),
        (["--profile", "sex=mal"], "did you mean 'male'?"),
        (["--first", "durg"], "did you mean 'drug'?"),
        (["--exclude", "care"], "is not among the treatments"),
        (["--draws", "0"], "0 draws are none"),
        (["--out", ""], "would take the place of the folder you are in"),
    ],
)
def test_what_cannot_be_run_is_told(words, told, tmp_path):
    result = call(*words)
    assert result.exit_code == 1
    assert told in result.stderr
    assert not list(tmp_path.rglob("*.csv"))
