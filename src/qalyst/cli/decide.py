"""The command decide: draws that another tool made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app
from qalyst.cli.options import AsJson, Thresholds, check_folder, thresholds

if TYPE_CHECKING:
    from qalyst.analysis import Decided
    from qalyst.information import Information


@app.command(
    epilog="Example: qalyst decide costs.csv qalys.csv --params draws.csv --wtp 50000 "
    "--evppi x1 --evppi x1,x2"
)
def decide(
    costs: Annotated[Path, typer.Argument(help="CSV: a column a strategy, a row a draw.")],
    effects: Annotated[Path, typer.Argument(help="QALYs, say: likewise, the same draws.")],
    wtp: Thresholds = None,
    params: Annotated[
        Path | None, typer.Option(help="CSV of the drawn parameters: a column each.")
    ] = None,
    evppi: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Value of learning these together: x1 or x1,x2; all: each alone. Repeatable.",
        ),
    ] = None,
    currency: Annotated[str, typer.Option(help="Three letters, such as GBP; of labels.")] = "",
    effect: Annotated[
        str, typer.Option(help="What the effects are: qalys, life_years, ...")
    ] = "qalys",
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables and figures; none if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide on draws of costs and effects that another tool made (R, Excel, TreeAge)."""
    decided: list[tuple[Decided, tuple[Information, ...]]] = []

    def work() -> dict[str, Any]:
        from qalyst.deciding import decide_files

        check_folder(out)
        analysis, informed, found = decide_files(
            costs,
            effects,
            wtp=thresholds(wtp),
            params=params,
            evppi=evppi or [],
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
