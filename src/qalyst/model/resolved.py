"""The resolved model: complete, immutable, nothing implicit.

What the engines, the unit checker, the report and `qalyst show` read. It is made by
`qalyst.model.resolve`; its sha256 is in every result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from qalyst.model.expressions import Expr, text_of
from qalyst.params.money import Money
from qalyst.params.parameter import Parameter, show_path
from qalyst.units import Unit

START, END = "start", "end"
Label: TypeAlias = str | int | float
Correction: TypeAlias = Literal[
    "start", "end", "half-cycle", "exact", "both", "simpson", "simpson-tutorial"
]
POINT_CORRECTIONS = ("both", "simpson", "simpson-tutorial")


@dataclass(frozen=True)
class Expression:
    """An expression and where it stands."""

    tree: Expr
    where: str

    @property
    def text(self) -> str:
        """The expression as text."""
        return text_of(self.tree)

    @property
    def shown(self) -> str:
        """Where it stands, and what it says: for messages."""
        return f'{self.where}   "{self.text}"'


@dataclass(frozen=True)
class Timing:
    """The clock of the model; a decision tree has none (`cycles` is 0).

    Attributes
    ----------
    cycle : years.
    cycles : how many.
    """

    cycle: float
    cycles: int
    correction: Correction
    events_per_cycle: Literal["one", "two", "any"]
    one_off: Literal["start", "middle", "end", "weighted"]
    discounting: Literal["counted", "start", "middle", "end", "year"]
    where: str


@dataclass(frozen=True)
class Outcome:
    """What is added up, and its yearly effective discount rate."""

    name: str
    unit: Unit
    unit_text: str
    discount: Expression


@dataclass(frozen=True)
class Dimension:
    """A dimension of profiles: its labels with their weights and columns."""

    name: str
    labels: tuple[Label, ...]
    weights: Mapping[Label, Expression]
    columns: Mapping[Label, Mapping[str, Expression]]

    @property
    def numeric(self) -> bool:
        """Whether the labels are numbers, so that the dimension may be used in arithmetic."""
        return all(isinstance(label, int | float) for label in self.labels)


@dataclass(frozen=True)
class Attribute:
    """A number that differs between patients.

    Attributes
    ----------
    arguments : those of its family, by name.
    correlation : with others, of the normal scores.
    """

    name: str
    unit: Unit
    unit_text: str
    family: str
    arguments: Mapping[str, Expression]
    correlation: Mapping[str, float]
    where: str


@dataclass(frozen=True)
class Strategy:
    """What is compared: columns, and a sequence of treatments if it has one."""

    name: str
    label: str
    sequence: tuple[str, ...]
    columns: Mapping[str, Expression]
    where: str


@dataclass(frozen=True)
class Treatment:
    """A treatment of a sequence."""

    name: str
    label: str
    columns: Mapping[str, Expression]


@dataclass(frozen=True)
class SequenceRule:
    """Where a treatment may stand in a sequence.

    Attributes
    ----------
    lines : on which lines; all if empty.
    after : one of these comes earlier, if any is named.
    not_after : none of these comes earlier.
    source : why.
    """

    treatment: str
    lines: tuple[int, ...] = ()
    after: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    source: str = ""
    where: str = ""


@dataclass(frozen=True)
class SequenceRules:
    """Which orders of treatments are compared.

    Attributes
    ----------
    lines : of every sequence, the last included.
    last : treatment of the last line, and of no other; None if any may be the last.
    at_most_once : whether no treatment stands twice.
    treatments : those to choose from.
    """

    lines: int
    last: str | None
    at_most_once: bool
    treatments: tuple[str, ...]
    rules: tuple[SequenceRule, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class State:
    """A place in which cycles are spent, or (instant) a chance node."""

    name: str
    label: str
    absorbing: bool
    instant: bool
    per_line: bool
    residence: float | None
    columns: Mapping[str, Expression]
    where: str


@dataclass(frozen=True)
class Tracker:
    """History that goes along: a count of entries, or a clock."""

    name: str
    kind: Literal["count", "years_in", "years_since"]
    states: tuple[str, ...]
    up_to: float
    amount: Expression | None
    reset: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Curve:
    """A survival curve of the model: S(time), or a hazard in time."""

    name: str
    form: Literal["survival", "hazard"]
    expression: Expression


@dataclass(frozen=True)
class Transition:
    """One cause out of one state into one other."""

    name: str
    source: str
    target: str
    step: Literal["same", "first", "next"]
    kind: Literal["rate", "probability", "rest"]
    value: Expression | None
    when: Expression | None
    where: str


@dataclass(frozen=True)
class Payoff:
    """A row of payoffs: where it counts, how much, at what price."""

    outcome: str
    name: str
    within: tuple[str, ...] | None
    sources: tuple[str, ...] | None
    targets: tuple[str, ...] | None
    event: str | None
    quantity: Expression
    price: Expression
    when: Expression | None
    where: str

    @property
    def counts_time(self) -> bool:
        """Whether it counts time spent in states."""
        return self.within is not None and self.when is None

    @property
    def counts_heads(self) -> bool:
        """Whether it counts heads at the start of cycles."""
        return self.within is not None and self.when is not None

    @property
    def counts_end(self) -> bool:
        """Whether it counts those who reach the horizon."""
        return self.targets is not None and END in self.targets


@dataclass(frozen=True)
class Decision:
    """Which outcomes are compared, and at which willingness to pay."""

    cost: str | None
    effect: str | None
    thresholds: tuple[float, ...]
    perspective: str
    stated: bool


@dataclass(frozen=True)
class Targets:
    """Published survival to compare with: a table, and the scenarios under which to compare."""

    file: str
    scenarios: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class ResolvedModel:
    """A model with every default written, groups expanded, scenarios applied.

    `labels_left_out` are labels of profiles that a scenario took out; they may still be named.
    `patients_sampled` stand for each profile if there are attributes.
    """

    name: str
    title: str
    source: str
    file: str
    scenarios: tuple[str, ...]
    known_scenarios: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    used_parameters: tuple[str, ...]
    decision: Decision
    money: Money | None
    timing: Timing
    outcomes: Mapping[str, Outcome]
    dimensions: Mapping[str, Dimension]
    strategies: Mapping[str, Strategy]
    treatments: Mapping[str, Treatment]
    states: Mapping[str, State]
    trackers: Mapping[str, Tracker]
    define: Mapping[str, Expression]
    curves: Mapping[str, Curve]
    transitions: tuple[Transition, ...]
    occupancy: Mapping[str, Expression]
    payoffs: tuple[Payoff, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    patients_sampled: int = 1
    targets: Targets | None = None
    sequences: SequenceRules | None = None
    labels_left_out: frozenset[str] = frozenset()
    notes: tuple[str, ...] = field(default=())

    @property
    def is_tree(self) -> bool:
        """Whether all happens at time 0."""
        return self.timing.cycles == 0

    def rows_from(self, state: str) -> tuple[Transition, ...]:
        """The rows out of a state (or out of `start`)."""
        return self._rows.get(state, ())

    @cached_property
    def _rows(self) -> dict[str, tuple[Transition, ...]]:
        rows: dict[str, tuple[Transition, ...]] = {}
        for row in self.transitions:
            rows[row.source] = (*rows.get(row.source, ()), row)
        return rows

    def columns(self, table: str) -> Mapping[Label, Mapping[str, Expression]] | None:
        """The rows of a table of columns by label; None if there is no such table."""
        match table:
            case "strategy":
                return {name: row.columns for name, row in self.strategies.items()}
            case "treatment":
                return {name: row.columns for name, row in self.treatments.items()}
            case "state":
                return {name: row.columns for name, row in self.states.items()}
        dimension = self.dimensions.get(table)
        return None if dimension is None else dimension.columns

    @cached_property
    def labels(self) -> frozenset[str]:
        """Every word that may stand as a bare label."""
        words = {*self.strategies, *self.treatments, *self.states, *self.labels_left_out}
        for dimension in self.dimensions.values():
            words |= {label for label in dimension.labels if isinstance(label, str)}
        for parameter in self.parameters.values():
            if parameter.by:
                words |= {key for path in parameter.values for key in path if isinstance(key, str)}
        return frozenset(words)

    @cached_property
    def sha256(self) -> str:
        """The fingerprint of everything that a result depends on."""
        text = json.dumps(as_data(self), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def as_data(model: ResolvedModel) -> dict[str, Any]:
    """The resolved model as plain data, for printing and for its fingerprint."""
    timing = model.timing
    return {
        "model": model.name,
        "title": model.title,
        "source": model.source,
        "scenarios": list(model.scenarios),
        "decision": {
            "cost": model.decision.cost,
            "effect": model.decision.effect,
            "thresholds": list(model.decision.thresholds),
            "perspective": model.decision.perspective,
        },
        "money": None
        if model.money is None
        else {
            "currency": model.money.currency,
            "year": model.money.year,
            "index": model.money.index.name if model.money.index else None,
        },
        "time": None
        if model.is_tree
        else {
            "cycle_years": timing.cycle,
            "cycles": timing.cycles,
            "horizon_years": timing.cycle * timing.cycles,
            "correction": timing.correction,
            "events_per_cycle": timing.events_per_cycle,
            "one_off": timing.one_off,
            "discounting": timing.discounting,
        },
        "outcomes": {
            name: {"unit": outcome.unit_text, "discount": outcome.discount.text}
            for name, outcome in model.outcomes.items()
        },
        "profiles": {
            name: {
                str(label): {
                    "weight": dimension.weights[label].text,
                    **_texts(dimension.columns[label]),
                }
                for label in dimension.labels
            }
            for name, dimension in model.dimensions.items()
        },
        "attributes": {
            name: {
                "family": row.family,
                "unit": row.unit_text,
                **_texts(row.arguments),
                "correlation": dict(sorted(row.correlation.items())),
            }
            for name, row in sorted(model.attributes.items())
        },
        "patients_sampled": model.patients_sampled,
        "strategies": {
            name: {"label": row.label, "sequence": list(row.sequence), **_texts(row.columns)}
            for name, row in model.strategies.items()
        },
        "treatments": {
            name: {"label": row.label, **_texts(row.columns)}
            for name, row in model.treatments.items()
        },
        "states": {
            name: {
                "label": state.label,
                "absorbing": state.absorbing,
                "instant": state.instant,
                "per_line": state.per_line,
                "residence_years": state.residence,
                **_texts(state.columns),
            }
            for name, state in model.states.items()
        },
        "track": {
            name: {
                tracker.kind: list(tracker.states),
                "up_to": tracker.up_to,
                "amount": tracker.amount.text if tracker.amount else "1",
                "reset": list(tracker.reset),
            }
            for name, tracker in model.trackers.items()
        },
        "define": _texts(model.define),
        "curves": {
            name: {curve.form: curve.expression.text} for name, curve in model.curves.items()
        },
        "transitions": [
            {
                "name": row.name,
                "from": row.source,
                "to": row.target if row.step == "same" else f"{row.step} {row.target}",
                row.kind: row.value.text if row.value else "the rest",
                **({"when": row.when.text} if row.when else {}),
            }
            for row in model.transitions
        ],
        "occupancy": _texts(model.occupancy),
        "payoffs": [dict(_payoff_data(payoff)) for payoff in model.payoffs],
        "parameters": {
            name: parameter_data(model.parameters[name]) for name in model.used_parameters
        },
    }


def parameter_data(parameter: Parameter) -> dict[str, Any]:
    """A parameter as plain data: value, uncertainty, source."""
    families = {
        show_path(path): family.model_dump(mode="json")
        for path, family in parameter.uncertainty.items()
    }
    distinct = list({json.dumps(f, sort_keys=True): f for f in families.values()}.values())
    joint = parameter.joint
    return {
        "label": parameter.label,
        "unit": parameter.unit_text,
        "by": list(parameter.by),
        "curve": parameter.curve,
        "design": {show_path(path): item for path, item in parameter.design.items()},
        "values": {show_path(path): value for path, value in parameter.values.items()},
        "uncertainty": distinct[0] if len(distinct) == 1 else families,
        "joint": joint.record if joint else None,
        "covariance": joint.covariance if joint else None,
        "joint_rows": joint.fingerprint if joint else None,
        "together": parameter.together,
        "price_year": parameter.price_year,
        "index_factor": parameter.index,
        "source": str(parameter.source),
        "status": parameter.status,
        "set_by": parameter.fixed_by,
    }


def _payoff_data(payoff: Payoff) -> Iterator[tuple[str, Any]]:
    yield "outcome", payoff.outcome
    yield "name", payoff.name
    for key, places in (("in", payoff.within), ("from", payoff.sources), ("to", payoff.targets)):
        if places is not None:
            yield key, list(places)
    if payoff.event:
        yield "event", payoff.event
    yield "quantity", payoff.quantity.text
    yield "price", payoff.price.text
    if payoff.when:
        yield "when", payoff.when.text


def _texts(columns: Mapping[str, Expression]) -> dict[str, str]:
    return {name: cell.text for name, cell in columns.items()}
