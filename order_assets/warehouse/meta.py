"""The tables of the schema `meta`: what is loaded, what became of each order, and how far the shop was read.

Layouts and values only; `schema` makes the tables and `load` fills them. The register of the marts is made in
`marts.mart_refresh`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version

from order_assets.warehouse.layout import META, ColumnLayout, TableLayout, required

LEDGER = "order_ledger"
SETTINGS = "settings"
PRIVACY_POLICY = "privacy_policy"
MASKED_PATHS = "masked_paths"
OUTCOME = "outcome"
_TIME = "TIMESTAMP WITH TIME ZONE"
# Of the columns that the ledger's files may have; one that is new there has no comment until it is named here.
_LEDGER_COMMENTS = {
    "order_pk": "Order (orders.pk)",
    "number": "Order number shown to people",
    "date_placed": "When the customer placed the order, UTC",
    "listed_modified_date": "When the order was last changed, as the order list says it, UTC",
    "listed_children_modified_date": "When something below the order was last seen changed, UTC",
    OUTCOME: "What became of the order: landed, tombstoned, quarantined or pending",
    "reason": "Why the order was refused or could not be fetched",
    "status": "Status code of the order when it was last fetched",
    "cancel_status": "State of a cancellation or return when it was last fetched",
    "fetched_at": "When the order was last fetched, UTC",
    "requests": "Requests that this took",
    "retries": "Those among them that were repeats",
    "bytes": "Bytes that the shop sent for it",
    "content_hash": "Digest of the documents as they are stored",
    "contract_version": "Version of the contract that the order was landed under",
    "masked_paths": "JSON: values masked or left out, by document, path and kind; meta.masked_values counts them",
    PRIVACY_POLICY: "Treatment of personal data that the order was landed under",
    "listed_fingerprint": "Digest of the order's row in the order list, as far as it says something about the order",
    "listed_row_changed_at": "When that row was first seen in its present form, UTC",
    "further_documents": "Documents beyond those of every order that were requested, by name with commas",
}


@dataclass(frozen=True)
class Watermarks:
    """How far the shop was read when the warehouse was loaded; times are UTC, None where nothing is known.

    Up to `cursor`, by the shop's clock, all changes are in the index. `synced_at` is when it was last brought up to
    date, `whole_listing_at` when all orders were last listed, by our clock.
    """

    cursor: datetime | None
    transactions_cursor: datetime | None
    synced_at: datetime | None
    whole_listing_at: datetime | None
    orders_known: int


@dataclass(frozen=True)
class WarehouseSettings:
    """What is to be known of the shop to read its numbers; None where nobody said it.

    Days are days of `time_zone`, from `first_day` on. `prices_include_tax` says whether prices and amounts do,
    `quantity_attribute` which attribute of an item has its quantity.
    """

    time_zone: str = "UTC"
    first_day: date | None = None
    prices_include_tax: bool | None = None
    quantity_attribute: str = "quantity"


NOTHING_SAID = WarehouseSettings()


def code_version() -> str:
    """The version of this package, to be recorded with the days."""
    return version("order-assets")


def days_layout() -> TableLayout:
    """The table of the days that are in the warehouse."""
    return TableLayout(
        META,
        "days",
        (
            required("date", "DATE", "Day that was loaded"),
            required("loaded_at", _TIME, "When the day was last loaded, UTC"),
            required("rows", "BIGINT", "Rows of the day in all tables; of things, in their history"),
            required("contract_version", "VARCHAR", "Version of the contract that the day was loaded under"),
            _column("code_version", "VARCHAR", "Version of order-assets that loaded the day"),
            _column(
                "state",
                "VARCHAR",
                "pending, if orders of the day wait; else quarantined, if some were refused; "
                "else complete. From order_ledger, as of the load",
            ),
            _column("listed", "BIGINT", "Orders of the day in the order list"),
            _column("landed", "BIGINT", "Those that are there"),
            _column("tombstoned", "BIGINT", "Those that the shop has no more"),
            _column("quarantined", "BIGINT", "Those that were refused"),
            _column("pending", "BIGINT", "Those that wait to be fetched"),
        ),
        "Days that are in the warehouse, and their state. Grain: one row per day",
    )


def sync_layout() -> TableLayout:
    """The table of the watermarks."""
    return TableLayout(
        META,
        "sync",
        (
            _column("cursor", _TIME, "Up to this moment of the shop's clock all changes are in the index, UTC"),
            _column("transactions_cursor", _TIME, "The same for changes of order transactions, UTC"),
            _column("synced_at", _TIME, "When the index was last brought up to date, UTC"),
            _column("whole_listing_at", _TIME, "When all orders were last listed, UTC"),
            _column("orders_known", "BIGINT", "Orders in the index, also those of days that are not loaded"),
        ),
        "How far the shop was read when the warehouse was last loaded. Grain: one row, or none before the first",
    )


def settings_layout() -> TableLayout:
    """The table of what is to be known to read the others."""
    return TableLayout(
        META,
        SETTINGS,
        (
            required("time_zone", "VARCHAR", "Business time zone: a day, date or local time in here is one of it"),
            _column("first_day", "DATE", "First day of the shop that is asked for"),
            _column("prices_include_tax", "BOOLEAN", "Whether prices and amounts include tax; empty: nobody said it"),
            _column("quantity_attribute", "VARCHAR", "Attribute of an item that has its quantity"),
            _column("privacy", "VARCHAR", "Treatments of personal data that the orders were landed under"),
            required("contract_version", "VARCHAR", "Version of the contract of the last load"),
            required("code_version", "VARCHAR", "Version of order-assets of the last load"),
            required("made_at", _TIME, "When days were last loaded, UTC"),
        ),
        "What is to be known to read the tables and marts. Grain: one row",
    )


def ledger_layout(columns: Iterable[tuple[str, str]]) -> TableLayout:
    """The table of the ledgers, with these columns (name, type) as the files have them."""
    kept = tuple(_column(name, type_, _LEDGER_COMMENTS.get(name, "")) for name, type_ in columns if name != "date")
    return TableLayout(
        META,
        LEDGER,
        (required("date", "DATE", "Day of the ledger"), *kept),
        "What became of every listed order. Grain: one row per order",
    )


def _column(name: str, type_: str, comment: str) -> ColumnLayout:
    return ColumnLayout(name, type_, False, comment)
