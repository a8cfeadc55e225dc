"""Marts as a data engineer meets them: made with the day, checked before they are published, made anew on request."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import duckdb
import pytest

from order_assets.defs import run_jobs
from order_assets.defs.assets.loading import WarehouseConfig
from order_assets.defs.keys import mart_key
from order_assets.warehouse.marts import MARTS
from order_assets_tests.defs.conftest import Project, own_package

FCT_ORDERS = MARTS.mart("fct_orders")

BROKEN = "2026-03-03"


@pytest.fixture
def wrong_mart(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose fct_orders gives each row of one day twice, and the command is started in its folder."""
    own_package(
        project.root / "wrong_mart",
        monkeypatch,
        f"""
        from dataclasses import replace
        import order_assets as oa

        once = oa.MARTS.mart("fct_orders")
        sql = f"SELECT * FROM ({{once.sql}}) UNION ALL SELECT * FROM ({{once.sql}}) WHERE date = DATE '{BROKEN}'"
        marts = oa.Marts(replace(mart, sql=sql) if mart is once else mart for mart in oa.MARTS)
        defs = oa.build_definitions(marts=marts)
        """,
    )


def days_of_marts(project: Project) -> set[str]:
    return {str(day) for (day,) in project.query("SELECT DISTINCT date FROM marts.fct_orders")}


@pytest.mark.long
def test_marts_are_made_with_their_days_and_alone_and_anew(project: Project) -> None:
    listing = project.sync().days["order_index"][""]
    empty = run_jobs.rebuild_warehouse(project.instance)
    assert not empty.succeeded
    assert "run refresh_days first" in empty.failures[0]
    run = project.refresh("2026-03-02", "2026-03-03")
    assert run.succeeded, run.failures
    _each_day_has_its_rows_and_checks(project, run)
    _the_newest_day_says_where_columns_come_from(project)
    _the_warehouse_says_how_far_the_shop_was_read(project, listing)
    _marts_alone_are_made_for_a_day(project, run)
    _the_file_is_made_anew(project)


def _each_day_has_its_rows_and_checks(project: Project, run: run_jobs.RunSummary) -> None:
    for mart in MARTS:
        assert project.materialised(mart_key(mart.name)) == {"2026-03-02", "2026-03-03"}, mart.name
    in_file = project.query("SELECT date::VARCHAR, count(*) FROM marts.fct_order_items GROUP BY date ORDER BY date")
    items = run.days["marts/fct_order_items"]
    assert [(day, numbers["dagster/partition_row_count"]) for day, numbers in sorted(items.items())] == in_file
    of_marts = [check for check in run.checks if check.asset.startswith("marts/")]
    assert all(check.passed for check in of_marts if check.is_error)
    assert {str(c.day) for c in of_marts if c.name == "amounts_add_up"} == {"2026-03-02", "2026-03-03"}
    # A mart without days is looked at once, as it is after the load.
    assert [c.day for c in of_marts if (c.asset, c.name) == ("marts/dim_customers", "grain_is_unique")] == [None]


def _the_newest_day_says_where_columns_come_from(project: Project) -> None:
    (event,) = project.instance.fetch_materializations(mart_key("fct_orders"), limit=1).records
    assert event.partition_key == "2026-03-03"
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert [(metadata["dagster/row_count"].value,)] == project.query("SELECT count(*) FROM marts.fct_orders")
    lineage = metadata["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    assert lineage.deps_by_column["city"] == [dg.TableColumnDep(dg.AssetKey(["warehouse", "cities"]), "name")]


def _the_warehouse_says_how_far_the_shop_was_read(project: Project, listing: Mapping[str, float]) -> None:
    rows = project.query("SELECT orders_known, cursor, synced_at, whole_listing_at FROM meta.sync")
    assert rows[0][0] == listing["dagster/row_count"]
    assert None not in rows[0]
    landed = project.query("SELECT date, count(*) FROM orders.orders GROUP BY date ORDER BY date")
    assert project.query("SELECT date, landed FROM meta.days WHERE state = 'complete' ORDER BY date") == landed
    undescribed = project.query(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL "
        "UNION ALL SELECT schema_name, table_name, NULL FROM duckdb_tables() WHERE comment IS NULL"
    )
    assert undescribed == []


def _marts_alone_are_made_for_a_day(project: Project, run: run_jobs.RunSummary) -> None:
    chosen = [mart_key("fct_orders"), mart_key("dim_customers")]
    tags = {"dagster/partition": "2026-03-02"}
    job = dg.reconstructable(run_jobs.refresh_days_job)
    with dg.execute_job(job, instance=project.instance, asset_selection=chosen, tags=tags) as result:
        assert result.success
        assert {event.asset_key for event in result.all_events if event.is_step_materialization} == set(chosen)
        evaluated = {(e.asset_key, e.check_name, e.partition) for e in result.get_asset_check_evaluations()}
    # One evaluation for the day, and of the mart without days one without.
    checks = {(c.asset, c.name) for c in run.checks if c.asset in ("marts/fct_orders", "marts/dim_customers")}
    assert {(key.to_user_string(), name) for key, name, _ in evaluated} == checks
    assert {day for key, _, day in evaluated if key == mart_key("fct_orders")} == {"2026-03-02"}


def _the_file_is_made_anew(project: Project) -> None:
    with duckdb.connect(str(project.data / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE main.left_over (a INT); DELETE FROM marts.fct_orders")
    project.sandbox.requests.clear()
    run = run_jobs.rebuild_warehouse(project.instance)
    assert run.succeeded, run.failures
    assert not project.sandbox.requests
    assert days_of_marts(project) == {"2026-03-02", "2026-03-03"}
    assert project.query("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'left_over'") == [(0,)]
    assert set(run.days["marts/fct_orders"]) == set(run.days["warehouse/orders"]) == {"2026-03-02", "2026-03-03"}
    assert any(check.name == "grain_is_unique" and check.passed for check in run.checks)


@pytest.mark.long
@pytest.mark.usefixtures("wrong_mart")
@pytest.mark.usefixtures("listed")
def test_a_day_whose_mart_counts_twice_is_not_published_and_the_check_says_why(project: Project) -> None:
    run = project.refresh("2026-03-02", BROKEN)
    assert not run.succeeded
    (reason,) = run.failures
    assert reason.startswith("1 of 2 days stay as they were in the warehouse. 2026-03-03: fct_orders, grain_is_unique")
    assert days_of_marts(project) == {"2026-03-02"}
    assert project.materialised(mart_key("fct_orders")) == {"2026-03-02"}
    wrong = {check.asset: check for check in run.checks if not check.passed and check.is_error}
    # Shipments are made from orders.
    assert wrong.keys() == {"marts/fct_orders", "marts/fct_shipments"}
    assert {(check.name, str(check.day)) for check in wrong.values()} == {("grain_is_unique", BROKEN)}
    assert "keys are there more than once" in wrong["marts/fct_orders"].explanation
    assert "for example order_pk = " in wrong["marts/fct_orders"].explanation
    assert "order_assets/warehouse/marts" in wrong["marts/fct_orders"].explanation

    before = project.files("warehouse.duckdb")
    single = project.refresh(BROKEN)
    assert not single.succeeded
    assert ("marts/fct_orders", "grain_is_unique", False) in {(c.asset, c.name, c.passed) for c in single.checks}
    anew = run_jobs.rebuild_warehouse(project.instance)
    assert not anew.succeeded
    assert anew.failures[0].startswith("The warehouse is as it was: ")
    assert f"fct_orders {BROKEN}: " in anew.failures[0]
    assert project.files("warehouse.duckdb") == before


def test_a_limit_that_duckdb_would_not_take_is_refused_before_anything_is_loaded() -> None:
    job = run_jobs.refresh_days_job()
    assert dg.validate_run_config(job, {"ops": {"warehouse": {"config": {"memory_limit": "500 MB", "threads": 4}}}})
    with pytest.raises(ValueError, match="pattern"):
        WarehouseConfig(memory_limit="much")
