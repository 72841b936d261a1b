"""Commands of one-way, two-way and multi-way analysis: tornado, grid, points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import AsJson, ModelName, Scenarios, Threads, Values, check_folder
from qalyst.cli.varying import (
    Asked,
    Comparator,
    Out,
    Strategy,
    Wtp,
    opened,
    range_of,
    repeated,
    written,
)
from qalyst.errors import ModelError

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.one_way import OneWay
    from qalyst.sensitivity.points import Study
    from qalyst.sensitivity.two_way import Grid, Points


@app.command(
    epilog=examples(
        "qalyst tornado nelm --wtp 100000",
        "qalyst tornado hiv --range c_lamivudine=1500:3000 --outcome icer --wtp 20000",
    )
)
def tornado(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            help="Vary only this input (or table). Repeatable; all uncertain inputs if not given."
        ),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=LOW:HIGH",
            help="Range of an input, fixed ones too; the 95 % interval if not given. Repeatable.",
        ),
    ] = None,
    outcome: Annotated[
        str,
        typer.Option(help="What the bars show: nmb, icer, cost, qaly, or an outcome of the model."),
    ] = "nmb",
    wtp: Wtp = None,
    strategy: Strategy = None,
    comparator: Comparator = None,
    threads: Threads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """One-way analysis: each input at the ends of its range."""
    known: list[tuple[Study, OneWay]] = []

    def work() -> dict[str, Any]:
        from qalyst.report.figures_sensitivity import tornados
        from qalyst.report.sensitivity_data import one_way_data, one_way_tables
        from qalyst.sensitivity.one_way import one_way

        check_folder(out)
        study = opened(model, scenario, values, threads)
        found = one_way(
            study,
            parameters=parameter or (),
            ranges=dict(map(range_of, ranges or ())),
            outcome=outcome,
            wtp=wtp,
            strategy=strategy,
            comparator=comparator,
        )
        known.append((study, found))
        return written(
            study.model,
            found.standing,
            "tornado",
            Asked(model, values, out),
            options=[
                *repeated("--parameter", parameter),
                *repeated("--range", ranges),
                *("--outcome", outcome),
            ],
            data=one_way_data(found),
            tables=one_way_tables(found),
            drawings=lambda: tornados(study.model, found),
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.sensitivity_words import tell_one_way

        tell_one_way(known[0][0].model, known[0][1], found)

    answer(work, tell, as_json)


@app.command(
    epilog=examples("qalyst grid hiv rr_combination=0.4:1 c_lamivudine=0:10000:61 --wtp 20000")
)
def grid(
    model: ModelName,
    x: Annotated[
        str,
        typer.Argument(
            metavar="X=LOW:HIGH[:STEPS]",
            help="Input across, its range, and how many values (41 if not given).",
        ),
    ],
    y: Annotated[
        str, typer.Argument(metavar="Y=LOW:HIGH[:STEPS]", help="Input upwards, likewise.")
    ],
    scenario: Scenarios = None,
    values: Values = None,
    wtp: Wtp = None,
    strategy: Strategy = None,
    comparator: Comparator = None,
    threads: Threads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Two-way analysis: the optimal strategy over two inputs."""
    known: list[tuple[ResolvedModel, Grid]] = []

    def work() -> dict[str, Any]:
        from qalyst.report import figures_grid
        from qalyst.report.sensitivity_tables import grid_data, grid_tables
        from qalyst.sensitivity.two_way import two_way

        check_folder(out)
        axes = [_axis_of(text) for text in (x, y)]
        study = opened(model, scenario, values, threads)
        found = two_way(study, *axes, wtp=wtp, strategy=strategy, comparator=comparator)
        known.append((study.model, found))
        return written(
            study.model,
            found.standing,
            "grid",
            Asked(model, values, out),
            options=[x, y],
            data=grid_data(found),
            tables=grid_tables(found),
            drawings=lambda: [figures_grid.grid(study.model, found)],
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.sensitivity_words import tell_grid

        tell_grid(*known[0], found)

    answer(work, tell, as_json)


@app.command(epilog=examples("qalyst points hiv points.csv --wtp 20000"))
def points(
    model: ModelName,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV file: a row for each point, a column for each input; an empty cell is the "
            "base value."
        ),
    ],
    scenario: Scenarios = None,
    values: Values = None,
    wtp: Wtp = None,
    strategy: Strategy = None,
    comparator: Comparator = None,
    threads: Threads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Multi-way analysis: results at the points of a table."""
    known: list[tuple[ResolvedModel, Points]] = []

    def work() -> dict[str, Any]:
        from qalyst.report import figures_scenarios
        from qalyst.report.sensitivity_tables import points_data, points_tables
        from qalyst.sensitivity.rows import point_rows
        from qalyst.sensitivity.two_way import at_points

        check_folder(out)
        rows = point_rows(file)
        study = opened(model, scenario, values, threads)
        found = at_points(study, rows, wtp=wtp, strategy=strategy, comparator=comparator)
        known.append((study.model, found))
        return written(
            study.model,
            found.standing,
            "points",
            Asked(model, values, out),
            options=[str(file)],
            data=points_data(found),
            tables=points_tables(found),
            drawings=lambda: [figures_scenarios.points(study.model, found)],
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.sensitivity_words import tell_points

        tell_points(*known[0], found)

    answer(work, tell, as_json)


def _axis_of(text: str) -> tuple[str, float, float, int]:
    """An axis as it is typed.

    >>> _axis_of("c_drug=0:100:11")
    ('c_drug', 0.0, 100.0, 11)
    """
    from qalyst.sensitivity.two_way import STEPS

    whole, colon, steps = text.rpartition(":")
    if ":" not in whole.rpartition("=")[2]:
        whole, colon = text, ""
    if colon and not steps.strip().isdigit():
        raise ModelError(
            f"'{steps}' is no number of steps", where=f"command line  {text}", mend="write 41"
        )
    name, (low, high) = range_of(whole, "X=LOW:HIGH")
    return name, low, high, int(steps) if colon else STEPS
