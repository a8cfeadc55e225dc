"""The history of orders: each state that was seen once, exactly, whatever became of the documents it was read from."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_assets.landing import Landing, earlier_versions, thin_versions
from order_assets.tables import FlattenReport, table_file
from order_assets_tests.tables.days import DAY, FLATTENER, Order, faults, gone, landed, order, rows_of

HISTORY = "order_status_history"
START = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(1, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=999)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def version(hours: int, shop_order: Order | None = None, **values: Any) -> dict[str, Any]:
    """The landing row of an order as it was fetched after so many hours; `values` are fields of its detail."""
    fetched = shop_order or order()
    fetched.detail |= values
    return landed(fetched, fetched_at=at(hours), listed_modified_date=at(hours))


def flatten(root: Path, *versions: Mapping[str, Any]) -> FlattenReport:
    landing = Landing(root, DAY)
    for row in versions:
        landing.append([row])
    return flatten_landed(root)


def flatten_landed(root: Path) -> FlattenReport:
    landing = Landing(root, DAY)
    pks = sorted(landing.current())
    return FLATTENER.flatten_day(root, DAY, landing.documents(pks), earlier_versions(landing, pks))


def history(root: Path, *versions: Mapping[str, Any]) -> list[dict[str, Any]]:
    report = flatten(root, *versions)
    assert faults(root, report) == []
    return rows_of(root, HISTORY)


def seen(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_the_first_observation_of_each_state_stays_and_repetitions_are_left_out(tmp_path: Path) -> None:
    rows = history(
        tmp_path,
        version(1, status="400", status_display="approved"),
        version(2, status="400", status_display="approved"),
        version(3, status="500", status_display="shipped"),
        version(4, status="400", status_display="approved"),
        version(5, status="400", status_display="approved"),
    )
    assert seen(rows, "observed_at", "modified_date", "status", "status_display") == [
        (at(1), at(1), "400", "approved"),
        (at(3), at(3), "500", "shipped"),
        (at(4), at(4), "400", "approved"),
    ]
    assert {row["order_pk"] for row in rows} == {27}


def test_every_column_makes_a_state(tmp_path: Path) -> None:
    states: dict[str, tuple[Any, ...]] = {
        "cancel_status": (None, "waiting", "completed", None),
        "amount": ("16.40", "16.41", None),
        "refund_amount": ("0.00", "16.40"),
        "is_send": (None, False, True),
    }
    versions = [
        version(hours, order(100 + number), **{name: value})
        for number, (name, values) in enumerate(states.items())
        for hours, value in enumerate(values)
    ]
    rows = history(tmp_path, *versions)
    for number, (name, values) in enumerate(states.items()):
        found = [row[name] for row in rows if row["order_pk"] == 100 + number]
        assert found == [Decimal(value) if name.endswith("amount") and value else value for value in values]


def test_an_order_that_was_fetched_once_has_one_row_and_a_day_without_orders_a_file(tmp_path: Path) -> None:
    rows = history(tmp_path / "some", version(1, order(102)), version(2, order(101)))
    assert seen(rows, "order_pk", "tombstoned") == [(101, False), (102, False)]
    assert history(tmp_path / "none") == []
    assert table_file(tmp_path / "none", HISTORY, DAY).exists()


def test_versions_in_quarantine_are_no_states(tmp_path: Path) -> None:
    good, bad, other = version(1, status="400"), version(2, amount="1.234"), version(3, status="500")
    assert bad["outcome"] == "quarantined"
    assert seen(history(tmp_path / "between", good, bad, other), "observed_at") == [(at(1),), (at(3),)]
    flatten(tmp_path / "last", good, bad)
    # The order itself waits in quarantine; what is known of its past stays.
    assert seen(rows_of(tmp_path / "last", HISTORY), "observed_at") == [(at(1),)]
    assert rows_of(tmp_path / "last", "orders") == []


def test_an_order_that_is_gone_keeps_its_last_values_and_may_come_back(tmp_path: Path) -> None:
    last = version(1, status="500")
    rows = history(tmp_path, last, gone(27, last) | {"fetched_at": at(2)}, version(3, status="500"))
    assert seen(rows, "observed_at", "status", "tombstoned") == [
        (at(1), "500", False),
        (at(2), "500", True),
        (at(3), "500", False),
    ]
    assert rows[0]["amount"] == rows[1]["amount"] == Decimal("16.40")


def test_an_order_that_was_gone_before_it_was_ever_fetched_has_no_state(tmp_path: Path) -> None:
    assert history(tmp_path / "now", gone(101)) == []
    rows = history(tmp_path / "before", gone(101) | {"fetched_at": at(1)}, version(2, order(101)))
    assert seen(rows, "observed_at", "tombstoned") == [(at(2), False)]


def test_shipments_are_counted_in_whatever_form_the_set_comes(tmp_path: Path) -> None:
    info = order().detail["ordershippinginfo_set"][0]
    sent, waiting = info | {"is_send": True}, info | {"is_send": False}
    forms: list[Any] = [
        [],
        [waiting | {"pk": 1}],
        [sent | {"pk": 1}, waiting | {"pk": 2}, sent | {"pk": 3}],
        sent,
        [71, 72, 73],
        None,
        [waiting | {"pk": 1, "is_send": None}],
    ]
    expected = [(0, 0), (1, 0), (3, 2), (1, 1), (3, 0), (0, 0), (1, 0)]
    counts = ("shipping_info_count", "shipped_info_count")
    versions = [version(hours, ordershippinginfo_set=form) for hours, form in enumerate(forms)]
    assert seen(history(tmp_path / "earlier", *versions), *counts) == expected
    currents = [row | {"order_pk": 100 + number} for number, row in enumerate(versions)]
    flatten(tmp_path / "current", *currents)
    assert seen(rows_of(tmp_path / "current", HISTORY), *counts) == expected


@pytest.mark.parametrize("is_thin", [False, True])
def test_money_of_earlier_versions_keeps_its_digits_however_it_is_spelled(tmp_path: Path, is_thin: bool) -> None:
    spellings = ["1234567890123456.78", '"1234567890123456.79"', "123456789012345680e-2", "1.23456789012345681E15"]
    versions = []
    for hours, spelling in enumerate([*spellings, '"1.00"']):
        shop_order = order()
        shop_order.detail["amount"] = "AMOUNT"
        shop_order.raw = {'"AMOUNT"': spelling}
        versions.append(version(hours, shop_order))
    landing = Landing(tmp_path, DAY)
    landing.append(versions[:1])
    for row in versions[1:]:
        landing.append([row])
    assert thin_versions(landing, LATER if is_thin else NEVER) == (3 if is_thin else 0) + is_thin
    flatten_landed(tmp_path)
    digits = [Decimal(f"1234567890123456.{cents}") for cents in (78, 79, 80, 81)]
    assert [row["amount"] for row in rows_of(tmp_path, HISTORY)] == [*digits, Decimal("1.00")]


def test_letting_go_of_documents_changes_no_history_and_the_pieces_of_a_day_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    landing = Landing(tmp_path, DAY)
    sets: tuple[Any, ...] = (
        [],
        [71],
        order().detail["ordershippinginfo_set"],
        order().detail["ordershippinginfo_set"][0],
    )
    for hours in range(8):
        rows = [
            version(
                hours,
                order(pk),
                status=chance.choice(["400", "500", None]),
                amount=chance.choice(["16.40", "16.40", 7, "1e1"]),
                ordershippinginfo_set=chance.choice(sets),
            )
            for pk in (range(101, 113) if hours == 0 else chance.sample(range(101, 113), 8))
        ]
        outcomes = chance.choices(["landed", "tombstoned", "quarantined"], [8, 1, 1], k=len(rows))
        landing.append([row | {"outcome": out, "reason": "-"} for row, out in zip(rows, outcomes, strict=True)])
    flatten_landed(tmp_path)
    file = table_file(tmp_path, HISTORY, DAY)
    before = file.read_bytes()
    assert len(rows_of(tmp_path, HISTORY)) > 30
    assert len(landing.current()) == 12
    monkeypatch.setattr("order_assets.tables.flatten._ORDERS_PER_BATCH", 5)
    for hours in (4, 999):
        assert thin_versions(landing, at(hours)) > 0
        flatten_landed(tmp_path)
        assert file.read_bytes() == before
