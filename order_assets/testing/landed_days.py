"""Makes landed days of any size from the stand-in's orders, for benchmarks and for tests of what comes after landing.

Up to a thousand orders are drawn and go through the gate as fetched ones do. A larger day repeats them with other keys
for the order, its rows, its customer and addresses; places, channels and means of payment stay shared, as in a shop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from order_assets.contract import CONTRACT, Contract
from order_assets.landing import Landing, ListedOrder, receive
from order_assets.landing.landing_schema import LEDGER_SCHEMA
from order_assets.redaction import Privacy, PrivacyMode, Validator
from order_assets.sandbox import Shop, ShopSettings
from order_assets.sandbox.world import FIRST_PK

DISTINCT = 1_000
_ROWS_PER_PART = 1_000
_DOCUMENTS = ("detail", "items", "discounts")
_OWN_THINGS = ("customer", "shipping_address", "billing_address")
_KEYS = (
    "pk|order|discount_item|order_item|parent|transaction_object_id|object_id|customer|shipping_address|billing_address"
)
_PK = re.compile(rf'"({_KEYS})":(\d+)')


@dataclass(frozen=True)
class Answers:
    """The answers for one order, in the form in which a client brings them."""

    detail: bytes | None
    item_pages: tuple[bytes, ...] = (b"[]",)
    discount_pages: tuple[bytes, ...] = (b"[]",)
    requests: int = 3
    retries: int = 0
    fetched_at: datetime = datetime(2026, 3, 1, tzinfo=UTC)

    @property
    def pages(self) -> dict[str, tuple[Any, ...]]:
        """The pages of each document."""
        found = {"detail": () if self.detail is None else (self.detail,)}
        return {**found, "items": self.item_pages, "discounts": self.discount_pages}

    @property
    def bytes(self) -> int:
        """How long all of them are."""
        return sum(map(len, (self.detail or b"", *self.item_pages, *self.discount_pages)))


def shop_of(day: date, orders: int, *, seed: int = 7) -> Shop:
    """A shop whose first day is `day`, four weeks later, when most of its orders have come to an end."""
    later = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=28)
    return Shop(ShopSettings(seed=seed, orders_per_day=orders, start=day, now=later))


def plain_gate(contract: Contract = CONTRACT) -> Validator:
    """The gate with the treatment of personal data that is the default."""
    return Validator(contract, Privacy(PrivacyMode.TOKENISE, "benchmark"))


def landing_row(gate: Validator, shop: Shop, pk: int) -> dict[str, Any]:
    """The landing row of an order of the shop."""
    return receive(gate, listed_order(shop.flat_order(pk)), shop_answers(shop, pk))


def shop_answers(shop: Shop, pk: int) -> Answers:
    """What the stand-in answers for an order of the shop."""
    return Answers(_json(shop.order_detail(pk)), (_json(shop.order_items(pk)),), (_json(shop.discount_items(pk)),))


def listed_order(flat: dict[str, Any]) -> ListedOrder:
    """An order as the list shows it."""
    return ListedOrder(
        pk=flat["pk"],
        number=flat["number"],
        date_placed=datetime.fromisoformat(flat["date_placed"]),
        modified_date=datetime.fromisoformat(flat["modified_date"]),
        created_date=datetime.fromisoformat(flat["created_date"]),
        checkout_provider_id=flat.get("checkout_provider_id"),
        listed=True,
    )


def landing_rows(
    day: date, orders: int, *, seed: int = 7, distinct: int = DISTINCT, first_turn: int = 0
) -> Iterator[dict[str, Any]]:
    """The landing rows of a day, by ascending pk.

    `distinct` orders are drawn at most. Days whose keys must not meet begin with another `first_turn`; each turn is
    once through the distinct orders.
    """
    distinct = min(orders, distinct)
    gate, shop = plain_gate(), shop_of(day, distinct, seed=seed)
    first = [_Repeatable(landing_row(gate, shop, pk)) for pk in range(FIRST_PK, FIRST_PK + distinct)]
    for number in range(orders):
        turn, which = divmod(number, distinct)
        yield first[which].row(first_turn + turn)


def land_day(
    data_root: Path, day: date, orders: int, *, seed: int = 7, distinct: int = DISTINCT, first_turn: int = 0
) -> Landing:
    """Write the landing of a day: `orders` orders, in one part; the rest as `landing_rows` takes it."""
    landing = Landing(data_root, day)
    waiting: list[dict[str, Any]] = []
    for row in landing_rows(day, orders, seed=seed, distinct=distinct, first_turn=first_turn):
        waiting.append(row)
        if len(waiting) == _ROWS_PER_PART:
            landing.append(waiting)
            waiting.clear()
    landing.append(waiting)
    landing.compact()
    return landing


def write_ledger(landing: Landing) -> None:
    """Write the ledger of a landing, as if its orders were listed now."""
    moment = datetime.now(UTC)
    listed = {"listed_modified_date": moment, "listed_children_modified_date": None, "date_placed": moment}
    rows = [{"number": str(pk), **listed, **row} for pk, row in landing.current().items()]
    landing.write_ledger([{name: row[name] for name in LEDGER_SCHEMA.names if name in row} for row in rows])


def order_pks(landing: Landing) -> list[int]:
    """The orders of a landing, by ascending pk."""
    keys = [landing.columns(part, ["order_pk"])["order_pk"] for part in landing.parts()]
    return sorted({pk for part in keys for pk in part.to_pylist()})


class _Repeatable:
    """A landing row that can be had as another order's: with all keys that belong to the order alone moved."""

    def __init__(self, row: dict[str, Any]) -> None:
        self._row = row
        own = {row["order_pk"]}
        for name in _DOCUMENTS:
            own |= set(_own_keys(json.loads(row[name])))
        # Text, key, text, key, ..., text; looked for once, since a day can repeat an order a thousand times.
        self._pieces = {name: list(_split(row[name], own)) for name in _DOCUMENTS}

    def row(self, turn: int) -> dict[str, Any]:
        """The row with its own keys moved up by the distance of this turn; none in turn 0."""
        if turn == 0:
            return self._row
        distance = turn * 10**13
        texts = {
            name: "".join(piece if isinstance(piece, str) else str(piece + distance) for piece in pieces)
            for name, pieces in self._pieces.items()
        }
        return {**self._row, **texts, "order_pk": self._row["order_pk"] + distance}


def _split(text: str, own: set[int]) -> Iterator[str | int]:
    end = 0
    for match in _PK.finditer(text):
        if int(match[2]) in own:
            yield text[end : match.start(2)]
            yield int(match[2])
            end = match.end(2)
    yield text[end:]


def _own_keys(value: Any) -> Iterator[int]:
    """The keys of the rows of all sets of a document, and of the people and addresses of its order."""
    if isinstance(value, list):
        for row in value:
            yield row["pk"]
            yield from _own_keys(row)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name.endswith("_set") or name == "mapping":
                yield from _own_keys(part)
            elif name in _OWN_THINGS and isinstance(part, dict):
                yield part["pk"]
                yield from _own_keys({"mapping": part.get("mapping") or []})


def _json(value: Any) -> bytes:
    # Without spaces, as the stand-in and the API's framework write.
    return msgspec.json.encode(value)
