"""Closed records: sections of a file checked by pydantic, mistakes told by file and line."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from qalyst.errors import Mistakes, nearest
from qalyst.io.yaml import Section, mark_of


class Record(BaseModel):
    """Immutable and closed: an unknown key is a misspelling, not an extension."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        strict=True,
        arbitrary_types_allowed=True,
    )


_PLAIN = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
}
_TRUTHS = {
    "true": "true",
    "yes": "true",
    "on": "true",
    "false": "false",
    "no": "false",
    "off": "false",
}
_DURATIONS = ("cycle", "horizon", "residence")
_QUOTED = re.compile(r"'([^']*)'")
Some = TypeVar("Some", bound=BaseModel)


def read(kind: type[Some], section: Section, what: str) -> Some:
    """Check a section against a record.

    Parameters
    ----------
    kind : the record's class.
    section : the mapping as read from the file.
    what : how to call it in messages, such as ``transitions.die``.

    Raises
    ------
    ModelError
        All that is wrong with the section, each with its line.
    """
    try:
        return kind.model_validate(dict(section))
    except ValidationError as error:
        mistakes = Mistakes()
        for path, items in _by_key(error, section).items():
            _explain(mistakes, path, items, kind, section, what)
        mistakes.raise_if_any()
        raise AssertionError("pydantic found mistakes and named none") from error


def known_keys(kind: type[BaseModel]) -> list[str]:
    """The keys that a record takes, as they are written in the file."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def _by_key(error: ValidationError, section: Section) -> dict[tuple[Any, ...], list[Any]]:
    """What is wrong by the key of the file: a union of types complains once for each of them."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for item in error.errors():
        path, here = tuple(item["loc"]), section
        for depth, key in enumerate(path):
            if not isinstance(here, dict) or key not in here:
                inside = item["type"] in ("missing", "extra_forbidden") or not depth
                path = path if inside else path[:depth]
                break
            here = here[key]
        found.setdefault(path, []).append(item)
    return found


def _explain(
    mistakes: Mistakes,
    path: tuple[Any, ...],
    items: list[Any],
    kind: type[BaseModel],
    section: Section,
    what: str,
) -> None:
    item = items[0]
    where = f"{mark_of(section, path)}  {'.'.join([what, *map(str, path)])}"
    if item["type"] in ("extra_forbidden", "invalid_key"):
        mend = nearest(str(path[-1]), known_keys(kind)) if len(path) == 1 else "drop it"
        mistakes.add(f"unknown key '{path[-1]}' in {what}", where=where, mend=mend)
    elif item["type"] == "missing":
        mistakes.add(f"{what} lacks '{path[-1]}'", where=where, mend=f"add `{path[-1]}:`")
    else:
        found = item.get("input")
        shown = f" (found {found!r})" if not isinstance(found, dict | list) else ""
        messages = [_PLAIN.get(each["type"], _message(each)) for each in items]
        message = " or ".join(dict.fromkeys(messages)).replace(" or must be ", " or ")
        mistakes.add(
            f"'{path[-1] if path else what}' {message}{shown}",
            where=where,
            mend=_mend(path, found, items) or f"write what {what} takes there",
        )


def _message(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]


def _mend(path: tuple[Any, ...], found: Any, items: list[Any]) -> str:
    """What was meant, where it can be told from what was written."""
    kinds = {item["type"]: item for item in items}
    if "bool_type" in kinds and str(found).lower() in _TRUTHS:
        return f"write {_TRUTHS[str(found).lower()]}"
    if "list_type" in kinds and isinstance(found, str | int | float):
        return f"write [{found}]"
    if "string_type" in kinds and path and path[-1] in _DURATIONS and isinstance(found, int):
        return f"write {found} years, say"
    if "literal_error" in kinds:
        return nearest(str(found), _QUOTED.findall(kinds["literal_error"]["ctx"]["expected"]))
    return ""
