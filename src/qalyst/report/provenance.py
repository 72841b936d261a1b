"""Where a result came from, and the command that gives the same bits again."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.model.resolved import ResolvedModel, as_data
from qalyst.simulation import engine_name

if TYPE_CHECKING:
    from qalyst.analysis import Analysis

PACKAGES = ("qalyst", "numpy", "scipy", "numba", "xarray", "pandas", "matplotlib")


def provenance(
    analysis: Analysis, *, seed: int, draws: int | None, command: Mapping[str, Any]
) -> dict[str, Any]:
    """All that a result depends on, without the time of the run.

    Parameters
    ----------
    analysis : the run.
    seed, draws : of the probabilistic analysis; None for the base case alone.
    command : what the user asked for: `model` (name or path), `scenarios` (names), `values` (each
        ``NAME=VALUE``), of individuals `patients` and `luck`, of a sampling design `sampling` and
        `replicates`, and `until` and `most_draws` if an error chose the draws.
    """
    return origin(
        analysis.model,
        command,
        {
            "draws": draws,
            "patients": command.get("patients"),
            "sampling": command.get("sampling", "random"),
            "replicates": command.get("replicates"),
            "until": command.get("until"),
            "most_draws": command.get("most_draws"),
            "seed": None if draws is None and not analysis.base.patients else seed,
            "engine": "individuals" if analysis.base.patients else engine_name(analysis.model),
            "rerun": rerun(analysis, seed=seed, draws=draws, command=command),
        },
    )


def origin(
    model: ResolvedModel, command: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The model, what was asked for, and what it ran on; `settings` stand in between."""
    return {
        "qalyst": version("qalyst"),
        "commit": commit(Path(__file__).parents[3]),
        "model": model.name,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "values": [str(value) for value in command.get("values") or ()],
        **settings,
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": platform.machine(),
        "resolved_model": as_data(model),
    }


def commit(checkout: Path) -> str | None:
    """The git commit of a checkout, with ``-dirty`` if its files differ; None if it is none."""
    if not (checkout / ".git").exists():  # git would look for one further up
        return None
    words = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        told = subprocess.run(
            [*words, "--exclude=*"], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip()


def rerun(analysis: Analysis, *, seed: int, draws: int | None, command: Mapping[str, Any]) -> str:
    """The command line that gives the same bits."""
    if command.get("rerun"):
        return str(command["rerun"])
    words = command_words("run", analysis.model, command)
    patients = command.get("patients")
    words += ["--deterministic"] if draws is None else ["--draws", str(draws)]
    if draws is not None and command.get("sampling", "random") != "random":
        words += ["--sampling", str(command["sampling"])]
        words += ["--replicates", str(command["replicates"])]
    if patients is not None:
        words += ["--engine", "individuals", "--patients", str(patients)]
        words += ["--luck", str(command["luck"])] if command.get("luck", "plain") != "plain" else []
    if draws is not None or patients is not None:
        words += ["--seed", str(seed)]
    words += ["--rates", str(command["rates"])] if command.get("rates", "all") != "all" else []
    return shlex.join(words)


def command_words(name: str, model: ResolvedModel, command: Mapping[str, Any]) -> list[str]:
    """The words of a command that say which model."""
    words = ["qalyst", name, str(command.get("model") or model.name)]
    for scenario in model.scenarios:
        words += ["--scenario", scenario]
    for value in command.get("values") or ():
        words += ["--set", str(value)]
    return words


def write_provenance(found: Mapping[str, Any], folder: Path, files: list[Path]) -> Path:
    """Write `provenance.json`: `found`, the files with their hashes, and the time."""
    whole = {
        **found,
        "outputs": file_hashes(folder, files),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = folder / "provenance.json"
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def file_hash(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_hashes(folder: Path, files: list[Path]) -> dict[str, str]:
    """The sha256 of each file, by its path inside the folder."""
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in sorted(files)}
