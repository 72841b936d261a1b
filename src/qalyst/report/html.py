"""The page of a run: one file, readable offline and on paper, that loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from qalyst.report import page_tables
from qalyst.report.drawing import Saved
from qalyst.report.labels import (
    currency,
    discount_text,
    outcome_label,
    price_year,
    sentence_case,
    strategy_label,
    time_settings,
)
from qalyst.report.notes import counts_by_status, notes
from qalyst.report.numbers import NONE, money, short
from qalyst.report.parameter_words import MOST_CELLS, CellWords, cells
from qalyst.report.value_page import learnt
from qalyst.report.words import committee_sentence

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.model.resolved import ResolvedModel
    from qalyst.params.parameter import Parameter
    from qalyst.published import Published


def page(
    analysis: Analysis,
    figures: Sequence[Saved],
    origin: Mapping[str, Any],
    published: Published | None = None,
) -> str:
    """The page as HTML.

    Parameters
    ----------
    analysis : the run.
    figures : of `qalyst.report.figures`; embedded as SVG.
    origin : of `qalyst.report.provenance`.
    published : published survival beside the model's, if the model names any.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    model = analysis.model
    learnt_table, learnt_words = learnt(analysis)
    return environment.get_template("page.html.j2").render(
        title=model.title,
        source=model.source,
        sentence=committee_sentence(analysis),
        notes=notes(analysis),
        settings=settings(analysis, origin),
        strategies=_strategies(model),
        results=page_tables.results(analysis),
        incremental=_incremental(analysis),
        decision=page_tables.decision(analysis),
        learnt=learnt_table,
        learnt_words=learnt_words,
        spread=page_tables.spread(analysis),
        breakdowns=page_tables.breakdowns(analysis),
        published=page_tables.published_survival(analysis, published) if published else None,
        figures=[
            {"name": each.name, "caption": each.caption, "data": _data(each.svg)}
            for each in figures
        ],
        counts=counts_by_status(analysis),
        parameters=[_parameter(model.parameters[name]) for name in model.used_parameters],
        timing=page_tables.timing(model),
        origin=origin,
    )


def settings(analysis: Analysis, origin: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was run, in words."""
    model = analysis.model
    decision = model.decision
    thresholds = [
        money(wtp, currency(model, analysis.cost), significant=9) for wtp in decision.thresholds
    ]
    drawn = f"{origin['draws']:,}, seed {origin['seed']}" if analysis.psa else "none"
    year = price_year(model)
    index = model.money.index.label if model.money and model.money.index else ""
    found = [
        ("Scenarios", ", ".join(model.scenarios) or "base case"),
        ("Values set", ", ".join(origin["values"])),
        ("Perspective", decision.perspective),
        *time_settings(model),
        *(
            (f"Discounting, {sentence_case(name)}", discount_text(model, name))
            for name in model.outcomes
        ),
        ("Prices", f"{year}{f', carried by: {index}' if index else ''}" if year else "not stated"),
        ("Thresholds", ", ".join(thresholds) or "none stated"),
        ("Patients", _patients(analysis)),
        ("Draws", drawn if analysis.varies or not analysis.psa else f"{drawn} (all equal)"),
    ]
    if not any(outcome_label(model, name) != sentence_case(name) for name in model.outcomes):
        found = [pair for pair in found if pair[0] != "Prices"]
    return [pair for pair in found if pair[1]]


def _patients(analysis: Analysis) -> str:
    outcomes = analysis.psa or analysis.base
    return f"{outcomes.patients:,} in each draw" if outcomes.patients else ""


def _strategies(model: ResolvedModel) -> list[tuple[str, str]]:
    """Each strategy, with its sequence of treatments if it has one."""
    found = []
    for name, strategy in model.strategies.items():
        labels = [model.treatments[step].label for step in strategy.sequence]
        found.append((strategy_label(model, name), ", then ".join(labels)))
    return found


def _incremental(analysis: Analysis) -> list[page_tables.Table]:
    found = []
    if analysis.incremental is not None and analysis.varies:
        found.append(page_tables.incremental(analysis, analysis.incremental, drawn=True))
    if analysis.base_incremental is not None:
        found.append(page_tables.incremental(analysis, analysis.base_incremental, drawn=False))
    return found


def _data(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _parameter(parameter: Parameter) -> dict[str, Any]:
    """A parameter as the table shows it: each cell, or the range of a long table."""
    own = cells(parameter)
    lines = [_line(cell) for cell in own] if len(own) <= MOST_CELLS else [_range(own, parameter.by)]
    carried = ""
    if parameter.price_year is not None and parameter.unit_text and parameter.index != 1:
        carried = f"{parameter.price_year} prices, times {short(parameter.index)}"
    return {
        "name": parameter.name,
        "label": parameter.label,
        "unit": parameter.unit_text,
        "carried": carried,
        "lines": lines,
        "cite": parameter.source.cite,
        "locator": parameter.source.locator,
        "doi": parameter.source.doi,
        "link": quote(parameter.source.doi, safe="/().;:-_") if parameter.source.doi else "",
        "status": parameter.status,
    }


def _line(cell: CellWords) -> dict[str, str]:
    low, high = cell.interval
    return {
        "cell": cell.cell,
        "value": NONE if cell.value != cell.value else short(cell.value),
        "interval": NONE if low != low else f"{short(low)} to {short(high)}",
        "uncertainty": cell.uncertainty,
    }


def _range(own: list[CellWords], by: Sequence[str]) -> dict[str, str]:
    values = [cell.value for cell in own]
    words = list(dict.fromkeys(cell.uncertainty for cell in own))
    return {
        "cell": f"{len(own):,} values by {', '.join(by)}" if by else f"{len(own):,} values",
        "value": f"{short(min(values))} to {short(max(values))}",
        "interval": NONE,
        "uncertainty": words[0] if len(words) == 1 else f"{words[0]}, and others",
    }
