"""What was done by hand to single orders, and how it shows in their documents.

Values only: an `Edit` for each order that was changed, all of them in `Edits`. What may be done, and to which
order, is decided in `shop`. A date that was set by hand holds until a later event of the order's life; other
fields stay as they were set.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from order_assets.sandbox.life import STATUS_NAMES
from order_assets.sandbox.oddities import Spoil
from order_assets.sandbox.payment_story import MONEY_SETS, Movement, Refund, refund_position
from order_assets.sandbox.value_text import SECOND, Json, instant, micros_of, money

DETAIL_SETS = {
    "transactions": (*MONEY_SETS, "ordertransaction_set"),
    "shipping_infos": ("ordershippinginfo_set",),
    "cancellation_plans": ("cancellationplan_set",),
}
CHILD_KINDS = ("items", "discounts", *DETAIL_SETS)
"""The kinds of rows below an order that can be touched."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A change of the rows of one kind below an order.

    The rows that there were at `made`, and the first `refunds` refunds by hand, get `fields` and `at` as their
    modified_date, and `created` as their created_date unless it is None. Microseconds since 1970.
    """

    made: int
    at: int
    fields: Mapping[str, object] = field(default_factory=dict)
    created: int | None = None
    refunds: int = 0

    def reaches(self, pk: int, created: int) -> bool:
        """Tell whether the row with this pk was there when this was done."""
        position = refund_position(pk)
        # Some rows carry dates a little after the event that made them.
        return created <= self.made + SECOND if position is None else position < self.refunds

    def date(self, pk: int, own: int) -> int:
        """Give the modified_date of a row that this reaches, where the row's own events say `own`."""
        return own if refund_position(pk) is None and own > self.made + SECOND else self.at


@dataclass(frozen=True, slots=True)
class Edit:
    """All that was done by hand to one order.

    `made` is the shop's clock when its modified_date was last set, `modified` what it was set to; `dates` are
    other dates of the order that were set, `stopped` is the instant after which its life has no events;
    `spoils` say what is answered instead of its documents. Microseconds since 1970.
    """

    presence: Literal["here", "held back", "deleted"] = "here"
    made: int = 0
    modified: int | None = None
    dates: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)
    touches: Mapping[str, Touch] = field(default_factory=dict)
    refunds: tuple[Refund, ...] = ()
    stopped: int | None = None
    spoils: Mapping[str, Spoil] = field(default_factory=dict)

    def date(self, name: str, own: int) -> int:
        """Give a date of the order, where its life says `own`."""
        if name == "modified_date":
            return own if self.modified is None or own > self.made else self.modified
        return self.dates.get(name, own)

    def moved(self, made: int, at: int) -> Edit:
        """Add a move of modified_date to `at`."""
        return replace(self, made=made, modified=at)

    def touched(self, kind: str, made: int, at: int, fields: Mapping[str, object], created: int | None = None) -> Edit:
        """Add a change of the rows of a kind."""
        old = self.touches.get(kind, Touch(made, at))
        fields, created = {**old.fields, **fields}, old.created if created is None else created
        return replace(self, touches={**self.touches, kind: Touch(made, at, fields, created, len(self.refunds))})

    def show_in_row(self, row: Json) -> Json:
        """Change a flat row in place to what the edit makes of it, and give it."""
        for name in ("modified_date", *self.dates):
            if name in row:
                row[name] = instant(self.date(name, _micros(row[name])))
        self._show_fields(row)
        return row

    def show_in_detail(self, detail: Json) -> Json:
        """Change a detail document in place to what the edit makes of it, and give it."""
        for name, at in self.dates.items():
            if name in detail:
                detail[name] = instant(at)
        for transaction in detail["transaction_set"]:
            self.show_in_row(transaction["order"])
        self._show_fields(detail)
        for kind, names in DETAIL_SETS.items():
            for name in names:
                self.show_in_children(kind, detail[name], fields=name != "ordertransaction_set")
        return detail

    def show_in_children(self, kind: str, rows: list[Json], *, fields: bool = True) -> list[Json]:
        """Change rows of a kind in place, without `fields` only their dates, and give them."""
        touch = self.touches.get(kind)
        if touch is not None:
            for row in rows:
                _touch_row(row, touch, fields)
        return rows

    def movement(self, movement: Movement) -> Movement:
        """Give a movement of money with the dates that its rows have under the edit."""
        touch = self.touches.get("transactions")
        if touch is None or not touch.reaches(movement.pk, movement.created):
            return movement
        created = movement.created if touch.created is None else touch.created
        return replace(movement, created=created, modified=touch.date(movement.pk, movement.modified))

    def _show_fields(self, document: Json) -> None:
        if self.refunds:
            whole, _, cents = document["refund_amount"].partition(".")
            by_hand = sum(refund.amount for refund in self.refunds)
            document["refund_amount"] = money(int(whole) * 100 + int(cents) + by_hand)
        before = document["status"]
        for name, value in self.fields.items():
            if name in document:
                document[name] = copy.deepcopy(value)
        if document["status"] != before:
            if document["external_status"] == f"S{before}":
                document["external_status"] = f"S{document['status']}"
            if "status_display" in document and "status_display" not in self.fields:
                document["status_display"] = STATUS_NAMES.get(document["status"], document["status"])
        # The same amount is text in the row and a bare number in the detail.
        if "net_shipping_amount" in self.fields and "cancel_status" in document:
            document["net_shipping_amount"] = float(document["net_shipping_amount"])


NO_EDIT = Edit()

SPOILED = ("row", "detail", "items", "discounts")
"""The answers about an order that can be spoiled: its list row, its detail, the rows of its two child lists."""


class Edits:
    """The edits of a shop's orders by their pks; never changed, only replaced."""

    def __init__(self, by_pk: Mapping[int, Edit] | None = None) -> None:
        self.by_pk: Mapping[int, Edit] = by_pk or {}
        self.hidden = sorted(pk for pk, edit in self.by_pk.items() if edit.presence != "here")
        """The pks of the orders that are not to be seen, ascending."""

    def of(self, pk: int) -> Edit:
        """Give the edit of an order; `NO_EDIT` if nothing was done to it."""
        return self.by_pk.get(pk, NO_EDIT)

    def changed(self, pks: Iterable[int], change: Callable[[Edit], Edit]) -> Edits:
        """Give the edits with those of some orders changed."""
        return Edits({**self.by_pk, **{pk: change(self.of(pk)) for pk in pks}})


def _touch_row(row: Json, touch: Touch, fields: bool) -> None:
    if not touch.reaches(row["pk"], _micros(row["created_date"])):
        return
    row["modified_date"] = instant(touch.date(row["pk"], _micros(row["modified_date"])))
    if touch.created is not None:
        row["created_date"] = instant(touch.created)
    if fields:
        row.update(copy.deepcopy(dict(touch.fields)))


def _micros(text: str) -> int:
    return micros_of(datetime.fromisoformat(text))
