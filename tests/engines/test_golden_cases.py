"""The product's engines reproduce what third parties published, at the tolerance of each case."""

from __future__ import annotations

import numpy as np
import pytest
from engine_result import run_engine
from golden import golden_checks


@pytest.mark.parametrize("check", list(golden_checks(run_engine)), ids=lambda check: check.id)
def test_the_engine_gives_what_the_case_expects(check):
    difference = np.abs(check.got() - check.expected)
    assert np.all(difference <= check.tolerance), (check.got(), check.expected, check.tolerance)
