"""Opening DuckDB on the draft and on the published file.

The file is attached to a fresh in-memory instance under one name, `warehouse`. Connecting to the path itself
would not do: DuckDB keeps one instance per path in a process, so a reader who connects after a swap would be
handed the old file for as long as anybody holds it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from order_assets.warehouse.locations import WarehouseError
from order_assets.warehouse.publish import Draft
from order_assets.warehouse.statements import statement, text

_LOG = logging.getLogger(__name__)
_HOLDER = re.compile(r"Conflicting lock is held in (.+ \(PID \d+\))")


@contextmanager
def scratch(spill: Path, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with bounded memory that spills into `spill`."""
    settings = {"memory_limit": memory_limit, "threads": str(threads), "temp_directory": str(spill)}
    connection = _connect(settings)
    try:
        yield connection
    finally:
        connection.close()


def attach_draft(connection: duckdb.DuckDBPyConnection, draft: Draft, storage_version: str) -> None:
    """Make the draft the current database, in this storage version; one that has another is written anew.

    Raises `WarehouseError` if it is no DuckDB database.
    """
    if not draft.path.exists():
        _attach_new(connection, draft, storage_version)
        return
    _attach(connection, "attach_draft", draft.path, draft.published)
    found = _storage_version(connection)
    if found.rstrip("+") != storage_version:
        connection.execute(statement("leave"))
        connection.execute(statement("detach"))
        _write_anew(connection, draft, found, storage_version)


def _attach_new(connection: duckdb.DuckDBPyConnection, draft: Draft, storage_version: str) -> None:
    version = text(storage_version)
    _attach(connection, "attach_new_draft", draft.path, draft.published, version=version)
    # A new file is made with the permissions of the process; it is still empty here.
    draft.path.chmod(0o600)


def _write_anew(connection: duckdb.DuckDBPyConnection, draft: Draft, found: str, storage_version: str) -> None:
    """Copy the draft into a new one of another storage version, with everything that anybody put into it.

    DuckDB lowers the version of no file that is there, and raises it only in part.
    """
    started = time.perf_counter()
    draft.path.replace(draft.before)
    _attach_new(connection, draft, storage_version)
    connection.execute(statement("attach_before", path=text(str(draft.before))))
    connection.execute(statement("copy_before"))
    connection.execute(statement("detach_before"))
    draft.before.unlink()
    _LOG.warning(
        "%s is written anew, once, in DuckDB's storage version %s; it was of %s. That took %.1f s",
        draft.published,
        storage_version,
        found,
        time.perf_counter() - started,
    )


def _storage_version(connection: duckdb.DuckDBPyConnection) -> str:
    return str(connection.execute(statement("storage_version")).fetchall()[0][0])


def detach(connection: duckdb.DuckDBPyConnection) -> None:
    """Write all pages to the file and let go of it."""
    for step in ("checkpoint", "leave", "detach"):
        connection.execute(statement(step))


def attach_published(path: Path, published: Path) -> duckdb.DuckDBPyConnection:
    """A connection that reads the published file, or a copy of it at `path`, and cannot change it."""
    connection = _connect({})
    try:
        _attach(connection, "attach_published", path, published)
    except WarehouseError:
        connection.close()
        raise
    return connection


def _connect(settings: dict[str, str]) -> duckdb.DuckDBPyConnection:
    # Nothing is ever fetched: what is needed (JSON, Parquet, time zones) is built in.
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", **settings})
    connection.execute(statement("utc"))
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, how: str, path: Path, published: Path, **placeholders: str) -> None:
    try:
        connection.execute(statement(how, path=text(str(path)), **placeholders))
        connection.execute(statement("enter"))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(str(path), str(published))
        if holder := _HOLDER.search(reason):
            raise WarehouseError(
                f"{published} is held open for writing by another program: {holder[1]}. Close it there, or open it"
                " read-only there, then try again; nothing of it is lost."
            ) from None
        raise WarehouseError(
            f"{published} cannot be opened as a DuckDB database: {reason}. It was left as it is. Move it"
            " away, then load all days again: everything in it comes from the Parquet files."
        ) from None
