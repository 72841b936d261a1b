"""The command evsi: what a study would be worth."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import (
    DEFAULT_SEED,
    AsJson,
    ModelName,
    Scenarios,
    Seed,
    Threads,
    Values,
    check_folder,
    default_folder,
    load,
    parsed,
)

if TYPE_CHECKING:
    from qalyst.study_values import StudyValue

DRAWS = 10_000  # of a regression: a tenth of them gives three times its error


class Methods(StrEnum):
    """How EVSI is computed."""

    regression = "regression"
    moment_matching = "moment-matching"


@app.command(epilog=examples("qalyst evsi sick_sicker --study sick_sicker_utilities --wtp 125000"))
def evsi(
    model: ModelName,
    study: Annotated[
        str,
        typer.Option(
            help="Path of a study file, or its name in a folder `studies` (beside you, or in the "
            "catalogue)."
        ),
    ],
    scenario: Scenarios = None,
    values: Values = None,
    wtp: Annotated[
        float | None,
        typer.Option(help="Willingness to pay; the model's threshold if it has just one."),
    ] = None,
    draws: Annotated[
        int, typer.Option(help="Draws of the probabilistic analysis; 50 or more.")
    ] = DRAWS,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = None,
    method: Annotated[
        Methods,
        typer.Option(help="How EVSI is computed; moment matching is a check of the regression."),
    ] = Methods.regression,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; results/MODEL-evsi-STUDY-SCENARIOS-VALUES if not given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Value a study before it is done; find its best size."""
    known: list[StudyValue] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.evsi import run_study

        check_folder(out)
        resolved, given = load(model, scenario, values), parsed(values or [])
        value, found = run_study(
            resolved,
            study,
            wtp=wtp,
            draws=draws,
            seed=seed,
            threads=threads,
            method=method.value,
            folder=out or default_folder(resolved, given, "evsi", Path(study).stem),
            settings={
                "model": model,
                "values": list(values or ()),
                "study": study,
                "method": method.value,
            },
        )
        known.append(value)
        return found

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.study_words import tell_study

        tell_study(known[0], found)

    answer(work, tell, as_json)
