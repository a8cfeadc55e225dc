"""One sync of the index, without Dagster: probe, listing, what the order's clock misses, and writing it down.

Belongs here: the order of these steps and when a part is not enough. Not here: how a list is read
(`omnitron.incremental_listing`), how it is kept (`landing.index_writer`), and the asset around it (`defs`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from order_assets.core.moments import written_moment
from order_assets.landing import AsideRow, IndexDraft, IndexReport, Instance, SyncState
from order_assets.omnitron import OmnitronClient
from order_assets.omnitron.capabilities import Capabilities, probe
from order_assets.omnitron.incremental_listing import SERVER_PRECISION, Listing, Margins, discover, moment_of
from order_assets.omnitron.pagination import Row

# What the rows could not tell the last time they may tell on another day.
_PROBE_AGAIN = timedelta(hours=24)

# Gives the order and the landed modified_date of rows of a table, by their pk.
Owners = Callable[[str, Collection[int]], Mapping[int, tuple[int, datetime | None]]]


@dataclass(frozen=True)
class SyncRules:
    """How the index is kept up to date.

    All orders are listed `whole_every`, since only that shows which are gone; None for never by itself. With
    `transactions` changed transactions are looked for too, where their lists can be filtered.
    """

    margins: Margins
    whole_every: timedelta | None
    transactions: bool


@dataclass(frozen=True)
class SyncReport:
    """What a sync did: the index, how it was listed, and what the instance can do.

    `transactions_changed` are transactions that came or changed after their order was landed, `transactions_unknown`
    those whose order nobody knows yet. `probed` says whether the instance was probed this time. `vanished_before`
    orders were gone from the list before, and `aside_before` rows could not be placed.
    """

    index: IndexReport
    listing: Listing
    capabilities: Capabilities
    state: SyncState
    probed: bool
    transactions_changed: int
    transactions_unknown: int
    vanished_before: int = 0
    aside_before: int = 0


def sync(
    client: OmnitronClient,
    data_root: Path,
    instance: Instance,
    rules: SyncRules,
    *,
    contract_version: str,
    owners: Owners,
    whole: bool = False,
    accept_shorter_list: bool = False,
    row_key: Callable[[], str] | None = None,
    landed_amounts: Callable[[], pa.Table] | None = None,
    on_answer: Callable[[], object] = lambda: None,
    keep: Callable[[SyncReport], bool] = lambda _report: True,
) -> SyncReport:
    """Bring the index up to the shop. `on_answer` is called once the list has answered.

    `keep` says, given what was found, whether that is to be written down; if not, index and cursor stay as before.

    `row_key` gives the key of the fingerprints of list rows; without one the data root keeps a key of its own.
    `landed_amounts` gives `pk` and amounts of what was landed, for orders of which no earlier row is known.

    Raises OmnitronError and OrderIndexError; index and cursor are then as before. They change together, last of all.
    """
    began = datetime.now(UTC)
    draft = IndexDraft(data_root, instance, began, row_key=row_key)
    state = draft.state
    known = _known_capabilities(state, contract_version, began)
    if known is not None:
        client.expect_prefixes(known.prefixes)
    capabilities = known or probe(client)
    whole = whole or _whole_is_due(state, rules, began)
    listing = _take(client, draft, capabilities, None if whole else state.cursor, rules, on_answer)
    if not listing.whole and not _window_is_all(draft, listing, rules, accept_shorter_list):
        part, listing = listing, _take(client, draft, capabilities, None, rules, on_answer)
        listing.fell_back = f"the list has another number of orders ({part.count}) than known"
    if listing.whole:
        if not accept_shorter_list:
            draft.require_plausible(draft.found())
        draft.require_placed()
    if landed_amounts is not None:
        draft.mark_unlike(landed_amounts)
    changed, unknown = _transactions(client, draft, capabilities, rules, owners)
    new_state = _next_state(state, listing, began, capabilities, contract_version, probed=known is None)

    def reported(index: IndexReport) -> SyncReport:
        return SyncReport(
            index,
            listing,
            capabilities,
            new_state,
            known is None,
            changed,
            unknown,
            draft.vanished_before(),
            state.aside_count,
        )

    return reported(draft.write(new_state, keep=lambda index: keep(reported(index))))


def _known_capabilities(state: SyncState, contract_version: str, now: datetime) -> Capabilities | None:
    """What the last probe found, if that still counts."""
    if not state.capabilities or state.contract_version != contract_version or state.probed_at is None:
        return None
    try:
        known = Capabilities.from_dict(state.capabilities)
    except TypeError:
        return None
    doubts = None in (known.date_filter, known.transactions_filter, *known.sorts.values())
    return None if doubts and now - state.probed_at >= _PROBE_AGAIN else known


def _whole_is_due(state: SyncState, rules: SyncRules, now: datetime) -> bool:
    if state.whole_at is None:
        return True
    return rules.whole_every is not None and now - state.whole_at >= rules.whole_every


def _take(
    client: OmnitronClient,
    draft: IndexDraft,
    capabilities: Capabilities,
    cursor: datetime | None,
    rules: SyncRules,
    on_answer: Callable[[], object],
) -> Listing:
    draft.restart()
    listing, rows = discover(client, capabilities, cursor, rules.margins)
    for number, row in enumerate(rows):
        if number == 0:
            on_answer()
        draft.take(row)
    on_answer()
    for odd in listing.odd.values():
        draft.set_aside(AsideRow(None, odd.problem, odd.page, odd.place))
    return listing


def _window_is_all(draft: IndexDraft, listing: Listing, rules: SyncRules, accept_shorter_list: bool) -> bool:
    """Whether the number of all orders fits to what is known now: a window shows neither missed nor deleted orders."""
    if listing.count is None or listing.until is None:
        return True
    if not accept_shorter_list:
        draft.require_plausible(listing.count)
    return draft.agrees_with(listing.count, listing.until, rules.margins.settle)


def _transactions(
    client: OmnitronClient, draft: IndexDraft, capabilities: Capabilities, rules: SyncRules, owners: Owners
) -> tuple[int, int]:
    """Note orders whose transactions changed; gives how many of these changed, and of how many nobody knows the order.

    Order transactions are of every kind, but do not name their order: where one of them is new, or they cannot be asked
    for, the lists of the single kinds say whose it is.
    """
    since = draft.state.transactions_cursor
    if not rules.transactions or since is None:
        return 0, 0
    since -= rules.margins.overlap
    found = ChangedRows(owners)
    if capabilities.transactions_filter:
        found.take("order_transactions", _rows_since(client, "order_transactions", since))
    if capabilities.money_lists and (found.unknown or not capabilities.transactions_filter):
        found.unknown = 0
        for name in capabilities.money_lists:
            found.take(name, _rows_since(client, name, since))
    draft.children_changed(found.orders)
    return found.changed, found.unknown


def _rows_since(client: OmnitronClient, name: str, since: datetime) -> list[Row]:
    """The rows of a list that changed since a time; none of a list that does not keep to that."""
    rows: list[Row] = []
    for page in client.list_child_rows(name, params={"modified_date__gte": written_moment(since)}):
        if any(moment < since - SERVER_PRECISION for row in page.rows if (moment := moment_of(row)) is not None):
            return []
        rows += page.rows
    return rows


class ChangedRows:
    """What rows of several lists say of orders.

    `orders` has by pk when something below an order changed that was not landed. `changed` rows say so, and of
    `unknown` ones neither they nor the tables name the order.
    """

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self.orders: dict[int, datetime] = {}
        self.changed = self.unknown = 0

    def take(self, table: str, rows: Iterable[Row]) -> None:
        """Take rows of a list, of which the landed ones are in the table of this name."""
        found = {row["pk"]: (order_of(row), moment) for row in rows if (moment := moment_of(row)) is not None}
        known = self._owners(table, found.keys()) if found else {}
        for pk, (named, moment) in found.items():
            owner, landed = known.get(pk, (named, None))
            if owner is None:
                self.unknown += 1
            elif landed is None or moment > landed:
                self.changed += 1
                self.orders[owner] = max(moment, self.orders.get(owner, moment))


def order_of(row: Row) -> int | None:
    """The pk of the order that a row names, by number or as an object; None where it names none."""
    order = row.get("order")
    pk = order.get("pk", order.get("id")) if isinstance(order, dict) else order
    return pk if type(pk) is int else None


def _next_state(
    state: SyncState,
    listing: Listing,
    began: datetime,
    capabilities: Capabilities,
    contract_version: str,
    *,
    probed: bool,
) -> SyncState:
    if probed:
        findings = capabilities.as_dict()
        state = replace(state, capabilities=findings, probed_at=began, contract_version=contract_version)
    if listing.contradicted:
        # The instance does not do any more what the probe found: it is probed again the next time.
        state = replace(state, capabilities={}, probed_at=None)
    # Everything up to the cursor is in the index; where the list did not stand still the next listing begins as this.
    state = replace(state, transactions_cursor=listing.cursor)
    if listing.agreed:
        state = replace(state, cursor=listing.cursor)
        if listing.whole:
            state = replace(state, whole_at=began)
    return state
