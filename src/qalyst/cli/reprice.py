"""The command reprice: other prices, discount rates and thresholds for a run that was kept."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import AsJson, Threads, Thresholds, check_folder, parsed, thresholds
from qalyst.errors import ModelError

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.repricing import Question

RunFolder = Annotated[Path, typer.Argument(help="Folder of a run, as `qalyst run` wrote it.")]


@app.command(
    epilog=examples(
        "qalyst reprice results/nelm --price c_prrt=15000",
        "qalyst reprice results/nelm --discount c_prrt=25% --wtp 50000",
        "qalyst reprice results/nelm --rates zin",
    )
)
def reprice(
    folder: RunFolder,
    price: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A new price, in the unit of its record; also TABLE[label]=VALUE. Repeatable.",
        ),
    ] = None,
    discount: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PERCENT",
            help="Per cent off a price, such as a confidential discount: c_drug=25%. Repeatable.",
        ),
    ] = None,
    utility: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A new utility; runs the model again unless it is a price there. Repeatable.",
        ),
    ] = None,
    wtp: Thresholds = None,
    rates: Annotated[
        str | None,
        typer.Option(
            metavar="GUIDELINE",
            help="Discount rates of a guideline (`qalyst guidelines`), and its thresholds if "
            "they are in the same money.",
        ),
    ] = None,
    run: Annotated[
        bool,
        typer.Option(
            "--run/--no-run", help="Run the model again where that is needed; refuse it otherwise."
        ),
    ] = True,
    threads: Threads = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; none is written if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a run about other prices, rates or thresholds.

    Nothing is simulated again, unless what changes enters more than prices.
    """
    analyses: list[Analysis] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.reprice import ask
        from qalyst.params.guidelines import guideline

        check_folder(out)
        question = _question(price or [], discount or [], utility or [], thresholds(wtp))
        preset = guideline(rates, f"command line  --rates {rates}") if rates else None
        if preset is None and not (question.values or question.discounts or question.thresholds):
            raise ModelError(
                "nothing is asked",
                where="command line",
                mend="give --price, --discount, --utility, --wtp or --rates",
            )
        _check_units(folder, price or [], discount or [], utility or [])
        words = ["qalyst", "reprice", str(folder)]
        for option, given in (("price", price), ("discount", discount), ("utility", utility)):
            words += [word for text in given or [] for word in (f"--{option}", text)]
        words += [word for each in question.thresholds for word in ("--wtp", f"{each:.15g}")]
        words += ["--rates", rates] if rates else []
        analysis, found = ask(
            folder,
            question,
            guideline=preset,
            out=out,
            threads=threads,
            may_run=run,
            rerun=shlex.join(words),
        )
        analyses.append(analysis)
        return found

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.run_result(analyses[0], found, _told(found))

    answer(work, tell, as_json)


def _told(found: dict[str, Any]) -> list[str]:
    """What was asked, in words."""
    asked = found["asked"]
    return [
        *(f"{name}={value:g}" for name, value in asked["values"].items()),
        *(f"{name} less {100 * share:g} %" for name, share in asked["discounts"].items()),
        *([f"rates of {asked['guideline']}"] if asked["guideline"] else []),
    ]


def _question(
    prices: list[str], discounts: list[str], utilities: list[str], wtp: list[float]
) -> Question:
    from qalyst.repricing import Question

    values = parsed(prices, "--price")
    for name, value in parsed(utilities, "--utility").items():
        if name in values:
            raise ModelError(
                f"'{name}' is asked for twice",
                where=f"command line  --utility {name}",
                mend="keep one of the two",
            )
        values[name] = value
    return Question(values=values, discounts=_shares(discounts), thresholds=tuple(wtp))


def _shares(texts: list[str]) -> dict[str, float]:
    """Discounts as shares: ``name=25%``."""
    found: dict[str, float] = {}
    for text in texts:
        name, equals, amount = text.partition("=")
        where = f"command line  --discount {text}"
        number = amount.strip().removesuffix("%")
        try:
            percent = float(number)
        except ValueError:
            percent = math.nan
        if not equals or not amount.strip().endswith("%") or not 0 <= percent <= 100:
            raise ModelError(
                f"'{text}' is no discount", where=where, mend="write a per cent: c_drug=25%"
            )
        if name.strip() in found:
            raise ModelError(f"'{name}' is discounted twice", where=where, mend="keep one of them")
        found[name.strip()] = percent / 100
    return found


def _check_units(
    folder: Path, prices: list[str], discounts: list[str], utilities: list[str]
) -> None:
    """A price is money; a utility is not."""
    from qalyst.repricing import cells_of
    from qalyst.saved_runs import read_run
    from qalyst.units import currencies

    parameters = read_run(folder).identity.load().parameters
    options = (("--price", prices), ("--discount", discounts), ("--utility", utilities))
    for option, texts in options:
        for name in (text.partition("=")[0].strip() for text in texts):
            parameter = parameters[cells_of(parameters, name)[0][0]]
            if currencies(parameter.unit):
                meant = "--price"
            else:
                meant = "--utility" if parameter.unit_text == "utility" else "qalyst run --set"
            if meant != ("--price" if option == "--discount" else option):
                raise ModelError(
                    f"'{name}' is in {parameter.unit_text}",
                    where=f"command line  {option} {name}",
                    mend=f"write {meant} {name}=...",
                )
