"""The value-based price: at which two strategies are equally good value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError
from qalyst.params.inputs import Input
from qalyst.sensitivity.points import Study
from qalyst.sensitivity.shifts import Shift
from qalyst.sensitivity.standing import Standing, standing
from qalyst.simulation import check_request
from qalyst.units import currencies

STRAIGHT = 1e-8  # share of the largest net benefit by which a line may miss a third point


@dataclass(frozen=True)
class Price:
    """The price of a parameter at one willingness to pay.

    Attributes
    ----------
    standing : the pair and the willingness to pay.
    input, unit, base : of the price, in the unit of its record.
    price : at which the pair have the same net benefit; None if it does not matter for them, or
        if it would be below 0.
    slope : change of the incremental net benefit by one unit of the price.
    at_zero : incremental net benefit at a price of 0.
    mcse : Monte Carlo standard error of the price; None without draws.
    """

    standing: Standing
    input: str
    unit: str
    base: float
    price: float | None
    slope: float
    at_zero: float
    mcse: float | None


def value_based_prices(
    study: Study,
    parameter: str,
    *,
    wtp: Sequence[float] = (),
    strategy: str | None = None,
    comparator: str | None = None,
    draws: int | None = None,
    seed: int = 0,
) -> tuple[Price, ...]:
    """The price at which two strategies have the same net benefit, at each willingness to pay.

    Net benefit is quantity times price, summed, so it is linear in a price: two runs give the line
    and its zero exactly, ``price = -INMB(0) / slope``. A third run checks that it is a line. By
    mean net benefit over draws if there are any, with the error of the ratio of means.

    Parameters
    ----------
    study : the model; see `open_study`.
    parameter : name of an amount of money, fixed or uncertain.
    wtp : currency per unit of effect; the thresholds of the model if there are none.
    strategy, comparator : see `standing`.
    draws, seed : of the other inputs; None for their base values.

    Raises
    ------
    ModelError
        The parameter is no price, or net benefit is not linear in it.

    References
    ----------
    Claxton (2007) Health Economics 16:545-558, value-based pricing.
    """
    where = "command line  PARAMETER"
    each = study.named(parameter, where)
    if not currencies(each.parameter.unit):
        raise ModelError(
            f"'{each.name}' is in {each.parameter.unit_text}, which is no money",
            where=where,
            mend="name a price, or leave --price out for its thresholds",
        )
    check_request(draws=draws, seed=seed)
    known = list(wtp) or list(study.model.decision.thresholds)
    first = standing(
        study, wtp=known[0] if known else None, strategy=strategy, comparator=comparator
    )
    own = each.base or 1.0
    prices = np.array([0.0, own, 2 * own])
    if draws is None:
        totals = [study.totals(3, [Shift(each, np.arange(3), prices)])]
    else:
        totals = [
            study.drawn({each.name: price}, draws=draws, seed=seed, where=where) for price in prices
        ]
    found = []
    for threshold in known:
        compared = replace(first, wtp=threshold)
        inmb = [compared.inmb(each) for each in totals]  # [point], or [price] of [draw]
        lines = np.array(inmb) if draws is not None else inmb[0][:, None]
        found.append(_price(each, compared, lines, own))
    return tuple(found)


def _price(each: Input, compared: Standing, lines: Float, step: float) -> Price:
    """The zero of a line through its values [price, draw] at 0 and `step`, checked at 2 `step`."""
    slopes = (lines[1] - lines[0]) / step
    miss = np.abs(lines[2] - (lines[0] + 2 * step * slopes)).max()
    if miss > STRAIGHT * np.abs(lines).max():
        raise ModelError(
            f"net benefit is no straight line in '{each.name}'",
            where=f"{each.parameter.mark}  parameters.{each.parameter.name}",
            mend="leave --price out: thresholds are found for any parameter",
        )
    at_zero, slope = float(lines[0].mean()), float(slopes.mean())
    scale = np.abs(lines).max()
    matters = abs(slope * step) > 1e-12 * scale
    price = -at_zero / slope if matters else None
    mcse = None
    if price is not None and lines.shape[1] > 1:  # of a ratio of means, by the delta method
        rest = lines[0] + price * slopes
        mcse = float(rest.std(ddof=1) / math.sqrt(rest.size) / abs(slope))
    return Price(
        standing=compared,
        input=each.name,
        unit=each.parameter.unit_text,
        base=each.base,
        price=price if price is not None and price >= 0 else None,
        slope=slope if matters else 0.0,
        at_zero=at_zero,
        mcse=mcse if price is not None and price >= 0 else None,
    )
