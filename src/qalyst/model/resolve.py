"""From a model file to a resolved model: scenarios, parameters, defaults, checks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.io.files import find_model, find_parameters
from qalyst.io.records import read
from qalyst.io.yaml import Mark, Section, load, mark_of, merge, strays
from qalyst.model.attributes import attributes, check_attributes, patients_sampled
from qalyst.model.eligibility import check_sequences, sequence_rules
from qalyst.model.kinds import check_units
from qalyst.model.names import check_names, used_names
from qalyst.model.resolved import Decision, ResolvedModel, Targets
from qalyst.model.schema import (
    SECTIONS,
    DecisionSection,
    MoneySection,
    SourceSection,
    TargetsSection,
)
from qalyst.model.sections import Sections
from qalyst.model.structure import check_structure
from qalyst.params.load import load_parameters
from qalyst.params.money import Money, in_one_money
from qalyst.params.parameter import Parameter, above_full_health

COMMAND_LINE = "command line  --set"
_TABLE_COLUMN = re.compile(r"[A-Za-z]\w*\.[A-Za-z]\w*")  # whole names, as an expression reads them


def load_model(
    name: str,
    *,
    scenarios: Sequence[str] = (),
    values: Mapping[str, float] | None = None,
) -> ResolvedModel:
    """Read a model, apply scenarios and values, and resolve it.

    Parameters
    ----------
    name : name of a model of the catalogue, or path of a model file.
    scenarios : overlays of the file, applied in this order.
    values : parameter (or ``table[label, label]``, ``curve[shape]``) -> value in the unit of its
        record, the same in every draw.

    Raises
    ------
    ModelError
        All that is wrong with the files, each mistake with its line.
    """
    path = find_model(name)
    shown = _shown(path)
    document = load(path, shown)
    mistakes = Mistakes()
    _check_sections(document, path, shown, mistakes)
    mistakes.raise_if_any()
    known = document.get("scenarios") or Section(mark=document.mark)
    merged, overlaid = _with_scenarios(document, known, scenarios, shown)
    if scenarios:
        _check_sections(merged, path, shown, mistakes)
        mistakes.raise_if_any()
    parameters = _load_all(merged, path, mistakes)
    mistakes.raise_if_any()
    parameters = _with_values(parameters, overlaid, values or {})
    with mistakes.caught():  # what was noted before is told too
        model = _assemble(merged, document, parameters, shown, tuple(scenarios), mistakes)
    mistakes.raise_if_any()
    _check(model, merged, mistakes)
    mistakes.raise_if_any()
    return _with_money_and_notes(model, merged, path)


def _shown(path: Path) -> str:
    """The path as one names it: from here if it is below, else its last two parts."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(Path(*path.parts[-2:]))


def _check_sections(document: Section, path: Path, shown: str, mistakes: Mistakes) -> None:
    for key in document:
        if key not in SECTIONS:
            mistakes.add(
                f"unknown section '{key}'",
                where=str(document.at(key)),
                mend=nearest(str(key), SECTIONS),
            )
    for needed in ("model", "title", "parameters", "outcomes", "strategies", "states"):
        if needed not in document:
            mistakes.add(f"the section '{needed}' is missing", where=shown, mend=f"add `{needed}:`")
    if not ({"transitions", "occupancy"} & set(document)):
        mistakes.add("the model has no `transitions:`", where=shown, mend="add them")
    for key in set(SECTIONS) - {"model", "title", "parameters"}:
        if key in document and not isinstance(document[key], Section):
            mistakes.add(
                f"the section '{key}' is not a mapping",
                where=str(document.at(key)),
                mend="write one row a line, `name: ...`",
            )
    for key in ("outcomes", "strategies", "states"):
        if isinstance(document.get(key), Section) and not set(document[key]) - {"default"}:
            mistakes.add(
                f"the section '{key}' has no rows",
                where=str(document.at(key)),
                mend="add at least one row",
            )
    if document.get("model") not in (None, path.stem):
        mistakes.add(
            f"the model is called '{document['model']}', its file '{path.name}'",
            where=str(document.at("model")),
            mend=f"write `model: {path.stem}`, or rename the file",
        )


def _with_scenarios(
    document: Section, known: Section, scenarios: Sequence[str], shown: str
) -> tuple[Section, Section]:
    """The document with the overlays, and the parameter values they set."""
    merged = document
    values = Section(mark=document.mark)
    for name in scenarios:
        if list(scenarios).count(name) > 1:
            raise ModelError(
                f"the scenario '{name}' is given twice",
                where="command line  --scenario",
                mend="keep one of the two",
            )
        overlay = known.get(name)
        if not isinstance(overlay, Section):
            raise ModelError(
                f"no scenario '{name}' in {shown}",
                where="command line  --scenario",
                mend=nearest(name, map(str, known)),
            )
        for key in overlay:
            if key not in SECTIONS or key in ("model", "scenarios"):
                raise ModelError(
                    f"the scenario '{name}' changes '{key}', which is no section of a model",
                    where=str(overlay.at(key)),
                    mend=nearest(str(key), SECTIONS),
                )
        changed = Section(overlay, mark=overlay.mark)
        given = changed.pop("parameters", None)
        if given is not None and not isinstance(given, Section):
            raise ModelError(
                f"`parameters:` of the scenario '{name}' is not a mapping",
                where=str(overlay.at("parameters")),
                mend="write {name: value}",
            )
        given = given or Section(mark=overlay.mark)
        # an earlier overlay may have removed the same, or added it
        _refuse_strays(name, changed, merge(document, merged))
        _refuse_strays(name, given, values)
        values = merge(values, given)
        merged = merge(merged, changed)
    return merged, values


def _refuse_strays(name: str, overlay: Section, base: Section) -> None:
    for *above, key in strays(base, overlay):
        here = base
        for step in above:
            here = here.get(step, {})
        raise ModelError(
            f"the scenario '{name}' removes '{key}', which is not there",
            where=f"{mark_of(overlay, (*above, key))}  {'.'.join(map(str, (*above, key)))}",
            mend=f"give it a value; to remove a row, {nearest(str(key), map(str, here))}",
        )


def _load_all(merged: Section, path: Path, mistakes: Mistakes) -> dict[str, Parameter]:
    names = merged.get("parameters", [])
    where = f"{merged.at('parameters')}  parameters"
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(
            "`parameters:` is not a list of parameter files", where=where, mend="write [nelm]"
        )
    found: dict[str, Parameter] = {}
    records: dict[str, Mark] = {}  # draws are addressed by the name of their record
    for name in names:
        with mistakes.caught():
            file = find_parameters(name, path, where)
            for key, parameter in load_parameters(file, f"params/{name}.yaml").items():
                for record in {key, parameter.joint.record if parameter.joint else key}:
                    if records.setdefault(record, parameter.mark) != parameter.mark:
                        mistakes.add(
                            f"'{record}' is defined twice",
                            where=f"{records[record]} and {parameter.mark}",
                            mend="rename one of the two, or list one of the two files",
                        )
                found[key] = parameter
    return found


def _with_values(
    parameters: dict[str, Parameter], overlaid: Section, values: Mapping[str, float]
) -> dict[str, Parameter]:
    changed = dict(parameters)
    for key, value in overlaid.items():
        where = f"{overlaid.at(key)}  parameters.{key}"
        changed[str(key)] = _named(changed, str(key), where).fixed_at(value, where)
    for text, value in values.items():
        where = f"{COMMAND_LINE} {text}={value:g}"
        name, cell = _cell(text)
        parameter = _named(changed, name, where)
        given: Any = value
        for step in reversed(cell):
            given = {step: given}
        changed[name] = parameter.fixed_at(given, where)
    return changed


def _named(parameters: Mapping[str, Parameter], name: str, where: str) -> Parameter:
    if name not in parameters:
        raise ModelError(f"no parameter '{name}'", where=where, mend=nearest(name, parameters))
    return parameters[name]


def _cell(text: str) -> tuple[str, list[str | float]]:
    found = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(?:\[([^\]]*)\])?\s*", text)
    if found is None:
        in_section = text.split(".")[0].strip() in SECTIONS
        raise ModelError(
            f"'{text}' is not the name of a parameter",
            where=COMMAND_LINE,
            mend="a scenario of the model file changes what is no parameter"
            if in_section
            else "write name=value, or table[label, label]=value",
        )
    steps: list[str | float] = []
    for word in (found[2] or "").split(","):
        if word.strip():
            is_number = re.fullmatch(r"-?\d+(\.\d*)?", word.strip())
            steps.append(float(word) if is_number else word.strip())
    return found[1], steps


def _assemble(
    merged: Section,
    document: Section,
    parameters: dict[str, Parameter],
    shown: str,
    scenarios: tuple[str, ...],
    mistakes: Mistakes,
) -> ResolvedModel:
    sections = Sections(merged, mistakes)
    states = sections.states()
    mistakes.raise_if_any()
    sections.check_groups(states)
    outcomes = sections.outcomes()
    transitions = sections.transitions(states)
    events = list(dict.fromkeys(row.name for row in transitions))
    known = document.get("scenarios") or {}
    return ResolvedModel(
        name=str(merged.get("model")),
        title=str(merged.get("title", "")),
        source=_source(merged),
        file=shown,
        scenarios=scenarios,
        known_scenarios=tuple(map(str, known)),
        parameters=parameters,
        used_parameters=(),
        decision=_decision(merged, sections.section("outcomes")),
        money=None,
        timing=sections.timing(),
        outcomes=outcomes,
        dimensions=sections.dimensions(),
        attributes=attributes(sections),
        patients_sampled=patients_sampled(sections),
        strategies=sections.strategies(),
        treatments=sections.treatments(),
        states=states,
        trackers=sections.trackers(states),
        define=sections.define(),
        curves=sections.curves(),
        transitions=tuple(transitions),
        occupancy=sections.occupancy(states),
        payoffs=tuple(sections.payoffs(states, events)),
        targets=_targets(merged, known),
        sequences=sequence_rules(sections),
        labels_left_out=_profile_labels(document) - _profile_labels(merged),
    )


def _targets(merged: Section, known: Mapping[Any, Any]) -> Targets | None:
    section = merged.get("targets")
    if not isinstance(section, Section):
        return None
    raw = read(TargetsSection, section, "targets")
    where = f"{section.at('scenarios')}  targets.scenarios"
    for name in raw.scenarios:
        if name not in known:
            raise ModelError(f"no scenario '{name}'", where=where, mend=nearest(name, known))
    return Targets(raw.file, tuple(raw.scenarios), f"{section.at('file')}  targets.file")


def _profile_labels(document: Section) -> frozenset[str]:
    profiles = document.get("profiles")
    if not isinstance(profiles, Section):
        return frozenset()
    rows = [rows for rows in profiles.values() if isinstance(rows, Section)]
    return frozenset(label for row in rows for label in row if isinstance(label, str))


def _source(merged: Section) -> str:
    given = merged.get("source")
    if not isinstance(given, Section):
        return ""
    source = read(SourceSection, given, "source")
    return f"{source.cite}, doi:{source.doi}" if source.doi else source.cite


def _decision(merged: Section, outcomes: Section) -> Decision:
    section = merged.get("decision")
    if not isinstance(section, Section):
        cost = "costs" if "costs" in outcomes else None
        effect = "qalys" if "qalys" in outcomes else None
        return Decision(cost, effect, (), "not stated", stated=False)
    raw = read(DecisionSection, section, "decision")
    for key, name in (("cost", raw.cost), ("effect", raw.effect)):
        if name is not None and name not in outcomes:
            raise ModelError(
                f"the decision's {key} '{name}' is no outcome",
                where=f"{section.at(key)}  decision.{key}",
                mend=nearest(name, map(str, outcomes)),
            )
    if len(set(raw.thresholds)) < len(raw.thresholds):
        raise ModelError(
            "a threshold stands twice",
            where=f"{section.at('thresholds')}  decision.thresholds",
            mend="give each willingness to pay once",
        )
    for threshold in raw.thresholds:
        if not 0 <= threshold <= 1e12:
            raise ModelError(
                f"the threshold {threshold:g} is not a willingness to pay",
                where=f"{section.at('thresholds')}  decision.thresholds",
                mend="write amounts of money per unit of effect, 0 or more",
            )
    return Decision(
        raw.cost,
        raw.effect,
        tuple(float(value) for value in raw.thresholds),
        raw.perspective,
        stated=True,
    )


def _check(model: ResolvedModel, merged: Section, mistakes: Mistakes) -> None:
    time = merged.get("time")
    stated = set(map(str, time)) if isinstance(time, Section) else set()
    check_structure(model, stated, mistakes)
    check_sequences(model, mistakes)
    before = len(mistakes)
    check_names(model, mistakes)
    if len(mistakes) == before:
        check_units(model, mistakes)
        _check_columns(model, merged, mistakes)
        check_attributes(model, repr(merged.get("scenarios", {})), mistakes)


def _check_columns(model: ResolvedModel, merged: Section, mistakes: Mistakes) -> None:
    """A column that nothing reads, in base or scenario, is a misspelling."""
    _, used = used_names(model)
    in_scenarios = set(_TABLE_COLUMN.findall(repr(merged.get("scenarios", {}))))
    tables: dict[str, str] = {
        "strategy": "strategies",
        "treatment": "treatments",
        "state": "states",
        **{name: f"profiles.{name}" for name in model.dimensions},
    }
    for table, section in tables.items():
        rows = (model.columns(table) or {}).values()
        columns = {name: cell for cells in rows for name, cell in cells.items()}
        known = [name for name in columns if (table, name) in used]
        for name, cell in columns.items():
            if (table, name) not in used and f"{table}.{name}" not in in_scenarios:
                mistakes.add(
                    f"nothing reads the column '{name}' of {section}",
                    where=cell.where,
                    mend=f"{nearest(name, known)} Drop the column if it is not needed"
                    if known
                    else "drop it",
                )


def _with_money_and_notes(model: ResolvedModel, merged: Section, path: Path) -> ResolvedModel:
    names, _ = used_names(model)
    used = tuple(name for name in model.parameters if name in names)
    money = _money(merged, path)
    parameters = in_one_money(model.parameters, used, money, model.file)
    notes = []
    unused = [
        name
        for name, parameter in model.parameters.items()
        if name not in names and parameter.fixed_by
    ]
    for name in unused:
        notes.append(f"'{name}' is set, but the model does not use it")
    unindexed = [name for name in used if parameters[name].price_year == "unknown"]
    if unindexed:
        notes.append(
            f"price year unknown, not carried by the index: {', '.join(sorted(unindexed))}"
        )
    for name in used:
        notes += above_full_health(parameters[name])
    return replace(
        model, parameters=parameters, used_parameters=used, money=money, notes=tuple(notes)
    )


def _money(merged: Section, path: Path) -> Money | None:
    section = merged.get("money")
    if not isinstance(section, Section):
        return None
    raw = read(MoneySection, section, "money")
    where = f"{section.at('index')}  money.index"
    index = None
    if raw.index is not None:
        indices = load_parameters(find_parameters("indices", path, where), "params/indices.yaml")
        index = _named(indices, raw.index, where)
    return Money(raw.currency, raw.year, index, f"{section.mark}  money")
