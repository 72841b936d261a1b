"""Net benefit: costs and effects on one scale, at a willingness to pay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import DRAW, STRATEGY, WTP
from qalyst.decision._inputs import MEANS_OR_DRAWS, Values, check_strategy, labelled
from qalyst.errors import ModelError

# Above any price of a QALY in any currency; below where products with costs lose all digits.
LARGEST_WTP = 1e15


def thresholds(wtp: ArrayLike | xr.DataArray) -> xr.DataArray:
    """Willingness to pay as a checked axis, in the order given.

    Parameters
    ----------
    wtp : [wtp] or one number, currency per unit of effect.

    Returns
    -------
    thresholds : [wtp]
        Distinct, finite, from 0 to 1e15.

    Examples
    --------
    >>> thresholds(range(0, 60_001, 20_000)).values.tolist()
    [0.0, 20000.0, 40000.0, 60000.0]
    """
    try:
        values = np.atleast_1d(np.asarray(wtp, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise _refused(f"{wtp!r} is not a number") from error
    if values.ndim != 1 or values.size == 0:
        raise _refused(f"an array of shape {values.shape} is not a list of thresholds")
    wrong = ~((values >= 0) & (values <= LARGEST_WTP))  # so that nan is wrong too
    if wrong.any():
        raise _refused(f"a willingness to pay of {values[wrong][0]:g}")
    if np.unique(values).size < values.size:
        raise _refused("a threshold is given twice")
    return xr.DataArray(values, dims=WTP, coords={WTP: values}, name=WTP)


def net_monetary_benefit(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
) -> xr.DataArray:
    """Net monetary benefit, ``wtp * effect - cost``.

    Parameters
    ----------
    costs : [draw, strategy] or [strategy], currency
    effects : [draw, strategy] or [strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    nmb : [wtp, draw, strategy], currency
        Without `draw` if the input has none. For many draws and thresholds see
        `qalyst.decision.uncertainty`, which never holds all of it.

    References
    ----------
    Stinnett & Mullahy (1998) Med Decis Making 18:S68-S80.

    Examples
    --------
    >>> nmb = net_monetary_benefit({"a": 100.0, "b": 900.0}, {"a": 1.0, "b": 1.5}, 2_000)
    >>> nmb.sel(strategy="b").item()
    2100.0
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=MEANS_OR_DRAWS)
    return _ordered(thresholds(wtp) * effect - cost).rename("nmb")


def net_health_benefit(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
) -> xr.DataArray:
    """Net health benefit, ``effect - cost / wtp``.

    Parameters
    ----------
    costs : [draw, strategy] or [strategy], currency
    effects : [draw, strategy] or [strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect; above 0
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    nhb : [wtp, draw, strategy], units of effect
        Without `draw` if the input has none.

    References
    ----------
    Stinnett & Mullahy (1998) Med Decis Making 18:S68-S80.

    Examples
    --------
    >>> nhb = net_health_benefit({"a": 100.0, "b": 900.0}, {"a": 1.0, "b": 1.5}, 2_000)
    >>> nhb.sel(strategy="b").item()
    1.05
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=MEANS_OR_DRAWS)
    threshold = thresholds(wtp)
    if (threshold == 0).any():
        raise _refused("net health benefit divides by a willingness to pay of 0")
    return _ordered(effect - cost / threshold).rename("nhb")


def incremental_net_benefit(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    comparator: str,
    strategies: Sequence[str] | None = None,
) -> xr.DataArray:
    """Net monetary benefit less that of the comparator (its mean over draws is the EIB).

    Parameters
    ----------
    costs : [draw, strategy] or [strategy], currency
    effects : [draw, strategy] or [strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect
    comparator : the strategy that the others are compared with.
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    inmb : [wtp, draw, strategy], currency
        The comparator's own is 0.

    References
    ----------
    Stinnett & Mullahy (1998) Med Decis Making 18:S68-S80.

    Examples
    --------
    >>> costs, effects = {"a": 100.0, "b": 900.0}, {"a": 1.0, "b": 1.5}
    >>> inmb = incremental_net_benefit(costs, effects, 2_000, comparator="a")
    >>> inmb.sel(strategy="b").item()
    200.0
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=MEANS_OR_DRAWS)
    check_strategy(comparator, cost, where="comparator")
    gained = effect - effect.sel({STRATEGY: comparator}, drop=True)
    spent = cost - cost.sel({STRATEGY: comparator}, drop=True)
    return _ordered(thresholds(wtp) * gained - spent).rename("inmb")


def _ordered(benefit: xr.DataArray) -> xr.DataArray:
    return benefit.transpose(WTP, DRAW, STRATEGY, missing_dims="ignore")


def _refused(what: str) -> ModelError:
    return ModelError(
        what,
        where="wtp",
        mend=f"give distinct amounts per unit of effect from 0 to {LARGEST_WTP:g}, e.g. 50_000",
    )
