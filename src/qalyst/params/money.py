"""Money of one currency and one year: records carried by a price index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from qalyst.errors import Mistakes
from qalyst.params.parameter import Parameter
from qalyst.units import currencies


@dataclass(frozen=True)
class Money:
    """The currency and price year of a model, and the index record that carries others to it."""

    currency: str
    year: int
    index: Parameter | None
    where: str


def in_one_money(
    parameters: Mapping[str, Parameter], used: Iterable[str], money: Money | None, where: str
) -> dict[str, Parameter]:
    """The parameters with their money carried to the model's price year.

    Parameters
    ----------
    parameters : by name.
    used : the names that the model reads; others may be of any money.
    money : the model's section, if it has one.
    where : the model file, for messages.

    Raises
    ------
    ModelError
        Two currencies; two price years without an index; a year that the index lacks.
    """
    mistakes = Mistakes()
    spent = [parameters[name] for name in used if currencies(parameters[name].unit)]
    if money is None:
        _refuse_mixed(mistakes, spent, where)
        mistakes.raise_if_any()
        return dict(parameters)
    carried = dict(parameters)
    for parameter in spent:
        with mistakes.caught():
            carried[parameter.name] = _carried(parameter, money, mistakes)
    mistakes.raise_if_any()
    return carried


def _refuse_mixed(mistakes: Mistakes, spent: list[Parameter], where: str) -> None:
    by_currency = {currencies(p.unit)[0]: p for p in spent}
    if len(by_currency) > 1:
        first, second = list(by_currency.values())[:2]
        mistakes.add(
            f"'{first.name}' is in {first.unit} and '{second.name}' in {second.unit}",
            where=f"{first.mark} and {second.mark}",
            mend="convert one of them; qalyst does not exchange currencies",
        )
    by_year = {p.price_year: p for p in spent if p.price_year != "unknown"}
    if len(by_year) > 1:
        first, second = list(by_year.values())[:2]
        mistakes.add(
            f"'{first.name}' is in prices of {first.price_year} and '{second.name}' in prices of "
            f"{second.price_year}: two price years without an index",
            where=f"{where}; {first.mark} and {second.mark}",
            mend="add `money: {currency: USD, year: 2024, index: us_pce}`",
        )


def _carried(parameter: Parameter, money: Money, mistakes: Mistakes) -> Parameter:
    place = f"{parameter.mark}  parameters.{parameter.name}"
    if currencies(parameter.unit)[0] != money.currency:
        mistakes.add(
            f"'{parameter.name}' is in {parameter.unit}; the model's money is {money.currency}",
            where=f"{place}; {money.where}",
            mend=f"convert it to {money.currency} and say so in its source",
        )
        return parameter
    if parameter.price_year in (money.year, "unknown"):
        return parameter
    if money.index is None:
        mistakes.add(
            f"'{parameter.name}' is in prices of {parameter.price_year}, the model in prices of "
            f"{money.year}: two price years without an index",
            where=f"{place}; {money.where}",
            mend="add `index:` to `money:`, such as `index: us_pce`",
        )
        return parameter
    values = []
    for year in (parameter.price_year, money.year):
        if (float(year or 0),) not in money.index.values:
            mistakes.add(
                f"the index '{money.index.name}' has no year {year}",
                where=f"{place}; {money.index.mark}",
                mend="add the year to params/indices.yaml, or choose another index",
            )
            return parameter
        values.append(money.index.values[(float(year or 0),)])
    return replace(parameter, index=values[1] / values[0])
