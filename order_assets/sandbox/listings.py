"""Which rows a list shows at a moment: filters, sorting, and what is kept from one page to the next.

A walk over a list asks for it once per page, so lists are kept sorted. When the clock has moved, only the
orders that still live are looked at again; after an edit by hand, only the edited ones. What the rows look
like is in `shop`.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, overload

from order_assets.sandbox.documented import DOCUMENTED_PK, documented_row
from order_assets.sandbox.edits import NO_EDIT, Edit, Edits
from order_assets.sandbox.life import LONGEST_LIFE, Life
from order_assets.sandbox.order_facts import Facts
from order_assets.sandbox.value_text import micros_of
from order_assets.sandbox.world import FIRST_PK, World

SORT_FIELDS = ("pk", "id", "modified_date", "created_date", "date_placed", "number")
DATE_FIELDS = ("modified_date", "created_date", "date_placed")
FAR_PAST, FAR_FUTURE = -(2**62), 2**62
_KEPT_LISTS = 16


@dataclass(frozen=True, slots=True)
class DateBound:
    """A condition on a date of an order: `at_least` and `below`, microseconds since 1970."""

    field: str
    at_least: int = FAR_PAST
    below: int = FAR_FUTURE


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders to list, in which order; without `sort` the newest pk comes first."""

    status: str | None = None
    is_send: bool | None = None
    cancel_status: str | None = None
    statuses: frozenset[str] | None = None
    number: str | None = None
    pks: frozenset[int] | None = None
    above: int | None = None
    channel: int | None = None
    customer: int | None = None
    bounds: tuple[DateBound, ...] = ()
    sort: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class FlatQuery:
    """Which rows of a list below orders to show; without `sort` the newest pk comes first.

    `name` is the list's, one of `sdk_lists.FLAT_LISTS`. Only rows of the order `order`, of orders of a `channel` or
    paid by a `payment_option`, with one of `pks`, with a pk above `above`, and with
    values that `equal` names, where these are given.
    """

    name: str
    bounds: tuple[DateBound, ...] = ()
    order: int | None = None
    channel: int | None = None
    pks: frozenset[int] | None = None
    above: int | None = None
    equal: tuple[tuple[str, str], ...] = ()
    payment_option: int | None = None
    sort: str | None = None
    descending: bool = False


Entry = tuple[int | str, int, int]
"""A row of a list: what it is sorted by, its pk, and the pk of its order."""


class NewestFirst(Sequence[int]):
    """The pks of an unfiltered list, without making the orders: newest first, the documented one last.

    `count` is how many orders were placed, `hidden` are pks to leave out.
    """

    def __init__(self, count: int, hidden: Iterable[int] = ()) -> None:
        self._generated = range(FIRST_PK + count - 1, FIRST_PK - 1, -1)
        gone = set(hidden)
        places = [self._generated.index(pk) for pk in gone if pk in self._generated]
        if DOCUMENTED_PK in gone:
            places.append(count)
        self._count = count + 1 - len(places)
        # The n-th gap opens in front of the row that would stand at its place less n.
        self._gaps = [place - n for n, place in enumerate(sorted(places))]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, position: int) -> int: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[int]: ...
    def __getitem__(self, position: int | slice) -> int | Sequence[int]:
        if isinstance(position, slice):
            return [self[p] for p in range(*position.indices(self._count))]
        visible = range(self._count)[position]
        place = visible + bisect_right(self._gaps, visible)
        return DOCUMENTED_PK if place == len(self._generated) else self._generated[place]


@dataclass(frozen=True, slots=True)
class OrderView:
    """What a query looks at in an order; without a `life` it is the documented one.

    `facts` makes what is fixed about an order, which takes longer than its life.
    """

    pk: int
    life: Life | None
    edit: Edit
    now: int
    facts: Callable[[int], Facts]

    def date(self, name: str) -> int:
        """Give one of the `DATE_FIELDS`, microseconds since 1970."""
        if self.life is None:
            own = micros_of(datetime.fromisoformat(documented_row()[name]))
        elif name == "modified_date":
            own = self.life.modified(self.now)
        else:
            own = self.life.created if name == "created_date" else self.life.placed
        return self.edit.date(name, own)

    def value(self, name: str) -> object:
        """Give `status`, `is_send` or `cancel_status`."""
        if name in self.edit.fields:
            return self.edit.fields[name]
        if self.life is None:
            return documented_row().get(name)
        read: Any = getattr(self.life, name)
        return read(self.now)

    def fixed(self, name: str) -> object:
        """Give `number` or `customer`."""
        return documented_row()[name] if self.life is None else getattr(self.facts(self.pk), name)

    @property
    def channel(self) -> int:
        """The pk of the order's channel."""
        return int(documented_row()["channel"]) if self.life is None else self.life.channel.pk

    def matches(self, query: OrderQuery) -> bool:
        """Tell whether the filters of a query find the order."""
        return (
            (query.pks is None or self.pk in query.pks)
            and (query.above is None or self.pk > query.above)
            and (query.channel is None or query.channel == self.channel)
            and within(query.bounds, self.date)
            and (query.status is None or query.status == self.value("status"))
            and (query.is_send is None or query.is_send == self.value("is_send"))
            and (query.cancel_status is None or query.cancel_status == self.value("cancel_status"))
            and (query.statuses is None or self.value("status") in query.statuses)
            and (query.number is None or query.number == self.fixed("number"))
            and (query.customer is None or query.customer == self.fixed("customer"))
        )


def within(bounds: Iterable[DateBound], date_of: Callable[[str], int]) -> bool:
    """Tell whether dates lie within all bounds."""
    return all(bound.at_least <= date_of(bound.field) < bound.below for bound in bounds)


@dataclass(frozen=True, slots=True)
class _Listing:
    """The rows of a list, ascending, as they are without edits from `made_at` until before `until`."""

    entries: list[Entry]
    made_at: int
    until: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """The pks of a list with edits; good as long as it is asked for with the same `base` and `edits`."""

    base: _Listing
    edits: Edits
    made_at: int
    until: int
    pks: list[int]


class Listings:
    """The lists that were asked for last. Safe to use from any thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._bases: dict[Hashable, _Listing] = {}
        self._shown: dict[Hashable, _Shown] = {}

    def give(
        self,
        query: OrderQuery | FlatQuery,
        edits: Edits,
        now: int,
        entries_of: Callable[[int, Edit], Iterable[Entry]],
    ) -> Sequence[int]:
        """Give the pks of the rows that a query finds at `now`, sorted.

        `entries_of` gives the rows of an order under an edit, at `now`.
        """
        with self._lock:
            base = self._base(query, now, entries_of)
            known = self._shown.get(query)
            if known and known.base is base and known.edits is edits and known.made_at <= now < known.until:
                return known.pks
            shown = self._show(query, base, edits, now, entries_of)
            _keep(self._shown, query, shown)
            return shown.pks

    def _base(
        self, query: OrderQuery | FlatQuery, now: int, entries_of: Callable[[int, Edit], Iterable[Entry]]
    ) -> _Listing:
        known, world = self._bases.get(query), self._world
        if known is not None and known.made_at <= now < known.until:
            return known
        # No date of an order lies outside of [placed, placed + LONGEST_LIFE]: that spares most of the orders.
        since = max((bound.at_least for bound in query.bounds), default=FAR_PAST)
        first = world.first_placed_since(since - LONGEST_LIFE)
        end = FIRST_PK + world.placed_until(now)
        if known is None:
            entries = list(entries_of(DOCUMENTED_PK, NO_EDIT))
        else:
            # What was over at both moments is the same at both.
            first = max(first, world.first_placed_since(min(known.made_at, now) - LONGEST_LIFE))
            entries = [entry for entry in known.entries if entry[2] < first]
        entries += chain.from_iterable(entries_of(pk, NO_EDIT) for pk in range(first, end))
        entries.sort()
        upcoming = [world.life(end).placed] if world.per_day else []
        living = range(max(first, world.first_placed_since(now - LONGEST_LIFE)), end)
        changes = (world.life(pk).next_change(now) for pk in living)
        until = min(chain(upcoming, (at for at in changes if at is not None)), default=FAR_FUTURE)
        base = _Listing(entries, now, until)
        _keep(self._bases, query, base)
        return base

    def _show(
        self,
        query: OrderQuery | FlatQuery,
        base: _Listing,
        edits: Edits,
        now: int,
        entries_of: Callable[[int, Edit], Iterable[Entry]],
    ) -> _Shown:
        entries, until = base.entries, base.until
        if edits.by_pk:
            entries = [entry for entry in entries if entry[2] not in edits.by_pk]
            end = FIRST_PK + self._world.placed_until(now)
            for pk, edit in edits.by_pk.items():
                if edit.presence == "here" and pk < end:
                    entries += entries_of(pk, edit)
                    if pk != DOCUMENTED_PK:
                        until = min(until, self._world.life(pk).next_change(now) or FAR_FUTURE)
            # Two sorted runs, or nearly so: this is a merge.
            entries.sort()
        pks = [pk for _, pk, _ in entries]
        if query.sort is None or query.descending:
            pks.reverse()
        return _Shown(base, edits, now, until, pks)


def _keep(kept: dict[Hashable, Any], query: Hashable, value: object) -> None:
    kept.pop(query, None)
    if len(kept) >= _KEPT_LISTS:
        del kept[next(iter(kept))]
    kept[query] = value
