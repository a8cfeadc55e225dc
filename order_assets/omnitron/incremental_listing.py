"""Finding out which orders are new or changed, with as few pages as an instance allows.

Belongs here: which pages to ask for, when a list that moves was read completely, and up to when that holds. Not here:
what the list can do (`capabilities`), pages as such (`pagination`), and remembering what was found, which the landing
room does.

The list moves while it is read: orders come in, change, go. A window has a closed lower bound, some overlap with the
window before, and an upper bound that is fixed at the start by the server's own clock; what changes after that
belongs to the next window. Where pages can shift, they are read again until a pass adds nothing to that window.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from order_assets.core.moments import read_moment, written_moment
from order_assets.omnitron.capabilities import Capabilities, Discovery
from order_assets.omnitron.client import OmnitronClient
from order_assets.omnitron.pagination import ListShrankError, OddRow, Page, Row

_DEFAULT_PAGE = 100
# A list that still gives something new after this many passes is taken as it is; the next one goes on.
_MOST_PASSES = 5
# A server shows whole seconds as its time, and may cut the fraction off a time that it filters by.
SERVER_PRECISION = timedelta(seconds=1)


@dataclass(frozen=True)
class Margins:
    """How far a window keeps away from what is not certain yet.

    `overlap` is read again below the cursor: for rows that show up late and clocks of servers that differ. The cursor
    stays `settle` below the server's clock: transactions that are under way carry an earlier time than their commit.
    """

    overlap: timedelta = timedelta(minutes=10)
    settle: timedelta = timedelta(minutes=1)


@dataclass
class Listing:
    """How a listing went; complete once its rows were taken.

    `mode` is how it was read, `whole` whether all orders were asked for. `since` and `until` bound the changes that it
    covers, by the server's clock, UTC; `since` None means from the beginning. `cursor` is where the next one may start.
    `agreed` is false when the list did not stand still long enough: then a missing order proves nothing, and
    `missing` is how many rows the server counted that no page had. `count` is the number of orders that the server gave
    at the start; None if it gave none. `odd` are the rows that name no order. `fell_back` says why more was read than
    planned; empty if it was not. `contradicted` says that the list did not do what the probe found.
    """

    mode: Discovery
    whole: bool
    since: datetime | None
    until: datetime | None = None
    cursor: datetime | None = None
    count: int | None = None
    passes: int = 0
    pages: int = 0
    agreed: bool = True
    missing: int = 0
    odd: dict[tuple[int, int], OddRow] = field(default_factory=dict)
    fell_back: str = ""
    contradicted: bool = False


class _WindowError(Exception):
    """A window cannot be read soundly; whatever was read says nothing about what is missing."""


class _NotAsPromisedError(_WindowError):
    """The list does not do what the probe found."""


def discover(
    client: OmnitronClient,
    capabilities: Capabilities,
    cursor: datetime | None,
    margins: Margins,
) -> tuple[Listing, Iterator[Row]]:
    """A listing of what changed since `cursor` (by the server's clock; None for all orders), and its rows.

    Rows may come more than once; the later one is the newer reading. When the rows are used up the listing says what
    they cover. Taking rows raises OmnitronError; then nothing may be concluded from those that came before.
    """
    mode: Discovery = "full listing" if cursor is None else capabilities.discovery()
    listing = Listing(mode, whole=mode == "full listing", since=None)
    return listing, _rows(client, capabilities, listing, cursor, margins)


def _rows(
    client: OmnitronClient,
    capabilities: Capabilities,
    listing: Listing,
    cursor: datetime | None,
    margins: Margins,
) -> Iterator[Row]:
    lists = _Lists(client, capabilities.page_cap or _DEFAULT_PAGE, listing, margins)
    if cursor is not None and not listing.whole:
        listing.since = cursor - margins.overlap
        try:
            yield from _changed_since(lists, capabilities, listing.since, cursor)
            return
        except _WindowError as broken:
            listing.fell_back = str(broken)
            listing.contradicted = isinstance(broken, _NotAsPromisedError)
            listing.mode, listing.whole, listing.since = "full listing", True, None
            listing.odd.clear()
    # By ascending key new orders come last and move nothing.
    sort = {"sort": "pk"} if capabilities.sorts.get("pk") else {}
    yield from lists.passes(lambda: lists.pages(**sort), all_counted=True)


def _changed_since(lists: "_Lists", capabilities: Capabilities, since: datetime, cursor: datetime) -> Iterator[Row]:
    if lists.listing.mode == "descending walk":
        yield from lists.passes(lambda: _newest_first(lists, since, cursor), all_counted=False)
        return
    # Without filter and sort: the clock and the number of all orders, which a window cannot tell.
    lists.ask_clock_and_count()
    lists.require_clock_after(cursor)
    if capabilities.sorts.get("modified_date"):
        yield from _by_key(lists, since)
    else:
        yield from lists.passes(lambda: _since(lists, since, {}), all_counted=True)


class _Lists:
    """Walks of the order list that keep account in a listing."""

    def __init__(self, client: OmnitronClient, limit: int, listing: Listing, margins: Margins) -> None:
        self._client, self._limit, self.listing, self._margins = client, limit, listing, margins
        self._known: dict[int, str | None] = {}
        self._odd_of_walk: Counter[int] = Counter()

    def ask_clock_and_count(self) -> None:
        """One row of the plain list."""
        self._account(next(self._client.list_orders(limit=1)))

    def pages(self, **params: str) -> Iterator[Page]:
        """The pages of one walk."""
        for page in self._client.list_orders(limit=self._limit, params=params):
            self._account(page)
            yield page

    def passes(self, walk: Callable[[], Iterator[Page]], *, all_counted: bool) -> Iterator[Row]:
        """Walk until a pass was undisturbed, or found nothing that an earlier pass had not.

        `all_counted` says that the walk gives all rows that the server counts.
        """
        for number in range(1, _MOST_PASSES + 1):
            self.listing.passes += 1
            counts: list[int | None] = []
            pks: set[int] = set()
            rows = odd = added = 0
            if all_counted:
                # Each pass has all of them.
                self.listing.odd.clear()
            self._odd_of_walk.clear()
            try:
                for page in walk():
                    counts.append(page.count)
                    pks.update(row["pk"] for row in page.rows)
                    rows += page.size
                    odd += len(page.odd)
                    added += self._added(page)
                    yield from page.rows
            except ListShrankError:
                # The last page can go while orders are deleted; one that never comes is an error.
                if number == _MOST_PASSES:
                    raise
                continue
            found = len(pks) + odd
            promised = min((count for count in counts if count is not None), default=0) if all_counted else 0
            # Where no row came twice and the count stood still and was reached, none can have slipped through.
            still = len(set(counts)) == 1 and None not in counts and found == rows
            if still and (not all_counted or rows == promised):
                return
            # A row that jumps to a page that was read already, in every pass, is never seen, and never new.
            if number > 1 and not added and found >= promised:
                return
            self.listing.missing = max(0, promised - found)
        self.listing.agreed = False

    def require_clock_after(self, cursor: datetime) -> None:
        """A cursor that lies ahead of the server's clock would hide changes."""
        until = self.listing.until
        if until is not None and until < cursor:
            raise _WindowError(f"the server's clock stands before the last listing's ({cursor.isoformat()})")

    def _account(self, page: Page) -> None:
        listing = self.listing
        listing.pages += 1
        if listing.until is None:
            # The first answer fixes the upper bound: the end of the second that the server's clock shows.
            now = page.server_date or datetime.now(UTC)
            listing.until = now + SERVER_PRECISION
            listing.cursor = now - self._margins.settle
            listing.count = page.count
        for row in page.odd:
            # Equal rows are told apart by how many of them the walk had.
            self._odd_of_walk[row.digest] += 1
            listing.odd[row.digest, self._odd_of_walk[row.digest]] = row

    def _added(self, page: Page) -> int:
        """How many rows of the page are of this window and were not known yet."""
        until, added = self.listing.until, 0
        for row in page.rows:
            pk, given = row["pk"], row.get("modified_date")
            text = given if isinstance(given, str) else None
            if pk not in self._known or self._known[pk] != text:
                self._known[pk] = text
                moment = moment_of(row)
                added += moment is None or until is None or moment < until
        return added


def _since(lists: _Lists, since: datetime, sort: dict[str, str]) -> Iterator[Page]:
    """The pages of what changed since a time."""
    for page in lists.pages(modified_date__gte=written_moment(since), **sort):
        if any(moment < since - SERVER_PRECISION for moment in _moments(page)):
            raise _NotAsPromisedError("the filter modified_date__gte gave an order that was changed earlier")
        yield page


def _newest_first(lists: _Lists, since: datetime, cursor: datetime) -> Iterator[Page]:
    """The pages from the newest change down to a time; what changes meanwhile comes first and hides nothing."""
    for page in lists.pages(sort="-modified_date"):
        lists.require_clock_after(cursor)
        moments = _moments(page)
        if moments != sorted(moments, reverse=True):
            raise _NotAsPromisedError("a page of sort=-modified_date is not in that order")
        yield page
        if moments and moments[-1] < since:
            return


def _oldest_first(lists: _Lists, since: datetime) -> Iterator[Page]:
    """The pages of what changed since a time, in the order of the changes."""
    for page in _since(lists, since, {"sort": "modified_date"}):
        moments = _moments(page)
        if moments != sorted(moments):
            raise _NotAsPromisedError("a page of sort=modified_date is not in that order")
        yield page


def _by_key(lists: _Lists, since: datetime) -> Iterator[Row]:
    """What changed since a time, always the first page from the last change on: nothing can shift.

    Only orders of one and the same time that fill more than a page are walked by page number, in passes.
    """
    lists.listing.passes = 1
    while True:
        page = next(_oldest_first(lists, since))
        moments = _moments(page)
        yield from page.rows
        if page.count == page.size or not page.size:
            return
        if not moments:
            raise _WindowError("a page of changed orders does not say when they changed")
        if lists.listing.until is not None and moments[-1] >= lists.listing.until:
            return
        if moments[-1] > since:
            since = moments[-1]
            continue
        later = yield from _of_one_time(lists, since)
        if later is None:
            return
        since = later


def _of_one_time(lists: _Lists, since: datetime) -> Generator[Row, None, datetime | None]:
    """All orders changed at a time; gives the next time in the list, None if there is none."""
    later: datetime | None = None

    def walk() -> Iterator[Page]:
        nonlocal later
        for page in _oldest_first(lists, since):
            yield page
            behind = [moment for moment in _moments(page) if moment > since]
            if behind:
                later = behind[0]
                return

    yield from lists.passes(walk, all_counted=False)
    return later


def moment_of(row: Row) -> datetime | None:
    """When an order was changed, UTC; None where the row does not say."""
    return read_moment(row.get("modified_date"))


def _moments(page: Page) -> list[datetime]:
    """When the orders of a page changed; a text that is no time proves nothing."""
    moments = [moment for row in page.rows if (moment := moment_of(row)) is not None]
    if any(row.get("modified_date") in (None, "") for row in page.rows):
        raise _NotAsPromisedError("an order of the list has no modified_date")
    return moments
