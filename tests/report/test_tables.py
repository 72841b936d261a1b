import csv
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from qalyst.axes import DRAW, OUTCOME, STRATEGY
from qalyst.outcomes import DISCOUNTED, UNDISCOUNTED
from qalyst.report.csv_files import write_tables
from qalyst.report.tables import (
    breakdown_table,
    ceac_table,
    draws_table,
    incremental_table,
    parameters_table,
    profiles_table,
    summary_table,
    tables,
    trace_table,
)

THRESHOLDS = (20_000, 30_000, 50_000)


def test_summary_holds_the_means_of_the_outcomes(three):
    table = summary_table(three)
    for _, row in table.iterrows():
        place = {STRATEGY: row.strategy, OUTCOME: row.outcome}
        drawn = three.psa.totals[row.discounting].sel(place).to_numpy()
        assert row["mean"] == pytest.approx(drawn.mean(), rel=1e-12)
        assert row.mcse == pytest.approx(drawn.std(ddof=1) / 10, rel=1e-12)
        assert row.lower < row["mean"] < row.upper
        assert row.base_case == float(three.base.totals[row.discounting].sel(place).item())
    assert len(table) == 3 * 3 * 2
    assert set(table.discounting) == {DISCOUNTED, UNDISCOUNTED}


def test_summary_without_draws_has_a_base_case_and_nothing_else(undrawn):
    table = summary_table(undrawn)
    assert table.base_case.notna().all()
    assert table[["mean", "mcse", "lower", "upper"]].isna().all(axis=None)


def test_net_benefits_follow_from_cost_and_effect(three):
    table = incremental_table(three)
    for wtp in THRESHOLDS:
        nmb = wtp * table.effect - table.cost
        np.testing.assert_allclose(table[f"nmb_{wtp}"], nmb, rtol=1e-12)
        np.testing.assert_allclose(table[f"nhb_{wtp}"], nmb / wtp, rtol=1e-12)
        net = wtp * three.psa.total("qalys") - three.psa.total("costs")
        error = net.std(DRAW, ddof=1) / 10
        for _, row in table[table.analysis == "probabilistic"].iterrows():
            assert row[f"nmb_{wtp}_mcse"] == pytest.approx(float(error.sel(strategy=row.strategy)))
            assert row[f"nhb_{wtp}_mcse"] == pytest.approx(row[f"nmb_{wtp}_mcse"] / wtp)
    assert table[table.analysis == "base case"].nmb_20000_mcse.isna().all()


def test_an_icer_is_the_ratio_of_its_increments(twelve):
    table = incremental_table(twelve)
    steps = table[table.compared_with != ""]
    assert len(steps) >= 4
    np.testing.assert_allclose(
        steps.icer, steps.incremental_cost / steps.incremental_effect, rtol=1e-12
    )
    assert (steps.status == "on the frontier").all()
    assert steps[steps.analysis == "probabilistic"].icer_mcse.gt(0).all()


def test_a_status_and_who_dominates_stand_in_columns_of_their_own(two):
    table = incremental_table(two).set_index(["analysis", "strategy"])
    row = table.loc[("base case", "watch")]  # the generic tablet costs less and gives more
    assert (row.status, row.dominated_by) == ("dominated", "generic")
    assert table.loc[("base case", "generic")].dominated_by == ""


def test_parts_of_the_breakdown_sum_to_the_totals(twelve):
    table = breakdown_table(twelve)
    sums = table.groupby(["strategy", "outcome"])[["base_case", "mean", "undiscounted"]].sum()
    for (strategy, outcome), row in sums.iterrows():
        place = {STRATEGY: strategy, OUTCOME: outcome}
        for column, outcomes, which in (
            ("base_case", twelve.base, DISCOUNTED),
            ("mean", twelve.psa, DISCOUNTED),
            ("undiscounted", twelve.psa, UNDISCOUNTED),
        ):
            total = float(outcomes.totals[which].sel(place).mean())
            assert row[column] == pytest.approx(total, rel=1e-10)


def test_the_breakdown_stands_in_the_order_of_the_model(two):
    table = breakdown_table(two)
    first = table[table.strategy == "watch"]
    assert list(zip(first.outcome, first["row"], first.state, strict=True)) == [
        ("costs", "care", "mild"),
        ("costs", "care", "severe"),
        ("costs", "treatment", "mild"),
        ("costs", "admission", "mild"),
        ("qalys", "health", "mild"),
        ("qalys", "health", "severe"),
        ("qalys", "admission", "mild"),
        ("life_years", "alive", "mild"),
        ("life_years", "alive", "severe"),
    ]


def test_shares_of_an_increment_sum_to_one(three):
    table = breakdown_table(three)
    others = table[table.strategy != "generic"]  # the cheapest, so the reference
    sums = others.groupby(["strategy", "outcome"]).share_of_increment.sum()
    np.testing.assert_allclose(sums, 1, rtol=1e-9)
    assert table[table.strategy == "generic"].share_of_increment.isna().all()


def test_draws_have_one_row_a_draw_and_strategy_with_cost_and_effect_first(three):
    table = draws_table(three)
    assert list(table.columns) == ["draw", "strategy", "costs", "qalys", "life_years"]
    assert len(table) == 3 * 100
    row = table[(table.draw == 42) & (table.strategy == "infusion")].iloc[0]
    assert row.costs == float(three.psa.total("costs").sel(draw=42, strategy="infusion"))
    assert row.qalys == float(three.psa.total("qalys").sel(draw=42, strategy="infusion"))


def test_everybody_is_somewhere_at_every_point_of_the_trace(three):
    table = trace_table(three.base.trace)
    assert len(table) == 3 * 61
    np.testing.assert_allclose(table[["mild", "severe", "dead"]].sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(table.years, table.cycle * 0.25, rtol=1e-12)


def test_acceptability_sums_to_one_at_every_threshold(twelve):
    table = ceac_table(twelve.curves)
    strategies = list(twelve.model.strategies)
    np.testing.assert_allclose(table[strategies].sum(axis=1), 1, rtol=1e-12)
    of_optimal = [row[row.optimal] for _, row in table.iterrows()]
    np.testing.assert_allclose(table.ceaf, of_optimal, rtol=1e-12)
    assert (table.evpi >= 0).all()


def test_a_single_profile_is_the_whole(three):
    table = profiles_table(three)
    drawn = table[table.analysis == "probabilistic"].set_index("strategy")
    mean = three.psa.total("costs").mean(DRAW)
    for strategy in three.model.strategies:
        assert drawn.costs[strategy] == pytest.approx(float(mean.sel(strategy=strategy)), rel=1e-10)


def test_parameters_are_told_in_words(twelve):
    table = parameters_table(twelve.model).set_index("name")
    assert table.uncertainty["u_mild"] == "beta, se 0.03"
    assert table.uncertainty["hr_infusion"] == "lognormal, 95 % interval 0.3 to 0.68"
    assert table.uncertainty["c_generic"] == "fixed: list price"
    assert table.status["r_die_severe"] == "recalled"
    assert table.price_year["c_advice"] == "2024"
    assert table.lower["hr_infusion"] == pytest.approx(0.45 * (0.3 / 0.68) ** 0.5, rel=1e-3)
    assert np.isnan(table.lower["c_generic"])


def test_shares_of_a_dirichlet_have_intervals_that_hold_them():
    from qalyst.model.resolve import load_model

    table = parameters_table(load_model("hiv"))
    shares = table[table.name == "p_a"]
    assert shares.value.sum() == pytest.approx(1)
    assert ((shares.lower < shares.value) & (shares.value < shares.upper)).all()
    assert set(shares.uncertainty) == {"dirichlet, of 1734"}


def test_one_strategy_has_no_tables_of_comparison(one):
    assert {"incremental", "ceac"}.isdisjoint(tables(one))


def test_a_decision_tree_has_no_trace(tree):
    assert "trace" not in tables(tree)


def test_csv_files_have_the_same_bytes_twice(three, tmp_path):
    written = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        paths = write_tables(tables(three), folder)
        written.append({path.name: path.read_bytes() for path in paths})
    assert written[0] == written[1]
    assert all(b"\r" not in data and data.endswith(b"\n") for data in written[0].values())


def test_csv_files_read_back_as_their_tables(written, three):
    table = draws_table(three)
    read = pd.read_csv(written / "tables" / "draws.csv")
    np.testing.assert_allclose(read.costs, table.costs, rtol=1e-9)
    assert list(read.strategy) == list(table.strategy)


def test_no_cell_of_a_csv_file_is_a_formula(written):
    with (written / "tables" / "parameters.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert rows["hr_generic"]["source"] == "'=HYPERLINK(1), Table 2"
    for path in (written / "tables").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_importing_the_report_imports_no_library_that_draws():
    code = (
        "import sys, qalyst.report.write; "
        "print([name for name in ('matplotlib', 'pandas', 'xarray', 'jinja2', 'numba') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
