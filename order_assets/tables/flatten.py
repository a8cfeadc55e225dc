"""Runs the plan: stored documents of a day in, one typed Parquet file per table out.

Batches keep the memory flat however large the day is. Which SQL is run is said by `plan`; whether the result is as
the contract says is looked at by `verify`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.contract.model import Contract, Document, Kind, Table
from order_assets.contract.schema import arrow_schema
from order_assets.contract.shape import document_shape
from order_assets.tables.normalise import normalise
from order_assets.tables.plan import Plan, make_plan, newest_of_each, quoted

_ROWS_PER_GROUP = 60_000


@dataclass(frozen=True)
class FlattenReport:
    """What flattening a day gave.

    `rows` are the rows written per table; `expected` the rows that the sets of the documents have, per table of kind
    CHILD, counted when the documents were read and not by the transform.
    """

    rows: Mapping[str, int]
    expected: Mapping[str, int]
    orders: int
    seconds: float
    bytes: int


def table_file(data_root: Path, table: str, day: date) -> Path:
    """Where the rows of a table and day are."""
    return data_root / "tables" / table / f"date={day.isoformat()}" / "part-0.parquet"


class Flattener:
    """Flattens days under one contract; keep one for many days, since planning is done once.

    `threads` and `memory_limit` bound DuckDB.
    """

    def __init__(self, contract: Contract, *, threads: int | None = None, memory_limit: str = "1GB") -> None:
        self._contract = contract
        self._plan: Plan = make_plan(contract)
        self._shapes = {document: document_shape(contract, document) for document in Document}
        self._schemas = {table.name: arrow_schema(table) for table in contract}
        self._settings = {"threads": str(threads or os.cpu_count() or 2), "memory_limit": memory_limit}

    def flatten_day(self, data_root: Path, day: date, batches: Iterable[pa.Table]) -> FlattenReport:
        """Write the Parquet files of a day, each by rename when it is whole.

        `batches` are the day's landed rows in ascending order of `order_pk`: the columns of a landing row, among them
        the three documents as JSON text. An empty day gives files without rows.
        """
        started = time.perf_counter()
        expected: dict[str, int] = {table.name: 0 for table in self._contract.of_kind(Kind.CHILD)}
        orders = 0
        with ExitStack() as stack:
            writers = {
                table.name: stack.enter_context(
                    _Writer(table_file(data_root, table.name, day), self._schemas[table.name])
                )
                for table in self._contract
            }
            connection = stack.enter_context(duckdb.connect(config=self._settings))
            connection.execute("SET TimeZone = 'UTC'")
            for batch in batches:
                readable = batch.filter(_is_readable(batch))
                orders += readable.num_rows
                _count_sets(self._contract, readable, expected)
                self._flatten_batch(connection, readable, writers)
                _write_remainders(batch, writers, self._schemas)
            self._write_things(connection, writers)
            for writer in writers.values():
                writer.publish()
        rows = {name: writer.rows for name, writer in writers.items()}
        size = sum(writer.path.stat().st_size for writer in writers.values())
        return FlattenReport(rows, expected, orders, time.perf_counter() - started, size)

    def _flatten_batch(
        self, connection: duckdb.DuckDBPyConnection, batch: pa.Table, writers: Mapping[str, _Writer]
    ) -> None:
        connection.register("batch", self._regular(batch))
        for statement in self._plan.parse.values():
            connection.execute(statement)
        for table in self._contract:
            if table.kind in (Kind.ORDER, Kind.CHILD):
                writers[table.name].write(connection.execute(self._plan.rows[table.name]).to_arrow_table())
            elif table.kind is Kind.THING:
                self._gather(connection, table)
        connection.unregister("batch")

    def _gather(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        rows = self._plan.rows[table.name]
        gathered = quoted(f"all_{table.name}")
        connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {gathered} AS {rows} LIMIT 0")
        connection.execute(f"INSERT INTO {gathered} {rows}")

    def _write_things(self, connection: duckdb.DuckDBPyConnection, writers: Mapping[str, _Writer]) -> None:
        known = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        for table in self._contract.of_kind(Kind.THING):
            if f"all_{table.name}" in known:
                newest = newest_of_each(table, quoted(f"all_{table.name}"))
                keys = ", ".join(map(quoted, table.key))
                statement = f"SELECT * EXCLUDE (_order, _source) FROM ({newest}) ORDER BY {keys}"  # noqa: S608
                writers[table.name].write(connection.execute(statement).to_arrow_table())

    def _regular(self, batch: pa.Table) -> pa.Table:
        """The batch with its irregular documents rewritten."""
        irregular = [index for index, flag in enumerate(batch["irregular"].to_pylist()) if flag]
        for document in Document if irregular else ():
            texts = batch[document.value].to_pylist()
            for index in irregular:
                texts[index] = normalise(texts[index], self._shapes[document])
            where = batch.schema.get_field_index(document.value)
            batch = batch.set_column(where, document.value, pa.array(texts, pa.string()))
        return batch


@dataclass
class _Writer:
    """Writes one Parquet file beside its place and puts it there when it is whole."""

    path: Path
    schema: pa.Schema
    rows: int = 0
    _waiting: list[pa.Table] = field(default_factory=list)

    def __enter__(self) -> _Writer:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        self._file = pq.ParquetWriter(self._temporary, self.schema, compression="zstd")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def write(self, rows: pa.Table) -> None:
        if rows.num_rows:
            self.rows += rows.num_rows
            self._waiting.append(rows.cast(self.schema))
            if sum(part.num_rows for part in self._waiting) >= _ROWS_PER_GROUP:
                self._flush()

    def _flush(self) -> None:
        self._file.write_table(pa.concat_tables(self._waiting), row_group_size=_ROWS_PER_GROUP)
        self._waiting.clear()

    def publish(self) -> None:
        if self._waiting:
            self._flush()
        self._file.close()
        os.chmod(self._temporary, 0o600)
        with self._temporary.open("rb") as written:
            os.fsync(written.fileno())
        self._temporary.replace(self.path)


def _is_readable(batch: pa.Table) -> pa.Array:
    """Which rows go to the tables: landed orders, and the last landed version of orders that are gone."""
    readable = [
        outcome in ("landed", "tombstoned") and has_documents
        for outcome, has_documents in zip(
            batch["outcome"].to_pylist(), batch["detail"].is_valid().to_pylist(), strict=True
        )
    ]
    return pa.array(readable, pa.bool_())


def _count_sets(contract: Contract, batch: pa.Table, expected: dict[str, int]) -> None:
    places = {
        f"{source.document.value}:{source.path}": table.name
        for table in contract.of_kind(Kind.CHILD)
        for source in table.sources
    }
    for text in batch["set_sizes"].to_pylist():
        for place, size in json.loads(text).items():
            if place in places:
                expected[places[place]] += size


def _write_remainders(batch: pa.Table, writers: Mapping[str, _Writer], schemas: Mapping[str, pa.Schema]) -> None:
    unmapped: list[dict[str, object]] = []
    quarantined: list[dict[str, object]] = []
    flags = zip(batch["outcome"].to_pylist(), batch["unmapped"].to_pylist(), strict=True)
    for index, (outcome, found) in enumerate(flags):
        if outcome == "quarantined":
            row = batch.slice(index, 1).to_pylist()[0]
            quarantined.append(_quarantine_row(row, schemas["quarantine"].names))
        elif found and found != "[]":
            order_pk = batch["order_pk"][index].as_py()
            unmapped.extend({"order_pk": order_pk, **entry} for entry in json.loads(found))
    for name, rows in (("unmapped_fields", unmapped), ("quarantine", quarantined)):
        writers[name].write(pa.Table.from_pylist(rows, schemas[name]))


def _quarantine_row(row: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    renamed = {"document": row["refused_document"], "path": row["refused_path"]}
    return {name: renamed.get(name, row.get(name)) for name in names}
