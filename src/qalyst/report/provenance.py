"""Where a result came from, and the command that gives the same bits again."""

from __future__ import annotations

import hashlib
import platform
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.model.resolved import as_data

if TYPE_CHECKING:
    from qalyst.analysis import Analysis

PACKAGES = ("qalyst", "numpy", "scipy", "numba", "xarray", "pandas", "matplotlib")


def provenance(
    analysis: Analysis, *, seed: int | None, draws: int, command: Mapping[str, Any]
) -> dict[str, Any]:
    """All that a result depends on, without the time of the run.

    Parameters
    ----------
    analysis : the run.
    seed, draws : of the probabilistic analysis; 0 draws for none.
    command : what the user asked for: `model` (name or path), `scenarios` (names), `set`
        (parameter -> value), `engine`.
    """
    model = analysis.model
    return {
        "qalyst": version("qalyst"),
        "model": model.name,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "set": {str(name): value for name, value in (command.get("set") or {}).items()},
        "draws": draws,
        "seed": seed,
        "engine": str(command.get("engine") or "cohort"),
        "rerun": rerun(analysis, seed=seed, draws=draws, command=command),
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": platform.machine(),
        "resolved_model": as_data(model),
    }


def rerun(analysis: Analysis, *, seed: int | None, draws: int, command: Mapping[str, Any]) -> str:
    """The command line that gives the same bits."""
    words = ["qalyst", "run", str(command.get("model") or analysis.model.name)]
    for name in command.get("scenarios") or analysis.model.scenarios:
        words += ["--scenario", str(name)]
    for name, value in (command.get("set") or {}).items():
        words += ["--set", f"{name}={_exact(value)}"]
    words += ["--draws", str(draws)]
    if seed is not None:
        words += ["--seed", str(seed)]
    return shlex.join(words)


def file_hashes(folder: Path, files: list[Path]) -> dict[str, str]:
    """The sha256 of each file, by its path inside the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
    }


def _exact(value: object) -> str:
    """A number with all its digits, so that it is read back as the same one."""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
