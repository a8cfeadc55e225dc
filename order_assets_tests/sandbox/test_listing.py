"""The order list of the stand-in: pages, filters, and the abilities that have to be switched on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_assets.sandbox import MONEY_COLUMNS, Sandbox, Shop, ShopSettings, running_sandbox
from order_assets_tests.sandbox.calls import NOW, SETTINGS, Call, caller, every_page

MIDDLE = "2026-01-15T12:00:00Z"


@pytest.fixture(scope="module")
def able() -> Iterator[Call]:
    settings = replace(SETTINGS, capabilities=frozenset({"sort", "date-filter"}))
    with running_sandbox(settings) as sandbox, caller(sandbox) as call:
        yield call


@pytest.fixture(scope="module")
def rows(shop: Shop) -> list[dict[str, Any]]:
    return shop.flat_orders()


@pytest.mark.parametrize("limit", [7, 10, 100])
def test_paging_shows_each_order_once_newest_first(get: Call, rows: list[dict[str, Any]], limit: int) -> None:
    listed = every_page(get, "orders/", limit=limit)
    assert listed == rows
    pks = [row["pk"] for row in listed]
    assert pks == sorted(set(pks), reverse=True)


def test_an_empty_shop_still_has_the_documented_order() -> None:
    for settings in (ShopSettings(orders_per_day=0), replace(SETTINGS, now=NOW - timedelta(days=300))):
        shop = Shop(settings)
        assert [row["pk"] for row in shop.flat_orders()] == [27]
        assert not shop.exists(1000)


def test_the_envelope_links_the_pages_with_absolute_urls(sandbox: Sandbox, get: Call) -> None:
    answer = get("orders/", limit=5, page=2).json()
    assert set(answer) == {"count", "next", "previous", "results"}
    assert answer["next"] == f"{sandbox.url}/api/v1/orders/?limit=5&page=3"
    assert answer["previous"] == f"{sandbox.url}/api/v1/orders/?limit=5"
    assert get("orders/", limit=5).json()["previous"] is None


def test_the_default_page_has_ten_orders_and_the_largest_a_hundred(get: Call) -> None:
    assert len(get("orders/").json()["results"]) == 10
    assert len(get("orders/", limit=5000).json()["results"]) == 100
    assert len(get("orders/", limit="x").json()["results"]) == 10


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "10000"])
def test_a_page_that_is_not_there_is_a_404(get: Call, page: str) -> None:
    answer = get("orders/", page=page)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Invalid page."}


def test_a_smaller_page_cap_is_kept() -> None:
    with running_sandbox(replace(SETTINGS, page_cap=3)) as sandbox, caller(sandbox) as get:
        assert len(get("orders/", limit=100).json()["results"]) == 3
        pk = next(pk for pk in sandbox.shop.order_pks() if len(sandbox.shop.order_items(pk)) > 3)
        path = "order_item/detailed_integration/"
        assert every_page(get, path, order=pk, limit=100) == sandbox.shop.order_items(pk)


def test_filters_on_status_erp_flag_and_cancel_status(get: Call, shop: Shop, rows: list[dict[str, Any]]) -> None:
    for status in ("400", "550", "600", "100"):
        expected = [row for row in rows if row["status"] == status]
        assert expected
        assert every_page(get, "orders/", limit=100, status=status) == expected
    unsent = every_page(get, "orders/", limit=100, is_send=False)
    assert unsent == [row for row in rows if not row["is_send"]] != []
    both = every_page(get, "orders/", limit=100, is_send="true", status="550")
    assert both == [row for row in rows if row["is_send"] and row["status"] == "550"]
    waiting = {row["pk"] for row in every_page(get, "orders/", limit=100, cancel_status="waiting")}
    assert waiting == {pk for pk in shop.order_pks() if shop.order_detail(pk)["cancel_status"] == "waiting"}


@pytest.mark.parametrize(
    "params",
    [
        {"modified_date__gt": "2100-01-01T00:00:00Z"},
        {"modified_date__gt": "nonsense"},
        {"sort": "pk"},
        {"ordering": "pk", "foo": "bar", "status": ""},
    ],
)
def test_what_the_api_does_not_know_it_ignores_and_gives_everything(
    get: Call, rows: list[dict[str, Any]], params: dict[str, str]
) -> None:
    answer = get("orders/", limit=20, **params).json()
    assert answer["count"] == len(rows)
    assert answer["results"] == rows[:20]


@pytest.mark.parametrize("field", ["modified_date", "created_date", "date_placed"])
def test_date_filters_work_where_they_are_a_capability(able: Call, rows: list[dict[str, Any]], field: str) -> None:
    keep = {
        "gt": lambda value: value > MIDDLE,
        "gte": lambda value: value >= MIDDLE,
        "lt": lambda value: value < MIDDLE,
        "lte": lambda value: value <= MIDDLE,
    }
    for lookup, accepts in keep.items():
        expected = [row for row in rows if accepts(row[field])]
        assert 0 < len(expected) < len(rows)
        assert every_page(able, "orders/", limit=100, **{f"{field}__{lookup}": MIDDLE}) == expected


def test_date_filters_are_exact_to_the_microsecond(able: Call, rows: list[dict[str, Any]]) -> None:
    row = rows[50]
    at = row["modified_date"]
    window = {"modified_date__gte": at, "modified_date__lte": at}
    assert [r["pk"] for r in every_page(able, "orders/", **window)] == [row["pk"]]
    assert able("orders/", modified_date__gt=at, modified_date__lte=at).json()["count"] == 0
    assert able("orders/", modified_date__gt="2100-01-01T00:00:00Z").json()["count"] == 0
    assert able("orders/", modified_date__gt="nonsense").status_code == 400


@pytest.mark.parametrize("field", ["pk", "modified_date", "created_date", "date_placed", "number"])
def test_sorting_works_where_it_is_a_capability(able: Call, rows: list[dict[str, Any]], field: str) -> None:
    ascending = sorted(rows, key=lambda row: (row[field], row["pk"]))
    assert every_page(able, "orders/", limit=100, sort=field) == ascending
    assert every_page(able, "orders/", limit=100, sort=f"-{field}") == ascending[::-1]


def test_sorting_by_id_means_by_pk_and_by_nonsense_nothing(able: Call, rows: list[dict[str, Any]]) -> None:
    assert able("orders/", sort="id").json()["results"] == rows[::-1][:10]
    assert able("orders/", sort="-nonsense").json()["results"] == rows[:10]


def test_an_unknown_capability_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"teleport.*date-filter, sort"):
        ShopSettings(capabilities=frozenset({"teleport"}))
    with pytest.raises(ValueError, match="page_cap is 0"):
        ShopSettings(page_cap=0)


def test_an_instance_may_show_no_amounts_in_its_list_rows(rows: list[dict[str, Any]]) -> None:
    with running_sandbox(replace(SETTINGS, lacks=frozenset({"amounts"}))) as sandbox, caller(sandbox) as get:
        listed = every_page(get, "orders/", limit=100)
        sandbox.refund(rows[0]["pk"], 5)
        assert every_page(get, "orders/", limit=100) == listed
        assert get(f"orders_integration/{rows[0]['pk']}/detailed_integration/").json()["refund_amount"] != "0.00"
    assert listed == [{name: row[name] for name in row if name not in MONEY_COLUMNS} for row in rows]


@pytest.mark.parametrize(("served", "other"), [("i1", "v1"), ("v1", "i1")])
def test_an_instance_may_serve_one_version_of_the_api_only(served: str, other: str) -> None:
    with running_sandbox(replace(SETTINGS, versions=frozenset({served}))) as sandbox:
        with caller(sandbox, served) as get:
            assert get("orders/").status_code == 200
        with caller(sandbox, other) as get:
            answers = [get("orders/"), get("orders_integration/27/detailed_integration/"), get("auth/login/")]
            assert {(a.status_code, a.headers["Content-Type"].partition(";")[0]) for a in answers} == {
                (404, "text/html")
            }


def test_what_an_instance_cannot_lack_or_serve_is_refused() -> None:
    for given, says in (({"lacks": {"orders"}}, "amounts"), ({"versions": {"v2"}}, "i1, v1"), ({"versions": ()}, "i1")):
        with pytest.raises(ValueError, match=says):
            ShopSettings(**{name: frozenset(value) for name, value in given.items()})
