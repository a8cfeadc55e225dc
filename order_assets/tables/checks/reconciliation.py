"""Proves on a sample of orders that no value of their landed documents got lost on the way into the tables.

Documents are walked as plain JSON and tables read as plain rows: what the contract declares about paths and columns
is not used, so that a mistake there is found here. Of names only this is assumed: an object with a `pk` has its row
under that `pk`, and the column of a field has the field's name in its own. Which sets and keys have to agree is
looked at in `cross_table`; what the contract implies for a single file in `declared`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Contract, Document
from order_assets.contract.shape import removed_paths
from order_assets.core import exact_json
from order_assets.core.check_result import CheckResult
from order_assets.core.exact_json import ExactJsonError, Number
from order_assets.core.moments import read_moment
from order_assets.tables.day_files import DayFiles

LOST_RULE = "nothing_lost_in_sample"
_MOST_EXAMPLES = 10
_ORDERS, _UNMAPPED = "orders", "unmapped_fields"
# Says again what the order says; a value that is only there did not arrive.
_HISTORY = "order_status_history"
_REDACTED = "[redacted]"
_PLAIN_NAME = re.compile(r"[^.\[\]\"]+")
# A value in one of the forms in which it may be found again: what it is, and its one spelling.
_Fact = tuple[str, object]
# Stands for all columns of a row and the paths inside their JSON, whatever they hold.
_NO_FACT: _Fact = ("path", None)


class Sample:
    """Some orders of a day, the same ones each time, kept as the day's landed rows pass by."""

    def __init__(self, orders_of_day: int, *, percent: float, at_most: int) -> None:
        self.orders_of_day = orders_of_day
        self.at_most = at_most
        self.size = min(max(1, math.ceil(orders_of_day * percent / 100)), at_most)
        self._kept: list[tuple[bytes, dict[str, Any]]] = []

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The landed rows of the chosen orders."""
        return [row for _, row in self._kept]

    def watching(self, batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The same batches; of the orders in them that go to the tables those are kept that are chosen."""
        for batch in batches:
            # Documents alone are large.
            columns = ["order_pk", *(field.name for field in batch.schema if pa.types.is_large_string(field.type))]
            pks = batch["order_pk"].to_pylist()
            has_rows = pc.and_(pc.is_valid(batch["detail"]), pc.not_equal(batch["outcome"], "quarantined")).to_pylist()
            ranked = sorted((_rank(pk), index) for index, pk in enumerate(pks) if has_rows[index])[: self.size]
            first = batch.select(columns).take(pa.array([index for _, index in ranked], pa.int64())).to_pylist()
            new = [(rank, row) for (rank, _), row in zip(ranked, first, strict=True)]
            self._kept = sorted([*self._kept, *new], key=lambda kept: kept[0])[: self.size]
            yield batch


@dataclass(frozen=True)
class Lost:
    """A value that is in no table: where it sits in which document of which order."""

    order_pk: int
    document: Document
    path: str

    def __str__(self) -> str:
        return f"{self.document.name}: {self.path} of order {self.order_pk}"


@dataclass
class Proof:
    """What looking for every value of some orders gave.

    `older` counts the values that are not in the tables because the thing that they belong to was changed since, or
    because another order has it otherwise at the same moment; `failed` has the orders that could not be looked at, with
    the kind of the error.
    """

    orders: int = 0
    values: int = 0
    older: int = 0
    lost: list[Lost] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)


def nothing_lost(proof: Proof, day: date, sample: Sample) -> CheckResult:
    """Whether every value of the sample was found; values of older versions of a thing need not be."""
    return CheckResult(
        _ORDERS,
        LOST_RULE,
        not proof.lost,
        f"{len(proof.lost)} of {proof.values} values are in no table"
        if proof.lost
        else f"{proof.values} values of {proof.orders} orders were found",
        {
            "orders": proof.orders,
            "orders_of_day": sample.orders_of_day,
            "sample_at_most": sample.at_most,
            "values": proof.values,
            "values_of_older_versions": proof.older,
            "values_lost": len(proof.lost),
        },
        examples=tuple(map(str, proof.lost[:_MOST_EXAMPLES])),
        next_step=f"If the documents of {day} were fetched at different times, fetch the day again with refetch; else "
        "the flattening is at fault",
    )


def prove_day(
    files: DayFiles, contract: Contract, sample: Sample, landed: Callable[[], Iterable[pa.Table]] = list
) -> Proof:
    """Look for each value of the sampled orders in the Parquet files of their day.

    `landed` gives the landed rows of all orders of the day; it is called where orders seem to contradict each other.
    """
    documents = {
        row["order_pk"]: {document: exact_json.loads(row.get(document.name) or "[]") for document in contract.documents}
        for row in sample.rows
    }
    order_pks = pa.array(list(documents), pa.int64())
    thing_pks = pa.array({pk for values in documents.values() for pk in _pks_in(list(values.values()))}, pa.int64())
    tables = {
        table.name: _rows_of(files, table.name, order_pks, thing_pks) for table in contract if table.name != _HISTORY
    }
    return prove(documents, tables, [path for _, path, _ in removed_paths(contract)], landed)


def prove(
    documents: Mapping[int, Mapping[Document, Any]],
    tables: Mapping[str, Iterable[Mapping[str, Any]]],
    removed: Collection[str],
    landed: Callable[[], Iterable[pa.Table]] = list,
) -> Proof:
    """Look for each value of the documents, by order, in rows of tables; `removed` are paths that are taken out.

    `landed` as for `prove_day`.
    """
    things, of_orders = _rows_by_key(tables)
    unmapped: dict[int, dict[tuple[str, str], Any]] = defaultdict(dict)
    for entry in tables[_UNMAPPED]:
        unmapped[entry["order_pk"]][entry["document"], entry["path"]] = exact_json.loads(entry["value"])
    proof = Proof(orders=len(documents))
    disputed: list[_Disputed] = []
    for order_pk, of_order in documents.items():
        walk = _Walk(order_pk, things, of_orders[order_pk], unmapped[order_pk], frozenset(removed), proof, disputed)
        try:
            for document, value in of_order.items():
                walk.look(document, value)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this order alone
            proof.failed[order_pk] = type(error).__name__
    _settle(disputed, landed, proof)
    return proof


def _settle(disputed: list[_Disputed], landed: Callable[[], Iterable[pa.Table]], proof: Proof) -> None:
    """Tell the values that lost against another order's from those that got lost: the stored one is in its document."""
    open_ = disputed
    for rows in landed() if disputed else ():
        for order_pk, text in zip(rows["order_pk"].to_pylist(), rows["detail"].to_pylist(), strict=True):
            if text is None or not open_:
                continue
            said = defaultdict(list)
            for value in _objects_in(exact_json.loads(text)):
                said[_as_pk(value.get("pk", value.get("id")))].append(value)
            open_ = [found for found in open_ if not found.is_settled_by(order_pk, said)]
    proof.older += len(disputed) - len(open_)
    proof.lost += [found.lost for found in open_]


@dataclass(frozen=True)
class _Row:
    """A row of a table. That of a thing or an order stands for all objects with its key, in their newest version."""

    cells: Mapping[str, Any]
    is_thing: bool = False
    is_order: bool = False

    @cached_property
    def columns_by_fact(self) -> dict[_Fact, list[str]]:
        """The columns that say a fact; a value inside JSON has its path behind the column's name."""
        found: dict[_Fact, list[str]] = {_NO_FACT: list(self.cells)}
        for name, cell in self.cells.items():
            for fact in _facts_of_cell(cell):
                found.setdefault(fact, []).append(name)
            if isinstance(cell, str) and cell[:1] in ("{", "[", '"'):
                with suppress(ExactJsonError):
                    for path, value in _leaves(exact_json.loads_whole(cell), name):
                        for fact in (_NO_FACT, *_facts_of_cell(value)):
                            found.setdefault(fact, []).append(path)
        return found

    def has(self, facts: Iterable[_Fact], name: str, fits: _Fits) -> bool:
        """Whether a column that fits the name says one of the facts."""
        for fact in facts:
            for column in self.columns_by_fact.get(fact, ()):
                if fits(name, column):
                    return True
        return False

    def fields_known(self, value: Mapping[str, Any]) -> int:
        """How many fields of an object have a column."""
        return sum(self.has((_NO_FACT,), name, _is_part) for name in value)

    def fields_found(self, value: Mapping[str, Any]) -> int:
        """How many fields of an object are in the row."""
        single = {name: part for name, part in value.items() if not isinstance(part, dict | list | None)}
        return sum(self.has(_facts_of_value(part), name, _is_part) for name, part in single.items())


_Rows = Mapping[int | None, list[_Row]]
_Fits = Callable[[str, str], bool]


def _is_part(name: str, column: str) -> bool:
    return name in column


def _is_inside(name: str, column: str) -> bool:
    return "." in column and name in column


def _is_same(name: str, column: str) -> bool:
    return name == column or _is_inside(name, column)


@dataclass(frozen=True)
class _Owner:
    """What a value belongs to: the nearest object with a key and the rows of that key, then the rows around it.

    `name` is the field that the object sits in; `is_direct` holds for values of that very object, not of one inside.
    """

    rows: list[_Row]
    around: list[_Row] = field(default_factory=list)
    value: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    is_direct: bool = True

    @cached_property
    def alike(self) -> list[_Row]:
        """The rows that know most of the object's fields: keys of other tables can be equal."""
        return [row for row in self.rows if 2 * row.fields_known(self.value) >= len(self.value)]

    @cached_property
    def is_older(self) -> bool:
        """Whether the rows are of a newer version."""
        said = _time_of(self.value.get("modified_date"))
        stored = [row.cells.get("modified_date") for row in self.alike if row.is_thing or row.is_order]
        return said is not None and any(when is not None and when > said for when in stored)

    @cached_property
    def is_undated(self) -> bool:
        """Whether no date says which version of a thing the rows are of."""
        stored = [row.cells.get("modified_date") for row in self.alike if row.is_thing]
        return bool(stored) and (_time_of(self.value.get("modified_date")) is None or stored == [None])

    @cached_property
    def is_dated_alike(self) -> bool:
        """Whether the rows of a thing are of the very moment of this object."""
        said = _time_of(self.value.get("modified_date"))
        return said is not None and said in [row.cells.get("modified_date") for row in self.alike if row.is_thing]

    def has(self, value: Any, name: str) -> bool:
        """Whether the value of a field is in the rows."""
        facts = _facts_of_value(value)
        if self.is_direct and any(name in row.cells for row in self.rows):
            # A field of the row's own object is in the column of its name, or kept around under both names.
            outside = f"{self.name or '.'}_{name}"
            found = any(row.has(facts, name, _is_same) for row in self.rows) or any(
                row.has(facts, name, _is_inside) or row.has(facts, outside, _is_part) for row in self.around
            )
            if found or self.alike:
                return found
        return any(row.has(facts, name, _is_part) for row in self.rows) or any(
            row.has(facts, name, _is_part) for row in self.around
        )

    def has_another(self, name: str) -> bool:
        """Whether there is any value in such a column of a thing."""
        cells = [cell for row in self.alike for column, cell in row.cells.items() if name in column]
        return any(cell not in (None, "") for cell in cells)


@dataclass(frozen=True)
class _Disputed:
    """A value of a thing in whose place the tables have another one, of the same moment."""

    lost: Lost
    name: str
    owner: _Owner

    def is_settled_by(self, order_pk: int, said: Mapping[int | None, Iterable[Mapping[str, Any]]]) -> bool:
        """Whether another order says of the same thing what the tables say; `said` are its objects by key."""
        if order_pk == self.lost.order_pk:
            return False
        key = _as_pk(self.owner.value.get("pk", self.owner.value.get("id")))
        values = [value[self.name] for value in said.get(key, ()) if value.get(self.name) not in (None, "")]
        return any(self.owner.has(value, self.name) for value in values if not isinstance(value, dict | list))


@dataclass(frozen=True)
class _Walk:
    """A walk over the documents of one order."""

    order_pk: int
    things: _Rows
    of_order: _Rows
    unmapped: Mapping[tuple[str, str], Any]
    removed: frozenset[str]
    proof: Proof
    disputed: list[_Disputed]

    def look(self, document: Document, value: Any) -> None:
        """Look for each value of a document."""
        self._visit(document, value, "", "", "", _Owner(self.of_order.get(None, [])))

    def _visit(self, document: Document, value: Any, name: str, path: str, place: str, owner: _Owner) -> None:
        if place in self.removed:
            return
        if (document.name, path) in self.unmapped and self.unmapped[document.name, path] == value:
            self.proof.values += 1
        elif isinstance(value, dict):
            owner = self._owner(value, name, owner)
            for key, part in value.items():
                if part not in (None, "", _REDACTED):
                    inner, inner_place = (f"{path}.{_step(key)}", f"{place}.{key}") if path else (_step(key), key)
                    called = "pk" if key == "id" and "pk" not in value else key
                    self._visit(document, part, called, inner, inner_place, owner)
        elif isinstance(value, list):
            for position, part in enumerate(value):
                if part not in (None, "", _REDACTED):
                    self._visit(document, part, name, f"{path}[{position}]", f"{place}[]", owner)
        else:
            self._find(document, path, value, name, owner)

    def _owner(self, value: Mapping[str, Any], name: str, outer: _Owner) -> _Owner:
        """The rows of an object with a key: in the tables whose columns are most like its fields."""
        pk = _as_pk(value.get("pk", value.get("id")))
        rows = [*self.of_order.get(pk, []), *self.things.get(pk, [])] if pk is not None else []
        if not rows:
            return replace(outer, is_direct=False)
        if len(rows) > 1:
            alike = [row.fields_known(value) + row.fields_found(value) for row in rows]
            rows = [row for row, likeness in zip(rows, alike, strict=True) if likeness == max(alike)]
        return _Owner(rows, [*outer.rows, *outer.around], value, name)

    def _find(self, document: Document, path: str, value: Any, name: str, owner: _Owner) -> None:
        self.proof.values += 1
        if owner.has(value, name):
            return
        # A set may be given as the keys of its rows.
        if type(value) is int and path.endswith("]"):
            rows = [*self.of_order.get(value, []), *self.things.get(value, [])]
            if any(row.cells.get("pk") == value for row in rows):
                return
        # Where no date says which version is newer, another value is another version, but no value is a loss.
        if owner.is_older or (owner.is_undated and owner.has_another(name)):
            self.proof.older += 1
        elif owner.is_dated_alike and owner.has_another(name):
            self.disputed.append(_Disputed(Lost(self.order_pk, document, path), name, owner))
        else:
            self.proof.lost.append(Lost(self.order_pk, document, path))


def _rank(order_pk: int) -> bytes:
    return hashlib.blake2b(str(order_pk).encode(), digest_size=8).digest()


def _rows_of(files: DayFiles, table: str, order_pks: pa.Array, thing_pks: pa.Array) -> list[dict[str, Any]]:
    """The rows of these orders and things; a file that cannot be read has none."""
    found: list[dict[str, Any]] = []
    with suppress(OSError, pa.ArrowException):
        for rows in files.groups(table):
            key, wanted = ("order_pk", order_pks) if "order_pk" in rows.column_names else ("pk", thing_pks)
            found += rows.filter(pc.is_in(rows[key], value_set=wanted)).to_pylist()
    return found


def _rows_by_key(tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> tuple[_Rows, Mapping[int, _Rows]]:
    """The rows that orders share, by key, and the rows of each order by key; without a key its own row as well."""
    things: dict[int | None, list[_Row]] = defaultdict(list)
    of_orders: dict[int, dict[int | None, list[_Row]]] = defaultdict(lambda: defaultdict(list))
    for name, rows in tables.items():
        if name in (_UNMAPPED, _HISTORY):
            continue
        for cells in rows:
            if name == _ORDERS:
                row = _Row(cells, is_order=True)
                of_orders[cells["pk"]][None].append(row)
                of_orders[cells["pk"]][cells["pk"]].append(row)
            elif "order_pk" in cells:
                of_orders[cells["order_pk"]][cells.get("pk")].append(_Row(cells))
            else:
                things[cells["pk"]].append(_Row(cells, is_thing=True))
    return things, of_orders


def _pks_in(value: Any) -> Iterator[int]:
    """The keys of all objects in a value, and those that stand in a set for its rows."""
    if isinstance(value, dict):
        if (pk := _as_pk(value.get("pk", value.get("id")))) is not None:
            yield pk
        for part in value.values():
            yield from _pks_in(part)
    elif isinstance(value, list):
        for part in value:
            if type(part) is int and (pk := _as_pk(part)) is not None:
                yield pk
            else:
                yield from _pks_in(part)


def _objects_in(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects_in(part)


@lru_cache(maxsize=4096)
def _step(name: str) -> str:
    """A name as a step of a path: in quotes where it has the signs of one."""
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, path)
    else:
        yield path, value


def _facts_of_cell(cell: Any) -> Iterator[_Fact]:
    """What a cell says. Text stands for itself; a number in it only for a number."""
    if isinstance(cell, bool):
        yield "bool", cell
    elif isinstance(cell, datetime):
        yield "time", cell
    elif isinstance(cell, date):
        yield "text", cell.isoformat()
    elif isinstance(cell, int | Decimal | Number):
        yield "number", _number(cell)
    elif isinstance(cell, str):
        yield "text", cell
        if cell in ("true", "false"):
            yield "bool", cell == "true"
        elif (spelled := _spelled_number(cell)) is not None:
            yield "spelled number", spelled


def _facts_of_value(value: Any) -> tuple[_Fact, ...]:
    """What cells may say that hold a value of a document: text may have become a number or a time."""
    if isinstance(value, bool):
        return (("bool", value),)
    if isinstance(value, int | Number):
        return ("number", _number(value)), ("spelled number", _number(value))
    return _facts_of_text(value)


@lru_cache(maxsize=8192)
def _facts_of_text(text: str) -> tuple[_Fact, ...]:
    number, moment = _spelled_number(text), _as_time(text)
    facts: list[_Fact] = [("text", text)]
    facts += [("number", number)] if number is not None else []
    return (*facts, ("time", moment)) if moment is not None else tuple(facts)


def _number(value: int | Decimal | Number) -> object:
    return _spelled_number(value.digits if isinstance(value, Number) else str(value))


@lru_cache(maxsize=8192)
def _spelled_number(text: str) -> object:
    """One spelling for all spellings of a number; `None` for other text."""
    if not re.fullmatch(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?", text):
        return None
    try:
        parts = Decimal(text).as_tuple()
    except ArithmeticError:
        return text
    digits = "".join(map(str, parts.digits)).lstrip("0")
    kept = digits.rstrip("0")
    return (parts.sign, kept, int(parts.exponent) + len(digits) - len(kept)) if kept else 0


def _time_of(value: Any) -> datetime | None:
    return _as_time(value) if isinstance(value, str) else None


@lru_cache(maxsize=8192)
def _as_time(text: str) -> datetime | None:
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    return read_moment(text)


def _as_pk(value: Any) -> int | None:
    """A key, however it is spelled; `None` for what no BIGINT holds."""
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else None
    if isinstance(value, Number):
        return _as_pk(value.digits)
    with suppress(ValueError, OverflowError, ArithmeticError):
        if isinstance(value, str) and len(value) < 32 and Decimal(value) == int(Decimal(value)):
            return _as_pk(int(Decimal(value)))
    return None
