"""A whole made-up shop: which orders there are at a moment, and every document the API gives of them.

Values only, no HTTP (that is in `app`). A shop is a pure function of its settings and of what was done to it by
hand: the same settings and edits give the same bytes, any order can be made alone, and an earlier or later
`now` changes only what lives. What happens of itself is in `world`, how lists are kept in `listings`, how
edits show in documents in `edits`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from order_assets.sandbox.documented import DOCUMENTED_PK, documented_order, documented_row
from order_assets.sandbox.edits import CHILD_KINDS, DETAIL_SETS, NO_EDIT, SPOILED, Edit, Edits
from order_assets.sandbox.life import Event, Life
from order_assets.sandbox.lines import discount_documents, item_documents
from order_assets.sandbox.listings import (
    DATE_FIELDS,
    FAR_FUTURE,
    DateBound,
    Entry,
    FlatQuery,
    Listings,
    NewestFirst,
    OrderQuery,
    OrderView,
    within,
)
from order_assets.sandbox.oddities import Spoil, with_fields
from order_assets.sandbox.order_facts import Facts, pks_of_number
from order_assets.sandbox.order_json import detail_document, flat_document
from order_assets.sandbox.payment_means import payment_option
from order_assets.sandbox.payment_story import MOST_REFUNDS, Refund, refunds_by_hand
from order_assets.sandbox.sdk_lists import FLAT_LISTS, SDK_LISTS, Sight, cancellation_reasons
from order_assets.sandbox.value_text import Json, micros_of
from order_assets.sandbox.world import FIRST_PK, World

CAPABILITIES = frozenset({"sort", "date-filter"})
VERSIONS = frozenset({"i1", "v1"})
LACKS = frozenset({"amounts", "order_transactions", *SDK_LISTS})
MONEY_COLUMNS = (
    "amount",
    "shipping_amount",
    "installment_interest_amount",
    "refund_amount",
    "discount_refund_amount",
    "shipping_refund_amount",
    "discount_amount",
    "net_shipping_amount",
    "shipping_interest_amount",
)
"""The columns of a flat row that hold amounts."""
_FREE_FORM = frozenset({"extra_field", "cancellation_info", "delivery_range"})
_OBJECTS = frozenset({"installment", "cargo_company"})  # these may be null in the documented order
_NEVER_SET = {"pk": "it names the order", "number": "it names the order", "modified_date": "give it as `at`"}


@dataclass(frozen=True)
class ShopSettings:
    """What a shop is made from, and how its server behaves.

    `start` is the first day with orders, `now` the shop's clock in UTC (None: the real clock, read at every
    request), `latency_ms` is what an answer takes at least, `page_cap` is the largest page the server gives,
    `capabilities` are undocumented abilities of the order list: "sort" and "date-filter". `lacks` is
    what this instance has not got: "amounts" are the money columns of its list rows, the others are lists, each by its
    name (`LACKS` has all of them). `versions` are the versions of
    the API that it serves: "i1", "v1". `further` are more documents per order: a path with `{order_id}`, or one that
    takes `?order=`, and what gives the object or the rows of an order, or None where it has none. ValueError if a
    value makes no sense.
    """

    seed: int = 7
    orders_per_day: int = 40
    start: date = date(2026, 1, 1)
    now: datetime | None = None
    latency_ms: int = 0
    capabilities: frozenset[str] = frozenset()
    page_cap: int = 100
    lacks: frozenset[str] = frozenset()
    versions: frozenset[str] = VERSIONS
    further: Mapping[str, Callable[[int], Any]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for what, given, known in (
            ("capability", self.capabilities, CAPABILITIES),
            ("lack", self.lacks, LACKS),
            ("version", self.versions, VERSIONS),
        ):
            if unknown := frozenset(given) - known:
                names = ", ".join(sorted(known))
                raise ValueError(f"Unknown sandbox {what} {', '.join(sorted(unknown))}; there are: {names}.")
        if not self.versions:
            raise ValueError("The sandbox has to serve a version of the API: i1, v1 or both.")
        for name, least in (("orders_per_day", 0), ("latency_ms", 0), ("page_cap", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"Sandbox setting {name} is {getattr(self, name)}; it must be at least {least}.")


class Shop:
    """A shop at a moment. All reads are pure and give fresh values, free to be changed by the caller.

    Changes by hand give another shop, which shows them from the first read on, whatever its clock says; times
    are UTC, and without one they happen now. Unknown pks raise KeyError.
    """

    def __init__(self, settings: ShopSettings) -> None:
        self.settings = settings
        self._world = World(settings.seed, settings.start, settings.orders_per_day)
        self._listings = Listings(self._world)
        self._edits = Edits()
        self._now = None if settings.now is None else micros_of(settings.now)

    def at(self, now: datetime | None) -> Shop:
        """Give the same shop at another moment (None: on the real clock)."""
        other = copy.copy(self)
        other.settings = replace(self.settings, now=now)
        other._now = None if now is None else micros_of(now)
        return other

    def pinned(self) -> Shop:
        """Give the same shop with its clock stopped, so that several reads see one moment."""
        if self._now is not None:
            return self
        other = copy.copy(self)
        other._now = self.now_micros()
        return other

    def now_micros(self) -> int:
        """Give the shop's clock in microseconds since 1970."""
        return micros_of(datetime.now(UTC)) if self._now is None else self._now

    def now(self) -> datetime:
        """Give the shop's clock, UTC."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now_micros())

    @property
    def identity(self) -> tuple[int, date, int]:
        """What the shop's contents follow from: shops with the same identity and edits have the same orders."""
        return (self.settings.seed, self.settings.start, self.settings.orders_per_day)

    def edit_of(self, pk: int) -> Edit:
        """Give what was done to an order by hand; the same object as long as nothing more is done to it."""
        return self._edits.of(pk)

    def order_pks(self, query: OrderQuery | None = None) -> Sequence[int]:
        """List the pks of the orders that a query finds now; without one all, newest pk first."""
        now = self.now_micros()
        if query is None or query == OrderQuery():
            return NewestFirst(self._world.placed_until(now), self._edits.hidden)

        def entries_of(pk: int, edit: Edit) -> Iterable[Entry]:
            view = OrderView(pk, self._life(pk, edit), edit, now, self._world.facts)
            return [(self._sort_key(view, query.sort), pk, pk)] if view.matches(query) else ()

        if query.pks is not None:
            here = [pk for pk in query.pks if self.exists(pk)]
            entries = sorted(entry for pk in here for entry in entries_of(pk, self._edits.of(pk)))
            return [pk for _, pk, _ in (entries[::-1] if query.sort is None or query.descending else entries)]
        return self._listings.give(query, self._edits, now, entries_of)

    def flat_orders(self, query: OrderQuery | None = None, *, offset: int = 0, limit: int | None = None) -> list[Json]:
        """Give the flat rows of the orders that a query finds now, from `offset`, at most `limit` of them."""
        shop = self.pinned()
        end = None if limit is None else offset + limit
        return [shop.flat_order(pk) for pk in shop.order_pks(query)[offset:end]]

    def exists(self, pk: int) -> bool:
        """Tell whether the shop has this order now."""
        return self._edits.of(pk).presence == "here" and self._placed(pk)

    def pk_of_number(self, number: str) -> int:
        """Give the pk of the order with this number; KeyError if there is none."""
        if number == documented_order()["number"] and self.exists(DOCUMENTED_PK):
            return DOCUMENTED_PK
        for pk in pks_of_number(number):
            if pk != DOCUMENTED_PK and self.exists(pk) and self._world.facts(pk).number == number:
                return pk
        raise KeyError(number)

    def flat_order(self, pk: int) -> Json:
        """Give the flat row of an order, as the list shows it."""
        self._require(pk)
        edit = self._edits.of(pk)
        if pk == DOCUMENTED_PK:
            row = documented_row()
        else:
            facts = self._facts(pk, edit)
            row = flat_document(facts, self.now_micros(), refunds_by_hand(facts, edit.refunds))
        return row if edit is NO_EDIT else edit.show_in_row(row)

    def listed_order(self, pk: int) -> Json:
        """Give the flat row of an order as this instance sends it: without amounts where it lacks them."""
        row = self.flat_order(pk)
        hidden = MONEY_COLUMNS if "amounts" in self.settings.lacks else ()
        return {name: value for name, value in row.items() if name not in hidden} if hidden else row

    def answered(self, answer: str, pk: int, document: object) -> object:
        """Give what is sent of an order instead of a document, one of `SPOILED`: mostly the document itself."""
        spoil = self._edits.of(pk).spoils.get(answer)
        return document if spoil is None else spoil(document)

    def order_detail(self, pk: int) -> Json:
        """Give the detail document of an order."""
        self._require(pk)
        edit = self._edits.of(pk)
        if pk == DOCUMENTED_PK:
            detail = documented_order()
        else:
            world, facts = self._world, self._facts(pk, edit)
            detail = detail_document(
                world.seed,
                facts,
                world.customer(facts.customer),
                world.address(facts.shipping_address),
                world.address(facts.billing_address),
                self.now_micros(),
                refunds_by_hand(facts, edit.refunds),
            )
        return detail if edit is NO_EDIT else edit.show_in_detail(detail)

    def order_items(self, pk: int) -> list[Json]:
        """Give the items of an order; the documented order has none."""
        self._require(pk)
        edit = self._edits.of(pk)
        rows = [] if pk == DOCUMENTED_PK else item_documents(self._facts(pk, edit), self.now_micros())
        return edit.show_in_children("items", rows)

    def discount_items(self, pk: int) -> list[Json]:
        """Give the discount items of an order; the documented order has none."""
        self._require(pk)
        rows = [] if pk == DOCUMENTED_PK else discount_documents(self._world.facts(pk))
        return self._edits.of(pk).show_in_children("discounts", rows)

    def order_transactions(self, bounds: Iterable[DateBound] = ()) -> list[Json]:
        """Give the order transactions within bounds on modified_date and created_date, newest pk first."""
        shop = self.pinned()
        return [shop.order_transaction(pk) for pk in shop.order_transaction_pks(tuple(bounds))]

    def order_transaction_pks(self, bounds: tuple[DateBound, ...] = ()) -> Sequence[int]:
        """List the pks of the order transactions within the bounds, newest pk first."""
        return self.flat_pks(FlatQuery("order_transactions", bounds))

    def order_transaction(self, pk: int) -> Json:
        """Give one order transaction."""
        return self.flat_row("order_transactions", pk)

    def flat_pks(self, query: FlatQuery) -> Sequence[int]:
        """List the pks of the rows below orders that a query finds now."""
        now, rows_below = self.now_micros(), FLAT_LISTS[query.name]

        def entries_of(pk: int, edit: Edit) -> Iterable[Entry]:
            if query.channel not in (None, self._channel_of(pk)):
                return
            if query.payment_option not in (None, self._option_of(pk)):
                return
            sight = self._sight(pk, edit, now)
            equal = {row[rows_below.key]: row for row in rows_below.rows(sight)} if query.equal else {}
            for found in rows_below.dates(sight):
                if (
                    within(query.bounds, found.date)
                    and (query.pks is None or found.pk in query.pks)
                    and (query.above is None or found.pk > query.above)
                    and all(_spelled(equal[found.pk].get(name)) == value for name, value in query.equal)
                ):
                    yield found.pk, found.pk, pk

        orders = {query.order} if query.order is not None else None
        if orders is None and query.pks is not None:
            orders = {rows_below.order_of(pk) for pk in query.pks}
        if orders is None:
            return self._listings.give(query, self._edits, now, entries_of)
        found = [pk for order in orders if self.exists(order) for _, pk, _ in entries_of(order, self._edits.of(order))]
        return sorted(found, reverse=query.sort is None or query.descending)

    def flat_row(self, name: str, pk: int) -> Json:
        """Give one row of a list below orders."""
        rows_below = FLAT_LISTS[name]
        owner = rows_below.order_of(pk)
        self._require(owner)
        for row in rows_below.rows(self._sight(owner, self._edits.of(owner), self.now_micros())):
            if row[rows_below.key] == pk:
                return row
        raise KeyError(pk)

    def cancellation_reasons(self) -> list[Json]:
        """Give the reasons for which items go back, by pk."""
        return cancellation_reasons(self._world.opened)

    def order_events(self, pk: int) -> tuple[Event, ...]:
        """Give all that happens to an order of itself, past and future, by time; nothing to the documented one."""
        self._require(pk)
        life = self._life(pk, self._edits.of(pk))
        return () if life is None else life.events()

    def unchanged_until(self, pk: int) -> int:
        """Give the instant (microseconds since 1970) up to which no document of the order changes of itself."""
        if pk == DOCUMENTED_PK:
            return FAR_FUTURE
        now, world, facts = self.now_micros(), self._world, self._world.facts(pk)
        things = (
            world.customer(facts.customer),
            world.address(facts.shipping_address),
            world.address(facts.billing_address),
        )
        own = facts.life.next_change(now)
        return min(FAR_FUTURE if own is None else own, *(thing.rhythm.next_change(now) for thing in things))

    def modify(self, pk: int, at: datetime | None = None, **fields: object) -> Shop:
        """Set fields of an order wherever it shows them, and move its modified_date to `at`, forward or back.

        A new `status` brings its `status_display`; `date_placed` and `created_date` may be given as datetime or
        as ISO text. ValueError for a field that the order does not have or that is not a plain value.
        """
        return self.bulk_modify([pk], at, **fields)

    def bulk_modify(self, pks: Iterable[int], at: datetime | None = None, **fields: object) -> Shop:
        """Do to many orders what `modify` does to one; all get the very same modified_date."""
        now, moment = self._moments(at)
        dates = {name: _micros_given(name, fields.pop(name)) for name in DATE_FIELDS[1:] if name in fields}
        plain = _settable(fields)

        def change(edit: Edit) -> Edit:
            moved = edit.moved(now, moment)
            return replace(moved, dates={**edit.dates, **dates}, fields={**edit.fields, **plain})

        return self._edited(self._present(pks), change)

    def cancel(self, pk: int, at: datetime | None = None) -> Shop:
        """Cancel an order and its items, and move its modified_date to `at`; nothing more happens to it of itself."""
        now, moment = self._moments(at)
        state = {"status": "100", "status_display": "canceled", "cancel_status": "completed"}

        def stop(edit: Edit) -> Edit:
            return replace(edit.touched("items", now, moment, state), stopped=now)

        # The API clears cancellation_info once the cancellation is through.
        return self.modify(pk, at, cancellation_info={}, **state)._edited([pk], stop)

    def delete(self, pk: int) -> Shop:
        """Take an order out of the shop, with everything below it, until it is restored."""
        return self._edited(self._present([pk]), lambda edit: replace(edit, presence="deleted"))

    def restore(self, pk: int) -> Shop:
        """Bring a deleted order back as if it had never been away: no date moves.

        ValueError for an order that is not deleted.
        """
        if self._edits.of(pk).presence != "deleted":
            raise ValueError(f"Order {pk} is not deleted. Call delete first.")
        return self._edited([pk], lambda edit: replace(edit, presence="here"))

    def move(self, pk: int, day: date, at: datetime | None = None) -> Shop:
        """Let an order be placed on another day (UTC), at the same time of day; its modified_date moves to `at`."""
        placed = datetime.fromisoformat(self.flat_order(pk)["date_placed"])
        return self.modify(pk, at, date_placed=datetime.combine(day, placed.timetz()))

    def spoil(self, pk: int, answer: str, change: Spoil | None = None, /, **fields: object) -> Shop:
        """Let the API answer oddly about an order: with what `change` makes of an answer, or with these fields set.

        `answer` is one of `SPOILED`. The "row" is changed in the list only, where the list finds it by its own values;
        of "items" and "discounts" `change` gets the list of rows, and what it gives is paged if it is a list and is
        the whole answer if not. Without a change and fields the answer is in order again. Lone surrogates and
        whole numbers of any size can be sent.
        """
        if answer not in SPOILED:
            raise ValueError(f"There is no answer {answer!r} to spoil; there are: {', '.join(SPOILED)}.")
        if fields and change is not None:
            raise ValueError("Give a change or fields, not both.")
        spoil = with_fields(fields) if fields else change

        def changed(edit: Edit) -> Edit:
            others = {name: kept for name, kept in edit.spoils.items() if name != answer}
            return replace(edit, spoils=others if spoil is None else {**others, answer: spoil})

        return self._edited(self._present([pk]), changed)

    def refund(self, pk: int, amount: str | int | Decimal, at: datetime | None = None) -> Shop:
        """Pay back `amount` (in the order's currency): one transaction more, dated `at`, and a higher refund_amount.

        The order's modified_date stays, as it does in the real API. ValueError for an amount that is not above 0,
        or has more than two decimals, and for the documented order.
        """
        cents, (_, moment) = _cents(amount), self._moments(at)
        if pk == DOCUMENTED_PK:
            raise ValueError(f"Order {pk} is the documented one, whose payments are fixed. Refund another one.")
        if len(self._edits.of(pk).refunds) >= MOST_REFUNDS:
            raise ValueError(f"Order {pk} has been refunded {MOST_REFUNDS} times. Refund another one.")
        refund = Refund(cents, moment)
        return self._edited(self._present([pk]), lambda edit: replace(edit, refunds=(*edit.refunds, refund)))

    def touch_children(self, pk: int, *kinds: str, at: datetime | None = None, **fields: object) -> Shop:
        """Set fields of all rows of some `CHILD_KINDS` below an order, and their modified_date to `at`.

        Without kinds the dates of all its rows move. The order's own modified_date stays. The rows of
        ordertransaction_set go with the transactions, their dates only. ValueError if there are no such rows.
        """
        now, moment = self._moments(at)
        unknown = set(kinds) - set(CHILD_KINDS)
        if unknown:
            raise ValueError(
                f"There are no children {', '.join(sorted(unknown))}; there are: {', '.join(CHILD_KINDS)}."
            )
        if fields and not kinds:
            raise ValueError(f"Say of which children of order {pk} to set {', '.join(fields)}.")
        found = self._kinds_below(pk)
        missing = [kind for kind in kinds if kind not in found]
        if missing or not found:
            raise ValueError(f"Order {pk} has no {', '.join(missing) or 'children'} now. Touch another order.")
        plain = _plain(fields)

        def change(edit: Edit) -> Edit:
            for kind in kinds or found:
                edit = edit.touched(kind, now, moment, plain)
            return edit

        return self._edited([pk], change)

    def hold_back(self, pks: Iterable[int]) -> Shop:
        """Hide orders, placed already or not yet, until they are released."""
        chosen = list(pks)
        for pk in chosen:
            possible = pk == DOCUMENTED_PK or (pk >= FIRST_PK and self._world.per_day > 0)
            if not possible or self._edits.of(pk).presence == "deleted":
                raise KeyError(pk)
        return self._edited(chosen, lambda edit: replace(edit, presence="held back"))

    def release(self, pks: Iterable[int]) -> Shop:
        """Let held orders appear: placed when they were placed, created and modified now, with all below them.

        Those that are not due yet will come in their time. ValueError for an order that is not held back.
        """
        chosen, now = list(pks), self.now_micros()
        strangers = [pk for pk in chosen if self._edits.of(pk).presence != "held back"]
        if strangers:
            raise ValueError(f"Orders {strangers} are not held back. Call hold_back first.")

        def arrive(edit: Edit) -> Edit:
            for kind in CHILD_KINDS:
                edit = edit.touched(kind, now, now, {}, created=now)
            return replace(edit.moved(now, now), presence="here", dates={**edit.dates, "created_date": now})

        late = [pk for pk in chosen if self._placed(pk)]
        shown = self._edited(chosen, lambda edit: replace(edit, presence="here"))
        return shown._edited(late, arrive)

    def _edited(self, pks: Iterable[int], change: Callable[[Edit], Edit]) -> Shop:
        other = copy.copy(self)
        other._edits = self._edits.changed(pks, change)
        return other

    def _present(self, pks: Iterable[int]) -> list[int]:
        chosen, placed = list(pks), self._world.placed_until(self.now_micros())
        for pk in chosen:
            if self._edits.of(pk).presence != "here" or not (pk == DOCUMENTED_PK or 0 <= pk - FIRST_PK < placed):
                raise KeyError(pk)
        return chosen

    def _placed(self, pk: int) -> bool:
        return pk == DOCUMENTED_PK or 0 <= pk - FIRST_PK < self._world.placed_until(self.now_micros())

    def _require(self, pk: int) -> None:
        if not self.exists(pk):
            raise KeyError(pk)

    def _moments(self, at: datetime | None) -> tuple[int, int]:
        # When it is done, and when it is said to have been done.
        now = self.now_micros()
        return now, now if at is None else micros_of(at)

    def _kinds_below(self, pk: int) -> list[str]:
        detail = self.order_detail(pk)
        rows = {"items": self.order_items(pk), "discounts": self.discount_items(pk)}
        rows |= {kind: [row for name in names for row in detail[name]] for kind, names in DETAIL_SETS.items()}
        return [kind for kind in CHILD_KINDS if rows[kind]]

    def _life(self, pk: int, edit: Edit) -> Life | None:
        if pk == DOCUMENTED_PK:
            return None
        life = self._world.life(pk)
        return life if edit.stopped is None else life.until(edit.stopped)

    def _facts(self, pk: int, edit: Edit) -> Facts:
        facts = self._world.facts(pk)
        return facts if edit.stopped is None else replace(facts, life=facts.life.until(edit.stopped))

    def _sight(self, pk: int, edit: Edit, now: int) -> Sight:
        return Sight(self._world, None if pk == DOCUMENTED_PK else self._facts(pk, edit), edit, now)

    def _option_of(self, pk: int) -> int:
        if pk == DOCUMENTED_PK:
            return int(documented_row()["payment_option"])
        life = self._world.life(pk)
        return payment_option(life.channel.pk, life.payment).pk

    def _channel_of(self, pk: int) -> int:
        return int(documented_row()["channel"]) if pk == DOCUMENTED_PK else self._world.life(pk).channel.pk

    def _sort_key(self, view: OrderView, field: str | None) -> int | str:
        if field in DATE_FIELDS:
            return view.date(field)
        if field != "number":
            return view.pk
        return str(documented_row()["number"]) if view.life is None else self._world.facts(view.pk).number


def _settable(fields: dict[str, object]) -> dict[str, object]:
    known = documented_row() | documented_order()
    for name in fields:
        reason = _NEVER_SET.get(name)
        if name not in known:
            reason = "orders have no such field"
        elif name in _OBJECTS or (name not in _FREE_FORM and isinstance(known[name], dict | list)):
            reason = "it is an object of its own"
        if reason:
            raise ValueError(f"{name} of an order cannot be set by hand: {reason}.")
    return _plain(fields)


def _spelled(value: object) -> str:
    # As a filter in a query string names it.
    return value if isinstance(value, str) else json.dumps(value)


def _plain(fields: dict[str, object]) -> dict[str, object]:
    # As JSON would give them: nothing that cannot be sent, nothing shared with the caller.
    plain: dict[str, object] = json.loads(json.dumps(fields))
    return plain


def _micros_given(name: str, value: object) -> int:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ValueError(f"{name} is {value!r}; give a datetime or ISO text.")
    return micros_of(value)


def _cents(amount: str | int | Decimal) -> int:
    try:
        cents = Decimal(amount) * 100
    except InvalidOperation:
        cents = Decimal(0)
    if not cents.is_finite() or cents <= 0 or cents != int(cents):
        raise ValueError(f"The amount of a refund is {amount}; it must be above 0, with at most two decimals.")
    return int(cents)
