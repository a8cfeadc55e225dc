"""What the order list of an instance can do beyond its documentation, found out by asking.

Belongs here: the few questions and what their answers prove. Not here: calls and pages (`session`, `pagination`),
and walking the list, which rests on the findings (`incremental_listing`).

The API ignores parameters that it does not know, so an answer with status 200 proves nothing: only rows that come
out differently do. What the rows cannot tell is None, never a guess.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

from order_assets.core.moments import read_moment, written_moment
from order_assets.omnitron.api_errors import (
    OmnitronError,
    OmnitronForbiddenError,
    OmnitronNotFoundError,
    OmnitronRequestError,
)
from order_assets.omnitron.client import OmnitronClient
from order_assets.omnitron.pagination import Page

Discovery = Literal["filtered window", "descending walk", "full listing"]

SORTS = ("modified_date", "-modified_date", "pk", "-pk")
LARGEST_PAGE_ASKED = 500
# The lists of money rows that name their order; no page documents them, the vendor's SDK reads them.
MONEY_LISTS = (
    "transactions",
    "pay_on_delivery_transactions",
    "loyalty_transactions",
    "funds_transfer_transactions",
    "bex_transactions",
)
_SORTED_PAGE = 100
_FAR_FUTURE = datetime(2999, 1, 1, tzinfo=UTC)
_Key = int | datetime


@dataclass(frozen=True)
class Capabilities:
    """What was found; None stands for what the rows could not tell.

    `page_cap` is the most rows that a page has, 500 meaning 500 or more. `date_filter` is about `modified_date__gte`,
    `sorts` about values of `sort`, `transactions_filter` about `modified_date__gte` of the list of order
    transactions, and `money_lists` are those of `MONEY_LISTS` that can be filtered so. `server_clock_offset_seconds`
    is the server's clock minus ours, to a second or two. `orders` counts the whole list, `requests` what finding out
    took, login included. `api_prefix` says which of `v1` and `i1` serves which kind of path.
    """

    page_cap: int | None
    date_filter: bool | None
    sorts: Mapping[str, bool | None]
    server_clock_offset_seconds: float | None
    orders: int | None
    requests: int
    money_lists: Sequence[str]
    transactions_filter: bool | None = None
    prefixes: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The findings as values for JSON."""
        return {**asdict(self), "sorts": dict(self.sorts), "prefixes": dict(self.prefixes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The findings that `as_dict` gave. Raises TypeError for other values."""
        return cls(**values)

    def discovery(self) -> Discovery:
        """The cheapest way to learn which orders changed that is sound here.

        Orders that are gone from the list show in a full listing only.
        """
        if self.date_filter:
            return "filtered window"
        if self.sorts.get("-modified_date"):
            return "descending walk"
        return "full listing"


def probe(client: OmnitronClient) -> Capabilities:
    """Ask the order list seven times, those of transactions seven at most, a page each, and for one order's documents.

    Raises OmnitronError when the plain list cannot be had.
    """
    before = client.counters.requests
    plain = _page(client, LARGEST_PAGE_ASKED)
    now = datetime.now(UTC)
    sorted_pages = {sort: _try_page(client, _SORTED_PAGE, sort=sort) for sort in SORTS}
    date_filter = _date_filter(client, plain)
    transactions_filter = _transactions_filter(client)
    money_lists = [name for name in MONEY_LISTS if _future(client, name) is True]
    _try_documents(client, plain)
    return Capabilities(
        page_cap=_page_cap(plain),
        date_filter=date_filter,
        sorts={sort: _sorts(sort, sorted_pages) for sort in SORTS},
        server_clock_offset_seconds=None if plain.server_date is None else (plain.server_date - now).total_seconds(),
        orders=plain.count,
        requests=client.counters.requests - before,
        money_lists=money_lists,
        transactions_filter=transactions_filter,
        prefixes=client.prefixes(),
    )


def _try_documents(client: OmnitronClient, plain: Page) -> None:
    """Ask for the documents of one order, so that it is known under which prefix they are served."""
    pk = plain.rows[0].get("pk") if plain.rows else None
    if type(pk) is int:
        try:
            client.order_documents(pk)
        except OmnitronError as error:
            if error.systemic:
                raise


def _page(client: OmnitronClient, limit: int, **params: str) -> Page:
    """The first page of the list."""
    return next(client.list_orders(limit=limit, params=params))


def _try_page(client: OmnitronClient, limit: int, **params: str) -> Page | bool | None:
    """The first page, False where the server refuses the parameter, None where it fails in another way."""
    return _tried(lambda: _page(client, limit, **params))


def _tried(ask: Callable[[], Page | bool | None]) -> Page | bool | None:
    try:
        return ask()
    except (OmnitronRequestError, OmnitronNotFoundError):
        return False
    except OmnitronError as error:
        if error.systemic:
            raise
        return None


def _page_cap(plain: Page) -> int | None:
    rows = plain.size
    if rows >= LARGEST_PAGE_ASKED:
        return LARGEST_PAGE_ASKED
    return rows if plain.count is not None and plain.count > rows else None


def _sorts(sort: str, pages: Mapping[str, Page | bool | None]) -> bool | None:
    """Whether a page is in the order asked for, and the page of the opposite order is not.

    Both would be the same page where `sort` is ignored, and that one may be in order by chance.
    """
    field, descending = sort.removeprefix("-"), sort.startswith("-")
    page = pages[sort]
    opposite = pages[field if descending else f"-{field}"]
    if not isinstance(page, Page):
        return page
    keys = _keys(page, field)
    if keys is None or len(set(keys)) < 2:
        return None
    if not _in_order(keys, descending=descending):
        return False
    others = _keys(opposite, field) if isinstance(opposite, Page) else None
    if others is None or len(set(others)) < 2:
        return None
    return not _in_order(others, descending=descending)


def _date_filter(client: OmnitronClient, plain: Page) -> bool | None:
    """Whether a far future gives nothing, and a moment in the middle exactly orders changed since then."""
    if not plain.rows:
        return None
    future = _filtered(client, _FAR_FUTURE)
    if not isinstance(future, Page):
        return future
    if future.size or future.count:
        return False
    known = _keys(plain, "modified_date")
    moments = sorted({moment for moment in known or () if isinstance(moment, datetime)})
    if known is None or len(moments) < 2:
        return None
    middle = moments[len(moments) // 2]
    since = _filtered(client, middle)
    if not isinstance(since, Page):
        return since
    found = _keys(since, "modified_date")
    if since.count is None or plain.count is None or found is None:
        return None
    # Changes only move an order into the window, so none that was seen in it may be missing.
    expected = sum(moment >= middle for moment in known if isinstance(moment, datetime))
    return expected <= since.count < plain.count and all(
        moment >= middle for moment in found if isinstance(moment, datetime)
    )


def _transactions_filter(client: OmnitronClient) -> bool | None:
    """Whether a far future gives no order transaction, though there are some."""
    empty = _future(client, "order_transactions")
    if not empty:
        return empty
    plain = _tried(lambda: next(client.list_child_rows("order_transactions", limit=1), None))
    return True if isinstance(plain, Page) and plain.rows else None


def _future(client: OmnitronClient, name: str) -> bool | None:
    """Whether a list of rows below orders is there and has no row of a far future, as if it could be filtered.

    An empty list answers in the same way, and costs nothing to be asked. False for one that is not there or gives rows,
    None for one that fails.
    """
    params = {"modified_date__gte": written_moment(_FAR_FUTURE)}
    try:
        future = _tried(lambda: next(client.list_child_rows(name, limit=1, params=params), False))
    except OmnitronForbiddenError:
        # Not everybody who may read orders may read this list.
        return False
    return not (future.size or future.count) if isinstance(future, Page) else future


def _filtered(client: OmnitronClient, since: datetime) -> Page | bool | None:
    return _try_page(client, _SORTED_PAGE, modified_date__gte=written_moment(since))


def _keys(page: Page, field: str) -> Sequence[_Key] | None:
    """A field of all rows as values that compare; None if a row has none, since no order or window is sure then.

    A text that is no time proves nothing either way, unless most rows have such.
    """
    if field == "pk":
        return [row["pk"] for row in page.rows]
    if any(row.get(field) in (None, "") for row in page.rows):
        return None
    moments = [moment for row in page.rows if (moment := read_moment(row.get(field))) is not None]
    return moments if len(moments) * 2 >= len(page.rows) else None


def _in_order(keys: Sequence[_Key], *, descending: bool) -> bool:
    return list(keys) == sorted(keys, reverse=descending)
