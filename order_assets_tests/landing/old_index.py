"""Writes an index as versions before the one by day kept it: all orders in one Parquet file, the state in its head."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.landing.index import INDEX_SCHEMA, SyncState, manifest_of, read_index
from order_assets.landing.index_files import manifest_file, old_file

_TIME = pa.timestamp("us", tz="UTC")
_GONE = INDEX_SCHEMA.get_field_index("gone_since")
OLD_SCHEMA = INDEX_SCHEMA.set(_GONE, pa.field("last_seen", _TIME, nullable=False)).remove(len(INDEX_SCHEMA) - 1)


def write_old_index(root: Path, rows: pa.Table, state: SyncState) -> None:
    """Put an index of rows under `OLD_SCHEMA`, or of some of its columns."""
    old_file(root).parent.mkdir(parents=True, exist_ok=True)
    kept = {b"order_assets.sync": json.dumps(state.as_json()).encode()}
    pq.write_table(rows.sort_by("pk").replace_schema_metadata(kept), old_file(root))


def make_old(root: Path, names: Sequence[str] = tuple(OLD_SCHEMA.names)) -> None:
    """Turn the index of a data root into one of an earlier version, with these columns alone."""
    rows, state = read_index(root), manifest_of(root).state
    whole_at = state.whole_at or datetime.now().astimezone()
    before = pc.subtract(rows["gone_since"], pa.scalar(1, pa.duration("us")))
    seen = pc.coalesce(before, pa.scalar(whole_at, _TIME))
    rows = rows.set_column(_GONE, OLD_SCHEMA.field("last_seen"), seen)
    write_old_index(root, rows.select(list(names)), state)
    manifest_file(root).unlink()
