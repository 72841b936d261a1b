"""Studies as files: design, size, cost, and those for whom the decision is taken.

```yaml
study: utility_survey
label: Utility of people who are sick
design: utility            # proportion, rate, normal, utility, survival or hazard ratio
parameters: [u_sick]
sd: 0.2
n: 200                     # the size that is planned
sizes: {from: 20, to: 2000}
status: assumption
source: why these numbers
cost: {fixed: 100000, per_patient: 500, status: assumption, source: "..."}
population: {incidence: 1000, horizon: 10, discount: 0.03, status: assumption, source: "..."}
```
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Literal

from pydantic import Field

from qalyst.decision.enbs import Costs, Timing, sizes_between
from qalyst.decision.population import Population
from qalyst.decision.studies import NormalMean, Proportion, Rate, Study, Utility
from qalyst.decision.survival_studies import HazardRatioTrial, Quantity, SurvivalStudy
from qalyst.errors import ModelError, nearest
from qalyst.io.files import catalogue
from qalyst.io.records import Record, read
from qalyst.io.yaml import Section, load

Status = Literal["retrieved", "recalled", "assumption"]
RANGE = 10  # times smaller and larger than planned, if a file gives no sizes


class Sourced(Record):
    """Numbers that say where they are from.

    Attributes
    ----------
    status : retrieved from the source, recalled, or an assumption.
    source : where they are from; of an assumption its reason.
    """

    status: Status
    source: str = Field(min_length=1)


class CostSection(Sourced):
    """What the study costs; see `enbs.Costs`."""

    fixed: float
    per_patient: float
    per_patient_year: float = 0.0


class PopulationSection(Sourced):
    """Those for whom the decision is taken; see `population.Population`."""

    incidence: float | list[float]
    horizon: float
    discount: float
    start: float = 0.0
    uptake: float = 1.0


class TimingSection(Sourced):
    """When the information is there, besides follow-up; see `enbs.Timing`."""

    recruitment: float | None = None
    reporting: float = 0.0


class SizesSection(Record):
    """The smallest and the largest study that are compared."""

    smallest: int = Field(alias="from")
    largest: int = Field(alias="to")


class StudyFile(Sourced):
    """A study that may be done, as its file says.

    Attributes
    ----------
    study : name.
    label : in print.
    n : persons planned.
    sizes : compared; from a tenth to ten times the plan if not given.
    cost, population : without them there is no ENBS.
    timing : at once if not given, but for follow-up.
    """

    study: str = Field(min_length=1)
    label: str = ""
    design: str
    n: int
    sizes: SizesSection | None = None
    cost: CostSection | None = None
    population: PopulationSection | None = None
    timing: TimingSection | None = None

    @abstractmethod
    def planned(self, follow_up: float) -> Study:
        """The study of the planned size, with this follow-up."""

    @property
    def follow_ups(self) -> tuple[float, ...]:
        """Years of follow-up that are compared; 0 of a design without."""
        given = getattr(self, "follow_up", 0.0)
        return tuple(given) if isinstance(given, list) else (given,)

    @property
    def compared(self) -> tuple[int, ...]:
        """Sizes at which EVSI is computed, the planned one among them."""
        fewest = self.planned(self.follow_ups[0]).smallest
        if self.sizes is None:
            between = sizes_between(max(fewest, self.n // RANGE), max(self.n, fewest) * RANGE)
        else:
            between = sizes_between(self.sizes.smallest, self.sizes.largest)
        return tuple(sorted({*between, self.n} - {0}))

    def costs(self) -> Costs | None:
        """What it costs, if the file says so."""
        if self.cost is None:
            return None
        return Costs(self.cost.fixed, self.cost.per_patient, self.cost.per_patient_year)

    def people(self) -> Population | None:
        """Those for whom the decision is taken, if the file says so."""
        one = self.population
        if one is None:
            return None
        return Population(one.incidence, one.horizon, one.discount, one.start, one.uptake)

    def times(self, follow_up: float) -> Timing:
        """When the information is there."""
        one = self.timing
        if one is None:
            return Timing(follow_up)
        return Timing(follow_up, one.recruitment, one.reporting)


class _Measures(StudyFile):
    parameters: list[str] = Field(min_length=1)


class _ProportionFile(_Measures):
    design: Literal["proportion"]

    def planned(self, follow_up: float) -> Study:
        return Proportion(self.n, self.study, tuple(self.parameters))


class _RateFile(_Measures):
    design: Literal["rate"]
    follow_up: float | list[float]

    def planned(self, follow_up: float) -> Study:
        return Rate(self.n, self.study, tuple(self.parameters), follow_up)


class _NormalFile(_Measures):
    design: Literal["normal"]
    sd: float

    def planned(self, follow_up: float) -> Study:
        return NormalMean(self.n, self.study, tuple(self.parameters), self.sd)


class _UtilityFile(_Measures):
    design: Literal["utility"]
    sd: float
    outcome: Literal["normal", "beta"] = "normal"

    def planned(self, follow_up: float) -> Study:
        return Utility(self.n, self.study, tuple(self.parameters), self.sd, self.outcome)


class _SurvivalFile(StudyFile):
    design: Literal["survival"]
    follow_up: float | list[float]
    rate: Quantity | None = None
    shape: Quantity | None = None
    scale: Quantity | None = None

    def planned(self, follow_up: float) -> Study:
        return SurvivalStudy(self.n, self.study, follow_up, self.rate, self.shape, self.scale)


class _HazardRatioFile(StudyFile):
    design: Literal["hazard ratio"]
    follow_up: float | list[float]
    hazard_ratio: Quantity
    rate: Quantity | None = None
    shape: Quantity | None = None
    scale: Quantity | None = None

    def planned(self, follow_up: float) -> Study:
        hazard = (self.rate, self.shape, self.scale)
        return HazardRatioTrial(self.n, self.study, follow_up, *hazard, self.hazard_ratio)


_KINDS: dict[str, type[StudyFile]] = {
    "proportion": _ProportionFile,
    "rate": _RateFile,
    "normal": _NormalFile,
    "utility": _UtilityFile,
    "survival": _SurvivalFile,
    "hazard ratio": _HazardRatioFile,
}


def load_study(name: str) -> StudyFile:
    """A study given by the path of its file, or by its name in a folder `studies`.

    Raises
    ------
    ModelError
        No such file, or one that states no study; with the line.
    """
    path = _found(name)
    section = load(path)
    file = read(_kind(section), section, "study")
    try:  # what the parts say is checked before a model is run
        _check_follow_ups(file)
        for follow_up in file.follow_ups:
            file.planned(follow_up)
            file.times(follow_up)
        _ = file.compared, file.costs(), file.people()
    except ModelError as error:
        raise ModelError(error.what, where=f"{path}  {error.where}", mend=error.mend) from error
    return file


def _check_follow_ups(file: StudyFile) -> None:
    years = file.follow_ups
    if not years or len(set(years)) < len(years):
        raise ModelError(
            "a follow-up is given twice" if years else "no follow-up is given",
            where="study.follow_up",
            mend="give years, or a list of different ones such as [1, 3]",
        )


def _kind(section: Section) -> type[StudyFile]:
    design = section.get("design")
    if design not in _KINDS:
        what = "the study has no design" if design is None else f"no design '{design}'"
        raise ModelError(
            what, where=f"{section.at('design')}  study.design", mend=nearest(str(design), _KINDS)
        )
    return _KINDS[str(design)]


def _found(name: str) -> Path:
    given = Path(name)
    if given.suffix in (".yaml", ".yml") or len(given.parts) > 1:
        if given.is_file():
            return given
        raise ModelError(
            f"no study file '{name}'", where="command line  --study", mend="check the path"
        )
    places = [Path("studies"), Path("."), catalogue() / "studies"]
    for place in places:
        if (place / f"{name}.yaml").is_file():
            return place / f"{name}.yaml"
    names = sorted({path.stem for place in places[::2] for path in place.glob("*.yaml")})
    raise ModelError(f"no study '{name}'", where="command line  --study", mend=nearest(name, names))
