"""Commands of scenarios and of local derivatives: scenarios, elasticities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import (
    AsJson,
    ModelName,
    Scenarios,
    Threads,
    Values,
    check_folder,
    named,
    parsed,
)
from qalyst.cli.varying import Asked, Comparator, Out, Strategy, Wtp, opened, repeated, written

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.derivatives import Elasticities
    from qalyst.sensitivity.scenarios import ScenarioTable


@app.command(
    epilog=examples(
        "qalyst scenarios nelm",
        "qalyst scenarios nelm mine.csv",
        "qalyst scenarios nelm --cross no_cure,no_discounting,ten_years",
    )
)
def scenarios(
    model: ModelName,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV or YAML file, a row for each scenario; those of the model if not given."
        ),
    ] = None,
    scenario: Scenarios = None,
    values: Values = None,
    cross: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="Every combination of these scenarios, ten at most."),
    ] = None,
    wtp: Wtp = None,
    strategy: Strategy = None,
    comparator: Comparator = None,
    threads: Threads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Scenario analysis: the model under other assumptions."""
    known: list[ScenarioTable] = []

    def work() -> dict[str, Any]:
        from qalyst.report import figures_scenarios
        from qalyst.report.progress import progress_bar
        from qalyst.report.sensitivity_tables import scenarios_data, scenarios_tables
        from qalyst.sensitivity.rows import scenario_rows
        from qalyst.sensitivity.scenarios import scenario_table
        from qalyst.simulation import check_request

        check_folder(out)
        check_request(threads=threads)
        with progress_bar(model, 1, of="scenarios") as progress:
            found = scenario_table(
                model,
                scenario_rows(file) if file is not None else (),
                cross=named(cross),
                scenarios=scenario or (),
                values=parsed(values or []),
                wtp=wtp,
                strategy=strategy,
                comparator=comparator,
                threads=threads,
                progress=progress,
            )
        known.append(found)
        options = [str(file)] if file is not None else []
        return written(
            found.model,
            found.standing,
            "scenarios",
            Asked(model, values, out),
            options=[*options, *(["--cross", cross] if cross else [])],
            data=scenarios_data(found),
            tables=scenarios_tables(found),
            drawings=lambda: [figures_scenarios.scenarios(found.model, found)],
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.sensitivity_words import tell_scenarios

        tell_scenarios(known[0].model, known[0], found)

    answer(work, tell, as_json)


@app.command(epilog=examples("qalyst elasticities nelm --wtp 100000"))
def elasticities(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="Only this input, fixed ones too. Repeatable; all if not given."),
    ] = None,
    wtp: Wtp = None,
    strategy: Strategy = None,
    comparator: Comparator = None,
    threads: Threads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Derivatives and elasticities of results to every input."""
    known: list[tuple[ResolvedModel, Elasticities]] = []

    def work() -> dict[str, Any]:
        from qalyst.report import figures_scenarios
        from qalyst.report.sensitivity_tables import elasticities_data, elasticities_tables
        from qalyst.sensitivity.derivatives import elasticities

        check_folder(out)
        study = opened(model, scenario, values, threads)
        found = elasticities(
            study,
            parameters=parameter or (),
            wtp=wtp,
            strategy=strategy,
            comparator=comparator,
        )
        known.append((study.model, found))
        return written(
            study.model,
            found.standing,
            "elasticities",
            Asked(model, values, out),
            options=repeated("--parameter", parameter),
            data=elasticities_data(found),
            tables=elasticities_tables(found),
            drawings=lambda: [figures_scenarios.derivatives(study.model, found)],
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.sensitivity_words import tell_elasticities

        tell_elasticities(*known[0], found)

    answer(work, tell, as_json)
