"""Makes histories out of versions: one row per state that an order was seen in.

What a version says is cut out of its document in `rows`; which versions there are is known to landing.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Origin, Table


def state_changes(table: Table, versions: pa.Table) -> pa.Array:
    """Which rows of a history do not say the same as the row before them of the same order, by key: their numbers.

    `versions` are rows of the history, one per version and in any order. Columns about the version itself, such as
    when it was fetched, do not make a state.
    """
    numbers = pc.sort_indices(versions, sort_keys=[(name, "ascending") for name in table.key])
    if versions.num_rows < 2:
        return numbers
    differs = pa.repeat(False, versions.num_rows - 1)
    for column in table.columns:
        if column.origin is not Origin.VERSION:
            differs = pc.or_(differs, _differs(versions[column.name].combine_chunks().take(numbers)))
    return numbers.filter(pa.concat_arrays([pa.array([True]), differs]))


def _differs(values: pa.Array) -> pa.Array:
    """For each value but the first whether it is another one than the value before; nothing equals nothing."""
    before, after = values.slice(0, len(values) - 1), values.slice(1)
    one_is_null = pc.xor(pc.is_null(before), pc.is_null(after))
    return pc.or_(one_is_null, pc.fill_null(pc.not_equal(before, after), False))
