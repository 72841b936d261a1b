"""The command severity: QALYs lost against the general population, and what a guideline gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import AsJson, Threads
from qalyst.cli.reprice import RunFolder

if TYPE_CHECKING:
    from qalyst.analysis import Analysis


@app.command(
    epilog=examples(
        "qalyst severity results/nelm --guideline nice_2026 --strategy systemic_first "
        "--age 62 --female 0.48"
    )
)
def severity(
    folder: RunFolder,
    guideline: Annotated[
        str, typer.Option(help="A guideline that weighs severity (`qalyst guidelines`).")
    ],
    strategy: Annotated[
        str, typer.Option(help="Strategy that is established care: QALYs are lost under it.")
    ],
    age: Annotated[float, typer.Option(help="Age of the patients at the start, years.")],
    female: Annotated[float, typer.Option(help="Share of women among them, 0 to 1.")],
    life_table: Annotated[
        str | None,
        typer.Option(
            help="Parameter file of deaths by sex and age; the guideline's own if not given."
        ),
    ] = None,
    norm: Annotated[
        str | None,
        typer.Option(
            help="Parameter file of utilities by sex and age; the guideline's own if not given."
        ),
    ] = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """QALY shortfall of a run, and the decision it leads to."""
    analyses: list[Analysis] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.severity import severity_of
        from qalyst.params.guidelines import guideline as preset

        analysis, found = severity_of(
            folder,
            preset(guideline, f"command line  --guideline {guideline}"),
            strategy=strategy,
            age=age,
            female=female,
            life_table=life_table,
            norm=norm,
            threads=threads,
        )
        analyses.append(analysis)
        return found

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import severity_words

        severity_words.told(analyses[0], found)

    answer(work, tell, as_json)
