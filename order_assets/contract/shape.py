"""Derives from the contract what each document looks like: a tree with one node per known JSON path.

The validator of landing walks documents along this tree, and the transform of tables reads its types from it. Nothing
is declared here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from order_assets.contract.model import (
    BOOLEAN,
    JSON,
    TEXT,
    Column,
    ColumnType,
    Contract,
    ContractError,
    Document,
    Kind,
    Origin,
    Personal,
    Provenance,
    Source,
    Table,
)
from order_assets.contract.tables.orders import COPIES, COPY_PATH


@dataclass
class Leaf:
    """A single value; `columns` are the table columns that hold it.

    `promised` says that the vendor documents the field or shows it in its examples.
    """

    type: ColumnType
    required: bool
    personal: Personal | None = None
    gateway_text: bool = False
    promised: bool = False
    columns: tuple[str, ...] = ()


@dataclass
class Record:
    """An object with known keys.

    `thing` is set where it is a row of a table of things: the table's name and the number of this source in it.
    """

    children: dict[str, Shape] = field(default_factory=dict)
    thing: tuple[str, int] | None = None


@dataclass
class SetOf:
    """A set of objects."""

    element: Record | FreeForm = field(default_factory=Record)


@dataclass
class FreeForm:
    """A subtree kept as JSON text; `children` are values inside that are columns as well."""

    columns: tuple[str, ...] = ()
    children: dict[str, Leaf] = field(default_factory=dict)
    promised: bool = False


@dataclass
class Removed:
    """A secret: removed whatever the settings."""

    reason: str


@dataclass
class CopyOf:
    """A value that repeats the value at `path`, counted from the document's root."""

    path: str
    type: ColumnType
    personal: Personal | None = None


Shape = Leaf | Record | SetOf | FreeForm | Removed | CopyOf


def document_shape(contract: Contract, document: Document) -> Record | SetOf:
    """The tree of one document.

    Raises `ContractError` where two declarations disagree about a path.
    """
    root: Record | SetOf = SetOf() if document.paged else Record()
    for table in contract:
        for source in table.sources:
            if source.document == document:
                _plant(root, table, source)
    if document == Document.DETAIL and isinstance(root, Record):
        _plant_copies(root)
    return root


def history_shape(contract: Contract) -> Record:
    """The part of the detail document's tree that histories are read from."""
    root = Record()
    for table in contract.of_kind(Kind.HISTORY):
        for source in table.sources:
            _plant(root, table, source)
    return root


def is_promised(shape: Shape) -> bool:
    """Whether the vendor's documentation or its examples have this path, so that its absence says something."""
    match shape:
        case Leaf() | FreeForm():
            return shape.promised
        case Record():
            return any(map(is_promised, shape.children.values()))
        case SetOf():
            return is_promised(shape.element)
        case Removed() | CopyOf():
            return False


@cache
def steps(path: str) -> tuple[str, ...]:
    """The steps of a path: names, and `[]` for "each element of the set"."""
    found: list[str] = []
    for part in path.split("."):
        name = part.removesuffix("[]")
        if name:
            found.append(name)
        if part.endswith("[]"):
            found.append("[]")
    return tuple(found)


def _plant(root: Record | SetOf, table: Table, source: Source) -> None:
    owner, row = _descend(root, source.path, free=table.undocumented)
    if table.kind is Kind.DIMENSION and isinstance(row, Record):
        row.thing = (table.name, table.sources.index(source))
    for column in table.columns:
        if column.origin is Origin.PATH:
            _plant_column(row, table, column)
        elif column.origin is Origin.OWNER:
            _plant_column(owner, table, column)
        elif column.origin is Origin.FOLDED and isinstance(row, Record):
            _, copy = _descend(root, COPY_PATH, free=False)
            _plant_column(copy, table, column)
        elif column.origin is Origin.WHOLE and isinstance(row, FreeForm):
            row.columns = (*row.columns, f"{table.name}.{column.name}")
        elif column.origin is Origin.SIZE:
            _descend(root, column.path, free=False)
        elif column.origin is Origin.TRUE:
            holder, _, name = column.path.rpartition(".")
            _, element = _descend(root, holder, free=False)
            _plant_column(element, table, replace(column, path=name, type=BOOLEAN, nullable=True))
    for secret in table.secrets:
        if isinstance(row, Record):
            row.children[secret.path] = Removed(secret.reason)


def _descend(root: Record | SetOf, path: str, *, free: bool) -> tuple[Record | FreeForm, Record | FreeForm]:
    """The object that holds the last set or name of the path, and the object at the path itself."""
    owner: Record | FreeForm = root if isinstance(root, Record) else Record()
    here: Shape = root
    walk = steps(path)
    for index, step in enumerate(walk):
        last = index == len(walk) - 1
        if step == "[]":
            if not isinstance(here, SetOf):
                raise ContractError(f"{path}: not a set")
            if last and free and here.element == Record():
                here.element = FreeForm()
            here = here.element
        else:
            if not isinstance(here, Record):
                raise ContractError(f"{path}: {step} is not inside an object with known keys")
            owner = here
            is_set = not last and walk[index + 1] == "[]"
            here = here.children.setdefault(step, SetOf() if is_set else Record())
    if not isinstance(here, (Record, FreeForm)):
        raise ContractError(f"{path}: not an object")
    return owner, here


def _plant_column(row: Record | FreeForm, table: Table, column: Column) -> None:
    where = f"{table.name}.{column.name}"
    *parents, name = steps(column.path)
    holder: Record | FreeForm = row
    for parent in parents:
        if isinstance(holder, FreeForm):
            raise ContractError(f"{where}: nothing below a free-form field can be followed twice")
        child = holder.children.setdefault(parent, Record())
        if not isinstance(child, (Record, FreeForm)):
            raise ContractError(f"{where}: {parent} is not an object elsewhere in the contract")
        holder = child
    if column.type == JSON and isinstance(holder, Record):
        _plant_free_form(holder, name, where, _is_promised_by(column))
    else:
        _plant_leaf(holder, name, where, column)


def _is_promised_by(column: Column) -> bool:
    return not column.optional and column.provenance in (Provenance.DOCUMENTED, Provenance.SEEN)


def _plant_free_form(holder: Record, name: str, where: str, promised: bool) -> None:
    known = holder.children.get(name)
    if isinstance(known, FreeForm):
        known.columns = (*known.columns, where)
        known.promised = known.promised or promised
        return
    inside = known.children if isinstance(known, Record) else {}
    leaves = {key: leaf for key, leaf in inside.items() if isinstance(leaf, Leaf)}
    holder.children[name] = FreeForm((where,), leaves, promised)


def _plant_leaf(holder: Record | FreeForm, name: str, where: str, column: Column) -> None:
    known = holder.children.get(name)
    promised = _is_promised_by(column)
    if known is None:
        holder.children[name] = Leaf(
            column.type, not column.nullable, column.personal, column.gateway_text, promised, (where,)
        )
    elif isinstance(known, Leaf) and known.type == column.type:
        known.columns = (*known.columns, where)
        known.required = known.required or not column.nullable
        known.personal = known.personal or column.personal
        known.promised = known.promised or promised
    else:
        raise ContractError(f"{where} disagrees with {known} about the field {column.path}")


def _plant_copies(root: Record) -> None:
    _, copy = _descend(root, COPY_PATH, free=False)
    if not isinstance(copy, Record):
        raise ContractError(f"{COPY_PATH}: not an object with known keys")
    for name, path in COPIES.items():
        original = _find(root, path)
        if isinstance(original, Leaf):
            copy.children[name] = CopyOf(path, original.type, original.personal)
        else:
            copy.children[name] = CopyOf(path, JSON if isinstance(original, FreeForm) else TEXT)


def _find(root: Record, path: str) -> Shape | None:
    here: Shape | None = root
    for step in steps(path):
        if step == "[]" and isinstance(here, SetOf):
            here = here.element
        elif isinstance(here, (Record, FreeForm)):
            here = here.children.get(step)
        else:
            return None
    return here


def contract_version(contract: Contract) -> str:
    """Twelve hexadecimal digits that change when the contract reads or writes anything differently.

    Descriptions, provenance and known values do not count.
    """
    facts = [
        [
            table.name,
            table.kind.value,
            table.key,
            [[s.document.name, s.path, s.label] for s in table.sources],
            [s.path for s in table.secrets],
            [
                [c.name, c.type.duckdb, c.path, c.origin.value, c.nullable, c.personal, c.gateway_text]
                for c in table.columns
            ],
        ]
        for table in contract
    ]
    further = [
        [d.name, d.path, dict(d.parameters), d.paged, d.since and d.since.isoformat(), d.optional]
        for d in contract.further_documents
    ]
    return hashlib.sha256(json.dumps([facts, COPIES, *further]).encode()).hexdigest()[:12]


def removed_paths(contract: Contract) -> Iterator[tuple[Document, str, str]]:
    """Every path that is removed as a secret: document, path with `[]` for sets, and why."""
    for table in contract:
        for source in table.sources:
            for secret in table.secrets:
                yield source.document, f"{source.path}.{secret.path}", secret.reason
