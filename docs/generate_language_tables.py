"""Write the word tables of `docs/language.md` from the code that defines the words.

``python docs/generate_language_tables.py`` fills the blocks between ``<!-- begin: NAME -->`` and
``<!-- end: NAME -->``; with ``--check`` it writes nothing and exits with 1 if the page is stale.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from qalyst.model import ledger, names, schema
from qalyst.model.vocabulary import FUNCTIONS, RESERVED
from qalyst.params.record import RawParameter, SourceRecord
from qalyst.stats import differences
from qalyst.stats.survival import FAMILIES, Parameter
from qalyst.stats.uncertainty import Uncertainty

PAGE = Path(__file__).with_name("language.md")

# section -> what it holds; its keys follow from the record, if the section or its rows have one
SECTIONS: dict[str, tuple[str, type[BaseModel] | None]] = {
    "model": ("name of the model, the same as that of the file", None),
    "title": ("one sentence", None),
    "source": ("the publication", schema.SourceSection),
    "parameters": ("list of parameter files", None),
    "decision": ("what is compared", schema.DecisionSection),
    "money": ("currency and price year of the model", schema.MoneySection),
    "time": ("the clock; without it the model is a decision tree", schema.TimeSection),
    "outcomes": ("a row for each thing that is added up", schema.OutcomeSection),
    "profiles": ("dimension: {label: weight}, or {label: {weight, columns}}", None),
    "attributes": (
        "a row for each number that differs between patients, and `patients_sampled`",
        schema.AttributeSection,
    ),
    "strategies": ("a row for each strategy, with columns", schema.StrategyKeys),
    "treatments": ("a row for each treatment of a sequence, with columns", schema.TreatmentKeys),
    "sequences": (
        "which orders of the treatments `qalyst sequences` compares",
        schema.SequencesSection,
    ),
    "states": ("a row for each state, with columns", schema.StateKeys),
    "groups": ("name: [state, state]", None),
    "track": ("a row for each history tracker", schema.TrackerSection),
    "define": ("name: expression", None),
    "curves": ("a row for each curve made of others", schema.CurveSection),
    "transitions": ("a row for each cause", schema.TransitionSection),
    "occupancy": ("state: its share at `years`, in place of `transitions`", None),
    "payoffs": ("outcome: a row for each category", schema.PayoffSection),
    "targets": ("published survival, drawn beside that of the model", schema.TargetsSection),
    "scenarios": ("name: sections that replace or add to those of the file", None),
}
RECORD = {
    "label": "what it is, for tables and figures",
    "unit": "its unit (section 6); of a curve one for each of its parameters",
    "value": "a number; a table of labels and steps; the parameters of a curve",
    "uncertainty": "`{family: ..., ...}`, see below",
    "source": "`{cite, locator, doi}`; an assumption is a source too",
    "status": "`retrieved` (read there), `recalled` (from memory) or `assumption`",
    "by": "the axes of a table, such as `[sex, age]`",
    "file": "a CSV file in place of `value`: one column for each axis, then `value`",
    "names": "names of several numbers that are drawn together",
    "curve": "a survival family",
    "price_year": "year of the prices, or `unknown`; needed if the unit holds a currency",
    "range": "`[low, high]` as the source prints it, where it gives no distribution",
    "source.cite": "author and year, or `assumption`",
    "source.locator": "table, page, or who assumed it",
    "source.doi": "without `https://doi.org/`",
}
EVENTS = {
    "one": "somebody who arrives is at risk from the next cycle on",
    "two": "somebody who arrives is at risk once more, for the half cycle that is left on average",
    "any": "any number of events: continuous time within the cycle",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def functions() -> str:
    """The functions of the language."""
    return table(
        ("function", "meaning", "units"),
        ((f"`{f.usage}`", f.meaning, f.units) for f in FUNCTIONS.values()),
    )


def reserved() -> str:
    """The reserved names."""
    return table(
        ("name", "meaning", "unit", "axis"),
        ((f"`{n.name}`", n.meaning, n.unit, n.axes) for n in RESERVED.values()),
    )


def scopes() -> str:
    """Which reserved names and trackers mean something where an expression stands."""
    places = {
        "rate, probability or `when` out of a state": names.TRANSITION,
        "probability out of `start` or an instant state": names.CHANCE,
        "`quantity` or `when` of a payoff": names.PAYOFF,
        "`price`": names.PRICE,
        "`discount` of an outcome": names.DISCOUNT,
        "weight of a profile": names.WEIGHT,
        "argument of an attribute": names.ARGUMENT,
        "`amount` of a tracker": names.AMOUNT,
        "share in `occupancy`": names.OCCUPANCY,
    }
    others = [scope for scope in places.values() if scope is not names.ARGUMENT]
    everywhere = frozenset.intersection(*(scope.reserved for scope in others))
    rows = []
    for place, scope in places.items():
        words = [f"`{name}`" for name in RESERVED if name in scope.reserved - everywhere]
        words += [f"not `{name}`" for name in sorted(everywhere - scope.reserved)]
        yes = ("yes" if may else "no" for may in (scope.trackers, scope.attributes))
        rows.append((place, ", ".join(words) or "none", *yes))
    titles = ("where", "besides the names that mean the same everywhere", "trackers", "attributes")
    return table(titles, rows)


def sections() -> str:
    """The sections with their keys."""
    if tuple(SECTIONS) != schema.SECTIONS:
        raise SystemExit("SECTIONS here and in model/schema.py differ")
    rows = []
    for name, (holds, record) in SECTIONS.items():
        rows.append((f"`{name}`", holds, keys_of(record) if record else ""))
    return table(("section", "holds", "keys"), rows)


def records() -> str:
    """The keys of a parameter record and of its source."""
    fields = fields_of(RawParameter)
    fields += [(f"source.{key}", *words) for key, *words in fields_of(SourceRecord)]
    rows = [(f"`{key}`", RECORD[key], absent) for key, _, absent in fields]
    return table(("key", "takes", "if absent"), rows)


def uncertainty() -> str:
    """The families of uncertainty: keys, and what the value is."""
    rows = []
    for family in get_args(get_args(Uncertainty)[0]):
        word = family.model_fields["family"].default
        keys = []
        for key, field in family.model_fields.items():
            if key != "family":
                optional = "" if field.is_required() else " (or another)"
                keys.append(f"`{key}`{optional}")
        rows.append((f"`{word}`", ", ".join(keys), first_line(family)))
    return table(("family", "keys", "meaning"), rows)


def attributes() -> str:
    """The families of attributes: arguments, and what they are of the distribution."""
    rows = []
    for family in differences.FAMILIES.values():
        keys = ", ".join(f"`{key}`" for key in family.arguments)
        rows.append((f"`{family.name}`", keys, family.meaning, family.needs))
    return table(("family", "arguments", "meaning", "needs"), rows)


def survival() -> str:
    """The survival families: parameters in the order of a fit, and the formula."""
    rows = []
    for family in FAMILIES.values():
        words = "; ".join(f"`{p.name}` {parameter_words(p)}" for p in family.parameters)
        rows.append((f"`{family.name}`", words, first_line(family.log_survival)))
    return table(("`curve:`", "parameters, in the order of a covariance", "form"), rows)


def corrections() -> str:
    """The words of `correction`."""
    return words_of("correction", ledger._HEADS, "what is counted as time in a state")


def events() -> str:
    """The words of `events_per_cycle`."""
    return words_of("events_per_cycle", EVENTS, "meaning")


def discounting() -> str:
    """The words of `discounting`."""
    moments = {"counted": "at the moment its heads are counted (continuously under `exact`)"}
    return words_of("discounting", moments | ledger._MOMENT, "time in states is discounted")


def one_off() -> str:
    """The words of `one_off`."""
    return words_of("one_off", ledger._MOMENT, "a move during a cycle is discounted")


def words_of(key: str, meaning: dict[str, str], title: str) -> str:
    """The words that a key of `time:` takes."""
    annotation = schema.TimeSection.model_fields[key].annotation
    words = literals(annotation)
    return table((f"`{key}`", title), ((f"`{word}`", meaning[word]) for word in words))


def literals(annotation: Any) -> list[str]:
    """The words of a Literal, also inside a union."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for part in get_args(annotation) for word in literals(part)]


def keys_of(record: type[BaseModel]) -> str:
    """Keys of a record on one line."""
    parts = []
    for key, _, absent in fields_of(record):
        if absent == "error":
            parts.append(f"**`{key}`**")
        else:
            parts.append(f"`{key}`" if absent == "none" else f"`{key}` = {absent}")
    return ", ".join(parts)


def fields_of(record: type[BaseModel]) -> list[tuple[str, str, str]]:
    """(key, what it takes, what absence means) of a record."""
    found = []
    for name, field in record.model_fields.items():
        found.append((field.alias or name, takes(field.annotation), absence(field)))
    return found


def absence(field: FieldInfo) -> str:
    """What it means that a key is absent."""
    if field.is_required():
        return "error"
    default = field.default_factory() if field.default_factory else field.default
    if default is None or default == []:
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def takes(annotation: Any) -> str:
    """The type of a key in words."""
    if annotation == schema.Cell:
        return "expression"
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        words = [takes(part) for part in parts if part is not type(None)]
        if {"text", "whole number", "number", "true or false"} <= set(words):
            words = ["expression"]
        return " or ".join(dict.fromkeys(words))
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in parts)
    if origin is list:
        return f"list of {takes(parts[0])}"
    if hasattr(annotation, "__metadata__"):
        return takes(annotation.__origin__)
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return plain.get(annotation, "mapping" if origin is dict else "any value")


def parameter_words(parameter: Parameter) -> str:
    """What a parameter of a survival family is."""
    words = []
    if parameter.log_year:
        words.append("log years")
    elif parameter.year:
        words.append("years" if parameter.year > 0 else "1/year")
    if parameter.vector:
        words.append("list")
    if parameter.positive:
        words.append("0 or more" if parameter.vector else "above 0")
    if not parameter.drawn:
        words.append("never drawn")
    return f"({', '.join(words)})" if words else "(any number)"


def first_line(thing: Any) -> str:
    """First line of a docstring, as it may stand in a table."""
    line = str(thing.__doc__).strip().splitlines()[0].replace("``", "`").rstrip(".")
    return line.replace("|", "\\|")


BLOCKS: dict[str, Callable[[], str]] = {
    block.__name__: block
    for block in (
        sections,
        records,
        uncertainty,
        attributes,
        survival,
        functions,
        reserved,
        scopes,
        events,
        corrections,
        discounting,
        one_off,
    )
}


def filled(page: str) -> str:
    """The page with every block written anew."""
    for name, block in BLOCKS.items():
        pattern = rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)"
        text = block()
        page, count = re.subn(
            pattern, lambda found, text=text: f"{found[1]}{text}\n{found[2]}", page, flags=re.DOTALL
        )
        if count != 1:
            raise SystemExit(f"language.md has {count} blocks '{name}', not one")
    return page


def main() -> None:
    """Write the page, or check it."""
    page = PAGE.read_text(encoding="utf-8")
    written = filled(page)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(written, encoding="utf-8")
    elif written != page:
        raise SystemExit("docs/language.md is stale: run python docs/generate_language_tables.py")


if __name__ == "__main__":
    main()
