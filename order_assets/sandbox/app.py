"""The stand-in's HTTP side: the documented paths over a shop, under both API versions, with login and errors.

Where the documentation is silent the stand-in does what the framework behind the real API does by default.
What stands before every request is in `request_guard`, paging and filters are in `queries`, the documents come from
`shop`; starting a server is in `server`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from order_assets.sandbox.catalogue import CHANNELS
from order_assets.sandbox.documented import documented_row
from order_assets.sandbox.edits import Edit
from order_assets.sandbox.lines import DISCOUNTS_PER_ORDER, ITEMS_PER_ORDER
from order_assets.sandbox.listings import FlatQuery
from order_assets.sandbox.queries import BadQueryError, flat_query, is_pk, order_query, page_of
from order_assets.sandbox.request_guard import LOGIN, VERSIONS, RequestGuard, RequestLog, Tokens, no_route
from order_assets.sandbox.sdk_lists import FLAT_LISTS
from order_assets.sandbox.shop import Shop
from order_assets.sandbox.value_text import Json

USERNAME = "sandbox"
PASSWORD = "sandbox"  # noqa: S105 - the stand-in's public login, no secret
_KEPT_TEXTS = 4_096
_NO_CHOICE = "Select a valid choice. That choice is not one of the available choices."


def create_app(shop: Shop) -> Starlette:
    """Make the web application that serves `shop`.

    `app.state.shop` may be replaced while it serves (the same shop at another time, or with edits);
    `app.state.requests` is the log of requests, `app.state.tokens` holds the valid token.
    """
    endpoints = _Endpoints()
    further = [
        Route(f"{version}/{path}", _further(read), methods=["GET"])
        for version in VERSIONS
        for path, read in shop.settings.further.items()
    ]
    app = Starlette(
        routes=further + [route for version in VERSIONS for route in endpoints.routes(version)],
        middleware=[Middleware(RequestGuard)],
        exception_handlers={HTTPException: _http_error, BadQueryError: _bad_query},
    )
    app.router.redirect_slashes = False
    app.state.shop = shop
    app.state.requests = RequestLog()
    app.state.tokens = Tokens(shop.settings.seed)
    return app


Endpoint = Callable[[Request], Awaitable[Response]]
_TextKey = tuple[str, int, tuple[int, date, int], frozenset[str]]


class _Texts:
    """JSON texts of documents, the last few thousand, each kept until something in it changes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_TextKey, tuple[int, int, Edit, str]] = OrderedDict()

    def row(self, shop: Shop, pk: int) -> str:
        """The list row of an order."""
        return self._give(shop, "row", pk, shop.listed_order)

    def detail(self, shop: Shop, pk: int) -> str:
        """The detail of an order."""
        return self._give(shop, "detail", pk, shop.order_detail)

    def _give(self, shop: Shop, kind: str, pk: int, read: Callable[[int], Json]) -> str:
        now, edit = shop.now_micros(), shop.edit_of(pk)
        key = (kind, pk, shop.identity, shop.settings.lacks)
        kept = self._kept.get(key)
        if kept is not None and kept[0] <= now < kept[1] and kept[2] is edit:
            self._kept.move_to_end(key)
            return kept[3]
        text = _json(shop.answered(kind, pk, read(pk)))
        self._kept[key] = (now, shop.unchanged_until(pk), edit, text)
        if len(self._kept) > _KEPT_TEXTS:
            self._kept.popitem(last=False)
        return text


class _Endpoints:
    """The endpoints, as methods because they share the kept texts."""

    def __init__(self) -> None:
        self._texts = _Texts()

    def routes(self, base: str) -> list[Route]:
        gets: tuple[tuple[str, Endpoint], ...] = (
            ("/orders/", self.list_orders),
            ("/orders/{number}", self.order_by_number),
            ("/orders/{number}/", self.order_by_number),
            ("/order_number/{number}/", self.order_by_number),
            ("/orders_integration/{pk}/detailed_integration/", self.detail),
            ("/order_item/detailed_integration/", self.items),
            ("/discount_items/detailed_integration/", self.discounts),
            ("/channel/{channel}/orders/", _offered("channel_orders", self.channel_orders)),
            ("/channel/{channel}/order_items/", _offered("channel_order_items", _flat_list("order_items"))),
            ("/cancellation_reasons/", _offered("cancellation_reasons", _reasons)),
            ("/cancellation_reasons/{pk}/", _offered("cancellation_reasons", _reason)),
            ("/active_user/", _offered("active_user", _active_user)),
            ("/order_item/{pk}/detailed_integration/", self.item),
            ("/discount_items/{pk}/detailed_integration/", self.discount),
        )
        for name in FLAT_LISTS:
            stem = "/channel/{channel}/" if name == "cancellation_requests" else "/"
            gets += ((f"{stem}{name}/", _offered(name, _flat_list(name))),)
            gets += ((f"{stem}{name}/{{pk}}/", _offered(name, _flat_row(name))),)
        posts = [Route(base + LOGIN, _login, methods=["POST"])]
        return posts + [Route(base + path, endpoint, methods=["GET"]) for path, endpoint in gets]

    async def list_orders(self, request: Request) -> Response:
        """`GET orders/`: flat rows, paged, newest pk first unless `sort` is a capability and asked for."""
        shop = _shop_of(request)
        pks = shop.order_pks(order_query(request, shop.settings.capabilities))
        return _page(request, pks, lambda pk: self._texts.row(shop, pk))

    async def channel_orders(self, request: Request) -> Response:
        """`GET channel/{channel}/orders/`: those of one channel, in the same form and with the same filters."""
        shop = _shop_of(request)
        query = replace(order_query(request, shop.settings.capabilities), channel=_channel(request))
        return _page(request, shop.order_pks(query), lambda pk: self._texts.row(shop, pk))

    async def order_by_number(self, request: Request) -> Response:
        """`GET orders/{number}` and `GET order_number/{number}/`: a flat row; `orders/` takes a pk, too."""
        shop, number = _shop_of(request), request.path_params["number"]
        try:
            pk = shop.pk_of_number(number)
        except KeyError:
            if "/order_number/" in request.url.path:
                raise HTTPException(404) from None
            pk = _existing_pk(shop, number)
        return _raw(self._texts.row(shop, pk))

    async def detail(self, request: Request) -> Response:
        """`GET orders_integration/{pk}/detailed_integration/`: everything about one order."""
        shop = _shop_of(request)
        pk = _existing_pk(shop, request.path_params["pk"])
        return _raw(self._texts.detail(shop, pk))

    async def items(self, request: Request) -> Response:
        """`GET order_item/detailed_integration/?order={pk}`: the items of an order, paged, by pk."""
        return _children(request, "items", _shop_of(request).order_items)

    async def discounts(self, request: Request) -> Response:
        """`GET discount_items/detailed_integration/?order={pk}`: the discounts of an order, paged, by pk."""
        return _children(request, "discounts", _shop_of(request).discount_items)

    async def item(self, request: Request) -> Response:
        """`GET order_item/{pk}/detailed_integration/`: one item."""
        return _child(request, _shop_of(request).order_items, ITEMS_PER_ORDER)

    async def discount(self, request: Request) -> Response:
        """`GET discount_items/{pk}/detailed_integration/`: one discount."""
        return _child(request, _shop_of(request).discount_items, DISCOUNTS_PER_ORDER)


def _further(read: Callable[[int], Any]) -> Endpoint:
    """A document that the settings add: an object, or a list that is paged."""

    async def answer(request: Request) -> Response:
        shop = _shop_of(request)
        pk = _existing_pk(shop, request.path_params.get("order_id") or request.query_params.get("order", ""))
        value = read(pk)
        if value is None:
            raise HTTPException(404)
        if isinstance(value, list):
            return _page(request, range(len(value)), lambda at: _json(value[at]))
        return _raw(_json(value))

    return answer


def _offered(name: str, endpoint: Endpoint) -> Endpoint:
    """Answer as for a path that leads nowhere where the instance lacks the list."""

    async def answer(request: Request) -> Response:
        return no_route() if name in _shop_of(request).settings.lacks else await endpoint(request)

    return answer


def _flat_list(name: str) -> Endpoint:
    """Make the endpoint of a list of rows below orders: paged, newest pk first unless sorted."""

    async def answer(request: Request) -> Response:
        shop, channel = _shop_of(request), _channel(request) if "channel" in request.path_params else None
        pks = shop.flat_pks(flat_query(request, name, channel))
        return _page(request, pks, lambda pk: _json(shop.flat_row(name, pk)))

    return answer


def _flat_row(name: str) -> Endpoint:
    """Make the endpoint of one row of such a list."""

    async def answer(request: Request) -> Response:
        shop, wanted = _shop_of(request), request.path_params["pk"]
        if not is_pk(wanted):
            raise HTTPException(404)
        query = FlatQuery(name, pks=frozenset({int(wanted)}))
        if "channel" in request.path_params:
            query = replace(query, channel=_channel(request))
        if not shop.flat_pks(query):
            raise HTTPException(404)
        return _raw(_json(shop.flat_row(name, int(wanted))))

    return answer


def _channel(request: Request) -> int:
    text = request.path_params["channel"]
    if not is_pk(text) or int(text) not in {*(channel.pk for channel in CHANNELS), documented_row()["channel"]}:
        raise HTTPException(404)
    return int(text)


async def _reasons(request: Request) -> Response:
    rows = _shop_of(request).cancellation_reasons()
    return _page(request, range(len(rows)), lambda position: _json(rows[position]))


async def _reason(request: Request) -> Response:
    for row in _shop_of(request).cancellation_reasons():
        if str(row["pk"]) == request.path_params["pk"]:
            return _raw(_json(row))
    raise HTTPException(404)


async def _active_user(_request: Request) -> Response:
    user = {"pk": 1, "username": USERNAME, "email": "sandbox@example.org", "first_name": "", "last_name": ""}
    return _raw(_json({**user, "is_active": True, "is_staff": False, "is_superuser": False}))


def _child(request: Request, read: Callable[[int], list[Json]], per_order: int) -> Response:
    shop, wanted = _shop_of(request), request.path_params["pk"]
    owner = int(wanted) // per_order if is_pk(wanted) else None
    rows = read(owner) if owner is not None and shop.exists(owner) else []
    for row in rows:
        if str(row["pk"]) == wanted:
            return _raw(_json(row))
    raise HTTPException(404)


def _children(request: Request, answer: str, read: Callable[[int], list[Json]]) -> Response:
    # Without `order` the real API lists the rows of all orders. Nobody wants that: say so instead.
    wanted = request.query_params.get("order", "")
    if not wanted:
        raise BadQueryError("order", "The sandbox lists the rows of one order at a time: give ?order=<pk>.")
    if not is_pk(wanted):
        raise BadQueryError("order", _NO_CHOICE)
    pk, shop = int(wanted), _shop_of(request)
    rows = shop.answered(answer, pk, read(pk)) if shop.exists(pk) else []
    if not isinstance(rows, list):
        return _raw(_json(rows))
    return _page(request, range(len(rows)), lambda position: _json(rows[position]))


async def _login(request: Request) -> Response:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return _raw(_json({"detail": "JSON parse error", "code": "parse_error"}), 400)
    given = body if isinstance(body, dict) else {}
    missing = {name: ["This field is required."] for name in ("username", "password") if not given.get(name)}
    if missing:
        return _raw(_json({**missing, "code": "required"}), 400)
    if (given["username"], given["password"]) != (USERNAME, PASSWORD):
        problem = "Unable to log in with provided credentials."
        return _raw(_json({"non_field_errors": [problem], "code": "authorization"}), 400)
    return _raw(_json({"key": request.app.state.tokens.current}))


def _shop_of(request: Request) -> Shop:
    shop: Shop = request.scope["shop"]
    return shop


def _existing_pk(shop: Shop, text: str) -> int:
    if not is_pk(text) or not shop.exists(int(text)):
        raise HTTPException(404)
    return int(text)


def _page(request: Request, keys: Sequence[int], text_of: Callable[[int], str]) -> Response:
    return _raw(page_of(request, keys, _shop_of(request).settings.page_cap, text_of))


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError):
        # Half characters and numbers beyond 64 bits, which the shop sends only where it was told to.
        return json.dumps(value, separators=(",", ":"))


def _raw(text: str, status: int = 200) -> Response:
    return Response(text.encode(), status, media_type="application/json")


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 405:
        problem = f'Method "{request.method}" not allowed.'
        return _raw(_json({"detail": problem, "code": "method_not_allowed"}), 405)
    detail = "Not found." if error.detail == "Not Found" else error.detail
    return _raw(_json({"detail": detail}), error.status_code)


async def _bad_query(_request: Request, error: Exception) -> Response:
    if not isinstance(error, BadQueryError):
        raise error
    return _raw(_json({error.field: [error.problem], "code": "invalid"}), 400)
