"""The sections of a model file: which keys they take, and what the keys hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from qalyst.io.records import Record

SECTIONS = (
    "model",
    "title",
    "source",
    "parameters",
    "decision",
    "money",
    "time",
    "outcomes",
    "profiles",
    "attributes",
    "strategies",
    "treatments",
    "sequences",
    "states",
    "groups",
    "track",
    "define",
    "curves",
    "transitions",
    "occupancy",
    "payoffs",
    "targets",
    "scenarios",
)
Cell = str | int | float | bool


class SourceSection(Record):
    """`source:` of the model."""

    cite: str
    doi: str | None = None


class DecisionSection(Record):
    """`decision:`."""

    cost: str | None = None
    effect: str | None = None
    thresholds: list[float | int] = Field(default_factory=list)
    perspective: str = "not stated"


class MoneySection(Record):
    """`money:`."""

    currency: str
    year: int
    index: str | None = None


class TimeSection(Record):
    """`time:`."""

    cycle: str
    horizon: str
    correction: Literal[
        "start", "end", "half-cycle", "exact", "both", "simpson", "simpson-tutorial"
    ]
    events_per_cycle: Literal["one", "two", "any"] | None = None
    one_off: Literal["start", "middle", "end", "weighted"] | None = None
    discounting: Literal["counted", "start", "middle", "end", "year"] = "counted"


class OutcomeSection(Record):
    """A row of `outcomes:`."""

    unit: str | int
    discount: Cell


class TrackerSection(Record):
    """A row of `track:`."""

    count: str | list[str] | None = None
    years_in: str | list[str] | None = None
    years_since: str | list[str] | None = None
    up_to: Cell
    amount: Cell | None = None
    reset: str | list[str] | None = None


class AttributeSection(Record):
    """A row of `attributes:`; which arguments it takes is said by its family."""

    family: str
    unit: str | int
    mean: Cell | None = None
    sd: Cell | None = None
    low: Cell | None = None
    mode: Cell | None = None
    high: Cell | None = None
    correlation: dict[str, float | int] = Field(default_factory=dict)


class CurveSection(Record):
    """A row of `curves:`."""

    survival: Cell | None = None
    hazard: Cell | None = None


class TransitionSection(Record):
    """A row of `transitions:`."""

    source: str | list[str] = Field(alias="from")
    to: str | list[str]
    rate: Cell | None = None
    probability: Cell | None = None
    when: Cell | None = None


class PayoffSection(Record):
    """A row of `payoffs:`."""

    within: str | list[str] | None = Field(default=None, alias="in")
    source: str | list[str] | None = Field(default=None, alias="from")
    to: str | list[str] | None = None
    event: str | None = None
    quantity: Cell = 1
    price: Cell = 1
    when: Cell | None = None


class TargetsSection(Record):
    """`targets:` published survival that the run draws beside the model's."""

    file: str
    scenarios: list[str] = Field(default_factory=list)


class SequencesSection(Record):
    """`sequences:` which orders of the treatments `qalyst sequences` compares."""

    lines: int
    last: str | None = None
    at_most_once: bool = True
    treatments: list[str] = Field(default_factory=list)
    rules: dict[str, dict[str, object]] = Field(default_factory=dict)


class SequenceRuleSection(Record):
    """A row of `sequences.rules:`, for one treatment."""

    lines: list[int] = Field(default_factory=list)
    after: list[str] = Field(default_factory=list)
    not_after: list[str] = Field(default_factory=list)
    source: str | None = None


class StateKeys(Record):
    """The reserved keys of a row of `states:`; the others are columns."""

    label: str | None = None
    absorbing: bool = False
    instant: bool = False
    per: Literal["line"] | None = None
    residence: str | None = None


class StrategyKeys(Record):
    """The reserved keys of a row of `strategies:`."""

    label: str | None = None
    sequence: list[str] = Field(default_factory=list)


class TreatmentKeys(Record):
    """The reserved keys of a row of `treatments:`."""

    label: str | None = None
