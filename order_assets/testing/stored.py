"""Everything that runs leave behind, as bytes to search: packed files are searched unpacked as well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq


def stored_bytes(root: Path) -> Iterator[tuple[str, bytes]]:
    """Each file below `root` as it is, and what Parquet files and DuckDB databases hold."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        # Names are stored too.
        yield f"name of {name}", name.encode()
        if not path.is_file():
            continue
        yield name, path.read_bytes()
        if path.suffix == ".parquet":
            yield f"rows of {name}", _text(pq.ParquetFile(path).read().to_pylist())
        elif path.suffix == ".duckdb":
            yield f"rows of {name}", _text(_rows_of_database(path))


def found_in(root: Path, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Where any of the texts is stored: pairs of place and text."""
    wanted = [(text, text.encode()) for text in texts]
    return [(place, text) for place, content in stored_bytes(root) for text, sought in wanted if sought in content]


def _rows_of_database(path: Path) -> list[object]:
    rows: list[object] = []
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        ).fetchall()
        for schema, table in tables:
            rows += connection.sql(f'SELECT * FROM "{schema}"."{table}"').fetchall()  # noqa: S608 - the database's own names
    return rows


def _text(value: object) -> bytes:
    # Texts that are JSON themselves are searched without a second layer of escapes.
    return "\n".join(_leaves(value)).encode("utf-8", "replace") + json.dumps(
        value, ensure_ascii=False, default=str
    ).encode("utf-8", "replace")


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _leaves(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _leaves(part)
    elif value is not None:
        yield str(value)
