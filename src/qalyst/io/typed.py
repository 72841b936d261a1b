"""What people type on a command line or into a table: names and numbers."""

from __future__ import annotations


def split_names(text: str) -> list[str]:
    """Names between commas that stand outside of brackets.

    >>> split_names("p_a[a, 60], u_norm")
    ['p_a[a, 60]', 'u_norm']
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def plain_number(text: str) -> float | None:
    """A number as people write it; None for anything else. It may be infinite or nan.

    >>> plain_number(" 2.5"), plain_number("1_0"), plain_number("x")
    (2.5, None, None)
    """
    if "_" in text:  # Python would read 1_0 as 10
        return None
    try:
        return float(text)
    except ValueError:
        return None
