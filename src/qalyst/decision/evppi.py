"""Expected value of partial perfect information: what it is worth to know some parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from qalyst.axes import Float
from qalyst.decision._inputs import DRAWS, Values, labelled
from qalyst.decision._parameters import Group, Parameters, Table, groups, shown, table
from qalyst.decision.informed import Gain, Z, informed_gain, tie_bias
from qalyst.decision.net_benefit import thresholds
from qalyst.errors import ModelError
from qalyst.stats.neighbours import NO_PAIRS, pairs_along
from qalyst.stats.splines import smooth
from qalyst.stats.surfaces import smooth_surface

FEWEST_DRAWS = 50
DEPENDENCE = 0.01  # p-value from which no dependence is detected
CLEARLY_GAINS = 3.0  # standard errors of the honest gain that show dependence too
FAILURE = 0.01  # of the EVPI, by which a group below its member is a failed regression


@dataclass(frozen=True)
class Evppi:
    """Value per person of knowing some parameters before deciding.

    Attributes
    ----------
    parameters : whose values would be known.
    wtp : willingness to pay, currency per unit of effect.
    value : currency per person; from 0 to the EVPI of the same draws.
    se : Monte Carlo standard error.
    interval : 95 %, with what ties and missed structure may add at its upper end.
    left_out : gain of the policy that decides in each draw by a fit without that draw; honest, so
        rather low, and negative where there is nothing to gain.
    tie : what the value may lack because strategies are nearly equal; in the interval, not added.
    bound : what the value may lack because the fit misses structure; in the interval, not added.
    detected : whether net benefit depends on the parameters at all, beyond chance: by F tests,
        or an honest gain of three standard errors.
    adjusted : what the order EVPI >= group >= member added to the value, below 0 if the EVPI took
        it away; mostly 0.
    message : what a reader must know of this number; empty if nothing.
    """

    parameters: tuple[str, ...]
    wtp: float
    value: float
    se: float
    interval: tuple[float, float]
    left_out: float
    tie: float
    bound: float
    detected: bool
    adjusted: float
    message: str

    @property
    def name(self) -> str:
        """The parameter, or the group in braces."""
        return shown(self.parameters)


def evppi(
    costs: Values,
    effects: Values,
    parameters: Parameters,
    wtp: ArrayLike,
    *,
    of: Iterable[Group] | str | None = None,
    strategies: Sequence[str] | None = None,
    deterministic: bool = False,
) -> tuple[Evppi, ...]:
    """Expected value of partial perfect information, by regression on the draws of a PSA.

    ``E_x max_d E[NMB_d | x] - max_d E[NMB_d]``, per person. The inner mean is a smoothing spline
    in the normal score of one parameter; for a group it is the sum of splines, tested products
    and, where these miss structure, a Gaussian process. Parameters count by their ranks alone.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    parameters : [draw, parameter], of the same draws
        A mapping from names to [draw], a data frame, or a labelled array.
    wtp : one willingness to pay, currency per unit of effect
    of : names, and groups of names; each parameter alone if None.
    strategies : names, if `costs` and `effects` are plain arrays.
    deterministic : whether costs and effects are a function of `parameters`, without the luck of
        simulated patients: the value of knowing all of them is then the EVPI of the draws.

    Returns
    -------
    values
        In the order of `of`.

    Raises
    ------
    ModelError
        Draws that differ in number or are not finite, fewer than 50 draws or than strategies,
        names that are unknown or given twice, or an impossible threshold.

    References
    ----------
    Strong, Oakley & Brennan (2014) Med Decis Making 34:311-326; Rothery et al. (2020) Value
    Health 23:277-286.

    Examples
    --------
    Net benefit is x^2 - 1 for x standard normal: the value of x is 2 phi(1) = 0.484.

    >>> x = np.random.default_rng(1).standard_normal(4_000)
    >>> costs, effects = np.zeros((4_000, 2)), np.column_stack([np.zeros(4_000), x**2 - 1])
    >>> (found,) = evppi(costs, effects, {"x": x}, 1, strategies=["old", "new"])
    >>> abs(found.value - 0.484) < 2 * found.se, found.detected
    (True, True)
    """
    benefit, threshold = relative_benefit(costs, effects, wtp, strategies)
    drawn = table(parameters, len(benefit))
    wanted = groups(of, drawn.columns)
    found = _Values(benefit, threshold, drawn, deterministic)
    for group in sorted(wanted, key=len):
        found.add(group)
    return tuple(found[group] for group in wanted)


class _Values:
    """Values of groups at one threshold; of members before the groups that hold them."""

    def __init__(self, benefit: Float, wtp: float, drawn: Table, deterministic: bool) -> None:
        self._benefit, self._wtp, self._drawn = benefit, wtp, drawn
        self._all = drawn.varying if deterministic else None
        best = benefit.max(axis=1)
        se = float(best.std() / np.sqrt(len(best)))
        self._tie = tie_bias(benefit)
        self._evpi = Gain(float(best.mean()), float(best.mean()), se, self._tie, 0.0, best)
        self._p_values: dict[frozenset[str], float] = {}
        self._gains: dict[frozenset[str], Gain] = {}
        self._found: dict[frozenset[str], Evppi] = {}

    def __getitem__(self, group: tuple[str, ...]) -> Evppi:
        return replace(self._found[frozenset(group)], parameters=group)

    def add(self, group: tuple[str, ...]) -> None:
        """Value of a group, and of its members alone, which it must not fall below."""
        if frozenset(group) in self._found:
            return
        if len(group) > 1:
            for name in group:
                self.add((name,))
        gain, p_value = self._fitted(group)
        if len(group) > 1:
            alone = min(self._p_values[frozenset((name,))] for name in group)
            p_value = min(p_value, alone * len(group))
        self._p_values[frozenset(group)] = p_value
        value = min(gain.value, self._evpi.value)
        raised, failed = self._raised(group, replace(gain, value=value))
        found = Evppi(
            parameters=group,
            wtp=self._wtp,
            value=raised.value,
            se=raised.se,
            interval=self._interval(raised),
            left_out=raised.left_out,
            tie=raised.tie,
            bound=raised.bound,
            detected=p_value < DEPENDENCE or gain.left_out > CLEARLY_GAINS * gain.se > 0,
            adjusted=raised.value - gain.value,
            message="",
        )
        words = failed or self._words(found, raised)
        self._gains[frozenset(group)] = raised
        self._found[frozenset(group)] = replace(found, message=words)

    def _fitted(self, group: tuple[str, ...]) -> tuple[Gain, float]:
        """Gain by regression, and p-value of no dependence; of a group, of no interaction."""
        benefit, varying = self._benefit, self._drawn.varying & set(group)
        if varying and varying == self._all:
            return self._evpi, 0.0 if self._evpi.value > 0 else 1.0
        others = np.flatnonzero(np.ptp(benefit, axis=0) > 0)
        fit, left_out = np.tile(benefit.mean(axis=0), (2, len(benefit), 1))
        if not varying or not len(others):
            return informed_gain(benefit, fit, left_out, NO_PAIRS, self._tie), 1.0
        x = self._drawn.of(varying)
        if x.shape[1] == 1:
            curve = smooth(x[:, 0], benefit[:, others])
            pairs, p_values = pairs_along(curve.order), curve.p_value
            fit[:, others], left_out[:, others] = curve.fit, curve.left_out
        else:
            surface = smooth_surface(x, benefit[:, others])
            pairs, p_values = surface.pairs, surface.p_value
            fit[:, others], left_out[:, others] = surface.fit, surface.left_out
        gain = informed_gain(benefit, fit, left_out, pairs, self._tie)
        return gain, float(p_values.min()) * len(p_values)

    def _members(self, group: tuple[str, ...]) -> list[frozenset[str]]:
        return [one for one in self._found if one < frozenset(group)]

    def _raised(self, group: tuple[str, ...], gain: Gain) -> tuple[Gain, str]:
        """The gain, or that of the best member if it is more: who knows more may decide alike."""
        members = self._members(group)
        if not members:
            return gain, ""
        best = max(members, key=lambda one: self._gains[one].value)
        member = self._gains[best]
        lacking = member.value - gain.value
        if lacking <= 0:
            return gain, ""
        paired = (member.gains - gain.gains).std() / np.sqrt(len(gain.gains))
        failed = ""
        if lacking > max(2 * paired, FAILURE * self._evpi.value):
            failed = (
                f"EVPPI of {shown(group)} was {lacking:.4g} below that of"
                f" {shown(self._found[best].parameters)}: the regression failed. The value is"
                " raised to its member's; use more draws or the nested check."
            )
        return member, failed

    def _interval(self, gain: Gain) -> tuple[float, float]:
        highest = max(gain.value, self._evpi.upper())
        return max(0.0, gain.value - Z * gain.se), min(highest, gain.upper())

    def _words(self, found: Evppi, gain: Gain) -> str:
        if self._benefit.shape[1] == 1:
            return "There is one strategy only: nothing to decide."
        if not self._drawn.varying & set(found.parameters):
            return f"{found.name} does not vary: nothing to learn."
        if _misses_structure(gain):
            return (
                f"EVPPI of {found.name}: the fit misses structure near the decision boundary; the"
                f" true value may be higher by up to {found.bound:.4g}. Use more draws or the"
                " nested check."
            )
        if not found.detected:
            most = min(found.interval[1], gain.upper(with_bound=False))
            return f"No dependence on {found.name} detected; its EVPPI is at most {most:.4g}."
        return ""


def _misses_structure(gain: Gain) -> bool:
    return gain.bound > gain.se / 2


def relative_benefit(
    costs: Values, effects: Values, wtp: ArrayLike, strategies: Sequence[str] | None
) -> tuple[Float, float]:
    """Net monetary benefit [draw, strategy] less that of the strategy with the best mean.

    Returns
    -------
    benefit, threshold
        With the one willingness to pay, checked.
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    threshold = thresholds(wtp)
    if threshold.size > 1:
        raise ModelError(
            f"{threshold.size} thresholds",
            where="wtp",
            mend="give one (`evppi_curve` takes many)",
        )
    check_enough_draws(*cost.shape)
    wtp = float(threshold[0])
    benefit = wtp * effect.values - cost.values
    return benefit - benefit[:, [int(benefit.mean(axis=0).argmax())]], wtp


def check_enough_draws(n_draws: int, n_strategies: int) -> None:
    """Refuse draws that are too few for a regression."""
    needed = max(FEWEST_DRAWS, n_strategies)
    if n_draws < needed:
        raise ModelError(
            f"{n_draws} draws of {n_strategies} strategies are too few for a regression",
            where="costs, effects",
            mend=f"run at least {needed} draws; 1,000 or more give useful values",
        )
