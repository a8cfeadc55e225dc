from __future__ import annotations

import pyarrow as pa
import pytest

from order_assets.tables.spill_buffer import Waiting


@pytest.mark.parametrize("plain", [0, 4_000, 1 << 20])
def test_rows_come_back_once_as_they_were(monkeypatch: pytest.MonkeyPatch, plain: int) -> None:
    monkeypatch.setattr("order_assets.tables.spill_buffer._PLAIN", plain)
    schema = pa.schema([pa.field("pk", pa.int64(), nullable=False), ("amount", pa.decimal128(12, 2))])
    rows = pa.table({"pk": range(1_000), "amount": [None, *range(999)]}, schema)
    waiting = Waiting()
    assert not waiting
    for start in range(0, 1_000, 100):
        waiting.add(rows.slice(start, 100))
        waiting.add(rows.slice(0, 0))
    assert waiting
    assert pa.concat_tables(waiting.take()).equals(rows)
    assert not waiting
    assert list(waiting.take()) == []
