"""The versions before an order's current one: they make its history, and in time they lose their documents.

How versions are stored is said in `landing_store`; how histories are made of them in `tables`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.contract import CONTRACT
from order_assets.contract.model import DOCUMENTS, Contract
from order_assets.contract.shape import Record, SetOf, Shape, history_shape
from order_assets.core import exact_json
from order_assets.landing.landing_schema import LANDING_SCHEMA, Outcome, further_names
from order_assets.landing.landing_store import Landing, last_rows
from order_assets.landing.moves import earlier_days

# What the transform gets of an earlier version.
_OF_VERSION = ("order_pk", "fetched_at", "listed_modified_date", "outcome", "irregular", "detail", "observed")
# What decides whether a version keeps its documents.
_OF_AGE = ("order_pk", "fetched_at", "outcome", "content_hash", "observed")
_DOCUMENTS = tuple(document.name for document in DOCUMENTS)
# What is said of documents goes with them.
_ABOUT_DOCUMENTS = {"unmapped": "[]", "missing": "[]", "set_sizes": "{}"}
_NOTHING = "null"


def earlier_versions(landing: Landing, only: Collection[int]) -> Iterator[pa.Table]:
    """The versions of these orders before the current ones, by order and age, about 1,000 at a time.

    Of an order that was on other days earlier, all versions stored there follow. Those that were refused or never had
    documents are left out. `detail` is cut down to what histories are made of where the rest was let go.
    """
    part = landing.compact()
    if part is not None:
        keys = landing.columns(part, ("order_pk", "outcome"))
        yield from _chosen(landing, part, pc.and_(pc.invert(last_rows(keys["order_pk"])), _readable(keys, only)))
    for day, pks in earlier_days(landing.data_root, landing.day, only).items():
        other = Landing(landing.data_root, day)
        # As they lie there: that day may be refreshed at the same moment.
        for part in other.parts():
            yield from _chosen(other, part, _readable(other.columns(part, ("order_pk", "outcome")), pks))


def _readable(keys: pa.Table, only: Collection[int]) -> pa.ChunkedArray:
    """For each version whether it is of one of these orders and says in which state the order was."""
    readable = pc.is_in(keys["outcome"], value_set=pa.array([Outcome.LANDED.value, Outcome.TOMBSTONED.value]))
    return pc.and_(readable, pc.is_in(keys["order_pk"], value_set=pa.array(sorted(only), pa.int64())))


def _chosen(landing: Landing, part: Path, chosen: pa.ChunkedArray) -> Iterator[pa.Table]:
    """The chosen rows of a part, as histories are made of them."""
    if not pc.any(chosen).as_py():
        return
    with landing.reading(part):
        file = pq.ParquetFile(part)
    start = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        of_group = chosen.slice(start, size)
        start += size
        if pc.any(of_group).as_py():
            with landing.reading(part):
                rows = file.read_row_group(group, columns=list(_OF_VERSION)).filter(of_group)
            yield _with_observed(rows)


def thin_versions(landing: Landing, older_than: datetime, contract: Contract = CONTRACT) -> int:
    """Let go of the documents of versions that nobody needs any more; gives of how many.

    These are versions fetched before `older_than`, and those that the next version of the order repeats. The current
    version of an order and its last landed one keep theirs. What histories are made of stays in `observed`. Without
    such versions nothing is written.
    """
    part = landing.compact()
    if part is None:
        return 0
    shape = history_shape(contract)
    chosen = _to_thin(landing.columns(part, _OF_AGE), older_than)
    thinned: int = pc.sum(chosen).as_py() or 0
    if thinned:
        landing.replace_groups(part, lambda start, rows: _thinned(rows, chosen.slice(start, rows.num_rows), shape))
    return thinned


def _with_observed(rows: pa.Table) -> pa.Table:
    """The rows that histories are made of, each with a detail document or what is left of it."""
    detail = rows["detail"]
    if "observed" in rows.column_names:
        detail = pc.coalesce(rows["observed"], detail)
        rows = rows.drop_columns(["observed"])
    rows = rows.set_column(rows.schema.get_field_index("detail"), "detail", detail)
    return rows.filter(pc.fill_null(pc.not_equal(detail, _NOTHING), False))


def _to_thin(rows: pa.Table, older_than: datetime) -> pa.ChunkedArray:
    """For each row whether its documents go; the rows are all versions by order and age."""
    last = last_rows(rows["order_pk"])
    places = pa.array(range(rows.num_rows), pa.int64())
    is_whole = pc.is_null(rows["observed"])
    landed = pc.and_(pc.equal(rows["outcome"], Outcome.LANDED.value), is_whole)
    last_landed = (
        pa.table({"order_pk": rows["order_pk"], "place": places})
        .filter(landed)
        .group_by("order_pk", use_threads=False)
        .aggregate([("place", "max")])["place_max"]
    )
    needed = pc.or_(last, pc.is_in(places, value_set=last_landed.combine_chunks()))
    is_old = pc.less(rows["fetched_at"], pa.scalar(older_than, LANDING_SCHEMA.field("fetched_at").type))
    unneeded = pc.and_(pc.invert(needed), pc.or_(is_old, _is_repeated(rows["content_hash"], last)))
    return pc.and_(unneeded, is_whole)


def _is_repeated(hashes: pa.ChunkedArray, last: pa.Array) -> pa.Array:
    """For each version whether the next one of its order says the same."""
    hashes = hashes.combine_chunks()
    if len(hashes) == 0:
        return pa.array([], pa.bool_())
    same = pc.fill_null(pc.equal(hashes.slice(0, len(hashes) - 1), hashes.slice(1)), False)
    return pc.and_(pa.concat_arrays([same, pa.array([False])]), pc.invert(last))


def _thinned(rows: pa.Table, chosen: pa.ChunkedArray, shape: Record) -> pa.Table:
    """The rows, the chosen ones without their documents."""
    if not pc.any(chosen).as_py():
        return rows
    outcomes, details = rows["outcome"].to_pylist(), rows["detail"].filter(chosen).to_pylist()
    of_chosen = [outcome for outcome, goes in zip(outcomes, chosen.to_pylist(), strict=True) if goes]
    observed = iter(
        exact_json.dumps(_cut_down(exact_json.loads(detail), shape))
        if detail is not None and outcome != Outcome.QUARANTINED
        else _NOTHING
        for outcome, detail in zip(of_chosen, details, strict=True)
    )
    before = rows["observed"].to_pylist()
    after = [next(observed) if goes else kept for kept, goes in zip(before, chosen.to_pylist(), strict=True)]
    changes: dict[str, Any] = dict.fromkeys((*_DOCUMENTS, *further_names(rows.column_names))) | _ABOUT_DOCUMENTS
    for name, value in changes.items():
        rows = _with(rows, name, pc.if_else(chosen, pa.scalar(value, rows.schema.field(name).type), rows[name]))
    return _with(rows, "observed", pa.array(after, LANDING_SCHEMA.field("observed").type))


def _with(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), values)


def _cut_down(value: Any, shape: Shape) -> Any:
    """A value of a document with only what the shape knows, in the form in which it came."""
    match shape:
        case Record() if isinstance(value, dict):
            return {
                name: _cut_down(part, shape.children[name]) for name, part in value.items() if name in shape.children
            }
        case SetOf() if isinstance(value, list):
            return [_cut_down(part, shape.element) for part in value]
        case SetOf():
            return _cut_down(value, shape.element)
        case _:
            return value
