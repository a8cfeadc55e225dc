"""Plans, from the contract alone, the SQL that turns stored documents into rows of tables.

A batch of documents is transformed once per document kind into one typed value each; every table then selects its
rows from those. Running the plan and writing files is the work of `flatten`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from order_assets.contract.model import Column, Contract, Document, Kind, Origin, Source, Table
from order_assets.contract.shape import (
    CopyOf,
    FreeForm,
    Leaf,
    Record,
    Removed,
    SetOf,
    Shape,
    document_shape,
    steps,
)

# Columns of the relation `batch` that the plan reads beside the documents themselves.
LISTED = {"modified_date": "listed_modified_date", "created_date": "listed_created_date",
          "checkout_provider_id": "listed_checkout_provider_id"}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """SQL for one batch: `parse` makes a typed relation per document, `rows` selects the rows of a table.

    Rows of things carry two columns more, `_order` and `_source`, by which the newest version is chosen.
    """

    parse: dict[Document, str]
    rows: dict[str, str]


def make_plan(contract: Contract) -> Plan:
    """The plan of a contract."""
    shapes = {document: document_shape(contract, document) for document in Document}
    return Plan(
        parse={document: _parse(document, shape) for document, shape in shapes.items()},
        rows={table.name: _rows_of_table(table, shapes) for table in contract if table.kind is not Kind.REMAINDER},
    )


def newest_of_each(table: Table, relation: str) -> str:
    """SQL that keeps the newest version per key of a thing; the later order wins where no date decides."""
    newest_first = ["_order DESC", "_source"]
    if "modified_date" in table.column_names:
        newest_first.insert(0, "modified_date DESC NULLS LAST")
    keys = ", ".join(map(quoted, table.key))
    return f"SELECT * FROM {relation} QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {', '.join(newest_first)}) = 1"  # noqa: S608,E501


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _parse(document: Document, shape: Shape) -> str:
    structure = literal(json.dumps(_structure(shape)))
    listed = ", ".join(LISTED.values())
    return (
        f"CREATE OR REPLACE TEMP TABLE {document.value} AS "
        f"SELECT order_pk, {listed}, json_transform({document.value}, {structure}) AS d FROM batch"
    )


def _structure(shape: Shape) -> object:
    """The structure that `json_transform` takes; free-form JSON is read as text."""
    match shape:
        case Leaf():
            return shape.type.duckdb
        case FreeForm():
            return "VARCHAR"
        case SetOf():
            return [_structure(shape.element)]
        case Record():
            return {
                name: _structure(child)
                for name, child in shape.children.items()
                if not isinstance(child, Removed | CopyOf)
            }
        case Removed() | CopyOf():
            raise AssertionError("secrets and copies have no column")


def _rows_of_table(table: Table, shapes: dict[Document, Record | SetOf]) -> str:
    selects = list(_selects(table, shapes))
    if table.kind is Kind.ORDER:
        return f"{selects[0]} ORDER BY order_pk"
    if table.kind is Kind.CHILD:
        position = ", position" if len(selects) == 1 else ""
        return " UNION ALL ".join(selects) + (
            f" ORDER BY order_pk{position}" if position else f" ORDER BY {_order(table)}"
        )
    return newest_of_each(table, f"({' UNION ALL '.join(selects)})")


def _order(table: Table) -> str:
    return ", ".join(["order_pk", *map(quoted, table.key)])


def _selects(table: Table, shapes: dict[Document, Record | SetOf]) -> Iterator[str]:
    for index, source in enumerate(table.sources):
        place = _locate(table, source, shapes[source.document])
        columns = [f"{_expression(table, column, source, place)} AS {quoted(column.name)}" for column in table.columns]
        if table.kind is Kind.THING:
            columns += ["order_pk AS _order", f"{index} AS _source"]
        where = f" WHERE {place.row}.pk IS NOT NULL" if table.kind is Kind.THING else ""
        yield f"SELECT {', '.join(columns)} FROM {place.relation}{where}"  # noqa: S608


@dataclass(frozen=True)
class _Place:
    """Where rows of a source are found: a relation, the row's value in it, and the row's shape."""

    relation: str
    row: str
    shape: Record | FreeForm


def _locate(table: Table, source: Source, root: Record | SetOf) -> _Place:
    relation, row, owner = source.document.value, "d", "d"
    shape: Shape = root
    for step in steps(source.path):
        if step == "[]" and isinstance(shape, SetOf):
            kept = (
                "".join(
                    f", {_inside(owner, column.path)} AS {quoted('owner_' + column.name)}"
                    for column in table.columns
                    if column.origin is Origin.OWNER and source.path.endswith("[]")
                )
                if relation != source.document.value or owner != row
                else ""
            )
            relation = (
                f"(SELECT order_pk{kept}, unnest({row}) AS r, generate_subscripts({row}, 1) - 1 AS position "
                f"FROM {relation})"
            )
            row, owner, shape = "r", "r", shape.element
        elif isinstance(shape, Record):
            owner, row, shape = row, f"{row}.{quoted(step)}", shape.children[step]
    assert isinstance(shape, Record | FreeForm)  # noqa: S101 - the contract's tree was built from these paths
    return _Place(relation, row, shape)


def _expression(table: Table, column: Column, source: Source, place: _Place) -> str:
    match column.origin:
        case Origin.ORDER_PK:
            return "order_pk"
        case Origin.POSITION:
            return "position"
        case Origin.LABEL:
            return literal(source.label)
        case Origin.WHOLE:
            return place.row
        case Origin.OWNER:
            return quoted("owner_" + column.name)
        case Origin.FOLDED:
            copies = f'list_transform({place.row}.transaction_set, lambda t: t."order".{quoted(column.path)})'
            return f"coalesce(list_max({copies}), {LISTED[column.path]})"
        case Origin.PATH:
            return _value(place, column)


def _value(place: _Place, column: Column) -> str:
    if isinstance(place.shape, FreeForm):
        return _extracted(place.row, place.shape, column.path)
    holder, *inner = steps(column.path)
    child = place.shape.children[holder]
    if inner and isinstance(child, FreeForm):
        return _extracted(f"{place.row}.{quoted(holder)}", child, ".".join(inner))
    return _inside(place.row, column.path)


def _extracted(text: str, shape: FreeForm, path: str) -> str:
    structure = json.dumps({name: leaf.type.duckdb for name, leaf in shape.children.items()})
    return f"json_transform({text}, {literal(structure)}).{quoted(path)}"


def _inside(row: str, path: str) -> str:
    return ".".join([row, *map(quoted, steps(path))])
