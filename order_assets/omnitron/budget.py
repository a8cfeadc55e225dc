"""How much of the shop's API we take: requests per second and requests at the same time.

Belongs here: the interface of a budget and the one for a single process. Not here: waiting after a failed
call (`session`), and budgets that several processes share, which only have to offer the same two methods.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Pause = Callable[[float], None]


class Budget(Protocol):
    """What a client asks for permission before each request."""

    def acquire(self, pause: Pause) -> AbstractContextManager[None]:
        """Wait for permission to send one request; the permission is given back when the context ends.

        Waiting is done through `pause(seconds)`, which raises when the walk was stopped meanwhile.
        """

    def hold(self, seconds: float) -> None:
        """Let nobody start a request for this many seconds: the server asked for it."""


class LocalBudget:
    """The budget of one process: evenly spaced starts without bursts, and a limit on requests in flight."""

    def __init__(
        self,
        requests_per_second: float | None,
        max_concurrency: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = 1 / requests_per_second if requests_per_second else 0.0
        self._in_flight = threading.BoundedSemaphore(max_concurrency)
        self._clock = clock
        self._lock = threading.Lock()
        self._next_start = -float("inf")

    @contextmanager
    def acquire(self, pause: Pause) -> Iterator[None]:
        """Take one of the places, then wait for the next start time; see `Budget`."""
        with self._in_flight:
            with self._lock:
                now = self._clock()
                start = max(now, self._next_start)
                self._next_start = start + self._interval
            if start > now:
                pause(start - now)
            yield

    def hold(self, seconds: float) -> None:
        """Move the next start; see `Budget`."""
        with self._lock:
            self._next_start = max(self._next_start, self._clock() + seconds)
