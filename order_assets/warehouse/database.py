"""Opening DuckDB on the draft and on the published file.

The file is attached to a fresh in-memory instance under one name, `warehouse`. Connecting to the path itself
would not do: DuckDB keeps one instance per path in a process, so a reader who connects after a swap would be
handed the old file for as long as anybody holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from order_assets.warehouse.files import WarehouseError
from order_assets.warehouse.publish import Draft
from order_assets.warehouse.statements import statement, text


@contextmanager
def scratch(spill: Path, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with bounded memory that spills into `spill`."""
    settings = {"memory_limit": memory_limit, "threads": str(threads), "temp_directory": str(spill)}
    connection = _connect(settings)
    try:
        yield connection
    finally:
        connection.close()


def attach_draft(connection: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """Make the draft the current database. Raises `WarehouseError` if it is no DuckDB database."""
    _attach(connection, "attach_draft", draft.path, draft.published)
    # A new file is made with the permissions of the process; it is still empty here.
    draft.path.chmod(0o600)


def detach(connection: duckdb.DuckDBPyConnection) -> None:
    """Write all pages to the file and let go of it."""
    for step in ("checkpoint", "leave", "detach"):
        connection.execute(statement(step))


def attach_published(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that reads the published file and cannot change it."""
    connection = _connect({})
    try:
        _attach(connection, "attach_published", path, path)
    except WarehouseError:
        connection.close()
        raise
    return connection


def _connect(settings: dict[str, str]) -> duckdb.DuckDBPyConnection:
    # Nothing is ever fetched: what is needed (JSON, Parquet, time zones) is built in.
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", **settings})
    connection.execute(statement("utc"))
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, how: str, path: Path, published: Path) -> None:
    try:
        connection.execute(statement(how, path=text(str(path))))
        connection.execute(statement("enter"))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(str(path), str(published))
        raise WarehouseError(
            f"{published} cannot be opened as a DuckDB database: {reason}. It was left as it is. Move it"
            " away, then load all days again: everything in it comes from the Parquet files."
        ) from None
