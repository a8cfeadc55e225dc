"""The lists beyond the documented ones that the vendor's own SDK reads: rows below orders, flat, across all orders.

A row names its order, and other things too, by their pks; rows of `order_transactions` name no order, as in the
real API. Which rows a query finds is kept in `listings`, who may see them is decided in `shop`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from order_assets.sandbox.documented import DOCUMENTED_PK, documented_order
from order_assets.sandbox.edits import Edit
from order_assets.sandbox.lines import ITEMS_PER_ORDER, item_documents
from order_assets.sandbox.order_facts import Facts
from order_assets.sandbox.order_json import cancellation_plans, shipping_infos
from order_assets.sandbox.payment_story import (
    Movement,
    movements,
    order_of_transaction,
    order_transaction_document,
    refunds_by_hand,
    set_documents,
    transaction_document,
)
from order_assets.sandbox.value_text import Json, instant, micros_of, stream, uuid_text
from order_assets.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Sight:
    """An order as rows below it are made of it: at `now`, under an edit; without `facts` it is the documented one."""

    world: World
    facts: Facts | None
    edit: Edit
    now: int

    def movements(self) -> tuple[Movement, ...]:
        """All movements of money of the order, with the dates that they have under the edit."""
        if self.facts is None:
            return ()
        made = movements(self.facts, self.facts.life.seen(self.now)) + refunds_by_hand(self.facts, self.edit.refunds)
        return tuple(self.edit.movement(movement) for movement in made)

    def documented(self, name: str) -> list[Json]:
        """The rows of a set of the documented order; no others have any."""
        rows: list[Json] = documented_order()[name] if self.facts is None else []
        return rows


class Dated(NamedTuple):
    """A row's pk and its dates, microseconds since 1970."""

    pk: int
    created_date: int
    modified_date: int

    def date(self, name: str) -> int:
        """Give `created_date` or `modified_date`."""
        moment: int = getattr(self, name)
        return moment


@dataclass(frozen=True)
class FlatList:
    """A list of rows below orders.

    `rows` gives those of an order, `order_of` the order's pk by a row's, `key` names the row's pk. `dates` gives keys
    and dates without making the rows, where that is quicker.
    """

    rows: Callable[[Sight], list[Json]]
    order_of: Callable[[int], int]
    dates: Callable[[Sight], Iterable[Dated]]
    key: str = "pk"


def _money(name: str) -> FlatList:
    def dates(sight: Sight) -> Iterable[Dated]:
        if sight.facts is None:
            return _dates_of(rows(sight), "pk")
        return [Dated(m.pk, m.created, m.modified) for m in sight.movements() if m.set_name == name]

    def rows(sight: Sight) -> list[Json]:
        if sight.facts is None:
            made = sight.documented(name)
        elif name == "transaction_set":
            made = _card_rows(sight.world, sight.facts, sight.movements())
        else:
            made = set_documents(sight.world.seed, sight.facts, sight.movements(), name)
        for row in made:
            _point(row, "order", "pos", "main_pos")
        # A touch leaves dates that a movement has from it already.
        return sight.edit.show_in_children("transactions", made)

    def order_of(pk: int) -> int:
        return _documented_owner(name, pk) or order_of_transaction(pk)

    return FlatList(rows, order_of, dates)


def _card_rows(world: World, facts: Facts, moves: Iterable[Movement]) -> list[Json]:
    if facts.pos is None:
        return []
    email = world.customer(facts.customer).email
    return [
        transaction_document(world.seed, facts, m, {"pk": facts.pk}, email, facts.pos)
        for m in moves
        if m.set_name == "transaction_set"
    ]


def _order_transactions(sight: Sight) -> list[Json]:
    return [order_transaction_document(sight.world.seed, m) for m in sight.movements() if m.succeeded]


def _order_transaction_dates(sight: Sight) -> Iterable[Dated]:
    return [Dated(m.pk, m.created, m.modified) for m in sight.movements() if m.succeeded]


def _items(sight: Sight) -> list[Json]:
    rows = [] if sight.facts is None else item_documents(sight.facts, sight.now)
    for row in rows:
        _point(row, "product", "price_list", "stock_list")
    return sight.edit.show_in_children("items", rows)


def _shipping_infos(sight: Sight) -> list[Json]:
    if sight.facts is None:
        rows = sight.documented("ordershippinginfo_set")
    else:
        facts = sight.facts
        rows = shipping_infos(facts, facts.life.seen(sight.now), sight.world.address(facts.shipping_address))
    return sight.edit.show_in_children("shipping_infos", rows)


def _cancellation_requests(sight: Sight) -> list[Json]:
    """One request for each item that somebody wants to give back; the plan is what the shop makes of them."""
    facts = sight.facts
    if facts is None:
        return []
    plans = cancellation_plans(sight.world.seed, facts, facts.life.seen(sight.now))
    return [
        {
            "id": item,
            "order_item": item,
            "reason": plan["reasons"][str(item)],
            "description": "Beden uymadı" if item % 3 == 0 else None,
            "cancellation_type": plan["plan_type"],
            "status": plan["status"],
            "iban": plan["ibans"].get(str(item)),
            "holder_name": plan["holder_names"].get(str(item)),
            "easy_return": None,
            "quantity": 1,
            "fully_refund_as_loyalty_money": False,
            "uuid": uuid_text(stream(sight.world.seed, "cancellation-request", item)),
            "attributes": {},
            "attributes_kwargs": {},
            "localized_attributes": {},
            "localized_attributes_kwargs": {},
            "modified_date": plan["modified_date"],
            "created_date": plan["created_date"],
        }
        for plan in sight.edit.show_in_children("cancellation_plans", plans)
        for item in plan["cancel_items"]
    ]


def _made(rows: Callable[[Sight], list[Json]], order_of: Callable[[int], int], key: str = "pk") -> FlatList:
    return FlatList(rows, order_of, lambda sight: _dates_of(rows(sight), key), key)


def _dates_of(rows: Iterable[Json], key: str) -> Iterable[Dated]:
    return [Dated(row[key], _micros(row["created_date"]), _micros(row["modified_date"])) for row in rows]


def _micros(text: str) -> int:
    return micros_of(datetime.fromisoformat(text))


def _point(row: Json, *names: str) -> None:
    """Let a row point to things that are nested in it."""
    for name in names:
        if isinstance(row.get(name), dict):
            row[name] = row[name]["pk"]


def _documented_owner(name: str, pk: int) -> int | None:
    return DOCUMENTED_PK if any(row["pk"] == pk for row in documented_order()[name]) else None


FLAT_LISTS: Mapping[str, FlatList] = {
    "order_transactions": FlatList(_order_transactions, order_of_transaction, _order_transaction_dates),
    "transactions": _money("transaction_set"),
    "pay_on_delivery_transactions": _money("payondeliverytransaction_set"),
    "loyalty_transactions": _money("loyaltytransaction_set"),
    "funds_transfer_transactions": _money("fundstransfertransaction_set"),
    "bex_transactions": _money("bextransaction_set"),
    "order_items": _made(_items, lambda pk: pk // ITEMS_PER_ORDER),
    "order_shipping_infos": _made(
        _shipping_infos, lambda pk: _documented_owner("ordershippinginfo_set", pk) or pk // 10
    ),
    "cancellation_requests": _made(_cancellation_requests, lambda pk: pk // ITEMS_PER_ORDER, key="id"),
}
"""The lists of rows below orders, by the names that they have in a path."""

SDK_LISTS = frozenset(
    {*FLAT_LISTS, "cancellation_reasons", "channel_orders", "channel_order_items", "active_user"}
    - {"order_transactions"}
)
"""The lists, and the user's own page, that an instance may lack; the documentation does not promise them."""

_REASONS = (
    ("cancel", "Vazgeçtim"),
    ("cancel", "Yanlış ürün seçtim"),
    ("cancel", "Adres hatalı"),
    ("refund", "Beden uymadı"),
    ("refund", "Ürün kusurlu"),
    ("refund", "Yanlış ürün geldi"),
    ("refund", "Beğenmedim"),
    ("refund", "Geç teslim edildi"),
    ("refund", "Diğer"),
)


def cancellation_reasons(opened: int) -> list[Json]:
    """Give the reasons for which items go back, by pk; `opened` is when the shop was opened."""
    return [
        {
            "pk": number,
            "subject": subject,
            "cancellation_type": kind,
            "order": number,
            "is_active": True,
            "extra_information_needed": subject == "Diğer",
            "translations": None,
            "modified_date": instant(opened + number),
            "created_date": instant(opened),
        }
        for number, (kind, subject) in enumerate(_REASONS, start=1)
    ]
