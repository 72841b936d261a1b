"""Strict YAML: plain data with line numbers, and nothing that can surprise.

No tags, anchors, aliases or merge keys, no key twice, no infinities, YAML 1.2 scalars
(``no`` is a word, ``1e-3`` is a number, ``12:30`` is a word), bounded size and depth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from qalyst.errors import ModelError

MAX_BYTES = 2_000_000
MAX_DEPTH = 30
Key: TypeAlias = str | int | float
_LOADER = getattr(yaml, "CLoader", yaml.Loader)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")  # left behind by a comma: [20,000]
_NOT_FINITE = re.compile(r"[-+]?\.?(?:inf|Inf|INF|infinity|Infinity|nan|NaN|NAN)")
_WORDS: dict[str, object] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}


@dataclass(frozen=True)
class Mark:
    """A place in a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Section(dict[Key, Any]):
    """A mapping of a file that remembers where each of its keys stands."""

    def __init__(self, items: Mapping[Key, Any] | None = None, *, mark: Mark) -> None:
        super().__init__(items or {})
        self.mark = mark
        self.marks: dict[Key, Mark] = dict(getattr(items, "marks", {}))

    def at(self, key: Key) -> Mark:
        """Where a key stands; the section itself if it has no such key."""
        return self.marks.get(key, self.mark)

    def place(self, key: Key, value: Any, mark: Mark) -> None:
        """Set a key together with where it stands."""
        self[key] = value
        self.marks[key] = mark


def load(path: Path, name: str | None = None) -> Section:
    """Read a YAML file whose top level is a mapping.

    Parameters
    ----------
    path : the file.
    name : how to call it in messages; its path if None.

    Raises
    ------
    ModelError
        The file cannot be read, is too large or too deep, or holds what strict YAML leaves out.
    """
    shown = name or str(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelError(
                f"the file has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read",
                where=shown,
                mend="put large tables into a CSV file named by `file:`",
            )
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(
            "the file is not UTF-8 text", where=shown, mend="save it as UTF-8"
        ) from error
    except OSError as error:
        raise ModelError(
            f"the file cannot be read ({error.strerror})", where=shown, mend="check its name"
        ) from error
    return loads(text, shown)


def loads(text: str, name: str) -> Section:
    """Read YAML text whose top level is a mapping; see `load`."""
    try:
        _refuse_what_strict_leaves_out(text, name)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 0
        what, mend = _fault_of_line(text.splitlines()[: line + 1], line, str(error.problem))
        raise ModelError(what, where=str(Mark(name, line)), mend=mend) from error
    except yaml.YAMLError as error:
        raise ModelError(
            f"this is not YAML: {str(error).splitlines()[0]}", where=name, mend="mend the text"
        ) from error
    if not isinstance(node, yaml.MappingNode):
        raise ModelError(
            "the file holds no mapping", where=name, mend="begin with a line such as 'model: name'"
        )
    return _mapping(node, name)


def _fault_of_line(lines: list[str], line: int, problem: str) -> tuple[str, str]:
    """What is wrong with a line that no parser reads, and how to mend it: often its indentation."""
    rows = [row for row in lines[:line] if row.strip() and not row.lstrip().startswith("#")]
    *above, here = [row[: len(row) - len(row.lstrip())] for row in ["", *rows]]
    if "\t" in here:
        return "the line is indented by a tab", "indent by spaces"
    opens = len(rows) > 1 and rows[-2].rstrip().endswith(":")
    if not opens and len(here) > len(above[-1]) > 0:
        return (
            f"this is not YAML: {problem}; the row is indented by {len(here)} spaces, the row "
            f"above by {len(above[-1])}",
            "indent rows of the same section alike",
        )
    return f"this is not YAML: {problem}", "quote text that holds ': ', '[', '{' or ','"


def _refuse_what_strict_leaves_out(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        start = event.start_mark
        mark = str(Mark(name, start.line + 1 if start is not None else 0))
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ModelError(
                "anchors and aliases (& and *) are not part of a model file",
                where=mark,
                mend="write the value out, or name it under `define:`",
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise ModelError(
                f"tags ('{tag}') are not part of a model file", where=mark, mend="drop it"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ModelError(
                f"the file is nested deeper than {MAX_DEPTH} levels", where=mark, mend="flatten it"
            )


def _value(node: yaml.Node, name: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, name)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, name) for item in node.value]
    return _scalar(node, name)


def _mapping(node: yaml.MappingNode, name: str) -> Section:
    _refuse_commas_in_numbers(node, name)
    section = Section(mark=_mark(node, name))
    for key_node, value_node in node.value:
        mark = _mark(key_node, name)
        if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
            raise ModelError(
                "a key must be a plain word or number", where=str(mark), mend="write a plain key"
            )
        key = _scalar(key_node, name)
        if key is None or isinstance(key, bool):
            key = key_node.value
        if key in section:
            raise ModelError(
                f"the key '{key}' stands twice",
                where=f"{section.at(key)} and {mark}",
                mend="keep one of the two",
            )
        section.place(key, _value(value_node, name), mark)
    return section


def _refuse_commas_in_numbers(node: yaml.MappingNode, name: str) -> None:
    """`{value: 2,500}` is the entry 2 and an entry 500 without a value: no one means that."""
    parts: list[str] = []
    for key, value in [*node.value, (None, None)]:
        if key is not None and _is_number(key) and _is_empty(value):
            parts.append(key.value)
            continue
        if len(parts) > 1:
            break
        parts = [value.value] if value is not None and _is_number(value) else []
    if len(parts) > 1:
        text = ",".join(parts)
        raise ModelError(
            f"'{text}' is {len(parts)} entries, not a number",
            where=str(_mark(node, name)),
            mend=f"write {_without_commas(parts)}",
        )


def _without_commas(parts: list[str]) -> str:
    """The number that was meant: commas group thousands, or the only one is a decimal comma."""
    decimal = f"{parts[0]}.{parts[1]}".rstrip("0").rstrip(".")
    if parts[0].strip("+-") == "0":
        return decimal
    whole = "".join(parts)
    one_comma = len(parts) == 2 and parts[1].isdigit()
    return f"{whole} (a decimal comma: {decimal})" if one_comma else whole


def _is_number(node: yaml.Node) -> bool:
    text = str(node.value) if isinstance(node, yaml.ScalarNode) and not _quoted(node) else ""
    return bool(_INTEGER.fullmatch(text) or _FLOAT.fullmatch(text))


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not _quoted(node) and node.value == ""


def _quoted(node: yaml.Node) -> bool:
    return getattr(node, "style", None) in ("'", '"', "|", ">")


def _scalar(node: yaml.Node, name: str) -> Any:
    text = str(node.value)
    if _quoted(node):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ModelError(
            f"'{text}' is not a number that a model can use",
            where=str(_mark(node, name)),
            mend="write a finite number",
        )
    if _LEADING_ZERO.fullmatch(text):
        raise ModelError(
            f"the number {text} begins with 0",
            where=str(_mark(node, name)),
            mend="write numbers without commas, such as 20000 or 0.05; quote what is a word",
        )
    whole = _INTEGER.fullmatch(text)
    if whole or _FLOAT.fullmatch(text):
        if not math.isfinite(float(text)):
            shown = text if len(text) <= 16 else f"{text[:16]}..."
            raise ModelError(
                f"the number {shown} is too large",
                where=str(_mark(node, name)),
                mend="write a finite number",
            )
        return int(text) if whole else float(text)
    return text


def _mark(node: yaml.Node, name: str) -> Mark:
    return Mark(name, node.start_mark.line + 1)


def mark_of(section: Section, path: tuple[Key, ...]) -> Mark:
    """Where the key at a path stands, or its nearest ancestor that exists."""
    here, mark = section, section.mark
    for key in path:
        if not isinstance(here, Section) or key not in here:
            return mark
        mark, here = here.at(key), here[key]
    return mark


def merge(base: Section, over: Section, *, keep_stray: bool = False) -> Section:
    """An overlay on a section: mappings merge in depth, other values replace, null removes.

    A row that sets `rate` drops its `probability`, and the reverse.

    Parameters
    ----------
    base, over : the section and its overlay.
    keep_stray : keep a null that removes nothing, for whoever reads the section to refuse.
    """
    merged = Section(base, mark=base.mark)
    for given, other in (("rate", "probability"), ("probability", "rate")):
        if over.get(given) is not None:
            merged.pop(other, None)
    for key, value in over.items():
        if value is None and (key in merged or not keep_stray):
            merged.pop(key, None)
        elif isinstance(value, Section):
            below = merged.get(key)
            if not isinstance(below, Section):
                below = Section(mark=value.mark)
                merged.marks[key] = over.at(key)
            merged[key] = merge(below, value, keep_stray=keep_stray)
        else:
            merged.place(key, value, over.at(key))
    return merged


def strays(base: Section, over: Section) -> list[tuple[Key, ...]]:
    """Paths of an overlay's nulls that remove nothing."""
    found: list[tuple[Key, ...]] = []
    for key, value in over.items():
        below = base.get(key)
        if value is None and key not in base:
            found.append((key,))
        elif isinstance(value, Section):
            inside = below if isinstance(below, Section) else Section(mark=value.mark)
            found += [(key, *path) for path in strays(inside, value)]
    return found
