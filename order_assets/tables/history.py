"""Makes histories out of versions: one row per state that an order was seen in.

What a version says is cut out of its document in `rows`; which versions there are is known to landing.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Origin, Table


def state_changes(table: Table, versions: Sequence[pa.Table]) -> pa.Table:
    """The rows of a history by key, without those that say the same as the row before them of the same order.

    `versions` are rows of the history, one per version and in any order. Columns about the version itself, such as
    when it was fetched, do not make a state.
    """
    rows = pa.concat_tables(versions).sort_by([(name, "ascending") for name in table.key]).combine_chunks()
    if rows.num_rows < 2:
        return rows
    differs = pa.repeat(False, rows.num_rows - 1)
    for column in table.columns:
        if column.origin is not Origin.VERSION:
            differs = pc.or_(differs, _differs(rows[column.name].combine_chunks()))
    return rows.filter(pa.concat_arrays([pa.array([True]), differs]))


def _differs(values: pa.Array) -> pa.Array:
    """For each value but the first whether it is another one than the value before; nothing equals nothing."""
    before, after = values.slice(0, len(values) - 1), values.slice(1)
    one_is_null = pc.xor(pc.is_null(before), pc.is_null(after))
    return pc.or_(one_is_null, pc.fill_null(pc.not_equal(before, after), False))
