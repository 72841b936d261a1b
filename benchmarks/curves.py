"""Times of the curves of decision uncertainty, beside plain numpy: `python benchmarks/curves.py`.

Writes `CURVES.md`. Each time is the least of several runs on one thread, compiled beforehand.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from qalyst.axes import Float, Int
from qalyst.decision.estimates import summary
from qalyst.decision.uncertainty import decision_curves
from qalyst.kernels.envelope import acceptability

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "reference"))
SIZES = ((10_000, 5, 500), (10_000, 12, 500), (100_000, 5, 500), (10_000, 4, 101), (1_000, 3, 101))
HEADER = """# Curves of decision uncertainty

CEAC, CEAF, expected loss, EVPI and their standard errors. `python benchmarks/curves.py` writes this
page. Milliseconds, the least of seven runs on one thread of a machine that does other work too;
strategies overlap widely (1.2 changes of the best strategy in a draw, five strategies). EVPI is
that of plain numpy to 1e-9 of its size; that counts are equal draw by draw is tested in
`tests/kernels/test_envelope.py`. Target: below 20 ms for 10,000 draws x 5 strategies x 500
thresholds. `summary` is at 3 thresholds. Plain numpy is `tests/reference/plain_curves.py`, some
thresholds at a time.

| draws | strategies | thresholds | kernel | `decision_curves` | plain numpy | `summary` |
|--:|--:|--:|--:|--:|--:|--:|
"""
FOOTER = """
A constant for comparison, not measured here: CEAC and ICER tables of 10,000 draws x 4 strategies x
500 thresholds took 4.5 s with hesim (R and C++), one thread, in an earlier survey of peers.
"""


def fastest(work: Callable[[], object], times: int = 7) -> float:
    """Milliseconds of the fastest of several runs."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def problem(draws: int, strategies: int) -> tuple[Float, Float]:
    """Effects and costs [draw, strategy] whose net benefits overlap."""
    rng = np.random.default_rng(1)
    steps = np.arange(strategies)
    effect = rng.normal(3, 0.5, (draws, strategies)) + 0.2 * steps
    return effect, rng.normal(50_000, 8_000, (draws, strategies)) + 10_000 * steps


def numpy_in_parts(effect: Float, cost: Float, wtp: Float) -> Float:
    """EVPI by the plain form, as many thresholds at a time as fit into a few megabytes."""
    from plain_curves import plain_curves  # type: ignore[import-not-found]

    step = max(1, 2**20 // effect.size)
    parts = [wtp[start : start + step] for start in range(0, wtp.size, step)]
    return np.concatenate([plain_curves(effect, cost, part).evpi for part in parts])


def _times(effect: Float, cost: Float, wtp: Float, best: Int, names: list[str]) -> list[float]:
    few = [2e4, 5e4, 1e5]
    return [
        fastest(lambda: acceptability(effect, cost, wtp, best)),
        fastest(lambda: decision_curves(cost, effect, wtp, strategies=names)),
        fastest(lambda: numpy_in_parts(effect, cost, wtp), 1),
        fastest(lambda: summary(cost, effect, few, comparator="s0", strategies=names)),
    ]


def main() -> None:
    rows = []
    for draws, strategies, size in SIZES:
        effect, cost = problem(draws, strategies)
        wtp = np.linspace(0, 100_000, size)
        names = [f"s{number}" for number in range(strategies)]
        found = decision_curves(cost, effect, wtp, strategies=names)
        position = {name: place for place, name in enumerate(names)}
        best = np.array([position[name] for name in found.optimal.values])
        np.testing.assert_allclose(numpy_in_parts(effect, cost, wtp), found.evpi, rtol=1e-9)
        times = _times(effect, cost, wtp, best, names)
        cells = (f"{draws:,}", str(strategies), str(size), *(f"{each:,.1f}" for each in times))
        rows.append(f"| {' | '.join(cells)} |")
        print(rows[-1])
    (HERE / "CURVES.md").write_text(HEADER + "\n".join(rows) + "\n" + FOOTER)


if __name__ == "__main__":
    main()
