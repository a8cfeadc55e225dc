"""Flattens a day: stored documents in, one typed Parquet file per table out.

Orders are worked on in batches, in as many threads as there are cores, which keeps the memory flat however large the
day is. How documents are read stands in `reader`, how rows are cut out of them in `rows`; whether the result is as
the contract says is looked at by `verify`.
"""

from __future__ import annotations

import json
import os
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Contract, Document, Kind, Table
from order_assets.contract.schema import arrow_schema
from order_assets.contract.shape import Record, SetOf, document_shape, history_shape
from order_assets.tables.files import Writer, table_file
from order_assets.tables.history import state_changes
from order_assets.tables.normalise import normalise
from order_assets.tables.reader import Reader
from order_assets.tables.rows import Batch, history_of_batch, newest_of_each, rows_of_batch, without_version

__all__ = ["FlattenReport", "Flattener", "table_file"]

# Orders worked on at a time in one thread: about 8 MB of documents and as much of typed values, and DuckDB's own need.
_ORDERS_PER_BATCH = 500


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


class Flattener:
    """Flattens days under one contract; keep one for many days, since its statements are planned once.

    `threads` is how many batches are worked on at the same time; `memory_limit` bounds DuckDB in each of them.
    """

    def __init__(self, contract: Contract, *, threads: int | None = None, memory_limit: str = "256MB") -> None:
        self._contract = contract
        self._shapes = {document: document_shape(contract, document) for document in Document}
        self._history_shapes = {Document.DETAIL: history_shape(contract)}
        self._schemas = {table.name: arrow_schema(table) for table in contract}
        self._threads = threads or os.cpu_count() or 2
        self._memory_limit = memory_limit
        self._readers: queue.SimpleQueue[Reader] = queue.SimpleQueue()

    def flatten_day(
        self, data_root: Path, day: date, batches: Iterable[pa.Table], earlier: Iterable[pa.Table] = ()
    ) -> FlattenReport:
        """Write the Parquet files of a day, each by rename when all are whole.

        `batches` are the day's landed rows in ascending order of `order_pk`, in pieces of any size: the columns of a
        landing row, among them the three documents as JSON text. Equal rows give equal bytes. An empty day gives
        files without rows. `earlier` are the versions before those rows, for histories alone: `order_pk`,
        `fetched_at`, `listed_modified_date`, `outcome`, `irregular` and `detail`, which may be cut down to what
        histories are made of.
        """
        started = time.perf_counter()
        expected: dict[str, int] = {table.name: 0 for table in self._contract.of_kind(Kind.CHILD)}
        orders = 0
        # What is decided over all orders of the day waits for the last one.
        waiting: dict[str, list[pa.Table]] = {
            table.name: [] for table in self._contract.of_kind(Kind.THING, Kind.HISTORY)
        }
        with ExitStack() as stack:
            writers = {
                table.name: stack.enter_context(
                    Writer(table_file(data_root, table.name, day), self._schemas[table.name])
                )
                for table in self._contract
            }
            pool = stack.enter_context(ThreadPoolExecutor(self._threads, thread_name_prefix="flatten"))
            for result in _in_turn(pool, self._threads, self._flatten_batch, _of_size(batches)):
                orders += result.orders
                for name, size in result.expected.items():
                    expected[name] += size
                for name, rows in result.rows.items():
                    if name in waiting:
                        waiting[name].append(rows)
                    else:
                        writers[name].write(rows)
            for result in _in_turn(pool, self._threads, self._flatten_earlier, _of_size(earlier)):
                for name, rows in result.rows.items():
                    waiting[name].append(rows)
            for table in self._contract.of_kind(Kind.THING, Kind.HISTORY):
                if found := waiting.pop(table.name):
                    writers[table.name].write(_over_all_orders(table, found))
            for _ in pool.map(Writer.finish, writers.values()):
                pass
            size = sum(writer.publish() for writer in writers.values())
        rows_written = {name: writer.rows for name, writer in writers.items()}
        return FlattenReport(rows_written, expected, orders, time.perf_counter() - started, size)

    def _flatten_batch(self, landed: pa.Table) -> _Result:
        readable = landed.filter(_is_readable(landed))
        rows = {}
        if readable.num_rows:
            reader = self._borrowed_reader()
            try:
                regular = _regular(readable, self._shapes)
                documents = {document: reader.documents(document, regular[document.value]) for document in Document}
                rows = rows_of_batch(self._schemas, self._contract, Batch(readable, documents), reader)
            finally:
                self._readers.put(reader)
        rows |= _remainders(landed, self._schemas)
        return _Result(rows, _count_sets(self._contract, readable), readable.num_rows)

    def _flatten_earlier(self, versions: pa.Table) -> _Result:
        reader = self._borrowed_reader()
        try:
            texts = _regular(versions, self._history_shapes)[Document.DETAIL.value]
            batch = Batch(versions, {Document.DETAIL: reader.histories(texts)})
            return _Result(history_of_batch(self._schemas, self._contract, batch, reader), {}, 0)
        finally:
            self._readers.put(reader)

    def _borrowed_reader(self) -> Reader:
        try:
            return self._readers.get_nowait()
        except queue.Empty:
            return Reader(self._contract, self._memory_limit)


@dataclass(frozen=True)
class _Result:
    """What came of a batch: rows per table, rows that the sets have, and orders."""

    rows: Mapping[str, pa.Table]
    expected: Mapping[str, int]
    orders: int


def _of_size(batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in batches of one size."""
    waiting: list[pa.Table] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= _ORDERS_PER_BATCH:
            rows = pa.concat_tables(waiting)
            whole = rows.num_rows - rows.num_rows % _ORDERS_PER_BATCH
            for start in range(0, whole, _ORDERS_PER_BATCH):
                yield rows.slice(start, _ORDERS_PER_BATCH)
            waiting = [rows.slice(whole)]
    rows = pa.concat_tables(waiting) if waiting else None
    if rows is not None and rows.num_rows:
        yield rows


def _in_turn(
    pool: ThreadPoolExecutor,
    ahead: int,
    work: Callable[[pa.Table], _Result],
    batches: Iterable[pa.Table],
) -> Iterator[_Result]:
    """The results of the batches in their order, with at most `ahead` batches under way."""
    under_way: deque[Future[_Result]] = deque()
    for batch in batches:
        if len(under_way) == ahead:
            yield under_way.popleft().result()
        under_way.append(pool.submit(work, batch))
    while under_way:
        yield under_way.popleft().result()


def _regular(landed: pa.Table, shapes: Mapping[Document, Record | SetOf]) -> pa.Table:
    """The rows with their irregular documents of these shapes rewritten."""
    irregular = [index for index, flag in enumerate(landed["irregular"].to_pylist()) if flag]
    for document, shape in shapes.items() if irregular else ():
        texts = landed[document.value].to_pylist()
        for index in irregular:
            texts[index] = normalise(texts[index], shape)
        where = landed.schema.get_field_index(document.value)
        landed = landed.set_column(where, document.value, pa.array(texts, pa.string()))
    return landed


def _over_all_orders(table: Table, rows: list[pa.Table]) -> pa.Table:
    if table.kind is Kind.HISTORY:
        return state_changes(table, rows)
    return without_version(newest_of_each(table, rows))


def _is_readable(landed: pa.Table) -> pa.ChunkedArray:
    """Which rows go to the tables: landed orders, and the last landed version of orders that are gone."""
    outcomes = pa.array(["landed", "tombstoned"])
    return pc.and_(pc.is_in(landed["outcome"], value_set=outcomes), pc.is_valid(landed["detail"]))


def _count_sets(contract: Contract, landed: pa.Table) -> dict[str, int]:
    places = {
        f"{source.document.value}:{source.path}": table.name
        for table in contract.of_kind(Kind.CHILD)
        for source in table.sources
    }
    counted: dict[str, int] = {}
    for text in landed["set_sizes"].to_pylist():
        for place, size in json.loads(text).items():
            if place in places:
                counted[places[place]] = counted.get(places[place], 0) + size
    return counted


def _remainders(landed: pa.Table, schemas: Mapping[str, pa.Schema]) -> dict[str, pa.Table]:
    unmapped: list[dict[str, object]] = []
    quarantined: list[dict[str, object]] = []
    outcomes, found = landed["outcome"].to_pylist(), landed["unmapped"].to_pylist()
    for index, (outcome, fields) in enumerate(zip(outcomes, found, strict=True)):
        if outcome == "quarantined":
            row = landed.slice(index, 1).to_pylist()[0]
            quarantined.append(row | {"document": row["refused_document"], "path": row["refused_path"]})
        elif fields and fields != "[]":
            order_pk = landed["order_pk"][index].as_py()
            unmapped.extend({"order_pk": order_pk, **entry} for entry in json.loads(fields))
    return {
        name: pa.Table.from_pylist(rows, schemas[name])
        for name, rows in (("unmapped_fields", unmapped), ("quarantine", quarantined))
        if name in schemas
    }
