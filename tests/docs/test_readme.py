"""The README shows what the repository's run gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.verification
def test_the_numbers_of_the_readme_are_those_of_the_run():
    command = [sys.executable, str(DOCS / "generate_readme.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
