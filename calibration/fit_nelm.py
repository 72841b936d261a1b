"""How the fitted values of params/nelm.yaml were found: `python calibration/fit_nelm.py`.

Step 1: r_die_controlled and r_die_supportive make intra-arterial therapy first, with the
sequences of its time and no share of selection, pass through Mayo 2011 (median 34 months, 30 % at
five years). Step 2: hr_resected makes resection first pass as nearly as it can through Mayo 2010
(74 % at five, 51 % at ten years). Step 3: hr_equal makes the two equal in restricted mean survival
over ten years when all of the contrast is selection. Each step keeps what the ones before found.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import optimize

import qalyst
from qalyst.axes import STRATEGY

MODEL = str(Path(__file__).parents[1] / "models" / "nelm.yaml")


def survival(values: dict[str, float], months: list[float]) -> dict[str, np.ndarray]:
    """Strategy -> share alive at some months, with the sequences of their time."""
    model = qalyst.load_model(MODEL, scenarios=["of_their_time"], values=values)
    trace = qalyst.base_case(model).trace
    alive = trace.isel(place=trace.state.to_numpy() != "dead").sum("place")
    grid = trace.years.to_numpy() * 12
    return {
        str(name): np.interp(months, grid, alive.sel({STRATEGY: name}))
        for name in alive[STRATEGY].to_numpy()
    }


def fit_death(start: tuple[float, float]) -> dict[str, float]:
    """Death rates that put the embolised at 50 % at 34 months and at 30 % at 60."""

    def misses(logs: np.ndarray) -> np.ndarray:
        controlled, supportive = np.exp(logs)
        values = {
            "bias_share": 0.0,
            "r_die_controlled": controlled,
            "r_die_supportive": supportive,
        }
        found = survival(values, [34, 60])["arterial_first"] - np.array([0.5, 0.3])
        print(f"  {controlled:.5f} {supportive:.5f}  {found}", flush=True)
        return found

    best = optimize.least_squares(misses, np.log(start), diff_step=1e-3, xtol=1e-6)
    return dict(zip(("r_die_controlled", "r_die_supportive"), np.exp(best.x), strict=True))


def fit_resected(given: dict[str, float], start: float, targets: tuple[float, float]) -> float:
    """hr_resected by least squares on survival at five and ten years."""

    def misses(log: np.ndarray) -> np.ndarray:
        values = {**given, "hr_resected": float(np.exp(log[0]))}
        found = survival(values, [60, 120])["resection_first"] - np.array(targets)
        print(f"  {np.exp(log[0]):.5f}  {found}", flush=True)
        return found

    best = optimize.least_squares(misses, [np.log(start)], diff_step=1e-3, xtol=1e-6)
    return float(np.exp(best.x[0]))


def fit_equal(given: dict[str, float]) -> float:
    """hr_equal with which ten-year restricted mean survival is the same at a bias share of 1."""
    months = list(range(121))

    def difference(log: float) -> float:
        values = {**given, "bias_share": 1.0, "hr_equal": float(np.exp(log))}
        found = survival(values, months)
        gap = np.trapezoid(found["resection_first"] - found["arterial_first"], months)
        print(f"  {np.exp(log):.5f}  {gap:.3f} months", flush=True)
        return float(gap)

    return float(np.exp(optimize.brentq(difference, np.log(0.05), np.log(0.9), xtol=1e-4)))


def main() -> None:
    print("step 1: death rates")
    given = fit_death((0.12, 0.75))
    print("step 2: hr_resected")
    given["hr_resected"] = fit_resected(given, 0.5, (0.74, 0.51))
    print("step 3: hr_equal")
    given["hr_equal"] = fit_equal(given)
    for name, value in given.items():
        print(f"{name} = {value:.5f}")


if __name__ == "__main__":
    main()
