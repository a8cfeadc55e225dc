"""A sandbox whose answers can be replaced: for tests of what happens when the shop is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from order_assets.sandbox import Sandbox, ShopSettings, running_sandbox

# Gets the path and the shop's own answer, gives what is sent instead, or None to send the shop's.
Tamper = Callable[[str, bytes], "Response | None"]


@dataclass
class Tampered:
    """Changes answers by path; `rules` are looked at in order and may be changed while the shop serves."""

    rules: list[Tamper] = field(default_factory=list)

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application with the rules between it and its callers."""

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not self.rules:
                await app(scope, receive, send)
                return
            messages: list[Any] = []

            async def keep(message: Any) -> None:
                messages.append(message)

            await app(scope, receive, keep)
            body = b"".join(message.get("body", b"") for message in messages)
            address = scope["path"] + "?" + scope["query_string"].decode()
            for rule in self.rules:
                instead = rule(address, body)
                if instead is not None:
                    await instead(scope, receive, send)
                    return
            for message in messages:
                await send(message)

        return served


def detail_of(pk: int, change: Callable[[bytes], bytes]) -> Tamper:
    """Change the detail document of one order."""

    def rule(address: str, body: bytes) -> Response | None:
        if f"/orders_integration/{pk}/detailed_integration/" not in address:
            return None
        return Response(change(body), media_type="application/json")

    return rule


def answer(part_of_address: str, status: int, body: str = "", media_type: str = "application/json") -> Tamper:
    """Answer every address that contains the part in this way."""

    def rule(address: str, _body: bytes) -> Response | None:
        return Response(body, status, media_type=media_type) if part_of_address in address else None

    return rule


@contextmanager
def tampered_sandbox(settings: ShopSettings) -> Iterator[tuple[Sandbox, Tampered]]:
    """A running sandbox with the means to change its answers."""
    tampered = Tampered()
    with running_sandbox(settings, around=tampered.around) as sandbox:
        yield sandbox, tampered
