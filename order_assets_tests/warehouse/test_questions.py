"""Questions of an analyst's first week: each query of examples/questions, beside the same in pandas from the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from order_assets.contract import CONTRACT
from order_assets.warehouse import load_days, open_readonly
from order_assets.warehouse.marts import MARTS
from order_assets_tests.warehouse.recomputed_marts import Tables, recomputed
from order_assets_tests.warehouse.recomputed_sales import SETTINGS
from order_assets_tests.warehouse.sandbox_days import make_days

QUESTIONS = Path(__file__).parents[2] / "examples" / "questions"
ZERO = Decimal(0)
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Shop:
    """Days of the stand-in in a warehouse, and its marts in pandas."""

    root: Path
    marts: dict[str, pd.DataFrame]

    def __getitem__(self, mart: str) -> pd.DataFrame:
        return self.marts[mart]

    def sales(self) -> pd.DataFrame:
        """The orders that are sales, with their month, week and what their customer and place are."""
        orders = self["fct_orders"]
        return orders[orders["is_sale"]].assign(
            month=orders["date"].map(_month), week=orders["date"].map(_week), weight=1
        )

    def items(self) -> pd.DataFrame:
        """The items of sales."""
        items = self["fct_order_items"]
        return items[items["is_sale"]].assign(month=items["date"].map(_month))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("questions")
    days = make_days(root, date(2026, 1, 26), 8, 25)
    load_days(root, days, contract=CONTRACT, marts=MARTS, contract_version="1", settings=SETTINGS)
    return Shop(root, recomputed(Tables(root, days)))


def _month(day: date) -> date:
    return day.replace(day=1)


def _week(day: date) -> date:
    return day.fromordinal(day.toordinal() - day.weekday())


def _grouped(frame: pd.DataFrame, by: list[str], **sums: str) -> Iterator[tuple[Any, ...]]:
    """The groups with the sum of each column; `size` counts rows, `unique:column` different values."""
    for key, of_group in frame.groupby(by, dropna=False):
        yield (*key, *(_measure(of_group, what) for what in sums.values()))


def _measure(rows: pd.DataFrame, what: str) -> Any:
    if what == "size":
        return len(rows)
    if what.startswith("unique:"):
        return rows[what.removeprefix("unique:")].nunique()
    return sum((value for value in rows[what] if not pd.isna(value)), ZERO)


def _percent(part: Decimal, whole: Decimal, digits: int = 1) -> float:
    return round(float(100 * part / whole), digits)


def _net_sales_by_day_and_channel(shop: Shop) -> Any:
    named = shop["fct_orders"].merge(shop["dim_channels"], on="channel_pk", suffixes=("_then", ""))
    return _grouped(named, ["date", "channel_name", "currency"], n="net_sales")


def _average_order_value(shop: Shop) -> Any:
    for currency, sales in shop.sales().groupby("currency"):
        sums = sum(sales["net_sales"], ZERO), sum(sales["quantity_net"], ZERO)
        yield (currency, *(round(float(total) / len(sales), 2) for total in sums))


def _top_products_after_returns(shop: Shop) -> Any:
    named = shop.items().merge(shop["dim_products"], on="product_sku", suffixes=("_then", ""))
    rows = list(_grouped(named, ["product_sku", "product_name", "currency"], u="quantity_net", n="net_sales"))
    return sorted(rows, key=lambda row: (-row[-1], row[0], row[2]))[:20]


def _return_rate_by_base_code(shop: Shop) -> Any:
    items = shop.items()
    delivered = items[~items["is_canceled"].astype(bool) & items["delivered_at"].notna()]
    for code, of_code in delivered.groupby("product_base_code"):
        units, back = sum(of_code["quantity"], ZERO), sum(of_code["returned_quantity"], ZERO)
        yield code, units, back, _percent(back, units)


def _reasons_of_returns(shop: Shop) -> Any:
    plans = shop["fct_returns"]
    done = plans[plans["is_carried_out"].astype(bool)]
    return _grouped(done, ["plan_type", "reason", "currency"], i="size", u="quantity", a="amount")


def _new_and_returning_by_week(shop: Shop) -> Any:
    return _grouped(shop.sales(), ["week", "is_new_customer", "currency"], s="size", n="net_sales")


def _repeat_within_30_days(shop: Shop) -> Any:
    sales = shop.sales().sort_values(["placed_at", "order_pk"])
    found: dict[date, list[int]] = {}
    for _, of_customer in sales.groupby("customer_pk"):
        days = list(of_customer["date"])
        counts = found.setdefault(_month(days[0]), [0, 0])
        counts[0] += 1
        counts[1] += len(days) > 1 and (days[1] - days[0]).days <= 30
    return [(month, *counts) for month, counts in found.items()]


def _cohorts(shop: Shop) -> Any:
    sales = shop.sales()
    first = sales.groupby("customer_pk")["date"].min().map(_month).rename("first").reset_index()
    sales = sales.merge(first, on="customer_pk")
    sales["after"] = [
        (month.year - start.year) * 12 + month.month - start.month
        for month, start in zip(sales["month"], sales["first"], strict=True)
    ]
    return _grouped(sales, ["first", "after", "currency"], c="unique:customer_pk", n="net_sales")


def _recency_frequency_money(shop: Shop) -> Any:
    sales, newest = shop.sales(), max(shop["fct_orders"]["date"])
    last = sales.groupby("customer_pk")["date"].max()
    for currency, of_currency in sales.groupby("currency"):
        rows = [
            (pk, (newest - last[pk]).days, len(of), sum(of["net_sales"], ZERO))
            for pk, of in of_currency.groupby("customer_pk")
        ]
        fifths = [
            _fifths([row[0] for row in sorted(rows, key=key)])
            for key in (lambda r: (-r[1], r[0]), lambda r: (r[2], r[0]), lambda r: (r[3], r[0]))
        ]
        for pk, *_ in rows:
            yield (pk, currency, *(of[pk] for of in fifths))


def _fifths(ordered: list[int]) -> dict[int, int]:
    size, longer = divmod(len(ordered), 5)
    sizes = [size + (n < longer) for n in range(5)]
    numbers = [n + 1 for n, count in enumerate(sizes) for _ in range(count)]
    return dict(zip(ordered, numbers, strict=True))


def _share_of_guests(shop: Shop) -> Any:
    accounts = shop["dim_customers"][["customer_pk", "user_type"]]
    sales = shop.sales().merge(accounts, on="customer_pk", how="left").fillna({"user_type": "unknown"})
    return _grouped(sales, ["user_type", "currency"], s="size", n="net_sales")


def _sales_by_city_and_township(shop: Shop) -> Any:
    places = shop["dim_geography"][["geography_key", "city", "township"]]
    sales = shop.sales().drop(columns="city").merge(places, on="geography_key", how="left")
    return _grouped(sales, ["city", "township", "currency"], s="size", n="net_sales")


def _sales_by_weekday_and_hour(shop: Shop) -> Any:
    sales = shop.sales()
    local = sales["placed_at"].dt.tz_convert(SETTINGS.time_zone)
    sales = sales.assign(weekday=local.dt.isocalendar().day.astype(int), hour=local.dt.hour)
    return _grouped(sales, ["weekday", "hour", "currency"], s="size", n="net_sales")


def _interest_for_instalments(shop: Shop) -> Any:
    sales = shop.sales()
    taken = sales[sales["installment_interest_amount"] > 0]
    return _grouped(taken, ["installment_count", "currency"], s="size", i="installment_interest_amount")


def _campaigns(shop: Shop) -> Any:
    given = shop["fct_order_discounts"]
    items = shop["fct_order_items"][["item_pk", "net_sales"]]
    given = given[given["is_sale"].astype(bool)].merge(items, on="item_pk", how="left")
    return _grouped(given, ["promotion_name", "currency"], o="unique:order_pk", c="allocated_amount", n="net_sales")


def _markdown_and_discount_depth(shop: Shop) -> Any:
    for currency, items in shop.items().groupby("currency"):
        retail, gross = sum(items["retail_price"], ZERO), sum(items["gross_sales"], ZERO)
        yield currency, _percent(retail - gross, retail), _percent(sum(items["order_discount"], ZERO), gross)


def _late_against_the_promise(shop: Shop) -> Any:
    items = shop["fct_order_items"]
    for month, of_month in items.groupby(items["date"].map(_month)):
        known = [late for late in of_month["is_late"] if not pd.isna(late)]
        yield month, len(known), sum(known)


def _tax_by_rate_and_month(shop: Shop) -> Any:
    return _grouped(shop.items(), ["month", "tax_rate", "currency"], n="net_sales_excl_tax", t="tax_amount")


ANSWERS: dict[str, Callable[[Shop], Any]] = {
    name.removeprefix("_"): answer
    for name, answer in globals().items()
    if (QUESTIONS / f"{name.removeprefix('_')}.sql").exists()
}


@pytest.mark.parametrize("question", sorted(ANSWERS))
def test_the_obvious_query_has_the_right_answer_to_the_cent(shop: Shop, question: str) -> None:
    with open_readonly(shop.root) as connection:
        found = connection.execute((QUESTIONS / f"{question}.sql").read_text(encoding="utf-8")).fetchall()

    expected = [tuple(map(_plain, row)) for row in ANSWERS[question](shop)]
    assert len(expected) > 0
    # A month or week is a date in some versions of DuckDB and a moment in others.
    plain = [tuple(v.date() if isinstance(v, datetime) else v for v in row) for row in found]
    assert sorted(plain, key=str) == sorted(expected, key=str)


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def test_no_question_takes_more_than_ten_lines_or_knows_a_code_by_heart() -> None:
    for file in QUESTIONS.glob("*.sql"):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
        assert len(lines) <= 10, file
        assert "status" not in "".join(lines).replace("fct_order_status_changes", ""), file
        assert "ZONE" not in "".join(lines).upper(), file
