"""Outcomes at other prices or discount rates: products of quantities that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import DRAW, OUTCOME, PATIENT, PROFILE, STRATEGY, Float
from qalyst.outcomes import CELL, DISCOUNTED, Outcomes, Rates, amount_of, names_of

if TYPE_CHECKING:
    import xarray as xr


def with_prices(outcomes: Outcomes, prices: Float) -> Outcomes:
    """Outcomes at other prices.

    Outcomes none of whose prices changed stay as they are, to the bit. The outcomes of a profile
    are not known at other prices if there are several: those that changed are left out.

    Parameters
    ----------
    outcomes : with quantities by draw.
    prices : [draw, cell].

    Raises
    ------
    ValueError
        Only means of the quantities were kept.
    """
    import xarray as xr

    if not outcomes.kept_by_draw:
        raise ValueError("quantities were not kept by draw")
    price = xr.DataArray(prices, dims=(DRAW, CELL))
    moved = (price != outcomes.quantities["price"]).any(DRAW).to_numpy()
    of_cell = outcomes.quantities[OUTCOME].to_numpy()
    changed = [str(each) for each in dict.fromkeys(of_cell[moved].tolist())]
    totals, quantities = outcomes.totals.copy(deep=True), outcomes.quantities.copy(deep=True)
    quantities["price"] = price
    for which in names_of(outcomes.rates):
        amounts = quantities[which] * price
        quantities[amount_of(which)] = amounts.mean(DRAW)
        for name in changed:
            total = amounts.isel({CELL: np.flatnonzero(of_cell == name)}).sum(CELL)
            totals[which].loc[{OUTCOME: name}] = total.transpose(DRAW, STRATEGY).to_numpy()
    return replace(
        outcomes,
        totals=totals,
        quantities=quantities,
        profiles=_profiles(outcomes, totals, changed),
        by_patient=_by_patient(totals),
    )


def with_rates(outcomes: Outcomes, rates: Rates) -> Outcomes:
    """Outcomes discounted at other rates, at which they were kept.

    The outcomes of profiles are not kept at other rates: with several they are left out.

    Raises
    ------
    ValueError
        The outcomes were not kept at these rates.
    """
    if rates not in outcomes.rates:
        raise ValueError(f"no totals at {rates}")
    name = str(rates)
    totals, quantities = outcomes.totals.copy(), outcomes.quantities.copy()
    totals[DISCOUNTED] = totals[name]
    quantities[DISCOUNTED] = quantities[name]
    quantities[amount_of(DISCOUNTED)] = quantities[amount_of(name)]
    changed = [str(each) for each in totals[OUTCOME].values]
    return replace(
        outcomes,
        totals=totals,
        quantities=quantities,
        profiles=_profiles(outcomes, totals, changed),
        by_patient=_by_patient(totals),
    )


def _profiles(outcomes: Outcomes, totals: xr.Dataset, changed: list[str]) -> xr.Dataset:
    """The only profile has the totals; of several, what changed is not known."""
    profiles = outcomes.profiles
    if profiles.sizes[PROFILE] == 1:
        known = totals[DISCOUNTED].expand_dims({PROFILE: profiles[PROFILE].values}, axis=2)
        return profiles.assign({DISCOUNTED: known})
    return profiles.sel({OUTCOME: [str(o) for o in profiles[OUTCOME].values if o not in changed]})


def _by_patient(totals: xr.Dataset) -> xr.DataArray:
    """The only sampled patient has the mean totals."""
    mean = totals[DISCOUNTED].mean(DRAW).expand_dims(PATIENT, axis=1)
    return mean.drop_vars(DRAW, errors="ignore").rename("by_patient")
