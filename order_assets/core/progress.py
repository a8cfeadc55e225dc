"""How far a run has come, for whoever listens: the command's progress bar, and the log of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date

# Called with the day, the orders done and the orders due.
Listener = Callable[[date, int, int], None]

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have `listener` called for all progress inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(day: date, done: int, due: int) -> None:
    """Tell the listener, if there is one."""
    listener = _listener.get()
    if listener is not None:
        listener(day, done, due)


class Spoken:
    """Progress in words: "day 3 of 7, 120 of 3,000 orders, about 12 min left", at most every `every` seconds.

    `days` are those of the run in their order. The time left follows from the orders so far; days that were not begun
    are taken to be like those that were.
    """

    def __init__(
        self,
        days: Sequence[date],
        say: Callable[[str], object],
        *,
        every: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._numbers = {day: number for number, day in enumerate(days, 1)}
        self._say, self._every, self._clock = say, every, clock
        self._began = self._said = clock()
        self._seen: dict[date, tuple[int, int]] = {}

    def __call__(self, day: date, done: int, due: int) -> None:
        """Take progress, as a listener does."""
        self._seen[day] = done, due
        now = self._clock()
        if now - self._said >= self._every:
            self._said = now
            number, days = self._numbers.get(day, len(self._seen)), len(self._numbers)
            self._say(f"day {number} of {days}, {done:,} of {due:,} orders, {self._left(number, now)}")

    def _left(self, number: int, now: float) -> str:
        done, due = (sum(counts) for counts in zip(*self._seen.values(), strict=True))
        later = (len(self._numbers) - number) * due / max(1, number)
        seconds = (now - self._began) / max(1, done) * (due - done + later)
        return f"about {seconds / 60:.0f} min left" if seconds >= 60 else "less than a minute left"
