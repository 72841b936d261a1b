"""Expected value of sample information: what a study is worth before it is done.

``E_data max_d E[NMB_d | data] - max_d E[NMB_d]`` per person, in two stages. First the mean of net
benefit given the parameters of the study is fitted to the draws of the PSA; this removes the noise
of all other parameters. Then data sets are simulated at each draw, and the fitted mean is regressed
on their summaries: its fit is the mean given the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qalyst.axes import Float
from qalyst.decision._inputs import Values
from qalyst.decision._parameters import Parameters, table
from qalyst.decision.evppi import relative_benefit
from qalyst.decision.informed import Z, informed_gain, tie_bias
from qalyst.decision.moment_matching import matched_means
from qalyst.decision.studies import Study, read
from qalyst.errors import ModelError
from qalyst.stats.neighbours import NO_PAIRS, Pairs, pairs_along
from qalyst.stats.splines import smooth
from qalyst.stats.surfaces import smooth_surface

Method = Literal["regression", "moment-matching"]
MOST_DATA_SETS = 100
FAILURE = 0.01  # of the EVPI, by which a study above its parameters is a failed regression


@dataclass(frozen=True)
class Evsi:
    """Value per person of a study, before its data are seen.

    Attributes
    ----------
    study, n : name and size of the study.
    wtp : willingness to pay, currency per unit of effect.
    value : currency per person; from 0 to `evppi`.
    se : Monte Carlo standard error.
    interval : 95 %, with what ties and missed structure may add at its upper end.
    evppi : value of knowing the parameters of the study, from the same draws.
    evpi : value of knowing everything, from the same draws.
    bound : what the value may lack because a fit misses structure; in the interval, not added.
    raised : what the order EVPPI >= EVSI added to `evppi`; mostly 0.
    method : how it was computed.
    message : what a reader must know of this number; empty if nothing.
    """

    study: str
    n: int
    wtp: float
    value: float
    se: float
    interval: tuple[float, float]
    evppi: float
    evpi: float
    bound: float
    raised: float
    method: Method
    message: str


def evsi(
    costs: Values,
    effects: Values,
    parameters: Parameters,
    study: Study,
    wtp: ArrayLike,
    *,
    seed: int,
    strategies: Sequence[str] | None = None,
    data_sets: int = 5,
    method: Method = "regression",
) -> Evsi:
    """Expected value of sample information of a study, per person.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    parameters : [draw, parameter], of the same draws
        A mapping from names to [draw], a data frame, or a labelled array.
    study : a design with its size; see `qalyst.decision.studies`.
    wtp : one willingness to pay, currency per unit of effect
    seed : of the luck of the study.
    strategies : names, if `costs` and `effects` are plain arrays.
    data_sets : how many are simulated at each draw, for the regression.
    method : `regression`; or `moment-matching`, which shrinks the fitted means to the variance
        that they have given the data.

    Returns
    -------
    evsi
        Value, standard error and interval; a study of 0 persons is worth exactly 0.

    Raises
    ------
    ModelError
        Draws that do not fit together, too few draws, a parameter without draws, a study that
        cannot be simulated, or a regression that failed.

    References
    ----------
    Strong, Oakley, Brennan & Breeze (2015) Med Decis Making 35:570-583 (regression); Heath,
    Manolopoulou & Baio (2018) Med Decis Making 38:163-173 (moment matching).

    Examples
    --------
    Net benefit x is standard normal, and so is one observation of it, given x: the posterior mean
    has standard deviation sqrt(1/2), and EVSI is 0.282.

    >>> from qalyst.decision.studies import NormalMean
    >>> x = np.random.default_rng(1).standard_normal(4_000)
    >>> costs, effects = np.zeros((4_000, 2)), np.column_stack([np.zeros(4_000), x])
    >>> study = NormalMean(n=1, name="survey", measured=("x",), sd=1.0)
    >>> found = evsi(costs, effects, {"x": x}, study, 1, seed=0, strategies=["old", "new"])
    >>> abs(found.value - 0.282) < 2 * found.se, found.value < found.evppi
    (True, True)
    """
    (found,) = evsi_by_size(
        costs,
        effects,
        parameters,
        study,
        (study.n,),
        wtp,
        seed=seed,
        strategies=strategies,
        data_sets=data_sets,
        method=method,
    )
    return found


def evsi_by_size(
    costs: Values,
    effects: Values,
    parameters: Parameters,
    study: Study,
    sizes: Iterable[int],
    wtp: ArrayLike,
    *,
    seed: int,
    strategies: Sequence[str] | None = None,
    data_sets: int = 5,
    method: Method = "regression",
) -> tuple[Evsi, ...]:
    """EVSI of the same study in several sizes, with the same luck.

    Parameters
    ----------
    costs, effects, parameters, study, wtp, seed, strategies, data_sets, method : see `evsi`.
    sizes : numbers of persons, in the order wanted.
    """
    if method not in ("regression", "moment-matching"):
        raise ModelError(
            f"no method {method!r}", where="method", mend="'regression' or 'moment-matching'"
        )
    if not 1 <= data_sets <= MOST_DATA_SETS:
        raise ModelError(
            f"{data_sets} data sets for each draw", where="data_sets", mend="3 to 5 are usual"
        )
    known = _Known.of(costs, effects, parameters, study, wtp, strategies)
    found = [known.value(study.sized(n), seed, data_sets, method) for n in sizes]
    # All of them share what knowing the parameters is worth at least.
    evppi = max((each.evppi for each in found), default=0.0)
    return tuple(replace(each, evppi=evppi, raised=evppi - known.evppi) for each in found)


@dataclass(frozen=True)
class _Fit:
    """Fitted means [row, strategy], also without the row itself, and neighbouring rows."""

    means: Float
    left_out: Float
    pairs: Pairs


@dataclass(frozen=True)
class _Known:
    """The first stage, which all sizes of a study share.

    Attributes
    ----------
    benefit : [draw, strategy] net benefit less that of the strategy with the best mean.
    values : [draw] of the parameters of the study.
    means : [draw, strategy] fitted mean of `benefit` given them.
    tie : what values may lack because strategies are nearly equal.
    bound : what the fit may lack.
    """

    benefit: Float
    wtp: float
    values: dict[str, Float]
    means: Float
    evppi: float
    evpi: float
    tie: float
    bound: float

    @classmethod
    def of(
        cls,
        costs: Values,
        effects: Values,
        parameters: Parameters,
        study: Study,
        wtp: ArrayLike,
        strategies: Sequence[str] | None,
    ) -> _Known:
        benefit, threshold = relative_benefit(costs, effects, wtp, strategies)
        drawn = table(parameters, len(benefit))
        values = {name: read(drawn.columns, name, study.name) for name in study.parameters}
        fit = _fitted(np.column_stack(list(values.values())), benefit)
        tie = tie_bias(benefit)
        gain = informed_gain(benefit, fit.means, fit.left_out, fit.pairs, tie)
        evpi = float(benefit.max(axis=1).mean())
        return cls(
            benefit=benefit,
            wtp=threshold,
            values=values,
            means=fit.means,
            evppi=min(gain.value, evpi),
            evpi=evpi,
            tie=tie,
            bound=gain.bound,
        )

    def value(self, study: Study, seed: int, data_sets: int, method: Method) -> Evsi:
        """Value of the study, in order with those of its parameters and of everything."""
        if study.n == 0:
            return self._evsi(study, 0.0, 0.0, 0.0, method, "")
        words = ""
        if method == "regression":
            value, se, bound = self._regressed(study, seed, data_sets)
        else:
            means, words = matched_means(self.means, study, self.values, seed=seed)
            gains = self._gains(means.argmax(axis=1)[:, None])
            value = float(means.max(axis=1).mean() - means.mean(axis=0).max())
            se, bound = float(gains.std() / np.sqrt(len(gains))), self.bound
        beyond = value - self.evppi
        if beyond > max(2 * se, FAILURE * self.evpi):
            raise ModelError(
                f"EVSI of {study.n} persons is {value:.4g}, but EVPPI of what they tell is "
                f"{self.evppi:.4g}: a regression failed",
                where=f"study {study.name}",
                mend="use more draws",
            )
        return self._evsi(study, max(0.0, value), se, bound, method, words)

    def _regressed(self, study: Study, seed: int, data_sets: int) -> tuple[float, float, float]:
        """Value, standard error and bound by regression on summaries."""
        summaries = study.simulate(self.values, seed=seed, data_sets=data_sets)
        seen = study.predictors(summaries)
        target = np.repeat(self.means, data_sets, axis=0)
        fit = _fitted(np.column_stack([each.ravel() for each in seen.values()]), target)
        # Data sets of one draw share its residual: they are no evidence of structure.
        own = fit.pairs.first // data_sets == fit.pairs.second // data_sets
        pairs = Pairs(fit.pairs.first[~own], fit.pairs.second[~own])
        gain = informed_gain(target, fit.means, fit.left_out, pairs, self.tie)
        gains = self._gains(fit.left_out.argmax(axis=1).reshape(-1, data_sets))
        return gain.value, float(gains.std() / np.sqrt(len(gains))), self.bound + gain.bound

    def _gains(self, decided: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Float:
        """[draw] net benefit of what is decided [draw, data_set], mean over its data sets."""
        return np.asarray(np.take_along_axis(self.benefit, decided, axis=1).mean(axis=1))

    def _evsi(
        self, study: Study, value: float, se: float, bound: float, method: Method, words: str
    ) -> Evsi:
        value = min(value, self.evpi)
        tie = self.tie if study.n else 0.0
        upper = min(max(self.evpi + Z * se, value), value + Z * se + tie + bound)
        if bound > se / 2:
            words = (
                f"EVSI of {study.n} persons: the fit misses structure near the decision boundary; "
                f"the true value may be higher by up to {bound:.4g}. Use more draws. {words}"
            ).rstrip()
        return Evsi(
            study=study.name,
            n=study.n,
            wtp=self.wtp,
            value=value,
            se=se,
            interval=(max(0.0, value - Z * se), upper),
            evppi=max(self.evppi, value),
            evpi=self.evpi,
            bound=bound,
            raised=max(0.0, value - self.evppi),
            method=method,
            message=words,
        )


def _fitted(x: Float, y: Float) -> _Fit:
    """Mean of `y` [row, strategy] given `x` [row, predictor]; what is constant stays so."""
    means, left_out = np.tile(y.mean(axis=0), (2, len(y), 1))
    x, others = x[:, np.ptp(x, axis=0) > 0], np.flatnonzero(np.ptp(y, axis=0) > 0)
    if x.shape[1] == 0 or others.size == 0:
        return _Fit(means, left_out, NO_PAIRS)
    if x.shape[1] == 1:
        curve = smooth(x[:, 0], y[:, others])
        means[:, others], left_out[:, others] = curve.fit, curve.left_out
        return _Fit(means, left_out, pairs_along(curve.order))
    surface = smooth_surface(x, y[:, others])
    means[:, others], left_out[:, others] = surface.fit, surface.left_out
    return _Fit(means, left_out, surface.pairs)
