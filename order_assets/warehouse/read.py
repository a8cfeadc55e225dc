"""Reading the published warehouse from Python. Any DuckDB client can open the file too, best read-only.

DuckDB locks a file that it reads, and is refused where another program holds it open for writing. So what is read here
is a copy that has no name: nobody is waited for, and nobody is kept waiting.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from order_assets.core.store import draft_of, write_json
from order_assets.warehouse.database import attach_published
from order_assets.warehouse.locations import WarehouseError, loaded_days_file, warehouse_file
from order_assets.warehouse.publish import copy_file
from order_assets.warehouse.statements import statement

# A program that writes into the file changes it under the copy; then it is copied again.
_COPIES = 3


def open_readonly(data_root: Path) -> duckdb.DuckDBPyConnection:
    """Open the warehouse as it is published now; the caller closes the connection.

    Later loads do not change what this connection sees. Tables have short names (`FROM transactions`),
    instants are shown in UTC. Raises `WarehouseError` if there is no warehouse yet or the file is no DuckDB
    database.
    """
    path = warehouse_file(data_root)
    if not path.exists():
        raise WarehouseError(f"there is no {path} yet: load a day first")
    try:
        copy = draft_of(path.with_name("warehouse.read"))
    except OSError:
        return attach_published(path, path)
    try:
        _copy(path, copy)
    except OSError:
        # No room, or no right to write here: then under the lock.
        return attach_published(path, path)
    else:
        return attach_published(copy, path)
    finally:
        # Who has it open keeps it.
        copy.unlink(missing_ok=True)


def loaded_days(data_root: Path) -> dict[date, datetime]:
    """The days in the published warehouse and when each was last loaded, UTC; empty without a warehouse.

    What was found is kept beside the file, for this is asked often. Raises `WarehouseError` if the file is no DuckDB
    database.
    """
    path, known = warehouse_file(data_root), loaded_days_file(data_root)
    if not path.exists():
        return {}
    version = _version(path)
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        kept = json.loads(known.read_text(encoding="utf-8"))
        if kept["file"] == version:
            return {date.fromisoformat(day): datetime.fromisoformat(at) for day, at in kept["days"].items()}
    connection = open_readonly(data_root)
    try:
        rows = connection.execute(statement("days")).fetchall()
    finally:
        connection.close()
    days = {day: loaded_at.astimezone(UTC) for day, loaded_at in rows}
    # If the file was replaced meanwhile, what is kept is of no file, and is read again the next time.
    if _version(path) == version:
        with suppress(OSError):
            write_json(known, {"file": version, "days": {str(day): at.isoformat() for day, at in days.items()}})
    return days


def _copy(path: Path, copy: Path) -> None:
    for _ in range(_COPIES):
        before = _version(path)
        copy.unlink(missing_ok=True)
        copy_file(path, copy)
        if _version(path) == before:
            return


def _version(path: Path) -> list[int]:
    """What is another for each file that is published, and for each write into it."""
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns]
