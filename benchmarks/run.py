"""Speed and memory of the product beside hand-written kernels, in one run.

    python benchmarks/run.py [--quick] [a b c c64 d]

`README.md` says what is measured and what the columns mean. Every workload has processes of its
own; within one, the ways to run it take turns and the least time of each is kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from parts import Parts
from qalyst.simulation import engine_for
from workloads import (
    WORKLOADS,
    Workload,
    check_agreement,
    drawn,
    product,
    static,
)

HERE = Path(__file__).parent
TURNS, QUICK_TURNS = 7, 2
LONG = 2.0  # seconds of a product run from which fewer turns will do
LONG_TURNS = 3
TARGETS = {"a": (2, 6), "b": (2, 15), "c": (2, None)}  # most of the limit, least times numpy
MEMORY_TARGET = 1.0  # GB
DRAWS = 10_000  # of the command
LEAST_ON_TWO_THREADS = 1024  # draws, so that both have work


def main() -> None:
    """Run the workloads asked for and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; all if none")
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws, two turns")
    parser.add_argument("--part", choices=["times", "threads"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.workloads or list(WORKLOADS)
    unknown = sorted(set(names) - set(WORKLOADS))
    if unknown:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    if given.part:
        measure = times if given.part == "times" else threads
        print(json.dumps(measure(_sized(names[0], given.quick), quick=given.quick)))
        return
    results = {name: _in_processes(name, quick=given.quick) for name in names}
    found = {"machine": _machine(), "quick": given.quick, "workloads": results}
    if not given.workloads and not given.quick:
        found["command"] = _command()
    text = page(found)
    print(text)
    (HERE / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    (HERE / "RESULTS.md").write_text(text)


def _sized(name: str, quick: bool) -> Workload:
    workload = WORKLOADS[name]
    if not quick:
        return workload
    measured = max(workload.measured // 10, 128)
    numpy = min(workload.batched_draws, measured)
    return dataclasses.replace(workload, measured=measured, batched_draws=numpy)


def _in_processes(name: str, *, quick: bool) -> dict[str, Any]:
    """Measure a workload: times on one core, then memory and time with two threads."""
    found: dict[str, Any] = {"title": WORKLOADS[name].title}
    for part in ("times", "threads"):
        print(f"({name}) {part} ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, name, "--part", part, *["--quick"] * quick]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


def _command() -> dict[str, Any]:
    """Seconds of the command that a user would type, from its start to its last file."""
    command = [Path(sys.executable).with_name("qalyst"), "run", "nelm", "--draws", str(DRAWS)]
    with tempfile.TemporaryDirectory() as folder:
        print("the command ...", file=sys.stderr, flush=True)
        into = ["--out", Path(folder) / "nelm"]
        seconds = _seconds(
            lambda: subprocess.run([*command, *into], stdout=subprocess.DEVNULL, check=True)
        )
    return {"draws": DRAWS, "seconds": seconds}


# ---- measuring


def times(workload: Workload, *, quick: bool) -> dict[str, Any]:
    """Least seconds of each way on one core, scaled to the workload's number of draws."""
    _use_one_core()
    model = workload.load()
    worst = check_agreement(workload, model) if workload.specialised else None
    engine = engine_for(model)
    product(model, engine, min(workload.measured, 256))
    ways: dict[str, Callable[[], object]] = {}
    if workload.specialised and workload.batched:
        inputs = drawn(model, workload.measured), static(model, workload)
        few = drawn(model, workload.batched_draws), inputs[1]
        specialised, batched = workload.specialised, workload.batched
        specialised(*inputs)
        ways["draw"] = lambda: drawn(model, workload.measured)
        ways["specialised"] = lambda: specialised(*inputs)
        ways["numpy"] = lambda: batched(*few)
    least: dict[str, float] = {}
    parts: dict[str, float] = {}
    turn, turns = 0, QUICK_TURNS if quick else TURNS
    while turn < turns:
        timer = Parts()
        with timer:
            seconds = _seconds(lambda: product(model, engine, workload.measured))
        if seconds < least.get("whole", np.inf):
            least["whole"], parts = seconds, timer.seconds
        for name, way in ways.items():
            least[name] = min(_seconds(way), least.get(name, np.inf))
        turns = min(turns, LONG_TURNS) if seconds > LONG else turns
        turn += 1
    scale = workload.draws / workload.measured
    result = {
        "draws": workload.draws,
        "measured_draws": workload.measured,
        "turns": turn,
        "disagreement": worst,
        "whole": least["whole"] * scale,
        **{f"of_it_{name}": value * scale for name, value in parts.items()},
        **{name: least[name] * scale for name in ways if name != "numpy"},
    }
    if "numpy" in ways:
        result["numpy"] = least["numpy"] * workload.draws / workload.batched_draws
        result["numpy_draws"] = workload.batched_draws
    return result


def threads(workload: Workload, *, quick: bool) -> dict[str, Any]:
    """Seconds of the product on two threads (two chunks at least), and its most memory."""
    model = workload.load()
    engine = engine_for(model)
    draws = workload.measured if quick else max(workload.measured, LEAST_ON_TWO_THREADS)
    least = np.inf
    for _ in range(QUICK_TURNS if quick else LONG_TURNS):
        seconds = _seconds(lambda: product(model, engine, draws, threads=2))
        least = min(least, seconds)
        if seconds > LONG:
            break
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "two_threads": least * workload.draws / draws,
        "memory_gb": memory,
        "compartments": max(engine.reached.values()),
    }


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _use_one_core() -> None:
    """Keep to one core, where the system lets us: the last, since the first has more to do."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _machine() -> dict[str, Any]:
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        processor = named[0] if named else processor
    packages = ("qalyst", "numpy", "scipy", "numba", "llvmlite")
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


# ---- reporting


def page(found: dict[str, Any]) -> str:
    """RESULTS.md."""
    machine, results = found["machine"], found["workloads"]
    packages = ", ".join(f"{k} {machine[k]}" for k in ("python", "numpy", "scipy", "numba"))
    quick = " A quick run: a tenth of the draws, two turns." if found["quick"] else ""
    parts = [
        "# Results of `python benchmarks/run.py`",
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {packages}. "
        f"Least of several turns, in seconds; one core unless said.{quick} "
        "`README.md` says what the columns mean.",
        _table(_HEAD_TIMES, [_row_times(name, item) for name, item in results.items()]),
        _table(_HEAD_PARTS, [_row_parts(name, item) for name, item in results.items()]),
    ]
    compared = {name: item for name, item in results.items() if "specialised" in item}
    if compared:
        parts.append(
            _table(_HEAD_LIMIT, [_row_limit(name, item) for name, item in compared.items()])
        )
        parts.append("Targets in brackets.")
    scaled = [
        f"({name}) {item['measured_draws']:,} of {item['draws']:,} draws were run"
        for name, item in results.items()
        if item["measured_draws"] != item["draws"]
    ] + [
        f"({name}) numpy ran {item['numpy_draws']:,} draws"
        for name, item in compared.items()
        if item["numpy_draws"] != item["draws"]
    ]
    if scaled:
        parts.append(f"Scaled: {'; '.join(scaled)}.")
    if "command" in found:
        command = found["command"]
        parts.append(
            f"`qalyst run nelm --draws {command['draws']}` with its report: "
            f"{command['seconds']:.0f} seconds on {machine['cores']} cores."
        )
    return "\n\n".join(parts) + "\n"


_HEAD_TIMES = [
    "workload",
    "draws",
    "whole path",
    "draws/s",
    "two threads",
    "draws/s on two",
    f"peak GB [{MEMORY_TARGET:g}]",
]
_HEAD_PARTS = ["workload", "drawing", "evaluating", "kernel", "adding up"]
_HEAD_LIMIT = [
    "workload",
    "draw at once",
    "specialised",
    "numpy",
    "kernel / specialised",
    "whole / (draw + specialised)",
    "(whole - drawing) / specialised",
    "numpy / kernel",
    "agree to",
]


def _row_times(name: str, item: dict[str, Any]) -> list[str]:
    return [
        f"({name}) {item['title']}",
        f"{item['draws']:,}",
        f"{item['whole']:.3g}",
        f"{item['draws'] / item['whole']:,.0f}",
        f"{item['two_threads']:.3g}",
        f"{item['draws'] / item['two_threads']:,.0f}",
        f"{item['memory_gb']:.2f}",
    ]


def _row_parts(name: str, item: dict[str, Any]) -> list[str]:
    kinds = ("drawing", "evaluating", "kernel", "adding_up")
    return [f"({name})", *(f"{item[f'of_it_{kind}']:.3g}" for kind in kinds)]


def _row_limit(name: str, item: dict[str, Any]) -> list[str]:
    limit, times_numpy = TARGETS[name]
    whole, kernel, specialised = item["whole"], item["of_it_kernel"], item["specialised"]
    least = f" [{times_numpy}]" if times_numpy else ""
    return [
        f"({name})",
        f"{item['draw']:.3g}",
        f"{specialised:.3g}",
        f"{item['numpy']:.3g}",
        f"{kernel / specialised:.2f}",
        f"{whole / (item['draw'] + specialised):.2f} [{limit}]",
        f"{(whole - item['of_it_drawing']) / specialised:.2f}",
        f"{item['numpy'] / kernel:.1f}{least}",
        f"{item['disagreement']:.0e}",
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown that reads well as plain text."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for number, row in enumerate([head, *rows]):
        cells = [
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
        if number == 0:
            rules = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
            lines.append(f"| {' | '.join(rules)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
