"""Declares what is kept of the states that an order went through, as far as they were fetched.

Of stored versions that are old only the values of these columns are kept (`history_shape`), so nothing personal can
be among them. The columns mean what those of the same name in `orders` mean.
"""

from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    TIMESTAMP,
    Column,
    Document,
    Kind,
    Origin,
    Provenance,
    Source,
    Table,
    column,
    order_pk,
)
from order_assets.contract.tables.orders import ORDERS

_DERIVED = Provenance.DERIVED
_SHIPMENTS = "ordershippinginfo_set[]"


def _observed(name: str) -> Column:
    return ORDERS.column(name)


ORDER_STATUS_HISTORY = Table(
    name="order_status_history",
    description=(
        "States in which orders were seen; a version that differs in no column from the one before has no row, "
        "nor has one in quarantine"
    ),
    grain="one row per order and observed state",
    kind=Kind.HISTORY,
    key=("order_pk", "observed_at"),
    sources=(Source(Document.DETAIL, ""),),
    columns=(
        order_pk(),
        column(
            "observed_at",
            TIMESTAMP,
            "When the order was fetched in this state for the first time, UTC",
            path="fetched_at",
            provenance=_DERIVED,
            required=True,
            origin=Origin.VERSION,
        ),
        column(
            "modified_date",
            TIMESTAMP,
            "When the order itself was last changed, as the order list said at that time, UTC",
            path="listed_modified_date",
            provenance=_DERIVED,
            origin=Origin.VERSION,
        ),
        _observed("status"),
        _observed("status_display"),
        _observed("cancel_status"),
        _observed("amount"),
        _observed("discount_amount"),
        _observed("refund_amount"),
        _observed("discount_refund_amount"),
        _observed("shipping_refund_amount"),
        _observed("is_send"),
        column(
            "shipping_info_count",
            BIGINT,
            "Exchanges with carriers (rows of shipping_infos)",
            path=_SHIPMENTS,
            provenance=_DERIVED,
            required=True,
            origin=Origin.SIZE,
        ),
        column(
            "shipped_info_count",
            BIGINT,
            "Exchanges in which the carrier accepted the shipment",
            path=f"{_SHIPMENTS}.is_send",
            provenance=_DERIVED,
            required=True,
            origin=Origin.TRUE,
        ),
        column(
            "tombstoned",
            BOOLEAN,
            "Whether the order was gone; the values are then those of its last landed version",
            provenance=_DERIVED,
            required=True,
            origin=Origin.GONE,
        ),
    ),
)
