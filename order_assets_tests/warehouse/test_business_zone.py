"""What a reader of the file has to know stands in it, and marts tell local times by it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from order_assets.contract import CONTRACT
from order_assets.warehouse import load_days, open_readonly
from order_assets.warehouse.marts import Marts, load_marts
from order_assets.warehouse.meta import WarehouseSettings
from order_assets_tests.warehouse.filled import a_shop, order
from order_assets_tests.warehouse.inputs import DAY, at, write_day

ISTANBUL = WarehouseSettings("Europe/Istanbul", date(2025, 1, 1), prices_include_tax=True)
MART = """/* ---
description: Orders with their local hour
grain: one row per order
key: [date, order_pk]
refresh: days
columns:
  date: Day
  order_pk: Order
  placed_local: When it was placed, on the clock of the shop
--- */
SELECT date, pk AS order_pk, date_placed AT TIME ZONE {business_zone} AS placed_local FROM orders.orders
"""


def own_marts(folder: Path) -> Marts:
    folder.mkdir(exist_ok=True)
    (folder / "own.sql").write_text(MART)
    return load_marts(folder)


def load(root: Path, settings: WarehouseSettings | None) -> None:
    marts = own_marts(root / "marts")
    load_days(root, [DAY], contract=CONTRACT, marts=marts, contract_version="7", settings=settings)


def found(root: Path, sql: str) -> list[tuple[object, ...]]:
    connection = open_readonly(root)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_the_file_says_its_time_zone_first_day_privacy_contract_and_whether_prices_include_tax(tmp_path: Path) -> None:
    write_day(tmp_path, DAY, a_shop(order(1)))
    load(tmp_path, ISTANBUL)
    settings = "SELECT time_zone, first_day, prices_include_tax, contract_version FROM meta.settings"
    assert found(tmp_path, settings) == [("Europe/Istanbul", date(2025, 1, 1), True, "7")]
    # A load that says nothing leaves what is known.
    load(tmp_path, None)
    assert found(tmp_path, settings) == [("Europe/Istanbul", date(2025, 1, 1), True, "7")]


def test_a_file_whose_shop_nobody_named_is_read_in_utc_and_says_no_more(tmp_path: Path) -> None:
    write_day(tmp_path, DAY, a_shop(order(1)))
    load(tmp_path, None)
    assert found(tmp_path, "SELECT time_zone, first_day, prices_include_tax FROM meta.settings") == [
        ("UTC", None, None)
    ]


def test_an_order_of_the_late_evening_in_utc_has_the_local_time_of_the_next_day(tmp_path: Path) -> None:
    write_day(tmp_path, DAY, a_shop(order(1, date_placed=at(22))))
    load(tmp_path, None)
    assert found(tmp_path, "SELECT placed_local FROM marts.own") == [(datetime(2026, 1, 1, 22),)]
    # Another zone is another mart: all days of it are made again.
    load(tmp_path, ISTANBUL)
    assert found(tmp_path, "SELECT placed_local FROM marts.own") == [(datetime(2026, 1, 2, 1),)]
