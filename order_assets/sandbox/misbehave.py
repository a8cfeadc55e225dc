"""What each fault of the stand-in does to one request: instead of the shop's answer, to the request, or to the answer.

Which fault is served when is in `faults`. A behaviour gets the request and sends an answer, or breaks the connection.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_assets.sandbox.oddities import ODD_COPIES, ODD_ROWS
from order_assets.sandbox.request_guard import RequestRecord

_HTML = b"<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"
_FIREWALL = (
    b"<!DOCTYPE html><html><head><title>Attention Required!</title></head><body><h1>Sorry, you have been blocked</h1>"
    b"<p>This website is using a security service to protect itself from online attacks.</p>"
    b"<p>Incident 8f2a41c09d7b3e65</p></body></html>"
)
_JSON_TYPE = "application/json"
_PIECE = 64 * 1024


@dataclass(frozen=True)
class Options:
    """The measures of a fault: `seconds` of waiting, `size` in bytes, rows or levels, `url` to lead to."""

    seconds: float = 1.0
    size: int = 0
    url: str | None = None


@dataclass
class Answer:
    """The shop's own answer, complete."""

    status: int
    headers: dict[str, str]
    body: bytes

    def value(self) -> Any:
        """The body's JSON value."""
        return json.loads(self.body)


@dataclass
class Disturbed:
    """A request that a fault gets hold of."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    options: Options
    came: float = field(default_factory=time.monotonic)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last."""
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    async def asked(self, *, path: str | None = None, query: dict[str, str] | None = None) -> Answer:
        """What the shop answers, to another path or query where one is given."""
        scope = dict(self.scope)
        if path is not None:
            scope["path"], scope["raw_path"] = path, path.encode()
        if query is not None:
            scope["query_string"] = urlencode(query).encode()
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, self.receive, keep)
        start = messages[0]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in messages[1:]))

    async def give(self, answer: Answer) -> None:
        """Send an answer, with the right length."""
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await self.send({"type": "http.response.body", "body": answer.body})

    async def instead(self, status: int, body: bytes = b"", kind: str = "text/html", **headers: str) -> None:
        """Send an answer that the shop knows nothing of."""
        self.note(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await self.give(Answer(status, {"content-type": kind, "date": self.date(), **named}, body))

    def note(self, status: int) -> None:
        """Write the request down, since the shop does not see it."""
        query = self.scope["query_string"].decode("latin-1")
        record = RequestRecord(self.came, self.scope["method"], self.scope["path"], query, status)
        self.scope_state().requests.add(record)

    def date(self, ahead: float = 0) -> str:
        """The shop's Date, `ahead` seconds later."""
        return format_datetime(self.scope_state().shop.now() + timedelta(seconds=ahead), usegmt=True)

    def scope_state(self) -> Any:
        """The state of the application behind."""
        app: Any = self.app
        return app.state

    def raw(self, head: bytes, body: bytes = b"") -> None:
        """Put bytes on the wire as they are; the server is not to answer as well."""
        self._transport().write(head + body)

    def reset(self) -> None:
        """Break the connection in a way that the other side cannot take for the end of an answer."""
        transport = self._transport()
        with suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def close(self) -> None:
        """End the connection after what has been written."""
        self._transport().close()

    def _transport(self) -> Any:
        # The server's own object behind `send`; the interface between server and application has no way to the wire.
        cycle = self.send.__self__  # type: ignore[attr-defined]
        # What happens on the wire is nothing that the server should complain about.
        cycle.disconnected = True
        return cycle.transport

    def has_gone(self) -> bool:
        """Whether the other side has given up."""
        return bool(self.send.__self__.transport.is_closing())  # type: ignore[attr-defined]


Behaviour = Callable[[Disturbed], Awaitable[None]]


def html(status: int) -> Behaviour:
    """An HTML page with this status."""

    async def behave(call: Disturbed) -> None:
        await call.instead(status, _HTML)

    return behave


async def too_many_in_seconds(call: Disturbed) -> None:
    """429 that says for how long."""
    await call.instead(429, b'{"detail":"Request was throttled."}', _JSON_TYPE, retry_after=f"{call.options.seconds:g}")


async def too_many_until(call: Disturbed) -> None:
    """429 that says until when."""
    until = call.date(call.options.seconds)
    await call.instead(429, b'{"detail":"Request was throttled."}', _JSON_TYPE, retry_after=until)


async def too_many(call: Disturbed) -> None:
    """429 that says nothing."""
    await call.instead(429, b'{"detail":"Request was throttled."}', _JSON_TYPE)


async def unavailable(call: Disturbed) -> None:
    """503 that says for how long."""
    await call.instead(503, _HTML, retry_after=f"{call.options.seconds:g}")


async def forbidden(call: Disturbed) -> None:
    """403 as the framework behind the API words it."""
    body = b'{"detail":"You do not have permission to perform this action.","code":"permission_denied"}'
    await call.instead(403, body, _JSON_TYPE)


async def firewall(call: Disturbed) -> None:
    """403 of what stands in front of the API and knows nothing of its rights."""
    await call.instead(403, _FIREWALL, "text/html; charset=UTF-8", server="firewall")


async def empty(call: Disturbed) -> None:
    """200 with no body."""
    await call.instead(200, b"", _JSON_TYPE)


async def refuse_login(call: Disturbed) -> None:
    """What a wrong password gets."""
    body = b'{"non_field_errors":["Unable to log in with provided credentials."],"code":"authorization"}'
    await call.instead(400, body, _JSON_TYPE)


async def redirect(call: Disturbed) -> None:
    """302 to another address."""
    await call.instead(302, b"", location=str(call.options.url))


async def not_found(call: Disturbed) -> None:
    """404 of the API itself."""
    await call.instead(404, b'{"detail":"Not found."}', _JSON_TYPE)


async def reset_before(call: Disturbed) -> None:
    """Reset before a byte of the answer."""
    call.note(0)
    call.reset()


async def reset_inside(call: Disturbed) -> None:
    """Reset after half of the body."""
    answer = await call.asked()
    call.raw(_head(answer, len(answer.body)), answer.body[: len(answer.body) // 2])
    # The half has to leave before the connection breaks.
    await asyncio.sleep(0.05)
    call.reset()


async def wrong_length(call: Disturbed) -> None:
    """Promise more bytes than come."""
    answer = await call.asked()
    call.raw(_head(answer, len(answer.body) + 500), answer.body)
    call.close()


def _head(answer: Answer, length: int) -> bytes:
    date = f"Date: {answer.headers['date']}\r\n" if "date" in answer.headers else ""
    kind = answer.headers.get("content-type", _JSON_TYPE)
    return f"HTTP/1.1 {answer.status} OK\r\n{date}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


async def drip(call: Disturbed) -> None:
    """The body a byte at a time."""
    answer = await call.asked()
    call.raw(_head(answer, len(answer.body)))
    for place in range(len(answer.body)):
        if call.has_gone():
            return
        call.raw(answer.body[place : place + 1])
        await asyncio.sleep(call.options.seconds)
    call.close()


async def stall(call: Disturbed) -> None:
    """Nothing for a long time, or until the other side has gone."""
    waited = 0.0
    while waited < call.options.seconds and not call.has_gone():
        await asyncio.sleep(0.05)
        waited += 0.05
    if call.has_gone():
        call.note(0)
    else:
        await call.give(await call.asked())


async def truncated_gzip(call: Disturbed) -> None:
    """Compressed, complete by its length, but not by its content."""
    answer = await call.asked()
    packed = gzip.compress(answer.body)
    answer.body = packed[: len(packed) // 2]
    answer.headers["content-encoding"] = "gzip"
    await call.give(answer)


async def wrong_type(call: Disturbed) -> None:
    """The right bytes under the wrong name."""
    answer = await call.asked()
    answer.headers["content-type"] = "text/plain"
    await call.give(answer)


async def invalid_utf8(call: Disturbed) -> None:
    """A byte of another encoding in a text."""
    answer = await call.asked()
    answer.body = answer.body.replace(b'":"', b'":"\xfe', 1)
    await call.give(answer)


async def half_pair(call: Disturbed) -> None:
    """An escape that is half of a character."""
    answer = await call.asked()
    answer.body = answer.body.replace(b'":"', b'":"\\ud800', 1)
    await call.give(answer)


async def cut_json(call: Disturbed) -> None:
    """JSON that ends early, of a length that fits to its header."""
    answer = await call.asked()
    answer.body = answer.body[: len(answer.body) // 2]
    await call.give(answer)


async def huge(call: Disturbed) -> None:
    """More bytes than anybody wants to hold."""
    call.note(200)
    head = [(b"content-type", b"application/json"), (b"date", call.date().encode())]
    await call.send({"type": "http.response.start", "status": 200, "headers": head})
    for _ in range(call.options.size // _PIECE):
        if call.has_gone():
            return
        await call.send({"type": "http.response.body", "body": b" " * _PIECE, "more_body": True})
    await call.send({"type": "http.response.body", "body": b"{}"})


async def nested(call: Disturbed) -> None:
    """JSON nested deeper than readers can follow."""
    depth = call.options.size
    await call.instead(200, b'{"a":' * depth + b"1" + b"}" * depth, _JSON_TYPE)


async def duplicate_keys(call: Disturbed) -> None:
    """The amount twice, and not the same."""
    answer = await call.asked()
    answer.body = answer.body[:-1] + b',"amount":"0.01"}'
    await call.give(answer)


async def expire(call: Disturbed) -> None:
    """The token expires; the shop says so itself."""
    call.scope_state().tokens.invalidate()
    await call.give(await call.asked())


async def next_elsewhere(call: Disturbed) -> None:
    """The next page is said to be elsewhere."""
    await _with_next(call, lambda _: str(call.options.url))


async def next_relative(call: Disturbed) -> None:
    """The next page is named without a host."""

    def relative(url: str) -> str:
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}"

    await _with_next(call, relative)


async def _with_next(call: Disturbed, change: Callable[[str], str]) -> None:
    answer = await call.asked()
    if answer.status == 200:
        page = answer.value()
        if page["next"]:
            page["next"] = change(page["next"])
        answer.body = json.dumps(page).encode()
    await call.give(answer)


async def bare_list(call: Disturbed) -> None:
    """All rows of all pages, without an envelope."""
    rows: list[Any] = []
    answer = await call.asked(query={**call.query, "page": "1"})
    page = answer.value() if answer.status == 200 else {"results": [], "next": None}
    rows += page["results"]
    number = 1
    while page["next"]:
        number += 1
        page = (await call.asked(query={**call.query, "page": str(number)})).value()
        rows += page["results"]
    if answer.status == 200:
        answer.body = json.dumps(rows).encode()
    await call.give(answer)


async def first_page_again(call: Disturbed) -> None:
    """The first page, whichever is asked for."""
    await call.give(await call.asked(query={**call.query, "page": "1"}))


async def shift(call: Disturbed) -> None:
    """From the second page on every row stands one place earlier, as if one of the first page had gone."""
    answer = await call.asked()
    number = int(call.query.get("page") or "1")
    if answer.status == 200 and number > 1:
        page = answer.value()
        rows = page["results"][1:]
        if page["next"]:
            rows += (await call.asked(query={**call.query, "page": str(number + 1)})).value()["results"][:1]
        answer.body = json.dumps({**page, "results": rows, "count": page["count"] - 1}).encode()
    await call.give(answer)


async def turn(call: Disturbed) -> None:
    """From the second page on every row stands one place earlier, as if the first one had gone to the end."""
    answer = await call.asked()
    number = int(call.query.get("page") or "1")
    if answer.status == 200 and number > 1:
        page = answer.value()
        following = number + 1 if page["next"] else 1
        first = (await call.asked(query={**call.query, "page": str(following)})).value()["results"][:1]
        answer.body = json.dumps({**page, "results": page["results"][1:] + first}).encode()
    await call.give(answer)


async def odd_rows(call: Disturbed) -> None:
    """The first `size` rows of a page are odd, each in another way; all of them where `size` is 0."""
    answer = await call.asked()
    if answer.status == 200:
        page = answer.value()
        count = call.options.size or len(page["results"])
        odd = [
            row | fields
            for row, fields in zip(page["results"][:count], itertools.cycle(ODD_ROWS.values()), strict=False)
        ]
        answer.body = json.dumps({**page, "results": odd + page["results"][count:]}).encode()
    await call.give(answer)


async def odd_copies(call: Disturbed) -> None:
    """Things that stand in the detail twice are not the same."""
    answer = await call.asked()
    if answer.status == 200:
        detail = answer.value()
        for change in ODD_COPIES.values():
            detail = change(detail)
        answer.body = json.dumps(detail).encode()
    await call.give(answer)


async def cap(call: Disturbed) -> None:
    """Smaller pages than were asked for."""
    limit = min(int(call.query.get("limit") or "10"), call.options.size)
    await call.give(await call.asked(query={**call.query, "limit": str(limit)}))


async def ignore_filter(call: Disturbed) -> None:
    """Dates in the query are not looked at."""
    kept = {name: value for name, value in call.query.items() if "_date" not in name}
    await call.give(await call.asked(query=kept))


async def ignore_sort(call: Disturbed) -> None:
    """`sort` in the query is not looked at."""
    await call.give(await call.asked(query={name: value for name, value in call.query.items() if name != "sort"}))


async def other_order(call: Disturbed) -> None:
    """The detail of the order before."""
    *before, pk, last, end = call.scope["path"].split("/")
    pks = call.scope_state().shop.order_pks()
    other = next(found for found in pks if found != int(pk))
    await call.give(await call.asked(path="/".join([*before, str(other), last, end])))


async def other_rows(call: Disturbed) -> None:
    """The rows of another order."""
    shop = call.scope_state().shop
    other = next(pk for pk in shop.order_pks() if str(pk) != call.query.get("order") and shop.order_items(pk))
    await call.give(await call.asked(query={**call.query, "order": str(other)}))


async def skew(call: Disturbed) -> None:
    """The server's clock is wrong."""
    answer = await call.asked()
    answer.headers["date"] = call.date(call.options.seconds)
    await call.give(answer)


async def undated(call: Disturbed) -> None:
    """No Date."""
    answer = await call.asked()
    answer.headers.pop("date", None)
    await call.give(answer)
