import hashlib
import html
import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from qalyst.analysis import analyse
from qalyst.report.html import page
from qalyst.report.labels import strategy_label
from qalyst.report.page_tables import breakdowns, decision, results, status_text
from qalyst.report.provenance import commit, provenance, rerun
from qalyst.report.words import committee_sentence

COMMAND = {"model": "twelve", "scenarios": (), "values": ()}


def page_of(analysis, figures=()):
    draws = None if analysis.psa is None else analysis.psa.draws
    return page(analysis, figures, provenance(analysis, seed=7, draws=draws, command=COMMAND))


@pytest.fixture(scope="module")
def index(written):
    return (written / "index.html").read_text(encoding="utf-8")


def test_the_page_holds_the_sentence_and_every_strategy(index, three):
    text = html.unescape(index)
    assert committee_sentence(three) in text
    for name in three.model.strategies:
        assert strategy_label(three.model, name) in text


@pytest.mark.parametrize("run", ["one", "two", "twelve", "undrawn", "tree"])
def test_every_kind_of_run_has_a_page(run, request):
    analysis = request.getfixturevalue(run)
    text = html.unescape(page_of(analysis))
    assert committee_sentence(analysis) in text
    for name in analysis.model.strategies:
        assert strategy_label(analysis.model, name) in text


def test_a_threshold_of_zero_alone_has_a_page(three):
    decision = replace(three.model.decision, thresholds=(0.0,))
    analysis = analyse(replace(three.model, decision=decision), three.base, three.psa)
    assert committee_sentence(analysis) in html.unescape(page_of(analysis))


def test_the_page_loads_nothing(index):
    assert not re.findall(r"<(?:script|link|iframe|object|embed)\b", index)
    assert not re.findall(r"@import|url\(", index)
    sources = re.findall(r"""\bsrc\s*=\s*["']([^"']{0,30})""", index)
    assert sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    index = re.sub(r"base64,[^\"]*", "", index)
    addresses = re.findall(r"""(\w+)\s*=\s*["']?(https?://[^/"']+)""", index)
    assert set(addresses) <= {("href", "https://doi.org")}
    assert len(re.findall("https?://", index)) == len(addresses)


def test_words_of_the_user_are_escaped(three):
    evil = "<script>alert(1)</script>"
    strategies = {
        name: replace(strategy, label=evil) for name, strategy in three.model.strategies.items()
    }
    model = replace(three.model, title=evil, strategies=strategies, notes=(evil,))
    text = page_of(replace(three, model=model))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 5


def test_negative_numbers_have_a_true_minus_sign(index):
    cells = re.findall(r"<t[dh][^>]*>(?:<strong>)?([^<]*)", index)
    assert not [cell for cell in cells if re.match(r"-\d", cell)]


def test_assumptions_are_counted_and_flagged(index, three):
    used = [three.model.parameters[name].status for name in three.model.used_parameters]
    assert f"Of {len(used)} parameters {used.count('assumption')} are assumptions" in index
    assert index.count('class="flag assumption"') == used.count("assumption")
    assert index.count('class="flag recalled"') == used.count("recalled")


def test_the_results_table_holds_the_mean_over_draws(three):
    table = results(three)
    row = next(row for row in table.rows if row[0] == "Monthly infusion in an outpatient clinic")
    mean = float(three.psa.total("costs").sel(strategy="infusion").mean())
    base = float(three.base.total("costs").sel(strategy="infusion").item())
    assert (row[1], row[4]) == (f"{mean:,.0f}", f"{base:,.0f}")


def test_the_best_value_at_each_threshold_is_stressed(three):
    table = decision(three)
    names = [row[0] for row in table.rows]
    best = {(names[row], column) for row, column in table.strong}
    assert best == {
        ("Generic tablet", 1),
        ("Generic tablet", 2),
        ("Generic tablet", 3),
        ("Generic tablet", 4),
        ("Monthly infusion in an outpatient clinic", 5),
        ("Monthly infusion in an outpatient clinic", 6),
    }


def test_a_status_names_strategies_by_their_labels(three):
    assert status_text(three.model, "dominated (by generic)") == "dominated (by Generic tablet)"
    assert status_text(three.model, "extendedly dominated (by watch and generic)") == (
        "extendedly dominated (by Watchful waiting and Generic tablet)"
    )
    assert status_text(three.model, "reference") == "reference"


def test_provenance_names_every_file_with_its_checksum(written):
    record = json.loads((written / "provenance.json").read_text(encoding="utf-8"))
    files = {
        path.relative_to(written).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in written.rglob("*")
        if path.is_file() and path.name != "provenance.json"
    }
    assert record["outputs"] == files
    assert "tables/summary.csv" in files
    assert "figures/ce_plane.svg" in files


def test_provenance_holds_the_model_and_the_command_that_runs_it_again(written, three):
    record = json.loads((written / "provenance.json").read_text(encoding="utf-8"))
    assert record["sha256"] == three.model.sha256
    assert record["resolved_model"]["parameters"]["hr_infusion"]["values"] == {"": 0.45}
    assert record["rerun"] == (
        "qalyst run twelve --scenario three --set c_infusion=6400.5 --draws 100 --seed 7"
    )


def git(folder, *words):
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_of_a_checkout_is_told_and_whether_its_files_differ(tmp_path):
    assert commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) is None  # nothing is committed yet
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "First")
    git(tmp_path, "tag", "-a", "v1", "-m", "v1")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit(tmp_path) == head
    (tmp_path / "inside").mkdir()
    assert commit(tmp_path / "inside") is None  # of another project that qalyst is installed in
    (tmp_path / "code.py").write_text("2")
    assert commit(tmp_path) == f"{head}-dirty"


def test_provenance_holds_the_commit(three):
    record = provenance(three, seed=7, draws=100, command=COMMAND)
    assert record["commit"] is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", record["commit"])


def test_a_base_case_is_run_again_without_draws(undrawn):
    words = rerun(undrawn, seed=7, draws=None, command={"model": "my models/twelve.yaml"})
    assert words == "qalyst run 'my models/twelve.yaml' --scenario three --deterministic"


def test_only_provenance_knows_the_time(written):
    record = json.loads((written / "provenance.json").read_text(encoding="utf-8"))
    day = record["written"][:10]
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", day)
    for path in written.rglob("*"):
        if path.suffix in (".csv", ".html", ".svg"):
            assert day not in path.read_text(encoding="utf-8")


def test_a_page_has_the_same_bytes_twice(three):
    assert page_of(three) == page_of(three)


def test_parts_of_an_outcome_that_are_called_alike_stand_in_rows_of_their_own(three):
    states = {name: replace(s, label="Alike") for name, s in three.model.states.items()}
    model = replace(three.model, states=states)
    tables = [t for t in breakdowns(replace(three, model=model)) if t.caption.endswith("by state")]
    by_name = [t for t in breakdowns(three) if t.caption.endswith("by state")]
    assert [len(t.rows) for t in tables] == [len(t.rows) for t in by_name]
    assert [t.rows[-1] for t in tables] == [t.rows[-1] for t in by_name]
