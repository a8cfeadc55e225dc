"""Another program has the file open for writing, as BI tools do by default: nobody waits, and nobody is shut out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from order_assets.contract import Contract
from order_assets.warehouse import WarehouseError, drop_days, load_days, loaded_days, open_readonly, read
from order_assets_tests.warehouse.inputs import DAY, some_rows, write_day

NEXT = DAY + timedelta(days=1)

HOLDER = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as connection:
    for statement in sys.argv[2:]:
        connection.execute(statement)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_for_writing(root: Path, *statements: str) -> Iterator[int]:
    """Another program holds the published file open for writing; gives its process id."""
    command = [sys.executable, "-c", HOLDER, str(root / "warehouse.duckdb"), *statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder.pid
        finally:
            holder.stdin.close()
            assert holder.wait(timeout=30) == 0


@pytest.fixture
def loaded(root: Path, few: Contract) -> Path:
    for day in (DAY, NEXT):
        write_day(root, day, some_rows(2, day, contract=few), contract=few)
    load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    return root


def count(root: Path) -> int:
    with open_readonly(root) as connection:
        return int(connection.execute("SELECT count(*) FROM orders.orders").fetchall()[0][0])


def test_days_are_known_read_loaded_and_dropped_while_another_program_holds_the_file(
    loaded: Path, few: Contract
) -> None:
    with held_for_writing(loaded):
        assert list(loaded_days(loaded)) == [DAY]
        assert count(loaded) == 2
        load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1")
        assert list(loaded_days(loaded)) == [DAY, NEXT]
        assert count(loaded) == 4
    with held_for_writing(loaded):
        drop_days(loaded, [DAY], contract=few, marts=())
        load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1", fresh=True)
        assert list(loaded_days(loaded)) == [NEXT]


def test_what_the_other_program_wrote_and_did_not_finish_is_no_hindrance(loaded: Path, few: Contract) -> None:
    theirs = ("CREATE TABLE ours AS FROM range(1000)", "BEGIN", "CREATE TABLE more AS FROM range(1000)")
    with held_for_writing(loaded, *theirs):
        assert (loaded / "warehouse.duckdb.wal").exists()
        assert count(loaded) == 2
        load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1")
        assert count(loaded) == 4
    assert count(loaded) == 4
    with duckdb.connect(loaded / "warehouse.duckdb", read_only=True) as direct:
        assert direct.execute("SELECT count(*) FROM orders.orders").fetchall() == [(4,)]


def test_a_reader_shuts_no_program_out_that_opens_the_file_for_writing(loaded: Path) -> None:
    with open_readonly(loaded) as connection, held_for_writing(loaded):
        assert connection.execute("SELECT count(*) FROM orders.orders").fetchall() == [(2,)]


def test_a_reader_leaves_nothing_behind(loaded: Path) -> None:
    with open_readonly(loaded):
        assert [path.name for path in loaded.glob("*.read*")] == []
        assert [path.name for path in loaded.glob(".*tmp")] == []


def test_what_is_known_of_the_days_is_that_of_the_published_file_and_no_other(
    loaded: Path, few: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = loaded_days(loaded)
    with monkeypatch.context() as patched:
        patched.setattr(read, "open_readonly", lambda _: pytest.fail("the file was opened, though nothing changed"))
        assert loaded_days(loaded) == before
    with duckdb.connect(loaded / "warehouse.duckdb") as other:
        other.execute("DELETE FROM meta.days")
    assert loaded_days(loaded) == {}
    load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1")
    assert list(loaded_days(loaded)) == [NEXT]
    for spoiled in (b"", b"[]", b"{}", b'{"file": 1, "days": 2}'):
        (loaded / ".warehouse.days.json").write_bytes(spoiled)
        assert list(loaded_days(loaded)) == [NEXT]


def test_where_a_lock_cannot_be_avoided_the_other_program_is_named(
    loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(read, "copy_file", no_room)
    assert count(loaded) == 2
    with held_for_writing(loaded) as process, pytest.raises(WarehouseError) as raised:
        open_readonly(loaded)
    said = str(raised.value)
    assert f"(PID {process})" in said
    assert "read-only" in said
    assert str(loaded / "warehouse.duckdb") in said
    assert "Move it away" not in said
