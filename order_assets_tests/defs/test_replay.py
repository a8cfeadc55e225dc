"""New fields of the shop are kept and named; one more line in the contract and a replay make them columns."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from typing import Any

import pytest
from starlette.responses import Response

from order_assets import cli
from order_assets.contract import CONTRACT, Contract
from order_assets.contract.model import TEXT, Provenance, column, decimal
from order_assets.contract.shape import contract_version
from order_assets.defs.assets.table_assets import NO_UNKNOWN_FIELDS
from order_assets.landing import Landing, revalidate_day
from order_assets.redaction import Privacy, PrivacyMode, Validator
from order_assets.tables import Flattener
from order_assets.testing.tampering import detail_of
from order_assets.warehouse import load_days
from order_assets.warehouse.marts import MARTS
from order_assets_tests.defs.conftest import Project, own_package
from order_assets_tests.defs.test_runs import orders_of

DAY = "2026-03-03"
# An order without card transactions, so that nothing but itself names its amounts.
TOO_FINE = 1013


def extended() -> Contract:
    """The contract with one more column of orders, and with more digits for another."""
    orders = CONTRACT.table("orders")
    columns = tuple(
        dataclasses.replace(known, type=decimal(18, 4)) if known.name == "shipping_amount" else known
        for known in orders.columns
    )
    tier = column("loyalty_tier", TEXT, "Tier of the customer's loyalty card", provenance=Provenance.ASSUMED)
    changed = dataclasses.replace(orders, columns=(*columns, tier))
    return dataclasses.replace(CONTRACT, tables=tuple(changed if t.name == "orders" else t for t in CONTRACT))


def with_new_fields(project: Project) -> list[int]:
    """The shop gets new fields, in orders, transactions and items; gives the orders of the day."""
    pks = sorted(orders_of(project, DAY))

    def new_in_detail(body: bytes, tier: str) -> bytes:
        document = json.loads(body)
        document["loyalty_tier"] = tier
        for transaction in document["transaction_set"]:
            transaction["risk_score"] = {"value": 7}
        if document["pk"] == TOO_FINE:
            document["shipping_amount"] = "9.9075"
        return json.dumps(document).encode()

    def new_in_items(address: str, body: bytes) -> Response | None:
        if "/order_item/" not in address:
            return None
        page = json.loads(body)
        for row in page["results"]:
            row["product"]["gift_wrap"] = True
            row["bundle_code"] = None
        return Response(json.dumps(page), media_type="application/json")

    rules = [detail_of(pk, partial(new_in_detail, tier=f"tier-{pk % 3}")) for pk in pks]
    project.tampered.rules += [*rules, new_in_items]
    return pks


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_new_fields_load_and_are_named_with_the_number_of_orders(project: Project) -> None:
    pks = with_new_fields(project)
    shop = project.sandbox.shop
    run = project.refresh(DAY)
    assert run.succeeded, run.failures
    (check,) = [check for check in run.checks if check.name == NO_UNKNOWN_FIELDS]
    assert (check.passed, check.is_error) == (False, False)
    loaded = [pk for pk in pks if pk != TOO_FINE]
    with_items = sum(bool(shop.order_items(pk)) for pk in loaded)
    paid = [pk for pk in loaded if shop.order_detail(pk)["transaction_set"]]
    assert f"detail: loyalty_tier in {len(loaded)} orders" in check.explanation
    assert f"detail: transaction_set[].risk_score in {len(paid)} orders" in check.explanation
    assert f"items: [].bundle_code in {with_items} orders" in check.explanation
    rows = project.query("SELECT order_pk, value FROM unmapped_fields WHERE path = 'loyalty_tier' ORDER BY 1")
    assert rows == [(pk, f'"tier-{pk % 3}"') for pk in loaded]
    scores = project.query("SELECT order_pk, value FROM unmapped_fields WHERE path = 'transaction_set[0].risk_score'")
    assert sorted(scores) == [(pk, '{"value":7}') for pk in paid]
    # The product is kept whole as JSON, so a new key in it is no unknown field.
    assert project.query("SELECT DISTINCT product->>'gift_wrap' FROM order_items") == [("true",)]


@pytest.mark.usefixtures("listed")
def test_one_more_column_takes_the_values_of_landed_days(project: Project) -> None:
    pks = with_new_fields(project)
    project.refresh(DAY)
    contract = extended()
    day = project.sandbox.shop.now().date().replace(day=3)
    project.sandbox.requests.clear()
    gate = Validator(contract, Privacy(PrivacyMode.CLEAR))
    found = revalidate_day(project.data, day, gate, pks)
    assert (found.versions, found.checked) == ({contract_version(CONTRACT): 6}, 6)
    assert (found.released, found.refused) == (1, 0)
    Flattener(contract).flatten_day(project.data, day, Landing(project.data, day).documents(pks))
    load_days(project.data, [day], contract=contract, marts=MARTS, contract_version=contract_version(contract))
    assert project.query("SELECT pk, loyalty_tier FROM orders ORDER BY 1") == [(pk, f"tier-{pk % 3}") for pk in pks]
    assert project.query("SELECT count(*) FROM unmapped_fields WHERE path = 'loyalty_tier'") == [(0,)]
    assert not project.sandbox.requests


OWN = """
from dataclasses import replace
import order_assets as oa

tier = oa.column("loyalty_tier", oa.TEXT, "Tier of the customer's loyalty card", optional=True)
orders = oa.CONTRACT.table("orders")
finer = tuple(
    replace(known, type=oa.decimal(18, 4)) if known.name == "shipping_amount" else known for known in orders.columns
)
tables = tuple(replace(known, columns=finer) if known is orders else known for known in oa.CONTRACT)
defs = oa.build_definitions(contract=oa.Contract(tables).with_columns("orders", tier))
"""


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_replay_moves_new_fields_into_columns_releases_quarantine_and_asks_for_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pks = with_new_fields(project)
    project.refresh(DAY)
    assert project.query("SELECT order_pk FROM quarantine") == [(TOO_FINE,)]
    project.sandbox.requests.clear()

    def replayed() -> str:
        capsys.readouterr()
        assert cli.main(["replay", "--from", DAY, "--to", DAY]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "rows changed: none" in replayed()
    own_package(project.root / "my_replay", monkeypatch, OWN)
    printed = replayed()
    assert f"{DAY}: 6 orders were landed under an older contract, 1 left quarantine" in printed
    # A new column changes every row of orders; the order that was released is one more.
    assert "6 in orders" in printed
    assert "in unmapped_fields" in printed
    assert "1 in quarantine" in printed
    rows: Any = project.query("SELECT pk, loyalty_tier FROM orders ORDER BY 1")
    assert rows == [(pk, f"tier-{pk % 3}") for pk in pks]
    assert project.query(f"SELECT shipping_amount::VARCHAR FROM orders WHERE pk = {TOO_FINE}") == [("9.9075",)]
    assert project.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert project.query("SELECT DISTINCT outcome FROM order_ledger") == [("landed",)]
    assert "rows changed: none" in replayed()
    assert not project.sandbox.requests


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_a_replay_of_an_unchanged_day_changes_no_row_and_asks_for_nothing(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", "--from", DAY, "--to", DAY]) == 0
    assert "rows changed: none" in " ".join(capsys.readouterr().out.split())
    assert not project.sandbox.requests
