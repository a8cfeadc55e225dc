"""Flattens a day: stored documents in, one typed Parquet file per table out.

Orders are worked on in batches, in as many threads as there are cores, which keeps the memory flat however large the
day is. How documents are read stands in `reader`, how rows are cut out of them in `rows`; whether the result is as
the contract says is looked at by `declared`.
"""

from __future__ import annotations

import json
import os
import queue
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.arrow import arrow_schema
from order_assets.contract.model import Contract, Document, Kind, Table
from order_assets.contract.shape import Record, SetOf, document_shape, history_shape
from order_assets.tables.normalise import normalise
from order_assets.tables.ordered_map import side_by_side
from order_assets.tables.parquet import ROWS_PER_GROUP, Writer, table_file
from order_assets.tables.reader import Reader, reader_database
from order_assets.tables.rows import Batch, history_of_batch, newest_of_each, rows_of_batch, without_version
from order_assets.tables.spill_buffer import Waiting
from order_assets.tables.version_history import state_changes

__all__ = ["FlattenReport", "Flattener", "table_file"]

# Orders worked on at a time in one thread: about 17 MB of documents, 10 MB of typed values, and DuckDB's own need.
_ORDERS_PER_BATCH = 1000


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

    `threads` is how many batches are worked on at the same time.
    """

    def __init__(self, contract: Contract, *, threads: int | None = None) -> None:
        self._contract = contract
        self._shapes = {document: document_shape(contract, document) for document in contract.documents}
        self._texts = [document.name for document in contract.documents]
        self._history_shapes = {Document.DETAIL: history_shape(contract)}
        self._schemas = {table.name: arrow_schema(table) for table in contract}
        self._threads = threads or os.cpu_count() or 2
        self._set_sizes = _SetSizes(contract)
        self._readers: queue.SimpleQueue[Reader] = queue.SimpleQueue()

    def flatten_day(
        self, data_root: Path, day: date, batches: Iterable[pa.Table], earlier: Iterable[pa.Table] = ()
    ) -> FlattenReport:
        """Write the Parquet files of a day, each by rename when all are whole.

        `batches` are the day's landed rows in ascending order of `order_pk`, in pieces of any size: the columns of a
        landing row, among them the documents as JSON text. Equal rows give equal bytes. An empty day gives
        files without rows. `earlier` are the versions before those rows, for histories alone: `order_pk`,
        `fetched_at`, `listed_modified_date`, `outcome`, `irregular` and `detail`, which may be cut down to what
        histories are made of.
        """
        started = time.perf_counter()
        expected: dict[str, int] = {table.name: 0 for table in self._contract.of_kind(Kind.CHILD)}
        orders = 0
        # What is decided over all orders of the day waits for the last one.
        waiting = {table.name: Waiting() for table in self._contract.of_kind(Kind.DIMENSION, Kind.HISTORY)}
        with ExitStack() as stack:
            writers = {
                table.name: stack.enter_context(
                    Writer(table_file(data_root, table.name, day), self._schemas[table.name])
                )
                for table in self._contract
            }
            found = self._side_by_side(self._flatten_batches, batches)
            for result in stack.enter_context(closing(found)):
                orders += result.orders
                for name, size in result.expected.items():
                    expected[name] += size
                for name, rows in result.rows.items():
                    if name in waiting:
                        waiting[name].add(rows)
                    else:
                        writers[name].write(rows)
            found = self._side_by_side(self._flatten_earlier, earlier)
            for result in stack.enter_context(closing(found)):
                for name, rows in result.rows.items():
                    waiting[name].add(rows)

            def finish(table: Table) -> None:
                if table.name in waiting:
                    for rows in _over_all_orders(table, waiting[table.name]):
                        writers[table.name].write(rows)
                writers[table.name].finish()

            with ThreadPoolExecutor(self._threads, thread_name_prefix="finish") as pool:
                for _ in pool.map(finish, self._contract):
                    pass
            size = sum(writer.publish() for writer in writers.values())
        rows_written = {name: writer.rows for name, writer in writers.items()}
        return FlattenReport(rows_written, expected, orders, time.perf_counter() - started, size)

    def unreadable(self, batches: Iterable[pa.Table], earlier: Iterable[pa.Table] = ()) -> dict[int, str]:
        """The orders that make flattening fail, by pk, each with the kind of its error; rows as for `flatten_day`.

        Empty where it is not an order that is at fault. Errors of files and memory pass through.
        """
        found: dict[int, str] = {}
        for work, pieces in ((self._flatten_batches, batches), (self._flatten_earlier, earlier)):
            for batch in _of_size(pieces):
                found |= self._narrowed(work, batch)
        return found

    def _narrowed(
        self, work: Callable[[Iterator[pa.Table], Reader], Iterator[_Result]], batch: pa.Table
    ) -> dict[int, str]:
        try:
            with self._borrowed_reader() as reader:
                for _ in work(iter([batch]), reader):
                    pass
        except (OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about these orders alone
            if batch.num_rows == 1:
                return {batch["order_pk"][0].as_py(): type(error).__name__}
            half = batch.num_rows // 2
            return self._narrowed(work, batch.slice(0, half)) | self._narrowed(work, batch.slice(half))
        return {}

    def _flatten_batches(self, batches: Iterator[pa.Table], reader: Reader) -> Iterator[_Result]:
        taken: deque[tuple[pa.Table, pa.ChunkedArray]] = deque()

        def texts() -> Iterator[pa.Table]:
            for landed in batches:
                landed = _with_all(landed, self._texts)
                readable = _is_readable(landed)
                # Texts are let go of as soon as they are read.
                taken.append((landed.drop_columns(self._texts), readable))
                yield _regular(_without_texts(landed, self._texts, pc.invert(readable)), self._shapes)

        for documents in reader.documents(texts(), _ORDERS_PER_BATCH):
            yield self._result(*taken.popleft(), documents, reader)

    def _result(
        self, landed: pa.Table, readable: pa.ChunkedArray, documents: Mapping[Document, pa.Array], reader: Reader
    ) -> _Result:
        rows = _remainders(landed, self._schemas)
        if not pc.all(readable).as_py():
            landed = landed.filter(readable)
            documents = {name: values.filter(readable.combine_chunks()) for name, values in documents.items()}
        if landed.num_rows:
            rows |= rows_of_batch(self._schemas, self._contract, Batch(landed, documents), reader)
        return _Result(rows, self._set_sizes.of(landed), landed.num_rows)

    def _flatten_earlier(self, batches: Iterator[pa.Table], reader: Reader) -> Iterator[_Result]:
        taken: deque[pa.Table] = deque()

        def regular() -> Iterator[pa.Table]:
            for versions in batches:
                taken.append(versions)
                yield _regular(versions, self._history_shapes)

        for documents in reader.histories(regular(), _ORDERS_PER_BATCH):
            batch = Batch(taken.popleft(), documents)
            yield _Result(history_of_batch(self._schemas, self._contract, batch, reader), {}, 0)

    def _side_by_side(
        self, work: Callable[[Iterator[pa.Table], Reader], Iterator[_Result]], batches: Iterable[pa.Table]
    ) -> Generator[_Result, None, None]:
        def with_reader(taken: Iterator[pa.Table]) -> Iterator[_Result]:
            # Where there is nothing no reader is made, and making one goes on while others get their first batch.
            first = list(islice(taken, 1))
            if first:
                with self._borrowed_reader() as reader:
                    yield from work(_followed(first, taken), reader)

        return side_by_side(with_reader, _of_size(batches), self._threads)

    @contextmanager
    def _borrowed_reader(self) -> Iterator[Reader]:
        try:
            reader = self._readers.get_nowait()
        except queue.Empty:
            reader = Reader(self._contract, self._database)
        try:
            yield reader
        except Exception:
            # What an error left behind in DuckDB is not worth knowing: others get a new one.
            self.__dict__.pop("_database", None)
            raise
        except BaseException:
            self._readers.put(reader)
            raise
        self._readers.put(reader)

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        # One for all threads, since making one takes as long as reading two hundred orders. Should two threads make one
        # each at the same moment, both hold.
        return reader_database(self._threads)


@dataclass(frozen=True)
class _Result:
    """What came of a batch: rows per table, rows that the sets have, and orders."""

    rows: Mapping[str, pa.Table]
    expected: Mapping[str, int]
    orders: int


def _followed(first: list[pa.Table], others: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The first and then the others; nothing here holds on to what was given."""
    while first:
        yield first.pop()
    yield from others


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


def _regular(landed: pa.Table, shapes: Mapping[Document, Record | SetOf]) -> pa.Table:
    """The rows with their irregular documents of these shapes rewritten."""
    irregular = [index for index, flag in enumerate(landed["irregular"].to_pylist()) if flag]
    for document, shape in shapes.items() if irregular else ():
        texts = landed[document.name].to_pylist()
        for index in irregular:
            texts[index] = texts[index] and normalise(texts[index], shape)
        where = landed.schema.get_field_index(document.name)
        landed = landed.set_column(where, document.name, pa.array(texts, pa.string()))
    return landed


def _over_all_orders(table: Table, waiting: Waiting) -> Iterator[pa.Table]:
    """The rows to be written of those that waited, a part at a time: there can be one for each order."""
    if waiting:
        rows = pa.concat_tables(waiting.take())
        numbers = state_changes(table, rows) if table.kind is Kind.HISTORY else newest_of_each(table, rows)
        for start in range(0, len(numbers), ROWS_PER_GROUP):
            chosen = rows.take(numbers.slice(start, ROWS_PER_GROUP))
            yield chosen if table.kind is Kind.HISTORY else without_version(chosen)


def _with_all(landed: pa.Table, names: Iterable[str]) -> pa.Table:
    """The rows with a column for each of the documents, null in rows that landed before it was declared."""
    for name in names:
        if name not in landed.column_names:
            landed = landed.append_column(name, pa.nulls(landed.num_rows, pa.large_string()))
    return landed


def _without_texts(landed: pa.Table, names: Iterable[str], where: pa.ChunkedArray) -> pa.Table:
    """The same rows, with no documents in these."""
    for name in names if pc.any(where).as_py() else ():
        texts = pc.if_else(where, pa.scalar(None, pa.string()), landed[name])
        landed = landed.set_column(landed.schema.get_field_index(name), name, texts)
    return landed


def _is_readable(landed: pa.Table) -> pa.ChunkedArray:
    """Which rows go to the tables: landed orders, and the last landed version of orders that are gone."""
    outcomes = pa.array(["landed", "tombstoned"])
    return pc.and_(pc.is_in(landed["outcome"], value_set=outcomes), pc.is_valid(landed["detail"]))


class _SetSizes:
    """Counts the rows that the sets of landed documents have, per table of kind CHILD."""

    def __init__(self, contract: Contract) -> None:
        self._places = {
            table.name: [f"{source.document.name}:{source.path}" for source in table.sources]
            for table in contract.of_kind(Kind.CHILD)
        }
        # Several tables may be cut out of one set.
        self._every = sorted({place for places in self._places.values() for place in places})
        fields = {f"place_{number}": place for number, place in enumerate(self._every)}
        sizes = msgspec.defstruct("Sizes", [(field, int, 0) for field in fields], rename=fields)
        self._decoder = msgspec.json.Decoder(sizes)

    def of(self, landed: pa.Table) -> dict[str, int]:
        """The rows of all sets of these orders."""
        # Orders with as many of each are many.
        alike = pc.value_counts(landed["set_sizes"])
        texts, orders = alike.field("values").to_pylist(), alike.field("counts").to_numpy()
        if not texts:
            return {}
        sizes = np.array([msgspec.structs.astuple(self._decoder.decode(text)) for text in texts])
        counted = dict(zip(self._every, (orders @ sizes).tolist(), strict=True))
        return {name: sum(counted[place] for place in places) for name, places in self._places.items()}


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
