"""Declares the order itself: one row per order, from the detail document.

What an order points to (customer, addresses, channel, ...) is declared in `parties`, `places` and `payments`; the
order keeps their keys and the snapshots that were taken when it was placed.
"""

from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    JSON,
    MONEY,
    TEXT,
    TIMESTAMP,
    CancelStatus,
    Document,
    Kind,
    Leg,
    Origin,
    Personal,
    Provenance,
    Source,
    Status,
    Table,
    column,
    decimal,
    pk,
)

# All that is known of a status code stands here: marts, quality checks and landing take it from here. An order in a
# code that is not here is a sale of the group `other`, without a rank, never final; the code is reported.
STATUSES = {
    "50": Status("cancellation_waiting", "canceled"),
    "100": Status("canceled", "canceled", rank=9, sale=False, final=True),
    "200": Status("waiting", "waiting", rank=1, sale=False),
    "300": Status("payment_waiting", "waiting", rank=1, sale=False),
    "350": Status("confirmation_waiting", "waiting", rank=2, sale=False),
    "400": Status("approved", "in_progress", rank=3),
    "425": Status("inactive", "inactive", sale=False),
    "450": Status("preparing", "in_progress", rank=4),
    "500": Status("shipped", "on_the_way", rank=5, leg=Leg.SHIPPED),
    "510": Status("shipped_and_informed", "on_the_way", rank=5, leg=Leg.SHIPPED),
    "520": Status("ready_for_pickup", "on_the_way", rank=5),
    "540": Status("attempted_delivery", "on_the_way", rank=5, leg=Leg.UNDER_WAY),
    "544": Status("review_started", "delivered", rank=7),
    "545": Status("review_waiting", "delivered", rank=7),
    "546": Status("waiting_for_payment", "delivered", rank=7),
    "547": Status("paid", "delivered", rank=7),
    "550": Status("delivered", "delivered", rank=6, final=True, leg=Leg.DELIVERED),
    "600": Status("refunded", "refunded", rank=8, final=True),
}

CANCEL_STATUSES = {
    "waiting": CancelStatus(carried_out=False),
    "completed": CancelStatus(settled=True),
    "rejected": CancelStatus(settled=True, carried_out=False),
    "confirmation_waiting": CancelStatus(),
    "confirmed": CancelStatus(),
    "approved": CancelStatus(),
    "waiting_for_payment": CancelStatus(),
}

ORDERS = Table(
    name="orders",
    description="Orders with their amounts, state and the keys of everything that they point to",
    grain="one row per order",
    kind=Kind.ORDER,
    key=("pk",),
    sources=(Source(Document.DETAIL, ""),),
    columns=(
        pk("order"),
        column("number", TEXT, "Order number shown to people; unique within a channel", required=True),
        column("channel_pk", BIGINT, "Sales channel the order came from (channels.pk)", path="channel.pk"),
        column("status", TEXT, "Status code, a number as text", values=STATUSES),
        column(
            "status_display", TEXT, "Name of the status code", values=[status.meaning for status in STATUSES.values()]
        ),
        column("date_placed", TIMESTAMP, "When the customer placed the order, UTC", required=True),
        column(
            "modified_date",
            TIMESTAMP,
            "When the order itself was last changed, UTC; changes of its children do not move it",
            provenance=Provenance.SEEN,
            origin=Origin.FOLDED,
        ),
        column(
            "created_date",
            TIMESTAMP,
            "When Omnitron created the order, UTC; can be days after it was placed",
            provenance=Provenance.SEEN,
            origin=Origin.FOLDED,
        ),
        column(
            "checkout_provider_id",
            TEXT,
            "Identifier given by the checkout provider",
            provenance=Provenance.SEEN,
            origin=Origin.FOLDED,
        ),
        column("customer_pk", BIGINT, "Customer (customers.pk)", path="customer.pk"),
        column(
            "shipping_address_pk",
            BIGINT,
            "Address the order is sent to (addresses.pk)",
            path="shipping_address.pk",
        ),
        column(
            "billing_address_pk",
            BIGINT,
            "Address the order is billed to (addresses.pk)",
            path="billing_address.pk",
        ),
        column(
            "currency",
            TEXT,
            "Currency of all amounts, ISO 4217 in lower case",
            values=("try", "aed", "eur", "usd"),
        ),
        column("amount", MONEY, "Order amount"),
        column("shipping_amount", MONEY, "Shipping fee"),
        column("net_shipping_amount", MONEY, "Shipping fee after deductions"),
        column("shipping_interest_amount", MONEY, "Share of the instalment interest that falls on shipping"),
        column("shipping_tax_rate", decimal(9, 4), "Tax rate of shipping, percent"),
        column("discount_amount", MONEY, "Sum of discounts"),
        column("refund_amount", MONEY, "Amount refunded so far"),
        column("discount_refund_amount", MONEY, "Discount taken back by refunds"),
        column("shipping_refund_amount", MONEY, "Shipping fee refunded so far"),
        column("installment_interest_amount", MONEY, "Interest paid for instalments"),
        column("installment_count", BIGINT, "Number of instalments"),
        column("installment_pk", BIGINT, "Instalment plan (installments.pk)", path="installment.pk"),
        column("payment_option_pk", BIGINT, "Payment option (payment_options.pk)", path="payment_option.pk"),
        column("payment_option_slug", TEXT, "Slug of the payment option when the order was placed"),
        column("bin_number", TEXT, "First six digits of the card", personal=Personal.CARD),
        column(
            "cargo_company_pk",
            BIGINT,
            "Carrier chosen by the customer (cargo_companies.pk)",
            path="cargo_company.pk",
        ),
        column("tracking_number", TEXT, "Tracking number of the shipment"),
        column("tracking_url", TEXT, "Address at which the shipment is tracked", provenance=Provenance.SEEN),
        column("carrier_shipping_code", TEXT, "Code of the shipment at the carrier", provenance=Provenance.SEEN),
        column(
            "delivery_type",
            TEXT,
            "Kind of delivery",
            provenance=Provenance.SEEN,
            values=("standard", "same_day"),
        ),
        column("delivery_range", JSON, "Agreed delivery window, start and end", provenance=Provenance.OPENAPI),
        column("shipping_option_slug", TEXT, "Slug of the shipping option", provenance=Provenance.SEEN),
        column("invoice_number", TEXT, "Invoice number; empty before invoicing"),
        column("invoice_date", TIMESTAMP, "When the invoice was made, UTC", provenance=Provenance.SEEN),
        column("e_archive_url", TEXT, "Address of the electronic invoice"),
        column("cancel_status", TEXT, "State of a cancellation or return", values=CANCEL_STATUSES),
        column("cancellation_info", JSON, "Running cancellation; emptied when it has ended"),
        column("is_send", BOOLEAN, "Whether the order was reported to the ERP"),
        column("external_status", TEXT, "Status in an outside system"),
        column(
            "client_type",
            TEXT,
            "Client the order was placed with",
            values=("default", "ios", "android", "instore"),
        ),
        column("language_code", TEXT, "Language of the customer when ordering"),
        column("remote_addr", TEXT, "IP address the order was placed from", personal=Personal.NETWORK),
        column("has_gift_box", BOOLEAN, "Whether a gift box was ordered"),
        column("gift_box_note", TEXT, "Note for the gift box", personal=Personal.TEXT),
        column("notes", TEXT, "Notes of the customer", provenance=Provenance.SEEN, personal=Personal.TEXT),
        column("segment", TEXT, "Customer segment at the time of the order", provenance=Provenance.SEEN),
        column("extra_field", JSON, "Free fields of the tenant"),
        column(
            "tombstoned_at",
            TIMESTAMP,
            "When the shop had the order no more, UTC; the other values are then those that it had last",
            path="fetched_at",
            provenance=Provenance.DERIVED,
            origin=Origin.GONE_AT,
        ),
    ),
)

# Where transactions repeat their order, and which field of the order each field of the copy repeats. Fields that are
# not listed here are columns of their own (origin FOLDED). A copy that differs from its order is kept as unmapped.
COPY_PATH = "transaction_set[].order"
COPIES = {
    "channel": "channel.pk",
    "customer": "customer.pk",
    "shipping_address": "shipping_address.pk",
    "billing_address": "billing_address.pk",
    "payment_option": "payment_option.pk",
    "installment": "installment.pk",
    "cargo_company": "cargo_company.pk",
    "fundstransfertransaction_set": "fundstransfertransaction_set[].pk",
    **{
        name: name
        for name in (
            "pk", "number", "status", "date_placed", "currency", "amount", "shipping_amount", "shipping_tax_rate",
            "extra_field", "payment_option_slug", "bin_number", "installment_count", "delivery_type",
            "installment_interest_amount", "invoice_number", "invoice_date", "e_archive_url", "refund_amount",
            "discount_refund_amount", "shipping_refund_amount", "discount_amount", "is_send", "net_shipping_amount",
            "shipping_interest_amount", "tracking_number", "carrier_shipping_code", "remote_addr", "has_gift_box",
            "gift_box_note", "external_status", "client_type", "language_code", "notes", "delivery_range",
            "shipping_option_slug", "segment",
        )
    },
}  # fmt: skip
