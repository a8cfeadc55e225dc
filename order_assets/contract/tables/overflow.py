"""Declares the tables of what does not fit: fields the contract does not know, and orders that were refused."""

from order_assets.contract.model import BIGINT, JSON, TEXT, TIMESTAMP, Kind, Provenance, Table, column

_DERIVED = Provenance.DERIVED

UNMAPPED_FIELDS = Table(
    name="unmapped_fields",
    description="Fields that the contract does not know, with their values",
    grain="one row per order, document and unknown path",
    kind=Kind.OVERFLOW,
    key=("order_pk", "document", "path"),
    columns=(
        column("order_pk", BIGINT, "Order (orders.pk)", required=True, provenance=_DERIVED),
        column(
            "document",
            TEXT,
            "Document that has the field",
            required=True,
            provenance=_DERIVED,
            values=("detail", "items", "discounts"),
        ),
        column("path", TEXT, "Where the field sits, with positions in sets", required=True, provenance=_DERIVED),
        column("value", JSON, "Its value", provenance=_DERIVED),
    ),
)

QUARANTINE = Table(
    name="quarantine",
    description="Orders that were refused because a value does not fit the contract; their siblings load",
    grain="one row per refused order",
    kind=Kind.OVERFLOW,
    key=("order_pk",),
    columns=(
        column("order_pk", BIGINT, "Order (would be orders.pk)", required=True, provenance=_DERIVED),
        column("number", TEXT, "Order number as listed", provenance=_DERIVED),
        column(
            "document",
            TEXT,
            "Document with the bad value",
            provenance=_DERIVED,
            values=("detail", "items", "discounts"),
        ),
        column("path", TEXT, "Where the bad value sits", provenance=_DERIVED),
        column("reason", TEXT, "Why it was refused", required=True, provenance=_DERIVED),
        column(
            "contract_version",
            TEXT,
            "Version of the contract that refused it",
            required=True,
            provenance=_DERIVED,
        ),
        column("fetched_at", TIMESTAMP, "When the documents were fetched, UTC", provenance=_DERIVED),
        column("detail", JSON, "The detail document, redacted", provenance=_DERIVED),
        column("items", JSON, "The items document, redacted", provenance=_DERIVED),
        column("discounts", JSON, "The discounts document, redacted", provenance=_DERIVED),
    ),
)

TABLES = (UNMAPPED_FIELDS, QUARANTINE)
