"""The names of the axes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float: TypeAlias = NDArray[np.float64]
Int: TypeAlias = NDArray[np.int64]

DRAW, STRATEGY, PROFILE, PATIENT = "draw", "strategy", "profile", "patient"
LINE, CYCLE, RESIDENCE, STATE = "line", "cycle", "residence", "state"
OUTCOME, WTP = "outcome", "wtp"
