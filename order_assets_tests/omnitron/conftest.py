"""What the tests of this room share: scripted shops, clients that never really wait, free ports."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from order_assets.omnitron import ClientSettings, OmnitronClient
from order_assets.testing.servers import postgres, server_folder

from .scripted_shop import Answer, ScriptedShop, scripted_shop

# A budget that never makes anybody wait, also when it is slowed down; None would pace calls after a 429.
NO_LIMIT = 1e18
TOKEN = "c0ffee1234567890abcdef"


class VirtualTime:
    """A clock that only moves when somebody sleeps; `slept` is what was slept, in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of a Postgres of its own."""
    with server_folder() as folder, postgres(folder / "data") as address:
        yield address


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], ScriptedShop]]:
    """Start scripted shops that end with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(scripted_shop(answer))


@pytest.fixture
def connect(virtual: VirtualTime) -> Iterator[Callable[..., OmnitronClient]]:
    """Make clients that end with the test; they wait in virtual time."""
    with ExitStack() as stack:

        def make(shop: ScriptedShop | str, **changes: Any) -> OmnitronClient:
            url = shop if isinstance(shop, str) else shop.url
            facts: dict[str, Any] = {
                "token": TOKEN,
                "requests_per_second": NO_LIMIT,
                "read_timeout": 5,
                **changes,
            }
            settings = ClientSettings(url, **facts)
            return stack.enter_context(OmnitronClient(settings, clock=virtual.clock, sleep=virtual.sleep))

        yield make


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port on which nobody listens (bound, so that nobody else takes it)."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield int(reserved.getsockname()[1])


@pytest.fixture
def longest_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the chance out of the waits: always the longest of the range."""
    monkeypatch.setattr(random.SystemRandom, "uniform", lambda self, low, high: high)
