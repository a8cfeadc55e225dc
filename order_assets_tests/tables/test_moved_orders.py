"""Orders that the shop puts on another day: the day that they are on now has all states that they were seen in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from order_assets.contract import Document
from order_assets.landing import (
    Attempt,
    Instance,
    Landing,
    ListedOrder,
    earlier_versions,
    receive,
    refresh_days,
    thin_versions,
    write_index,
)
from order_assets.tables import table_file
from order_assets_tests.landing.samples import answers, detail, gate
from order_assets_tests.tables.days import FLATTENER

SHOP = Instance("https://shop.example.com", "UTC", date(2026, 1, 1))
A, B = date(2026, 1, 5), date(2026, 1, 9)
START = datetime(2026, 2, 1, tzinfo=UTC)


class MovingOrder:
    """A shop of one order, and the days that it was read for; an hour goes by between two answers."""

    def __init__(self, root: Path) -> None:
        self.root, self.day, self.status, self.hours = root, A, "400", 0
        self.is_gone = False

    def now(self) -> datetime:
        return START + timedelta(hours=self.hours)

    def list(self, day: date, status: str, *, is_gone: bool = False) -> None:
        """Put the order on a day in a status, or delete it, and list it."""
        self.hours += 1
        self.day, self.status, self.is_gone = day, status, is_gone
        placed = f"{day}T10:00:00Z"
        other = {"pk": 2, "number": "n2", "date_placed": placed, "modified_date": START.isoformat()}
        mine = other | {"pk": 1, "number": "n1", "status": status, "modified_date": self.now().isoformat()}
        write_index(self.root, SHOP, [other] if is_gone else [mine, other], self.now())

    def refresh(self, *days: date) -> None:
        self.hours += 1
        list(refresh_days(self.root, days, self._fetch, privacy_policy=gate().privacy.policy))

    def _fetch(self, orders: Iterable[ListedOrder]) -> Iterator[Attempt]:
        for order in orders:
            fields = {"pk": order.pk, "number": order.number, "status": self.status, "transaction_set": []}
            document: Any = detail() | fields | {"date_placed": f"{self.day}T10:00:00Z"}
            documents: dict[Document, Any] = {Document.DETAIL: document, Document.ITEMS: [], Document.DISCOUNTS: []}
            if self.is_gone and order.pk == 1:
                came = answers(documents, detail=None, fetched_at=self.now())
            else:
                came = answers(documents, fetched_at=self.now())
            yield Attempt(order, receive(gate(), order, came))

    def rows(self, table: str, day: date) -> list[dict[str, Any]]:
        """The rows of the order in the tables of a day, made now."""
        landing = Landing(self.root, day)
        listed = landing.listed_pks()
        FLATTENER.flatten_day(self.root, day, landing.documents(listed), earlier_versions(landing, listed))
        rows = pq.ParquetFile(table_file(self.root, table, day)).read().to_pylist()
        return [row for row in rows if row.get("order_pk", row.get("pk")) == 1]

    def states(self, day: date) -> list[tuple[str, bool]]:
        return [(row["status"], row["tombstoned"]) for row in self.rows("order_status_history", day)]


@pytest.fixture
def order(tmp_path: Path) -> MovingOrder:
    return MovingOrder(tmp_path)


@pytest.mark.parametrize("is_left_day_refreshed", [False, True])
@pytest.mark.parametrize("is_thin", [False, True])
def test_an_order_that_moved_to_another_day_keeps_the_states_that_it_was_seen_in_before(
    order: MovingOrder, is_left_day_refreshed: bool, is_thin: bool
) -> None:
    for status in ("400", "450"):
        order.list(A, status)
        order.refresh(A)
    order.list(B, "500")
    order.refresh(B, *([A] if is_left_day_refreshed else []))
    if is_thin:
        assert thin_versions(Landing(order.root, A), START + timedelta(days=99)) == 1

    assert order.states(B) == [("400", False), ("450", False), ("500", False)]
    assert [row["status"] for row in order.rows("orders", B)] == ["500"]
    if is_left_day_refreshed:
        assert order.states(A) == []


def test_an_order_that_moves_back_and_forth_has_each_state_once_in_its_order(order: MovingOrder) -> None:
    for day, status in ((A, "200"), (B, "400"), (A, "450"), (B, "500"), (A, "550")):
        order.list(day, status)
        order.refresh(day)

    assert [status for status, _ in order.states(A)] == ["200", "400", "450", "500", "550"]


def test_an_order_that_moved_and_was_deleted_before_it_was_read_again_is_there_with_what_it_had(
    order: MovingOrder,
) -> None:
    order.list(A, "400")
    order.refresh(A)
    order.list(B, "400")
    order.list(B, "400", is_gone=True)
    order.refresh(A, B)

    assert order.states(B) == [("400", False), ("400", True)]
    (row,) = order.rows("orders", B)
    assert (row["status"], row["tombstoned_at"]) == ("400", order.now())


def test_an_order_that_the_shop_deleted_is_marked_until_it_comes_back(order: MovingOrder) -> None:
    order.list(A, "550")
    order.refresh(A)
    assert [row["tombstoned_at"] for row in order.rows("orders", A)] == [None]
    order.list(A, "550", is_gone=True)
    order.refresh(A)
    assert [(row["status"], row["tombstoned_at"]) for row in order.rows("orders", A)] == [("550", order.now())]
    order.list(A, "550")
    order.refresh(A)
    assert [row["tombstoned_at"] for row in order.rows("orders", A)] == [None]
