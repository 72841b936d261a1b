"""The command decide: draws that another tool made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import AsJson, Thresholds, check_folder, thresholds

if TYPE_CHECKING:
    from qalyst.analysis import Decided
    from qalyst.information import Information


@app.command(
    epilog=examples(
        "qalyst decide costs.csv qalys.csv --params draws.csv --wtp 50000 --evppi x1 --evppi x1,x2"
    )
)
def decide(
    costs: Annotated[
        Path,
        typer.Argument(help="Costs: CSV file, a column for each strategy, a row for each draw."),
    ],
    effects: Annotated[
        Path,
        typer.Argument(
            help="Effects, such as QALYs: likewise, with the same strategies and draws."
        ),
    ],
    wtp: Thresholds = None,
    params: Annotated[
        Path | None,
        typer.Option(help="Drawn parameters: CSV file, a column for each, and the same rows."),
    ] = None,
    evppi: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="What it is worth to know x1, or x1,x2 together; all: each alone. Repeatable; all "
            "if not given. Needs --params.",
        ),
    ] = None,
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated",
            help="The draws are means of simulated patients: EVPI by regression, without their "
            "luck; takes --params.",
        ),
    ] = False,
    currency: Annotated[
        str, typer.Option(help="Currency of the costs, for labels: three letters, such as GBP.")
    ] = "",
    effect: Annotated[
        str, typer.Option(help="What the effects are, for labels: qalys, life_years, ...")
    ] = "qalys",
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables and figures; none if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide on draws of another tool (R, Excel, TreeAge)."""
    decided: list[tuple[Decided, tuple[Information, ...]]] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.decide import decide_files

        check_folder(out)
        analysis, informed, found = decide_files(
            costs,
            effects,
            wtp=thresholds(wtp),
            params=params,
            evppi=evppi or [],
            simulated=simulated,
            currency=currency,
            effect=effect,
            folder=out,
        )
        decided.append((analysis, informed))
        return found

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.terminal_decision import tell_decided

        tell_decided(*decided[0], found)

    answer(work, tell, as_json)
