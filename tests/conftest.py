"""Settings shared by all tests."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

from hypothesis import settings

# The machines that run the tests are shared: time is measured in benchmarks/, never asserted.
settings.register_profile("qalyst", deadline=None, derandomize=True)
settings.load_profile("qalyst")
