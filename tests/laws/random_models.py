"""Random valid models: a few states in a graph with cycles, two strategies, all corrections."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

PARAMETERS = """
common:
  status: assumption
  price_year: 2024
  source: {cite: assumption, locator: random}
parameters:
"""


@dataclass
class RandomModel:
    """A model as text, with dials that the laws turn."""

    states: int
    rates: dict[tuple[int, int], float]
    deaths: list[float]
    utilities: list[float]
    costs: list[float]
    hr: float
    correction: str
    cycle: str
    horizon: int
    discount: float
    by_time: bool
    strategies: dict[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> str:
        (folder / "models").mkdir(parents=True, exist_ok=True)
        (folder / "params").mkdir(exist_ok=True)
        (folder / "models" / "law.yaml").write_text(self.model())
        (folder / "params" / "law.yaml").write_text(self.parameters())
        return str(folder / "models" / "law.yaml")

    def model(self) -> str:
        strategies = self.strategies or {"old": 1.0, "new": self.hr}
        arms = "\n".join(f"  {name}: {{hr: {hr}}}" for name, hr in strategies.items())
        places = "\n".join(f"  s{i}: {{utility: u_{i}, cost: c_{i}}}" for i in range(self.states))
        alive = ", ".join(f"s{i}" for i in range(self.states))
        moves = "\n".join(
            f"  m{i}{j}: {{from: s{i}, to: s{j}, rate: {self._rate(i, j)}}}" for i, j in self.rates
        )
        deaths = "\n".join(
            f"  d{i}: {{from: s{i}, to: dead, rate: r_d{i}}}" for i in range(self.states)
        )
        return f"""
model: law
title: A random model
parameters: [law]
time:
  cycle: {self.cycle}
  horizon: {self.horizon} years
  events_per_cycle: one
  correction: {self.correction}
outcomes:
  costs:      {{unit: USD, discount: {self.discount}}}
  qalys:      {{unit: QALY, discount: {self.discount}}}
  life_years: {{unit: year, discount: {self.discount}}}
strategies:
{arms}
states:
{places}
  dead: {{absorbing: true}}
groups:
  alive: [{alive}]
transitions:
  begin: {{from: start, to: s0}}
{moves}
{deaths}
payoffs:
  costs:
    care:  {{in: alive, price: state.cost}}
    dying: {{to: dead, price: c_dying}}
  qalys:
    health: {{in: alive, quantity: state.utility}}
  life_years:
    alive: {{in: alive}}
"""

    def _rate(self, i: int, j: int) -> str:
        rate = f"r_{i}_{j}"
        if (i, j) == (0, 1):
            rate = f"strategy.hr * {rate}"
            if self.by_time:
                rate = f'"{rate} * where(years_in_state < 2, 1, 0.5)"'
        return rate

    def parameters(self) -> str:
        rows = [
            *(
                f"r_{i}_{j}: {{label: Move, value: {v}, unit: 1/year, "
                f"uncertainty: {{family: gamma, se: {0.2 * v}}}}}"
                for (i, j), v in self.rates.items()
            ),
            *(
                f"r_d{i}: {{label: Death, value: {v}, unit: 1/year, "
                f"uncertainty: {{family: gamma, se: {0.2 * v}}}}}"
                for i, v in enumerate(self.deaths)
            ),
            *(
                f"u_{i}: {{label: Utility, value: {v}, unit: utility, "
                "uncertainty: {family: fixed, reason: law}}"
                for i, v in enumerate(self.utilities)
            ),
            *(
                f"c_{i}: {{label: Cost, value: {v}, unit: USD/year, "
                "uncertainty: {family: fixed, reason: law}}"
                for i, v in enumerate(self.costs)
            ),
            "c_dying: {label: Dying, value: 1000, unit: USD, "
            "uncertainty: {family: gamma, se: 100}}",
        ]
        return PARAMETERS + "\n".join(f"  {row}" for row in rows) + "\n"


_rate = st.floats(0.01, 3.0).map(lambda v: round(v, 4))


@st.composite
def random_models(draw) -> RandomModel:
    states = draw(st.integers(2, 4))
    pairs = [(i, j) for i in range(states) for j in range(states) if i != j]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=5, unique=True))
    rates = {pair: draw(_rate) for pair in dict.fromkeys([(0, 1), *chosen])}
    number = st.floats(0.05, 1.0).map(lambda v: round(v, 4))
    return RandomModel(
        states=states,
        rates=rates,
        deaths=[draw(_rate) for _ in range(states)],
        utilities=[draw(number) for _ in range(states)],
        costs=[round(draw(st.floats(0, 1e5)), 2) for _ in range(states)],
        hr=round(draw(st.floats(0.3, 2.0)), 4),
        correction=draw(
            st.sampled_from(["start", "end", "half-cycle", "both", "simpson", "exact"])
        ),
        cycle=draw(st.sampled_from(["1 year", "6 months", "1 month"])),
        horizon=2 * draw(st.integers(1, 15)),
        discount=draw(st.sampled_from([0.0, 0.03, 0.06])),
        by_time=draw(st.booleans()),
    )
