"""Values of information as tables, plain data and a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from qalyst.params.inputs import Input, uncertain_inputs
from qalyst.report.consoles import new_table, print_table
from qalyst.report.labels import currency, effect_nouns
from qalyst.report.numbers import column_numbers, money, percent

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.analysis import Question
    from qalyst.decision.evppi import Evppi
    from qalyst.information import Information
    from qalyst.model.resolved import ResolvedModel

MOST_ROWS = 15  # of a table on the terminal
LITTLE = 0.001  # of the EVPI, below which an input has no row
MUCH = 0.1  # of the EVPI, from which an input is named in the sentence
MOST_NAMED = 3


def input_label(each: Input) -> str:
    """What an input is called in print: its label, and its name."""
    label = each.parameter.label
    return f"{label} ({each.name})" if label and label != each.name else each.name


def input_labels(model: ResolvedModel) -> dict[str, str]:
    """Name of each uncertain input -> what it is called in print."""
    inputs = uncertain_inputs(model.parameters, model.used_parameters)
    return {each.name: input_label(each) for each in inputs}


def evppi_data(values: Iterable[Evppi]) -> list[dict[str, Any]]:
    """Values of information as plain data."""
    return [
        {
            "parameters": list(each.parameters),
            "wtp": each.wtp,
            "value": each.value,
            "se": each.se,
            "interval": list(each.interval),
            "detected": each.detected,
            "adjusted": each.adjusted,
            "message": each.message,
        }
        for each in values
    ]


def information_data(found: Iterable[Information]) -> list[dict[str, Any]]:
    """Values of information at each threshold as plain data."""
    return [
        {
            "wtp": each.wtp,
            "evpi": each.evpi,
            "evpi_mcse": each.evpi_mcse,
            "evppi": evppi_data(each.singles),
            "groups": [
                {"name": name, **data}
                for name, data in zip(each.groups, evppi_data(each.groups.values()), strict=True)
            ],
        }
        for each in found
    ]


def information_table(
    found: Iterable[Information], labels: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """One row a threshold and an input or a group."""
    import pandas as pd

    rows = []
    for each in found:
        named = [("group", name, value) for name, value in each.groups.items()]
        named += [("input", (labels or {}).get(v.name, v.name), v) for v in each.singles]
        rows += [
            {
                "wtp": each.wtp,
                "kind": kind,
                "label": label,
                "parameters": "; ".join(value.parameters),
                "evppi": value.value,
                "se": value.se,
                "lower": value.interval[0],
                "upper": value.interval[1],
                "share_of_evpi": value.value / each.evpi if each.evpi else 0.0,
                "detected": value.detected,
                "raised_by_order": value.adjusted,
                "message": value.message,
            }
            for kind, label, value in named
        ]
    return pd.DataFrame(rows)


def tell_information(
    console: Console,
    question: Question,
    found: Information,
    labels: Mapping[str, str] | None = None,
) -> None:
    """A table of the most valuable groups and inputs at one threshold, and what to mind."""
    code = currency(question, str(question.decision.cost))
    one = effect_nouns(question, str(question.decision.effect))[0]
    threshold = money(found.wtp, code, significant=9)
    table = new_table(
        f"Value of information per person at {threshold} per {one} ({code or 'money'})",
        *("learnt", "EVPPI", "error", "95 % interval", "share of EVPI"),
    )
    groups = sorted(found.groups.items(), key=lambda pair: -pair[1].value)
    shown = [each for each in found.singles if each.detected and each.value > LITTLE * found.evpi]
    shown = shown[:MOST_ROWS]
    rows = [*groups, *(((labels or {}).get(each.name, each.name), each) for each in shown)]
    values = column_numbers([found.evpi, *(each.value for _, each in rows)])
    errors = column_numbers([found.evpi_mcse, *(each.se for _, each in rows)], significant=2)
    table.add_row(Text("everything (EVPI)", style="bold"), values[0], errors[0], "", "")
    for (name, each), value, error in zip(rows, values[1:], errors[1:], strict=True):
        low, high = column_numbers(each.interval)
        share = percent(each.value / found.evpi) if found.evpi else ""
        table.add_row(Text(name), value, error, f"{low} to {high}", share)
    print_table(console, table)
    left = len(found.singles) - len(shown)
    if left:
        none = sum(not each.detected for each in found.singles)
        inputs = "1 more input is" if left == 1 else f"{left} more inputs are"
        console.print(Text(f"  {inputs} worth less; net benefit shows no dependence on {none}"))


def information_sentence(
    question: Question, found: Information, labels: Mapping[str, str] | None = None
) -> str:
    """What would be worth finding out at a threshold, in one sentence."""
    code = currency(question, str(question.decision.cost))
    one = effect_nouns(question, str(question.decision.effect))[0]
    at = f"At {money(found.wtp, code, significant=9)} per {one}"
    if found.evpi == 0:
        return f"{at} no information would change the decision: one strategy is best in every draw."
    whole = money(found.evpi, code)
    worth = [each for each in found.singles if each.detected and each.value > MUCH * found.evpi][
        :MOST_NAMED
    ]
    begin = f"{at} knowing everything would be worth {whole} per person"
    if not worth:
        return f"{begin}; no single input is worth a tenth of that."
    names = [
        f"{(labels or {}).get(each.name, each.name)} ({money(each.value, code)}, "
        f"{percent(each.value / found.evpi)} of it)"
        for each in worth
    ]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{begin}; most is to be learnt about {listed}."
