"""What happens to orders long after they were placed, by chance, and what the marts have to say of it in the end.

The expectation is made from the answers of the stand-in alone: nothing of the package but its sandbox is used for it.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from order_assets.sandbox import DOCUMENTED_PK, Sandbox, Shop, ShopSettings, running_sandbox
from order_assets.testing.trial import Pipeline

FIRST = date(2026, 3, 1)
MODES = {"filtered": frozenset({"date-filter"}), "sorted": frozenset({"sort"}), "whole": frozenset[str]()}
SHOP = ShopSettings(seed=5, orders_per_day=4, start=FIRST, now=datetime(2026, 3, 7, 12, tzinfo=UTC))
EVENTS = ("refund", "cancel", "delete", "restore", "move", "status")
STATUSES = ("400", "450", "500", "550")
# An order in one of these is sold to nobody, or not yet.
NO_SALE = frozenset({"100", "200", "300", "350", "425"})
MONEY_SETS = (
    "transaction_set",
    "fundstransfertransaction_set",
    "payondeliverytransaction_set",
    "loyaltytransaction_set",
    "bextransaction_set",
    "cashregistertransaction_set",
)
CENT = Decimal("0.01")
# Whether their money is there follows from the states that were seen, which the shop's own state does not tell.
PAID_LATER = ("pay_on_delivery", "funds_transfer")


class LateEvents:
    """Does things to orders of a sandbox; `done` counts them by kind.

    Every second time the order's modified_date stays where it was, as it always does with refunds.
    """

    def __init__(self, sandbox: Sandbox, first_day: date, seed: int) -> None:
        self.sandbox, self.first_day = sandbox, first_day
        self.chance = random.Random(seed)
        self.deleted: list[int] = []
        self.done: Counter[str] = Counter()

    def happen(self) -> None:
        """Let one thing happen that can happen now."""
        chance, sandbox = self.chance, self.sandbox
        kind = chance.choice(EVENTS)
        if kind == "restore" and not self.deleted:
            kind = "delete"
        # Days are kept from running empty.
        if kind == "delete" and len(self.deleted) * 4 > len(sandbox.shop.order_pks()):
            kind = "restore"
        self.done[kind] += 1
        if kind == "restore":
            sandbox.restore(self.deleted.pop(chance.randrange(len(self.deleted))))
            return
        pk = chance.choice([pk for pk in sandbox.shop.order_pks() if pk != DOCUMENTED_PK])
        if kind == "refund":
            # Sometimes dated before the last time that anybody looked.
            ago = timedelta(minutes=chance.choice((0, 0, 90, 60 * 24 * 3)))
            sandbox.refund(pk, Decimal(chance.randint(1, 500)) * CENT, at=sandbox.shop.now() - ago)
        elif kind == "delete":
            sandbox.delete(pk)
            self.deleted.append(pk)
        elif kind == "cancel":
            sandbox.cancel(pk, self._modified(pk))
        elif kind == "move":
            days = (sandbox.shop.now().date() - self.first_day).days
            sandbox.move(pk, self.first_day + timedelta(days=chance.randint(0, days)), self._modified(pk))
        else:
            sandbox.modify(pk, self._modified(pk), status=chance.choice(STATUSES))

    def _modified(self, pk: int) -> datetime | None:
        stays = self.chance.random() < 0.5
        return datetime.fromisoformat(self.sandbox.shop.flat_order(pk)["modified_date"]) if stays else None


@dataclass(frozen=True)
class Money:
    """What the marts have to say of the orders of a shop.

    `orders` is by pk: day, channel, status, currency, amount, refunded, net, paid, number of refunds. `refunds` has
    for each order and transaction (None: what no transaction says) currency and amount; `sold` has by day, channel and
    currency the number of orders that count as sold, their amount, what was refunded of it and what is left.
    `refunded` is by currency, of sold orders.
    """

    orders: dict[int, tuple[Any, ...]]
    refunds: dict[tuple[int, int | None], tuple[str, Decimal]]
    sold: dict[tuple[date, int, str], tuple[Any, ...]]
    refunded: dict[str, Decimal]


def of_shop(shop: Shop, first_day: date) -> Money:
    """Add up what the details of all orders say that there are."""
    orders: dict[int, tuple[Any, ...]] = {}
    refunds: dict[tuple[int, int | None], tuple[str, Decimal]] = {}
    for pk in shop.order_pks():
        detail = shop.order_detail(pk)
        day = datetime.fromisoformat(detail["date_placed"]).astimezone(UTC).date()
        if day < first_day:
            continue
        rows = [row for name in MONEY_SETS for row in detail[name] if row.get("is_succeeded") is not False]
        back = {row["pk"]: Decimal(row["amount"]) for row in rows if row["transaction_type"] == "refund"}
        paid = sum((Decimal(row["amount"]) for row in rows if row["transaction_type"] == "purchase"), Decimal(0))
        # A marketplace shows no payment, so nobody knows.
        payment_type = detail["payment_option"]["payment_type"]
        is_shown = payment_type != "marketplace"
        amount, refunded = Decimal(detail["amount"]), Decimal(detail["refund_amount"])
        rest = {None: refunded - sum(back.values())} if refunded > sum(back.values()) else {}
        refunds |= {(pk, transaction): (detail["currency"], value) for transaction, value in (back | rest).items()}
        orders[pk] = (
            day,
            detail["channel"]["pk"],
            detail["status"],
            detail["currency"],
            amount,
            refunded,
            amount - refunded,
            None if payment_type in PAID_LATER else paid if is_shown or paid else None,
            len(back) + len(rest),
        )
    sold = {pk: row for pk, row in orders.items() if row[2] not in NO_SALE}
    return Money(orders, refunds, _by_day(sold.values()), _by_currency(refunds, sold))


def of_marts(pipeline: Pipeline) -> Money:
    """Read what the marts say. Orders that the shop has deleted are left out, after they were found to be no sale."""
    deleted = pipeline.query("SELECT is_sale, count(*) FROM marts.fct_orders WHERE status_group = 'deleted' GROUP BY 1")
    assert all(not is_sale for is_sale, _ in deleted)
    orders = pipeline.query(
        "SELECT order_pk, date, channel_pk, status, currency, amount, refunded_amount, net_amount, "
        f"CASE WHEN payment_kind NOT IN {PAID_LATER} THEN paid_amount END, "
        "refunds FROM marts.fct_orders WHERE status_group <> 'deleted'"
    )
    refunds = pipeline.query(
        "SELECT order_pk, transaction_pk, currency, amount FROM marts.fct_refunds WHERE status_group <> 'deleted'"
    )
    assert len({row[:2] for row in refunds}) == len(refunds)
    sold = pipeline.query(
        "SELECT date, channel_pk, currency, sum(orders), sum(amount), sum(refunded_amount), sum(net_amount) "
        "FROM marts.agg_daily_sales WHERE is_sale GROUP BY ALL"
    )
    refunded = pipeline.query("SELECT currency, sum(amount) FROM marts.fct_refunds WHERE is_sale GROUP BY ALL")
    return Money(
        {row[0]: row[1:] for row in orders},
        {(row[0], row[1]): (row[2], row[3]) for row in refunds},
        {(row[0], row[1], row[2]): row[3:] for row in sold},
        {row[0]: row[1] for row in refunded},
    )


def _by_day(orders: Iterable[tuple[Any, ...]]) -> dict[tuple[date, int, str], tuple[Any, ...]]:
    found: dict[tuple[date, int, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in orders:
        day, channel, _, currency, *amounts = row
        found[day, channel, currency].append((1, *amounts[:3]))
    return {key: tuple(map(sum, zip(*rows, strict=True))) for key, rows in found.items()}


def _by_currency(
    refunds: dict[tuple[int, int | None], tuple[str, Decimal]], sold: dict[int, tuple[Any, ...]]
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for (pk, _), (currency, amount) in refunds.items():
        if pk in sold:
            found[currency] += amount
    return dict(found)


def differences(expected: Money, found: Money) -> list[str]:
    """Say what is not as it should be, a line for each, so that a failing test can be read."""
    lines = []
    for name in ("orders", "refunds", "sold", "refunded"):
        should, came = getattr(expected, name), getattr(found, name)
        for key in sorted(should.keys() | came.keys(), key=str):
            if should.get(key) != came.get(key):
                lines.append(f"{name} {key}: should be {should.get(key)}, is {came.get(key)}")
    return lines


@contextmanager
def shop_and_pipeline(settings: ShopSettings, place: Path) -> Iterator[tuple[Sandbox, Pipeline]]:
    """A running shop whose first day is `FIRST`, and a pipeline that reads it into a new data root."""
    with running_sandbox(settings) as sandbox:
        yield sandbox, Pipeline(place, sandbox.url, FIRST)


def catch_up(sandbox: Sandbox, pipeline: Pipeline, *, whole: bool, load: bool = True) -> list[date]:
    """Sync and fetch what is due, and load it; gives the days that were due."""
    pipeline.last_day = sandbox.shop.now().date()
    pipeline.sync(whole=whole)
    days = pipeline.due()
    pipeline.refresh(days)
    if load:
        pipeline.load(days)
    return days


def live(sandbox: Sandbox, pipeline: Pipeline, *, days: int, count: int, seed: int, load_every: int) -> LateEvents:
    """Let `count` things happen over `days`, and give what did; in the end all is listed and loaded.

    Every day the index is synced and what is due is fetched, every fifth day from a whole listing; what was fetched is
    loaded every `load_every` days.
    """
    events = LateEvents(sandbox, FIRST, seed)
    catch_up(sandbox, pipeline, whole=True, load=False)
    for number in range(days):
        today = count * (number + 1) // days - count * number // days
        for _ in range(today):
            sandbox.advance(timedelta(seconds=86_400 / today))
            events.happen()
        catch_up(sandbox, pipeline, whole=number % 5 == 4, load=number % load_every == load_every - 1)
    sandbox.advance(timedelta(minutes=2))
    catch_up(sandbox, pipeline, whole=True)
    return events
