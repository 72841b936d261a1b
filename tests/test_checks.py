"""What `check` tells of a model that is right."""

from __future__ import annotations

from pathlib import Path

from qalyst.commands.check import check_model

INVALID = Path(__file__).parent / "invalid"


def test_sizes_are_those_of_the_largest_profile(tmp_path):
    for folder in ("models", "params"):
        (tmp_path / folder).mkdir()
    only_women_worsen = "where(sex == female, strategy.hr_drug * r_worsen, 0)"
    text = (INVALID / "base.yaml").read_text()
    text = text.replace("strategy.hr_drug * hazard(slow, years)", only_women_worsen)
    path = tmp_path / "models" / "base.yaml"
    path.write_text(text)
    (tmp_path / "params" / "base.yaml").write_text((INVALID / "base_parameters.yaml").read_text())
    size = check_model(str(path))["compartments"]["old"]
    assert size["reached"] == 3  # women: stable, worse, dead; men: stable, dead
