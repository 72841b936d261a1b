"""The command threshold: where the choice changes, and value-based prices."""

from __future__ import annotations

from collections.abc import Callable
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
)
from qalyst.cli.varying import Asked, Comparator, Out, Strategy, Wtp, opened, range_of, written
from qalyst.errors import ModelError

if TYPE_CHECKING:
    from qalyst.sensitivity.points import Study


@app.command(
    epilog=examples(
        "qalyst threshold hiv rr_combination --between 0.4:1 --wtp 10000",
        "qalyst threshold nelm c_prrt --price",
        "qalyst threshold hiv c_a --wtp 10000 --draws 1000",
    )
)
def threshold(
    model: ModelName,
    parameter: Annotated[
        str, typer.Argument(help="Name of the input, or of the price, as `qalyst show` gives it.")
    ],
    scenario: Scenarios = None,
    values: Values = None,
    between: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH", help="Range that is searched; the 95 % interval if not given."
        ),
    ] = None,
    wtp: Wtp = None,
    price: Annotated[
        bool,
        typer.Option(
            "--price", help="Find the price at which the two strategies are equally good value."
        ),
    ] = False,
    strategy: Strategy = None,
    comparator: Comparator = None,
    draws: Annotated[
        int | None,
        typer.Option(help="Decide by mean net benefit over so many draws of the other inputs."),
    ] = None,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find where another strategy is optimal, or a price."""
    told: list[Callable[[dict[str, Any]], None]] = []

    def work() -> dict[str, Any]:
        check_folder(out)
        _check_threshold(price, between, strategy, comparator)
        ends = None if between is None else range_of(f"{parameter}={between}", "--between")[1]
        study = opened(model, scenario, values, threads)
        asked = Asked(model, values, out, draws, seed)
        if price:
            return _prices(study, parameter, wtp, strategy, comparator, asked, told)
        return _threshold(study, parameter, ends, wtp, asked, told)

    answer(work, lambda found: told[0](found), as_json)


def _threshold(
    study: Study,
    parameter: str,
    between: tuple[float, float] | None,
    wtp: float | None,
    asked: Asked,
    told: list[Callable[[dict[str, Any]], None]],
) -> dict[str, Any]:
    from qalyst.report import figures_grid
    from qalyst.report.sensitivity_tables import threshold_data, threshold_tables
    from qalyst.report.sensitivity_words import tell_threshold, threshold_sentence
    from qalyst.sensitivity.threshold import threshold

    found = threshold(
        study, parameter, between=between, wtp=wtp, draws=asked.draws, seed=asked.seed
    )
    told.append(lambda data: tell_threshold(study.model, found, data))
    return written(
        study.model,
        found.standing,
        "threshold",
        asked,
        options=[parameter, "--between", f"{found.low:.17g}:{found.high:.17g}"],
        data=threshold_data(found) | {"sentence": threshold_sentence(study.model, found)},
        tables=threshold_tables(found),
        drawings=lambda: [figures_grid.threshold(study.model, found)],
        pair=False,
    )


def _prices(
    study: Study,
    parameter: str,
    wtp: float | None,
    strategy: str | None,
    comparator: str | None,
    asked: Asked,
    told: list[Callable[[dict[str, Any]], None]],
) -> dict[str, Any]:
    from qalyst.report import figures_grid
    from qalyst.report.sensitivity_tables import prices_data, prices_tables
    from qalyst.report.sensitivity_words import tell_prices
    from qalyst.sensitivity.price import value_based_prices

    found = value_based_prices(
        study,
        parameter,
        wtp=() if wtp is None else (wtp,),
        strategy=strategy,
        comparator=comparator,
        draws=asked.draws,
        seed=asked.seed,
    )
    told.append(lambda data: tell_prices(study.model, found, data))
    several = len([each for each in found if each.price is not None]) > 1
    return written(
        study.model,
        found[0].standing,
        "price",
        asked,
        command="threshold",
        options=[parameter, "--price"],
        data=prices_data(found),
        tables=prices_tables(found),
        drawings=lambda: [figures_grid.prices(study.model, found)] if several else [],
        price=wtp is not None,
    )


def _check_threshold(
    price: bool, between: str | None, strategy: str | None, comparator: str | None
) -> None:
    if price and between is not None:
        raise ModelError(
            "a price needs no range",
            where="command line  --price --between",
            mend="keep one of the two",
        )
    if not price and (strategy or comparator):
        raise ModelError(
            "a threshold looks at all strategies, not at a pair",
            where="command line  --strategy, --comparator",
            mend="leave them out, or ask for the --price of a pair",
        )
