"""Numbers with what they count, in words."""

from __future__ import annotations


def counted(count: int, thing: str) -> str:
    """The count with its thing, such as `1 order` or `2 orders`; the thing is a noun whose plural ends in s."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
