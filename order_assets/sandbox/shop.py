"""A whole made-up shop: which orders there are at a moment, and every document the API gives of them.

Values only, no HTTP (that is in `app`). A shop is a pure function of its settings: the same settings give
the same bytes, any order can be made alone, and an earlier or later `now` changes only what lives. Days run
from `start`; order `k` of day `n` has pk `1000 + n * orders_per_day + k`, whatever the clock says. The
documented order, pk 27, is always there.
"""

from __future__ import annotations

import copy
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import overload

from order_assets.sandbox import catalogue
from order_assets.sandbox.documents import detail_document, flat_document
from order_assets.sandbox.facts import Facts, draw_facts, pks_of_number
from order_assets.sandbox.life import LONGEST_LIFE, Event, Life, draw_life
from order_assets.sandbox.lines import discount_documents, item_documents
from order_assets.sandbox.payments import PER_ORDER, movements, order_transaction_document
from order_assets.sandbox.people import Address, Customer, draw_address, draw_customer
from order_assets.sandbox.values import DAY, MINUTE, Json, instant, micros_of, micros_of_day, stream

DOCUMENTED_PK = 27
FIRST_PK = 1000
CAPABILITIES = frozenset({"sort", "date-filter"})
SORT_FIELDS = ("pk", "id", "modified_date", "created_date", "date_placed", "number")
DATE_FIELDS = ("modified_date", "created_date", "date_placed")
_FAR_PAST, _FAR_FUTURE = -(2**62), 2**62


@dataclass(frozen=True)
class ShopSettings:
    """What a shop is made from, and how its server behaves.

    `start` is the first day with orders, `now` the shop's clock in UTC (None: the real clock, read at every
    request), `latency_ms` is added to every answer, `page_cap` is the largest page the server gives,
    `capabilities` are undocumented abilities of the order list: "sort" and "date-filter". ValueError if a
    value makes no sense.
    """

    seed: int = 7
    orders_per_day: int = 40
    start: date = date(2026, 1, 1)
    now: datetime | None = None
    latency_ms: int = 0
    capabilities: frozenset[str] = frozenset()
    page_cap: int = 100

    def __post_init__(self) -> None:
        unknown = frozenset(self.capabilities) - CAPABILITIES
        if unknown:
            known = ", ".join(sorted(CAPABILITIES))
            raise ValueError(f"Unknown sandbox capability {', '.join(sorted(unknown))}; there are: {known}.")
        for name, least in (("orders_per_day", 0), ("latency_ms", 0), ("page_cap", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"Sandbox setting {name} is {getattr(self, name)}; it must be at least {least}.")


@dataclass(frozen=True, slots=True)
class DateBound:
    """A condition on a date of an order: `at_least` and `below`, microseconds since 1970."""

    field: str
    at_least: int = _FAR_PAST
    below: int = _FAR_FUTURE


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders to list, in which order; without `sort` the newest pk comes first."""

    status: str | None = None
    is_send: bool | None = None
    cancel_status: str | None = None
    bounds: tuple[DateBound, ...] = ()
    sort: str | None = None
    descending: bool = False


class _NewestFirst(Sequence[int]):
    """The pks of an unfiltered list, without making the orders: newest first, the documented one last."""

    def __init__(self, count: int) -> None:
        self._generated = range(FIRST_PK + count - 1, FIRST_PK - 1, -1)

    def __len__(self) -> int:
        return len(self._generated) + 1

    @overload
    def __getitem__(self, position: int) -> int: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[int]: ...
    def __getitem__(self, position: int | slice) -> int | Sequence[int]:
        if isinstance(position, slice):
            return [self[p] for p in range(*position.indices(len(self)))]
        if position == len(self) - 1 or position == -1:
            return DOCUMENTED_PK
        return self._generated[position]


@dataclass(frozen=True, slots=True)
class _Listing:
    pks: Sequence[int]
    made_at: int
    until: int


class _World:
    """All that will ever happen in a shop, whatever the clock says; drawn on demand, remembered a while."""

    def __init__(self, settings: ShopSettings) -> None:
        self.seed = settings.seed
        self.per_day = settings.orders_per_day
        self.opened = micros_of_day(settings.start)
        self.first_ordinal = settings.start.toordinal()
        self.customers_per_channel = max(20, settings.orders_per_day * 8)
        self.life: Callable[[int], Life] = lru_cache(100_000)(self._life)
        self.facts: Callable[[int], Facts] = lru_cache(4_096)(self._facts)
        self.customer: Callable[[int], Customer] = lru_cache(8_192)(self._customer)
        self.address: Callable[[int], Address] = lru_cache(8_192)(self._address)
        self.listings: dict[object, _Listing] = {}

    def _life(self, pk: int) -> Life:
        day, index = divmod(pk - FIRST_PK, self.per_day)
        rng = stream(self.seed, "life", self.first_ordinal + day, index)
        # Orders are spread evenly, in the order of their pks; the first and the last stay close to midnight,
        # where a wrong time zone puts them on another day.
        width = DAY / self.per_day
        within = rng.random() * width
        if self.per_day > 1 and index in (0, self.per_day - 1):
            near = rng.random() * min(width, 29 * MINUTE)
            within = near if index == 0 else width - 1 - near
        return draw_life(rng, pk, self.opened + day * DAY + int(index * width + within))

    def _facts(self, pk: int) -> Facts:
        return draw_facts(self.seed, self.life(pk), self.customers_per_channel)

    def _customer(self, pk: int) -> Customer:
        return draw_customer(self.seed, self.opened, catalogue.channel_by_pk(pk % 100), pk)

    def _address(self, pk: int) -> Address:
        owner = self.customer(pk // 10)
        return draw_address(self.seed, owner, catalogue.channel_by_pk(owner.channel).currency, pk)

    def placed_until(self, now: int) -> int:
        """Give how many orders have been placed at `now`."""
        if not self.per_day or now < self.opened:
            return 0
        before = (now - self.opened) // DAY * self.per_day
        today = range(FIRST_PK + before, FIRST_PK + before + self.per_day)
        return before + bisect_right(today, now, key=lambda pk: self.life(pk).placed)

    def first_placed_since(self, at: int) -> int:
        """Give the first pk of the day of `at`; no order placed at or after `at` has a smaller one."""
        return FIRST_PK + max(0, at - self.opened) // DAY * self.per_day


class Shop:
    """A shop at a moment. All reads are pure and give fresh values, free to be changed by the caller.

    Unknown pks raise KeyError.
    """

    def __init__(self, settings: ShopSettings) -> None:
        self.settings = settings
        self._world = _World(settings)
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
        """What the shop's contents follow from: shops with the same identity have the same orders."""
        return (self.settings.seed, self.settings.start, self.settings.orders_per_day)

    def order_pks(self, query: OrderQuery | None = None) -> Sequence[int]:
        """List the pks of the orders that a query finds now; without one all, newest pk first."""
        now = self.now_micros()
        if query is None or query == OrderQuery():
            return _NewestFirst(self._world.placed_until(now))
        return self._remembered(query, now, lambda: self._find(query, now))

    def flat_orders(self, query: OrderQuery | None = None, *, offset: int = 0, limit: int | None = None) -> list[Json]:
        """Give the flat rows of the orders that a query finds now, from `offset`, at most `limit` of them."""
        shop = self.pinned()
        end = None if limit is None else offset + limit
        return [shop.flat_order(pk) for pk in shop.order_pks(query)[offset:end]]

    def exists(self, pk: int) -> bool:
        """Tell whether the shop has this order now."""
        return pk == DOCUMENTED_PK or 0 <= pk - FIRST_PK < self._world.placed_until(self.now_micros())

    def pk_of_number(self, number: str) -> int:
        """Give the pk of the order with this number; KeyError if there is none."""
        if number == documented_order()["number"]:
            return DOCUMENTED_PK
        for pk in pks_of_number(number):
            if self.exists(pk) and self._world.facts(pk).number == number:
                return pk
        raise KeyError(number)

    def flat_order(self, pk: int) -> Json:
        """Give the flat row of an order, as the list shows it."""
        self._require(pk)
        if pk == DOCUMENTED_PK:
            row: Json = documented_order()["transaction_set"][0]["order"]
            return row
        return flat_document(self._world.facts(pk), self.now_micros())

    def order_detail(self, pk: int) -> Json:
        """Give the detail document of an order."""
        self._require(pk)
        if pk == DOCUMENTED_PK:
            return documented_order()
        world, facts = self._world, self._world.facts(pk)
        return detail_document(
            world.seed,
            facts,
            world.customer(facts.customer),
            world.address(facts.shipping_address),
            world.address(facts.billing_address),
            self.now_micros(),
        )

    def order_items(self, pk: int) -> list[Json]:
        """Give the items of an order; the documented order has none."""
        self._require(pk)
        return [] if pk == DOCUMENTED_PK else item_documents(self._world.facts(pk), self.now_micros())

    def discount_items(self, pk: int) -> list[Json]:
        """Give the discount items of an order; the documented order has none."""
        self._require(pk)
        return [] if pk == DOCUMENTED_PK else discount_documents(self._world.facts(pk))

    def order_transactions(self, bounds: Iterable[DateBound] = ()) -> list[Json]:
        """Give the order transactions within bounds on modified_date and created_date, newest pk first."""
        shop = self.pinned()
        return [shop.order_transaction(pk) for pk in shop.order_transaction_pks(tuple(bounds))]

    def order_transaction_pks(self, bounds: tuple[DateBound, ...] = ()) -> Sequence[int]:
        """List the pks of the order transactions within the bounds, newest pk first."""
        now = self.now_micros()
        return self._remembered(("transactions", bounds), now, lambda: self._find_transactions(bounds, now))

    def order_transaction(self, pk: int) -> Json:
        """Give one order transaction."""
        facts = self._world.facts(pk // PER_ORDER)
        seen = facts.life.seen(self.now_micros())
        for movement in movements(facts, seen):
            if movement.pk == pk and movement.succeeded:
                return order_transaction_document(self._world.seed, movement)
        raise KeyError(pk)

    def order_events(self, pk: int) -> tuple[Event, ...]:
        """Give all that happens to an order, past and future, by time; nothing to the documented one."""
        self._require(pk)
        return () if pk == DOCUMENTED_PK else self._world.life(pk).events()

    def unchanged_until(self, pk: int) -> int:
        """Give the instant (microseconds since 1970) up to which no document of the order changes."""
        if pk == DOCUMENTED_PK:
            return _FAR_FUTURE
        now, world, facts = self.now_micros(), self._world, self._world.facts(pk)
        things = (
            world.customer(facts.customer),
            world.address(facts.shipping_address),
            world.address(facts.billing_address),
        )
        own = facts.life.next_change(now)
        return min(_FAR_FUTURE if own is None else own, *(thing.rhythm.next_change(now) for thing in things))

    def _require(self, pk: int) -> None:
        if not self.exists(pk):
            raise KeyError(pk)

    def _remembered(self, key: object, now: int, find: Callable[[], tuple[list[int], int]]) -> Sequence[int]:
        # Walking a list costs one search per page; its result holds until the next event of any order in it.
        known = self._world.listings.get(key)
        if known is not None and known.made_at <= now < known.until:
            return known.pks
        pks, until = find()
        if len(self._world.listings) >= 32:
            self._world.listings.clear()
        self._world.listings[key] = _Listing(pks, now, until)
        return pks

    def _find(self, query: OrderQuery, now: int) -> tuple[list[int], int]:
        lives, until = self._candidates(query.bounds, now)
        pks = [life.pk for life in lives if _matches(life, query, now)]
        if _documented_matches(query):
            pks.append(DOCUMENTED_PK)
        pks.sort(reverse=query.sort is None or query.descending)
        if query.sort not in (None, "pk", "id"):
            keys = {pk: self._sort_key(pk, str(query.sort), now) for pk in pks}
            pks.sort(key=keys.__getitem__, reverse=query.descending)
        return pks, until

    def _find_transactions(self, bounds: tuple[DateBound, ...], now: int) -> tuple[list[int], int]:
        lives, until = self._candidates(bounds, now)
        pks = []
        for life in lives:
            for movement in movements(self._world.facts(life.pk), life.seen(now)):
                dates = {"modified_date": movement.modified, "created_date": movement.created}
                if movement.succeeded and all(b.at_least <= dates[b.field] < b.below for b in bounds):
                    pks.append(movement.pk)
        return sorted(pks, reverse=True), until

    def _candidates(self, bounds: tuple[DateBound, ...], now: int) -> tuple[list[Life], int]:
        # No date of an order lies outside of [placed, placed + LONGEST_LIFE]: that spares most of the orders.
        world = self._world
        since = max((bound.at_least for bound in bounds), default=_FAR_PAST)
        first = world.first_placed_since(since - LONGEST_LIFE)
        end = FIRST_PK + world.placed_until(now)
        lives = [world.life(pk) for pk in range(first, end)]
        upcoming = [world.life(end).placed] if world.per_day else []
        changes = (life.next_change(now) for life in lives)
        until = min(chain(upcoming, (at for at in changes if at is not None)), default=_FAR_FUTURE)
        return lives, until

    def _sort_key(self, pk: int, field: str, now: int) -> str:
        if pk == DOCUMENTED_PK:
            return str(_documented_row()[field])
        life = self._world.life(pk)
        if field == "number":
            return self._world.facts(pk).number
        return instant(_date_of(life, field, now))


def _date_of(life: Life, field: str, now: int) -> int:
    if field == "modified_date":
        return life.modified(now)
    return life.created if field == "created_date" else life.placed


def _matches(life: Life, query: OrderQuery, now: int) -> bool:
    return (
        all(bound.at_least <= _date_of(life, bound.field, now) < bound.below for bound in query.bounds)
        and query.status in (None, life.status(now))
        and query.is_send in (None, life.is_send(now))
        and (query.cancel_status is None or query.cancel_status == life.cancel_status(now))
    )


def _documented_matches(query: OrderQuery) -> bool:
    row = _documented_row()
    dates = {field: micros_of(datetime.fromisoformat(row[field])) for field in DATE_FIELDS}
    return (
        all(bound.at_least <= dates[bound.field] < bound.below for bound in query.bounds)
        and query.status in (None, row["status"])
        and query.is_send in (None, row["is_send"])
        and query.cancel_status is None
    )


@lru_cache(1)
def _documented_text() -> str:
    return Path(__file__).with_name("documented_order.json").read_text(encoding="utf-8")


@lru_cache(1)
def _documented_row() -> Json:
    row: Json = documented_order()["transaction_set"][0]["order"]
    return row


def documented_order() -> Json:
    """Give the order of the vendor's documentation, as a fresh value."""
    order: Json = json.loads(_documented_text())
    return order
