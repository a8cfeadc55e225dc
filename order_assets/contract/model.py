"""The vocabulary of the contract: types, columns, sources and tables, as plain values.

Here is what a declaration can say. What an order *is* stands in the declaration modules beside this one
(`orders`, `payments`, `shipping`, `places`, ...); what is derived from the declarations (document shapes, schemas)
stands in `shape` and `arrow`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import ClassVar

from order_assets.errors import OrderAssetsError


class ContractError(OrderAssetsError, ValueError):
    """The declarations contradict each other. Raised when the contract is put together, not while data flows."""


@dataclass(frozen=True)
class ColumnType:
    """A column's type under its DuckDB name; `scale` is set for decimals (digits behind the point)."""

    duckdb: str
    precision: int | None = None
    scale: int | None = None

    @property
    def is_decimal(self) -> bool:
        """Whether values are exact decimals."""
        return self.scale is not None


def decimal(precision: int, scale: int) -> ColumnType:
    """The exact decimal type with `precision` digits, `scale` of them behind the point."""
    return ColumnType(f"DECIMAL({precision},{scale})", precision, scale)


BIGINT = ColumnType("BIGINT")
TEXT = ColumnType("VARCHAR")
BOOLEAN = ColumnType("BOOLEAN")
TIMESTAMP = ColumnType("TIMESTAMP WITH TIME ZONE")
DATE = ColumnType("DATE")
JSON = ColumnType("JSON")  # free-form: kept as JSON text
MONEY = decimal(18, 2)


@dataclass(frozen=True)
class Document:
    """An answer of the API that belongs to an order, and how it is requested.

    `path`, below `/api/v1/`, and the values of `parameters` may have `{order_id}` in them. A `paged` document is the
    list of the rows of all its pages, any other is one JSON object. Orders placed before `since` (UTC) do not have it;
    None is for all orders. Of an `optional` one a 404 says that the order has none. `title` is for messages.
    """

    name: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)
    paged: bool = False
    since: date | None = None
    optional: bool = False
    title: str = ""

    DETAIL: ClassVar[Document]
    ITEMS: ClassVar[Document]
    DISCOUNTS: ClassVar[Document]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ContractError(f"document {self.name!r}: a name has small letters, digits and underscores only")
        if "{order_id}" not in "".join((self.path, *self.parameters.values())):
            raise ContractError(f"document {self.name}: neither path nor parameters have {{order_id}}")

    def __str__(self) -> str:
        return self.name

    def is_of(self, date_placed: datetime) -> bool:
        """Whether orders placed at this moment have such a document."""
        return self.since is None or date_placed.astimezone(UTC).date() >= self.since


Document.DETAIL = Document("detail", "orders_integration/{order_id}/detailed_integration/")
Document.ITEMS = Document(
    "items", "order_item/detailed_integration/", {"order": "{order_id}", "sort": "id"}, paged=True
)
Document.DISCOUNTS = Document(
    "discounts", "discount_items/detailed_integration/", {"order": "{order_id}"}, paged=True, title="discount items"
)
DOCUMENTS = (Document.DETAIL, Document.ITEMS, Document.DISCOUNTS)


class Provenance(StrEnum):
    """How a field is known: what a reader may rely on."""

    DOCUMENTED = "documented"  # in a table of the vendor's documentation
    OPENAPI = "openapi"  # in the vendor's OpenAPI pages
    SEEN = "seen"  # only in example payloads
    ASSUMED = "assumed"  # in no source; inferred from sister objects
    DERIVED = "derived"  # made by this project


class Personal(StrEnum):
    """Kinds of personal data. The kind decides how a value is normalised before it is tokenised."""

    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    ADDRESS = "address"
    IDENTITY = "identity"  # tax and national identity numbers, IBAN
    NETWORK = "network"  # IP addresses
    CARD = "card"  # the first digits of a card
    BIRTH = "birth"
    GENDER = "gender"
    TEXT = "text"  # free text a customer wrote
    ACCOUNT = "account"  # identifiers of a person in other systems


DIRECT_IDENTIFIERS = frozenset(
    {Personal.EMAIL, Personal.PHONE, Personal.NAME, Personal.ADDRESS, Personal.IDENTITY, Personal.TEXT}
)


class Origin(Enum):
    """Where a column's value comes from when it is not simply at the column's path."""

    PATH = "path"
    ORDER_PK = "order_pk"  # of the order that the row belongs to
    POSITION = "position"  # of the row in its set, from 0
    OWNER = "owner"  # at the path, but in the object that holds the set
    LABEL = "label"  # said by the source, for example which set the row comes from
    WHOLE = "whole"  # the whole row as JSON text
    FOLDED = "folded"  # at the path in the order's copy inside its transactions, else in its row of the list
    VERSION = "version"  # of the stored version: the column of its landing row that the path names
    GONE = "gone"  # whether the stored version says that the API had the order no more
    GONE_AT = "gone_at"  # when a version was stored that says so; null where the API has the order
    SIZE = "size"  # how many rows the set at the path has
    TRUE = "true"  # how many rows of a set have true at the path


@dataclass(frozen=True)
class Known:
    """A known value of a column: its meaning, and in the kinds below what has to be known to count with it."""

    meaning: str = ""

    @property
    def traits(self) -> str:
        """What there is to say beyond the meaning, or an empty string."""
        return ""


class Leg(StrEnum):
    """What a status says about the way of the goods."""

    SHIPPED = "shipped"  # handed to a carrier; when it is reached dates the shipment
    UNDER_WAY = "under_way"  # handed over some time before
    DELIVERED = "delivered"  # when it is reached dates the delivery


@dataclass(frozen=True)
class Status(Known):
    """A status code of orders and items.

    `group` is what marts put together. `rank` is its place in the life of an order; None where orders come to it and
    leave it in any direction. A `final` status is one after which orders are left alone, a `sale` one in which the
    order counts as sold.
    """

    group: str = "other"
    rank: int | None = None
    sale: bool = True
    final: bool = False
    leg: Leg | None = None

    @property
    def open(self) -> bool:
        """Whether something may still happen to an order in it."""
        return not self.final

    @property
    def traits(self) -> str:
        """Group, and whether it is a sale and final."""
        said = [self.group, "a sale" if self.sale else "no sale", "final" if self.final else ""]
        return ", ".join(filter(None, said))


@dataclass(frozen=True)
class CancelStatus(Known):
    """A state of a cancellation or return: whether it is through, one way or the other, and whether it is carried out.

    One that is only asked for, or was refused, is not `carried_out`: no money goes back for it.
    """

    settled: bool = False
    carried_out: bool = True


class Effect(StrEnum):
    """What a transaction that went well does to money."""

    TAKE = "take"
    RESERVE = "reserve"  # an authorisation: a later transaction takes it
    GIVE_BACK = "give_back"


@dataclass(frozen=True)
class TransactionKind(Known):
    """A kind of transaction that is known to move money, and how."""

    effect: Effect = Effect.TAKE

    @property
    def traits(self) -> str:
        """The effect."""
        return self.effect.replace("_", " ")


class Collected(StrEnum):
    """When the money of a transaction that is announced with the order is there."""

    APPROVAL = "approval"  # the order is approved when it has come
    DELIVERY = "delivery"  # it is paid at the door


@dataclass(frozen=True)
class PaymentType(Known):
    """A means of payment, and the table that its transactions are in; marketplaces show none.

    `collected` says when the money is there, where that is not when the transaction is made.
    """

    table: str | None = None
    collected: Collected | None = None

    @property
    def traits(self) -> str:
        """When the money is there, if not at once."""
        return f"paid on {self.collected}" if self.collected else ""


@dataclass(frozen=True)
class Column:
    """One column: where its value sits, what it means and how it is treated.

    `path` is relative to the row's object, with dots. `values` are the known values with their meanings; they are
    soft: an unknown value is reported, never refused. `gateway_text` marks text in which only harmless elements
    are kept, because gateways and carriers put credentials there. Documents may lack the field of an `optional` one.
    """

    name: str
    type: ColumnType
    description: str
    path: str
    provenance: Provenance = Provenance.DOCUMENTED
    nullable: bool = True
    optional: bool = False
    values: Mapping[str, Known] = field(default_factory=dict)
    personal: Personal | None = None
    gateway_text: bool = False
    origin: Origin = Origin.PATH

    @property
    def sensitivity(self) -> str:
        """`direct identifier`, `indirect identifier`, `sanitised` or an empty string."""
        if self.personal is not None:
            return "direct identifier" if self.personal in DIRECT_IDENTIFIERS else "indirect identifier"
        return "sanitised" if self.gateway_text else ""

    @property
    def refers_to(self) -> tuple[str, str] | None:
        """The table and column that the value is found in, with which the description ends: `Bank (banks.pk)`."""
        found = re.search(r"\((\w+)\.(\w+)\)$", self.description)
        return (found[1], found[2]) if found else None


@dataclass(frozen=True)
class Source:
    """One place in a document where rows of a table sit.

    `path` leads from the document's root to the row's object; `[]` behind a name marks a set, and a bare `[]` the
    set that the document itself is. `label` fills the columns of origin LABEL.
    """

    document: Document
    path: str
    label: str = ""


class Kind(StrEnum):
    """What a table's rows are."""

    ORDER = "order"  # one row per order
    CHILD = "child"  # one row per element of a set inside an order
    HISTORY = "history"  # one row per order and state that its stored versions were seen in
    DIMENSION = "thing"  # what orders point to: once per pk and day, newest modified wins
    OVERFLOW = "remainder"  # what the contract does not know or the validator refused; not read from a path


@dataclass(frozen=True)
class Secret:
    """A path that is removed before anything is stored, whatever the settings."""

    path: str
    reason: str


@dataclass(frozen=True)
class Table:
    """One table: its grain, its key, where its rows sit, and its columns in order."""

    name: str
    description: str
    grain: str
    kind: Kind
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    sources: tuple[Source, ...] = ()
    secrets: tuple[Secret, ...] = ()
    # A set whose fields nobody documents: its elements are read as free-form JSON.
    undocumented: bool = False

    def column(self, name: str) -> Column:
        """The column of that name. Raises `KeyError` that says which columns there are."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name!r}; it has {', '.join(self.column_names)}")

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of all columns in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def document(self) -> Document | None:
        """The document that the rows come from; `None` for remainders."""
        return self.sources[0].document if self.sources else None


@dataclass(frozen=True)
class Contract:
    """All tables, with look-up by name."""

    tables: tuple[Table, ...]
    documents: tuple[Document, ...] = DOCUMENTS

    def __post_init__(self) -> None:
        _check_documents(self)
        names = [table.name for table in self.tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ContractError(f"two tables of one name: {', '.join(twice)}")
        for table in self.tables:
            _check_table(table)

    def table(self, name: str) -> Table:
        """The table of that name. Raises `KeyError` that says which tables there are."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"no table {name!r}; the contract has {', '.join(t.name for t in self.tables)}")

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)

    def of_kind(self, *kinds: Kind) -> tuple[Table, ...]:
        """The tables of these kinds, in the contract's order."""
        return tuple(table for table in self.tables if table.kind in kinds)

    def references(self, table: Table) -> dict[str, tuple[str, str]]:
        """The columns of a table that lead to a table of this contract, with the table and column that they lead to."""
        known = {(other.name, column) for other in self for column in other.column_names}
        return {column.name: column.refers_to for column in table.columns if column.refers_to in known}

    def with_columns(self, table: str, *columns: Column) -> Contract:
        """This contract with more columns at the end of a table; this one stays as it is.

        Raises `ContractError` for a table that is not there and for columns that contradict what is declared.
        """
        if table not in (known.name for known in self.tables):
            raise ContractError(f"no table {table!r} to add columns to; the contract has {', '.join(self.table_names)}")
        extended = (
            replace(known, columns=(*known.columns, *columns)) if known.name == table else known for known in self
        )
        return _consistent(replace(self, tables=tuple(extended)))

    def with_tables(self, *tables: Table) -> Contract:
        """This contract with more tables; this one stays as it is.

        Raises `ContractError` for a name that is taken and for columns that contradict what is declared.
        """
        return _consistent(replace(self, tables=(*self.tables, *tables)))

    def with_documents(self, *documents: Document) -> Contract:
        """This contract with more documents per order; this one stays as it is.

        Orders that landed before are due for them. Raises `ContractError` for a name that is taken.
        """
        names = {document.name: "" for document in documents}
        tables = tuple(
            replace(
                table,
                columns=tuple(
                    replace(known, values={**known.values, **dict.fromkeys(names, Known())})
                    if known.name == "document" and known.values
                    else known
                    for known in table.columns
                )
                + tuple(_kept_document(name) for name in names if Document.DISCOUNTS.name in table.column_names),
            )
            if table.kind is Kind.OVERFLOW
            else table
            for table in self
        )
        return _consistent(replace(self, tables=tables, documents=(*self.documents, *documents)))

    @property
    def further_documents(self) -> tuple[Document, ...]:
        """The documents beyond those that every order has."""
        return tuple(document for document in self.documents if document not in DOCUMENTS)

    @property
    def table_names(self) -> tuple[str, ...]:
        """The names of all tables in their order."""
        return tuple(table.name for table in self.tables)


def _consistent(contract: Contract) -> Contract:
    """The contract, if its declarations agree about every path of the documents, and values are found by their names.

    Raises `ContractError`.
    """
    # The shapes are derived from this module's values.
    from order_assets.contract.shape import document_shape

    for document in contract.documents:
        document_shape(contract, document)
    for table in contract:
        for found in table.columns:
            _check_name(table, found)
    return contract


def _check_name(table: Table, column: Column) -> None:
    # The proof that nothing is lost trusts no declaration: it looks for the value of a field by the field's name.
    field_name = column.path.rpartition(".")[2].removesuffix("[]")
    if column.origin in (Origin.PATH, Origin.OWNER) and field_name not in column.name and field_name != "id":
        raise ContractError(
            f"column {column.name} of table {table.name} is read from {column.path}, and its name does not have "
            f"{field_name} in it, by which a check looks for the values: call it {column.path.replace('.', '_')}"
        )


def _kept_document(name: str) -> Column:
    """The column of the quarantine that has such a document."""
    return column(name, JSON, f"The {name} document, redacted", provenance=Provenance.DERIVED)


def _check_documents(contract: Contract) -> None:
    names = [document.name for document in contract.documents]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ContractError(f"the contract declares a document twice: {', '.join(twice)}")
    for table in contract.tables:
        for source in table.sources:
            if source.document not in contract.documents:
                raise ContractError(
                    f"table {table.name} is read from the document {source.document.name}, which the contract does not "
                    "declare: add it with with_documents first"
                )


def _check_table(table: Table) -> None:
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ContractError(f"table {table.name} declares a column twice: {', '.join(twice)}")
    if "date" in names:
        raise ContractError(f"table {table.name} has a column named date; the warehouse needs the name for the day")
    missing = [name for name in table.key if name not in names]
    if missing:
        raise ContractError(f"the key of table {table.name} names columns that are not there: {missing}")
    undescribed = [column.name for column in table.columns if not column.description.strip()]
    if undescribed:
        raise ContractError(f"table {table.name} has columns without a description: {undescribed}")
    if bool(table.sources) == (table.kind is Kind.OVERFLOW):
        raise ContractError(f"table {table.name}: remainders have no sources, all other tables need one")
    if table.kind is Kind.HISTORY:
        _check_history(table)


def _check_history(table: Table) -> None:
    """Of a version whose documents were let go only the values of histories are kept, out of everybody's reach."""
    if any(source.document != Document.DETAIL or source.path for source in table.sources):
        raise ContractError(f"table {table.name}: a history is read from the detail document itself")
    personal = [column.name for column in table.columns if column.personal is not None or column.gateway_text]
    if personal:
        raise ContractError(f"table {table.name}: a history cannot hold what may have to be forgotten: {personal}")


def column(
    name: str,
    type_: ColumnType,
    description: str,
    *,
    path: str | None = None,
    provenance: Provenance = Provenance.DOCUMENTED,
    required: bool = False,
    optional: bool = False,
    values: Mapping[str, Known] | Mapping[str, str] | Sequence[str] = (),
    personal: Personal | None = None,
    gateway_text: bool = False,
    origin: Origin = Origin.PATH,
) -> Column:
    """Declare a column; its path is its name unless said otherwise.

    A `required` value is in every row, else its order is refused. Of an `optional` one documents may lack the field;
    of all others a check says so.
    """
    if required and optional:
        raise ContractError(f"column {name} is required and optional at once: say one of them")
    known = values if isinstance(values, Mapping) else dict.fromkeys(values, "")
    return Column(
        name=name,
        type=type_,
        description=description,
        path=name if path is None else path,
        provenance=provenance,
        nullable=not required,
        optional=optional,
        values={value: said if isinstance(said, Known) else Known(said) for value, said in known.items()},
        personal=personal,
        gateway_text=gateway_text,
        origin=origin,
    )


def order_pk() -> Column:
    """The column that ties a row of a set to its order."""
    return column(
        "order_pk",
        BIGINT,
        "Order that the row belongs to (orders.pk)",
        provenance=Provenance.DERIVED,
        required=True,
        origin=Origin.ORDER_PK,
    )


def position() -> Column:
    """The column that keeps a row's place in its set."""
    return column(
        "position",
        BIGINT,
        "Place of the row in its set, counted from 0",
        provenance=Provenance.DERIVED,
        required=True,
        origin=Origin.POSITION,
    )


def pk(what: str) -> Column:
    """The primary key column of an object."""
    return column("pk", BIGINT, f"Primary key of the {what}", required=True)


def modified_date(what: str) -> Column:
    """When an object was last changed."""
    return column("modified_date", TIMESTAMP, f"When the {what} was last changed, UTC", provenance=Provenance.SEEN)


def created_date(what: str) -> Column:
    """When an object was created."""
    return column("created_date", TIMESTAMP, f"When the {what} was created, UTC", provenance=Provenance.SEEN)
