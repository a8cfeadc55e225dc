"""Runs of the definitions against a real shop: what a data engineer sees when things go well, and when they do not."""

from __future__ import annotations

import json

import pytest

from order_assets.contract import CONTRACT
from order_assets.defs.keys import order_documents_key, table_key, warehouse_key
from order_assets.sandbox import known_secrets
from order_assets.testing.tampering import answer, detail_of
from order_assets_tests.defs.conftest import Project

ORDERS = table_key(CONTRACT.table("orders"))


def orders_of(project: Project, day: str) -> list[int]:
    return [order["pk"] for order in project.sandbox.shop.flat_orders() if order["date_placed"].startswith(day)]


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_a_range_of_days_is_one_run_and_each_day_has_its_own_numbers_and_checks(project: Project) -> None:
    run = project.refresh("2026-03-02", "2026-03-03")
    assert run.succeeded, run.failures
    days = {"2026-03-02", "2026-03-03"}
    for asset in (order_documents_key(), ORDERS, warehouse_key("orders"), warehouse_key("order_ledger")):
        assert project.materialised(asset) == days
    for day in days:
        expected = len(orders_of(project, day))
        assert run.days["order_documents"][day]["listed"] == expected > 0
        assert run.days["tables/orders"][day]["dagster/partition_row_count"] == expected
        verdicts = {
            check.name: check for check in run.checks if str(check.day) == day and check.asset == "tables/orders"
        }
        assert verdicts["conforms_to_contract"].passed
    assert project.query("SELECT date::VARCHAR, count(*) FROM orders GROUP BY 1 ORDER BY 1") == [
        (day, len(orders_of(project, day))) for day in sorted(days)
    ]


@pytest.mark.usefixtures("filled")
def test_the_warehouse_has_the_orders_of_the_shop_value_by_value(project: Project) -> None:
    shop = {order["pk"]: order for order in project.sandbox.shop.flat_orders() if order["pk"] != 27}
    rows = project.query("SELECT pk, number, status, amount::VARCHAR, modified_date FROM orders ORDER BY pk")
    assert {row[0] for row in rows} == set(shop)
    for pk, number, status, amount, modified in rows:
        order = shop[pk]
        assert (number, status, amount) == (order["number"], order["status"], order["amount"])
        assert modified.isoformat()[:19] == order["modified_date"][:19]


@pytest.mark.usefixtures("listed")
def test_materialising_a_day_twice_asks_for_nothing_and_changes_no_byte(project: Project) -> None:
    first = project.refresh("2026-03-05")
    before = project.files("tables/*/*/*.parquet")
    asked = len(project.document_requests())
    second = project.refresh("2026-03-05")
    assert second.succeeded
    assert len(project.document_requests()) == asked
    assert project.files("tables/*/*/*.parquet") == before
    assert [(c.asset, c.name, c.passed) for c in second.checks] == [(c.asset, c.name, c.passed) for c in first.checks]


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_only_orders_that_changed_are_fetched_again(project: Project) -> None:
    before = {order["pk"]: order["modified_date"] for order in project.sandbox.shop.flat_orders()}
    project.sandbox.set_now(project.sandbox.shop.now().replace(day=9))
    after = {order["pk"]: order["modified_date"] for order in project.sandbox.shop.flat_orders()}
    changed = {pk for pk, modified in before.items() if after[pk] != modified}
    assert changed
    project.sandbox.requests.clear()
    project.sync()
    run = project.refresh("2026-03-01", "2026-03-08")
    assert run.succeeded
    details = {int(path.split("/")[-3]) for path in project.document_requests() if "orders_integration" in path}
    new = set(orders_of(project, "2026-03-08")) - set(before)
    below = {pk for pk in before if pk not in changed and _changed_below(project, pk)}
    assert changed | new <= details <= changed | new | below


def _changed_below(project: Project, pk: int) -> bool:
    """Whether an order transaction of the order changed after the orders were first read."""
    rows = project.sandbox.shop.order_detail(pk)["ordertransaction_set"]
    return any(row["modified_date"] > "2026-03-08T12:00:00" for row in rows)


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_an_order_that_cannot_be_fetched_fails_the_run_and_keeps_the_rest(project: Project) -> None:
    bad = orders_of(project, "2026-03-03")[0]
    project.tampered.rules.append(answer(f"/orders_integration/{bad}/", 409, '{"detail": "locked"}'))
    run = project.refresh("2026-03-03", "2026-03-04")
    assert not run.succeeded
    (reason,) = [reason for reason in run.failures if "2026-03-03" in reason]
    assert f"order {bad}".lower() in reason.lower()
    assert "2026-03-04:" not in reason
    failed = [(check.name, str(check.day)) for check in run.checks if not check.passed and check.is_error]
    assert failed == [("nothing_pending", "2026-03-03")]
    loaded = dict(project.query("SELECT date::VARCHAR, count(*) FROM orders GROUP BY 1"))
    assert loaded["2026-03-03"] == len(orders_of(project, "2026-03-03")) - 1
    assert loaded["2026-03-04"] == len(orders_of(project, "2026-03-04"))
    assert project.query(f"SELECT outcome FROM order_ledger WHERE order_pk = {bad}") == [("pending",)]
    project.tampered.rules.clear()
    project.sandbox.requests.clear()
    assert project.refresh("2026-03-03", "2026-03-04").succeeded
    details = [path for path in project.document_requests() if "orders_integration" in path]
    assert details == [f"/api/v1/orders_integration/{bad}/detailed_integration/"]


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_two_orders_with_one_key_wait_in_quarantine_and_their_day_is_loaded(project: Project) -> None:
    twin, other = [
        pk for pk in orders_of(project, "2026-03-03") if project.sandbox.shop.order_detail(pk)["transaction_set"]
    ][:2]
    stolen = project.sandbox.shop.order_detail(other)["transaction_set"][0]["pk"]

    def with_twin_key(body: bytes) -> bytes:
        document = json.loads(body)
        document["transaction_set"][0]["pk"] = stolen
        return json.dumps(document).encode()

    project.tampered.rules.append(detail_of(twin, with_twin_key))
    run = project.refresh("2026-03-02", "2026-03-04")
    assert run.succeeded, run.failures
    (said,) = [check for check in run.checks if check.name == "no_order_set_aside" and not check.passed]
    assert (str(said.day), said.is_error) == ("2026-03-03", False)
    count = "SELECT count(*) FROM orders WHERE date = '2026-03-03'"
    assert project.query(count) == [(len(orders_of(project, "2026-03-03")) - 2,)]
    assert project.query("SELECT order_pk FROM quarantine ORDER BY ALL") == [(pk,) for pk in sorted([twin, other])]
    project.tampered.rules.clear()
    assert project.refresh("2026-03-03").succeeded
    assert project.query(count) == [(len(orders_of(project, "2026-03-03")),)]
    assert project.query("SELECT * FROM quarantine") == []


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_a_refused_token_keeps_finished_days_and_is_no_empty_day(project: Project) -> None:
    assert project.refresh("2026-03-02").succeeded
    project.tampered.rules.append(answer("/detailed_integration/", 403, '{"detail": "no"}'))
    run = project.refresh("2026-03-02", "2026-03-03")
    assert not run.succeeded
    assert "403" in run.failures[0]
    assert project.materialised(order_documents_key()) == {"2026-03-02"}
    assert project.query("SELECT count(*) FROM orders") == [(len(orders_of(project, "2026-03-02")),)]


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_an_order_that_is_gone_is_a_tombstone_and_keeps_its_last_version(project: Project) -> None:
    gone = orders_of(project, "2026-03-03")[0]
    project.tampered.rules.append(answer(f"/orders_integration/{gone}/", 404, '{"detail": "Not found."}'))
    run = project.refresh("2026-03-03", refetch=True)
    assert run.succeeded, run.failures
    assert run.days["order_documents"]["2026-03-03"]["tombstoned"] == 1
    assert project.query(f"SELECT outcome FROM order_ledger WHERE order_pk = {gone}") == [("tombstoned",)]
    assert project.query(f"SELECT count(*) FROM orders WHERE pk = {gone}") == [(1,)]


@pytest.mark.usefixtures("filled")
def test_no_secret_of_the_shop_is_on_the_disk_or_in_dagsters_history(project: Project) -> None:
    secrets = {secret.encode() for secret in known_secrets()} | {project.sandbox.token.encode()}
    for path in project.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            leaked = [secret for secret in secrets if secret in content]
            assert not leaked, f"{path} has {len(leaked)} secrets"


@pytest.mark.usefixtures("listed")
def test_an_empty_list_after_a_full_one_is_an_error_that_says_so(project: Project) -> None:
    before = project.files("index/*")
    project.tampered.rules.append(
        answer("/api/v1/orders/", 200, json.dumps({"count": 0, "next": None, "previous": None, "results": []}))
    )
    second = project.sync()
    assert not second.succeeded
    assert "looks like a broken answer" in second.failures[0]
    assert project.files("index/*") == before


@pytest.mark.usefixtures("listed")
def test_runs_of_the_command_are_of_the_jobs_that_the_ui_shows_and_nobody_starts_them_again(project: Project) -> None:
    (run,) = project.instance.get_runs()
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.repository_origin.get_label() == "__repository__@order_assets"
    assert run.remote_job_origin.job_name == run.job_name == "sync_index"
    assert run.tags["dagster/max_retries"] == "0"
    assert [key for key in run.tags if not key.startswith(("dagster/", ".dagster/"))] == []
