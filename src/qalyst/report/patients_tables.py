"""The tables of `qalyst patients`: spread, subgroups and survival of the patients followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float
from qalyst.histories import Histories, patients_table
from qalyst.stats.kaplan_meier import KaplanMeier, kaplan_meier

if TYPE_CHECKING:
    import pandas as pd

Z95 = 1.959963984540054  # the normal quantile of 97.5 %
EVERYBODY = "all"
NET_BENEFIT = "incremental_net_benefit"
QUANTILES = {"p2_5": 0.025, "p25": 0.25, "median": 0.5, "p75": 0.75, "p97_5": 0.975}


def single_tables(histories: Histories) -> dict[str, pd.DataFrame]:
    """The tables with a row for each patient or stay."""
    return {"patients": patients_table(histories), "stays": histories.stays}


def summary_tables(histories: Histories) -> dict[str, pd.DataFrame]:
    """The tables over all patients that make sense of a model, by name."""
    found = {
        "distribution": distribution_table(histories),
        "subgroups": subgroups_table(histories),
    }
    curves = survival_curves(histories)
    if curves:
        found["kaplan_meier"] = kaplan_meier_table(curves)
    return found


def distribution_table(histories: Histories) -> pd.DataFrame:
    """How each outcome spreads between patients: one row a strategy and outcome."""
    import pandas as pd

    model = histories.model
    return pd.DataFrame(
        [
            {
                "strategy": strategy,
                "outcome": outcome,
                "unit": record.unit_text,
                **distribution(histories.totals[:, s, o]),
            }
            for s, strategy in enumerate(model.strategies)
            for o, (outcome, record) in enumerate(model.outcomes.items())
        ]
    )


def distribution(values: Float) -> dict[str, float]:
    """Mean with its Monte Carlo standard error, spread and quantiles of patients, [patient].

    >>> found = distribution(np.array([1.0, 2.0, 3.0]))
    >>> found["mean"], found["sd"], found["median"], found["maximum"]
    (2.0, 1.0, 2.0, 3.0)
    """
    sd = _sd(values)
    quantiles = np.quantile(values, list(QUANTILES.values())).tolist()
    return {
        "mean": float(values.mean()),
        "standard_error": sd / len(values) ** 0.5,
        "sd": sd,
        "minimum": float(values.min()),
        **dict(zip(QUANTILES, quantiles, strict=True)),
        "maximum": float(values.max()),
    }


def subgroups_table(histories: Histories) -> pd.DataFrame:
    """Means with 95 % intervals by label of each dimension, and of all patients.

    The incremental net benefit is against the first strategy, patient by patient, so that its
    standard error is that of differences between courses with the same luck.
    """
    import pandas as pd

    results = list(_results(histories))
    return pd.DataFrame(
        [
            {
                "dimension": dimension,
                "label": label,
                "strategy": strategy,
                "outcome": outcome,
                "threshold": threshold,
                **_mean(values[members]),
            }
            for dimension, label, members in _subgroups(histories)
            for strategy, outcome, threshold, values in results
        ]
    )


def survival_curves(histories: Histories) -> dict[str, KaplanMeier]:
    """Strategy -> survival: death is the entry to an absorbing state.

    Who is alive at the horizon is observed until then. Empty for a decision tree, and if nobody
    can be absorbed.
    """
    model = histories.model
    if model.is_tree or not any(state.absorbing for state in model.states.values()):
        return {}
    horizon = model.timing.cycle * model.timing.cycles
    absorbed = histories.absorbed()
    curves = {}
    for number, strategy in enumerate(model.strategies):
        died = ~np.isnan(absorbed[:, number])
        years = np.where(died, absorbed[:, number], horizon)
        curves[strategy] = kaplan_meier(years, died)
    return curves


def kaplan_meier_table(curves: dict[str, KaplanMeier]) -> pd.DataFrame:
    """Survival with Greenwood's standard errors: one row a strategy and time."""
    import pandas as pd

    return pd.concat(
        [pd.DataFrame({"strategy": name, **vars(curve)}) for name, curve in curves.items()],
        ignore_index=True,
    )


def _subgroups(histories: Histories) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    yield EVERYBODY, EVERYBODY, np.ones(histories.patients, bool)
    for name, dimension in histories.model.dimensions.items():
        labels = histories.labels(name)
        for label in dimension.labels:
            wanted = label if dimension.numeric else str(label)
            yield name, str(label), np.asarray(labels == wanted)


def _results(histories: Histories) -> Iterator[tuple[str, str, float, Float]]:
    """Strategy, outcome, threshold (nan without one), and its value for each patient."""
    model, totals = histories.model, histories.totals
    outcomes, strategies = list(model.outcomes), list(model.strategies)
    for s, strategy in enumerate(strategies):
        for o, outcome in enumerate(outcomes):
            yield strategy, outcome, np.nan, totals[:, s, o]
    cost, effect = model.decision.cost, model.decision.effect
    if cost not in outcomes or effect not in outcomes:
        return
    more = totals - totals[:, :1]
    spent, gained = more[:, :, outcomes.index(cost)], more[:, :, outcomes.index(effect)]
    for s, strategy in enumerate(strategies[1:], start=1):
        for threshold in model.decision.thresholds:
            yield strategy, NET_BENEFIT, threshold, threshold * gained[:, s] - spent[:, s]


def _mean(values: Float) -> dict[str, Any]:
    """How many patients, their mean, its standard error and 95 % interval; nan of nobody."""
    count = len(values)
    mean = float(values.mean()) if count else np.nan
    error = _sd(values) / max(count, 1) ** 0.5
    return {
        "patients": count,
        "mean": mean,
        "standard_error": error,
        "lower": mean - Z95 * error,
        "upper": mean + Z95 * error,
    }


def _sd(values: Float) -> float:
    """Standard deviation of a sample; nan of fewer than two."""
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan
