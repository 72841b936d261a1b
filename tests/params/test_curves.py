from math import exp, log

import pytest

from qalyst.params.load import load_parameters

RECORD = """
parameters:
  os:
    label: Alive
    by: [sex]
    curve: weibull
    value: {{female: {{shape: 2, scale: {scale}}}, male: {{median: 20, shape: 1}}}}
    unit: {{shape: 1, scale: month, median: month}}
    uncertainty: {{family: lognormal, ci95: [16, 25], of: median}}
    source: {{cite: assumption}}
    status: assumption
"""


def test_an_interval_of_the_median_spreads_every_scale_by_the_same_share(tmp_path):
    path = tmp_path / "os.yaml"
    median = 18.0
    path.write_text(RECORD.format(scale=median / log(2) ** 0.5).replace(", median: month", ""))
    os = load_parameters(path)["os"]
    spread = 1.959963985 * log(25 / 16) / 3.92
    for label in ("female", "male"):
        value = os.values[label, "scale"]
        low, high = os.uncertainty[label, "scale"].interval(value)
        assert (low, high) == pytest.approx((value * exp(-spread), value * exp(spread)), rel=1e-9)
