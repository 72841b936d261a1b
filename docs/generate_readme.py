"""Write the results that `README.md` shows from the run that `make run` makes.

``python docs/generate_readme.py`` runs the model, fills the blocks between ``<!-- begin: NAME -->``
and ``<!-- end: NAME -->`` and copies the figures; speeds are those of `benchmarks/results.json`.
With ``--check`` it writes nothing and exits with 1 if a number on the page is not that of the run.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
FIGURES = ("ce_plane.png", "published.png")


def main() -> None:
    """Write the page, or check it."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder) / "nelm")
        written = filled(page, {"result": result(found), "speed": speed()})
        if "--check" in sys.argv[1:]:
            if written != page:
                raise SystemExit("README.md is stale: run python docs/generate_readme.py")
            return
        (ROOT / "README.md").write_text(written, encoding="utf-8")
        (HERE / "images").mkdir(exist_ok=True)
        for name in FIGURES:
            shutil.copy(Path(folder) / "nelm" / "figures" / name, HERE / "images" / name)


def run(folder: Path) -> dict[str, Any]:
    """What `make run` runs, as JSON."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    drawn = re.search(r"^DRAWS \?= (\d+)$", makefile, re.MULTILINE)
    assert drawn is not None
    qalyst = Path(sys.executable).with_name("qalyst")
    command = [qalyst, "run", "nelm", "--draws", drawn[1], "--out", folder, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def result(found: dict[str, Any]) -> str:
    """The table of results and the sentence."""
    shown = subprocess.run(
        [Path(sys.executable).with_name("qalyst"), "show", "nelm", "--json"],
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    strategies = json.loads(shown.stdout)["strategies"]
    best = found["thresholds"][-1]
    lines = [
        f"`make run`, {found['draws']:,} draws, mean (Monte Carlo standard error):",
        "",
        "| first treatment | cost, 2024 USD | QALYs | life years | probability of being best value "
        f"at {best['wtp']:,.0f} USD per QALY |",
        "|---|---|---|---|---|",
    ]
    for name, outcomes in found["probabilistic"].items():
        cells = [
            strategies[name]["label"].removesuffix(" first"),
            _mean(outcomes["costs"], 0),
            _mean(outcomes["qalys"], 2),
            _mean(outcomes["life_years"], 2),
            f"{best['probability'][name]:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"> {found['sentence']}"])


def _mean(outcome: dict[str, float], decimals: int) -> str:
    places = decimals + (0 if decimals == 0 else 1)
    return f"{outcome['mean']:,.{decimals}f} ({outcome['mcse']:,.{places}f})"


def speed() -> str:
    """The speeds of the last benchmarks in a few lines."""
    measured = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    by_name = measured["workloads"]
    machine = measured["machine"]
    command = measured["command"]
    lines = [
        f"On {machine['cores']} cores of an {machine['processor']}, drawing parameters and "
        "evaluating expressions included:",
        "",
        "| | draws | seconds | draws per second |",
        "|---|---|---|---|",
    ]
    for name in ("a", "b", "c", "c64", "d"):
        item = by_name[name]
        seconds = item["two_threads"]
        shown = f"{seconds:.2g}" if seconds < 100 else f"{seconds:.0f}"
        rate = f"{item['draws'] / seconds:,.0f}"
        lines.append(f"| {item['title']} | {item['draws']:,} | {shown} | {rate} |")
    whole = f"`qalyst run nelm --draws {command['draws']}`, report and all, takes"
    patients = json.loads((ROOT / "benchmarks" / "individuals.json").read_text(encoding="utf-8"))
    nelm, nested = patients["nelm"], patients["nested"]
    lives = nelm["lives"] // 3
    return "\n".join(
        [
            *lines,
            "",
            f"{whole} {command['seconds'] / 60:.1f} minutes. Patient by patient, {lives:,} NELM "
            f"patients in three strategies take {nelm['wall'][1]:.1f} seconds, and Sick-Sicker's "
            f"{nested['lives']:,} lives (1,000 draws of 1,000 patients in 4 strategies) "
            f"{nested['whole']:.1f} seconds of one core "
            "([measurements](benchmarks/INDIVIDUALS.md)).",
        ]
    )


def filled(page: str, blocks: dict[str, str]) -> str:
    """The page with its blocks."""
    for name, text in blocks.items():
        pattern = rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)"
        page, count = re.subn(
            pattern, lambda found, text=text: f"{found[1]}{text}\n{found[2]}", page, flags=re.DOTALL
        )
        if count != 1:
            raise SystemExit(f"README.md has {count} blocks '{name}', not one")
    return page


if __name__ == "__main__":
    main()
