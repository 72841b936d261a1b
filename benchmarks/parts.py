"""Where the time of a run goes: drawing, evaluating, the kernel, and adding up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from qalyst.engines import cohort as engine
from qalyst.model.guards import GuardKeeper
from qalyst.params.draws import Draws

_PARTS: list[tuple[object, str, str]] = [
    (Draws, "cell", "drawing"),
    (Draws, "curve", "drawing"),
    (GuardKeeper, "check", "evaluating"),
    (engine._Block, "__init__", "evaluating"),
    (engine.kernel, "run_cohort", "kernel"),
]


class Parts:
    """Times parts of the runs within its context; what is nested is not counted twice.

    Attributes
    ----------
    seconds : of each part; adding up is what is left of chunks.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("drawing", "evaluating", "kernel", "adding_up"), 0.0)
        self._open: list[float] = []  # seconds of what is nested in each open part
        self._plain: list[tuple[object, str, Any]] = []
        self._begin = 0.0

    def __enter__(self) -> Parts:
        """Put a clock around each part."""
        for owner, name, part in _PARTS:
            plain = getattr(owner, name)
            self._plain.append((owner, name, plain))
            setattr(owner, name, self._timed(plain, part))
        self._begin = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the clocks away."""
        whole = time.perf_counter() - self._begin
        self.seconds["adding_up"] = whole - sum(self.seconds.values())
        for owner, name, plain in self._plain:
            setattr(owner, name, plain)

    def _timed(self, plain: Callable[..., Any], part: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            self._open.append(0.0)
            begin = time.perf_counter()
            try:
                return plain(*arguments, **named)
            finally:
                took = time.perf_counter() - begin
                self.seconds[part] += took - self._open.pop()
                if self._open:
                    self._open[-1] += took

        return timed
