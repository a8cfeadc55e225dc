"""Orders that do not fit the contract wait in quarantine, said with path and reason; the rest of their day loads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from starlette.responses import Response

from order_assets import cli
from order_assets.defs.assets.order_documents import ACCOUNTED_FOR, NOTHING_PENDING, QUARANTINE_BUDGET
from order_assets.defs.run_jobs import CheckResult, RunSummary
from order_assets.sandbox import Shop, ShopSettings
from order_assets.testing.tampering import Tamper, answer, detail_of
from order_assets_tests.defs.conftest import FIRST_DAY, Project
from order_assets_tests.defs.test_runs import orders_of

DAY = "2026-03-01"
ORDERS = 500


def with_field(name: str, raw: str) -> Callable[[bytes], bytes]:
    """The document with this JSON text as the value of a field at its root."""

    def change(body: bytes) -> bytes:
        document = {**json.loads(body, parse_float=str), name: "@@"}
        return json.dumps(document, ensure_ascii=False).replace('"@@"', raw).encode()

    return change


def with_fine_price(body: bytes) -> bytes:
    page = json.loads(body)
    page["results"][0]["price"] = "10.12345678901"
    return json.dumps(page).encode()


def items_of(pk: int, change: Callable[[bytes], bytes]) -> Tamper:
    def rule(address: str, body: bytes) -> Response | None:
        if "/order_item/" not in address or f"order={pk}&" not in address:
            return None
        return Response(change(body), media_type="application/json")

    return rule


# What is wrong, how the detail gets that way, and the path and reason that a person is told.
MALFORMED: list[tuple[str, Callable[[bytes], bytes], str, str]] = [
    ("overflow", with_field("amount", "123456789012345678901.00"), "amount", ""),
    ("boolean as amount", with_field("amount", "true"), "amount", "true or false"),
    ("impossible time", with_field("date_placed", '"2026-02-30T10:00:00Z"'), "date_placed", ""),
    ("text for a set", with_field("transaction_set", '"none"'), "transaction_set", "expected a set"),
    ("another number", with_field("number", '"X-1"'), "number", "not the one in the order list"),
    ("key twice", lambda body: body.replace(b'"pk"', b'"amount": "1.00", "pk"', 1), "root", "same key twice"),
    ("NaN", with_field("amount", "NaN"), "root", "NaN is not a number"),
    ("not UTF-8", lambda body: body.replace(b'"number":', b'"x": "\xff\xfe", "number":', 1), "root", "not UTF-8"),
    ("trailing garbage", lambda body: body + b"<!-- served by cache -->", "root", "not JSON"),
]


def check_of(run: RunSummary, name: str) -> CheckResult:
    (found,) = [check for check in run.checks if check.name == name]
    return found


def outcomes(project: Project) -> dict[object, object]:
    return dict(project.query("SELECT outcome, count(*) FROM order_ledger GROUP BY 1"))


@pytest.mark.long
def test_ten_malformed_orders_of_a_day_of_500_wait_and_490_load(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    project.sandbox.replace_shop(Shop(ShopSettings(orders_per_day=ORDERS, start=FIRST_DAY, now=now)))
    shop = {order["pk"]: order for order in project.sandbox.shop.flat_orders() if order["date_placed"] < "2026-03-02"}
    pks = [pk for pk in orders_of(project, DAY) if project.sandbox.shop.order_items(pk)]
    bad = dict(zip(pks[3::40], MALFORMED, strict=False))
    assert len(bad) == 9
    fine_price = pks[1]
    project.tampered.rules += [detail_of(pk, change) for pk, (_, change, _, _) in bad.items()]
    project.tampered.rules.append(items_of(fine_price, with_fine_price))

    project.sync()
    run = project.refresh(DAY)
    assert run.succeeded, run.failures
    assert outcomes(project) == {"landed": ORDERS - 10, "quarantined": 10}
    assert check_of(run, ACCOUNTED_FOR).passed
    assert check_of(run, NOTHING_PENDING).passed
    budget = check_of(run, QUARANTINE_BUDGET)
    assert (budget.passed, budget.is_error) == (False, True)
    assert budget.explanation.startswith("10 of 500 orders refused (2.00 %)")

    waiting = {*bad, fine_price}
    loaded = dict(project.query("SELECT pk, amount FROM orders"))
    assert loaded == {pk: Decimal(shop[pk]["amount"]) for pk in orders_of(project, DAY) if pk not in waiting}
    told = {row[0]: row[1:] for row in project.query("SELECT order_pk, number, document, path, reason FROM quarantine")}
    assert set(told) == waiting
    for pk, (name, _, path, reason) in bad.items():
        number, document, said_path, said_reason = told[pk]
        assert (number, document, said_path or "root") == (shop[pk]["number"], "detail", path), name
        assert reason in said_reason, name
    assert told[fine_price][1:3] == ("items", "[0].price")

    capsys.readouterr()
    assert cli.main(["quarantine", "list"]) == 0
    printed = capsys.readouterr().out
    for pk, (_, _, path, _) in bad.items():
        (line,) = [line for line in printed.splitlines() if f" {pk} " in line]
        assert line.startswith(DAY)
        assert f" {path} " in line
    assert "10 orders." in printed

    # One that stays bad is within the share of the day that the policy allows, and still worth a warning.
    project.tampered.rules[:] = project.tampered.rules[-1:]
    run = project.refresh(DAY)
    budget = check_of(run, QUARANTINE_BUDGET)
    assert (budget.passed, budget.is_error) == (False, False)

    project.tampered.rules.clear()
    project.sandbox.requests.clear()
    run = project.refresh(DAY)
    assert run.succeeded
    assert check_of(run, QUARANTINE_BUDGET).passed
    assert outcomes(project) == {"landed": ORDERS}
    assert project.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert len(project.document_requests()) == 3
    assert cli.main(["quarantine", "list"]) == 0
    assert "quarantine is empty" in capsys.readouterr().out


# Answers of the API that are no document of the order, by what they are called with.
NO_DOCUMENTS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("detail", lambda body: b"null"),
    ("detail", lambda body: b"[" + body + b"]"),
    ("detail", lambda body: b'"maintenance"'),
    ("items", lambda body: b'{"count": 1, "next": null, "previous": null, "results": null}'),
    ("items", lambda body: json.dumps(json.loads(body)["results"][0]).encode()),
    ("items", lambda body: b"[5]"),
    ("items", lambda body: json.dumps([row | {"order": 1} for row in json.loads(body)["results"]]).encode()),
    ("items", lambda body: b"{}"),
]


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_an_order_that_is_answered_with_no_document_twice_waits_in_quarantine_until_the_shop_is_mended(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    days = ("2026-03-02", "2026-03-03")
    pks = [pk for day in days for pk in orders_of(project, day)]
    bad = dict(zip(pks, NO_DOCUMENTS, strict=False))
    assert len(bad) == len(NO_DOCUMENTS) < len(pks)
    for pk, (document, change) in bad.items():
        project.tampered.rules.append(detail_of(pk, change) if document == "detail" else items_of(pk, change))
    # It may be passing: the first time the orders wait, and the run says that it is not complete.
    assert not project.refresh(*days).succeeded
    assert outcomes_of(project, bad) == dict.fromkeys(bad, "pending")
    for _ in range(2):
        run = project.refresh(*days)
        assert run.succeeded, run.failures
        assert outcomes_of(project, pks) == {pk: "quarantined" if pk in bad else "landed" for pk in pks}
    said = dict(project.query("SELECT order_pk, document FROM quarantine"))
    assert said == {pk: document for pk, (document, _) in bad.items()}
    capsys.readouterr()
    assert cli.main(["quarantine", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(f"Order {pk}: its {document}" in printed for pk, (document, _) in bad.items())
    project.tampered.rules.clear()
    assert project.refresh(*days).succeeded
    assert outcomes_of(project, pks) == dict.fromkeys(pks, "landed")


def outcomes_of(project: Project, pks: Iterable[int]) -> dict[int, str]:
    """What became of these orders."""
    found = dict(project.query("SELECT order_pk, outcome FROM order_ledger"))
    return {pk: found[pk] for pk in pks}


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_an_order_that_was_good_and_is_refused_later_comes_back_when_the_shop_is_mended(project: Project) -> None:
    before = project.query("SELECT * FROM orders ORDER BY pk")
    bad = orders_of(project, "2026-03-03")[0]
    project.tampered.rules.append(detail_of(bad, with_field("amount", "true")))
    assert project.refresh("2026-03-03", refetch=True).succeeded
    assert (bad,) in project.query("SELECT order_pk FROM quarantine")
    assert len(project.query("SELECT pk FROM orders")) == len(before) - 1
    project.tampered.rules.clear()
    assert project.refresh("2026-03-03").succeeded
    assert project.query("SELECT * FROM orders ORDER BY pk") == before


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<h1>busy</h1>", "application/json"),
        pytest.param("<html><h1>maintenance</h1></html>", "text/html", marks=pytest.mark.long),
        pytest.param("", "text/html", marks=pytest.mark.long),
    ],
)
@pytest.mark.usefixtures("listed")
def test_a_page_that_is_no_answer_leaves_the_order_pending_and_not_in_quarantine(
    project: Project, body: str, media_type: str
) -> None:
    bad = orders_of(project, "2026-03-03")[0]
    project.tampered.rules.append(answer(f"/orders_integration/{bad}/", 200, body, media_type))
    run = project.refresh("2026-03-03")
    assert not run.succeeded
    assert project.query(f"SELECT outcome FROM order_ledger WHERE order_pk = {bad}") == [("pending",)]
    assert project.query("SELECT count(*) FROM quarantine") == [(0,)]
