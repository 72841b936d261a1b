"""Lists of names as they are written on a command line."""

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
