"""Presets of guidelines: discount rates, thresholds and severity, each number with its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.io.files import guideline_files
from qalyst.io.records import Record, read
from qalyst.io.yaml import Section, load, mark_of
from qalyst.outcomes import Rates

Share = Annotated[float, Field(ge=0, le=1)]
Word = Literal["perspective", "comparison", "correction", "price_year"]
Amount = Annotated[float, Field(ge=0)]


class Source(Record):
    """Where numbers of a guideline were read, and the date of what was read."""

    cite: str
    date: str
    url: str = ""


class Sourced(Record):
    """What says where it is from: a key of `sources`, and whether it was read there."""

    status: Literal["retrieved", "recalled", "assumption"]
    source: str


class Rate(Sourced):
    """A yearly effective discount rate, as a share."""

    value: Share


class OtherRates(Sourced):
    """Discount rates for a scenario."""

    costs: Share
    effects: Share
    when: str


class Discount(Record):
    """The discount rates of the reference case, and of scenarios."""

    costs: Rate
    effects: Rate
    also: list[OtherRates] = Field(default_factory=list)


class Threshold(Sourced):
    """A willingness to pay for a QALY, and what it is for."""

    value: Amount
    use: str


class SeverityBand(Sourced):
    """What holds from a shortfall upwards: a weight of QALYs gained, or a threshold."""

    absolute: Amount | None = None
    proportional: Share | None = None
    weight: Amount | None = None
    threshold: Amount | None = None


class Population(Record):
    """Parameter files of the general population: deaths by sex and age, and utilities."""

    life_table: str
    norm: str


class Severity(Record):
    """How severity counts; `decimals` to which the proportional shortfall is rounded first."""

    gives: Literal["weight", "threshold"]
    population: Population | None = None
    decimals: int | None = None
    bands: list[SeverityBand]


class Expectation(Sourced):
    """What a submission is expected to do, in words."""

    text: str


class Guideline(Record):
    """A preset."""

    guideline: str
    title: str
    agency: str
    country: str
    currency: str
    since: str
    until: str = ""
    sources: dict[str, Source]
    discount: Discount
    thresholds: list[Threshold]
    severity: Severity | None = None
    expects: dict[Word, Expectation] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)

    @property
    def rates(self) -> Rates:
        """The discount rates of the reference case."""
        return Rates(self.discount.costs.value, self.discount.effects.value)

    @property
    def wtp(self) -> tuple[float, ...]:
        """The thresholds, from low to high."""
        return tuple(sorted(each.value for each in self.thresholds))

    def sourced(self) -> Iterator[tuple[str, Sourced]]:
        """Everything that says where it is from, with its place in the file."""
        yield "discount.costs", self.discount.costs
        yield "discount.effects", self.discount.effects
        for number, rates in enumerate(self.discount.also):
            yield f"discount.also.{number}", rates
        for number, threshold in enumerate(self.thresholds):
            yield f"thresholds.{number}", threshold
        for number, band in enumerate(self.severity.bands if self.severity else ()):
            yield f"severity.bands.{number}", band
        for name, expectation in self.expects.items():
            yield f"expects.{name}", expectation


def guidelines() -> dict[str, Guideline]:
    """Every preset by name."""
    return {name: load_guideline(path) for name, path in guideline_files().items()}


def guideline(name: str, where: str) -> Guideline:
    """The preset with a name.

    Raises
    ------
    ModelError
        There is none, or its file cannot be used.
    """
    files = guideline_files()
    if name not in files:
        raise ModelError(
            f"no guideline '{name}'",
            where=where,
            mend=f"{nearest(name, files)} (`qalyst guidelines` lists them)",
        )
    return load_guideline(files[name])


def distinct_rates(presets: Iterable[Guideline]) -> tuple[Rates, ...]:
    """The different pairs of rates of some presets, in order."""
    return tuple(sorted({each.rates for each in presets}))


def load_guideline(path: Path) -> Guideline:
    """Read a preset.

    Raises
    ------
    ModelError
        All that is wrong with the file, each mistake with its line.
    """
    document = load(path, f"params/guidelines/{path.name}")
    found = read(Guideline, document, "guideline")
    mistakes = Mistakes()
    if found.guideline != path.stem:
        mistakes.add(
            f"the guideline is called '{found.guideline}', its file '{path.name}'",
            where=str(document.at("guideline")),
            mend=f"write `guideline: {path.stem}`, or rename the file",
        )
    for place, item in found.sourced():
        if item.source not in found.sources:
            mistakes.add(
                f"no source '{item.source}'",
                where=_where(document, place),
                mend=nearest(item.source, found.sources),
            )
    if found.severity is not None:
        _check_bands(found.severity, document, mistakes)
    mistakes.raise_if_any()
    return found


def _check_bands(severity: Severity, document: Section, mistakes: Mistakes) -> None:
    """Bands rise, and each has a shortfall and what the severity gives."""
    before: dict[str, float] = {}
    for number, band in enumerate(severity.bands):
        where = _where(document, f"severity.bands.{number}")
        if band.absolute is None and band.proportional is None:
            mistakes.add(
                "the band has no shortfall", where=where, mend="add `absolute:` or `proportional:`"
            )
        other = "threshold" if severity.gives == "weight" else "weight"
        if getattr(band, severity.gives) is None or getattr(band, other) is not None:
            mistakes.add(
                f"the band has no {severity.gives}, or has a {other}",
                where=where,
                mend=f"give `{severity.gives}:` alone, as `severity.gives` says",
            )
        for key in ("absolute", "proportional", severity.gives):
            value = getattr(band, key)
            if value is not None and value <= before.get(key, -1.0):
                mistakes.add(
                    f"'{key}' does not rise from band to band",
                    where=where,
                    mend="write the bands from the least severe to the most",
                )
            before[key] = before.get(key, -1.0) if value is None else value


def _where(document: Section, place: str) -> str:
    path: list[Any] = [int(step) if step.isdigit() else step for step in place.split(".")]
    return f"{mark_of(document, tuple(path))}  {place}"
