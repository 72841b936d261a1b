"""Grids, points, thresholds, prices, scenarios and derivatives as plain data and as tables."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from qalyst.report.sensitivity_data import increments, reading_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from qalyst.sensitivity.derivatives import Elasticities
    from qalyst.sensitivity.price import Price
    from qalyst.sensitivity.scenarios import ScenarioTable
    from qalyst.sensitivity.threshold import Threshold
    from qalyst.sensitivity.two_way import Axis, Grid, Points


def grid_data(found: Grid) -> dict[str, Any]:
    """A two-way analysis."""
    return {
        "x": _axis(found.x),
        "y": _axis(found.y),
        "strategies": list(found.strategies),
        "optimal": [list(row) for row in found.optimal],
        "nmb": found.nmb.tolist(),
        "base": reading_data(found.base),
    }


def grid_tables(found: Grid) -> dict[str, pd.DataFrame]:
    """`grid`: a row for each point."""
    import pandas as pd

    rows = [
        {
            found.x.input: float(x),
            found.y.input: float(y),
            "optimal": found.optimal[i][j],
            **{f"nmb_{name}": float(found.nmb[i, j, k]) for k, name in enumerate(found.strategies)},
        }
        for i, x in enumerate(found.x.values)
        for j, y in enumerate(found.y.values)
    ]
    return {"grid": pd.DataFrame(rows)}


def points_data(found: Points) -> dict[str, Any]:
    """A multi-way analysis."""
    return {
        "base": reading_data(found.base),
        "points": [
            {"name": each.name, "values": dict(each.values), **reading_data(each.found)}
            for each in found.points
        ],
    }


def points_tables(found: Points) -> dict[str, pd.DataFrame]:
    """`points`: a row for each point."""
    import pandas as pd

    names = dict.fromkeys(name for each in found.points for name in each.values)
    rows = [{"name": "base case", **dict.fromkeys(names, nan), **increments(found.base)}]
    rows += [
        {
            "name": each.name,
            **{name: each.values.get(name, nan) for name in names},
            **increments(each.found),
        }
        for each in found.points
    ]
    return {"points": pd.DataFrame(rows)}


def threshold_data(found: Threshold) -> dict[str, Any]:
    """A threshold analysis."""
    return {
        "input": found.input,
        "label": found.label,
        "unit": found.unit,
        "base": found.base,
        "low": found.low,
        "high": found.high,
        "optimal_low": found.optimal_low,
        "switches": [vars(switch) for switch in found.switches],
        "scan": {
            "values": found.values.tolist(),
            "nmb": {name: found.nmb[:, k].tolist() for k, name in enumerate(found.strategies)},
        },
    }


def threshold_tables(found: Threshold) -> dict[str, pd.DataFrame]:
    """`switches`, a row for each; `scan`, net benefit over the range."""
    import pandas as pd

    columns = ("value", "below", "above", "mcse")
    switches = [
        {key: nan if getattr(each, key) is None else getattr(each, key) for key in columns}
        for each in found.switches
    ]
    scan = {found.input: found.values}
    scan |= {f"nmb_{name}": found.nmb[:, k] for k, name in enumerate(found.strategies)}
    return {
        "switches": pd.DataFrame(switches, columns=list(columns)),
        "scan": pd.DataFrame(scan),
    }


def prices_data(found: Sequence[Price]) -> dict[str, Any]:
    """Value-based prices."""
    return {
        "input": found[0].input,
        "unit": found[0].unit,
        "base": found[0].base,
        "prices": [
            {
                "wtp": each.standing.wtp,
                "price": each.price,
                "mcse": each.mcse,
                "slope": each.slope,
                "incremental_nmb_at_zero": each.at_zero,
            }
            for each in found
        ],
    }


def prices_tables(found: Sequence[Price]) -> dict[str, pd.DataFrame]:
    """`prices`: a row for each willingness to pay."""
    import pandas as pd

    rows = [
        {key: nan if cell is None else cell for key, cell in row.items()}
        for row in prices_data(found)["prices"]
    ]
    return {"prices": pd.DataFrame(rows)}


def scenarios_data(found: ScenarioTable) -> dict[str, Any]:
    """A scenario analysis."""
    return {
        "base": reading_data(found.base),
        "rows": [
            {
                "name": row.scenario.name,
                "scenarios": list(row.scenario.scenarios),
                "values": dict(row.scenario.values),
                "justification": row.scenario.justification,
                "problem": row.problem or None,
                "found": None if row.found is None else reading_data(row.found),
                "change_of_incremental_nmb": None
                if row.found is None
                else row.found.inmb - found.base.inmb,
                "changes_decision": None
                if row.found is None
                else row.found.optimal != found.base.optimal,
            }
            for row in found.rows
        ],
        "conflicts": [list(pair) for pair in found.conflicts],
    }


def scenarios_tables(found: ScenarioTable) -> dict[str, pd.DataFrame]:
    """`scenarios`, a row for each; `outcomes`, a row for each scenario and strategy."""
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {"name": "base case", "scenarios": "", "values": "", **increments(found.base)}
    ]
    rows[0] |= {"change_of_incremental_nmb": 0.0, "changes_decision": "no"}
    rows[0] |= {"justification": "", "problem": ""}
    long: list[dict[str, Any]] = []
    for row in found.rows:
        values = "; ".join(f"{name}={value:g}" for name, value in row.scenario.values.items())
        cells: dict[str, Any] = {
            "name": row.scenario.name,
            "scenarios": "; ".join(row.scenario.scenarios),
            "values": values,
        }
        if row.found is not None:
            cells |= increments(row.found)
            cells["change_of_incremental_nmb"] = row.found.inmb - found.base.inmb
            changes = row.found.optimal != found.base.optimal
            cells["changes_decision"] = "yes" if changes else "no"
            long += [
                {
                    "name": row.scenario.name,
                    "strategy": strategy,
                    **totals,
                    "nmb": row.found.nmb[strategy],
                }
                for strategy, totals in row.found.discounted.items()
            ]
        rows.append(cells | {"justification": row.scenario.justification, "problem": row.problem})
    words = ("quadrant", "optimal", "changes_decision")
    table = pd.DataFrame(rows)
    table = table.fillna(dict.fromkeys(words, ""))
    return {"scenarios": table, "outcomes": pd.DataFrame(long)}


def elasticities_data(found: Elasticities) -> dict[str, Any]:
    """Derivatives and elasticities."""
    return {
        "inputs": [
            {
                "input": each.input,
                "label": each.label,
                "unit": each.unit,
                "base": each.base,
                "by": each.by,
                "problem": each.problem or None,
                "slopes": [
                    {"strategy": strategy or None, "outcome": outcome, **vars(slope)}
                    for (strategy, outcome), slope in each.slopes.items()
                ],
            }
            for each in found.inputs
        ]
    }


def elasticities_tables(found: Elasticities) -> dict[str, pd.DataFrame]:
    """`derivatives`: a row for each input, strategy and outcome."""
    import pandas as pd

    rows = []
    for each in found.inputs:
        own = {"input": each.input, "unit": each.unit, "base": each.base, "by": each.by}
        if not each.slopes:
            none = dict.fromkeys(("value", "derivative", "error", "elasticity"), nan)
            rows.append({**own, "strategy": "", "outcome": "", **none, "problem": each.problem})
        for (strategy, outcome), slope in each.slopes.items():
            cells = {key: nan if cell is None else cell for key, cell in vars(slope).items()}
            problem = each.problem if slope.derivative is None else ""
            rows.append(
                {**own, "strategy": strategy, "outcome": outcome, **cells, "problem": problem}
            )
    return {"derivatives": pd.DataFrame(rows)}


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "input": axis.input,
        "label": axis.label,
        "unit": axis.unit,
        "base": axis.base,
        "values": axis.values.tolist(),
    }
