"""The value of information on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qalyst.report.labels import currency, effect_nouns
from qalyst.report.numbers import NONE, decimals_for, money, number, percent
from qalyst.report.page_tables import Table
from qalyst.report.value_words import LITTLE, information_sentence, input_labels

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.decision.evppi import Evppi

MOST_INPUTS = 10


def learnt(analysis: Analysis) -> tuple[Table | None, list[str]]:
    """The most valuable inputs at each threshold, and the sentences; none without draws enough."""
    found = analysis.information
    if not found:
        return None, []
    labels = input_labels(analysis.model)
    sentences = [information_sentence(analysis.model, each, labels) for each in found]
    by_name = [{value.name: value for value in each.singles} for each in found]
    worth = {
        name: max(
            (at[name].value / each.evpi if each.evpi else 0.0)
            for each, at in zip(found, by_name, strict=True)
        )
        for name in by_name[0]
    }
    order = sorted(worth, key=lambda name: -worth[name])
    shown = [name for name in order if worth[name] > LITTLE][:MOST_INPUTS]
    if not shown:
        return None, sentences
    rows = [[labels.get(name, name)] for name in shown] + [["Everything (EVPI)"]]
    for each, at in zip(found, by_name, strict=True):
        column = [at[name] for name in shown]
        places = decimals_for([*(value.value for value in column), each.evpi])
        for row, value in zip(rows, column, strict=False):
            row += _cells(value, each.evpi, places)
        row = rows[-1]
        row += [f"{number(each.evpi, places)} ({number(each.evpi_mcse, places)})", ""]
    model = analysis.model
    code = currency(model, analysis.cost)
    one = effect_nouns(model, analysis.effect)[0]
    return (
        Table(
            f"Value of learning an input before deciding ({code or 'money'} per person)",
            ("Input", *("EVPPI (error)", "Share of EVPI") * len(found)),
            rows,
            groups=[(f"{money(each.wtp, code, significant=9)} per {one}", 2) for each in found],
            total=True,
            note="EVPPI: expected value of partial perfect information, by regression on the "
            "draws, with its Monte Carlo standard error. Values of several inputs do not add up.",
        ),
        sentences,
    )


def _cells(value: Evppi, evpi: float, places: int) -> list[str]:
    share = percent(value.value / evpi) if evpi else NONE
    return [f"{number(value.value, places)} ({number(value.se, places)})", share]
