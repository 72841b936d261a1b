"""Golden cases of rates, curves and life tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
from golden_checks import (
    CASES,
    Check,
    Got,
    Runs,
    check,
    expectations,
    gain_of,
    icer_of,
    row_of,
    total_of,
    trace_of,
)


def illness_death(runs: Runs) -> Iterator[Check]:
    case, states = "ctmc_illness_death", ("healthy", "ill", "dead")
    expected = expectations(case)
    starts = (runs("illness_death"), runs("illness_death_start", "ill"))
    for years, matrix in expected["transition_probability_matrix"].items():
        for begin, result, row in zip(states, starts, matrix, strict=False):
            got = trace_of(result, "only", states, round(float(years) * 4))
            yield check(case, f"from {begin} in {years} years", expected, got, row)
    horizons = {"5": ("five_years",), "20": (), "inf": ("lifetime",)}
    for key, block in expected["continuous_discount_totals"].items():
        force, horizon = (part.split("=")[1] for part in key.split(","))
        result = runs("illness_death", *horizons[horizon], force=float(force))
        time = block["discounted_time_in_state"]
        years = list(time.values())[:2] if isinstance(time, dict) else time[:2]
        for outcome, value in (
            ("qalys", block["qaly"]),
            ("costs", block["cost"]),
            ("years_healthy", years[0]),
            ("years_ill", years[1]),
        ):
            yield check(case, f"{key} {outcome}", block, total_of(result, "only", outcome), value)


def by_period(runs: Runs) -> Iterator[Check]:
    case, result = "ctmc_piecewise_constant", runs("illness_death_by_period")
    expected, states = expectations(case), ("healthy", "sick", "dead")
    for years, row in expected["occupancy"].items():
        got = trace_of(result, "only", states, round(float(years) * 2))
        yield Check(case, f"occupancy at {years}", np.array(row), got, expected["abs_tol"])
    for outcome, key in (("qalys", "discounted_qaly_0_8"), ("costs", "discounted_cost_0_8")):
        value = expected[key]
        allowed = expected["rel_tol"] * value
        yield Check(case, outcome, value, total_of(result, "only", outcome), allowed)


def partitioned(runs: Runs) -> Iterator[Check]:
    case = "psm_exponential"
    expected = expectations(case)
    words = {
        "qaly": "qalys",
        "cost": "costs",
        "years_pf": "years_stable",
        "years_pd": "years_progressed",
    }
    for block, scenarios in (("monthly", ()), ("continuous", ("continuous",))):
        for key, outcome in words.items():
            if key in expected[block]:
                result = runs("partitioned_survival", *scenarios)
                got = total_of(result, "only", outcome)
                value = expected[block][key]
                yield check(case, f"{block} {outcome}", expected[block], got, value)
    got = trace_of(
        runs("partitioned_survival"), "only", ("stable", "progressed", "dead"), [12, 36, 60]
    )
    yield check(case, "shares", {"rel_tol": 1e-12}, got, expected["occupancy_at_1_3_5"])


def closed_forms(runs: Runs) -> Iterator[Check]:
    case = "closed_form_discounted_life_years"
    block = expectations(case)
    values = block["values"]
    for key, model, scenarios in (
        ("r=0", "illness_death", ("lifetime",)),
        ("r=0.03", "illness_death", ("lifetime",)),
        ("r=0.05", "illness_death", ("lifetime",)),
        ("r=0.03,horizon=10", "illness_death_start", ()),
    ):
        result = runs(model, *scenarios, force=float(key.split(",")[0][2:]))
        healthy, ill = (total_of(result, "only", word) for word in ("years_healthy", "years_ill"))
        for word, got in (
            ("discounted_years_H", healthy),
            ("discounted_years_I", ill),
            ("discounted_LY", lambda healthy=healthy, ill=ill: healthy() + ill()),
        ):
            yield check(case, f"{key} {word}", block, got, values[key][word])
    annuity = values["annuity_of_1_per_year"]
    for key, scenarios in (
        ("annual_end_20y_3pct", ()),
        ("annual_start_20y_3pct", ("start",)),
        ("midcycle_20y_3pct", ("middle",)),
        ("continuous_force_ln1.03_20y", ("exact",)),
        ("monthly_end_20y_3pct_annual_effective", ("monthly_end",)),
    ):
        got = total_of(runs("timing_words", *scenarios), "only", "life_years")
        yield check(case, key, block, got, annuity[key])
    series = values["two_state_discrete_p.1_v1/1.035"]
    for scenarios, key in (
        ((), "start_count_infinite"),
        (("end",), "end_count_infinite"),
        (("half_cycle",), "half_cycle_infinite"),
    ):
        got = total_of(runs("geometric_survival", *scenarios), "only", "life_years")
        yield check(case, key, block, got, series[key])


def conversions(runs: Runs) -> Iterator[Check]:
    case = "closed_form_discounted_life_years"
    block = expectations(case)
    for key, row, scenarios in (
        ("prob_from_rate_.2_over_1", "of_rate", ()),
        ("rate_from_prob_.3_over_1", "rate", ()),
        ("annual_prob_.3_to_monthly", "carried", ("monthly",)),
        ("prob_.1_with_HR_2", "hazard_ratio", ()),
        ("prob_.1_with_OR_2", "odds_ratio", ()),
        ("prob_.1_with_RR_2", "relative_risk", ()),
        ("5yr_prob_.4_to_annual", "of_five_years", ()),
    ):
        got = row_of(runs("conversions", *scenarios), "only", [("number", row)])
        yield check(case, key, block, got, block["values"]["conversions"][key])


def life_table(runs: Runs) -> Iterator[Check]:
    case = "life_table_us_2015"
    expected, result = expectations(case), runs("life_expectancy")
    for outcome, word in (
        ("life_years", "undiscounted_LE_at_65"),
        ("discounted_life_years", "discounted_LE_at_65_r0.03"),
    ):
        block = expected[f"continuous_{word}_piecewise_constant_hazard"]
        yield check(case, word, block, total_of(result, "only", outcome))
    for sex in ("total", "male", "female"):
        published = expected["life_expectancy"][sex.capitalize()]["published_nchs_2015"]
        for age, scenarios in ((0, ()), (65, ("from_65",))):
            run = runs("life_table", *scenarios)
            yield check(
                case,
                f"life expectancy at {age}, {sex}",
                published[f"e{age}"],
                lambda run=run, age=age, sex=sex: run().by_profile["only"][age, sex]["life_years"][
                    0
                ],
            )
    block, alive = (
        expected["conversions_Total"],
        trace_of(runs("life_table", "total"), "only", ["alive"]),
    )
    for index, age in enumerate((25, 65, 85)):
        value = block["survival_const_hazard_from_birth_to_25_65_85"][index]
        yield check(case, f"alive at {age}", block, lambda age=age: alive()[age, 0], value)
    for index, age in enumerate((25, 65, 90)):
        yield check(
            case,
            f"death within a year at {age}",
            block,
            lambda age=age: 1 - alive()[age + 1, 0] / alive()[age, 0],
            block["p_death_const_hazard_1-exp(-m)"][index],
        )


def survival_chain(runs: Runs) -> Iterator[Check]:
    case, alive = (
        "survival_operations_chain",
        trace_of(runs("survival_chain"), "only", ["alive"]),
    )
    expected = expectations(case)
    derived = expected["derived"]
    shares = derived["S_total_at_1_to_5"]
    yield check(case, "survival", derived, lambda: alive()[1:, 0], shares)
    yield check(case, "survival, full", {"rel_tol": 1e-12}, lambda: alive()[1:, 0], shares)
    yield check(
        case,
        "risk of each day, printed",
        expected["conditional_event_prob_cycles_1_to_5"],
        lambda: 1 - alive()[1:, 0] / alive()[:-1, 0],
    )


def krijkamp(runs: Runs) -> Iterator[Check]:
    case, result = "microsim_krijkamp_basic", runs("krijkamp")
    expected, pair = expectations(case), ("treatment", "no_treatment")
    cohort, full = expected["cohort"], expected["full_precision"]
    for ours in pair:
        for outcome, key in (("costs", "cost"), ("qalys", "qaly")):
            got = total_of(result, ours, outcome)
            yield check(case, f"{ours} {outcome}, printed", cohort[ours][key], got)
            yield check(case, f"{ours} {outcome}, full", full, got, full[ours][key])
    for key, outcome in (("inc_cost", "costs"), ("inc_qaly", "qalys")):
        yield check(case, f"gain of {outcome}", cohort[key], gain_of(result, *pair, outcome))
    yield check(case, "ICER, printed", cohort["icer"], icer_of(result, *pair))
    yield check(case, "ICER, full", full, icer_of(result, *pair), full["icer"])


def calibration(runs: Runs) -> Iterator[Check]:
    case = "calibration_crs"
    targets = json.loads((CASES / f"{case}.json").read_text())["model"]["crs"]["targets"]
    block = expectations(case)["crs"]["loglik_at"]
    times, values, errors = (np.array(targets[key]) for key in ("time", "value", "se"))
    for pair, expected in block.items():
        if "," not in pair:
            continue
        p_metastasis, p_die = map(float, pair.split(","))
        result = runs(case, p_metastasis=p_metastasis, p_die=p_die)
        alive = trace_of(result, "only", ("no_evidence", "metastatic"), times)

        def log_likelihood(alive: Got = alive) -> float:
            z = (alive().sum(axis=1) - values) / errors
            return float((-0.5 * z**2 - np.log(errors * math.sqrt(2 * math.pi))).sum())

        yield check(case, f"log-likelihood at {pair}", block, log_likelihood, expected)
