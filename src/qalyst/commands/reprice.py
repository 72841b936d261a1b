"""What `qalyst reprice` does: a run that was kept is asked another question."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qalyst.analysis import Analysis
from qalyst.io.files import names_in, written_whole
from qalyst.params.guidelines import Guideline
from qalyst.report.run_data import run_data
from qalyst.report.write import write_report
from qalyst.repricing import Question, answer, by_guideline
from qalyst.saved_runs import SavedRun, read_run


def ask(
    folder: Path,
    question: Question,
    *,
    guideline: Guideline | None = None,
    out: Path | None = None,
    threads: int | None = None,
    may_run: bool = True,
    rerun: str = "",
) -> tuple[Analysis, dict[str, Any]]:
    """The decision of a run under other prices, rates or thresholds, and its plain data.

    Parameters
    ----------
    folder : of the run.
    question : what is other than in the run; rates and thresholds of a guideline are added.
    guideline : whose rates are taken, and whose thresholds if the question has none.
    out : takes the results, whole or not at all; none are written if None.
    threads, may_run : see `repricing.answer`.
    rerun : the command line, for the provenance.

    Raises
    ------
    ModelError
        A folder that holds no run, or a question that cannot be answered.
    """
    run = read_run(folder)
    said: list[str] = []
    if guideline is not None:
        question, said = by_guideline(run.identity.load(), question, guideline)
    found = answer(run, question, threads=threads, may_run=may_run)
    said += _left_out(found.analysis)
    identity = run.identity
    plain = run_data(
        found.analysis, seed=identity.seed, draws=identity.draws, patients=identity.patients
    )
    plain["notes"] = [*said, *(f"the model was run again: {why}" for why in found.new_run)] + plain[
        "notes"
    ]
    plain |= {
        "run": str(folder),
        "asked": {
            "values": dict(question.values),
            "discounts": dict(question.discounts),
            "guideline": guideline.guideline if guideline else None,
            "rates": vars(question.rates) if question.rates else None,
            "thresholds": list(question.thresholds),
        },
        "new_run": list(found.new_run),
        "folder": None,
        "files": [],
    }
    if out is not None:
        plain |= _written(run, found.analysis, question, out, rerun)
    return found.analysis, plain


def _left_out(analysis: Analysis) -> list[str]:
    """Outcomes by profile that are not known at other prices or rates."""
    known = {str(name) for name in analysis.base.profiles["outcome"].values}
    missing = [name for name in analysis.model.outcomes if name not in known]
    if not missing:
        return []
    return [
        f"by profile {', '.join(missing)} are known at the prices and rates of the run only, and "
        "are left out"
    ]


def _written(
    run: SavedRun, analysis: Analysis, question: Question, out: Path, rerun: str
) -> dict[str, Any]:
    identity = run.identity
    values = {**identity.values, **question.values}
    command: Mapping[str, Any] = {
        "model": identity.model,
        "scenarios": list(identity.scenarios),
        "values": [
            *(f"{name}={value:.15g}" for name, value in values.items()),
            *(f"{name}: {100 * share:.15g} % off" for name, share in question.discounts.items()),
        ],
        "patients": identity.patients,
        "luck": identity.luck,
        "rerun": rerun,
    }
    with written_whole(out) as work:
        files = write_report(
            analysis, work, seed=identity.seed, draws=identity.draws, command=command
        )
        names = names_in(work, files)
    return {"folder": str(out), "files": names}
