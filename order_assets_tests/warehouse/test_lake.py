"""Days that passed come to the lake as they are in the tables and marts, and what is no day any more leaves it."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from order_assets.contract import CONTRACT
from order_assets.pipeline.lake import LakeError, LakeReport, export_days
from order_assets.pipeline.read_tables import read_table
from order_assets.sandbox import ShopSettings
from order_assets.tables.checks.verdict import verdict_file
from order_assets.testing import Pipeline, tampered_sandbox
from order_assets.warehouse import open_readonly
from order_assets.warehouse.marts import MARTS

deltalake = pytest.importorskip("deltalake")
FIRST = date(2026, 3, 6)
DAYS = [FIRST, FIRST + timedelta(days=1)]
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    settings = ShopSettings(orders_per_day=12, start=FIRST, now=datetime(2026, 3, 8, 12, tzinfo=UTC))
    with tampered_sandbox(settings) as (sandbox, _):
        pipeline = Pipeline(tmp_path_factory.mktemp("shop"), sandbox.url, FIRST, last_day=DAYS[-1])
        pipeline.run()
        yield sandbox, pipeline


def export(pipeline: Pipeline, lake: Path, days: list[date] = DAYS) -> LakeReport:
    return export_days(pipeline.root, days, str(lake), contract=CONTRACT, marts=MARTS)


def of_lake(lake: Path, name: str) -> pa.Table:
    return pa.table(deltalake.DeltaTable(str(lake / name)).to_pyarrow_table())


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    names = sorted(set(table.column_names) - {"batch_id"})
    with duckdb.connect() as connection:
        connection.register("given", table.select(names))
        return connection.execute("SELECT * FROM given ORDER BY ALL").fetchall()


def test_every_table_and_mart_is_in_the_lake_as_it_is_in_the_files_also_after_a_second_time(
    shop: Any, tmp_path: Path
) -> None:
    _, pipeline = shop
    first = export(pipeline, tmp_path)
    second = export(pipeline, tmp_path)
    assert first.rows == second.rows
    assert first.days == tuple(DAYS)
    for table in CONTRACT:
        found = of_lake(tmp_path, f"tables/{table.name}")
        own = read_table(table.name, *DAYS, data_root=pipeline.root, arrow=True)
        assert rows_of(found) == rows_of(own), table.name
        assert set(found["batch_id"].to_pylist()) <= {second.batch_id}
    with open_readonly(pipeline.root) as connection:
        for mart in MARTS:
            own = connection.execute(f"SELECT * FROM marts.{mart.name}").to_arrow_table()
            assert rows_of(of_lake(tmp_path, f"marts/{mart.name}")) == rows_of(own), mart.name
    assert of_lake(tmp_path, "days").to_pydict()["date"] == DAYS


def test_a_day_that_fails_its_checks_leaves_the_lake_and_the_others_stay(shop: Any, tmp_path: Path) -> None:
    _, pipeline = shop
    export(pipeline, tmp_path)
    verdict = verdict_file(pipeline.root, DAYS[0])
    kept = verdict.read_bytes()
    verdict.unlink()
    try:
        report = export(pipeline, tmp_path, DAYS[:1])
    finally:
        verdict.write_bytes(kept)
    assert list(report.dropped) == DAYS[:1]
    assert report.days == ()
    for name in ("tables/orders", "tables/transactions", "marts/fct_orders", "days"):
        assert set(of_lake(tmp_path, name)["date"].to_pylist()) == {DAYS[1]}, name
    assert export(pipeline, tmp_path).days == tuple(DAYS)
    assert set(of_lake(tmp_path, "days")["date"].to_pylist()) == set(DAYS)


def test_whoever_joins_on_the_days_sees_a_day_whole_or_not_at_all_while_it_is_written(
    shop: Any, tmp_path: Path
) -> None:
    _, pipeline = shop
    export(pipeline, tmp_path)
    whole = len(of_lake(tmp_path, "tables/orders")), len(of_lake(tmp_path, "marts/fct_orders"))
    over = threading.Event()
    failed: list[BaseException] = []

    def rewrite() -> None:
        try:
            for _ in range(3):
                export(pipeline, tmp_path)
        except BaseException as error:  # noqa: BLE001 - said below
            failed.append(error)
        finally:
            over.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    seen = set()
    while not over.is_set():
        with duckdb.connect() as connection:
            for name in ("tables/orders", "marts/fct_orders", "days"):
                connection.register(name.rpartition("/")[2], of_lake(tmp_path, name))
            seen.add(
                connection.execute(
                    "SELECT count(*) FROM orders AS o JOIN days AS d USING (date, batch_id) "
                    "JOIN fct_orders AS f ON f.batch_id = d.batch_id AND f.order_pk = o.pk"
                ).fetchone()
            )
    writer.join()
    assert not failed, failed
    assert seen <= {(whole[0],), (0,)}
    assert whole[0] == whole[1]


def test_a_place_that_cannot_be_written_is_named(shop: Any, tmp_path: Path) -> None:
    _, pipeline = shop
    (tmp_path / "file").touch()
    with pytest.raises(LakeError, match="file/"):
        export(pipeline, tmp_path / "file")
