"""The days that orders were on before they moved to another: what was stored of them stays there.

Noted with every listing, beside the index. Which day an order is on now is said by the index alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.core.store import whole_file

_SCHEMA = pa.schema([pa.field("pk", pa.int64(), nullable=False), pa.field("day", pa.date32(), nullable=False)])


def moved_rows(before: pa.Table, now: pa.Table) -> pa.Table:
    """`pk` and earlier day of the orders that are on another day now than before, both rows of the index by `pk`."""
    if not before.num_rows or not now.num_rows:
        return _SCHEMA.empty_table()
    places = pc.index_in(before["pk"], value_set=now["pk"].combine_chunks())
    known = before.select(["pk", "partition"]).filter(pc.is_valid(places))
    moved = known.filter(pc.not_equal(known["partition"], now["partition"].take(pc.drop_null(places))))
    return pa.table([moved["pk"], moved["partition"]], schema=_SCHEMA)


def note_moves(data_root: Path, moved: Iterable[pa.Table]) -> None:
    """Note moves as `moved_rows` gives them. An order that moves back and forth has each of its days once."""
    new = pa.concat_tables([_SCHEMA.empty_table(), *moved])
    if new.num_rows:
        rows = pa.concat_tables([_read(data_root), new]).group_by(["pk", "day"], use_threads=False).aggregate([])
        with whole_file(_file(data_root)) as temporary:
            pq.write_table(rows.cast(_SCHEMA), temporary, compression="zstd")


def earlier_days(data_root: Path, day: date, order_pks: Collection[int]) -> dict[date, list[int]]:
    """The other days that these orders of a day were on earlier, in order, each with their pks."""
    rows = _read(data_root)
    elsewhere = pc.not_equal(rows["day"], pa.scalar(day, pa.date32()))
    wanted = pc.is_in(rows["pk"], value_set=pa.array(sorted(order_pks), pa.int64()))
    found: dict[date, list[int]] = {}
    for row in rows.filter(pc.and_(elsewhere, wanted)).sort_by([("day", "ascending"), ("pk", "ascending")]).to_pylist():
        found.setdefault(row["day"], []).append(row["pk"])
    return found


def _file(data_root: Path) -> Path:
    return data_root / "index" / "moves.parquet"


def _read(data_root: Path) -> pa.Table:
    return pq.read_table(_file(data_root), schema=_SCHEMA) if _file(data_root).exists() else _SCHEMA.empty_table()
