"""Rows of a table that wait for the end of a day, small in memory: what is decided over all orders needs all of them.

What is decided stands in `rows` and `version_history`; nothing here knows what the rows say.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

# A quarter of the rows' size, at the cost of a twentieth of the time that they took to make.
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")
# Bytes that wait as they are.
_PLAIN = 4 << 20


class Waiting:
    """Rows of one schema, added in pieces and taken back once, in the order in which they came."""

    def __init__(self) -> None:
        self._pieces: list[pa.Table | pa.Buffer] = []
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, rows: pa.Table) -> None:
        """Keep rows for later."""
        if not rows.num_rows:
            return
        self._bytes += rows.nbytes
        if self._bytes <= _PLAIN:
            self._pieces.append(rows)
            return
        written = pa.BufferOutputStream()
        with pa.ipc.new_stream(written, rows.schema, options=_COMPRESSED) as stream:
            stream.write_table(rows)
        self._pieces.append(written.getvalue())

    def take(self) -> Iterator[pa.Table]:
        """The rows, piece by piece; none are left."""
        self._pieces.reverse()
        while self._pieces:
            piece = self._pieces.pop()
            if isinstance(piece, pa.Table):
                yield piece
            else:
                with pa.ipc.open_stream(piece) as stream:
                    yield stream.read_all()
