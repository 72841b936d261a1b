"""How the fitted values of params/nelm.yaml were found: `python calibration/fit_nelm.py`.

Step 1: r_die_controlled and r_die_supportive make intra-arterial therapy first, with the
sequences of its time and no share of selection, pass as nearly as they can through Mayo 2011
(median 34 months, 30 % at five years). The two points hardly tell the two rates apart (0.118 and
6.6 a year meet both exactly, and nobody on supportive care lives seven weeks), so the rate on
supportive care has a prior: a median of 11 months, give or take a half on the log scale.
Step 2: hr_resected makes resection first pass as nearly as it can through Mayo 2010 (74 % at five,
51 % at ten years). Step 3: hr_equal makes the two equal in restricted mean survival
over ten years when all of the contrast is selection. Each step keeps what the ones before found.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import optimize

import qalyst
from qalyst.axes import STRATEGY

# Standard errors of the targets: binomial, 414 embolised and 339 resected (evidence MAYO11_5y_iat,
# MAYO10_5y, MAYO10_10y; the median's from sqrt(0.25 / 414)).
SE_34, SE_60 = 0.0246, 0.0225
SE_60_RESECTED, SE_120_RESECTED = 0.0238, 0.0272
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
    """Death rates of the embolised: misses in standard errors, and the prior's."""

    def misses(logs: np.ndarray) -> np.ndarray:
        controlled, supportive = np.exp(logs)
        values = {
            "bias_share": 0.0,
            "r_die_controlled": controlled,
            "r_die_supportive": supportive,
        }
        found = survival(values, [34, 60])["arterial_first"] - np.array([0.5, 0.3])
        print(f"  {controlled:.5f} {supportive:.5f}  {found}", flush=True)
        prior = (logs[1] - np.log(np.log(2) / (11 / 12))) / 0.5
        return np.array([*(found / np.array([SE_34, SE_60])), prior])

    best = optimize.least_squares(misses, np.log(start), diff_step=1e-3, xtol=1e-5)
    spread = np.sqrt(np.diag(np.linalg.inv(best.jac.T @ best.jac)))
    print(f"  standard errors of the logs: {spread}")
    return dict(zip(("r_die_controlled", "r_die_supportive"), np.exp(best.x), strict=True))


def fit_resected(given: dict[str, float], start: float, targets: tuple[float, float]) -> float:
    """hr_resected by least squares on survival at five and ten years."""

    def misses(log: np.ndarray) -> np.ndarray:
        values = {**given, "hr_resected": float(np.exp(log[0]))}
        found = survival(values, [60, 120])["resection_first"] - np.array(targets)
        print(f"  {np.exp(log[0]):.5f}  {found}", flush=True)
        return found / np.array([SE_60_RESECTED, SE_120_RESECTED])

    best = optimize.least_squares(misses, [np.log(start)], diff_step=1e-3, xtol=1e-5)
    print(f"  standard error of the log: {1 / np.linalg.norm(best.jac):.3f}")
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

    return float(np.exp(optimize.brentq(difference, np.log(0.1), np.log(0.5), xtol=1e-4)))


def main() -> None:
    """Fit step by step, printing what is found."""
    print("step 1: death rates")
    given = fit_death((0.2, 0.8))
    print("step 2: hr_resected")
    given["hr_resected"] = fit_resected(given, 0.45, (0.74, 0.51))
    print("step 3: hr_equal")
    given["hr_equal"] = fit_equal(given)
    for name, value in given.items():
        print(f"{name} = {value:.5f}")


if __name__ == "__main__":
    main()
