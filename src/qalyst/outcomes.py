"""Labelled results: what a run found, as xarray data sets.

Quantities first, values after: a cell is a payoff row in a state at one price; an amount is
quantity times price. A new price is a product, not a new run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import DRAW, OUTCOME, PATIENT, PROFILE, STATE, STRATEGY, Float

if TYPE_CHECKING:
    import xarray as xr

CELL, ROW, PLACE, POINT = "cell", "row", "place", "point"
DISCOUNTED, UNDISCOUNTED = "discounted", "undiscounted"


@dataclass(frozen=True, order=True)
class Rates:
    """Yearly effective discount rates.

    Attributes
    ----------
    costs : of outcomes in money.
    effects : of all others.

    Examples
    --------
    >>> str(Rates(0.03, 0.015))
    'costs 3%, effects 1.5%'
    """

    costs: float
    effects: float

    def __str__(self) -> str:
        return f"costs {100 * self.costs:.6g}%, effects {100 * self.effects:.6g}%"


def amount_of(which: str) -> str:
    """Name of the mean amounts at some rates."""
    return f"amount_{which}"


def names_of(rates: tuple[Rates, ...]) -> list[str]:
    """Names of the results discounted, undiscounted, and at other rates."""
    return [DISCOUNTED, UNDISCOUNTED, *map(str, rates)]


@dataclass(frozen=True)
class Totals:
    """Outcomes by draw and strategy.

    Attributes
    ----------
    totals : data set over [draw, strategy, outcome]: `discounted`, `undiscounted`, and at other
        rates by their names.
    """

    totals: xr.Dataset

    @property
    def draws(self) -> int:
        """How many draws."""
        return int(self.totals.sizes[DRAW])

    def total(
        self, outcome: str, *, undiscounted: bool = False, rates: Rates | None = None
    ) -> xr.DataArray:
        """Totals [draw, strategy] of an outcome, at the model's own rates, none, or others."""
        which = str(rates) if rates else UNDISCOUNTED if undiscounted else DISCOUNTED
        return self.totals[which].sel({OUTCOME: outcome}, drop=True)


@dataclass(frozen=True)
class Outcomes(Totals):
    """What a run found.

    Attributes
    ----------
    quantities : data set over [draw, strategy, cell]: the same, and `price`
        [draw, cell]; coordinates of a cell: outcome, row, state, price_text. Dimension `draw` has
        length 1 and holds the mean if the run is too long to keep each draw. Over [strategy, cell]:
        `amount_discounted` and so on, the mean of quantity times price (which is not
        the product of their means).
    profiles : data set over [draw, strategy, profile, outcome]: `discounted`; likewise.
    trace : data array [strategy, place, point] of the base case; coordinates state, line, years.
        None in a probabilistic run.
    kept_by_draw : whether quantities and profiles hold every draw, or their mean.
    by_patient : data array [strategy, patient, outcome], mean discounted totals of each sampled
        patient, averaged over profiles and draws; one patient if the model has no attributes.
    patients : how many in each draw; 0 for a cohort.
    between_patients : data array [strategy, outcome, strategy_2, outcome_2], covariance between
        the patients of a draw of their discounted totals, averaged over draws.
    rates : discount rates besides the model's own and none, at which totals and quantities are
        kept too.
    """

    quantities: xr.Dataset
    profiles: xr.Dataset
    trace: xr.DataArray | None
    kept_by_draw: bool
    by_patient: xr.DataArray
    patients: int
    between_patients: xr.DataArray
    rates: tuple[Rates, ...] = ()

    def amounts(self, *, undiscounted: bool = False) -> xr.DataArray:
        """Amounts [draw, strategy, cell]: quantity times price; one, their mean, if not kept."""
        if not self.kept_by_draw:
            return self.mean_amounts(undiscounted=undiscounted).expand_dims(DRAW)
        which = UNDISCOUNTED if undiscounted else DISCOUNTED
        return self.quantities[which] * self.quantities["price"]

    def mean_amounts(self, *, undiscounted: bool = False) -> xr.DataArray:
        """Mean amounts [strategy, cell] over draws."""
        return self.quantities[amount_of(UNDISCOUNTED if undiscounted else DISCOUNTED)]

    def breakdown(self, by: str = ROW, *, undiscounted: bool = False) -> xr.DataArray:
        """Mean amounts [strategy, group] by `row`, `state` or both (``row_state``).

        A group is named ``outcome.row``, ``outcome.state`` or ``outcome.row.state``.
        """
        mean = self.mean_amounts(undiscounted=undiscounted)
        outcome, row, state = (mean[name].to_numpy().astype(str) for name in (OUTCOME, ROW, STATE))
        parts = {ROW: [outcome, row], STATE: [outcome, state], "row_state": [outcome, row, state]}
        names = [".".join(words) for words in zip(*parts[by], strict=True)]
        grouped = mean.drop_vars([OUTCOME, ROW, STATE, "price_text"]).assign_coords(
            group=(CELL, names)
        )
        order = list(dict.fromkeys(names))
        return grouped.groupby("group").sum(CELL).sel(group=order)


def totals_dataset(
    totals: Float, strategies: list[str], outcomes: list[str], rates: tuple[Rates, ...] = ()
) -> xr.Dataset:
    """Totals [draw, strategy, outcome, rates] with their labels."""
    import xarray as xr

    dims = (DRAW, STRATEGY, OUTCOME)
    return xr.Dataset(
        {name: (dims, totals[..., which]) for which, name in enumerate(names_of(rates))},
        coords={
            DRAW: np.arange(totals.shape[0]),
            STRATEGY: strategies,
            OUTCOME: outcomes,
        },
    )


def quantities_dataset(
    quantity: Float,
    price: Float,
    amount: Float,
    strategies: list[str],
    cells: list[tuple[str, str, str, str]],
    rates: tuple[Rates, ...] = (),
) -> xr.Dataset:
    """Quantities with their labels.

    Parameters
    ----------
    quantity : [draw, strategy, cell, rates].
    price : [draw, cell].
    amount : [strategy, cell, rates] mean of quantity times price.
    strategies : names.
    cells : [cell] outcome, row, state, text of the price.
    rates : besides the model's own and none.
    """
    import xarray as xr

    dims, names = (DRAW, STRATEGY, CELL), names_of(rates)
    outcome, row, state, text = zip(*cells, strict=True) if cells else ((), (), (), ())
    return xr.Dataset(
        {
            **{name: (dims, quantity[..., which]) for which, name in enumerate(names)},
            "price": ((DRAW, CELL), price),
            **{amount_of(name): (dims[1:], amount[..., w]) for w, name in enumerate(names)},
        },
        coords={
            DRAW: np.arange(quantity.shape[0]),
            STRATEGY: strategies,
            CELL: np.arange(len(cells)),
            OUTCOME: (CELL, np.array(outcome, dtype=str)),
            ROW: (CELL, np.array(row, dtype=str)),
            STATE: (CELL, np.array(state, dtype=str)),
            "price_text": (CELL, np.array(text, dtype=str)),
        },
    )


def by_patient_array(values: Float, strategies: list[str], outcomes: list[str]) -> xr.DataArray:
    """Totals [strategy, patient, outcome] of the sampled patients."""
    import xarray as xr

    return xr.DataArray(
        values,
        dims=(STRATEGY, PATIENT, OUTCOME),
        coords={STRATEGY: strategies, OUTCOME: outcomes},
        name="by_patient",
    )


def between_array(covariance: Float, strategies: list[str], outcomes: list[str]) -> xr.DataArray:
    """Covariance of totals [total, total], total being strategy by strategy, outcome by outcome."""
    import xarray as xr

    shape = (len(strategies), len(outcomes)) * 2
    dims = (STRATEGY, OUTCOME, f"{STRATEGY}_2", f"{OUTCOME}_2")
    return xr.DataArray(
        covariance.reshape(shape),
        dims=dims,
        coords=dict(zip(dims, (strategies, outcomes) * 2, strict=True)),
        name="between_patients",
    )


def profiles_dataset(
    values: Float,
    weights: Float,
    strategies: list[str],
    profiles: list[str],
    outcomes: list[str],
) -> xr.Dataset:
    """Outcomes by profile [draw, strategy, profile, outcome], and weights [draw, profile]."""
    import xarray as xr

    return xr.Dataset(
        {
            DISCOUNTED: ((DRAW, STRATEGY, PROFILE, OUTCOME), values),
            "weight": ((DRAW, PROFILE), weights),
        },
        coords={
            DRAW: np.arange(values.shape[0]),
            STRATEGY: strategies,
            PROFILE: profiles,
            OUTCOME: outcomes,
        },
    )


def trace_array(
    occupancy: Float, strategies: list[str], places: list[tuple[str, int]], years: Float
) -> xr.DataArray:
    """Occupancy [strategy, place, point] of the base case."""
    import xarray as xr

    names = [f"{state}_{line}" if line else state for state, line in places]
    return xr.DataArray(
        occupancy,
        dims=(STRATEGY, PLACE, POINT),
        coords={
            STRATEGY: strategies,
            PLACE: names,
            STATE: (PLACE, [state for state, _ in places]),
            "line": (PLACE, [line for _, line in places]),
            "years": (POINT, years),
        },
        name="occupancy",
    )
