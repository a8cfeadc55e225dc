"""Reads JSON texts into typed Arrow values, inside DuckDB, without a float in between.

What is read is said by `plan`. Texts that DuckDB does not read exactly are rewritten before, by `normalise`.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from order_assets.contract.model import ColumnType, Contract, Document
from order_assets.tables.plan import document_statements, extract_statement, history_statement, quoted


class Reader:
    """A DuckDB connection with its statements prepared; for one thread at a time.

    Planning a document's statement takes longer than reading twenty documents, so a reader is kept. `memory_limit`
    bounds DuckDB, for example `512MB`.
    """

    def __init__(self, contract: Contract, memory_limit: str) -> None:
        self._feed = _Feed()
        # Threads come from the caller: a batch is too small for DuckDB to divide it.
        self._connection = duckdb.connect(config={"threads": "1", "memory_limit": memory_limit})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.register("texts", self._feed)
        self._prepared: set[str] = set()
        self._history = history_statement(contract)
        for document, statement in document_statements(contract).items():
            self._prepare(document.value, statement)

    def documents(self, document: Document, texts: pa.ChunkedArray) -> pa.Array:
        """The typed documents of the texts, one for one."""
        return self._run(document.value, texts)

    def histories(self, texts: pa.ChunkedArray) -> pa.Array:
        """What histories are made of, one for one; the texts are detail documents or were cut down to that."""
        self._prepare(self._history, self._history)
        return self._run(self._history, texts)

    def extract(self, texts: pa.Array, types: Mapping[str, ColumnType]) -> pa.StructArray:
        """Single values of free-form JSON objects: one record per text, with the fields of `types`."""
        statement = extract_statement(types)
        self._prepare(statement, statement)
        return self._run(statement, texts)

    def close(self) -> None:
        """Give up the connection."""
        self._connection.close()

    def _prepare(self, name: str, statement: str) -> None:
        if name not in self._prepared:
            self._connection.execute(f"PREPARE {quoted(name)} AS {statement}")
            self._prepared.add(name)

    def _run(self, name: str, texts: pa.Array | pa.ChunkedArray) -> pa.Array:
        self._feed.texts = pa.table({"text": texts.cast(pa.string())})
        read = self._connection.sql(f"EXECUTE {quoted(name)}").to_arrow_table()["d"].combine_chunks()
        self._feed.texts = _NO_TEXTS
        if len(read) != len(texts):
            raise RuntimeError(f"DuckDB gave {len(read)} values for {len(texts)} texts; statement: {name[:200]}")
        return read


_NO_TEXTS = pa.table({"text": pa.array([], pa.string())})


class _Feed:
    """What the relation `texts` reads: a prepared statement asks for it anew each time it is run."""

    def __init__(self) -> None:
        self.texts = _NO_TEXTS

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.texts.__arrow_c_stream__(requested_schema)
