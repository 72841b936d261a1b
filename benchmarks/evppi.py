"""EVPPI: time of the product and of other packages, and how near each comes to known answers.

    python benchmarks/evppi.py [--peers PYTHON]

Other packages are asked if they can be imported by the interpreter that `--peers` names (this one
if none). `EVPPI.md` says what is measured. One thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qalyst.decision.evppi import evppi
from qalyst.decision.evppi_curve import evppi_curve

HERE = Path(__file__).parent
DRAWS = 10_000
TURNS = 5
SEED = 20261124
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
THRESHOLDS = np.linspace(0, 2, 500)

# name: parameters, net benefit of the second strategy without noise, group, truth
CASES: dict[str, tuple[int, Callable[[Any], Any], tuple[str, ...], float]] = {
    "x linear": (1, lambda x: x[:, 0], ("x1",), 0.39894),
    "x^2 - 1": (1, lambda x: x[:, 0] ** 2 - 1, ("x1",), 0.48394),
    "sin 3x": (1, lambda x: np.sin(3 * x[:, 0]), ("x1",), 1 / np.pi),
    "x1 x2: {x1, x2}": (2, lambda x: x[:, 0] * x[:, 1], ("x1", "x2"), 1 / np.pi),
    "x1 x2: x1": (2, lambda x: x[:, 0] * x[:, 1], ("x1",), 0.0),
    "x1 x2 x3: {x1, x2, x3}": (3, lambda x: x.prod(axis=1), ("x1", "x2", "x3"), 0.25397),
    "noise: x1": (1, lambda x: 0 * x[:, 0], ("x1",), 0.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, help="interpreter that has the others")
    peers = parser.parse_args().peers
    if os.environ.get("OMP_NUM_THREADS") != "1":  # numpy reads it when it is imported
        again = [sys.executable, *sys.argv]
        sys.exit(subprocess.run(again, env=os.environ | ONE_THREAD, check=False).returncode)
    with tempfile.TemporaryDirectory() as folder:
        samples = {name: _case(name, Path(folder) / f"{i}.npz") for i, name in enumerate(CASES)}
        many = _many(Path(folder) / "many.npz")
        asked = {name: (str(path), list(CASES[name][2])) for name, path in samples.items()}
        request = {"cases": asked, "many": str(many)}
        other = json.loads(
            subprocess.run(
                [peers, str(HERE / "evppi_peers.py")],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        _print_answers(samples, other)
        _print_times(many, other)


def _case(name: str, path: Path) -> Path:
    n_parameters, shape, _, _ = CASES[name]
    z = np.random.default_rng(SEED).standard_normal((DRAWS, n_parameters + 1))
    benefit = shape(z[:, :-1]) + z[:, -1]
    return _kept(path, z[:, :-1], np.column_stack([np.zeros(DRAWS), benefit]))


def _many(path: Path) -> Path:
    """A hundred parameters and three strategies; every parameter matters a little."""
    random = np.random.default_rng(SEED)
    x = random.standard_normal((DRAWS, 100))
    weights = random.standard_normal((100, 2)) / 10
    products = np.column_stack([x[:, 0] * x[:, 1], x[:, 2] ** 2 - 1])
    return _kept(path, x, np.column_stack([np.zeros(DRAWS), x @ weights + products / 2]))


def _kept(path: Path, x: Any, effects: Any) -> Path:
    np.savez(path, x=x, effects=effects)
    return path


def _sample(path: Path) -> tuple[Any, Any, dict[str, Any], list[str]]:
    held = np.load(path)
    effects = held["effects"]
    parameters = {f"x{j + 1}": column for j, column in enumerate(held["x"].T)}
    return np.zeros_like(effects), effects, parameters, [f"s{i}" for i in range(effects.shape[1])]


def _print_answers(samples: dict[str, Path], other: dict[str, Any]) -> None:
    packages = list(other)
    print(f"\n{DRAWS:,} draws, noise of variance 1, EVPPI per person\n")
    print(f"| net benefit | truth | qalyst (standard error) | {' | '.join(packages)} |")
    print("|---" * (3 + len(packages)) + "|")
    for name, path in samples.items():
        costs, effects, parameters, strategies = _sample(path)
        _, _, group, truth = CASES[name]
        (found,) = evppi(costs, effects, parameters, 1, of=[group], strategies=strategies)
        theirs = " | ".join(_shown(other[package]["cases"][name]) for package in packages)
        print(f"| {name} | {truth:.4f} | {found.value:.4f} ({found.se:.4f}) | {theirs} |")


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4f}"


def _print_times(many: Path, other: dict[str, Any]) -> None:
    costs, effects, parameters, strategies = _sample(many)
    ten = [tuple(f"x{j}" for j in range(1, 11))]
    named = {"strategies": strategies}
    print(f"\n{DRAWS:,} draws, three strategies, one thread; CPU seconds, least of {TURNS} runs\n")
    print("| task | seconds |")
    print("|---|---|")
    ours: dict[str, Callable[[], object]] = {
        "100 single parameters": lambda: evppi(costs, effects, parameters, 1, **named),
        "a group of two": lambda: evppi(costs, effects, parameters, 1, of=[("x1", "x2")], **named),
        "a group of ten": lambda: evppi(costs, effects, parameters, 1, of=ten, **named),
        "500 thresholds of one parameter": lambda: evppi_curve(
            costs, effects, parameters, THRESHOLDS, of=["x1"], **named
        ),
        "500 thresholds of 100 parameters": lambda: evppi_curve(
            costs, effects, parameters, THRESHOLDS, **named
        ),
    }
    for task, run in ours.items():
        print(f"| qalyst: {task} | {_least(run):.3f} |")
    for package, found in other.items():
        print(f"| {package}: 100 single parameters | {found['seconds']:.3f} |")


def _least(run: Callable[[], object]) -> float:
    found = []
    for _ in range(TURNS):
        begin = time.process_time()
        run()
        found.append(time.process_time() - begin)
    return min(found)


if __name__ == "__main__":
    main()
