"""Who is next when all places are taken, as pure functions over the processes that wait.

Belongs here: first come, first served, over processes. Not here: the places themselves (`budget_store`). Times
are seconds of the store's clock.
"""

from typing import NamedTuple

# A process in the line looks again many times a second; one that did not for this long is dead or stopped.
_LIVES_SECONDS = 2.0
LONGEST = 32


class Waiter(NamedTuple):
    """A process in the line: who, since when, and when it was seen last."""

    who: int
    since: float
    seen: float


Line = tuple[Waiter, ...]


def joined(line: Line, me: int, since: float, now: float) -> Line:
    """The line with me in it, seen now, ordered by time of arrival, without the dead.

    A full line stays as it is: whoever comes then asks again until there is room.
    """
    others = [waiter for waiter in alive(line, now) if waiter.who != me]
    if len(others) >= LONGEST:
        return tuple(others)
    return tuple(sorted([*others, Waiter(me, since, now)], key=lambda waiter: (waiter.since, waiter.who)))


def left(line: Line, me: int, now: float) -> Line:
    """The line without me and without the dead."""
    return tuple(waiter for waiter in alive(line, now) if waiter.who != me)


def is_first(line: Line, me: int) -> bool:
    """Whether the next place is mine."""
    return bool(line) and line[0].who == me


def alive(line: Line, now: float) -> Line:
    """Those who still look."""
    return tuple(waiter for waiter in line if abs(now - waiter.seen) < _LIVES_SECONDS)
