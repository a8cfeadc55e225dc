"""Serving the stand-in: for good from the command line, or for a while inside a test or a run.

Only ever on the loopback interface. What is served is in `app`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from order_assets.errors import OrderAssetsError
from order_assets.sandbox.app import PASSWORD, USERNAME, create_app
from order_assets.sandbox.faults import Faults
from order_assets.sandbox.oddities import Spoil
from order_assets.sandbox.request_guard import RequestLog, Tokens
from order_assets.sandbox.shop import Shop, ShopSettings

HOST = "127.0.0.1"
_PATIENCE = 15.0  # seconds for the server to come up or to go down


class SandboxError(OrderAssetsError):
    """The stand-in could not be started or stopped; the message says what to do."""


@dataclass(frozen=True)
class Sandbox:
    """A stand-in that is being served: where, and the handles with which a test moves it."""

    url: str
    app: Starlette
    _swapping: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def shop(self) -> Shop:
        """The shop that is served now."""
        shop: Shop = self.app.state.shop
        return shop

    @property
    def requests(self) -> RequestLog:
        """The requests answered so far."""
        log: RequestLog = self.app.state.requests
        return log

    @property
    def faults(self) -> Faults:
        """The faults that are served now, to be changed at will."""
        faults: Faults = self.app.state.faults
        return faults

    @property
    def token(self) -> str:
        """The token that is valid now, as login would give it."""
        tokens: Tokens = self.app.state.tokens
        return tokens.current

    def invalidate_tokens(self) -> None:
        """Make every token issued so far worthless: the next call with one gets 401."""
        self.app.state.tokens.invalidate()

    def swap_shop(self, change: Callable[[Shop], Shop]) -> None:
        """Serve what `change` makes of the shop that is served now, from the next request on.

        All changes below go through here, one at a time, so none gets lost when threads change the shop at once.
        """
        with self._swapping:
            self.app.state.shop = change(self.app.state.shop)

    def replace_shop(self, shop: Shop) -> None:
        """Serve another shop from the next request on; what was done to this one by hand goes with it."""
        self.swap_shop(lambda _: shop)

    def set_now(self, now: datetime | None) -> None:
        """Move the shop's clock to `now` (UTC), or back onto the real clock with None."""
        self.swap_shop(lambda shop: shop.at(now))

    def advance(self, by: timedelta) -> None:
        """Move the shop's clock forward; it stands still afterwards."""
        self.swap_shop(lambda shop: shop.at(shop.now() + by))

    def modify(self, pk: int, at: datetime | None = None, **fields: object) -> None:
        """Set fields of an order and move its modified_date: see `Shop.modify`."""
        self.swap_shop(lambda shop: shop.modify(pk, at, **fields))

    def bulk_modify(self, pks: Iterable[int], at: datetime | None = None, **fields: object) -> None:
        """Modify many orders with one modified_date: see `Shop.bulk_modify`."""
        self.swap_shop(lambda shop: shop.bulk_modify(pks, at, **fields))

    def cancel(self, pk: int, at: datetime | None = None) -> None:
        """Cancel an order: see `Shop.cancel`."""
        self.swap_shop(lambda shop: shop.cancel(pk, at))

    def delete(self, pk: int) -> None:
        """Take an order out of the shop: see `Shop.delete`."""
        self.swap_shop(lambda shop: shop.delete(pk))

    def restore(self, pk: int) -> None:
        """Bring a deleted order back: see `Shop.restore`."""
        self.swap_shop(lambda shop: shop.restore(pk))

    def move(self, pk: int, day: date, at: datetime | None = None) -> None:
        """Move an order to another day: see `Shop.move`."""
        self.swap_shop(lambda shop: shop.move(pk, day, at))

    def spoil(self, pk: int, answer: str, change: Spoil | None = None, /, **fields: object) -> None:
        """Answer oddly about an order: see `Shop.spoil`."""
        self.swap_shop(lambda shop: shop.spoil(pk, answer, change, **fields))

    def refund(self, pk: int, amount: str | int | Decimal, at: datetime | None = None) -> None:
        """Pay money back without moving the order's modified_date: see `Shop.refund`."""
        self.swap_shop(lambda shop: shop.refund(pk, amount, at))

    def touch_children(self, pk: int, *kinds: str, at: datetime | None = None, **fields: object) -> None:
        """Change rows below an order without moving its modified_date: see `Shop.touch_children`."""
        self.swap_shop(lambda shop: shop.touch_children(pk, *kinds, at=at, **fields))

    def hold_back(self, pks: Iterable[int]) -> None:
        """Hide orders until they are released: see `Shop.hold_back`."""
        self.swap_shop(lambda shop: shop.hold_back(pks))

    def release(self, pks: Iterable[int]) -> None:
        """Let held orders appear: see `Shop.release`."""
        self.swap_shop(lambda shop: shop.release(pks))


class _Server(uvicorn.Server):
    """A server that tells when it has started."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self.has_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()


class _TalkingServer(uvicorn.Server):
    """A server that prints where it is as soon as it listens."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self.greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.greeting, flush=True)


@contextmanager
def running_sandbox(
    settings: ShopSettings | None = None, *, port: int = 0, around: Callable[[ASGIApp], ASGIApp] | None = None
) -> Iterator[Sandbox]:
    """Serve a shop from a thread of this process while the block runs; port 0 takes a free one.

    `around` may put an application of its own between server and shop, to change or hold back answers. SandboxError
    if the port is taken or the server does not come up.
    """
    app = _app_with_faults(settings or ShopSettings())
    with _listening(port) as listener:
        started = threading.Event()
        server = _Server(_config(app, around), started)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        try:
            if not started.wait(_PATIENCE):
                raise SandboxError(f"The sandbox did not come up within {_PATIENCE:.0f} s.")
            yield Sandbox(_url_of(listener), app)
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)


def serve(settings: ShopSettings, port: int, faults: Iterable[str] = ()) -> None:
    """Serve a shop until Ctrl-C; prints URL and login once it listens.

    `faults` are written as `faults.parse_fault` reads them. SandboxError if the port is taken, ValueError for a fault
    that is none.
    """
    app = _app_with_faults(settings, faults)
    with _listening(port) as listener:
        greeting = (
            f"Sandbox Omnitron at {_url_of(listener)}\n"
            f"  user {USERNAME}, password {PASSWORD}; Ctrl-C ends it\n"
            f"  {settings.orders_per_day} orders a day since {settings.start}, seed {settings.seed}"
        )
        # A shell that started it in the background has Ctrl-C ignored; then the server ends without an exception.
        with suppress(KeyboardInterrupt):
            _TalkingServer(_config(app), greeting).run([listener])
        print("Sandbox stopped.", flush=True)


def _app_with_faults(settings: ShopSettings, faults: Iterable[str] = ()) -> Starlette:
    app = create_app(Shop(settings))
    app.state.faults = Faults(settings.seed, faults)
    return app


def _config(app: Starlette, around: Callable[[ASGIApp], ASGIApp] | None = None) -> uvicorn.Config:
    # Faults stand next to the wire.
    disturbed: ASGIApp = app.state.faults.around(app)
    return uvicorn.Config(
        disturbed if around is None else around(disturbed),
        access_log=False,
        log_level="warning",
        lifespan="off",
        # The application sends the shop's own date.
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise SandboxError(
                f"The sandbox cannot listen on {HOST}:{port} ({error.strerror}). Choose another port; "
                "port 0 takes a free one."
            ) from error
        yield listener
    finally:
        listener.close()


def _url_of(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
