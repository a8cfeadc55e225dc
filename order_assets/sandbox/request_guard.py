"""What stands before every request: the token check, the latency, the shop's `Date`, the log.

What is behind the guard is in `app`.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_assets.sandbox.shop import VERSIONS as ALL_VERSIONS
from order_assets.sandbox.shop import Shop
from order_assets.sandbox.value_text import hex_text

VERSIONS = tuple(f"/api/{version}" for version in sorted(ALL_VERSIONS))
_NO_ROUTE = "<!doctype html><html><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>"
LOGIN = "/auth/login/"
_KEPT_RECORDS = 200_000


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was answered: `at` is `time.monotonic()` when it came in."""

    at: float
    method: str
    path: str
    query: str
    status: int


def no_route() -> Response:
    """Give the page of the framework behind the API for a path that leads nowhere."""
    return Response(_NO_ROUTE, 404, media_type="text/html")


class RequestLog:
    """The requests answered so far, oldest first, the last 200,000 of them. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=_KEPT_RECORDS)

    def add(self, record: RequestRecord) -> None:
        """Append a record."""
        with self._lock:
            self._records.append(record)

    def clear(self) -> None:
        """Forget all records."""
        with self._lock:
            self._records.clear()

    def snapshot(self) -> list[RequestRecord]:
        """Give a copy of the records."""
        with self._lock:
            return list(self._records)

    def __len__(self) -> int:
        with self._lock:
            return len(self._records)

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self.snapshot())


class Tokens:
    """The one token that is valid now. `invalidate` makes every token issued so far worthless."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._generation = 0

    @property
    def current(self) -> str:
        """The token that login gives: 40 hexadecimal characters, the same for the same seed."""
        return hex_text(40, self._seed, "token", self._generation)

    def invalidate(self) -> None:
        """Refuse all tokens issued so far with 401; the next login gives another one."""
        self._generation += 1


class RequestGuard:
    """The middleware; reads `app.state.shop`, `app.state.tokens` and `app.state.requests` at each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state, came = scope["app"].state, time.monotonic()
        # One request sees one moment, however long it takes.
        shop: Shop = state.shop.pinned()
        scope["shop"] = shop
        date = format_datetime(shop.now(), usegmt=True)

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The latency is all that an answer takes, with the work that it is.
                if (left := came + shop.settings.latency_ms / 1000 - time.monotonic()) > 0:
                    await asyncio.sleep(left)
                MutableHeaders(scope=message)["date"] = date
                query = scope["query_string"].decode("latin-1")
                record = RequestRecord(came, scope["method"], scope["path"], query, message["status"])
                state.requests.add(record)
            await send(message)

        await (_refusal(scope, shop, state.tokens) or self.app)(scope, receive, send_dated)


def _is_login(scope: Scope) -> bool:
    return any(scope["path"] == version + LOGIN for version in VERSIONS)


def _refusal(scope: Scope, shop: Shop, tokens: Tokens) -> Response | None:
    if any(scope["path"].startswith(f"/api/{version}/") for version in ALL_VERSIONS - shop.settings.versions):
        # The framework behind the real API has no route for it, and says so before it asks who it is.
        return no_route()
    if _is_login(scope):
        return None
    given = Headers(scope=scope).get("authorization")
    if given == f"Token {tokens.current}":
        return None
    if given is None:
        body = {"detail": "Authentication credentials were not provided.", "code": "not_authenticated"}
    else:
        body = {"detail": "Invalid token.", "code": "authentication_failed"}
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, 401, headers={"WWW-Authenticate": "Token"}, media_type="application/json")
