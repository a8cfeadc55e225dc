"""What the stand-in understands of a query string: pages, filters, sorting.

As with the framework behind the real API, unknown parameters and empty values are ignored without a word, a
page past the end is a 404, and `limit` is capped. Which orders a query finds is in `listings`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request

from order_assets.sandbox.listings import DATE_FIELDS, SORT_FIELDS, DateBound, FlatQuery, OrderQuery
from order_assets.sandbox.value_text import DAY, micros_of

DEFAULT_LIMIT = 10
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class BadQueryError(Exception):
    """A filter's value cannot be understood; `field` and `problem` go into the 400 answer."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


def is_pk(text: str) -> bool:
    """Tell whether a text is a number that may be a pk."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def order_query(request: Request, capabilities: frozenset[str]) -> OrderQuery:
    """Read the filters of the order list; sorting and date filters only where they are capabilities."""
    params = request.query_params
    sort = params.get("sort", "") if "sort" in capabilities else ""
    field = sort.removeprefix("-")
    return OrderQuery(
        statuses=_texts(params.get("status__in")),
        number=params.get("number") or None,
        pks=_pks(request, "pk__in"),
        above=_pk(request, "id__gt"),
        channel=_pk(request, "channel"),
        customer=_pk(request, "customer"),
        status=params.get("status") or None,
        is_send=_BOOLEANS.get(params.get("is_send", "").lower()),
        cancel_status=params.get("cancel_status") or None,
        bounds=date_bounds(request, DATE_FIELDS) if "date-filter" in capabilities else (),
        sort=field if field in SORT_FIELDS else None,
        descending=sort.startswith("-"),
    )


_BY_VALUE = {
    "order_transactions": ("uuid", "transaction_type", "amount"),
    "transactions": ("transaction_type", "is_succeeded"),
    "order_items": ("status", "cancel_status"),
    "cancellation_requests": ("status", "cancellation_type"),
}
"""The fields by whose values the rows of a list can be asked for."""


def flat_query(request: Request, name: str, channel: int | None = None) -> FlatQuery:
    """Read the filters of a list below orders; of a `channel` only, where one is given."""
    params = request.query_params
    # Its rows name no order, and it cannot be asked for those of one.
    ownerless = name == "order_transactions"
    sort = params.get("sort", "")
    known = sort.removeprefix("-") in ("id", "pk")
    return FlatQuery(
        name,
        bounds=date_bounds(request, ("modified_date", "created_date")),
        order=None if ownerless else _pk(request, "order"),
        channel=channel,
        pks=_pks(request, "pk__in"),
        above=_pk(request, "id__gt"),
        equal=tuple((field, params[field]) for field in _BY_VALUE.get(name, ()) if params.get(field)),
        payment_option=_pk(request, "payment_option") if ownerless else None,
        sort="pk" if known else None,
        descending=known and sort.startswith("-"),
    )


def _texts(text: str | None) -> frozenset[str] | None:
    return frozenset(part.strip() for part in text.split(",")) if text else None


def _pk(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if text and not is_pk(text):
        raise BadQueryError(name, "Enter a number.")
    return int(text) if text else None


def _pks(request: Request, name: str) -> frozenset[int] | None:
    given = _texts(request.query_params.get(name))
    if given is not None and not all(is_pk(text) for text in given):
        raise BadQueryError(name, "Enter numbers, with commas between them.")
    return None if given is None else frozenset(int(text) for text in given)


def date_bounds(request: Request, fields: tuple[str, ...]) -> tuple[DateBound, ...]:
    """Read the date filters on `fields`, such as `modified_date__gte`; BadQueryError if one is no date."""
    bounds = []
    for name, value in request.query_params.multi_items():
        field, _, lookup = name.partition("__")
        if field in fields and value and lookup in _LOOKUPS:
            bounds.append(_LOOKUPS[lookup](field, _moment(name, value)))
    return tuple(bounds)


_LOOKUPS: dict[str, Callable[[str, int], DateBound]] = {
    "gt": lambda field, at: DateBound(field, at_least=at + 1),
    "gte": lambda field, at: DateBound(field, at_least=at),
    "lt": lambda field, at: DateBound(field, below=at),
    "lte": lambda field, at: DateBound(field, below=at + 1),
    "date__gt": lambda field, at: DateBound(field, at_least=at // DAY * DAY + DAY),
    "date__gte": lambda field, at: DateBound(field, at_least=at // DAY * DAY),
    "date__lt": lambda field, at: DateBound(field, below=at // DAY * DAY),
    "date__lte": lambda field, at: DateBound(field, below=at // DAY * DAY + DAY),
}


def _moment(name: str, value: str) -> int:
    try:
        return micros_of(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        raise BadQueryError(name, "Enter a valid date/time.") from None


def page_of(request: Request, keys: Sequence[int], cap: int, text_of: Callable[[int], str]) -> str:
    """Give the JSON text of the page that a request asks for: count, next, previous and rows."""
    limit = min(_positive(request.query_params.get("limit", "")) or DEFAULT_LIMIT, cap)
    page = _positive(request.query_params.get("page", "1"))
    last = max(1, -(-len(keys) // limit))
    if page is None or page > last:
        raise HTTPException(404, "Invalid page.")
    following = json.dumps(_page_url(request, page + 1) if page < last else None)
    previous = json.dumps(_page_url(request, page - 1) if page > 1 else None)
    rows = ",".join(text_of(key) for key in keys[(page - 1) * limit : page * limit])
    return f'{{"count":{len(keys)},"next":{following},"previous":{previous},"results":[{rows}]}}'


def _positive(text: str) -> int | None:
    return int(text) if is_pk(text) and int(text) > 0 else None


def _page_url(request: Request, page: int) -> str:
    # The first page is the one without a number, as the framework writes it.
    url = request.url
    return str(url.remove_query_params("page") if page == 1 else url.include_query_params(page=page))
