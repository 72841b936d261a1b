"""Two events per cycle: an error of second order, on time, costs and moves; values from theory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from qalyst.agreement import compare_engines
from qalyst.model.resolve import load_model
from qalyst.simulation import base_case

MODELS = Path(__file__).parent / "models"
HORIZON = 10.0


def resolved(name, *scenarios, cycles=None, horizon=HORIZON, **timing):
    model = load_model(str(MODELS / f"{name}.yaml"), scenarios=scenarios)
    if cycles is not None:
        timing |= {"cycles": cycles, "cycle": horizon / cycles}
    return replace(model, timing=replace(model.timing, **timing))


def totals(name, *scenarios, **timing):
    """[outcome, strategy] of the base case, discounted."""
    model = resolved(name, *scenarios, **timing)
    found = base_case(model)
    return np.array([found.total(outcome).to_numpy()[:, 0] for outcome in model.outcomes])


def test_the_error_to_continuous_time_falls_with_the_square_of_the_cycle():
    exact = totals("two_memoryless", "any", cycles=40)
    coarse, fine, finest = (
        np.abs(totals("two_memoryless", cycles=n) - exact) for n in (40, 80, 160)
    )
    np.testing.assert_array_less(3, coarse / fine)
    np.testing.assert_array_less(coarse / fine, 5)
    np.testing.assert_allclose(fine / finest, 4, rtol=0.1)


def test_the_error_is_far_below_that_of_one_event():
    exact = totals("two_memoryless", "any", cycles=120)
    one, two = (
        np.abs(totals("two_memoryless", *word, cycles=120) - exact) for word in (("one",), ())
    )
    np.testing.assert_array_less(two, one / 20)


def test_one_event_lags_by_half_a_cycle_at_each_entry_and_two_do_not():
    """Over a long time a state of constant rate is held for 1 / rate by each who enters it."""
    cycle, horizon = 0.25, 200.0
    timing = {"cycles": 800, "horizon": horizon}
    rates = {"ill": 0.5, "worse": 0.8}
    for name, rate in rates.items():
        years = {}
        for word in ("one", "two"):
            model = resolved("two_chain", events_per_cycle=word, **timing)
            years[word] = float(base_case(model).total(name).item())
        assert years["one"] - 1 / rate == pytest.approx(cycle / 2, rel=0.1)
        assert years["two"] == pytest.approx(1 / rate, abs=cycle**2 / 8)


def test_occupancy_of_a_chain_is_that_of_bateman():
    """Bateman (1910) Proc Camb Philos Soc 15:423-427: a chain of states of constant rates."""
    rates = np.array([0.4, 0.5, 0.8])
    years = np.arange(41) * 0.25

    def bateman(n):
        before = rates[: n + 1]
        others = [np.prod(np.delete(before, i) - before[i]) for i in range(n + 1)]
        waves = [np.exp(-before[i] * years) / others[i] for i in range(n + 1)]
        return np.prod(rates[:n]) * np.sum(waves, axis=0)

    errors = {}
    for cycles, word in ((40, "two"), (80, "two"), (40, "one")):
        trace = base_case(resolved("two_chain", cycles=cycles, events_per_cycle=word)).trace
        assert trace is not None
        occupancy = trace.isel(strategy=0).transpose("place", ...).to_numpy()[:3, :: cycles // 40]
        expected = np.array([bateman(n) for n in range(3)])
        errors[cycles, word] = np.abs(occupancy.reshape(3, -1) - expected).max(axis=1)
    two, fine, one = errors.values()
    assert two[0] < 1e-13  # nobody enters it later: its law is exact
    np.testing.assert_allclose(two[1:] / fine[1:], 4, rtol=0.1)
    np.testing.assert_array_less(two[1:], one[1:] / 10)


def test_stays_by_time_in_state_take_the_time_that_theory_says():
    """The model's chain in continuous time, within ten years; integrals by quadrature."""

    def stay_ill(u):
        return np.exp(-((u / 3) ** 2) - 0.4 * u)

    def stay_worse(u):
        return np.exp(-((u / 2) ** 1.5))

    def time_in(stay, within):
        return quad(stay, 0, within)[0]

    def falling(t):
        return 0.5 * np.exp(-0.5 * t)

    def worsening(t):
        return quad(lambda u: falling(t - u) * 2 * u / 9 * stay_ill(u), 0, t)[0]

    ill = quad(lambda t: falling(t) * time_in(stay_ill, HORIZON - t), 0, HORIZON)[0]
    worse = quad(lambda t: worsening(t) * time_in(stay_worse, HORIZON - t), 0, HORIZON)[0]
    exact = np.array([ill, worse])
    coarse, fine = (np.abs(totals("two_by_residence", cycles=n)[:2, 0] - exact) for n in (40, 80))
    one = np.abs(totals("two_by_residence", "one", cycles=80)[:2, 0] - exact)
    np.testing.assert_array_less(3, coarse / fine)
    np.testing.assert_array_less(coarse / fine, 5)
    np.testing.assert_array_less(fine, one / 10)


@pytest.mark.verification
@pytest.mark.parametrize("scenario", [(), ("both_clocks",)])
def test_halved_cycles_converge_at_second_order_with_clocks(scenario):
    """Differences of successive halvings fall to a quarter (Richardson's extrapolation)."""
    coarse, fine, finest = (
        totals("two_by_residence", *scenario, cycles=n)[:3] for n in (80, 160, 320)
    )
    ratio = (coarse - fine) / (fine - finest)
    np.testing.assert_array_less(3, ratio)
    np.testing.assert_array_less(ratio, 5)


def test_nobody_is_lost():
    trace = base_case(resolved("two_by_residence", "both_clocks")).trace
    assert trace is not None
    np.testing.assert_allclose(trace.sum("place"), 1, rtol=1e-13)


def test_patients_in_continuous_time_agree_to_second_order():
    """What halving the cycle changes is allowed for; see `qalyst.agreement`."""
    agreement = compare_engines(resolved("two_memoryless"), patients=50_000, seed=3)
    assert agreement.comparisons
    assert not agreement.failed
    assert all(item.allowed > 0 for item in agreement.comparisons if item.kind == "spread")
