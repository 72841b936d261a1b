"""Commands are tested without painting: what figures look like is tested in tests/report."""

import pytest


@pytest.fixture(autouse=True)
def _figures_are_not_painted(monkeypatch):
    """Figures are built and laid aside; a file holds a few bytes instead of a picture."""

    def unpainted(self, file, *, format, **settings):
        file.write(f"unpainted {format}".encode())

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", unpainted)
