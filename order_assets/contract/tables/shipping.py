"""Declares what happens after payment: shipments, carriers, cancellations and returns."""

from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    JSON,
    TEXT,
    Document,
    Kind,
    Origin,
    Provenance,
    Source,
    Table,
    column,
    created_date,
    modified_date,
    order_pk,
    pk,
    position,
)
from order_assets.contract.tables.orders import CANCEL_STATUSES

# Carriers among the integrations that the vendor names, and those that only examples show.
CARRIERS = (
    "aras",
    "yurtici",
    "bringo_express",
    "ups",
    "ay_cargo",
    "fancourier",
    "dpd",
    "cdek",
    "kolay_gelsin",
    "sameday",
    "sendeo",
    "cargus",
    "speedy",
)
_SEEN = Provenance.SEEN
_ASSUMED = Provenance.ASSUMED

SHIPPING_INFOS = Table(
    name="shipping_infos",
    description="Exchanges with carriers about the shipment of an order",
    grain="one row per exchange with a carrier",
    kind=Kind.CHILD,
    key=("pk",),
    sources=(Source(Document.DETAIL, "ordershippinginfo_set[]"),),
    columns=(
        order_pk(),
        position(),
        pk("shipping info"),
        column("info_order_pk", BIGINT, "Order that the row itself names (orders.pk)", path="order"),
        column("order_number", TEXT, "Number of the order"),
        column("shipping_company", TEXT, "Carrier", values=CARRIERS),
        column("is_send", BOOLEAN, "Whether the carrier accepted the shipment"),
        column("cargo_label", TEXT, "Label given by the carrier"),
        column("send_request", TEXT, "Request to the carrier, harmless elements only", gateway_text=True),
        column("send_response", TEXT, "Answer of the carrier, harmless elements only", gateway_text=True),
        modified_date("shipping info"),
        created_date("shipping info"),
    ),
)

CANCELLATION_PLANS = Table(
    name="cancellation_plans",
    description="Cancellations and returns as they are carried out; undocumented, so each row is also kept whole",
    grain="one row per cancellation plan",
    kind=Kind.CHILD,
    key=("order_pk", "position"),
    sources=(Source(Document.DETAIL, "cancellationplan_set[]"),),
    undocumented=True,
    columns=(
        order_pk(),
        position(),
        column("pk", BIGINT, "Primary key", provenance=_ASSUMED),
        column(
            "plan_type",
            TEXT,
            "Whether goods are cancelled or refunded",
            provenance=_ASSUMED,
            values=("cancel", "refund"),
        ),
        column("status", TEXT, "State of the plan", provenance=_ASSUMED, values=CANCEL_STATUSES),
        modified_date("plan"),
        created_date("plan"),
        column("raw", JSON, "The whole row", provenance=Provenance.DERIVED, required=True, origin=Origin.WHOLE),
    ),
)

CARGO_COMPANIES = Table(
    name="cargo_companies",
    description="Carriers that customers choose from",
    grain="one row per carrier and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(Source(Document.DETAIL, "cargo_company"),),
    columns=(
        pk("carrier"),
        column("name", TEXT, "Name"),
        column("erp_code", TEXT, "Code of the carrier in the ERP"),
        column("shipping_company", TEXT, "Carrier integration", values=CARRIERS),
        modified_date("carrier"),
        created_date("carrier"),
    ),
)

TABLES = (CANCELLATION_PLANS, SHIPPING_INFOS)
DIMENSIONS = (CARGO_COMPANIES,)
