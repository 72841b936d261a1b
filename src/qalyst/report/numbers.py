"""Numbers as a person reads them: thousands separated, a true minus sign, sensible digits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

MINUS, NONE = "\N{MINUS SIGN}", "\N{EN DASH}"
MOST_DECIMALS = 6


def number(value: float | None, decimals: int) -> str:
    """A number with a fixed count of decimals; a dash for none.

    >>> number(-1234.567, 1), number(None, 0), number(-0.001, 2)
    ('−1,234.6', '–', '0.00')
    """
    if value is None or math.isnan(value):
        return NONE
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def decimals_for(values: Iterable[float | None], *, significant: int = 4) -> int:
    """How many decimals give the largest of `values` so many significant digits.

    >>> decimals_for([151_579.9, 4_000.0]), decimals_for([20.7, 0.2]), decimals_for([0.0123])
    (0, 2, 5)
    """
    known = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(known, default=0.0)
    if largest == 0:
        return 0
    return min(max(significant - 1 - math.floor(math.log10(largest)), 0), MOST_DECIMALS)


def short(value: float | None, *, significant: int = 4) -> str:
    """A number by itself with so many significant digits.

    >>> short(8427.4), short(-0.012346), short(2.0)
    ('8,427', '−0.01235', '2')
    """
    if value is None or math.isnan(value):
        return NONE
    if value and (abs(value) < 10**-MOST_DECIMALS or abs(value) >= 1e15):
        return f"{value:.{significant - 1}g}".replace("-", MINUS)
    text = number(value, decimals_for([value], significant=significant))
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: float | None, currency: str, *, significant: int = 4) -> str:
    """An amount behind the code of its currency.

    >>> money(-8427.4, "USD")
    'USD −8,427'
    """
    if value is None or math.isnan(value):
        return NONE
    return f"{currency} {short(value, significant=significant)}".strip()


def percent(share: float | None) -> str:
    """A share in per cent; 0 % and 100 % only if it is exactly that.

    >>> percent(0.634), percent(0.9996), percent(0.0002), percent(1.0), percent(0.997)
    ('63 %', '> 99.9 %', '< 0.1 %', '100 %', '99.7 %')
    """
    if share is None or math.isnan(share):
        return NONE
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    inside = 0.01 <= share <= 0.99 or share in (0, 1)
    return f"{number(100 * share, 0 if inside else 1)} %"


def tick(value: float, _position: object = None) -> str:
    """A number at an axis.

    >>> tick(-50_000.0), tick(0.30000000000000004)
    ('−50,000', '0.3')
    """
    text = f"{value:,.10g}" if abs(value) < 1e10 else f"{value:.3g}"
    return text.replace("-", MINUS)


def csv_number(value: float) -> str:
    """A number in a table file: ten significant digits, nothing for none."""
    return "" if math.isnan(value) else f"{value:.10g}"


def column_numbers(values: Sequence[float | None], *, significant: int = 4) -> list[str]:
    """Numbers of one column, all with the decimals that so many digits of the largest take.

    >>> column_numbers([6.2, 7.1691, None]), column_numbers([123456.7, 80.25])
    (['6.200', '7.169', ''], ['123,457', '80'])
    """
    places = decimals_for(values, significant=significant)
    return ["" if value is None else f"{value:,.{places}f}" for value in values]
