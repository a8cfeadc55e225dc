"""Cron expressions of five fields: reading them from a text, and the times of day at which they fall.

Belongs here: which texts are understood, a part of what Dagster understands. Not here: when the next time comes, which
is Dagster's business. Only the standard library is needed, so that settings can be read without Dagster.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time

_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


@dataclass(frozen=True)
class Cron:
    """An expression as Dagster takes it, and the minutes and hours at which it falls."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]

    def times(self) -> Iterator[time]:
        """The times of day, in order, on whichever days they are."""
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                yield time(hour, minute)


def parse_cron(text: str) -> Cron:
    """Read an expression such as `30 2 * * *` or `*/10 8-18 * * mon-fri`. Raises ValueError for anything else.

    Days that no month has are refused too.
    """
    words = text.lower().split()
    if len(words) != len(_FIELDS):
        raise ValueError(f"it has {len(words)} fields, not five: minute, hour, day, month, day of the week")
    minutes, hours, days, months, _ = (_values(word, *field) for word, field in zip(words, _FIELDS, strict=True))
    if min(days) > max(_LONGEST.get(month, 31) for month in months):
        raise ValueError("no month of it has such a day")
    return Cron(" ".join(words), minutes, hours)


def _values(word: str, name: str, least: int, most: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no {name}")
        star, first, last, step = match.groups()
        low = least if star else _number(first, name, least, names)
        high = most if star else _number(last, name, least, names) if last else low
        if not least <= low <= high <= most:
            raise ValueError(f"{part!r} does not fit the {name}, {least} to {most}")
        if step is not None and not (0 < int(step) <= most and (star or last)):
            raise ValueError(f"{part!r} is no step of the {name}")
        found.update(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, name: str, least: int, names: tuple[str, ...]) -> int:
    if text in names:
        return least + names.index(text)
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no {name}")
    return int(text)
