"""The right to erasure: the command takes a person out of everything stored, and nothing else changes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from order_assets import cli
from order_assets.testing.stored import found_in
from order_assets.testing.tampering import detail_of
from order_assets_tests.defs.conftest import Project

FIRST, LAST = "2026-03-01", "2026-03-03"
# Two orders of one customer, on the first and on the third day.
OLD, NEW = 1002, 1012
TOUCHED = {"2026-03-01", "2026-03-03"}


def talkative(person: dict[str, Any], address: dict[str, Any], **changes: Any) -> Any:
    """A document that mentions its customer where nobody expects it."""
    full_name = f"{person['first_name']} {person['last_name']}"

    def change(body: bytes) -> bytes:
        document = json.loads(body)
        document |= {
            "gift_card": {"to": full_name, "greeting": f"call {person['phone_number']}, {address['line']}"},
            "extra_field": {"note": f"mail {person['email']} for {full_name}", "contact": person["email"].upper()},
            **changes,
        }
        document["customer"]["erp_code"] = person["email"]
        document["mapping"] = [{"pk": 1, "code": person["email"], "integration_type": person["email"]}]
        return json.dumps(document, ensure_ascii=False).encode()

    return change


def with_two_versions(project: Project) -> None:
    """Land the days, then again after the shop went on."""
    for days in (0, 2):
        project.sandbox.advance(timedelta(days=days))
        project.sync()
        assert project.refresh(FIRST, LAST, refetch=True).succeeded


def money(project: Project) -> list[list[tuple[object, ...]]]:
    return [
        project.query(
            "SELECT date, pk, number, status, amount, shipping_amount, refund_amount FROM orders ORDER BY pk"
        ),
        project.query("SELECT date, order_pk, pk, amount FROM transactions ORDER BY pk"),
        project.query("SELECT date, order_pk, pk, price, tax_rate FROM order_items ORDER BY pk"),
        project.query("SELECT date, order_pk, outcome FROM order_ledger ORDER BY ALL"),
        project.query("SELECT order_pk, path, reason FROM quarantine ORDER BY ALL"),
    ]


def others(project: Project, customer: int) -> list[list[tuple[object, ...]]]:
    return [
        project.query(f"SELECT * FROM history.customers WHERE pk <> {customer} ORDER BY ALL"),
        project.query(f"SELECT * FROM history.addresses WHERE customer_pk <> {customer} ORDER BY ALL"),
        project.query(f"SELECT * FROM orders WHERE customer_pk <> {customer} ORDER BY ALL"),
        project.query(f"SELECT * FROM transactions WHERE order_pk NOT IN ({OLD}, {NEW}) ORDER BY ALL"),
    ]


def tokens_of(project: Project, customer: int) -> set[str]:
    rows = project.query(f"SELECT email, phone_number FROM customers WHERE pk = {customer}")
    rows += project.query(f"SELECT line, phone_number FROM addresses WHERE customer_pk = {customer}")
    tokens = {str(token) for row in rows for token in row if token is not None}
    assert len(tokens) >= 3
    return tokens


def of_untouched_days(project: Project) -> dict[Any, bytes]:
    files = {**project.files("tables/*/*/*.parquet"), **project.files("landing/*/*.parquet")}
    return {path: content for path, content in files.items() if not any(day in str(path) for day in TOUCHED)}


@pytest.mark.long
def test_no_byte_of_a_forgotten_person_is_left_and_all_else_is_as_before(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDER_ASSETS_PII", "clear")
    order = project.sandbox.shop.order_detail(OLD)
    person, address = order["customer"], order["shipping_address"]
    assert project.sandbox.shop.order_detail(NEW)["customer"]["pk"] == person["pk"]
    lines = {
        project.sandbox.shop.order_detail(pk)[f"{kind}_address"]["line"]
        for pk in (OLD, NEW)
        for kind in ("shipping", "billing")
    }
    texts = {
        person["email"],
        person["email"].upper(),
        person["phone_number"],
        f"{person['first_name']} {person['last_name']}",
        *lines,
    }
    project.tampered.rules += [
        detail_of(OLD, talkative(person, address)),
        detail_of(NEW, talkative(person, address)),
    ]
    with_two_versions(project)
    # The newest version of one order is refused: quarantine keeps documents too.
    project.tampered.rules.insert(0, detail_of(OLD, talkative(person, address, amount="sixteen")))
    assert project.refresh(FIRST, refetch=True).succeeded
    assert {text for _, text in found_in(project.data, texts)} == texts
    before, neighbours, untouched = money(project), others(project, person["pk"]), of_untouched_days(project)
    assert len(untouched) > 30
    project.sandbox.requests.clear()

    assert cli.main(["forget", "--customer", str(person["pk"])]) == 0
    printed = capsys.readouterr().out
    assert (
        f"customer {person['pk']}: 4 stored versions of orders rewritten on 2 days" in printed
    )  # a repeated one is thinned
    assert not project.sandbox.requests
    # Dagster's events are nowhere forgotten: what they say of a table names nobody in the first place.
    assert found_in(project.root, texts) == []
    assert money(project) == before
    assert others(project, person["pk"]) == neighbours
    assert of_untouched_days(project) == untouched
    assert project.query(
        f"SELECT email, first_name, last_name, phone_number FROM customers WHERE pk = {person['pk']}"
    ) == [(None, None, None, None)]

    # What the shop says later about the person does not bring them back, and the others stay known.
    project.sandbox.advance(timedelta(days=3))
    project.sync()
    assert project.refresh(FIRST, LAST, refetch=True).succeeded
    project.tampered.rules.pop(0)
    assert project.refresh(FIRST, LAST, refetch=True).succeeded
    assert found_in(project.data, texts) == []
    assert project.query("SELECT count(*) FROM customers WHERE email IS NULL") == [(1,)]


@pytest.mark.long
def test_the_tokens_of_a_forgotten_person_are_gone(project: Project) -> None:
    with_two_versions(project)
    customer = project.sandbox.shop.order_detail(OLD)["customer"]["pk"]
    tokens = tokens_of(project, customer)
    assert {text for _, text in found_in(project.data, tokens)} == tokens
    before, neighbours, untouched = money(project), others(project, customer), of_untouched_days(project)
    assert cli.main(["forget", "--customer", str(customer)]) == 0
    assert found_in(project.data, tokens) == []
    assert money(project) == before
    assert others(project, customer) == neighbours
    assert of_untouched_days(project) == untouched
    assert project.refresh(FIRST, LAST, refetch=True).succeeded
    assert found_in(project.data, tokens) == []


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_forgetting_a_person_removes_their_tokens_from_the_stored_days_and_no_other_row(project: Project) -> None:
    customer = project.sandbox.shop.order_detail(OLD)["customer"]["pk"]
    tokens = tokens_of(project, customer)
    before, neighbours = money(project), others(project, customer)
    assert cli.main(["forget", "--customer", str(customer)]) == 0
    assert found_in(project.data, tokens) == []
    assert (money(project), others(project, customer)) == (before, neighbours)


@pytest.mark.usefixtures("filled")
def test_forgetting_somebody_unknown_changes_no_byte_and_says_so(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.files("**/*.parquet") | project.files("warehouse.duckdb")
    assert cli.main(["forget", "--customer", "999999"]) == 0
    assert "0 stored versions of orders rewritten on 0 days" in capsys.readouterr().out
    assert project.files("**/*.parquet") | project.files("warehouse.duckdb") == before
