"""The command voi: what would be worth finding out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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
    Thresholds,
    Values,
    check_folder,
    default_folder,
    load,
    parsed,
    thresholds,
)

DRAWS = 5000


@app.command(
    epilog=examples(
        "qalyst voi sick_sicker --wtp 100000 --group hr_worsen_b,c_b",
        "qalyst voi hiv --wtp 6000 --persons 1000 --horizon 10",
    )
)
def voi(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    wtp: Thresholds = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Value of learning these together: a,b or name=a,b. Repeatable; kinds of inputs "
            "(costs, utilities, ...) if not given.",
        ),
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Check the value of an input, or of a,b together, by nested Monte Carlo: runs the "
            "model again and again, assumes no shape. Repeatable.",
        ),
    ] = None,
    budget: Annotated[
        int, typer.Option(help="Most runs of the model in a check, 15,000 or more.")
    ] = 200_000,
    persons: Annotated[
        float | None,
        typer.Option(
            help="Persons a year whom the decision affects; gives values for all of them too."
        ),
    ] = None,
    horizon: Annotated[
        float, typer.Option(help="Years for which the decision matters; with --persons.")
    ] = 10,
    discount: Annotated[
        float, typer.Option(help="Discount rate of persons of later years; with --persons.")
    ] = 0.03,
    draws: Annotated[int, typer.Option(help="Draws of the probabilistic analysis.")] = DRAWS,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results; results/MODEL-voi-... if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Value of information: of everything, inputs and groups."""
    told: list[Any] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.voi import value_information

        check_folder(out)
        resolved, given = load(model, scenario, values), parsed(values or [])
        question, found = value_information(
            resolved,
            wtp=thresholds(wtp),
            groups=group or [],
            checks=check or [],
            budget=budget,
            persons=persons,
            horizon=horizon,
            discount=discount,
            draws=draws,
            seed=seed,
            threads=threads,
            folder=out or default_folder(resolved, given, "voi"),
            settings={"model": model, "values": list(values or ())},
        )
        told.append(question)
        return found

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.value_report import tell_value

        tell_value(told[0], found)

    answer(work, tell, as_json)
