"""Commands of deterministic sensitivity analysis."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app
from qalyst.cli.options import (
    AsJson,
    ModelName,
    Scenarios,
    Threads,
    Values,
    check_folder,
    default_folder,
    parsed,
)
from qalyst.errors import ModelError

if TYPE_CHECKING:
    from qalyst.sensitivity.one_way import OneWay
    from qalyst.sensitivity.points import Study

Wtp = Annotated[
    float | None,
    typer.Option(help="Willingness to pay; the first threshold of the model if not given."),
]
Strategy = Annotated[
    str | None,
    typer.Option(help="Of which increments are told; the better of the two best if not given."),
]
Comparator = Annotated[str | None, typer.Option(help="What the strategy is compared with.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the results; results/MODEL-COMMAND-... if not given."),
]


@app.command(
    epilog="Examples: qalyst tornado nelm --wtp 100000    "
    "qalyst tornado hiv --range c_lamivudine=1500:3000 --outcome icer --wtp 20000"
)
def tornado(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="Vary this input (or table) only. Repeatable; all if not given."),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=LOW:HIGH",
            help="Range of an input, also of a fixed one; quantiles if not given. Repeatable.",
        ),
    ] = None,
    outcome: Annotated[
        str, typer.Option(help="nmb, icer, cost, qaly, or an outcome of the model.")
    ] = "nmb",
    wtp: Wtp = None,
    strategy: Strategy = None,
    comparator: Comparator = None,
    threads: Threads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """One-way analysis: each input at the ends of its range, as a tornado."""
    known: list[tuple[Study, OneWay]] = []

    def work() -> dict[str, Any]:
        from qalyst.report.figures_sensitivity import tornados
        from qalyst.report.sensitivity_data import model_data, one_way_data, one_way_tables
        from qalyst.report.sensitivity_report import write_sensitivity
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
        options = [*_repeated("--parameter", parameter), *_repeated("--range", ranges)]
        compared = found.standing
        options += ["--outcome", outcome, "--wtp", f"{compared.wtp:.17g}"]
        options += ["--strategy", compared.strategy, "--comparator", compared.comparator]
        written = write_sensitivity(
            study.model,
            out or default_folder(study.model, parsed(values or []), "tornado"),
            tables=one_way_tables(found),
            drawings=lambda: tornados(study.model, found),
            command=_command("tornado", model, values, options),
        )
        return {**model_data(study.model, compared), **one_way_data(found), **written}

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.sensitivity_words import tell_one_way

        tell_one_way(known[0][0].model, known[0][1], found)

    answer(work, tell, as_json)


def opened(
    model: str, scenario: list[str] | None, values: list[str] | None, threads: int | None
) -> Study:
    """The model, ready to be run at many values."""
    from qalyst.sensitivity.points import open_study
    from qalyst.simulation import check_request

    check_request(threads=threads)
    return open_study(model, scenarios=scenario or (), values=parsed(values or []), threads=threads)


def range_of(text: str) -> tuple[str, tuple[float, float]]:
    """A range as it is typed.

    >>> range_of("p_a[a, b]=0.1:0.5")
    ('p_a[a, b]', (0.1, 0.5))
    """
    name, equals, ends = text.rpartition("=")
    low, colon, high = ends.partition(":")
    if not equals or not colon:
        raise ModelError(
            f"'{text}' is not NAME=LOW:HIGH",
            where="command line  --range",
            mend="write c_drug=1500:3000",
        )
    return name.strip(), (_number(low, text), _number(high, text))


def _number(text: str, whole: str) -> float:
    try:
        value = float(text.replace("_", " "))  # Python would read 1_0 as 10
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ModelError(
            f"'{text}' is no finite number", where=f"command line  {whole}", mend="write 0.5"
        )
    return value


def _repeated(option: str, given: list[str] | None) -> list[str]:
    return [word for each in given or () for word in (option, each)]


def _command(name: str, model: str, values: list[str] | None, options: list[str]) -> dict[str, Any]:
    return {"name": name, "model": model, "values": list(values or ()), "options": options}
