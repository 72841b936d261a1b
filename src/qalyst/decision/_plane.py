"""Quadrants of the cost-effectiveness plane, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float

RATIO_OF_GAINS, RATIO_OF_LOSSES = "more costly, more effective", "less costly, less effective"
DOMINANT, DOMINATED, EQUAL = "dominant", "dominated", "equal"


MEANING = {
    RATIO_OF_GAINS: "cost per unit of effect gained",
    RATIO_OF_LOSSES: "savings per unit of effect lost",
    DOMINANT: "no ICER: costs no more and is at least as effective",
    DOMINATED: "no ICER: costs no less and is at most as effective",
    EQUAL: "no ICER: same cost and same effect",
}


def quadrants(incremental_costs: Float, incremental_effects: Float) -> NDArray[np.str_]:
    """Quadrant of the cost-effectiveness plane in words, element by element.

    Parameters
    ----------
    incremental_costs : [...], currency
    incremental_effects : [...], e.g. QALYs

    Examples
    --------
    >>> quadrants(np.array([5.0, 0.0]), np.array([0.1, 0.1])).tolist()
    ['more costly, more effective', 'dominant']
    """
    spent, gained = np.sign(incremental_costs), np.sign(incremental_effects)
    return np.select(
        [
            (spent > 0) & (gained > 0),
            (spent < 0) & (gained < 0),
            (spent == 0) & (gained == 0),
            (spent <= 0) & (gained >= 0),
        ],
        [RATIO_OF_GAINS, RATIO_OF_LOSSES, EQUAL, DOMINANT],
        default=DOMINATED,
    )
