"""What a golden check is made of: the case, the runs of an engine, quantities of a result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from qalyst.model.resolve import load_model
from qalyst.model.resolved import ResolvedModel

HERE = Path(__file__).resolve().parent
CASES = HERE.parent / "cases"
MODELS = (HERE.parents[1] / "models", HERE / "models")


class Result(Protocol):
    """What an engine must give of a base case; arrays end with [draw], of length 1."""

    outcomes: Mapping[str, Mapping[str, Any]]
    rows: Mapping[str, Mapping[tuple[str, str], Any]]
    rows_undiscounted: Mapping[str, Mapping[tuple[str, str], Any]]
    by_profile: Mapping[str, Mapping[tuple[Any, ...], Mapping[str, Any]]]
    trace: Mapping[str, Mapping[str, Any]]


Got = Callable[[], Any]


@dataclass(frozen=True)
class Check:
    """One quantity of a case; it may be an array."""

    case: str
    quantity: str
    expected: Any
    got: Got
    tolerance: Any

    @property
    def id(self) -> str:
        """Readable name of the check."""
        return f"{self.case}: {self.quantity}"


class Runs:
    """Runs of an engine, each made when first asked for."""

    def __init__(self, run: Callable[[ResolvedModel], Result]) -> None:
        self._run = run
        self._done: dict[Any, Result] = {}

    def __call__(self, name: str, *scenarios: str, **values: float) -> Callable[[], Result]:
        def result() -> Result:
            key = (name, scenarios, tuple(values.items()))
            if key not in self._done:
                file = next(f for d in MODELS if (f := d / f"{name}.yaml").exists())
                model = load_model(str(file), scenarios=scenarios, values=values)
                self._done[key] = self._run(model)
            return self._done[key]

        return result


def expectations(case: str) -> dict[str, Any]:
    return json.loads((CASES / f"{case}.json").read_text())["expected"]


def check(case: str, quantity: str, block: Mapping[str, Any], got: Got, value: Any = None) -> Check:
    """A check at the tolerance of its block; the value stands in the block if not given."""
    expected = np.asarray(block["value"] if value is None else value, float)
    allowed = block["abs_tol"] if "abs_tol" in block else block["rel_tol"] * np.abs(expected)
    return Check(case, quantity, expected, got, allowed)


def total_of(result: Callable[[], Result], strategy: str, outcome: str, times: float = 1.0) -> Got:
    return lambda: times * result().outcomes[strategy][outcome][0]


def row_of(
    result: Callable[[], Result],
    strategy: str,
    keys: Iterable[tuple[str, str]],
    *,
    discounted: bool = True,
    times: float = 1.0,
) -> Got:
    def got() -> Any:
        rows = result().rows if discounted else result().rows_undiscounted
        return times * sum(rows[strategy][key][0] for key in keys)

    return got


def gain_of(result: Callable[[], Result], strategy: str, reference: str, outcome: str) -> Got:
    def got() -> Any:
        outcomes = result().outcomes
        return outcomes[strategy][outcome][0] - outcomes[reference][outcome][0]

    return got


def icer_of(
    result: Callable[[], Result], strategy: str, reference: str, effect: str = "qalys"
) -> Got:
    cost, effects = (gain_of(result, strategy, reference, word) for word in ("costs", effect))
    return lambda: cost() / effects()


def trace_of(
    result: Callable[[], Result],
    strategy: str,
    states: Sequence[str],
    times: Any = slice(None),
    *,
    scale: float = 1.0,
) -> Got:
    """[time, state] of the trace."""

    def got() -> Any:
        trace = result().trace[strategy]
        return scale * np.stack([trace[state][:, 0] for state in states], axis=-1)[times]

    return got
