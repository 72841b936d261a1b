"""The numpy twin against small models that can be counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from golden_checks import HERE
from scipy.integrate import quad
from twin import run_twin

from qalyst.model.resolve import load_model
from qalyst.params.draws import BaseCase, Draws


def resolved(name, *scenarios, **timing):
    model = load_model(str(HERE / "models" / f"{name}.yaml"), scenarios=scenarios)
    return replace(model, timing=replace(model.timing, **timing))


def base_case(name, *scenarios, **timing):
    model = resolved(name, *scenarios, **timing)
    return run_twin(model, BaseCase(model.parameters))


def moves(result, name="moves", strategy="only"):
    return {row: x[0] for (outcome, row), x in result.rows[strategy].items() if outcome == name}


def test_everybody_takes_the_one_path_there_is():
    trace = base_case("by_hand").trace["only"]
    well = [1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1]
    rest = [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]
    np.testing.assert_array_equal(trace["well"][:, 0], well)
    np.testing.assert_array_equal(trace["rest"][:, 0], rest)
    np.testing.assert_array_equal(sum(trace.values())[:, 0], 1)


@pytest.mark.parametrize(
    ("scenario", "outcome", "half_years"),
    [
        ((), "since", [2, 2, 0, 0.5, 1, 1.5, 0, 0.5, 1, 1.5]),
        (("end",), "since", [2, 2, 0.5, 1, 1.5, 2, 0.5, 1, 1.5, 2]),
        ((), "under", [0, 0, 0, 0.5, 1, 0, 0, 0.5, 1, 0]),
        (("end",), "under", [0, 0, 0.5, 1, 0, 0, 0.5, 1, 0, 0]),
        ((), "visits", [0, 0, 1, 1, 1, 1, 3, 3, 3, 3]),
        (("end",), "visits", [0, 0, 1, 1, 1, 1, 3, 3, 3, 3]),
        ((), "recent", [0, 0, 1, 1, 0, 0, 1, 1, 0, 0]),
        ((), "months", [0, 0, 12, 12, 0, 0, 12, 12, 0, 0]),
    ],
)
def test_trackers_stand_where_the_path_puts_them(scenario, outcome, half_years):
    got = base_case("by_hand", *scenario).outcomes["only"][outcome][0]
    np.testing.assert_allclose(got, sum(half_years) / 2, rtol=1e-14)


def test_each_move_sees_its_place_and_is_discounted_at_its_moment():
    def v(years):
        return 1.1 ** -min(years, 2)

    expected = {
        "entered": 1 * v(1) + 3 * v(3),
        "left": 0 * v(1) + 1 * v(3),
        "since": 1 * v(2) + 1 * v(4),
        "to_rest": 0,
        "leaving": v(2) + v(4),
        "returned": v(2.25) + v(4.25),
        "heads": v(2) + v(4),
        "cycles": v(1.5) + v(3) + v(4.5),
        "start": 1,
        "end": 5 * v(5),
    }
    assert moves(base_case("by_hand")) == pytest.approx(expected, rel=1e-14)
    by_year = expected | {"cycles": v(1) + v(3) + v(4), "returned": v(2) + v(4)}
    assert moves(base_case("by_hand", "year")) == pytest.approx(by_year, rel=1e-14)
    weighted = expected | {"returned": v(2.5) + v(4.5)}
    assert moves(base_case("by_hand", "late")) == pytest.approx(weighted, rel=1e-14)


def test_a_sequence_is_followed_line_by_line_and_the_frail_skip_the_second():
    result = base_case("two_lines")
    fit = {"lines": 1 + 1.5 + (0.25 + 2 * 0.625 + 3 * 0.125)}
    # shares by line at t = 0..3, fit: (1,0,0), (.5,.5,0), (.25,.625,.125), (.125,.59375,.28125)
    frail = {"lines": 1 + 2 + (0.25 + 3 * 0.75)}
    fit["passed"] = (1 + 2 * 0.875 + 3 * 0.28125) + 0.28125 + (0.875 + 2 * 0.28125)
    frail["passed"] = (1 + (2 + 3) * 0.875) + 0.875 + 0.875
    for labels, outcomes in result.by_profile["three"].items():
        expected = fit if labels[1] == "fit" else frail
        assert {k: x[0] for k, x in outcomes.items()} == pytest.approx(expected, rel=1e-14)
    share = 0.4 * 0.5 + 0.6 * 0.25
    average = share * fit["lines"] + (1 - share) * frail["lines"]
    np.testing.assert_allclose(result.outcomes["three"]["lines"][0], average, rtol=1e-14)


@pytest.mark.parametrize("scenario", [(), ("one",), ("half",)])
def test_moves_add_up_to_the_occupancy(scenario):
    result = base_case("moves_in_time", *scenario)
    counted = {row: x[0] for (_, row), x in result.rows_undiscounted["only"].items()}
    trace = {state: shares[-1, 0] for state, shares in result.trace["only"].items()}
    np.testing.assert_allclose(counted["died"], trace["dead"], rtol=1e-13)
    np.testing.assert_allclose(counted["at_once"], 0.1 * counted["onset"], rtol=1e-13)
    ill = 0.9 * counted["onset"] - counted["recovered"] - counted["from_ill"]
    np.testing.assert_allclose(ill, trace["ill"], rtol=1e-12)


def test_one_event_a_cycle_tends_to_any_number_as_the_cycle_shrinks():
    exact, fine = (base_case("moves_in_time", *word) for word in ((), ("one_fine",)))
    for key, amount in exact.rows["only"].items():
        np.testing.assert_allclose(fine.rows["only"][key], amount, rtol=2e-3)


def test_arrivals_are_at_risk_once_more_for_half_a_cycle():
    """A quarter of each state stays for a cycle, a half for half a cycle; see the model."""
    result = base_case("two_events")
    trace = {state: shares[:, 0] for state, shares in result.trace["only"].items()}
    expected = {
        "well": [1, 1 / 4, 1 / 16],
        "ill": [0, 3 / 8, 3 / 32 + 3 / 32],
        "worse": [0, 3 / 8, 3 / 32 + 9 / 64 + 3 / 32],
        "dead": [0, 0, 9 / 64 + 9 / 32],
    }
    for state, shares in expected.items():
        np.testing.assert_allclose(trace[state], shares, rtol=1e-14)
    assert moves(result) == pytest.approx(
        {
            "fall": 3 / 4 + 3 / 16,
            "worsen": 3 / 8 + 3 / 32 + 9 / 32,
            "late": 9 / 64,  # those half of the ill of t_1 who are ill for a year by then
            "die": 9 / 64 + 9 / 32,
        },
        rel=1e-14,
    )


def test_clocks_of_arrivals_stand_at_half_a_cycle_on_average():
    result = base_case("two_events")
    ill = 3 / 16 + (3 / 64 + 3 / 64 * 1 + 3 / 64 * 2)  # half of the arrivals; then the older
    late = 9 / 128 * 1 + 9 / 128 * 2 + 3 / 32  # came in the second cycle, whose clock has begun
    assert moves(result, "residence") == pytest.approx(
        {"ill": ill, "worse": 9 / 128 + 3 / 32}, rel=1e-14
    )
    assert moves(result, "ill_for") == pytest.approx({"ill": ill, "worse": late}, rel=1e-14)
    assert moves(result, "since") == pytest.approx({"ill": ill, "worse": late}, rel=1e-14)
    assert moves(result, "visits") == pytest.approx(
        {"ill": 3 / 8 + 3 / 16, "worse": 2 * (3 / 8 + 21 / 64)}, rel=1e-14
    )


def test_one_event_exactly_is_the_integral_over_the_cycle():
    result = base_case("moves_in_time", "one", cycles=1)
    onset, die, force, d = 0.2, 0.4, 0.03, 0.25
    leave = onset + die

    def discounted(share):
        return quad(lambda s: np.exp(-force * s) * share(s), 0, d, epsabs=1e-14)[0]

    expected = {
        ("years", "healthy"): discounted(lambda s: np.exp(-leave * s)),
        ("years", "ill"): discounted(lambda s: 0.9 * onset / leave * -np.expm1(-leave * s)),
        ("moves", "onset"): discounted(lambda s: onset * np.exp(-leave * s)),
        ("moves", "died"): discounted(lambda s: (0.1 * onset + die) * np.exp(-leave * s)),
    }
    for key, amount in expected.items():
        np.testing.assert_allclose(result.rows["only"][key][0], amount, rtol=1e-12)


def test_a_draw_is_run_like_a_base_case_of_its_own():
    model = load_model(str(HERE.parents[1] / "models" / "hiv.yaml"))
    together = run_twin(model, Draws(model.parameters, 7, np.arange(4)), 4)
    for draw in range(4):
        alone = run_twin(model, Draws(model.parameters, 7, np.array([draw])))
        for strategy, outcomes in alone.outcomes.items():
            for outcome, amount in outcomes.items():
                got = together.outcomes[strategy][outcome][draw]
                np.testing.assert_allclose(got, amount[0], rtol=1e-13)


def test_a_hazard_row_is_cumulated_cycle_by_cycle_and_log_linear_within():
    expected = {
        "survival": np.exp(-0.1 - 0.5 * 0.2),
        "before": 1,
        "between": (0.1 + 0.2) / 2,
        "beginning": 0.75 * 0.1,
        "doubled": np.exp(-2 * (0.1 + 0.2 + 0.25 * 0.4)),
        "mixture": np.log((1 + np.exp(-0.1)) / (1 + np.exp(-0.3))),
    }
    got = moves(base_case("curves_by_hand"), "number")
    assert got == pytest.approx(expected, rel=1e-14)
