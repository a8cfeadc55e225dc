"""What only the rows of the order list tell: money that moved while the order's own clock stood still."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from starlette.responses import Response

from order_assets.landing import Landing, changed_days, index_file, orders_of_day, sync_state
from order_assets.landing.estimate import plan_run
from order_assets.omnitron.auth import KEPT
from order_assets.sandbox import Sandbox, ShopSettings
from order_assets.testing.tampering import Tamper, Tampered, tampered_sandbox
from order_assets.testing.trial import Pipeline
from order_assets_tests.landing.old_index import OLD_SCHEMA, make_old

FIRST = date(2026, 3, 6)
NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
MODES = {
    "filtered window, sorted": {"sort", "date-filter"},
    "filtered window": {"date-filter"},
    "descending walk": {"sort"},
    "full listing": set[str](),
}
# They differ in how a window is read, which a whole listing does not look at.
SOME_MODES = [pytest.param(mode, marks=() if mode == "full listing" else pytest.mark.long) for mode in MODES]
Shops = Callable[..., tuple[Sandbox, Tampered, Pipeline]]


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Shops]:
    """Serve a small shop without its list of order transactions, with a pipeline on it."""
    with ExitStack() as stack:

        def serve(capabilities: set[str], *, orders_per_day: int = 8) -> tuple[Sandbox, Tampered, Pipeline]:
            settings = ShopSettings(
                orders_per_day=orders_per_day,
                start=FIRST,
                now=NOW,
                capabilities=frozenset(capabilities),
                page_cap=7,
                lacks=frozenset({"order_transactions", "transactions"}),
            )
            sandbox, tampered = stack.enter_context(tampered_sandbox(settings))
            return sandbox, tampered, Pipeline(tmp_path / "data", sandbox.url, FIRST, last_day=NOW.date(), marts=())

        yield serve


def details_asked(sandbox: Sandbox) -> list[int]:
    return sorted(int(r.path.split("/")[-3]) for r in sandbox.requests if "/orders_integration/" in r.path)


def whole_run(pipeline: Pipeline) -> list[date]:
    pipeline.sync(whole=True)
    days = pipeline.due()
    pipeline.refresh(days)
    pipeline.load(days)
    return days


def refunded(pipeline: Pipeline, pk: int) -> tuple[Any, ...]:
    (row,) = pipeline.query(
        f"SELECT refund_amount, (SELECT sum(refunded) FROM ({_REFUNDS}) r WHERE r.pk = o.pk) "
        f"FROM orders.orders o WHERE pk = {pk}"
    )
    return row


_REFUNDS = "SELECT order_pk AS pk, amount AS refunded FROM orders.transactions WHERE transaction_type = 'refund'"


def changed_rows(change: Callable[[dict[str, Any]], Any]) -> Tamper:
    """Change every row of the order list, except where the list is counted."""

    def rule(address: str, body: bytes) -> Response | None:
        if "/api/v1/orders/?" not in address:
            return None
        page = json.loads(body)
        page["results"] = [change(row) for row in page["results"]]
        return Response(json.dumps(page), media_type="application/json")

    return rule


def some_order(pipeline: Pipeline) -> int:
    return orders_of_day(pipeline.root, FIRST + timedelta(days=1))[3].pk


@pytest.mark.parametrize("mode", SOME_MODES)
def test_the_plan_after_a_whole_listing_says_what_the_next_run_takes(shops: Shops, mode: str) -> None:
    sandbox, _, pipeline = shops(MODES[mode])
    pipeline.run()
    pipeline.sync(whole=True)
    policy = pipeline.gate.privacy.policy
    day = timedelta(hours=24)
    plan = plan_run(pipeline.root, FIRST, NOW.date(), privacy_policy=policy, whole_every=day, logins=1)
    # The run that follows a plan is another process.
    KEPT.clear()
    sandbox.requests.clear()
    pipeline.run()
    assert abs(plan.requests - len(sandbox.requests)) <= 0.2 * len(sandbox.requests)
    assert plan.lists_all == (mode == "full listing")


@pytest.mark.parametrize("mode", SOME_MODES)
def test_a_refund_that_moves_no_clock_is_found_by_the_next_whole_listing(shops: Shops, mode: str) -> None:
    sandbox, _, pipeline = shops(MODES[mode])
    pipeline.run()
    pk = some_order(pipeline)
    before = refunded(pipeline, pk)[0]
    sandbox.refund(pk, "5.00")
    sandbox.requests.clear()
    pipeline.sync(whole=True)
    (due,) = changed_days(pipeline.root, FIRST, NOW.date())
    assert due.reasons == {"row_changed": 1}
    assert whole_run(pipeline) == [FIRST + timedelta(days=1)]
    assert details_asked(sandbox) == [pk]
    assert refunded(pipeline, pk) == (before + Decimal("5.00"), before + Decimal("5.00"))
    sandbox.requests.clear()
    assert (whole_run(pipeline), details_asked(sandbox)) == ([], [])


def test_a_row_that_changes_while_its_order_is_fetched_is_fetched_once_more_and_then_no_more(shops: Shops) -> None:
    sandbox, tampered, pipeline = shops(set())
    pipeline.run()
    pk = some_order(pipeline)
    sandbox.refund(pk, "1.00")
    pipeline.sync(whole=True)

    def refund_again(address: str, _body: bytes) -> None:
        if f"/orders_integration/{pk}/" in address:
            tampered.rules.clear()
            sandbox.refund(pk, "2.00")

    tampered.rules.append(refund_again)
    days = pipeline.due()
    pipeline.refresh(days)
    assert len(whole_run(pipeline)) == 1
    assert whole_run(pipeline) == []
    assert refunded(pipeline, pk)[1] == Decimal("3.00")


@pytest.mark.slow
def test_columns_that_move_with_every_answer_make_nothing_due_and_hide_no_refund(shops: Shops) -> None:
    sandbox, tampered, pipeline = shops({"date-filter", "sort"})
    counter = iter(range(10**9))

    def moving(row: dict[str, Any]) -> dict[str, Any]:
        number = next(counter)
        row |= {"queue_position": number, "last_access_time": f"2026-03-08T12:00:00.{number:06d}Z"}
        return row | {"e_archive_url": f"https://cdn.example.com/{row['pk']}.pdf?X-Amz-Signature={number}"}

    tampered.rules.append(changed_rows(moving))
    pipeline.run()
    for _ in range(3):
        assert whole_run(pipeline) == []
    report = pipeline.sync(whole=True)
    assert report.index.moving == ("queue_position",)
    pk = some_order(pipeline)
    sandbox.refund(pk, "5.00")
    assert whole_run(pipeline) == [FIRST + timedelta(days=1)]
    assert refunded(pipeline, pk)[1] == Decimal("5.00")
    sandbox.spoil(pk, "row", notes="Ring twice")
    assert len(whole_run(pipeline)) == 1
    assert whole_run(pipeline) == []


@pytest.mark.long
def test_another_spelling_of_the_same_row_makes_nothing_due(shops: Shops) -> None:
    _, tampered, pipeline = shops(set())
    pipeline.run()

    def respelled(row: dict[str, Any]) -> dict[str, Any]:
        row = {name: row[name] for name in sorted(row, reverse=True)} | {"a_new_column": None}
        row |= {"amount": float(row["amount"]), "shipping_amount": row["shipping_amount"] + "00"}
        row["date_placed"] = row["date_placed"].replace("Z", "+00:00")
        return row | {"customer": {"pk": row["customer"], "email": "a@example.com"}}

    tampered.rules.append(changed_rows(respelled))
    assert whole_run(pipeline) == []


def drop_columns(path: Path, names: tuple[str, ...]) -> None:
    rows = pq.read_table(path)
    pq.write_table(rows.drop_columns([name for name in names if name in rows.column_names]), path)


@pytest.mark.long
def test_a_data_root_of_before_there_were_fingerprints_fills_in_quietly_and_finds_what_it_missed(shops: Shops) -> None:
    sandbox, _, pipeline = shops({"date-filter", "sort"})
    pipeline.run()
    known = orders_of_day(pipeline.root, FIRST + timedelta(days=1))
    sandbox.refund(known[3].pk, "5.00")
    make_old(pipeline.root, OLD_SCHEMA.names[: OLD_SCHEMA.names.index("currency")])
    for day in (FIRST + timedelta(days=number) for number in range(3)):
        landing = Landing(pipeline.root, day)
        for path in (landing.ledger_file, *landing.parts()):
            drop_columns(path, ("listed_fingerprint", "listed_row_changed_at"))
    sandbox.requests.clear()
    whole_run(pipeline)
    assert details_asked(sandbox) == [known[3].pk]
    assert refunded(pipeline, known[3].pk)[1] == Decimal("5.00")
    sandbox.refund(known[4].pk, "6.00")
    assert whole_run(pipeline) == [FIRST + timedelta(days=1)]
    assert details_asked(sandbox) == sorted([known[3].pk, known[4].pk])
    assert whole_run(pipeline) == []


@pytest.mark.long
def test_a_lost_index_is_made_again_without_losing_a_refund(shops: Shops) -> None:
    sandbox, _, pipeline = shops({"date-filter", "sort"})
    pipeline.run()
    pk = some_order(pipeline)
    sandbox.refund(pk, "5.00")
    index_file(pipeline.root).unlink()
    assert whole_run(pipeline) == [FIRST + timedelta(days=1)]
    assert refunded(pipeline, pk)[1] == Decimal("5.00")
    assert whole_run(pipeline) == []


def test_no_dictionary_leads_from_a_fingerprint_to_a_person(shops: Shops) -> None:
    _, _, pipeline = shops({"date-filter", "sort"})
    pipeline.sync()
    first = [order.fingerprint for order in orders_of_day(pipeline.root, FIRST)]
    for name in ("one key", "another key"):
        index_file(pipeline.root).unlink()
        pipeline.sync(row_key=lambda name=name: name)
        again = [order.fingerprint for order in orders_of_day(pipeline.root, FIRST)]
        assert None not in again
        assert set(again).isdisjoint(first)
        first += again
    key = pipeline.root / "index" / ".row-key"
    assert key.stat().st_mode & 0o777 == 0o600


ODD_ROWS: list[Callable[[dict[str, Any]], Any]] = [
    *[
        lambda row, value=value: {**row, "date_placed": value}
        for value in (
            None, "", 0, True, [], {}, "yesterday", "2026-03-07T24:00:00Z", "2026-03-07T23:59:60Z",
            "2026-02-30T00:00:00Z", "0000-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
            "2026-03-07T10:00:00\ud800", "9" * 5000,
        )
    ],
    *[
        lambda row, value=value: {**row, "pk": value}
        for value in (None, "", "7", True, 1.5, [7], {"pk": 7}, 2**63, -(2**64), 10**4000)
    ],
    *[lambda _row, value=value: value for value in (None, 5, "text", True, [], [[1]], {}, {"number": "n"}, 1.5, "")],
    lambda row: {**row, "notes": _Raw("[" * 5000 + "]" * 5000)},
    lambda row: {**row, "amount": _Raw("NaN")},
    lambda row: {**row, "amount": _Raw("1" * 6000)},
    lambda row: {**row, "amount": _Raw("-Infinity")},
    lambda row: {**row, "notes": _Raw('"\x01"')},
    lambda row: {**row, "notes": _Raw("tru")},
    lambda row: {**row, "date_placed": None, "notes": "x" * 1_000_000},
    lambda row: {name: value for name, value in row.items() if name != "date_placed"},
    lambda row: {name: value for name, value in row.items() if name != "pk"},
    lambda row: {**row, "date_placed": {"value": row["date_placed"]}},
    lambda row: {**row, "date_placed": [row["date_placed"]]},
    lambda row: {**row, "date_placed": row["date_placed"] + " or so"},
    lambda row: {**row, "date_placed": row["date_placed"][:5]},
    lambda row: {**row, "date_placed": "\x00"},
    lambda row: {**row, "date_placed": 1.7e308},
]  # fmt: skip


class _Raw(str):
    """Text that goes into the answer as it is."""


def _dumped(row: Any) -> str:
    raws = (
        {f"@{number}@": value for number, value in enumerate(row.values()) if isinstance(value, _Raw)}
        if isinstance(row, dict)
        else {}
    )
    if raws:
        marks = iter(raws)
        row = {name: next(marks) if isinstance(value, _Raw) else value for name, value in row.items()}
    text = json.dumps(_big(row))
    for mark, value in raws.items():
        text = text.replace(f'"{mark}"', value)
    return text.replace('"1000-digits"', "1" + "0" * 4000)


def _big(row: Any) -> Any:
    if isinstance(row, dict) and isinstance(row.get("pk"), int) and row["pk"] > 10**1000:
        return {**row, "pk": "1000-digits"}
    return row


@pytest.mark.parametrize("mode", ["filtered window, sorted", pytest.param("full listing", marks=pytest.mark.slow)])
def test_fifty_odd_rows_of_the_list_cost_no_other_order_and_each_is_named(shops: Shops, mode: str) -> None:
    assert len(ODD_ROWS) == 50
    sandbox, tampered, pipeline = shops(MODES[mode], orders_per_day=30)
    flat = {row["pk"]: row for row in sandbox.shop.flat_orders() if row["date_placed"] >= FIRST.isoformat()}
    spoiled = dict(zip(flat, ODD_ROWS, strict=False))

    def rule(address: str, body: bytes) -> Response | None:
        if "/api/v1/orders/?" not in address:
            return None
        page = json.loads(body)
        rows = page.pop("results")
        texts = [_dumped(spoiled[row["pk"]](row) if row["pk"] in spoiled else row) for row in rows]
        head = json.dumps(page)[:-1]
        return Response(f'{head}, "results": [{", ".join(texts)}]}}'.encode(), media_type="application/json")

    tampered.rules.append(rule)
    for _ in range(2):
        days = whole_run(pipeline)
        report = pipeline.sync(whole=True)
        assert (report.index.aside_count, len(report.index.aside), report.listing.agreed) == (50, 50, True)
    assert days == []
    named = " ".join(map(str, report.index.aside))
    assert named.count("row ") + named.count("order ") == 50
    assert sync_state(pipeline.root).aside == report.index.aside
    landed = {pk for (pk,) in pipeline.query("SELECT pk FROM orders.orders")}
    assert landed == flat.keys() - spoiled.keys()
    tampered.rules.clear()
    whole_run(pipeline)
    assert {pk for (pk,) in pipeline.query("SELECT pk FROM orders.orders")} == flat.keys()
    assert sync_state(pipeline.root).aside == ()
