"""Which orders there are and which day they belong to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_assets.landing import Instance, OrderIndexError, index_file, orders_of_day, sync_state, write_index
from order_assets.landing.index import read_index

ISTANBUL = Instance("https://shop.example.com", "Europe/Istanbul", date(2026, 1, 1))
SEEN = datetime(2026, 1, 20, tzinfo=UTC)
LATER = SEEN + timedelta(hours=1)


def row(pk: int = 1, **changes: Any) -> dict[str, Any]:
    facts = {"pk": pk, "number": f"n{pk}", "channel": 3, "status": 400, "date_placed": "2026-01-05T10:00:00Z"}
    return {**facts, "modified_date": "2026-01-06T10:00:00.5Z", "created_date": None, **changes}


def test_an_order_listed_twice_is_kept_in_its_newest_version(tmp_path: Path) -> None:
    rows = [row(), row(modified_date="2026-01-07T10:00:00Z", number="newer"), row(modified_date="2026-01-05T10:00:00Z")]
    report = write_index(tmp_path, ISTANBUL, rows, SEEN)
    (order,) = orders_of_day(tmp_path, date(2026, 1, 5))
    assert (order.number, report.orders, report.rows_read) == ("newer", 1, 3)


def test_days_begin_at_midnight_of_the_business_time_zone(tmp_path: Path) -> None:
    rows = [
        row(1, date_placed="2026-01-04T20:59:59.999999Z"),
        row(2, date_placed="2026-01-04T21:00:00Z"),
        row(3, date_placed="2026-01-05T23:59:59+03:00"),
        row(4, date_placed="2026-01-05T20:00:00"),
        row(5, date_placed="2026-01-05T21:00:00"),
    ]
    write_index(tmp_path, ISTANBUL, rows, SEEN)
    days = {day: [order.pk for order in orders_of_day(tmp_path, date(2026, 1, day))] for day in (4, 5, 6)}
    assert days == {4: [1], 5: [2, 3, 4], 6: [5]}


def test_orders_before_the_first_day_are_counted(tmp_path: Path) -> None:
    rows = [row(1, date_placed="2025-12-31T10:00:00Z"), row(2, date_placed="2025-12-31T21:00:00Z")]
    assert write_index(tmp_path, ISTANBUL, rows, SEEN).before_first_day == 1


def test_an_order_that_vanished_from_the_list_is_kept_and_marked(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1), row(2)], SEEN)
    report = write_index(tmp_path, ISTANBUL, [row(2)], LATER)
    assert [(order.pk, order.listed) for order in orders_of_day(tmp_path, date(2026, 1, 5))] == [(1, False), (2, True)]
    assert (report.orders, report.vanished, report.new, report.changed) == (1, 1, 0, 0)


def test_an_empty_listing_after_a_full_one_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1)], SEEN)
    before = index_file(tmp_path).read_bytes()
    with pytest.raises(OrderIndexError, match="has 0 orders, though 1 are known"):
        write_index(tmp_path, ISTANBUL, [], LATER)
    assert index_file(tmp_path).read_bytes() == before


def test_new_and_changed_orders_are_counted(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1), row(2)], SEEN)
    moved = row(2, modified_date="2026-01-09T00:00:00Z")
    report = write_index(tmp_path, ISTANBUL, [row(1), moved, row(3)], LATER)
    assert (report.new, report.changed) == (1, 1)
    assert report.newest_change == datetime(2026, 1, 9, tzinfo=UTC)


NOT_PLACED = [
    None,
    "",
    "yesterday",
    5,
    True,
    [],
    {"date": "2026-01-05"},
    "2026-01-05T24:00:00Z",
    "2026-01-05T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "0000-01-01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31T23:59:59Z",
    "2026-01-05T10:00:00\ud800",
    "2" * 100_000,
]


@pytest.mark.parametrize("placed", NOT_PLACED, ids=lambda value: repr(value)[:30])
def test_an_order_without_a_day_is_set_aside_by_name_and_all_others_are_kept(tmp_path: Path, placed: Any) -> None:
    report = write_index(tmp_path, ISTANBUL, [row(1), row(2, date_placed=placed), row(3)], SEEN)
    assert [order.pk for order in orders_of_day(tmp_path, date(2026, 1, 5))] == [1, 3]
    assert (report.orders, report.rows_read, report.aside_count) == (2, 3, 1)
    (aside,) = sync_state(tmp_path).aside
    assert str(aside).startswith("order 2: its date_placed is no time") or "it has no date_placed" in str(aside)
    assert len(str(aside)) < 100


def test_an_order_that_was_placed_before_keeps_its_day_when_its_row_cannot_be_placed_any_more(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1), row(2)], SEEN)
    report = write_index(tmp_path, ISTANBUL, [row(1), row(2, date_placed="soon")], LATER)
    assert [(order.pk, order.listed) for order in orders_of_day(tmp_path, date(2026, 1, 5))] == [(1, True), (2, True)]
    assert (report.orders, report.vanished, report.aside_count) == (2, 0, 1)
    assert write_index(tmp_path, ISTANBUL, [row(1), row(2)], LATER).aside_count == 0


def test_a_list_of_which_no_row_can_be_placed_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1), row(2)], SEEN)
    before = index_file(tmp_path).read_bytes()
    with pytest.raises(OrderIndexError, match=r"none of the 2 rows .* for example order 1: it has no date_placed"):
        write_index(tmp_path, ISTANBUL, [row(1, date_placed=None), row(2, date_placed=None)], LATER)
    assert index_file(tmp_path).read_bytes() == before


def _deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


ODD_COLUMNS: list[tuple[str, Any, Any]] = [
    ("modified_date", "yesterday", None),
    ("modified_date", 20260105, None),
    ("modified_date", "0001-01-01T00:00:00+14:00", None),
    ("created_date", ["2026-01-05"], None),
    ("created_date", "2026-02-30", None),
    ("number", "n\ud8001", "n\ufffd1"),
    ("number", None, ""),
    ("number", "", ""),
    ("number", True, ""),
    ("number", {"n": 1}, ""),
    ("number", 10**4000, ""),
    ("checkout_provider_id", "c\udc00", "c\ufffd"),
    ("checkout_provider_id", _deep(2000), None),
    ("status", _deep(2000), None),
    ("channel", 2**63, None),
    ("channel", "3", None),
    ("channel", {"pk": [3]}, None),
    ("amount", "12.3456789", None),
    ("amount", 10**30, None),
    ("amount", "twelve", None),
    ("amount", "NaN", None),
    ("refund_amount", [5], None),
    ("refund_amount", True, None),
]


@pytest.mark.parametrize(
    ("name", "value", "kept"), ODD_COLUMNS, ids=[f"{name} {number}" for number, (name, _, _) in enumerate(ODD_COLUMNS)]
)
def test_a_column_that_is_not_needed_to_place_an_order_refuses_nothing(
    tmp_path: Path, name: str, value: Any, kept: Any
) -> None:
    report = write_index(tmp_path, ISTANBUL, [row(1), row(2, **{name: value}), row(3)], SEEN)
    assert [order.pk for order in orders_of_day(tmp_path, date(2026, 1, 5))] == [1, 2, 3]
    assert (report.aside_count, report.odd_columns[name]) == (0, 1)
    assert read_index(tmp_path, [name])[name].to_pylist()[1] == kept


def test_what_nobody_foresaw_in_a_row_costs_that_row_alone(tmp_path: Path) -> None:
    class Broken(dict[str, Any]):
        def get(self, _name: str, _default: Any = None) -> Any:
            raise KeyError("secret")

    report = write_index(tmp_path, ISTANBUL, [row(1), Broken(pk=2), row(3)], SEEN)
    assert [str(aside) for aside in report.aside] == ["order 2: it cannot be read (KeyError)"]
    assert report.orders == 2


def test_the_index_keeps_the_money_of_the_list_exactly(tmp_path: Path) -> None:
    write_index(
        tmp_path, ISTANBUL, [row(1, amount="16.40", refund_amount=Decimal("0.1"), net_shipping_amount=8.5)], SEEN
    )
    rows = read_index(tmp_path)
    kept = [rows[name].to_pylist() for name in ("amount", "refund_amount", "net_shipping_amount", "discount_amount")]
    assert kept == [[Decimal("16.4")], [Decimal("0.1")], [Decimal("8.5")], [None]]


def test_without_an_index_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OrderIndexError, match="materialise order_index first"):
        orders_of_day(tmp_path, date(2026, 1, 5))


def test_a_broken_index_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1)], SEEN)
    index_file(tmp_path).write_bytes(b"PAR1 no more")
    with pytest.raises(OrderIndexError, match="materialise order_index again"):
        orders_of_day(tmp_path, date(2026, 1, 5))


def test_the_index_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1)], SEEN)
    assert index_file(tmp_path).stat().st_mode & 0o777 == 0o600
