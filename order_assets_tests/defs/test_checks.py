"""Checks that span tables, as a data engineer meets them in runs: what warns, what blocks, and what policy changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from order_assets.defs.resources import ContractResource
from order_assets.defs.run_jobs import RunSummary
from order_assets.tables import flatten as flatten_module
from order_assets.tables.rows import rows_of_batch
from order_assets.testing.tampering import detail_of
from order_assets_tests.defs.conftest import Project

SPANNING = {
    ("tables/orders", "nothing_lost_in_sample"),
    ("tables/orders", "refunds_within_amount"),
    ("tables/orders", "values_are_known"),
    ("tables/orders", "documented_fields_present"),
    ("tables/transactions", "transactions_belong_to_their_order"),
}


def paid_orders(project: Project, day: str) -> list[int]:
    shop = project.sandbox.shop
    pks = [order["pk"] for order in shop.flat_orders() if order["date_placed"].startswith(day)]
    return [pk for pk in pks if shop.order_detail(pk)["transaction_set"]]


def changed(project: Project, pk: int, change: Callable[[Any], None]) -> None:
    def body(old: bytes) -> bytes:
        document = json.loads(old)
        change(document)
        return json.dumps(document).encode()

    project.tampered.rules.append(detail_of(pk, body))


def failed(run: RunSummary) -> dict[tuple[str, str], bool]:
    """Checks that did not pass by name and day, and whether each is an error."""
    return {(check.name, str(check.day)): check.is_error for check in run.checks if not check.passed}


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_every_day_of_a_range_and_a_single_day_has_all_spanning_checks(project: Project) -> None:
    for run, days in (
        (project.refresh("2026-03-02", "2026-03-03"), {"2026-03-02", "2026-03-03"}),
        (project.refresh("2026-03-04"), {"2026-03-04"}),
    ):
        assert run.succeeded, run.failures
        for day in days:
            verdicts = {(c.asset, c.name): c.passed for c in run.checks if str(c.day) in (day, "None")}
            assert verdicts.keys() >= SPANNING
            assert verdicts["tables/orders", "nothing_lost_in_sample"]


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_an_order_that_contradicts_itself_warns_or_waits_alone(project: Project) -> None:
    stranger, *_ = paid_orders(project, "2026-03-03")
    generous, *_ = paid_orders(project, "2026-03-04")

    def another_number(order: Any) -> None:
        order["transaction_set"][0]["order"]["number"] = "another"

    def odd(order: Any) -> None:
        order |= {"amount": "10.00", "refund_amount": "10.01", "client_type": "fridge"}
        del order["language_code"]

    changed(project, stranger, another_number)
    changed(project, generous, odd)
    run = project.refresh("2026-03-02", "2026-03-04")
    assert run.succeeded, run.failures
    found = failed(run)
    assert found["no_order_set_aside", "2026-03-03"] is False
    assert project.query("SELECT order_pk, path FROM quarantine") == [(stranger, "order.number")]
    assert found["refunds_within_amount", "2026-03-04"] is False
    assert found["documented_fields_present", "2026-03-04"] is False
    assert found["values_are_known", "2026-03-04"] is False
    explanations = {(c.name, str(c.day)): c.explanation for c in run.checks}
    assert 'orders.client_type: "fridge" in 1 rows' in explanations["values_are_known", "2026-03-04"]
    assert "detail:language_code in 1" in explanations["documented_fields_present", "2026-03-04"]
    assert f"order {generous}" in explanations["refunds_within_amount", "2026-03-04"]
    assert project.query(f"SELECT * FROM orders WHERE pk = {stranger}") == []
    loaded = {day for (day,) in project.query("SELECT DISTINCT date::VARCHAR FROM orders")}
    assert loaded == {"2026-03-02", "2026-03-03", "2026-03-04"}


def test_a_flattening_that_loses_a_value_keeps_the_day_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is in the transform itself: numbers of rows, keys and types stay right."""

    def forgetful(*arguments: Any) -> Any:
        rows = rows_of_batch(*arguments)
        orders = rows["orders"]
        where = orders.schema.get_field_index("shipping_amount")
        rows["orders"] = orders.set_column(where, orders.schema.field(where), orders["discount_amount"])
        return rows

    monkeypatch.setattr(flatten_module, "rows_of_batch", forgetful)
    project.sync()
    run = project.refresh("2026-03-02", "2026-03-05")
    assert not run.succeeded
    lost = {day for (check, day), is_error in failed(run).items() if check == "nothing_lost_in_sample" and is_error}
    assert lost
    assert any("nothing_lost_in_sample" in reason and "shipping_amount" in reason for reason in run.failures)
    rows = project.query("SELECT DISTINCT date::VARCHAR FROM orders") if project.files("warehouse.duckdb") else []
    assert lost.isdisjoint({day for (day,) in rows})


@pytest.mark.long
def test_the_policy_may_ignore_unknown_values_and_missing_fields(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = ContractResource.model_fields
    assert (fields["unknown_value"].default, fields["missing_field"].default) == ("warn", "warn")
    for name in ("unknown_value", "missing_field"):
        monkeypatch.setattr(fields[name], "default", "ignore")
    ContractResource.model_rebuild(force=True)
    try:
        project.sync()
        odd_one, *_ = paid_orders(project, "2026-03-04")
        changed(project, odd_one, lambda order: [order.pop("language_code"), order.update(client_type="fridge")])
        run = project.refresh("2026-03-04")
    finally:
        monkeypatch.undo()
        ContractResource.model_rebuild(force=True)
    assert run.succeeded, run.failures
    assert not {check for check, _ in failed(run)} & {"values_are_known", "documented_fields_present"}
    explanations = {c.name: c.explanation for c in run.checks}
    assert "fridge" in explanations["values_are_known"]
