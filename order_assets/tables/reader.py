"""Reads JSON texts into typed Arrow values, inside DuckDB, without a float in between.

What is read is said by `transform_sql`. Texts that DuckDB does not read exactly are rewritten before, by `normalise`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

import duckdb
import pyarrow as pa

from order_assets.contract.model import ColumnType, Contract, Document
from order_assets.tables.transform_sql import documents_statement, extract_statement, history_statement

# Orders that DuckDB works on at a time: few keep its memory small and within the caches of the processor.
_ORDERS_AT_A_TIME = 64
# What DuckDB may take for each reader; some orders are much larger than others.
_MEGABYTES = 256


def reader_database(readers: int) -> duckdb.DuckDBPyConnection:
    """A database for as many readers, which shares its memory among them."""
    # Threads come from the caller: a batch is too small for DuckDB to divide it.
    return duckdb.connect(config={"threads": "1", "memory_limit": f"{readers * _MEGABYTES}MB"})


class Reader:
    """The statements that read documents, bound in a database of `reader_database`; for one thread at a time.

    Planning the documents' statement takes as long as reading a hundred orders, so all batches of a day run through
    one execution of it, and a reader is kept.
    """

    def __init__(self, contract: Contract, database: duckdb.DuckDBPyConnection) -> None:
        self._contract = contract
        names = [document.name for document in contract.documents]
        self._connection = database.cursor()
        self._documents = _Relation(self._connection, documents_statement(contract), names)
        self._extracts: dict[str, _Relation] = {}

    @cached_property
    def _history(self) -> _Relation:
        # Most days have no versions but the current ones.
        return _Relation(self._connection, history_statement(self._contract), [Document.DETAIL.name])

    def documents(self, batches: Iterable[pa.Table], size: int) -> Iterator[dict[Document, pa.Array]]:
        """The typed documents of each batch, one for one; null for no text.

        Batches have a column of texts for each document and `size` rows, the last one may have less.
        """
        for rows in _stream(self._documents, batches, size):
            yield {document: rows[document.name].combine_chunks() for document in self._contract.documents}

    def histories(self, batches: Iterable[pa.Table], size: int) -> Iterator[dict[Document, pa.Array]]:
        """What histories are made of; the texts are detail documents or were cut down to that. Else as `documents`."""
        for rows in _stream(self._history, batches, size):
            yield {Document.DETAIL: rows[Document.DETAIL.name].combine_chunks()}

    def extract(self, texts: pa.Array, types: Mapping[str, ColumnType]) -> pa.StructArray:
        """Single values of free-form JSON objects: one record per text, with the fields of `types`."""
        statement = extract_statement(types)
        if statement not in self._extracts:
            self._extracts[statement] = _Relation(self._connection, statement, ["text"])
        relation = self._extracts[statement]
        with relation.reading([pa.record_batch([texts], relation.feed.schema)]) as found:
            read = found.to_arrow_table()["d"].combine_chunks()
        if len(read) != len(texts):
            raise _wrong_number(len(read), len(texts))
        return read


class _Relation:
    """A statement over texts, bound once and run for one series of texts after the other."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, statement: str, columns: Sequence[str]) -> None:
        # A connection of its own to the same database, since one that streams can run nothing else.
        self._connection = connection.cursor()
        # Settings are a connection's own. Results wait in DuckDB as little as they can.
        self._connection.execute("SET TimeZone = 'UTC'; SET streaming_buffer_size = '1KB'")
        self.feed = _Feed(pa.schema([(name, pa.string()) for name in columns]))
        self._connection.register("texts", self.feed)
        self._bound = self._connection.sql(statement)

    @contextmanager
    def reading(self, texts: Iterable[pa.RecordBatch]) -> Iterator[duckdb.DuckDBPyRelation]:
        """The relation over these texts; they are asked for as it is read."""
        self.feed.texts = texts
        try:
            yield self._bound
        finally:
            self.feed.texts = ()


class _Feed:
    """What the relation `texts` reads: it is asked for it anew each time a statement is bound or run."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.texts: Iterable[pa.RecordBatch] = ()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pa.RecordBatchReader.from_batches(self.schema, self.texts).__arrow_c_stream__(requested_schema)


def _stream(relation: _Relation, batches: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    waiting = iter(batches)
    sizes: deque[int] = deque()

    def pieces() -> Iterator[pa.RecordBatch]:
        # Nothing here may hold on to texts that were handed over.
        while (batch := next(waiting, None)) is not None:
            sizes.append(batch.num_rows)
            texts = batch.select(relation.feed.schema.names).cast(relation.feed.schema)
            found = texts.to_batches(_ORDERS_AT_A_TIME)[::-1]
            del batch, texts
            while found:
                yield found.pop()

    with relation.reading(pieces()) as bound, bound.to_arrow_reader(size) as found:
        for rows in found:
            expected = sizes.popleft()
            if rows.num_rows != expected:
                raise _wrong_number(rows.num_rows, expected)
            yield pa.table(rows)
    if sizes:
        raise _wrong_number(0, sizes[0])


def _wrong_number(found: int, expected: int) -> RuntimeError:
    return RuntimeError(f"DuckDB gave {found} values for {expected} texts")
