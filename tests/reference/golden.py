"""The golden cases, put to any engine that runs a resolved model.

`golden_checks(run)` yields what each case expects beside what the engine gives. Nothing runs
before `Check.got` is called, and each model runs once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from qalyst.model.resolve import load_model
from qalyst.model.resolved import ResolvedModel

HERE = Path(__file__).resolve().parent
CASES = HERE.parent / "cases"
MODELS = (HERE.parents[1] / "models", HERE / "models")


class Result(Protocol):
    """What an engine must give of a base case; arrays end with [draw], of length 1."""

    outcomes: Mapping[str, Mapping[str, Any]]
    rows: Mapping[str, Mapping[tuple[str, str], Any]]
    rows_undiscounted: Mapping[str, Mapping[tuple[str, str], Any]]
    by_profile: Mapping[str, Mapping[tuple[Any, ...], Mapping[str, Any]]]
    trace: Mapping[str, Mapping[str, Any]]


Got = Callable[[], Any]


@dataclass(frozen=True)
class Check:
    """One quantity of a case; it may be an array."""

    case: str
    quantity: str
    expected: Any
    got: Got
    tolerance: Any

    @property
    def id(self) -> str:
        """Readable name of the check."""
        return f"{self.case}: {self.quantity}"


class Runs:
    """Runs of an engine, each made when first asked for."""

    def __init__(self, run: Callable[[ResolvedModel], Result]) -> None:
        self._run = run
        self._done: dict[Any, Result] = {}

    def __call__(self, name: str, *scenarios: str, **values: float) -> Callable[[], Result]:
        def result() -> Result:
            key = (name, scenarios, tuple(values.items()))
            if key not in self._done:
                file = next(f for d in MODELS if (f := d / f"{name}.yaml").exists())
                model = load_model(str(file), scenarios=scenarios, values=values)
                self._done[key] = self._run(model)
            return self._done[key]

        return result


def golden_checks(run: Callable[[ResolvedModel], Result]) -> Iterator[Check]:
    """Every check of every case that is about cohorts, trees and partitioned survival."""
    runs = Runs(run)
    for case in (
        _sick_sicker,
        _semi_markov,
        _hiv,
        _hiv_lifetime,
        _hiv_one_way,
        _thr,
        _heart_valve,
        _tree,
        _illness_death,
        _by_period,
        _partitioned,
        _closed_forms,
        _conversions,
        _life_table,
        _survival_chain,
        _krijkamp,
        _calibration,
    ):
        yield from case(runs)


def _expected(case: str) -> dict[str, Any]:
    return json.loads((CASES / f"{case}.json").read_text())["expected"]


def _check(
    case: str, quantity: str, block: Mapping[str, Any], got: Got, value: Any = None
) -> Check:
    """A check at the tolerance of its block; the value stands in the block if not given."""
    expected = np.asarray(block["value"] if value is None else value, float)
    allowed = block["abs_tol"] if "abs_tol" in block else block["rel_tol"] * np.abs(expected)
    return Check(case, quantity, expected, got, allowed)


def _total(result: Callable[[], Result], strategy: str, outcome: str, times: float = 1.0) -> Got:
    return lambda: times * result().outcomes[strategy][outcome][0]


def _row(
    result: Callable[[], Result],
    strategy: str,
    keys: Iterable[tuple[str, str]],
    *,
    discounted: bool = True,
    times: float = 1.0,
) -> Got:
    def got() -> Any:
        rows = result().rows if discounted else result().rows_undiscounted
        return times * sum(rows[strategy][key][0] for key in keys)

    return got


def _gain(result: Callable[[], Result], strategy: str, reference: str, outcome: str) -> Got:
    def got() -> Any:
        outcomes = result().outcomes
        return outcomes[strategy][outcome][0] - outcomes[reference][outcome][0]

    return got


def _icer(
    result: Callable[[], Result], strategy: str, reference: str, effect: str = "qalys"
) -> Got:
    cost, gain = (_gain(result, strategy, reference, word) for word in ("costs", effect))
    return lambda: cost() / gain()


def _trace(
    result: Callable[[], Result],
    strategy: str,
    states: Sequence[str],
    times: Any = slice(None),
    *,
    scale: float = 1.0,
) -> Got:
    """[time, state] of the trace."""

    def got() -> Any:
        trace = result().trace[strategy]
        return scale * np.stack([trace[state][:, 0] for state in states], axis=-1)[times]

    return got


SICK_SICKER = ("healthy", "sick", "sicker", "dead")
SICK_SICKER_NAMES = {
    "standard": "Standard of care",
    "a": "Strategy A",
    "b": "Strategy B",
    "ab": "Strategy AB",
}


def _sick_sicker(runs: Runs) -> Iterator[Check]:
    for case, model in (
        ("sick_sicker_time_independent", "sick_sicker"),
        ("sick_sicker_age_dependent", "sick_sicker_by_age"),
    ):
        expected, result = _expected(case), runs(model)
        full = expected["full_precision_recomputed"]
        for ours, name in SICK_SICKER_NAMES.items():
            for outcome, block in (("costs", "total_cost"), ("qalys", "total_qaly")):
                got = _total(result, ours, outcome)
                yield _check(case, f"{ours} {outcome}, printed", expected[block][name], got)
                yield _check(case, f"{ours} {outcome}, full", full, got, full[block][name])
        for ours, reference in (("b", "standard"), ("ab", "b")):
            block = expected["cea"][SICK_SICKER_NAMES[ours]]
            yield _check(case, f"{ours} ICER", block["icer"], _icer(result, ours, reference))
            for key, outcome in (("inc_cost", "costs"), ("inc_qaly", "qalys")):
                got = _gain(result, ours, reference, outcome)
                yield _check(case, f"{ours} gain of {outcome}", block[key], got)
            if "icer" in full:
                value = full["icer"][SICK_SICKER_NAMES[ours]]
                yield _check(
                    case, f"{ours} ICER, full", full, _icer(result, ours, reference), value
                )
        if "trace_standard_of_care" in expected:
            block = expected["trace_standard_of_care"]
            got = _trace(result, "standard", SICK_SICKER, block["times"])
            yield _check(case, "trace", block, got)
        else:
            block = expected["restricted_life_expectancy_cycles_undiscounted_SoC"]
            alive = _trace(result, "standard", SICK_SICKER[:3])
            yield _check(case, "cycles alive", block, lambda alive=alive: alive().sum())


def _semi_markov(runs: Runs) -> Iterator[Check]:
    case, result = "semi_markov_discrete_tunnels", runs("sick_sicker_residence")
    expected = _expected(case)
    for ours in ("standard", "b"):
        name = SICK_SICKER_NAMES[ours]
        for outcome, block in (("costs", "total_cost"), ("qalys", "total_qaly")):
            got = _total(result, ours, outcome)
            yield _check(case, f"{ours} {outcome}", expected[block][name], got)
        block = expected[f"trace_{name}"]
        got = _trace(result, ours, SICK_SICKER, block["times"])
        yield _check(case, f"{ours} trace", block, got)


def _hiv(runs: Runs) -> Iterator[Check]:
    case = "hiv_chancellor_briggs_ex25"
    expected, result = _expected(case), runs("hiv")
    names = (("monotherapy", "mono"), ("combination", "comb"))
    increments = {"costs": "cost", "life_years": "life_years"}
    for ours, short in names:
        for outcome, block in increments.items():
            got = _total(result, ours, outcome)
            yield _check(case, f"{ours} {outcome}", expected[ours][block], got)
        parts = expected["undiscounted_cost_components"]
        for key, rows in (("health", ("care",)), ("drugs", ("zidovudine", "lamivudine"))):
            keys = [("costs", row) for row in rows]
            got = _row(result, ours, keys, discounted=False)
            yield _check(case, f"{ours} {key}, undiscounted", parts[f"{short}_{key}"], got)
    pair = ("combination", "monotherapy")
    for outcome, block in increments.items():
        got = _gain(result, *pair, outcome)
        yield _check(case, f"gain of {outcome}", expected["incremental"][block], got)
    yield _check(case, "ICER", expected["icer"], _icer(result, *pair, "life_years"))
    corrected = expected["with_half_cycle_correction_on_life_years"]
    for ours, key in (("monotherapy", "mono"), ("combination", "combination")):
        got = _total(runs("hiv", "half_cycle"), ours, "life_years")
        yield _check(case, f"{ours} life years, half-cycle", corrected[key], got)


def _hiv_lifetime(runs: Runs) -> Iterator[Check]:
    case, result = "hiv_heemod_50cycles_lifetable", runs("hiv_lifetime")
    expected = _expected(case)
    for ours, key in (("monotherapy", "mono"), ("combination", "comb")):
        block = expected["values_per_1000"][key]
        care, drugs = ([("costs", row)] for row in ("care", "drugs"))
        for word, got in (
            ("cost_health", _row(result, ours, care, times=1000)),
            ("cost_drugs", _row(result, ours, drugs, times=1000)),
            ("cost_total", _total(result, ours, "costs", 1000)),
            ("life_year", _total(result, ours, "life_years", 1000)),
        ):
            yield _check(case, f"{ours} {word} of 1000", block[word], got)
    pair = ("combination", "monotherapy")
    cost, effect = (_gain(result, *pair, outcome) for outcome in ("costs", "life_years"))
    block = expected["incremental_per_person"]
    for key, got in (
        ("cost", cost),
        ("effect", effect),
        ("icer", _icer(result, *pair, "life_years")),
    ):
        yield _check(case, f"incremental {key}", block[key], got)
    benefits = expected["net_monetary_benefit_difference_to_worst_per_person"]
    for threshold, row in benefits.items():
        for key, sign in (("mono", -1), ("comb", 1)):
            if isinstance(row[key], dict):
                yield _check(
                    case,
                    f"net benefit of {key} at {threshold}",
                    row[key],
                    lambda wtp=float(threshold), sign=sign: sign * (wtp * effect() - cost()),
                )


def _hiv_one_way(runs: Runs) -> Iterator[Check]:
    case = "dsa_hiv_heemod_oneway"
    names = {
        "cost_lami": "c_lamivudine",
        "cost_zido": "c_zidovudine",
        "dr": "r_discount",
        "rr": "rr_combination",
    }
    for change, block in _expected(case)["rows"].items():
        key, value = change.split("=")
        result = runs("hiv_lifetime", "twenty_years", **{names[key]: float(value)})
        for ours, short in (("monotherapy", "mono"), ("combination", "comb")):
            row = block[short]
            care, drugs = ([("costs", name)] for name in ("care", "drugs"))
            got = (
                _row(result, ours, care, discounted=False, times=1000),
                _row(result, ours, drugs, discounted=False, times=1000),
                _total(result, ours, "costs", 1000),
                _total(result, ours, "life_years", 1000),
            )
            columns = ("care", "drugs", "total", "life years")
            for column, expected, each, allowed in zip(
                columns, row["value"], got, row["abs_tol_by_column"], strict=True
            ):
                yield Check(case, f"{change} {ours} {column}", expected, each, allowed)
        got_icer = _icer(result, "combination", "monotherapy", "life_years")
        yield _check(case, f"{change} ICER", block["icer"], got_icer)


def _thr(runs: Runs) -> Iterator[Check]:
    case = "thr_briggs_ex35"
    expected, pair = _expected(case), ("np1", "standard")
    book = expected["book_excel_times_0_to_60"]
    for words, result, blocks in (
        ("", runs("thr"), expected),
        (", book's Excel", runs("thr", "book_excel"), book),
    ):
        for ours in pair:
            for outcome, key in (("qalys", "qaly"), ("costs", "cost")):
                got = _total(result, ours, outcome)
                yield _check(case, f"{ours} {outcome}{words}", blocks[ours][key], got)
        yield _check(case, f"ICER{words}", blocks["icer"], _icer(result, *pair))
    for key, outcome in (("inc_cost", "costs"), ("inc_qaly", "qalys")):
        got = _gain(runs("thr"), *pair, outcome)
        yield _check(case, f"gain of {outcome}", expected[key], got)
    states = ("success", "revision", "success_again", "dead")
    for ours, key, first in (
        ("standard", "trace_standard_t3_to_t8", 3),
        ("np1", "trace_np1_t1_to_t8", 1),
    ):
        got = _trace(runs("thr"), ours, states, slice(first, 9))
        yield _check(case, f"{ours} trace", expected[key], got)


def _heart_valve(runs: Runs) -> Iterator[Check]:
    case = "phv_sonnenberg_beck"
    expected, states = _expected(case), ("well", "disabled", "dead")
    block = expected["trace"]
    got = _trace(runs("heart_valve"), "only", states, block["cycles"], scale=10_000)
    yield _check(case, "trace", block, got)
    for cycle, block in expected["cumulative_utility"].items():
        result = runs("heart_valve_horizon", f"cycles_{cycle}")
        got = _total(result, "only", "qalys", 10_000)
        yield _check(case, f"cumulative utility, cycle {cycle}", block, got)
    first, second = (
        _total(runs("heart_valve_horizon", f"cycles_{n}"), "only", "qalys", 1e4) for n in (1, 2)
    )
    yield _check(case, "utility of cycle 1", expected["cycle_sum"]["1"], first)
    yield _check(case, "utility of cycle 2", expected["cycle_sum"]["2"], lambda: second() - first())
    for scenarios, block in (
        ((), expected["expected_utility_per_patient_end_of_cycle_24"]),
        (("half_cycle",), expected["expected_utility_half_cycle_corrected_24"]),
    ):
        got = _total(runs("heart_valve", *scenarios), "only", "qalys")
        yield _check(case, f"utility, 24 cycles {' '.join(scenarios)}".strip(), block, got)
    for scenario, key in (
        ("lifetime_start", "start_of_cycle_counting"),
        ("lifetime_half_cycle", "half_cycle"),
        ("lifetime", "end_of_cycle"),
    ):
        block = expected["expected_utility_infinite_horizon"][key]
        got = _total(runs("heart_valve", scenario), "only", "qalys")
        yield _check(case, f"infinite horizon, {key}", block, got)
    block = expected["fundamental_matrix_N"]
    visits = _trace(runs("heart_valve", "lifetime"), "only", states[:2])
    yield _check(
        case,
        "fundamental matrix, first row",
        block,
        lambda: visits().sum(axis=0),
        block["value"][0],
    )


def _tree(runs: Runs) -> Iterator[Check]:
    case, result = "tree_sumatriptan", runs("sumatriptan")
    expected, pair = _expected(case), ("sumatriptan", "caffeine")
    full = expected["full_precision"]
    for ours, theirs in (("sumatriptan", "sumatriptan"), ("caffeine", "caffeine_ergotamine")):
        for outcome, key, times in (("costs", "cost", 1), ("qalys", "utility", 365)):
            got = _total(result, ours, outcome, times)
            yield _check(case, f"{ours} {key}, printed", expected[theirs][key], got)
            yield _check(case, f"{ours} {key}, full", full, got, full[f"{key}_{ours}"])
    yield _check(case, "ICER, printed", expected["icer_per_qaly"], _icer(result, *pair))
    yield _check(case, "ICER, full", full, _icer(result, *pair), full["icer"])
    for step in ("+0.268", "+0.091"):
        changed = runs("sumatriptan", p_relief_sumatriptan=0.379 + float(step))
        block = expected["one_way"][f"relief_difference_{step}"]
        yield _check(case, f"ICER, relief {step}, printed", block, _icer(changed, *pair))
        yield _check(
            case, f"ICER, relief {step}, full", full, _icer(changed, *pair), full[f"icer_{step}"]
        )
    for path, ours, state in (("A", "sumatriptan", "lasting"), ("H", "caffeine", "endured")):
        block = expected[f"path_{path}"]["probability"]
        got = _trace(result, ours, [state], 0)
        yield _check(case, f"path {path}", block, lambda got=got: got()[0])


def _illness_death(runs: Runs) -> Iterator[Check]:
    case, states = "ctmc_illness_death", ("healthy", "ill", "dead")
    expected = _expected(case)
    starts = (runs("illness_death"), runs("illness_death_start", "ill"))
    for years, matrix in expected["transition_probability_matrix"].items():
        for begin, result, row in zip(states, starts, matrix, strict=False):
            got = _trace(result, "only", states, round(float(years) * 4))
            yield _check(case, f"from {begin} in {years} years", expected, got, row)
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
            yield _check(case, f"{key} {outcome}", block, _total(result, "only", outcome), value)


def _by_period(runs: Runs) -> Iterator[Check]:
    case, result = "ctmc_piecewise_constant", runs("illness_death_by_period")
    expected, states = _expected(case), ("healthy", "sick", "dead")
    for years, row in expected["occupancy"].items():
        got = _trace(result, "only", states, round(float(years) * 2))
        yield Check(case, f"occupancy at {years}", np.array(row), got, expected["abs_tol"])
    for outcome, key in (("qalys", "discounted_qaly_0_8"), ("costs", "discounted_cost_0_8")):
        value = expected[key]
        allowed = expected["rel_tol"] * value
        yield Check(case, outcome, value, _total(result, "only", outcome), allowed)


def _partitioned(runs: Runs) -> Iterator[Check]:
    case = "psm_exponential"
    expected = _expected(case)
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
                got = _total(result, "only", outcome)
                value = expected[block][key]
                yield _check(case, f"{block} {outcome}", expected[block], got, value)
    got = _trace(
        runs("partitioned_survival"), "only", ("stable", "progressed", "dead"), [12, 36, 60]
    )
    yield _check(case, "shares", {"rel_tol": 1e-12}, got, expected["occupancy_at_1_3_5"])


def _closed_forms(runs: Runs) -> Iterator[Check]:
    case = "closed_form_discounted_life_years"
    block = _expected(case)
    values = block["values"]
    for key, model, scenarios in (
        ("r=0", "illness_death", ("lifetime",)),
        ("r=0.03", "illness_death", ("lifetime",)),
        ("r=0.05", "illness_death", ("lifetime",)),
        ("r=0.03,horizon=10", "illness_death_start", ()),
    ):
        result = runs(model, *scenarios, force=float(key.split(",")[0][2:]))
        healthy, ill = (_total(result, "only", word) for word in ("years_healthy", "years_ill"))
        for word, got in (
            ("discounted_years_H", healthy),
            ("discounted_years_I", ill),
            ("discounted_LY", lambda healthy=healthy, ill=ill: healthy() + ill()),
        ):
            yield _check(case, f"{key} {word}", block, got, values[key][word])
    annuity = values["annuity_of_1_per_year"]
    for key, scenarios in (
        ("annual_end_20y_3pct", ()),
        ("annual_start_20y_3pct", ("start",)),
        ("midcycle_20y_3pct", ("middle",)),
        ("continuous_force_ln1.03_20y", ("exact",)),
        ("monthly_end_20y_3pct_annual_effective", ("monthly_end",)),
    ):
        got = _total(runs("timing_words", *scenarios), "only", "life_years")
        yield _check(case, key, block, got, annuity[key])
    series = values["two_state_discrete_p.1_v1/1.035"]
    for scenarios, key in (
        ((), "start_count_infinite"),
        (("end",), "end_count_infinite"),
        (("half_cycle",), "half_cycle_infinite"),
    ):
        got = _total(runs("geometric_survival", *scenarios), "only", "life_years")
        yield _check(case, key, block, got, series[key])


def _conversions(runs: Runs) -> Iterator[Check]:
    case = "closed_form_discounted_life_years"
    block = _expected(case)
    for key, row, scenarios in (
        ("prob_from_rate_.2_over_1", "of_rate", ()),
        ("rate_from_prob_.3_over_1", "rate", ()),
        ("annual_prob_.3_to_monthly", "carried", ("monthly",)),
        ("prob_.1_with_HR_2", "hazard_ratio", ()),
        ("prob_.1_with_OR_2", "odds_ratio", ()),
        ("prob_.1_with_RR_2", "relative_risk", ()),
        ("5yr_prob_.4_to_annual", "of_five_years", ()),
    ):
        got = _row(runs("conversions", *scenarios), "only", [("number", row)])
        yield _check(case, key, block, got, block["values"]["conversions"][key])


def _life_table(runs: Runs) -> Iterator[Check]:
    case = "life_table_us_2015"
    expected, result = _expected(case), runs("life_expectancy")
    for outcome, word in (
        ("life_years", "undiscounted_LE_at_65"),
        ("discounted_life_years", "discounted_LE_at_65_r0.03"),
    ):
        block = expected[f"continuous_{word}_piecewise_constant_hazard"]
        yield _check(case, word, block, _total(result, "only", outcome))
    for sex in ("total", "male", "female"):
        published = expected["life_expectancy"][sex.capitalize()]["published_nchs_2015"]
        for age, scenarios in ((0, ()), (65, ("from_65",))):
            run = runs("life_table", *scenarios)
            yield _check(
                case,
                f"life expectancy at {age}, {sex}",
                published[f"e{age}"],
                lambda run=run, age=age, sex=sex: run().by_profile["only"][age, sex]["life_years"][
                    0
                ],
            )
    block, alive = (
        expected["conversions_Total"],
        _trace(runs("life_table", "total"), "only", ["alive"]),
    )
    for index, age in enumerate((25, 65, 85)):
        value = block["survival_const_hazard_from_birth_to_25_65_85"][index]
        yield _check(case, f"alive at {age}", block, lambda age=age: alive()[age, 0], value)
    for index, age in enumerate((25, 65, 90)):
        yield _check(
            case,
            f"death within a year at {age}",
            block,
            lambda age=age: 1 - alive()[age + 1, 0] / alive()[age, 0],
            block["p_death_const_hazard_1-exp(-m)"][index],
        )


def _survival_chain(runs: Runs) -> Iterator[Check]:
    case, alive = (
        "survival_operations_chain",
        _trace(runs("survival_chain"), "only", ["alive"]),
    )
    expected = _expected(case)
    derived = expected["derived"]
    shares = derived["S_total_at_1_to_5"]
    yield _check(case, "survival", derived, lambda: alive()[1:, 0], shares)
    yield _check(case, "survival, full", {"rel_tol": 1e-12}, lambda: alive()[1:, 0], shares)
    yield _check(
        case,
        "risk of each day, printed",
        expected["conditional_event_prob_cycles_1_to_5"],
        lambda: 1 - alive()[1:, 0] / alive()[:-1, 0],
    )


def _krijkamp(runs: Runs) -> Iterator[Check]:
    case, result = "microsim_krijkamp_basic", runs("krijkamp")
    expected, pair = _expected(case), ("treatment", "no_treatment")
    cohort, full = expected["cohort"], expected["full_precision"]
    for ours in pair:
        for outcome, key in (("costs", "cost"), ("qalys", "qaly")):
            got = _total(result, ours, outcome)
            yield _check(case, f"{ours} {outcome}, printed", cohort[ours][key], got)
            yield _check(case, f"{ours} {outcome}, full", full, got, full[ours][key])
    for key, outcome in (("inc_cost", "costs"), ("inc_qaly", "qalys")):
        yield _check(case, f"gain of {outcome}", cohort[key], _gain(result, *pair, outcome))
    yield _check(case, "ICER, printed", cohort["icer"], _icer(result, *pair))
    yield _check(case, "ICER, full", full, _icer(result, *pair), full["icer"])


def _calibration(runs: Runs) -> Iterator[Check]:
    case = "calibration_crs"
    targets = json.loads((CASES / f"{case}.json").read_text())["model"]["crs"]["targets"]
    block = _expected(case)["crs"]["loglik_at"]
    times, values, errors = (np.array(targets[key]) for key in ("time", "value", "se"))
    for pair, expected in block.items():
        if "," not in pair:
            continue
        p_metastasis, p_die = map(float, pair.split(","))
        result = runs(case, p_metastasis=p_metastasis, p_die=p_die)
        alive = _trace(result, "only", ("no_evidence", "metastatic"), times)

        def log_likelihood(alive: Got = alive) -> float:
            z = (alive().sum(axis=1) - values) / errors
            return float((-0.5 * z**2 - np.log(errors * math.sqrt(2 * math.pi))).sum())

        yield _check(case, f"log-likelihood at {pair}", block, log_likelihood, expected)
