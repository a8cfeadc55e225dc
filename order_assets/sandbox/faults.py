"""Named faults of the stand-in: which there are, how one is asked for, and when it is the turn of one.

A fault is written `NAME[:key=value,...]`. Every fault takes `path` (a pattern for the request's path), `p`
(probability), `after` (so many matching requests go well first) and `n` (served so many times, then never again); some
take `seconds`, `size` or `url`. What a fault does to a request is in `misbehave`.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from starlette.types import ASGIApp, Receive, Scope, Send

from order_assets.sandbox import misbehave
from order_assets.sandbox.misbehave import Behaviour, Disturbed, Options
from order_assets.sandbox.request_guard import LOGIN

_ORDERS = "*/orders/"
_DETAIL = "*/orders_integration/*"
_DOCUMENTS = "*detailed_integration/"


@dataclass(frozen=True)
class FaultKind:
    """A fault that the stand-in knows: what it does, and which paths it disturbs unless told otherwise.

    Without a path it disturbs all but the login.
    """

    says: str
    behaviour: Behaviour
    path: str | None = None
    options: Options = field(default_factory=Options)


def _kinds() -> dict[str, FaultKind]:
    does = misbehave
    return {
        "429-seconds": FaultKind("429 with Retry-After in `seconds`", does.too_many_in_seconds),
        "429-date": FaultKind("429 with Retry-After as a date `seconds` ahead", does.too_many_until),
        "429-bare": FaultKind("429 without Retry-After", does.too_many),
        "500-html": FaultKind("500 with an HTML page", does.html(500)),
        "502-html": FaultKind("502 with an HTML page", does.html(502)),
        "503-html": FaultKind("503 with an HTML page", does.html(503)),
        "503-seconds": FaultKind("503 with Retry-After in `seconds`", does.unavailable),
        "403-json": FaultKind("403 as the framework gives it", does.forbidden),
        "403-html": FaultKind("403 with the HTML page of a firewall", does.firewall),
        "404-html": FaultKind("404 page of a proxy, in HTML", does.html(404), _DETAIL),
        "reset-before": FaultKind("connection reset before the answer", does.reset_before),
        "reset-inside": FaultKind("connection reset inside the body", does.reset_inside),
        "slow-drip": FaultKind(
            "the body a byte at a time, one every `seconds`", does.drip, options=Options(seconds=0.1)
        ),
        "stall": FaultKind("silence for `seconds` before the answer", does.stall, options=Options(seconds=120)),
        "truncated-gzip": FaultKind("a compressed body that ends in the middle", does.truncated_gzip),
        "wrong-length": FaultKind("Content-Length larger than the body", does.wrong_length),
        "html-200": FaultKind("200 with an HTML page", does.html(200)),
        "empty-200": FaultKind("200 with nothing", does.empty),
        "wrong-type": FaultKind("JSON that calls itself text/plain", does.wrong_type),
        "invalid-utf8": FaultKind("a byte that is not UTF-8", does.invalid_utf8),
        "huge-body": FaultKind("a body of `size` bytes", does.huge, options=Options(size=64 * 1024 * 1024)),
        "deep-nesting": FaultKind("JSON nested `size` deep", does.nested, options=Options(size=100_000)),
        "duplicate-keys": FaultKind("an object that has a key twice", does.duplicate_keys, _DETAIL),
        "token-expiry": FaultKind("the token is worth nothing from here on", does.expire),
        "login-refused": FaultKind("400 for the right password", does.refuse_login, "*" + LOGIN),
        "redirect": FaultKind("302 to `url`", does.redirect),
        "next-elsewhere": FaultKind("`next` leads to `url`", does.next_elsewhere, _ORDERS),
        "next-relative": FaultKind("`next` without a host", does.next_relative, _ORDERS),
        "bare-list": FaultKind("rows without an envelope", does.bare_list, _ORDERS),
        "page-repeats": FaultKind("each page is the first one again", does.first_page_again, _ORDERS),
        "pages-shift": FaultKind("a row of the first page goes, so that one is skipped", does.shift, _ORDERS),
        "pages-turn": FaultKind("a row of the first page goes to the end, so that one is skipped", does.turn, _ORDERS),
        "odd-rows": FaultKind("odd values in the first `size` rows of a page, 0 for all", does.odd_rows, _ORDERS),
        "odd-copies": FaultKind("one thing twice in a detail, and different", does.odd_copies, _DETAIL),
        "capped": FaultKind("pages of at most `size` rows, whatever is asked", does.cap, _ORDERS, Options(size=3)),
        "filter-ignored": FaultKind("filters on dates are ignored", does.ignore_filter, _ORDERS),
        "sort-ignored": FaultKind("`sort` is ignored", does.ignore_sort, _ORDERS),
        "order-404": FaultKind("404 for an order that was listed", does.not_found, _DETAIL),
        "other-order": FaultKind("the detail of another order", does.other_order, _DETAIL),
        "other-items": FaultKind("rows of another order", does.other_rows, "*/order_item/*"),
        "clock-skew": FaultKind("Date `seconds` ahead", does.skew, options=Options(seconds=7200)),
        "no-date": FaultKind("an answer without Date", does.undated),
        "half-pair": FaultKind("half a surrogate pair in a text", does.half_pair, _DETAIL),
        "cut-json": FaultKind("a well-formed answer whose JSON ends early", does.cut_json, _DOCUMENTS),
    }


FAULTS: dict[str, FaultKind] = _kinds()


@dataclass(frozen=True)
class Fault:
    """A fault as it was asked for. `n` None serves it for ever."""

    name: str
    path: str | None
    p: float
    n: int | None
    after: int
    options: Options

    def matches(self, path: str) -> bool:
        """Whether a request for this path is one that the fault disturbs."""
        return not path.endswith(LOGIN) if self.path is None else fnmatchcase(path, self.path)


def parse_fault(text: str) -> Fault:
    """Read `NAME[:key=value,...]`. Raises `ValueError`, which says what there is."""
    name, _, rest = text.partition(":")
    kind = FAULTS.get(name)
    if kind is None:
        raise ValueError(f"There is no fault {name!r}; there are: {', '.join(sorted(FAULTS))}.")
    given: dict[str, str] = {}
    for pair in rest.split(",") if rest else ():
        key, found, value = pair.partition("=")
        if key not in _KEYS or not found:
            raise ValueError(f"{pair!r} of fault {name} is none of {', '.join(f'{known}=' for known in _KEYS)}.")
        given[key] = value
    try:
        options = replace(
            kind.options,
            seconds=_number("seconds", given, kind.options.seconds, 86_400),
            size=_whole("size", given, kind.options.size),
            url=given.get("url"),
        )
        times = _whole("n", given, -1)
        fault = Fault(
            name,
            given.get("path", kind.path),
            _number("p", given, 1, 1),
            None if times < 0 else times,
            _whole("after", given, 0),
            options,
        )
    except ValueError as error:
        raise ValueError(f"Fault {name}: {error}") from None
    if options.url is None and name in _LEAD_AWAY:
        raise ValueError(f"Fault {name} needs url=, where it leads to.")
    return fault


_KEYS = ("path", "p", "n", "after", "seconds", "size", "url")
_LEAD_AWAY = ("redirect", "next-elsewhere")


def _number(key: str, given: Mapping[str, str], default: float, most: float) -> float:
    if key not in given:
        return default
    try:
        number = float(given[key])
    except ValueError:
        raise ValueError(f"{key}={given[key]} is no number.") from None
    if not 0 <= number <= most:
        raise ValueError(f"{key}={given[key]} is not between 0 and {most:g}.")
    return number


def _whole(key: str, given: Mapping[str, str], default: int) -> int:
    text = given.get(key)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"{key}={text} is no whole number.")
    return int(text)


class Faults:
    """The faults of a stand-in that is being served; may be changed at any time, from any thread.

    `served` counts how often each has been served, by name. Of several that match a request the first one is served.
    """

    def __init__(self, seed: int, faults: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - chance that can be repeated, no secret
        self._active: list[_Active] = []
        self.served: Counter[str] = Counter()
        self.set(*faults)

    def set(self, *faults: str) -> None:
        """Serve these faults from the next request on and no others. Raises `ValueError`."""
        active = [_Active(parse_fault(text)) for text in faults]
        with self._lock:
            self._active = active
            self.served.clear()

    def clear(self) -> None:
        """Serve no faults; `served` stays."""
        with self._lock:
            self._active = []

    def choose(self, path: str) -> Fault | None:
        """The fault whose turn it is at a request for this path."""
        with self._lock:
            for active in self._active:
                if active.fault.matches(path) and active.is_due(self._random):
                    self.served[active.fault.name] += 1
                    return active.fault
        return None

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application with these faults in front of it."""

        async def disturbed(scope: Scope, receive: Receive, send: Send) -> None:
            fault = self.choose(scope["path"]) if scope["type"] == "http" else None
            if fault is None:
                await app(scope, receive, send)
            else:
                await FAULTS[fault.name].behaviour(Disturbed(app, scope, receive, send, fault.options))

        return disturbed


class _Active:
    """A fault with what has come of it so far."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.met = self.times = 0

    def is_due(self, chance: random.Random) -> bool:
        fault = self.fault
        self.met += 1
        if self.met <= fault.after or (fault.n is not None and self.times >= fault.n):
            return False
        if fault.p < 1 and chance.random() >= fault.p:
            return False
        self.times += 1
        return True
