"""Sequences run together are the sequences run by themselves, cell by cell."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from qalyst.engines.engine import Shared
from qalyst.engines.sojourns import SojournEngine
from qalyst.errors import ModelError
from qalyst.model.chains import NotAChainError
from qalyst.model.resolve import load_model
from qalyst.outcomes import Rates
from qalyst.sensitivity.sequence_runs import (
    labels_asked,
    rankings_in,
    run_sequences,
    scope_of,
)
from qalyst.sensitivity.sequences import model_of_sequences, rules_of, sequences_of
from qalyst.simulation import base_case, engine_for, simulate

RATES = (Rates(0.035, 0.035), Rates(0.03, 0.015))
LINES = str(Path(__file__).with_name("models") / "lines.yaml")


@cache
def lines():
    model = load_model(LINES)
    return model_of_sequences(model, sequences_of(rules_of(model)))


def agree(model, draws=12):
    engine = SojournEngine(Shared(model, RATES))
    together = simulate(model, draws=draws, seed=3, engine=engine, threads=1)
    alone = simulate(model, draws=draws, seed=3, engine=engine_for(model, rates=RATES), threads=1)
    assert len(together.totals) == 2 + len(RATES)
    for name in together.totals:
        np.testing.assert_allclose(together.totals[name], alone.totals[name], rtol=1e-11)
        mine, theirs = together.breakdown("row_state"), alone.breakdown("row_state")
        order = theirs["group"].to_numpy()
        np.testing.assert_allclose(mine.sel(group=order), theirs, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        together.profiles["discounted"], alone.profiles["discounted"], rtol=1e-11
    )


@pytest.mark.parametrize("events", ["one", "two"])
@pytest.mark.parametrize("correction", ["half-cycle", "start", "both"])
def test_every_cell_of_every_sequence_is_that_of_the_cohort_engine(events, correction):
    timing = replace(lines().timing, events_per_cycle=events, correction=correction)
    few = dict(list(lines().strategies.items())[::5])
    agree(replace(lines(), timing=timing, strategies=few))


def test_all_sequences_together_are_those_of_the_cohort_engine():
    assert len(lines().strategies) == 4 * 3 * 2
    agree(lines(), draws=3)


def test_the_base_case_is_that_of_the_cohort_engine():
    model = load_model(LINES)
    together = base_case(model, SojournEngine(Shared(model)))
    alone = base_case(model)
    np.testing.assert_allclose(
        together.totals["discounted"], alone.totals["discounted"], rtol=1e-11
    )


def test_lines_with_one_past_are_run_once():
    engine = SojournEngine(Shared(lines()))
    assert engine.nodes == 4 + 4 * 3 + 2 * 4 * 3 * 2  # three lines of choice, then care
    assert len(engine._trees[0].lines) == 5  # one matrix a treatment


def test_the_flagships_lines_depend_on_the_path_and_still_agree():
    model = load_model("nelm", scenarios=["base_case_man"])
    rules = rules_of(model, first=["resection", "octreotide"], exclude=["everolimus"])
    agree(model_of_sequences(model, sequences_of(rules)), draws=2)


def test_own_strategies_have_the_totals_of_an_ordinary_run():
    model = load_model("nelm", scenarios=["base_case_man"])
    run = run_sequences(model, rules_of(model), draws=4, seed=11, threads=1)
    ordinary = simulate(model, draws=4, seed=11, threads=1)
    assert set(model.strategies) <= set(run.model.strategies)
    for outcome in model.outcomes:
        mine = run.outcomes.total(outcome).sel(strategy=list(model.strategies))
        np.testing.assert_allclose(mine, ordinary.total(outcome), rtol=1e-9)
    assert not run.together
    assert "received, resected" in run.how


def test_a_model_whose_lines_do_not_depend_on_the_path_is_run_together():
    model = load_model(LINES)
    rules = rules_of(model)
    run = run_sequences(model, rules, draws=3, seed=1, threads=1, together=True)
    assert run.together
    assert "64 lines of 96" in run.how
    alone = run_sequences(model, rules, draws=3, seed=1, threads=1, together=False)
    for mine, theirs in zip(rankings_in(run, [30_000]), rankings_in(alone, [30_000]), strict=True):
        assert [row.strategy for row in mine.rows] == [row.strategy for row in theirs.rows]
        assert mine.best.nmb == pytest.approx(theirs.best.nmb, rel=1e-11)


def test_any_number_of_threads_gives_the_same_bits():
    model = load_model(LINES)
    one, two = (
        simulate(model, draws=300, seed=5, engine=SojournEngine(Shared(model)), threads=threads)
        for threads in (1, 2)
    )
    np.testing.assert_array_equal(one.totals["discounted"], two.totals["discounted"])


def changed(tmp_path, *changes):
    text = Path(LINES).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    for folder in ("models", "params"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models" / "lines.yaml").write_text(text)
    source = Path(LINES).parents[1] / "params" / "lines.yaml"
    (tmp_path / "params" / "lines.yaml").write_text(source.read_text())
    return load_model(str(tmp_path / "models" / "lines.yaml"))


PROGRESS = "hazard(treatment.pfs, years_in_state)"
BY_YEARS = (PROGRESS, "hazard(treatment.pfs, years)")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([BY_YEARS], "calendar"),
        ([('"u_norm[age] * u_treated"', '"u_norm[age] * exp(-years_in_state / year)"')], "payoff"),
        ([("2, 1) * r_die", "2, 1) * where(years < 2, 1, 2) * r_die")], "same on all"),
        ([BY_YEARS, ("two, correction: half-cycle", "any, correction: exact")], "continuous"),
    ],
)
def test_what_is_no_chain_says_why_and_is_run_by_itself(tmp_path, changes, why):
    model = changed(tmp_path, *changes)
    with pytest.raises(NotAChainError, match=why):
        SojournEngine(Shared(model))
    with pytest.raises(ModelError, match=rf"cannot be run together, since .*{why}"):
        run_sequences(model, rules_of(model), draws=2, seed=1, together=True)
    run = run_sequences(model, rules_of(model, lines=2), draws=2, seed=1, threads=1)
    assert not run.together
    assert why in run.how


def test_rankings_in_a_profile_are_those_of_its_people():
    model = load_model(LINES)
    run = run_sequences(model, rules_of(model, lines=3), draws=5, seed=2, threads=1)
    found = scope_of(run, ["sex=male", "grade=high"])
    assert [run.profiles[number] for number in found] == [{"sex": "male", "grade": "high"}]
    (ranking,) = rankings_in(run, [30_000], found)
    values = run.outcomes.profiles["discounted"].isel(profile=found[0])
    net = 30_000 * values.sel(outcome="qalys") - values.sel(outcome="costs")
    assert ranking.best.nmb == pytest.approx(float(net.mean("draw").max()), rel=1e-12)
    everybody = rankings_in(run, [30_000], range(len(run.profiles)))
    assert everybody[0].best.nmb == pytest.approx(rankings_in(run, [30_000])[0].best.nmb, rel=1e-9)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["male"], "not DIMENSION=LABEL"),
        (["sxe=male"], "did you mean 'sex'"),
        (["sex=mael"], "did you mean 'male'"),
        (["sex=male,sex=female"], "nobody is both male and female"),
    ],
)
def test_a_profile_that_does_not_exist_is_told(asked, words):
    with pytest.raises(ModelError, match=words):
        labels_asked(load_model(LINES), asked)
