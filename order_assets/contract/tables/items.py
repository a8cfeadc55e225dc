"""Declares what is in an order: its items and its discounts, from their own documents.

The inner fields of product, price list and stock list are nowhere documented: their keys are columns, the objects
themselves are kept as JSON.
"""

from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    JSON,
    MONEY,
    TEXT,
    TIMESTAMP,
    Document,
    Kind,
    Origin,
    Provenance,
    Source,
    Table,
    column,
    created_date,
    decimal,
    modified_date,
    order_pk,
    pk,
    position,
)
from order_assets.contract.tables.orders import CANCEL_STATUSES, STATUSES

_OPENAPI = Provenance.OPENAPI
_SEEN = Provenance.SEEN
_ASSUMED = Provenance.ASSUMED

ORDER_ITEMS = Table(
    name="order_items",
    description="Items of orders; one row per unit, or per several units where the shop merges them",
    grain="one row per order item",
    kind=Kind.CHILD,
    key=("pk",),
    sources=(Source(Document.ITEMS, "[]"),),
    columns=(
        order_pk(),
        position(),
        pk("order item"),
        column("item_order_pk", BIGINT, "Order that the item itself names (orders.pk)", path="order"),
        column("parent_pk", BIGINT, "Item that this one was split from", path="parent", provenance=_SEEN),
        column("product_pk", BIGINT, "Product key", path="product.pk", provenance=_ASSUMED),
        column("product_sku", TEXT, "Stock keeping unit of the product", path="product.sku", provenance=_ASSUMED),
        column(
            "product_base_code",
            TEXT,
            "Base code of the product",
            path="product.base_code",
            provenance=_ASSUMED,
        ),
        column("product_name", TEXT, "Name of the product", path="product.name", provenance=_ASSUMED),
        column("product", JSON, "The product as it was delivered"),
        column("status", TEXT, "Status code, a number as text", values=STATUSES),
        column(
            "status_display", TEXT, "Name of the status code", values=[status.meaning for status in STATUSES.values()]
        ),
        column("cancel_status", TEXT, "State of a cancellation or return", values=CANCEL_STATUSES),
        column("price_currency", TEXT, "Currency of the prices, ISO 4217 in lower case"),
        column("price", MONEY, "Price of the row before discounts of the order, which are beside it"),
        column("retail_price", MONEY, "Price before reductions", provenance=_SEEN),
        column("tax_rate", decimal(9, 4), "Tax rate, percent"),
        column("discount_amount", MONEY, "Discount on the row", provenance=_SEEN),
        column("installment_interest_amount", MONEY, "Instalment interest on the row", provenance=_OPENAPI),
        column("price_list_pk", BIGINT, "Price list key", path="price_list.pk", provenance=_ASSUMED),
        column("price_list", JSON, "The price list as it was delivered"),
        column("stock_list_pk", BIGINT, "Stock list key", path="stock_list.pk", provenance=_ASSUMED),
        column("stock_list", JSON, "The stock list as it was delivered"),
        column("invoice_number", TEXT, "Invoice number; empty before invoicing"),
        column("invoice_date", TIMESTAMP, "When the invoice was made, UTC", provenance=_SEEN),
        column("e_archive_url", TEXT, "Address of the electronic invoice"),
        column("shipping_company", TEXT, "Carrier of the item", provenance=_OPENAPI),
        column("shipment_code", TEXT, "Code of the shipment", provenance=_OPENAPI),
        column("tracking_number", TEXT, "Tracking number of the shipment", provenance=_SEEN),
        column("carrier_shipping_code", TEXT, "Code of the shipment at the carrier", provenance=_SEEN),
        column("delivered_date", TIMESTAMP, "When the item was delivered, UTC", provenance=_SEEN),
        column("estimated_delivery_date", TIMESTAMP, "When delivery is expected, UTC", provenance=_SEEN),
        column("is_tradable", BOOLEAN, "Whether the item may be traded in", provenance=_OPENAPI),
        column("forced_refund", BOOLEAN, "Whether a refund was forced", provenance=_OPENAPI),
        column("datasource_pk", BIGINT, "Data source key", path="datasource", provenance=_OPENAPI),
        column("reconciliation_pk", BIGINT, "Reconciliation key", path="reconciliation", provenance=_OPENAPI),
        column(
            "cancellation_reconciliation_pk",
            BIGINT,
            "Reconciliation key of the cancellation",
            path="cancellation_reconciliation",
            provenance=_OPENAPI,
        ),
        column(
            "original_stock_pk",
            BIGINT,
            "Stock the item was first taken from",
            path="original_stock",
            provenance=_OPENAPI,
        ),
        column(
            "shipping_option_group_pk",
            BIGINT,
            "Group of shipping options",
            path="shipping_option_group",
            provenance=_OPENAPI,
        ),
        column("extra_field", JSON, "Free fields of the tenant", provenance=_OPENAPI),
        column("attributes", JSON, "Attributes; merged items keep their quantity here", provenance=_OPENAPI),
        column("attributes_kwargs", JSON, "Attributes with their labels", provenance=_OPENAPI),
        column("localized_attributes", JSON, "Attributes by language", provenance=_OPENAPI),
        column(
            "localized_attributes_kwargs",
            JSON,
            "Attributes with their labels by language",
            provenance=_OPENAPI,
        ),
        modified_date("item"),
        created_date("item"),
    ),
)

DISCOUNT_ITEMS = Table(
    name="discount_items",
    description="Discounts given on orders: campaigns, coupons, basket offers",
    grain="one row per discount of an order",
    kind=Kind.CHILD,
    key=("pk",),
    sources=(Source(Document.DISCOUNTS, "[]"),),
    columns=(
        order_pk(),
        position(),
        pk("discount item"),
        column("discount_order_pk", BIGINT, "Order that the discount itself names (orders.pk)", path="order"),
        column("name", TEXT, "Name of the discount"),
        column("amount", MONEY, "Amount of the discount"),
        column("offer_type", TEXT, "Kind of offer"),
        column("session_offer_type", TEXT, "Kind of offer within the shopping session"),
        column("code", TEXT, "Coupon code, if one was used"),
        column("promotion_pk", BIGINT, "Promotion key", path="promotion.pk"),
        column("promotion_name", TEXT, "Name of the promotion", path="promotion.name"),
        column("promotion_slug", TEXT, "Slug of the promotion", path="promotion.slug"),
        column(
            "promotion_modified_date",
            TIMESTAMP,
            "When the promotion was last changed, UTC",
            path="promotion.modified_date",
        ),
        column(
            "promotion_created_date",
            TIMESTAMP,
            "When the promotion was created, UTC",
            path="promotion.created_date",
        ),
        modified_date("discount"),
        created_date("discount"),
    ),
)

DISCOUNT_APPLICANTS = Table(
    name="discount_applicants",
    description="Items that received a discount (benefit) or satisfied its condition (condition)",
    grain="one row per discount, role and item",
    kind=Kind.CHILD,
    key=("discount_item_pk", "role", "position"),
    sources=(
        Source(Document.DISCOUNTS, "[].benefitapplicant_set[]", label="benefit"),
        Source(Document.DISCOUNTS, "[].conditionapplicant_set[]", label="condition"),
    ),
    columns=(
        order_pk(),
        column(
            "discount_item_pk",
            BIGINT,
            "Discount that the row belongs to (discount_items.pk)",
            path="pk",
            required=True,
            origin=Origin.OWNER,
        ),
        column(
            "role",
            TEXT,
            "Whether the item received the discount or satisfied its condition",
            required=True,
            values=("benefit", "condition"),
            provenance=Provenance.DERIVED,
            origin=Origin.LABEL,
        ),
        position(),
        column("pk", BIGINT, "Primary key of the applicant row", provenance=_ASSUMED),
        column("order_item_pk", BIGINT, "Item (order_items.pk)", path="order_item", provenance=_OPENAPI),
        column(
            "applicant_discount_item_pk",
            BIGINT,
            "Discount that the applicant itself names (discount_items.pk)",
            path="discount_item",
            provenance=_OPENAPI,
        ),
        modified_date("applicant"),
        created_date("applicant"),
    ),
)

TABLES = (ORDER_ITEMS, DISCOUNT_ITEMS, DISCOUNT_APPLICANTS)
