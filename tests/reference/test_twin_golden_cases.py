"""The numpy twin against results that nobody here wrote."""

import numpy as np
import pytest
from golden import golden_checks
from twin import run_twin

from qalyst.params.draws import BaseCase


@pytest.mark.parametrize(
    "check",
    list(golden_checks(lambda model: run_twin(model, BaseCase(model.parameters)))),
    ids=lambda check: check.id,
)
def test_twin_gives_what_the_case_expects(check):
    difference = np.abs(check.got() - check.expected)
    assert np.all(difference <= check.tolerance), (check.got(), check.expected, check.tolerance)
