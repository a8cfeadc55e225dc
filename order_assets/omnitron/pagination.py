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

from order_assets.omnitron.api_errors import OmnitronAnswerError
from order_assets.omnitron.raw_rows import rows_apart
from order_assets.omnitron.response import Response, parse_json
from order_assets.omnitron.session import Params, Session

Row = dict[str, Any]
Fetch = Callable[[int], Response]
Complain = Callable[[str], OmnitronAnswerError]

ORDERS_PATH = "orders/"
MOST_PAGES = 1_000_000
# Keys are kept in 64 bits.
_LARGEST_PK = 2**63 - 1
_UNREADABLE = object()


class ListShrankError(OmnitronAnswerError):
    """A page that was promised is not there: rows went while the list was read, or the list is broken."""


@dataclass(frozen=True)
class OddRow:
    """A row of a list that names nothing: on which page and at which place it stood, both from 1, and what it is like.

    `digest` tells it from other rows in this process; nothing of its content is kept.
    """

    page: int
    place: int
    problem: str
    digest: int = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One page of the order list.

    `rows` are JSON objects with Decimal for numbers that have a fraction; each has an integer `pk` of 64 bits. The
    rows that do not are in `odd`. `number` counts pages from 1, `count` is what the server says about all pages
    (None if it does not), and `server_date` the moment of the answer by the server's clock, UTC.
    """

    rows: list[Row] = field(repr=False)
    number: int
    count: int | None
    server_date: datetime | None
    odd: list[OddRow] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many rows the page has, whatever they are."""
        return len(self.rows) + len(self.odd)


@dataclass(frozen=True)
class WalkedPage:
    """One page of any list: its answer and what the envelope said."""

    response: Response
    rows: list[Row] = field(repr=False)
    number: int
    count: int | None
    has_next: bool
    odd: list[OddRow] = field(default_factory=list)


def list_orders(session: Session, *, limit: int = 100, params: Params | None = None) -> Iterator[Page]:
    """Yield the pages of the order list, at least one, in the server's order.

    `params` are further query parameters, such as `sort`. While orders come in, a row can show up on two
    pages: keep the later one. Raises OmnitronAnswerError when a page cannot be right, so that a broken list
    never looks like a short one; a row that cannot be right is only that row.
    """
    return _list(session, ORDERS_PATH, "order list", limit, params or {})


def list_child_rows(session: Session, name: str, *, limit: int = 100, params: Params | None = None) -> Iterator[Page]:
    """Yield the pages of a list of rows below orders, such as `transactions`; none where the instance lacks it.

    See `list_orders`. Each row has an integer `pk`. Those of `order_transactions` do not name their order, those of
    other lists should.
    """
    return _list(session, f"{name}/", f"list of {name.replace('_', ' ')}", limit, params or {}, optional=True)


def _list(
    session: Session, path: str, name: str, limit: int, params: Params, *, optional: bool = False
) -> Iterator[Page]:
    if limit < 1:
        raise ValueError(f"limit is {limit}, it must be at least 1")

    def fetch(number: int) -> Response:
        query = {**params, "limit": limit, "page": number}
        about = f"{name}, page {number}"
        may_lack = optional and number == 1
        return session.get(path, query, about=about, missing_ok=number > 1, unclean_ok=True, optional=may_lack)

    def complain(what: str) -> OmnitronAnswerError:
        return session.explain.error(
            OmnitronAnswerError,
            f"The {name} at {path} cannot be trusted: {what}. Nothing is concluded from it: run again, "
            "and if it stays, compare with the list in Omnitron.",
            kind="transient",
            systemic=True,
        )

    for page in walk_pages(fetch, complain, most_pages=MOST_PAGES, odd_ok=True):
        yield Page(page.rows, page.number, page.count, page.response.server_date, page.odd)


def walk_pages(fetch: Fetch, complain: Complain, *, most_pages: int, odd_ok: bool = False) -> Iterator[WalkedPage]:
    """Yield pages from 1 until the list is at its end, at least one.

    With `odd_ok` rows that are no objects or have no usable `pk` are set apart; else they are the page's problem.

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
        page = _walked(response, number, complain, odd_ok=odd_ok)
        size = len(page.rows) + len(page.odd)
        # Without a count only `next` can promise more.
        promised = page.count if page.count is not None else (math.inf if page.has_next else 0)
        if not size and seen < promised:
            raise complain(f"page {number} is empty, though more rows than the {seen} given are promised")
        if size and page.count == 0:
            raise complain(f"page {number} has rows, but its `count` says that there are none")
        if size:
            fingerprint = hash((tuple(repr(row.get("pk", row)) for row in page.rows), _digests(page.odd)))
            if fingerprint in earlier:
                raise complain(f"page {number} repeats an earlier page")
            earlier.add(fingerprint)
        if size or number == 1:
            yield page
        seen += size
        if not size or not (page.has_next or seen < promised):
            return
    raise complain(f"it has more than {most_pages} pages")


def _walked(response: Response, number: int, complain: Complain, *, odd_ok: bool) -> WalkedPage:
    """Read the envelope of a page."""
    value, texts = response.value, None
    if odd_ok and not response.is_clean:
        try:
            apart = rows_apart(response.body)
        except ValueError as error:
            raise complain(f"page {number} is not JSON: {error}") from None
        value, texts = apart.envelope, apart.texts
    if isinstance(value, list):
        envelope: dict[str, Any] = {"results": value, "count": len(texts or value), "next": None}
    elif isinstance(value, dict):
        envelope = value
    else:
        raise complain(f"page {number} is neither an object nor a list")
    rows, count = envelope.get("results"), envelope.get("count")
    if not isinstance(rows, list) or not (odd_ok or all(isinstance(row, dict) for row in rows)):
        raise complain(f"page {number} has no list of objects in `results`")
    if count is not None and (type(count) is not int or count < 0):
        raise complain(f"page {number} has a `count` that is not a number of rows")
    odd: list[OddRow] = []
    if odd_ok:
        rows = _sorted_out(rows if texts is None else [_readable(text) for text in texts], number, odd)
    return WalkedPage(response, rows, number, count, bool(envelope.get("next")), odd)


def _readable(text: bytes) -> object:
    try:
        return parse_json(text)
    except ValueError:
        return _UNREADABLE


def _sorted_out(rows: list[Any], number: int, odd: list[OddRow]) -> list[Row]:
    """The rows that name something; those that do not are added to the odd ones."""
    good: list[Row] = []
    for place, row in enumerate(rows, start=1):
        problem = _problem(row)
        if problem:
            odd.append(OddRow(number, place, problem, _digest(row)))
        else:
            good.append(row)
    return good


def _problem(row: object) -> str:
    """Why a row names nothing; nothing of its content is said."""
    if row is _UNREADABLE:
        return "it is no JSON that can be read"
    if not isinstance(row, dict):
        return f"it is {_KINDS.get(type(row), 'a number')}, not an object"
    pk = row.get("pk")
    if type(pk) is int:
        return "" if -_LARGEST_PK <= pk <= _LARGEST_PK else "its pk has more than 64 bits"
    return "it has no pk" if "pk" not in row else f"its pk is {_KINDS.get(type(pk), 'a number with a fraction')}"


_KINDS = {type(None): "null", str: "text", bool: "true or false", list: "a list", dict: "an object"}


def _digest(row: object) -> int:
    try:
        return hash(repr(row))
    except RecursionError:
        return hash(type(row))


def _digests(odd: list[OddRow]) -> tuple[int, ...]:
    return tuple(row.digest for row in odd)
