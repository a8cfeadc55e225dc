"""The swap of the file: readers, second writers, dead writers, permissions."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from order_assets.contract import Contract
from order_assets.warehouse import WarehouseError, load_days, open_readonly
from order_assets_tests.warehouse.inputs import DAY, days, write_day

NEXT = DAY + timedelta(days=1)

WRITER = """
import os, signal, sys
from datetime import date
from pathlib import Path
from order_assets.warehouse import load_days, publish
from order_assets_tests.warehouse.conftest import small_contract
if sys.argv[3] == "die":
    publish.flush = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
day = date.fromisoformat(sys.argv[2])
load_days(Path(sys.argv[1]), [day], contract=small_contract(), marts=(), contract_version="1", lock_timeout=20)
"""


def writer(root: Path, day: object, how: str = "live") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(root), str(day), how]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def pks(connection: duckdb.DuckDBPyConnection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT pk FROM orders ORDER BY pk").fetchall()]


def published(root: Path) -> list[int]:
    with open_readonly(root) as connection:
        return pks(connection)


@pytest.fixture
def loaded(root: Path, few: Contract) -> Path:
    """A warehouse with one day, and inputs for four more."""
    for number, day in enumerate(days(5)):
        write_day(root, day, {"orders": [{"pk": number}]}, contract=few)
    load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    return root


def test_an_open_reader_keeps_its_rows_and_a_new_one_sees_the_load(loaded: Path, few: Contract) -> None:
    with open_readonly(loaded) as old, duckdb.connect(loaded / "warehouse.duckdb", read_only=True) as direct:
        load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1")
        with open_readonly(loaded) as new:
            assert pks(new) == [0, 1]
        assert pks(old) == [0]
        assert pks(direct) == [0]


def test_readers_cannot_write(loaded: Path) -> None:
    with open_readonly(loaded) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("DELETE FROM orders.orders")


def test_writers_at_once_all_land(loaded: Path) -> None:
    writers = [writer(loaded, day) for day in days(5)[1:]]
    assert [each.wait(timeout=60) for each in writers] == [0, 0, 0, 0]
    assert published(loaded) == [0, 1, 2, 3, 4]
    assert sorted(path.name for path in loaded.glob("*warehouse*")) == [".warehouse.lock", "warehouse.duckdb"]


def test_a_writer_killed_before_the_swap_leaves_the_old_file_and_the_next_clears_up(
    loaded: Path, few: Contract
) -> None:
    before = (loaded / "warehouse.duckdb").read_bytes()
    assert writer(loaded, NEXT, "die").wait(timeout=60) == -signal.SIGKILL
    assert (loaded / "warehouse.duckdb").read_bytes() == before
    assert list(loaded.glob(".warehouse.duckdb.*.tmp"))

    load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1")

    assert not list(loaded.glob(".warehouse.duckdb.*"))
    assert published(loaded) == [0, 1]


def test_a_held_lock_ends_the_wait_with_the_holder_named(loaded: Path, few: Contract) -> None:
    with (loaded / ".warehouse.lock").open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write("4711")
        other.flush()
        with pytest.raises(WarehouseError, match=r"process 4711.* 0\.2 s") as raised:
            load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1", lock_timeout=0.2)
    assert "load the days again" in str(raised.value)
    assert published(loaded) == [0]


def test_nobody_else_can_read_the_files(root: Path, few: Contract) -> None:
    umask = os.umask(0)
    try:
        write_day(root / "in", DAY, contract=few)
        for _ in range(2):
            load_days(root / "in", [DAY], contract=few, marts=(), contract_version="1")
            for name in (".warehouse.lock", "warehouse.duckdb"):
                assert (root / "in" / name).stat().st_mode & 0o777 == 0o600
        with pytest.raises(WarehouseError):
            load_days(root / "new", [DAY], contract=few, marts=(), contract_version="1")
        assert (root / "new").stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(umask)


def test_whoever_may_read_the_published_file_may_read_the_next_one(loaded: Path, few: Contract) -> None:
    (loaded / "warehouse.duckdb").chmod(0o640)
    for day in days(3):
        load_days(loaded, [day], contract=few, marts=(), contract_version="1", fresh=day == DAY)
        assert (loaded / "warehouse.duckdb").stat().st_mode & 0o777 == 0o640


def test_a_log_left_by_somebody_elses_writing_does_not_lock_readers_out(loaded: Path, few: Contract) -> None:
    (loaded / "warehouse.duckdb.wal").write_bytes(b"left over")
    load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1")
    assert published(loaded) == [0, 1]
    assert not (loaded / "warehouse.duckdb.wal").exists()
    assert (loaded / "warehouse.duckdb.wal-set-aside").read_bytes() == b"left over"


def test_a_disk_that_refuses_is_told_plainly(loaded: Path, few: Contract) -> None:
    (loaded / ".warehouse.lock").unlink()
    (loaded / ".warehouse.lock").mkdir()
    with pytest.raises(WarehouseError, match=r"writing the warehouse under .* failed: Is a directory"):
        load_days(loaded, [NEXT], contract=few, marts=(), contract_version="1")
