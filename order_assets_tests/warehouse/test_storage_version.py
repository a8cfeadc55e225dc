"""Which DuckDB can open the file: any from 1.1 on, whoever made it and whatever is in it."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from order_assets.contract import Contract
from order_assets.warehouse import drop_days, load_days, open_readonly
from order_assets_tests.warehouse.inputs import DAY, some_rows, write_day

NEXT = DAY + timedelta(days=1)
# Where DuckDB 1.1 looks before anything else: https://duckdb.org/docs/stable/internals/storage
_READ_BY_1_1 = 64


def written_for(root: Path) -> int:
    """The number at the head of the file, by which a DuckDB tells whether it can read it."""
    return int.from_bytes((root / "warehouse.duckdb").read_bytes()[12:20], "little")


@pytest.fixture
def inputs(root: Path, few: Contract) -> Path:
    for day in (DAY, NEXT):
        write_day(root, day, some_rows(3, day, contract=few), contract=few)
    return root


def use_the_newest(root: Path) -> None:
    """Make the file one of the newest storage version, as an earlier order_assets did."""
    old, new = root / "warehouse.duckdb", root / "newest"
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{old}' AS old; ATTACH '{new}' AS new (STORAGE_VERSION 'v2.0.0')")
        connection.execute("COPY FROM DATABASE old TO new")
    new.replace(old)


def test_a_new_file_is_written_for_duckdb_1_1(inputs: Path, few: Contract) -> None:
    load_days(inputs, [DAY], contract=few, marts=(), contract_version="1")
    assert written_for(inputs) == _READ_BY_1_1
    load_days(inputs, [NEXT], contract=few, marts=(), contract_version="1")
    assert written_for(inputs) == _READ_BY_1_1


def test_a_file_that_only_the_newest_duckdb_reads_is_written_anew_once_with_a_word_and_all_that_was_in_it(
    inputs: Path, few: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    load_days(inputs, [DAY], contract=few, marts=(), contract_version="1")
    use_the_newest(inputs)
    assert written_for(inputs) > _READ_BY_1_1
    with open_readonly(inputs) as connection:
        before = connection.execute("SELECT * FROM orders.orders ORDER BY pk").fetchall()

    with caplog.at_level(logging.WARNING):
        load_days(inputs, [NEXT], contract=few, marts=(), contract_version="1")
        load_days(inputs, [NEXT], contract=few, marts=(), contract_version="1")

    assert written_for(inputs) == _READ_BY_1_1
    assert [record.getMessage().partition(" That took")[0] for record in caplog.records] == [
        f"{inputs / 'warehouse.duckdb'} is written anew, once, in DuckDB's storage version v1.0.0; it was of v2.0.0+."
    ]
    with open_readonly(inputs) as connection:
        assert connection.execute("SELECT * FROM orders.orders WHERE date = $1 ORDER BY pk", [DAY]).fetchall() == before
        assert connection.execute("SELECT count(*) FROM orders.orders").fetchall() == [(6,)]
    assert sorted(path.name for path in inputs.glob("*warehouse*")) == [".warehouse.lock", "warehouse.duckdb"]


def test_what_an_analyst_added_to_the_file_is_there_after_it_was_written_anew(inputs: Path, few: Contract) -> None:
    load_days(inputs, [DAY], contract=few, marts=(), contract_version="1")
    with duckdb.connect(inputs / "warehouse.duckdb") as own:
        own.execute("""
            CREATE SCHEMA ours;
            CREATE VIEW ours.first AS SELECT pk FROM orders.orders;
            CREATE VIEW ours.a_second AS SELECT pk FROM ours.first;
            CREATE TABLE ours.targets (pk INTEGER PRIMARY KEY, amount DECIMAL(10, 2) CHECK (amount > 0));
            INSERT INTO ours.targets VALUES (1, 12.50);
            CREATE INDEX by_amount ON ours.targets (amount);
            CREATE SEQUENCE ours.numbers START 7;
            CREATE TYPE ours.mood AS ENUM ('good', 'bad');
            CREATE MACRO ours.twice(x) AS 2 * x;
            COMMENT ON TABLE ours.targets IS 'What we want to sell';
        """)
    use_the_newest(inputs)

    load_days(inputs, [NEXT], contract=few, marts=(), contract_version="1")

    with duckdb.connect(inputs / "warehouse.duckdb", read_only=True) as own:
        assert own.execute("SELECT count(*) FROM ours.a_second").fetchall() == [(6,)]
        assert [str(value) for value in own.execute("FROM ours.targets").fetchall()[0]] == ["1", "12.50"]
        assert own.execute("SELECT ours.twice(4), 'bad'::ours.mood").fetchall() == [(8, "bad")]
        comments = own.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'targets'").fetchall()
        assert comments == [("What we want to sell",)]
        required = "SELECT column_name FROM duckdb_columns() WHERE table_name = 'orders' AND schema_name = 'orders'"
        assert ("date",) in own.execute(f"{required} AND NOT is_nullable").fetchall()


def test_a_file_for_newer_duckdbs_is_written_where_that_is_asked_for(inputs: Path, few: Contract) -> None:
    load_days(inputs, [DAY], contract=few, marts=(), contract_version="1")
    load_days(inputs, [NEXT], contract=few, marts=(), contract_version="1", storage_version="v1.4.0")
    assert written_for(inputs) > _READ_BY_1_1
    with open_readonly(inputs) as connection:
        assert connection.execute("SELECT count(*) FROM orders.orders").fetchall() == [(6,)]
        tags = connection.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'warehouse'").fetchall()
    assert tags == [({"storage_version": "v1.4.0+"},)]
    drop_days(inputs, [DAY], contract=few, marts=())
    assert written_for(inputs) == _READ_BY_1_1


def test_what_the_readme_says_of_a_file_that_is_called_like_its_schema_works(inputs: Path, few: Contract) -> None:
    load_days(inputs, [DAY], contract=few, marts=(), contract_version="1")
    file = (inputs / "warehouse.duckdb").rename(inputs / "orders.duckdb")
    for how, queries in {
        "direct": ("FROM orders.orders.transactions", "USE orders.orders; FROM transactions"),
        f"ATTACH '{file}' AS orders (READ_ONLY)": ("FROM orders.orders.transactions", "USE orders.orders; FROM orders"),
        f"ATTACH '{file}' AS shop (READ_ONLY)": ("FROM shop.orders.transactions", "USE shop; FROM transactions"),
    }.items():
        with duckdb.connect(file if how == "direct" else ":memory:", read_only=how == "direct") as connection:
            if how != "direct":
                connection.execute(how)
            for query in queries:
                assert len(connection.execute(query).fetchall()) == 3
