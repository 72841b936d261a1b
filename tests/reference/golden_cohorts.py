"""Golden cases of cohorts in cycles, and of a decision tree."""

from __future__ import annotations

from collections.abc import Iterator

from golden_checks import (
    Check,
    Runs,
    check,
    expectations,
    gain_of,
    icer_of,
    row_of,
    total_of,
    trace_of,
)

SICK_SICKER = ("healthy", "sick", "sicker", "dead")
SICK_SICKER_NAMES = {
    "standard": "Standard of care",
    "a": "Strategy A",
    "b": "Strategy B",
    "ab": "Strategy AB",
}


def sick_sicker(runs: Runs) -> Iterator[Check]:
    for case, model in (
        ("sick_sicker_time_independent", "sick_sicker"),
        ("sick_sicker_age_dependent", "sick_sicker_by_age"),
    ):
        expected, result = expectations(case), runs(model)
        full = expected["full_precision_recomputed"]
        for ours, name in SICK_SICKER_NAMES.items():
            for outcome, block in (("costs", "total_cost"), ("qalys", "total_qaly")):
                got = total_of(result, ours, outcome)
                yield check(case, f"{ours} {outcome}, printed", expected[block][name], got)
                yield check(case, f"{ours} {outcome}, full", full, got, full[block][name])
        for ours, reference in (("b", "standard"), ("ab", "b")):
            block = expected["cea"][SICK_SICKER_NAMES[ours]]
            yield check(case, f"{ours} ICER", block["icer"], icer_of(result, ours, reference))
            for key, outcome in (("inc_cost", "costs"), ("inc_qaly", "qalys")):
                got = gain_of(result, ours, reference, outcome)
                yield check(case, f"{ours} gain of {outcome}", block[key], got)
            if "icer" in full:
                value = full["icer"][SICK_SICKER_NAMES[ours]]
                yield check(
                    case, f"{ours} ICER, full", full, icer_of(result, ours, reference), value
                )
        if "trace_standard_of_care" in expected:
            block = expected["trace_standard_of_care"]
            got = trace_of(result, "standard", SICK_SICKER, block["times"])
            yield check(case, "trace", block, got)
        else:
            block = expected["restricted_life_expectancy_cycles_undiscounted_SoC"]
            alive = trace_of(result, "standard", SICK_SICKER[:3])
            yield check(case, "cycles alive", block, lambda alive=alive: alive().sum())


def semi_markov(runs: Runs) -> Iterator[Check]:
    case, result = "semi_markov_discrete_tunnels", runs("sick_sicker_residence")
    expected = expectations(case)
    for ours in ("standard", "b"):
        name = SICK_SICKER_NAMES[ours]
        for outcome, block in (("costs", "total_cost"), ("qalys", "total_qaly")):
            got = total_of(result, ours, outcome)
            yield check(case, f"{ours} {outcome}", expected[block][name], got)
        block = expected[f"trace_{name}"]
        got = trace_of(result, ours, SICK_SICKER, block["times"])
        yield check(case, f"{ours} trace", block, got)


def hiv(runs: Runs) -> Iterator[Check]:
    case = "hiv_chancellor_briggs_ex25"
    expected, result = expectations(case), runs("hiv")
    names = (("monotherapy", "mono"), ("combination", "comb"))
    increments = {"costs": "cost", "life_years": "life_years"}
    for ours, short in names:
        for outcome, block in increments.items():
            got = total_of(result, ours, outcome)
            yield check(case, f"{ours} {outcome}", expected[ours][block], got)
        parts = expected["undiscounted_cost_components"]
        for key, rows in (("health", ("care",)), ("drugs", ("zidovudine", "lamivudine"))):
            keys = [("costs", row) for row in rows]
            got = row_of(result, ours, keys, discounted=False)
            yield check(case, f"{ours} {key}, undiscounted", parts[f"{short}_{key}"], got)
    pair = ("combination", "monotherapy")
    for outcome, block in increments.items():
        got = gain_of(result, *pair, outcome)
        yield check(case, f"gain of {outcome}", expected["incremental"][block], got)
    yield check(case, "ICER", expected["icer"], icer_of(result, *pair, "life_years"))
    corrected = expected["with_half_cycle_correction_on_life_years"]
    for ours, key in (("monotherapy", "mono"), ("combination", "combination")):
        got = total_of(runs("hiv", "half_cycle"), ours, "life_years")
        yield check(case, f"{ours} life years, half-cycle", corrected[key], got)


def hiv_lifetime(runs: Runs) -> Iterator[Check]:
    case, result = "hiv_heemod_50cycles_lifetable", runs("hiv_lifetime")
    expected = expectations(case)
    for ours, key in (("monotherapy", "mono"), ("combination", "comb")):
        block = expected["values_per_1000"][key]
        care, drugs = ([("costs", row)] for row in ("care", "drugs"))
        for word, got in (
            ("cost_health", row_of(result, ours, care, times=1000)),
            ("cost_drugs", row_of(result, ours, drugs, times=1000)),
            ("cost_total", total_of(result, ours, "costs", 1000)),
            ("life_year", total_of(result, ours, "life_years", 1000)),
        ):
            yield check(case, f"{ours} {word} of 1000", block[word], got)
    pair = ("combination", "monotherapy")
    cost, effect = (gain_of(result, *pair, outcome) for outcome in ("costs", "life_years"))
    block = expected["incremental_per_person"]
    for key, got in (
        ("cost", cost),
        ("effect", effect),
        ("icer", icer_of(result, *pair, "life_years")),
    ):
        yield check(case, f"incremental {key}", block[key], got)
    benefits = expected["net_monetary_benefit_difference_to_worst_per_person"]
    for threshold, row in benefits.items():
        for key, sign in (("mono", -1), ("comb", 1)):
            if isinstance(row[key], dict):
                yield check(
                    case,
                    f"net benefit of {key} at {threshold}",
                    row[key],
                    lambda wtp=float(threshold), sign=sign: sign * (wtp * effect() - cost()),
                )


def hiv_one_way(runs: Runs) -> Iterator[Check]:
    case = "dsa_hiv_heemod_oneway"
    names = {
        "cost_lami": "c_lamivudine",
        "cost_zido": "c_zidovudine",
        "dr": "r_discount",
        "rr": "rr_combination",
    }
    for change, block in expectations(case)["rows"].items():
        key, value = change.split("=")
        result = runs("hiv_lifetime", "twenty_years", **{names[key]: float(value)})
        for ours, short in (("monotherapy", "mono"), ("combination", "comb")):
            row = block[short]
            care, drugs = ([("costs", name)] for name in ("care", "drugs"))
            got = (
                row_of(result, ours, care, discounted=False, times=1000),
                row_of(result, ours, drugs, discounted=False, times=1000),
                total_of(result, ours, "costs", 1000),
                total_of(result, ours, "life_years", 1000),
            )
            columns = ("care", "drugs", "total", "life years")
            for column, expected, each, allowed in zip(
                columns, row["value"], got, row["abs_tol_by_column"], strict=True
            ):
                yield Check(case, f"{change} {ours} {column}", expected, each, allowed)
        got_icer = icer_of(result, "combination", "monotherapy", "life_years")
        yield check(case, f"{change} ICER", block["icer"], got_icer)


def thr(runs: Runs) -> Iterator[Check]:
    case = "thr_briggs_ex35"
    expected, pair = expectations(case), ("np1", "standard")
    book = expected["book_excel_times_0_to_60"]
    for words, result, blocks in (
        ("", runs("thr"), expected),
        (", book's Excel", runs("thr", "book_excel"), book),
    ):
        for ours in pair:
            for outcome, key in (("qalys", "qaly"), ("costs", "cost")):
                got = total_of(result, ours, outcome)
                yield check(case, f"{ours} {outcome}{words}", blocks[ours][key], got)
        yield check(case, f"ICER{words}", blocks["icer"], icer_of(result, *pair))
    for key, outcome in (("inc_cost", "costs"), ("inc_qaly", "qalys")):
        got = gain_of(runs("thr"), *pair, outcome)
        yield check(case, f"gain of {outcome}", expected[key], got)
    states = ("success", "revision", "success_again", "dead")
    for ours, key, first in (
        ("standard", "trace_standard_t3_to_t8", 3),
        ("np1", "trace_np1_t1_to_t8", 1),
    ):
        got = trace_of(runs("thr"), ours, states, slice(first, 9))
        yield check(case, f"{ours} trace", expected[key], got)


def heart_valve(runs: Runs) -> Iterator[Check]:
    case = "phv_sonnenberg_beck"
    expected, states = expectations(case), ("well", "disabled", "dead")
    block = expected["trace"]
    got = trace_of(runs("heart_valve"), "only", states, block["cycles"], scale=10_000)
    yield check(case, "trace", block, got)
    for cycle, block in expected["cumulative_utility"].items():
        result = runs("heart_valve_horizon", f"cycles_{cycle}")
        got = total_of(result, "only", "qalys", 10_000)
        yield check(case, f"cumulative utility, cycle {cycle}", block, got)
    first, second = (
        total_of(runs("heart_valve_horizon", f"cycles_{n}"), "only", "qalys", 1e4) for n in (1, 2)
    )
    yield check(case, "utility of cycle 1", expected["cycle_sum"]["1"], first)
    yield check(case, "utility of cycle 2", expected["cycle_sum"]["2"], lambda: second() - first())
    for scenarios, block in (
        ((), expected["expected_utility_per_patient_end_of_cycle_24"]),
        (("half_cycle",), expected["expected_utility_half_cycle_corrected_24"]),
    ):
        got = total_of(runs("heart_valve", *scenarios), "only", "qalys")
        yield check(case, f"utility, 24 cycles {' '.join(scenarios)}".strip(), block, got)
    for scenario, key in (
        ("lifetime_start", "start_of_cycle_counting"),
        ("lifetime_half_cycle", "half_cycle"),
        ("lifetime", "end_of_cycle"),
    ):
        block = expected["expected_utility_infinite_horizon"][key]
        got = total_of(runs("heart_valve", scenario), "only", "qalys")
        yield check(case, f"infinite horizon, {key}", block, got)
    block = expected["fundamental_matrix_N"]
    visits = trace_of(runs("heart_valve", "lifetime"), "only", states[:2])
    yield check(
        case,
        "fundamental matrix, first row",
        block,
        lambda: visits().sum(axis=0),
        block["value"][0],
    )


def tree(runs: Runs) -> Iterator[Check]:
    case, result = "tree_sumatriptan", runs("sumatriptan")
    expected, pair = expectations(case), ("sumatriptan", "caffeine")
    full = expected["full_precision"]
    for ours, theirs in (("sumatriptan", "sumatriptan"), ("caffeine", "caffeine_ergotamine")):
        for outcome, key, times in (("costs", "cost", 1), ("qalys", "utility", 365)):
            got = total_of(result, ours, outcome, times)
            yield check(case, f"{ours} {key}, printed", expected[theirs][key], got)
            yield check(case, f"{ours} {key}, full", full, got, full[f"{key}_{ours}"])
    yield check(case, "ICER, printed", expected["icer_per_qaly"], icer_of(result, *pair))
    yield check(case, "ICER, full", full, icer_of(result, *pair), full["icer"])
    for step in ("+0.268", "+0.091"):
        changed = runs("sumatriptan", p_relief_sumatriptan=0.379 + float(step))
        block = expected["one_way"][f"relief_difference_{step}"]
        yield check(case, f"ICER, relief {step}, printed", block, icer_of(changed, *pair))
        yield check(
            case, f"ICER, relief {step}, full", full, icer_of(changed, *pair), full[f"icer_{step}"]
        )
    for path, ours, state in (("A", "sumatriptan", "lasting"), ("H", "caffeine", "endured")):
        block = expected[f"path_{path}"]["probability"]
        got = trace_of(result, ours, [state], 0)
        yield check(case, f"path {path}", block, lambda got=got: got()[0])
