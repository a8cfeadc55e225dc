"""Walking through pages, and the order list as pages.

Belongs here: page numbers, the envelope, and noticing when a walk cannot be complete. Not here: what a row
means (`documents`, and the rooms after this one) and single calls (`session`).

The API's pages are `{"count", "next", "previous", "results"}`, or a bare list, which is one page. The address
in `next` is never followed: it may be relative, or lead to another host. Only whether it is there counts.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from order_assets.omnitron.answers import Response
from order_assets.omnitron.errors import OmnitronAnswerError
from order_assets.omnitron.session import Params, Session

Row = dict[str, Any]
Fetch = Callable[[int], Response]
Complain = Callable[[str], OmnitronAnswerError]

ORDERS_PATH = "orders/"
TRANSACTIONS_PATH = "order_transactions/"
MOST_PAGES = 1_000_000


class ListShrankError(OmnitronAnswerError):
    """A page that was promised is not there: rows went while the list was read, or the list is broken."""


@dataclass(frozen=True)
class Page:
    """One page of the order list.

    `rows` are JSON objects with Decimal for numbers that have a fraction; each has an integer `pk` and a
    `number`. `number` counts pages from 1, `count` is what the server says about all pages (None if it does
    not), and `server_date` the moment of the answer by the server's clock, UTC.
    """

    rows: list[Row] = field(repr=False)
    number: int
    count: int | None
    server_date: datetime | None


@dataclass(frozen=True)
class WalkedPage:
    """One page of any list: its answer and what the envelope said."""

    response: Response
    rows: list[Row] = field(repr=False)
    number: int
    count: int | None
    has_next: bool


def list_orders(session: Session, *, limit: int = 100, params: Params | None = None) -> Iterator[Page]:
    """Yield the pages of the order list, at least one, in the server's order.

    `params` are further query parameters, such as `sort`. While orders come in, a row can show up on two
    pages: keep the later one. Raises OmnitronAnswerError when a page cannot be right, so that a broken list
    never looks like a short one.
    """

    def problem(row: Row) -> str:
        identified = type(row.get("pk")) is int and type(row.get("number")) in (str, int) and row["number"] != ""
        return "" if identified else "a row without an integer pk and a number"

    return _list(session, ORDERS_PATH, "order list", problem, limit, params or {})


def list_order_transactions(session: Session, *, limit: int = 100, params: Params | None = None) -> Iterator[Page]:
    """Yield the pages of the list of order transactions, at least one; see `list_orders`.

    Their rows do not name the order; each has an integer `pk`.
    """

    def problem(row: Row) -> str:
        return "" if type(row.get("pk")) is int else "a row without an integer pk"

    return _list(session, TRANSACTIONS_PATH, "list of order transactions", problem, limit, params or {})


def _list(
    session: Session, path: str, name: str, problem: Callable[[Row], str], limit: int, params: Params
) -> Iterator[Page]:
    if limit < 1:
        raise ValueError(f"limit is {limit}, it must be at least 1")

    def fetch(number: int) -> Response:
        query = {**params, "limit": limit, "page": number}
        return session.get(path, query, about=f"{name}, page {number}", missing_ok=number > 1)

    def complain(what: str) -> OmnitronAnswerError:
        return session.explain.error(
            OmnitronAnswerError,
            f"The {name} at {path} cannot be trusted: {what}. Nothing is concluded from it: run again, "
            "and if it stays, compare with the list in Omnitron.",
            kind="transient",
            systemic=True,
        )

    for page in walk_pages(fetch, complain, most_pages=MOST_PAGES):
        found = next((text for row in page.rows if (text := problem(row))), "")
        if found:
            raise complain(f"page {page.number} has {found}")
        yield Page(page.rows, page.number, page.count, page.response.server_date)


def walk_pages(fetch: Fetch, complain: Complain, *, most_pages: int) -> Iterator[WalkedPage]:
    """Yield pages from 1 until the list is at its end, at least one.

    The end is reached when there is no `next` and as many rows as `count` were seen. The server may give
    fewer rows per page than asked for. `fetch` answers 404 for a page past the end. Raises what `complain`
    makes of a problem.
    """
    seen = 0
    promised: float = 0
    earlier: set[int] = set()
    for number in range(1, most_pages + 1):
        response = fetch(number)
        if response.status == 404:
            if seen < promised:
                error = complain(f"page {number} does not exist, though more rows than the {seen} given are promised")
                raise ListShrankError(str(error), kind=error.kind, systemic=error.systemic)
            return
        page = _walked(response, number, complain)
        # Without a count only `next` can promise more.
        promised = page.count if page.count is not None else (math.inf if page.has_next else 0)
        if not page.rows and seen < promised:
            raise complain(f"page {number} is empty, though more rows than the {seen} given are promised")
        if page.rows and page.count == 0:
            raise complain(f"page {number} has rows, but its `count` says that there are none")
        if page.rows:
            fingerprint = hash(tuple(repr(row.get("pk", row)) for row in page.rows))
            if fingerprint in earlier:
                raise complain(f"page {number} repeats an earlier page")
            earlier.add(fingerprint)
        if page.rows or number == 1:
            yield page
        seen += len(page.rows)
        if not page.rows or not (page.has_next or seen < promised):
            return
    raise complain(f"it has more than {most_pages} pages")


def _walked(response: Response, number: int, complain: Complain) -> WalkedPage:
    """Read the envelope of a page."""
    value = response.value
    if isinstance(value, list):
        envelope: dict[str, Any] = {"results": value, "count": len(value), "next": None}
    elif isinstance(value, dict):
        envelope = value
    else:
        raise complain(f"page {number} is neither an object nor a list")
    rows, count = envelope.get("results"), envelope.get("count")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise complain(f"page {number} has no list of objects in `results`")
    if count is not None and (type(count) is not int or count < 0):
        raise complain(f"page {number} has a `count` that is not a number of rows")
    return WalkedPage(response, rows, number, count, bool(envelope.get("next")))
