"""Commands about patients one by one: patients, verify."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import (
    DEFAULT_PATIENTS,
    DEFAULT_SEED,
    AsJson,
    ModelName,
    Scenarios,
    Values,
    check_folder,
    default_folder,
    load,
    parsed,
)

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel


class Formats(StrEnum):
    """How tables of single patients are written."""

    parquet = "parquet"
    csv = "csv"


@app.command(
    epilog=examples(
        "qalyst patients nelm --story 12 --story 40",
        "qalyst patients sick_sicker --patients 10000 --format csv",
    )
)
def patients(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    count: Annotated[
        int, typer.Option("--patients", help="How many are followed, 1 or more.")
    ] = DEFAULT_PATIENTS,
    seed: Annotated[int, typer.Option(help="Seed of the luck of patients.")] = DEFAULT_SEED,
    story: Annotated[
        list[int] | None,
        typer.Option(metavar="K", help="Tell the course of patient K, from 0. Repeatable."),
    ] = None,
    form: Annotated[
        Formats | None,
        typer.Option(
            "--format",
            help="Format of the tables of single patients; parquet if pyarrow is installed.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; results/MODEL-patients-SCENARIOS-VALUES if not given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow single patients: their courses and survival.

    At base-case values, with the same luck under every strategy.
    """
    known: list[ResolvedModel] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.patients import run_patients

        check_folder(out)
        resolved, given = load(model, scenario, values), parsed(values or [])
        known.append(resolved)
        asked = list(story or ())
        return run_patients(
            resolved,
            patients=count,
            seed=seed,
            stories=asked,
            form=form,
            folder=out or default_folder(resolved, given, "patients"),
            settings={"model": model, "values": list(values or ()), "stories": asked},
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.patients_words import tell_patients

        tell_patients(known[0], found, told=story is not None)

    answer(work, tell, as_json)


@app.command(epilog=examples("qalyst verify nelm --patients 20000"))
def verify(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    patients: Annotated[
        int | None,
        typer.Option(
            help="Patients of each strategy and profile; a few seconds' worth if not given."
        ),
    ] = None,
    level: Annotated[
        float, typer.Option(help="Chance that any comparison fails although all is well.")
    ] = 0.001,
    seed: Annotated[int, typer.Option(help="Seed of the luck of patients.")] = DEFAULT_SEED,
    threads: Annotated[
        int | None, typer.Option(help="Threads; all processors if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that cohort and individuals agree.

    In the base case: every strategy, profile and payoff row.
    """

    def work() -> dict[str, Any]:
        from qalyst.agreement import compare_engines
        from qalyst.report.agreement_words import agreement_data

        resolved = load(model, scenario, values)
        agreement = compare_engines(
            resolved, patients=patients, seed=seed, level=level, threads=threads
        )
        return agreement_data(resolved.name, agreement)

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.agreement_words import tell_agreement

        tell_agreement(found)

    found = answer(work, tell, as_json)
    if found["agrees"] is False:
        raise typer.Exit(1)
