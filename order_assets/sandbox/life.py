"""What happens to an order, and when: from the basket to the doorstep, or back.

A life is drawn once, from the seed and the order alone; what one sees of it depends on the clock. Events
move the order's `modified_date`; child events change only rows below it, as the real API does (its
documented order has transactions and shipping infos modified long after the order). What an order contains
is in `order_facts`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import NamedTuple

from order_assets.sandbox import catalogue, payment_means
from order_assets.sandbox.catalogue import Channel
from order_assets.sandbox.value_text import DAY, HOUR, MINUTE, T

LONGEST_LIFE = 22 * DAY
"""No event of an order, its own or a child's, comes later than this after `date_placed`."""

STATUS_NAMES = {
    "50": "cancellation_waiting",
    "100": "canceled",
    "200": "waiting",
    "300": "payment_waiting",
    "350": "confirmation_waiting",
    "400": "approved",
    "425": "inactive",
    "450": "preparing",
    "500": "shipped",
    "510": "shipped_and_informed",
    "520": "ready_for_pickup",
    "540": "attempted_delivery",
    "544": "review_started",
    "545": "review_waiting",
    "546": "waiting_for_payment",
    "547": "paid",
    "550": "delivered",
    "600": "refunded",
}

STATUS_AFTER = {
    "placed": "200",
    "placed_unpaid": "300",
    "confirmation": "350",
    "transferred": "350",
    "approved": "400",
    "preparing": "450",
    "shipped": "500",
    "informed": "510",
    "ready": "520",
    "attempted": "540",
    "delivered": "550",
    "cancel_asked": "50",
    "canceled": "100",
    "expired": "100",
    "deactivated": "425",
    "review_started": "544",
    "review_waiting": "545",
    "trade_in": "546",
    "trade_in_paid": "547",
    "refunded": "600",
    "mystery": "777",
}

CANCEL_STATUS_AFTER = {
    "cancel_asked": "waiting",
    "canceled": "completed",
    "refund_asked": "waiting",
    "refund_confirmed": "confirmed",
    "refunded": "completed",
    "partly_refunded": "completed",
    "refund_rejected": "rejected",
}


class Step(NamedTuple):
    """An event and its distance from the one before, in minutes, at least and at most."""

    kind: str
    least: float
    most: float


class Event(NamedTuple):
    """Something that happens to an order: when (microseconds since 1970), what, and whether it shows.

    `of_order` is True if the event moves the order's `modified_date`, False if it only changes a child row.
    """

    at: int
    kind: str
    of_order: bool


_OPENINGS: dict[str, tuple[Step, ...]] = {
    payment_means.TRANSFER: (
        Step("transferred", 60, 40 * 60),
        Step("approved", 10, 8 * 60),
        Step("sent", 2, 45),
    ),
    payment_means.ON_DELIVERY: (
        Step("confirmation", 1, 10),
        Step("approved", 5, 6 * 60),
        Step("sent", 2, 45),
    ),
}
_PAID_AT_ONCE = (Step("paid", 0.1, 1.5), Step("approved", 1, 30), Step("sent", 2, 45))
_PACKED = (Step("preparing", 20, 24 * 60), Step("invoiced", 5, 6 * 60))
_SHIPPED = (*_PACKED, Step("shipped", 30, 30 * 60), Step("informed", 3, 120))
_DELIVERED = (*_SHIPPED, Step("delivered", 14 * 60, 72 * 60))
_PATHS: dict[str, tuple[Step, ...]] = {
    "delivered": _DELIVERED,
    "attempted": (*_SHIPPED, Step("attempted", 14 * 60, 60 * 60), Step("delivered", 20 * 60, 50 * 60)),
    "pickup": (*_PACKED, Step("ready", 60, 20 * 60), Step("delivered", 120, 72 * 60)),
    "canceled": (Step("cancel_asked", 10, 20 * 60), Step("canceled", 15, 30 * 60)),
    "cancel_pending": (*_PACKED, Step("cancel_asked", 10, 20 * 60)),
    "refunded": (
        *_DELIVERED,
        Step("refund_asked", 6 * 60, 60 * 60),
        Step("refund_confirmed", 30, 600),
        Step("refunded", 60, 48 * 60),
    ),
    "partly_refunded": (
        *_DELIVERED,
        Step("refund_asked", 6 * 60, 60 * 60),
        Step("partly_refunded", 60, 48 * 60),
    ),
    "refund_rejected": (
        *_DELIVERED,
        Step("refund_asked", 6 * 60, 60 * 60),
        Step("refund_rejected", 60, 48 * 60),
    ),
    "inactive": (Step("deactivated", 60, 24 * 60),),
    "review": (*_DELIVERED, Step("review_started", 60, 30 * 60), Step("review_waiting", 60, 30 * 60)),
    "trade_in": (*_DELIVERED, Step("trade_in", 60, 30 * 60), Step("trade_in_paid", 60, 30 * 60)),
    "mystery": (*_PACKED, Step("mystery", 60, 30 * 60)),
    "over_the_counter": (Step("invoiced", 0.1, 2), Step("delivered", 0.1, 3)),
    "brought_back": (
        Step("invoiced", 0.1, 2),
        Step("delivered", 0.1, 3),
        Step("refund_asked", 60, 10 * 24 * 60),
        Step("refunded", 1, 20),
    ),
}
_PATH_MIX = (
    ("pickup", 0.04),
    ("attempted", 0.06),
    ("canceled", 0.05),
    ("cancel_pending", 0.008),
    ("refunded", 0.04),
    ("partly_refunded", 0.045),
    ("refund_rejected", 0.009),
    ("inactive", 0.005),
    ("review", 0.008),
    ("trade_in", 0.005),
    ("mystery", 0.003),
)
_CHANNEL_MIX = tuple((channel, channel.weight) for channel in catalogue.CHANNELS)
_STORE_PATH_MIX = (("brought_back", 0.08),)


@dataclass(frozen=True, slots=True)
class Life:
    """An order from outside: where it was placed, how it is paid, and what happens to it when.

    `times` and `kinds` run in parallel and are the order's own events, ascending; `child_times` and
    `child_kinds` are those of its child rows. Instants are microseconds since 1970, UTC.
    """

    pk: int
    placed: int
    created: int
    channel: Channel
    payment: str
    path: str
    times: tuple[int, ...]
    kinds: tuple[str, ...]
    child_times: tuple[int, ...]
    child_kinds: tuple[str, ...]

    def until(self, last: int) -> Life:
        """Give the life without its events after `last`."""
        own, children = self.passed(last), bisect_right(self.child_times, last)
        return replace(
            self,
            times=self.times[:own],
            kinds=self.kinds[:own],
            child_times=self.child_times[:children],
            child_kinds=self.child_kinds[:children],
        )

    def passed(self, now: int) -> int:
        """Give how many of the order's own events have happened at `now`; the first always counts."""
        return max(1, bisect_right(self.times, now))

    def modified(self, now: int) -> int:
        """Give the order's `modified_date` as of `now`."""
        return self.times[self.passed(now) - 1]

    def next_change(self, now: int) -> int | None:
        """Give the instant of the first event after `now`, a child's included, or None."""
        position, child = bisect_right(self.times, now), bisect_right(self.child_times, now)
        later = self.times[position : position + 1] + self.child_times[child : child + 1]
        return min(later) if later else None

    def seen(self, now: int) -> dict[str, int]:
        """Give the instants of all that has happened at `now`, by kind."""
        happened = dict(zip(self.kinds, self.times[: self.passed(now)], strict=False))
        children = self.child_times[: bisect_right(self.child_times, now)]
        happened.update(zip(self.child_kinds, children, strict=False))
        return happened

    def status(self, now: int) -> str:
        """Give the status code as of `now`."""
        return _latest(STATUS_AFTER, self.kinds, self.passed(now)) or "200"

    def cancel_status(self, now: int) -> str | None:
        """Give the cancel status as of `now`."""
        return _latest(CANCEL_STATUS_AFTER, self.kinds, self.passed(now))

    def is_send(self, now: int) -> bool:
        """Tell whether the order has been reported to the ERP at `now`."""
        return "sent" in self.kinds[: self.passed(now)]

    def events(self) -> tuple[Event, ...]:
        """List all events, past and future, by time."""
        own = [Event(at, kind, True) for at, kind in zip(self.times, self.kinds, strict=True)]
        children = [Event(at, kind, False) for at, kind in zip(self.child_times, self.child_kinds, strict=True)]
        return tuple(sorted(own + children))


def draw_life(rng: Random, pk: int, placed: int) -> Life:
    """Draw the life of order `pk`, placed at `placed` (microseconds since 1970)."""
    channel = _draw(rng, _CHANNEL_MIX, catalogue.CHANNELS[0])
    mix = payment_means.PAYMENT_MIX[channel.pk]
    payment = _draw(rng, mix, mix[0][0])
    path = _draw_path(rng, payment, store=channel.pk == catalogue.STORE)
    created = placed + 1_000 + int(rng.random() * 39_000)
    times, kinds = [created], ["placed_unpaid" if payment == payment_means.TRANSFER else "placed"]
    at = created
    for kind, least, most in _steps(payment, path):
        # Squaring makes short waits usual and long ones rare.
        at += int((least + rng.random() ** 2 * (most - least)) * MINUTE)
        times.append(at)
        kinds.append(kind)
    children = sorted(_child_events(rng, dict(zip(kinds, times, strict=True)), payment))
    return Life(
        pk,
        placed,
        created,
        channel,
        payment,
        path,
        tuple(times),
        _shared(tuple(kinds)),
        tuple(at for at, _ in children),
        _shared(tuple(kind for _, kind in children)),
    )


def _draw_path(rng: Random, payment: str, *, store: bool) -> str:
    if store:
        return _draw(rng, _STORE_PATH_MIX, "over_the_counter")
    path = _draw(rng, _PATH_MIX, "delivered")
    # One transfer in five never arrives.
    if payment == payment_means.TRANSFER and rng.random() < 0.2:
        return "expired"
    return path


@cache
def _steps(payment: str, path: str) -> tuple[Step, ...]:
    if path == "expired":
        return (Step("expired", 3 * 24 * 60, 3 * 24 * 60 + 60),)
    if path in ("over_the_counter", "brought_back"):
        return (Step("paid", 0.1, 1.5), Step("approved", 0.1, 1), Step("sent", 0.5, 2), *_PATHS[path])
    return (*_OPENINGS.get(payment, _PAID_AT_ONCE), *_PATHS[path])


def _child_events(rng: Random, times: dict[str, int], payment: str) -> list[tuple[int, str]]:
    children = []
    if payment in (payment_means.CARD, payment_means.CARD_AND_LOYALTY) and "paid" in times:
        children.append((times["paid"] + DAY + int(rng.random() * 4 * DAY), "settled"))
    if payment == payment_means.ON_DELIVERY and "delivered" in times:
        children.append((times["delivered"] + HOUR + int(rng.random() * 2 * DAY), "collected"))
    if "shipped" in times:
        children.append((times["shipped"] + 6 * HOUR + int(rng.random() * 5 * DAY), "carrier_report"))
    if "preparing" in times and rng.random() < 0.012:
        children.append((times["preparing"] + int(rng.random() * 30 * MINUTE) + MINUTE, "split"))
    return children


def _draw(rng: Random, mix: tuple[tuple[T, float], ...], otherwise: T) -> T:
    chance = rng.random()
    for choice, weight in mix:
        chance -= weight
        if chance < 0:
            return choice
    return otherwise


def _latest(after: dict[str, str], kinds: tuple[str, ...], passed: int) -> str | None:
    for kind in reversed(kinds[:passed]):
        if kind in after:
            return after[kind]
    return None


@cache
def _shared(kinds: tuple[str, ...]) -> tuple[str, ...]:
    # There are few different sequences and many orders: keep one copy of each.
    return kinds
