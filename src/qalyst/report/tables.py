"""The tables of a run as data frames."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import DRAW, OUTCOME, PROFILE, STATE, STRATEGY, WTP, Float
from qalyst.decision.replicates import error_of_mean
from qalyst.outcomes import DISCOUNTED, UNDISCOUNTED, Outcomes, Totals
from qalyst.report.parameter_words import cells
from qalyst.report.value_words import information_table, input_labels

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from qalyst.analysis import Analysis, Decided
    from qalyst.decision.cea import IncrementalAnalysis, Row
    from qalyst.model.resolved import ResolvedModel
    from qalyst.published import Published

BASE_CASE, PROBABILISTIC = "base case", "probabilistic"


def tables(analysis: Analysis, published: Published | None = None) -> dict[str, pd.DataFrame]:
    """All tables that make sense of a run, by name."""
    found = {"summary": summary_table(analysis)}
    if analysis.compares:
        found["incremental"] = incremental_table(analysis)
    found["breakdown"] = breakdown_table(analysis)
    if analysis.variance:
        found["variance"] = variance_table(analysis)
    if analysis.psa is not None:
        found["draws"] = draws_table(analysis)
    if not analysis.model.is_tree and analysis.base.trace is not None:
        found["trace"] = trace_table(analysis.base.trace)
    if analysis.curves is not None:
        found["ceac"] = ceac_table(analysis.curves)
    if analysis.information:
        found["evppi"] = information_table(analysis.information, input_labels(analysis.model))
    if published is not None:
        found["published"] = published_table(published)
    found["profiles"] = profiles_table(analysis)
    found["parameters"] = parameters_table(analysis.model)
    found["timing"] = timing_table(analysis.model)
    return found


def variance_table(analysis: Analysis) -> pd.DataFrame:
    """Where the spread of each result comes from: one row a result, standard deviations."""
    import pandas as pd

    rows = [
        {
            "result": split.result,
            "strategy": split.strategy,
            "comparator": split.comparator or "",
            "threshold": split.wtp,
            "mean": split.mean,
            "mcse": split.mcse,
            "sd_parameters": None if split.parameters is None else split.parameters**0.5,
            "sd_patients": split.patients**0.5,
            "sd_noise": split.noise**0.5,
            "common_luck_share": split.common,
        }
        for split in analysis.variance
    ]
    return pd.DataFrame(rows).astype({"threshold": float, "mcse": float, "sd_parameters": float})


def published_table(published: Published) -> pd.DataFrame:
    """Published points of survival beside the model's: one row a point."""
    import pandas as pd

    rows = [
        {
            "series": point.series,
            "strategy": point.strategy,
            "months": point.months,
            "published_percent": point.percent,
            "low": point.low,
            "high": point.high,
            "model_percent": point.model_percent,
            "difference": point.model_percent - point.percent,
            "model_is": point.fits,
            "role": point.role,
            "source": point.source,
        }
        for point in published.points
    ]
    return pd.DataFrame(rows)


def summary_table(analysis: Analysis) -> pd.DataFrame:
    """Base case, mean of draws, its Monte Carlo standard error and the 95 % interval.

    One row a strategy, outcome, and discounted or not.
    """
    model = analysis.model
    rows = []
    for strategy in model.strategies:
        for outcome, record in model.outcomes.items():
            for which in (DISCOUNTED, UNDISCOUNTED):
                place = {STRATEGY: strategy, OUTCOME: outcome}
                base = float(analysis.base.totals[which].sel(place).item())
                drawn = None if analysis.psa is None else analysis.psa.totals[which].sel(place)
                rows.append(
                    {
                        "strategy": strategy,
                        "outcome": outcome,
                        "unit": record.unit_text,
                        "discounting": which,
                        "base_case": base,
                        **statistics(
                            None if drawn is None else drawn.to_numpy(), analysis.replicates
                        ),
                    }
                )
    return _frame(rows)


def _dominated(status: str) -> tuple[str, str]:
    """A status and the strategies that dominate, apart: so a column of statuses can be filtered.

    >>> _dominated("extendedly dominated (by s0 and s5)"), _dominated("reference")
    (('extendedly dominated', 's0; s5'), ('reference', ''))
    """
    word, _, rest = status.partition(" (by ")
    return word, "; ".join(rest.removesuffix(")").split(" and ")) if rest else ""


def statistics(drawn: Float | None, replicates: int = 1) -> dict[str, float]:
    """Mean, Monte Carlo standard error and 95 % interval of draws [draw]."""
    names = ("mean", "mcse", "lower", "upper")
    if drawn is None:
        return dict.fromkeys(names, math.nan)
    mean = float(drawn.mean())
    if drawn.size < 2:
        return dict(zip(names, (mean, math.nan, math.nan, math.nan), strict=True))
    low, high = np.quantile(drawn, [0.025, 0.975])
    error = float(error_of_mean(drawn, replicates))
    return dict(zip(names, (mean, error, float(low), float(high)), strict=True))


def incremental_table(analysis: Decided) -> pd.DataFrame:
    """The fully incremental analysis of the means over draws and of the base case.

    In order of cost, with net monetary and net health benefit at each threshold of the model.
    """
    rows = []
    for name, table in (
        (PROBABILISTIC, analysis.incremental),
        (BASE_CASE, getattr(analysis, "base_incremental", None)),
    ):
        if table is not None:
            rows += [_incremental_row(analysis, name, table, row) for row in table.rows]
    return _frame(rows)


def _incremental_row(
    analysis: Decided, name: str, table: IncrementalAnalysis, row: Row
) -> dict[str, Any]:
    outcomes = analysis.psa if name == PROBABILISTIC else None
    none = math.nan
    found: dict[str, Any] = {"analysis": name, "strategy": row.strategy}
    for key, outcome in (("cost", analysis.cost), ("effect", analysis.effect)):
        found[key] = getattr(row, key)
        found[f"{key}_mcse"] = increment_mcse(analysis, outcomes, outcome, row.strategy, None)
    found["compared_with"] = row.compared_with or ""
    for key, outcome in (("cost", analysis.cost), ("effect", analysis.effect)):
        increment = getattr(row, f"incremental_{key}")
        compared = None if row.compared_with is None else outcomes
        found[f"incremental_{key}"] = none if increment is None else increment
        found[f"incremental_{key}_mcse"] = increment_mcse(
            analysis, compared, outcome, row.strategy, row.compared_with
        )
    found["icer"] = none if row.icer is None else row.icer
    found["icer_mcse"] = none if outcomes is None else icer_mcse(analysis, row)
    found["status"], found["dominated_by"] = _dominated(row.status)
    for wtp in analysis.model.decision.thresholds:
        error = none
        if outcomes is not None and analysis.summary is not None:
            place = {WTP: wtp, STRATEGY: row.strategy, "statistic": "mcse"}
            error = float(analysis.summary.nmb.sel(place).item())
        found[f"nmb_{wtp:.10g}"] = wtp * row.effect - row.cost
        found[f"nmb_{wtp:.10g}_mcse"] = error
        if wtp > 0:
            found[f"nhb_{wtp:.10g}"] = row.effect - row.cost / wtp
            found[f"nhb_{wtp:.10g}_mcse"] = error / wtp
    return found


def increment_mcse(
    analysis: Decided,
    outcomes: Totals | None,
    outcome: str,
    strategy: str,
    comparator: str | None,
) -> float:
    """Monte Carlo standard error of a mean, or of a mean increment within draws."""
    if outcomes is None:
        return math.nan
    drawn = outcomes.total(outcome)
    values = drawn.sel({STRATEGY: strategy}).to_numpy()
    if comparator is not None:
        values = values - drawn.sel({STRATEGY: comparator}).to_numpy()
    return statistics(values, analysis.replicates)["mcse"]


def icer_mcse(analysis: Decided, row: Row) -> float:
    """Monte Carlo standard error of an ICER of the frontier; nan if it has none."""
    for found in analysis.icers:
        if (found.strategy, found.comparator) == (row.strategy, row.compared_with):
            return math.nan if found.mcse is None else found.mcse
    return math.nan


def breakdown_table(analysis: Analysis) -> pd.DataFrame:
    """Amounts by outcome, row and state, and their shares of the increment.

    `share_of_increment` is that of the mean (of the base case without draws) against the
    cheapest strategy, or against the first if nothing is compared.
    """
    base = amounts(analysis.model, analysis.base)
    mean = base if analysis.psa is None else amounts(analysis.model, analysis.psa)
    bare = amounts(analysis.model, analysis.psa or analysis.base, undiscounted=True)
    against = comparator(analysis)
    totals = {
        outcome: (analysis.psa or analysis.base).total(outcome).mean(DRAW)
        for outcome in analysis.model.outcomes
    }
    rows = []
    for strategy in analysis.model.strategies:
        for key in mean:
            total = totals[key[0]]
            whole = float(total.sel({STRATEGY: strategy}) - total.sel({STRATEGY: against}))
            small = abs(whole) <= 1e-12 * float(abs(total).max())
            part = mean[key][strategy] - mean[key][against]
            rows.append(
                {
                    "strategy": strategy,
                    **dict(zip(("outcome", "row", "state"), key, strict=True)),
                    "base_case": base.get(key, {}).get(strategy, 0.0),
                    "mean": mean[key][strategy] if analysis.psa is not None else math.nan,
                    "undiscounted": bare[key][strategy],
                    "share_of_increment": math.nan if small else part / whole,
                }
            )
    return _frame(rows)


def comparator(analysis: Decided) -> str:
    """The strategy that increments are shown against."""
    if analysis.headline is None:
        return next(iter(analysis.model.strategies))
    return analysis.headline.rows[0].strategy


def amounts(
    model: ResolvedModel, outcomes: Outcomes, *, undiscounted: bool = False
) -> dict[tuple[str, str, str], dict[str, float]]:
    """Mean amounts over draws, (outcome, row, state) -> strategy -> amount, as in the model."""
    mean = outcomes.mean_amounts(undiscounted=undiscounted)
    keys = zip(
        *(mean[name].to_numpy().astype(str).tolist() for name in (OUTCOME, "row", STATE)),
        strict=True,
    )
    strategies = [str(name) for name in mean[STRATEGY].to_numpy()]
    values = mean.to_numpy()
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for column, key in enumerate(keys):
        cell = found.setdefault(key, dict.fromkeys(strategies, 0.0))
        for position, strategy in enumerate(strategies):
            cell[strategy] += float(values[position, column])
    rows = [(payoff.outcome, payoff.name) for payoff in model.payoffs]
    names, states = list(model.outcomes), list(model.states)

    def place(key: tuple[str, str, str]) -> tuple[int, int, int]:
        outcome, row, state = key
        own = states.index(state) if state in states else -1  # the start comes first
        return names.index(outcome), rows.index((outcome, row)), own

    return {key: found[key] for key in sorted(found, key=place)}


def draws_table(analysis: Decided) -> pd.DataFrame:
    """Discounted outcomes, one row a draw and strategy; cost and effect first."""
    import pandas as pd

    assert analysis.psa is not None
    totals = analysis.psa.totals[DISCOUNTED].transpose(DRAW, STRATEGY, OUTCOME)
    decision = analysis.model.decision
    known = [str(name) for name in totals[OUTCOME].to_numpy()]
    first = [name for name in (decision.cost, decision.effect) if name in known]
    order = list(dict.fromkeys([*first, *known]))
    draws, strategies = totals.sizes[DRAW], [str(name) for name in totals[STRATEGY].to_numpy()]
    columns: dict[str, Any] = {
        "draw": np.repeat(totals[DRAW].to_numpy(), len(strategies)),
        "strategy": strategies * draws,
    }
    columns |= {name: totals.sel({OUTCOME: name}).to_numpy().ravel() for name in order}
    return pd.DataFrame(columns)


def trace_table(trace: xr.DataArray) -> pd.DataFrame:
    """Occupancy of each place in the base case, one row a strategy and point of time."""
    import pandas as pd

    ordered = trace.transpose(STRATEGY, "point", "place")
    strategies = [str(name) for name in trace[STRATEGY].to_numpy()]
    points = trace.sizes["point"]
    columns: dict[str, Any] = {
        "strategy": np.repeat(strategies, points),
        "years": np.tile(trace["years"].to_numpy(), len(strategies)),
        "cycle": np.tile(np.arange(points), len(strategies)),
    }
    places = {
        str(name): ordered.isel(place=column).to_numpy().ravel()
        for column, name in enumerate(trace["place"].to_numpy())
    }
    return pd.concat([pd.DataFrame(columns), pd.DataFrame(places)], axis=1)


def ceac_table(curves: xr.Dataset) -> pd.DataFrame:
    """Acceptability of each strategy, the frontier, what is optimal, and EVPI by threshold."""
    import pandas as pd

    shares = pd.DataFrame(
        curves.ceac.transpose(WTP, STRATEGY).to_numpy(),
        columns=[str(name) for name in curves[STRATEGY].to_numpy()],
    )
    threshold = pd.DataFrame({"wtp": curves[WTP].to_numpy()})
    names = ("ceaf", "ceaf_mcse", "optimal", "evpi", "evpi_mcse")
    rest = pd.DataFrame({name: curves[name].to_numpy() for name in names})
    return pd.concat([threshold, shares, rest], axis=1)


def profiles_table(analysis: Analysis) -> pd.DataFrame:
    """Mean discounted outcomes and mean weight of each profile.

    Weights may differ between draws, and then their product with these means is not the total.
    """
    rows = []
    for name, outcomes in ((PROBABILISTIC, analysis.psa), (BASE_CASE, analysis.base)):
        if outcomes is None:
            continue
        values = outcomes.profiles[DISCOUNTED].mean(DRAW).transpose(STRATEGY, PROFILE, OUTCOME)
        weights = outcomes.profiles["weight"].mean(DRAW).to_numpy()
        for strategy, by_profile in zip(values[STRATEGY].to_numpy(), values, strict=True):
            for profile, weight, found in zip(
                values[PROFILE].to_numpy(), weights, by_profile.to_numpy(), strict=True
            ):
                rows.append(
                    {
                        "analysis": name,
                        "strategy": str(strategy),
                        "profile": str(profile),
                        "weight": float(weight),
                        **dict(
                            zip(map(str, values[OUTCOME].values), map(float, found), strict=True)
                        ),
                    }
                )
    return _frame(rows)


def parameters_table(model: ResolvedModel) -> pd.DataFrame:
    """The parameters that the model reads, one row a cell, in the unit of the record."""
    rows = []
    for name in model.used_parameters:
        parameter = model.parameters[name]
        for cell in cells(parameter):
            rows.append(
                {
                    "name": name,
                    "label": parameter.label,
                    "cell": cell.cell,
                    "value": cell.value,
                    "unit": parameter.unit_text,
                    "uncertainty": cell.uncertainty,
                    "mean": cell.mean,
                    "lower": cell.interval[0],
                    "upper": cell.interval[1],
                    "source": ", ".join(
                        part for part in (parameter.source.cite, parameter.source.locator) if part
                    ),
                    "doi": parameter.source.doi,
                    "status": parameter.status,
                    "price_year": str(parameter.price_year or ""),
                    "index_factor": parameter.index,
                }
            )
    return _frame(rows)


def timing_table(model: ResolvedModel) -> pd.DataFrame:
    """When each row counts, how often, and when it is discounted."""
    from qalyst.model.ledger import timing_ledger

    return _frame(timing_ledger(model))


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
