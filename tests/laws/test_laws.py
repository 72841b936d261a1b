"""Laws that every model keeps, on random models."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import RandomModel, random_models

from qalyst.analysis import analyse
from qalyst.model.resolve import load_model
from qalyst.params.draws import Draws
from qalyst.simulation import base_case, engine_for, simulate

SOME = settings(max_examples=25)


def run(model: RandomModel, **values: float):
    with tempfile.TemporaryDirectory() as folder:
        resolved = load_model(model.write(Path(folder)), values=values)
    return resolved, base_case(resolved)


def totals(outcomes, outcome, **kind):
    return outcomes.total(outcome, **kind).isel(draw=0).to_numpy()


@SOME
@given(random_models())
def test_occupancy_sums_to_one_is_never_negative_and_death_never_shrinks(model):
    _, found = run(model)
    np.testing.assert_allclose(found.trace.sum("place"), 1, rtol=0, atol=1e-12)
    assert (found.trace >= -1e-15).all()
    dead = found.trace.isel(place=found.trace.state.to_numpy() == "dead").sum("place")
    assert (np.diff(dead.to_numpy(), axis=-1) >= -1e-15).all()


@SOME
@given(random_models())
def test_utility_one_gives_life_years_and_zero_prices_give_no_cost(model):
    flat = replace(model, utilities=[1.0] * model.states, costs=[0.0] * model.states)
    _, found = run(flat, c_dying=0)
    np.testing.assert_allclose(totals(found, "qalys"), totals(found, "life_years"), rtol=1e-13)
    assert (totals(found, "costs") == 0).all()


@SOME
@given(random_models())
def test_equal_arms_give_equal_outcomes_and_swapped_arms_swap(model):
    _, equal = run(replace(model, strategies={"old": model.hr, "new": model.hr}))
    for outcome in ("costs", "qalys", "life_years"):
        first, second = totals(equal, outcome)
        assert first == second
    _, one = run(replace(model, strategies={"old": 1.0, "new": model.hr}))
    _, other = run(replace(model, strategies={"new": model.hr, "old": 1.0}))
    for outcome in ("costs", "qalys"):
        for name in ("old", "new"):
            mine, theirs = (float(o.total(outcome).sel(strategy=name)[0]) for o in (one, other))
            assert mine == theirs


@SOME
@given(random_models(), st.floats(1.01, 3))
def test_more_death_never_gives_more_life_and_more_utility_never_less_health(model, factor):
    model = replace(
        model, correction="half-cycle" if model.correction == "end" else model.correction
    )
    # the same factor on every death: a stochastic ordering of survival
    equal = replace(model, deaths=[model.deaths[0]] * model.states)
    _, found = run(equal)
    _, worse = run(replace(equal, deaths=[equal.deaths[0] * factor] * model.states))
    assert (totals(worse, "life_years") <= totals(found, "life_years") + 1e-12).all()
    better = replace(equal, utilities=[min(1.0, u * factor) for u in model.utilities])
    _, healthier = run(better)
    assert (totals(healthier, "qalys") >= totals(found, "qalys") - 1e-12).all()


@SOME
@given(random_models())
def test_discounting_and_a_shorter_horizon_never_add(model):
    _, found = run(model)
    for outcome in ("costs", "qalys", "life_years"):
        undiscounted = totals(found, outcome, undiscounted=True)
        assert (undiscounted >= totals(found, outcome) - 1e-9).all()
        if model.discount == 0:
            np.testing.assert_allclose(undiscounted, totals(found, outcome), rtol=1e-15)
    if model.correction not in ("both", "simpson"):  # their weights are of the whole horizon
        _, longer = run(replace(model, horizon=2 * model.horizon))
        assert (totals(longer, "life_years") >= totals(found, "life_years") - 1e-12).all()


@SOME
@given(random_models())
def test_a_breakdown_sums_to_its_total(model):
    _, found = run(model)
    for by in ("row", "state", "row_state"):
        parts = found.breakdown(by)
        for outcome in ("costs", "qalys", "life_years"):
            own = [str(g) for g in parts.group.values if str(g).startswith(f"{outcome}.")]
            summed = parts.sel(group=own).sum("group").to_numpy()
            np.testing.assert_allclose(summed, totals(found, outcome), rtol=1e-12, atol=1e-9)


@settings(max_examples=8)
@given(random_models(), st.integers(0, 2**64 - 1))
def test_the_same_seed_gives_the_same_bits_for_any_threads(model, seed):
    resolved, _ = run(model)
    runs = [simulate(resolved, draws=600, seed=seed, threads=t) for t in (1, 2, 3)]
    for other in runs[1:]:
        assert runs[0].totals.equals(other.totals)
        assert runs[0].quantities.equals(other.quantities)
    shorter = simulate(resolved, draws=300, seed=seed)
    assert shorter.totals.equals(runs[0].totals.isel(draw=slice(0, 300)))


@settings(max_examples=8)
@given(random_models())
def test_decisions_under_uncertainty_keep_their_laws(model):
    resolved, base = run(model)
    analysis = analyse(resolved, base, simulate(resolved, draws=200, seed=1))
    curves = analysis.curves
    np.testing.assert_allclose(curves.ceac.sum("strategy"), 1, rtol=0, atol=1e-12)
    assert (curves.evpi >= 0).all()
    np.testing.assert_allclose(curves.expected_loss.min("strategy"), curves.evpi, atol=1e-9)
    icers = [row.icer for row in analysis.incremental.rows if row.icer is not None]
    assert icers == sorted(icers)


def test_a_draw_does_not_change_when_a_parameter_is_added(tmp_path):
    model = RandomModel(2, {(0, 1): 0.3}, [0.1, 0.2], [0.9, 0.5], [100.0, 200.0], 0.7,
                        "half-cycle", "1 year", 10, 0.03, False)  # fmt: skip
    before = load_model(model.write(tmp_path / "a"))
    model.rates[1, 0] = 0.05
    after = load_model(model.write(tmp_path / "b"))
    numbers = np.arange(1000)
    one, two = (Draws(m.parameters, 7, numbers) for m in (before, after))
    for name in ("r_0_1", "r_d0", "c_dying"):
        assert (one.cell(name, ()) == two.cell(name, ())).all()


def test_draws_on_threads_make_no_nodes_of_the_model(tmp_path):
    model = RandomModel(2, {(0, 1): 0.3}, [0.1, 0.2], [0.9, 0.5], [100.0, 200.0], 0.7,
                        "exact", "1 year", 10, 0.03, False)  # fmt: skip
    path = Path(model.write(tmp_path))
    rate = '"r_0_1 * where(years < 2, strategy.hr, 1) * r_d0 / r_d1"'  # taken apart by its axes
    path.write_text(path.read_text().replace("strategy.hr * r_0_1", rate))
    engine = engine_for(load_model(str(path)))
    nodes = engine.shared.partial.residuals._nodes
    before = len(nodes)
    simulate(engine.shared.model, draws=2, seed=1, engine=engine)
    assert len(nodes) == before


def test_a_run_too_long_to_keep_its_draws_keeps_their_means(tmp_path, monkeypatch):
    model = RandomModel(2, {(0, 1): 0.3}, [0.1, 0.2], [0.9, 0.5], [100.0, 200.0], 0.7,
                        "half-cycle", "1 year", 10, 0.03, False)  # fmt: skip
    resolved = load_model(model.write(tmp_path))
    kept = simulate(resolved, draws=600, seed=7)
    monkeypatch.setattr("qalyst.collecting.MOST_NUMBERS_KEPT", 0)
    means = simulate(resolved, draws=600, seed=7)
    assert (kept.kept_by_draw, means.kept_by_draw) == (True, False)
    # `dying` has a drawn price and a drawn quantity: the product of means is not the mean product
    for name in ("discounted", "undiscounted", "price"):
        np.testing.assert_allclose(
            means.quantities[name].isel(draw=0), kept.quantities[name].mean("draw"), rtol=1e-12
        )
    for found in (kept, means):
        np.testing.assert_allclose(
            found.amounts().mean("draw"), kept.amounts().mean("draw"), rtol=1e-12
        )
        np.testing.assert_allclose(
            found.breakdown().sum("group"), kept.totals.discounted.mean("draw").sum("outcome")
        )


def test_permuting_states_in_the_file_changes_nothing(tmp_path):
    model = RandomModel(3, {(0, 1): 0.3, (1, 2): 0.4, (2, 0): 0.1}, [0.1, 0.2, 0.5],
                        [0.9, 0.5, 0.3], [100.0, 200.0, 5.0], 0.7,
                        "half-cycle", "1 month", 10, 0.03, True)  # fmt: skip
    first = load_model(model.write(tmp_path / "a"))
    text = model.model()
    lines = text.splitlines()
    states = [i for i, line in enumerate(lines) if line.startswith("  s") and "utility" in line]
    for i, line in zip(states, [lines[i] for i in reversed(states)], strict=True):
        lines[i] = line
    (tmp_path / "a" / "models" / "law.yaml").write_text("\n".join(lines))
    second = load_model(str(tmp_path / "a" / "models" / "law.yaml"))
    for outcome in ("costs", "qalys", "life_years"):
        np.testing.assert_allclose(
            totals(base_case(first), outcome), totals(base_case(second), outcome), rtol=1e-13
        )
