"""Stopping threads that wait, when there is nothing left to wait for.

Belongs here: who has to stop, and waiting that can be cut short. Not here: what runs in the threads
(`worker_pool`).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from order_assets.omnitron.api_errors import OmnitronStoppedError


class Halt:
    """Tells waiting threads that their walk is over, or that the client was closed."""

    def __init__(self, sleep: Callable[[float], None] | None = None) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._walks: set[threading.Event] = set()
        self._here = threading.local()

    def pause(self, seconds: float) -> None:
        """Wait. Raises OmnitronStoppedError as soon as this thread's walk is over or the client closed."""
        event = self._event()
        if self._sleep is None:
            event.wait(seconds)
        elif not event.is_set():
            self._sleep(seconds)
        self.check()

    def check(self) -> None:
        """Raise OmnitronStoppedError if there is no point in going on."""
        if self._event().is_set():
            raise OmnitronStoppedError("Stopped: the walk over the orders ended early, or the client was closed.")

    @contextmanager
    def walk(self) -> Iterator[threading.Event]:
        """A walk, over when the context ends or the client is closed."""
        event = threading.Event()
        with self._lock:
            self._walks.add(event)
            if self._closed.is_set():
                event.set()
        try:
            yield event
        finally:
            event.set()
            with self._lock:
                self._walks.discard(event)

    @contextmanager
    def working_for(self, walk: threading.Event) -> Iterator[None]:
        """Make this thread listen to a walk."""
        self._here.walk = walk
        try:
            self.check()
            yield
        finally:
            self._here.walk = None

    def inside(self) -> bool:
        """Whether this thread works for a walk."""
        return getattr(self._here, "walk", None) is not None

    def close(self) -> None:
        """End everything."""
        with self._lock:
            self._closed.set()
            for walk in self._walks:
                walk.set()

    def _event(self) -> threading.Event:
        return getattr(self._here, "walk", None) or self._closed
