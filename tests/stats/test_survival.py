import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from qalyst.errors import ModelError
from qalyst.stats.survival import (
    FAMILIES,
    check,
    covariance_in_years,
    from_median,
    in_years,
)
from qalyst.stats.survival_families import least_spline_slope, spline_slope

CASES = Path(__file__).parents[1] / "cases"
STANDARD = json.loads((CASES / "survival_distributions_standard.json").read_text())
FLEXIBLE = json.loads((CASES / "survival_distributions_gengamma_spline.json").read_text())

# The case's names are flexsurv's.
NAMES = {"gompertz+": "gompertz", "gompertz-": "gompertz", "llogis": "loglogistic"}
NAMES |= {"lnorm": "lognormal"}

EXAMPLES = {
    "exponential": {"rate": 0.3},
    "weibull": {"shape": 0.7, "scale": 3.0},
    "gompertz": {"shape": 0.1, "rate": 0.2},
    "lognormal": {"meanlog": 1.1, "sdlog": 0.8},
    "loglogistic": {"shape": 1.8, "scale": 3.5},
    "gamma": {"shape": 0.6, "rate": 0.6},
    "gengamma": {"mu": 1.3, "sigma": 0.6, "Q": -0.8},
    "genf": {"mu": 1.0, "sigma": 0.8, "Q": 0.4, "P": 0.7},
    "spline": {"gammas": [-2.5, 1.3, 0.1], "knots": [-1.0, 0.9, 2.0], "scale": "hazard"},
    "piecewise": {"starts": [0.0, 1.0, 4.0], "hazards": [0.3, 0.0, 0.1]},
    "points": {"times": [0.5, 2.0, 5.0], "survival": [0.9, 0.7, 0.2]},
}


def golden_cases():
    for case in (STANDARD, FLEXIBLE):
        for name, given_ in case["model"]["distributions"].items():
            family, values = NAMES.get(name.split()[0], name.split()[0]), given_["parameters"]
            if name == "weibullPH":
                family = "weibull"
                values = {"shape": values["a"], "scale": values["m"] ** (-1 / values["a"])}
            if family == "spline":
                values = {"gammas": values["gamma"]} | {k: values[k] for k in ("knots", "scale")}
            expected = case["expected"]["distributions"][name]
            rel_tol = case["expected"]["rel_tol"]
            yield pytest.param(family, values, expected, rel_tol, id=name)


GOLDEN_CASES = list(golden_cases())


def log_survival(family, t, values):
    return FAMILIES[family].log_survival(t, **values)


def hazard(family, t, values):
    """Central differences of eighth order (Fornberg 1988), exact to about 1e-11."""
    step = t / 200
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    slope = sum(
        weight
        * (log_survival(family, t + k * step, values) - log_survival(family, t - k * step, values))
        for k, weight in weights.items()
    )
    return -slope / step


@pytest.mark.parametrize(("family", "values", "expected", "rel_tol"), GOLDEN_CASES)
def test_survival_agrees_with_the_golden_case(family, values, expected, rel_tol):
    t = np.array(expected["t"], float)
    check(family, values, "case")
    found = log_survival(family, t, values)
    np.testing.assert_allclose(np.exp(found), expected["S"], rtol=rel_tol)
    # The case's cumulative hazards are -log of survivals of 25 digits.
    np.testing.assert_allclose(-found, expected["cumhaz"], rtol=rel_tol, atol=1e-24)


@pytest.mark.parametrize(("family", "values", "expected", "rel_tol"), GOLDEN_CASES)
def test_hazard_agrees_with_the_golden_case(family, values, expected, rel_tol):
    t = np.array(expected["t"], float)
    np.testing.assert_allclose(
        hazard(family, t, values), expected["hazard"], rtol=rel_tol, atol=1e-24
    )


@pytest.mark.parametrize(("family", "values", "expected", "rel_tol"), GOLDEN_CASES)
def test_survival_at_the_quantiles_of_the_golden_case(family, values, expected, rel_tol):
    for dead, t in expected["quantiles"].items():
        alive = np.exp(log_survival(family, np.array(t), values))
        np.testing.assert_allclose(alive, 1 - float(dead), rtol=10 * rel_tol)


def test_flexsurv_prints_these_densities_and_distribution_functions():
    published = STANDARD["expected"]["published_checks"]
    t = np.arange(1.0, 5.0)
    gompertz = {"shape": 0.1, "rate": 0.2}
    density = hazard("gompertz", t, gompertz) * np.exp(log_survival("gompertz", t, gompertz))
    np.testing.assert_allclose(
        density,
        published["gompertz_density_shape.1_rate.2_at_0..4"][1:],
        rtol=0,
        atol=published["abs_tol"],
    )
    dead = -np.expm1(log_survival("gengamma", t, {"mu": 0, "sigma": 1, "Q": 1}))
    np.testing.assert_allclose(
        dead,
        published["gengamma_cdf_mu0_sigma1_Q1_at_1..4"],
        rtol=0,
        atol=published["abs_tol"],
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_everybody_is_alive_at_the_start_and_nothing_is_undefined(family):
    t = np.array([0.0, 1e-300, 1e-9, 1.0, 1e3, 1e9, np.inf])
    found = log_survival(family, t, EXAMPLES[family])
    assert found[0] == 0
    assert not np.isnan(found).any()
    assert np.all(np.diff(found[np.isfinite(found)]) <= 0)


POSITIVE = st.floats(0.05, 20)
REAL = st.floats(-3, 3)


@st.composite
def curves(draw):
    family = draw(st.sampled_from([name for name in FAMILIES if name not in ("spline", "points")]))
    if family == "piecewise":
        hazards = draw(st.lists(st.floats(0, 5), min_size=1, max_size=4))
        return family, {"starts": [2.0 * k for k in range(len(hazards))], "hazards": hazards}
    values = {
        parameter.name: draw(POSITIVE if parameter.positive else REAL)
        for parameter in FAMILIES[family].parameters
    }
    return family, values


@given(curves(), st.lists(st.floats(0, 100), min_size=2, max_size=6))
def test_survival_starts_at_one_and_never_rises(curve, times):
    family, values = curve
    found = log_survival(family, np.sort(np.array([0.0, *times])), values)
    assert found[0] == 0
    assert not np.isnan(found).any()
    earlier, later = found[:-1], found[1:]
    # Rounding of the incomplete integrals: a few parts in 1e12 of log survival.
    assert np.all(later <= earlier + 1e-11 * np.abs(earlier))


@given(curves(), st.sampled_from([1 / 12, 1 / 52, 1 / 365]), st.floats(0.01, 20))
def test_a_curve_is_the_same_in_every_unit_of_time(curve, unit, years):
    family, values = curve
    carried = in_years(family, values, unit)
    np.testing.assert_allclose(
        log_survival(family, years, carried),
        log_survival(family, years / unit, values),
        rtol=1e-7,
        atol=1e-14,
    )


@pytest.mark.parametrize("scale", ["hazard", "odds", "normal"])
def test_a_spline_fitted_in_months_is_the_same_curve_in_years(scale):
    months = {"gammas": [-5.0, 1.3, 0.1], "knots": [1.5, 3.4, 4.5], "scale": scale}
    years = np.array([0.0, 0.1, 1.0, 4.0, 30.0])
    np.testing.assert_allclose(
        log_survival("spline", years, in_years("spline", months, 1 / 12)),
        log_survival("spline", years * 12, months),
        rtol=1e-12,
    )


def test_points_stated_in_months_are_the_same_curve_in_years():
    months = {"times": [6, 24], "survival": [0.9, 0.5]}
    years = in_years("points", months, 1 / 12)
    np.testing.assert_allclose(
        log_survival("points", np.array([0.5, 2.0]), years), np.log([0.9, 0.5])
    )


def test_the_powers_of_the_year():
    assert in_years("gompertz", {"shape": 0.01, "rate": 0.02}, 1 / 12) == pytest.approx(
        {"shape": 0.12, "rate": 0.24}
    )
    assert in_years("lognormal", {"meanlog": np.log(24), "sdlog": 0.5}, 1 / 12) == pytest.approx(
        {"meanlog": np.log(2), "sdlog": 0.5}
    )


def test_the_covariance_of_a_gompertz_in_months_is_scaled_where_it_is_not_of_logs():
    in_months = np.array([[1e-4, 2e-4], [2e-4, 0.09]])
    np.testing.assert_allclose(
        covariance_in_years("gompertz", in_months, 1 / 12, of_log=True),
        [[144e-4, 24e-4], [24e-4, 0.09]],
    )
    np.testing.assert_allclose(
        covariance_in_years("gompertz", in_months, 1 / 12, of_log=False), 144 * in_months
    )


def test_the_covariance_of_a_spline_in_months_follows_its_gammas():
    covariance = np.array([[0.04, -0.01, 0.0], [-0.01, 0.02, 0.001], [0.0, 0.001, 0.003]])
    carried = covariance_in_years("spline", covariance, 1 / 12, of_log=True)
    shift = np.log(12)  # gamma0 in years = gamma0 + gamma1 log 12
    assert carried[0, 0] == pytest.approx(0.04 - 2 * shift * 0.01 + shift**2 * 0.02)
    np.testing.assert_allclose(carried[1:, 1:], covariance[1:, 1:])


@pytest.mark.parametrize("shape", [0.4, 1.0, 2.5])
@pytest.mark.parametrize(
    "family", ["exponential", "weibull", "gompertz", "lognormal", "loglogistic", "gamma"]
)
def test_half_are_alive_at_the_median(family, shape):
    values = from_median(family, 1.7, shape=shape)
    check(family, values, "test")
    assert np.exp(log_survival(family, 1.7, values)) == pytest.approx(0.5, rel=1e-13)


def test_a_median_does_not_give_a_curve_of_three_parameters():
    with pytest.raises(ModelError, match="does not follow from its median"):
        from_median("gengamma", 2.0)


def test_a_gamma_of_shape_one_is_exponential_far_beyond_what_a_float_holds():
    t = np.array([1.0, 30.0, 40.0, 1000.0])
    np.testing.assert_allclose(
        log_survival("gamma", t, {"shape": 1.0, "rate": 20.0}), -20 * t, rtol=1e-13
    )


def test_special_cases_of_the_generalised_gamma():
    t = np.array([0.0, 0.1, 1.0, 5.0, 40.0])
    weibull = log_survival("weibull", t, {"shape": 1 / 0.5, "scale": np.exp(0.3)})
    np.testing.assert_allclose(
        log_survival("gengamma", t, {"mu": 0.3, "sigma": 0.5, "Q": 1.0}), weibull, rtol=1e-11
    )
    gamma = log_survival("gamma", t, {"shape": 1 / 0.25, "rate": 4 / np.exp(0.3)})
    np.testing.assert_allclose(
        log_survival("gengamma", t, {"mu": 0.3, "sigma": 0.5, "Q": 0.5}), gamma, rtol=1e-11
    )
    lognormal = log_survival("lognormal", t, {"meanlog": 0.3, "sdlog": 0.5})
    np.testing.assert_array_equal(
        log_survival("gengamma", t, {"mu": 0.3, "sigma": 0.5, "Q": 0.0}), lognormal
    )


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_generalised_gamma_draws_near_to_the_lognormal_without_a_step(sign):
    t = np.array([0.5, 1.0, 3.0])
    lognormal = log_survival("lognormal", t, {"meanlog": 0.3, "sdlog": 0.5})
    for Q in (1e-5, 1e-7, 2e-8):
        near = log_survival("gengamma", t, {"mu": 0.3, "sigma": 0.5, "Q": sign * Q})
        # The skewness of the log is about Q; rounding of exp(Q w) adds about 1e-16 / Q.
        np.testing.assert_allclose(near, lognormal, rtol=3 * Q + 1e-15 / Q)


@pytest.mark.parametrize(("Q", "P"), [(0.4, 0.7), (-0.6, 0.2), (0.0, 1.0), (1.5, 3.0)])
def test_the_generalised_f_is_a_power_of_an_f(Q, P):
    t, mu, sigma = np.array([0.1, 0.7, 2.0, 9.0]), 0.5, 0.8
    delta = np.sqrt(Q**2 + 2 * P)
    s1, s2 = 2 / (delta**2 + Q * delta), 2 / (delta**2 - Q * delta)
    alive = scipy.stats.f.sf(np.exp(delta * (np.log(t) - mu) / sigma), 2 * s1, 2 * s2)
    found = log_survival("genf", t, {"mu": mu, "sigma": sigma, "Q": Q, "P": P})
    np.testing.assert_allclose(found, np.log(alive), rtol=1e-11, atol=1e-15)


def test_a_generalised_f_whose_odds_are_far_from_one_is_not_rounded_away():
    Q, P, mu, sigma = 8.0, 6.0, 0.1, 0.18
    t = np.array([0.2, 0.37, 0.46, 0.58, 0.9])
    delta = np.sqrt(Q**2 + 2 * P)
    s1, s2 = 2 / (delta**2 + Q * delta), 2 / (delta**2 - Q * delta)
    dead = scipy.stats.f.cdf(np.exp(delta * (np.log(t) - mu) / sigma), 2 * s1, 2 * s2)
    found = log_survival("genf", t, {"mu": mu, "sigma": sigma, "Q": Q, "P": P})
    np.testing.assert_allclose(-np.expm1(found), dead, rtol=1e-11)


def test_special_cases_of_the_generalised_f():
    t = np.array([0.0, 0.1, 1.0, 5.0, 40.0])
    loglogistic = log_survival("loglogistic", t, {"shape": np.sqrt(2) / 0.8, "scale": np.exp(0.3)})
    np.testing.assert_allclose(
        log_survival("genf", t, {"mu": 0.3, "sigma": 0.8, "Q": 0.0, "P": 1.0}),
        loglogistic,
        rtol=1e-12,
    )
    gengamma = log_survival("gengamma", t, {"mu": 0.3, "sigma": 0.8, "Q": -0.5})
    np.testing.assert_allclose(
        log_survival("genf", t, {"mu": 0.3, "sigma": 0.8, "Q": -0.5, "P": 1e-9}),
        gengamma,
        rtol=1e-6,
    )


def test_a_generalised_gamma_of_negative_q_has_a_power_tail_however_far():
    # S ~ t^(-1 / (|Q| sigma)).
    values = {"mu": 0.0, "sigma": 0.001, "Q": -0.5}
    near, far = log_survival("gengamma", np.array([1e3, 1e4]), values)
    assert far - near == pytest.approx(-np.log(10) / (0.5 * 0.001), rel=1e-12)


def test_a_log_logistic_tail_is_a_power_however_far():
    # S ~ (t / scale)^-shape, so each factor of ten in time takes shape log 10 from log S.
    values = {"mu": 0.0, "sigma": 0.01, "Q": 0.0, "P": 1.0}
    near, far = log_survival("genf", np.array([1e3, 1e4]), values)
    assert far - near == pytest.approx(-np.sqrt(2) / 0.01 * np.log(10), rel=1e-12)


def test_a_spline_without_inner_knots_is_a_weibull():
    t = np.array([0.0, 0.01, 1.0, 100.0])
    spline = {"gammas": [-1.4 * np.log(4.2), 1.4], "knots": [-1, 2], "scale": "hazard"}
    np.testing.assert_allclose(
        log_survival("spline", t, spline),
        log_survival("weibull", t, {"shape": 1.4, "scale": 4.2}),
        rtol=1e-13,
    )


def test_hazards_are_held_between_their_starts():
    values = {"starts": [0, 1, 4], "hazards": [0.3, 0.0, 0.1]}
    t = np.array([0.5, 1.0, 3.0, 4.0, 6.0])
    np.testing.assert_allclose(
        log_survival("piecewise", t, values), [-0.15, -0.3, -0.3, -0.3, -0.5], rtol=1e-14
    )


def test_points_are_log_linear_between_and_hold_their_last_hazard():
    values = {"times": [1, 3], "survival": [0.8, 0.2]}
    found = np.exp(log_survival("points", np.array([0.5, 1, 2, 3, 5]), values))
    np.testing.assert_allclose(found, [0.8**0.5, 0.8, 0.4, 0.2, 0.05], rtol=1e-13)
    stated = {"times": [0, 1, 3], "survival": [1, 0.8, 0.2]}
    assert log_survival("points", 2.0, stated) == log_survival("points", 2.0, values)


def test_draws_and_times_broadcast():
    scale, t = np.array([2.0, 3.0, 4.0])[:, None], np.linspace(0, 5, 11)
    found = log_survival("weibull", t, {"shape": 1.5, "scale": scale})
    assert found.shape == (3, 11)
    gammas = np.array([[-2.5, -2.4], [1.3, 1.2], [0.1, 0.1]])[:, :, None]
    spline = log_survival("spline", t, {"gammas": gammas, "knots": [-1, 1, 2], "scale": "odds"})
    assert spline.shape == (2, 11)


@pytest.mark.parametrize(
    ("family", "values", "words"),
    [
        ("weibul", {}, "did you mean 'weibull'"),
        ("weibull", {"shape": -0.3, "scale": 2}, "shape of a weibull curve is -0.3"),
        ("weibull", {"shape": 1, "scale": 0}, "scale of a weibull curve is 0"),
        ("weibull", {"shape": 1, "scal": 2}, "did you mean 'scale'"),
        ("weibull", {"shape": 1, "scal": 2}, "needs `scale`"),
        ("weibull", {"shape": 1, "scale": "long"}, "'long'"),
        ("weibull", {"shape": 1, "scale": np.array([2.0, np.nan])}, "not finite"),
        ("genf", {"mu": 1, "sigma": 1, "Q": 0, "P": 0}, "P of a genf curve is 0"),
        ("spline", {"gammas": [1, 1], "knots": [1, 0], "scale": "odds"}, "do not increase"),
        ("spline", {"gammas": [1, 1, 1], "knots": [0, 1], "scale": "odds"}, "3 gammas and 2 knots"),
        ("spline", {"gammas": [1, 1], "knots": [0, 1], "scale": "log"}, "no spline scale 'log'"),
        ("spline", {"gammas": [1, -1], "knots": [0, 1], "scale": "odds"}, "first slope"),
        ("spline", {"gammas": [1, 1, 2], "knots": [0, 1, 2], "scale": "odds"}, "survival rises"),
        (
            "spline",
            {"gammas": 1, "knots": [0, 1], "scale": "odds"},
            "gammas of a spline curve is 1",
        ),
        ("piecewise", {"starts": [0, 1], "hazards": [0.1, -0.2]}, "hazards of a piecewise curve"),
        ("piecewise", {"starts": [1, 2], "hazards": [0.1, 0.2]}, "not 0 and then increasing"),
        ("piecewise", {"starts": [0, 2], "hazards": [0.1]}, "2 starts and 1 hazards"),
        ("points", {"times": [1, 2], "survival": [0.5, 0.6]}, "rises"),
        ("points", {"times": [1, 2], "survival": [0.5, 0]}, "falls to 0"),
        ("points", {"times": [0, 2], "survival": [0.9, 0.5]}, "does not start from 1"),
        ("points", {"times": [2, 1], "survival": [0.9, 0.5]}, "do not increase"),
        ("points", {"times": [1, 2], "survival": [0.9]}, "2 times and 1 survivals"),
    ],
)
def test_an_impossible_curve_is_refused_in_words(family, values, words):
    with pytest.raises(ModelError) as caught:
        check(family, values, "params/x.yaml:3")
    assert words in str(caught.value)
    assert "params/x.yaml:3" in str(caught.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_possible_curve_is_accepted(family):
    check(family, EXAMPLES[family], "test")


def test_a_spline_that_falls_beyond_its_last_knot_is_refused():
    # Slope at the knots 0 and 1 and 2 of gamma1 + 3 gamma2 ((x-1)+^2 - x^2/2): 1, 1-1.5 g, 1-3 g.
    check("spline", {"gammas": [0, 1, 0.33], "knots": [0, 1, 2], "scale": "hazard"}, "test")
    with pytest.raises(ModelError, match="survival rises"):
        check("spline", {"gammas": [0, 1, 0.34], "knots": [0, 1, 2], "scale": "hazard"}, "test")


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_the_least_slope_of_a_spline_is_that_of_a_fine_grid(inner):
    gammas, knots = [0.0, 1.0, *inner], [-1.0, 0.2, 0.9, 1.7, 3.0]
    grid = spline_slope(np.linspace(-1, 3, 4001), gammas, knots)
    least = least_spline_slope(gammas, knots)
    # A parabola of curvature below 100 rises by less than 100 * 0.0005**2 from its vertex.
    assert least - 1e-12 <= grid.min() <= least + 1e-4


def test_importing_the_families_does_not_import_scipy():
    program = "import sys, qalyst.stats.survival; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
