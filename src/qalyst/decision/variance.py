"""Where the spread of a result comes from: parameters, patients, and Monte Carlo noise.

The mean of n patients varies between draws of the parameters by the parameters and by the luck of
these patients: Var(mean) = parameters + patients / n. Both are estimated by the analysis of
variance of a nested simulation; O'Hagan, Stevenson & Madan (2007) Health Econ 16:1009-1023.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from qalyst.axes import DRAW, OUTCOME, STRATEGY, Float


@dataclass(frozen=True)
class VarianceSplit:
    """The spread of one result.

    Attributes
    ----------
    result : outcome, or net benefit.
    strategy : whose result.
    comparator : against whom, if it is an increment.
    wtp : willingness to pay of a net benefit, else None.
    mean, mcse : over draws, and its Monte Carlo standard error.
    parameters : variance between draws that is not the patients' noise; None with one draw.
    patients : variance between the patients of a draw.
    noise : what the luck of so many patients adds to the variance between draws.
    common : variance between patients with common luck, as a share of that with independent luck;
        None unless it is an increment.
    """

    result: str
    strategy: str
    comparator: str | None
    wtp: float | None
    mean: float
    mcse: float | None
    parameters: float | None
    patients: float
    noise: float
    common: float | None


def split_variance(
    totals: xr.DataArray,
    between: xr.DataArray,
    *,
    patients: int,
    cost: str | None = None,
    effect: str | None = None,
    comparator: str | None = None,
    thresholds: Sequence[float] = (),
) -> list[VarianceSplit]:
    """Every outcome of every strategy, then incremental net benefits.

    Parameters
    ----------
    totals : [draw, strategy, outcome] means over the patients of each draw.
    between : [strategy, outcome, strategy_2, outcome_2] covariance between patients of a draw,
        averaged over draws.
    patients : how many in each draw.
    cost, effect, comparator : for net benefits; None: none.
    thresholds : willingness to pay, currency per unit of effect.

    Examples
    --------
    >>> totals = xr.DataArray([[[1.0]], [[3.0]]], dims=("draw", "strategy", "outcome"),
    ...     coords={"strategy": ["a"], "outcome": ["cost"]})
    >>> between = xr.DataArray([[[[10.0]]]], dims=("strategy", "outcome", "strategy_2",
    ...     "outcome_2"), coords={"strategy": ["a"], "outcome": ["cost"]})
    >>> split_variance(totals, between, patients=10)[0].parameters
    1.0
    """
    spread = _Spread(totals, between, patients)
    strategies = [str(name) for name in totals[STRATEGY].values]
    found = [
        spread.of(str(outcome), strategy, None, None, {(strategy, str(outcome)): 1.0})
        for outcome in totals[OUTCOME].values
        for strategy in strategies
    ]
    if cost is not None and effect is not None and comparator is not None:
        found += spread.increments(strategies, cost, effect, comparator, thresholds)
    return found


class _Spread:
    """Linear combinations of totals."""

    def __init__(self, totals: xr.DataArray, between: xr.DataArray, patients: int) -> None:
        names = [
            (str(strategy), str(outcome))
            for strategy in totals[STRATEGY].values
            for outcome in totals[OUTCOME].values
        ]
        self._number = {name: i for i, name in enumerate(names)}
        ordered = totals.transpose(DRAW, STRATEGY, OUTCOME).to_numpy()
        self._totals: Float = ordered.reshape(len(ordered), len(names))
        self._between: Float = between.to_numpy().reshape(len(names), len(names))
        self._patients = patients

    def increments(
        self,
        strategies: Sequence[str],
        cost: str,
        effect: str,
        comparator: str,
        thresholds: Sequence[float],
    ) -> Iterator[VarianceSplit]:
        for wtp in thresholds:
            for strategy in strategies:
                if strategy != comparator:
                    weights = {
                        (strategy, effect): wtp,
                        (strategy, cost): -1.0,
                        (comparator, effect): -wtp,
                        (comparator, cost): 1.0,
                    }
                    result = "incremental net benefit"
                    yield self.of(result, strategy, comparator, wtp, weights)

    def of(
        self,
        result: str,
        strategy: str,
        comparator: str | None,
        wtp: float | None,
        weights: dict[tuple[str, str], float],
    ) -> VarianceSplit:
        """One combination: the weights of its totals."""
        vector = self._vector(weights)
        values = self._totals @ vector
        patients = float(vector @ self._between @ vector)
        noise = patients / self._patients
        common = mcse = parameters = None
        if comparator is not None:
            parts = [
                self._vector({key: w for key, w in weights.items() if key[0] == name})
                for name in (strategy, comparator)
            ]
            independent = sum(float(part @ self._between @ part) for part in parts)
            common = patients / independent if independent > 0 else None
        if len(values) > 1:
            variance = float(values.var(ddof=1))
            mcse = (variance / len(values)) ** 0.5
            parameters = max(variance - noise, 0.0)
        return VarianceSplit(
            result, strategy, comparator, wtp, float(values.mean()), mcse, parameters, patients,
            noise, common,
        )  # fmt: skip

    def _vector(self, weights: dict[tuple[str, str], float]) -> Float:
        vector = np.zeros(len(self._number))
        for key, weight in weights.items():
            vector[self._number[key]] = weight
        return vector
