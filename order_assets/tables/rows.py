"""Cuts typed documents into rows of tables, as the contract says where they sit.

Pure functions over Arrow values. Reading JSON is the work of `reader`, files are written in `flatten`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Column, ColumnType, Contract, Document, Kind, Origin, Source, Table
from order_assets.contract.shape import steps
from order_assets.contract.tables.orders import COPY_PATH
from order_assets.tables.normalise import wanted_of_free_form
from order_assets.tables.reader import Reader

# Columns of a landing row that fill a folded column where no copy of the order says it.
_LISTED = {
    "modified_date": "listed_modified_date",
    "created_date": "listed_created_date",
    "checkout_provider_id": "listed_checkout_provider_id",
}
# Columns by which the newest version of a thing is chosen; they are not written.
_ORDER, _SOURCE = "_order", "_source"


class Batch:
    """Some orders: their landing rows, and their typed documents in the same order.

    `at` gives the objects at a place; what was looked up once is kept, since tables share their ways.
    """

    def __init__(self, landed: pa.Table, documents: Mapping[Document, pa.Array]) -> None:
        self.landed = landed.combine_chunks()
        every = pa.array(np.arange(landed.num_rows))
        self._places: dict[tuple[Document, tuple[str, ...]], _Place] = {
            (document, ()): _Place(objects, every) for document, objects in documents.items()
        }

    def at(self, document: Document, path: Sequence[str]) -> _Place:
        """The objects at a path, given as steps: names, and `[]` for each element of a set."""
        key = (document, tuple(path))
        if key not in self._places:
            before = self.at(document, path[:-1])
            self._places[key] = before.elements() if path[-1] == "[]" else before.inside(path[-1])
        return self._places[key]

    def listed(self, name: str) -> pa.Array:
        """A column of the landing rows."""
        return self.landed[name].combine_chunks()


@dataclass(frozen=True)
class _Place:
    """The objects at one place of a batch's documents, set after set.

    `order` is, for each object, the number of its document in the batch. `position` is its place in its set. `owners`
    are the objects that hold these objects, or the set of these; `owner_of` is, in a set, the number of each object's
    owner among them. Free-form objects are texts.
    """

    objects: pa.Array
    order: pa.Array
    position: pa.Array | None = None
    owners: _Place | None = None
    owner_of: pa.Array | None = None

    @cached_property
    def fields(self) -> dict[str, pa.Array]:
        """The values of the objects by name; null where there is no object."""
        names = [self.objects.type.field(number).name for number in range(self.objects.type.num_fields)]
        return dict(zip(names, self.objects.flatten(), strict=True))

    def inside(self, name: str) -> _Place:
        """What the objects have under a name, one for one."""
        return replace(self, objects=self.fields[name], owners=self)

    def elements(self) -> _Place:
        """The elements of the sets at this place."""
        sizes = pc.fill_null(pc.list_value_length(self.objects), 0).to_numpy()
        set_of = np.repeat(np.arange(len(sizes)), sizes)
        position = np.arange(len(set_of)) - np.repeat(sizes.cumsum() - sizes, sizes)
        owner_of = pa.array(set_of)
        elements = pc.list_flatten(self.objects)
        return _Place(elements, self.order.take(owner_of), pa.array(position), self.owners, owner_of)


def history_of_batch(
    schemas: Mapping[str, pa.Schema], contract: Contract, batch: Batch, reader: Reader
) -> dict[str, pa.Table]:
    """The rows of each history, one per version in the batch; see `history.state_changes`."""
    return _rows_of_tables(contract.of_kind(Kind.HISTORY), schemas, batch, reader)


def rows_of_batch(
    schemas: Mapping[str, pa.Schema], contract: Contract, batch: Batch, reader: Reader
) -> dict[str, pa.Table]:
    """The rows of each table that is read from documents, in the tables' schemas.

    Things come once per key, in their newest version within the batch, with two columns more; see `newest_of_each`.
    """
    tables = [table for table in contract if table.kind is not Kind.OVERFLOW]
    return _rows_of_tables(tables, schemas, batch, reader)


def newest_of_each(table: Table, versions: pa.Table) -> pa.Array:
    """Which rows of a thing are the newest of their key, by key: their numbers. Rows without a key are left out.

    It is the one modified last; where no date decides, that of the later order.
    """
    newest_first = [(_ORDER, "descending"), (_SOURCE, "ascending")]
    if "modified_date" in table.column_names:
        newest_first.insert(0, ("modified_date", "descending"))
    compared = versions.select([*table.key, *(name for name, _ in newest_first)])
    # An order points to at most one of each; where there is none, there is no key.
    there = reduce(pc.and_, (pc.is_valid(versions[name]) for name in table.key)).combine_chunks()
    if there.true_count == len(there):
        return _first_of_each(compared, table.key, newest_first)
    return pc.indices_nonzero(there).take(_first_of_each(compared.filter(there), table.key, newest_first))


def without_version(rows: pa.Table) -> pa.Table:
    """The rows of a thing as they are written."""
    return rows.drop_columns([_ORDER, _SOURCE])


def _rows_of_tables(
    tables: Sequence[Table], schemas: Mapping[str, pa.Schema], batch: Batch, reader: Reader
) -> dict[str, pa.Table]:
    inside = _values_inside(tables, batch, reader)
    return {table.name: _rows_of_table(table, schemas[table.name], batch, inside) for table in tables}


def _rows_of_table(table: Table, schema: pa.Schema, batch: Batch, inside: _Inside) -> pa.Table:
    numbers = range(len(table.sources))
    parts = [_rows_of_source(table, schema, number, batch, inside[table.name, number]) for number in numbers]
    rows = pa.concat_tables(parts)
    if table.kind is Kind.DIMENSION:
        return rows.take(newest_of_each(table, rows))
    if len(parts) > 1:
        # Rows of one set come in the order of the set; those of several sets are put together by key.
        rows = rows.sort_by([(name, "ascending") for name in ("order_pk", *table.key)])
    return rows


def _rows_of_source(
    table: Table, schema: pa.Schema, number: int, batch: Batch, inside: Mapping[str, pa.Array]
) -> pa.Table:
    source = table.sources[number]
    path = steps(source.path)
    place = batch.at(source.document, path)
    columns = []
    for column, field in zip(table.columns, schema, strict=True):
        if column.origin is Origin.PATH and column.path in inside:
            values = inside[column.path]
        elif column.origin is Origin.PATH:
            *holder, name = steps(column.path)
            values = batch.at(source.document, [*path, *holder]).fields[name]
        else:
            values = _derived(column, source, place, batch)
        columns.append(values if values.type == field.type else values.cast(field.type))
    if table.kind is not Kind.DIMENSION:
        return pa.Table.from_arrays(columns, schema=schema)
    schema = schema.append(pa.field(_ORDER, pa.int64())).append(pa.field(_SOURCE, pa.int64()))
    columns += [
        batch.listed("order_pk").take(place.order),
        pa.repeat(pa.scalar(number, pa.int64()), len(place.objects)),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _derived(column: Column, source: Source, place: _Place, batch: Batch) -> pa.Array:
    match column.origin:
        case Origin.ORDER_PK:
            return batch.listed("order_pk").take(place.order)
        case Origin.POSITION:
            return place.position
        case Origin.LABEL:
            return pa.repeat(source.label, len(place.objects))
        case Origin.WHOLE:
            return place.objects
        case Origin.OWNER if place.owners is not None:
            return place.owners.fields[column.path].take(place.owner_of)
        case Origin.FOLDED:
            return _folded(column, source, batch)
        case Origin.VERSION:
            return batch.listed(column.path).take(place.order)
        case Origin.GONE:
            return _is_gone(batch).take(place.order)
        case Origin.GONE_AT:
            moments = batch.listed(column.path)
            return pc.if_else(_is_gone(batch), moments, pa.scalar(None, moments.type)).take(place.order)
        case Origin.SIZE:
            *holder, _ = steps(column.path)
            return pc.fill_null(pc.list_value_length(batch.at(source.document, holder).objects), 0)
        case Origin.TRUE:
            return _counted_true(column, source, batch)
    raise AssertionError(f"{column.name}: nothing holds {source.path}, so it has no {column.origin.value}")


def _is_gone(batch: Batch) -> pa.Array:
    return pc.equal(batch.listed("outcome"), "tombstoned")


def _folded(column: Column, source: Source, batch: Batch) -> pa.Array:
    """The greatest value among the order's copies, else what the list said."""
    copies = batch.at(source.document, steps(COPY_PATH))
    said = pa.table({"order": copies.order, "value": copies.fields[column.path]})
    said = said.filter(pc.is_valid(said["value"]))
    newest = said.take(_first_of_each(said, ["order"], [("value", "descending")]))
    every = pa.array(np.arange(batch.landed.num_rows))
    at = pc.index_in(every, value_set=newest["order"].combine_chunks())
    return pc.coalesce(newest["value"].combine_chunks().take(at), batch.listed(_LISTED[column.path]))


def _counted_true(column: Column, source: Source, batch: Batch) -> pa.Array:
    """For each order how many rows of a set have true at the path."""
    *rows, name = steps(column.path)
    elements = batch.at(source.document, rows)
    counts = pc.value_counts(elements.order.filter(pc.fill_null(elements.fields[name], False)))
    at = pc.index_in(pa.array(np.arange(batch.landed.num_rows)), value_set=counts.field("values"))
    return pc.fill_null(counts.field("counts").take(at), 0)


# The columns whose values are inside free-form JSON, by path, of each source of each table: its name and the number.
_Inside = Mapping[tuple[str, int], Mapping[str, pa.Array]]


@dataclass(frozen=True)
class _FreeForm:
    """Free-form JSON at one place, and the columns of a source that are inside."""

    source: tuple[str, int]
    texts: pa.Array
    columns: Sequence[Column]

    @property
    def wanted(self) -> tuple[tuple[str, ColumnType], ...]:
        """What is read, by name."""
        return tuple((steps(column.path)[-1], column.type) for column in self.columns)


def _values_inside(tables: Sequence[Table], batch: Batch, reader: Reader) -> _Inside:
    """Each text is read once for all columns inside; texts of which the same is wanted are read together."""
    found: dict[tuple[str, int], dict[str, pa.Array]] = {}
    alike: dict[tuple[tuple[str, ColumnType], ...], list[_FreeForm]] = {}
    for table in tables:
        for number in range(len(table.sources)):
            values = found[table.name, number] = {}
            for free_form in _free_forms(table, number, batch):
                if free_form.texts.null_count < len(free_form.texts):
                    alike.setdefault(free_form.wanted, []).append(free_form)
                else:
                    values |= {column.path: pa.nulls(len(free_form.texts)) for column in free_form.columns}
    for wanted, places in alike.items():
        read = reader.extract(pa.concat_arrays([place.texts for place in places]), dict(wanted))
        start = 0
        for place in places:
            parts = read.slice(start, len(place.texts)).flatten()
            start += len(place.texts)
            found[place.source] |= {column.path: part for column, part in zip(place.columns, parts, strict=True)}
    return found


def _free_forms(table: Table, number: int, batch: Batch) -> Iterator[_FreeForm]:
    source = table.sources[number]
    inside: dict[str, list[Column]] = {}
    for column in table.columns:
        if column.origin is Origin.PATH:
            inside.setdefault(column.path.rpartition(".")[0], []).append(column)
    for holder, columns in inside.items():
        # What holds the values: the objects themselves, or what they have under a name.
        place = batch.at(source.document, [*steps(source.path), *steps(holder)])
        if pa.types.is_string(place.objects.type):
            wanted = {steps(column.path)[-1]: column.type for column in columns}
            yield _FreeForm((table.name, number), _readable(place, wanted, batch), columns)


def _readable(place: _Place, wanted: Mapping[str, ColumnType], batch: Batch) -> pa.Array:
    """The free-form texts, those of irregular documents in the form in which DuckDB reads the wanted values exactly."""
    irregular = batch.listed("irregular")
    if not irregular.true_count:
        return place.objects
    chosen = pc.and_(irregular.take(place.order), pc.is_valid(place.objects))
    rewritten = [wanted_of_free_form(text, wanted) for text in place.objects.filter(chosen).to_pylist()]
    return pc.replace_with_mask(place.objects, chosen, pa.array(rewritten, place.objects.type))


def _first_of_each(rows: pa.Table, keys: Sequence[str], order: Iterable[tuple[str, str]]) -> pa.Array:
    """The number of the first row of each key when rows are in this order; nulls last, equal rows as they are."""
    numbers = pc.sort_indices(rows, sort_keys=[*((key, "ascending") for key in keys), *order])
    if rows.num_rows < 2:
        return numbers
    differs = pa.repeat(False, rows.num_rows - 1)
    for key in keys:
        values = rows[key].combine_chunks().take(numbers)
        differs = pc.or_(differs, pc.not_equal(values.slice(1), values.slice(0, rows.num_rows - 1)))
    return numbers.filter(pa.concat_arrays([pa.array([True]), differs]))
