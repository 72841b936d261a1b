"""EVPPI by other packages, if they are there: a request on the input, answers on the output.

`evppi.py` starts it with the interpreter that has them; each is used as its manual says, with its
own defaults. An error is the answer where there is one.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Evppi = Callable[[Any, Any, list[str]], float]


def heormodel() -> dict[str, Evppi]:
    """heormodel, with its spline and with its Gaussian process."""
    import pandas as pd
    from heormodel.models import Outcomes
    from heormodel.voi import evppi

    def by(method: str) -> Evppi:
        def run(x: Any, effects: Any, group: list[str]) -> float:
            index = pd.RangeIndex(len(x), name="iteration")
            names = [f"s{i}" for i in range(effects.shape[1])]
            held = pd.DataFrame(effects, columns=names, index=index)
            draws = pd.DataFrame(x, columns=[f"x{j + 1}" for j in range(x.shape[1])], index=index)
            outcomes = Outcomes.from_wide(held * 0, held)
            return float(evppi(outcomes, draws, group, wtp=1.0, method=method))

        return run

    return {"heormodel": by("spline"), "heormodel, process": by("gp")}


def voiage() -> dict[str, Evppi]:
    """voiage, with its default regression."""
    from voiage.methods.basic import evppi

    def run(x: Any, effects: Any, group: list[str]) -> float:
        parameters = {f"x{j + 1}": column for j, column in enumerate(x.T)}
        return float(evppi(effects, parameters, group))

    return {"voiage": run}


def main() -> None:
    """Answer the request."""
    warnings.simplefilter("ignore")
    request, answers = json.load(sys.stdin), {}
    for package in (heormodel, voiage):
        try:
            ways = package()
        except ImportError:
            continue
        for name, run in ways.items():
            cases = {
                case: _answer(run, path, group) for case, (path, group) in request["cases"].items()
            }
            answers[name] = {"cases": cases, "seconds": _seconds(run, request["many"])}
    json.dump(answers, sys.stdout)


def _answer(run: Evppi, path: str, group: list[str]) -> float | str:
    held = np.load(path)
    try:
        return run(held["x"], held["effects"], group)
    except Exception as error:  # whatever another package raises is its answer
        return type(error).__name__


def _seconds(run: Evppi, path: str) -> float:
    """CPU seconds of 100 single parameters, from the first ten."""
    held = np.load(path)
    begin = time.process_time()
    for j in range(10):
        run(held["x"], held["effects"], [f"x{j + 1}"])
    return 10 * (time.process_time() - begin)


if __name__ == "__main__":
    main()
