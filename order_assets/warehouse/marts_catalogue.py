"""The marts, in the order in which they are made, and what their columns mean.

How a column is computed stands in `sql/marts/`, once, and nowhere here.
"""

from __future__ import annotations

from order_assets.contract.orders import STATUSES
from order_assets.warehouse.marts import Mart, Refresh, in_mart, to_thing

_ORDER = {
    "date": "Day that the order was placed in, in the business time zone",
    "order_pk": "Order (orders.pk)",
}
_ORDERED_BY = {
    "channel_pk": "Sales channel (channels.pk)",
    "customer_pk": "Customer (customers.pk)",
}
_CURRENCY = {"currency": "Currency of the amounts, ISO 4217 in lower case"}
_IS_ORDER_CURRENCY = {"is_order_currency": "Whether that is the currency of the order; fct_orders adds up no other"}
_SOURCE = {
    "source": "Table that the row comes from, in the schema orders",
    "position": "Place of the row in its set, counted from 0",
    "transaction_pk": "Key of the transaction in that table; unknown sets may have none",
}
_POS = {
    "pos_pk": "Terminal used (pos.pk)",
    "pos_slug": "Slug of the terminal when the transaction was made",
}
_PLACED_AT = {"placed_at": "When the customer placed the order, UTC"}
_STATUS_GROUP = {
    "status_group": "Group of the status code of the order: "
    + ", ".join(dict.fromkeys(status.group for status in STATUSES.values()))
    + "; deleted where the shop has the order no more, other for codes that are not known",
}
_IS_SALE = {
    "is_sale": "Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is "
    "only asked for is a sale still",
}
_GEOGRAPHY = {"geography_key": "Place of the shipping address (dim_geography); empty without an address"}
_TO_ORDER = in_mart("fct_orders", "date", "order_pk")
_TO_CHANNEL = to_thing("channel_pk", "channels")

MONEY_MOVEMENTS = Mart(
    name="money_movements",
    description="Transactions of all kinds under one head: purchases, authorisations and refunds, also failed ones",
    grain="one row per transaction of an order",
    key=("date", "order_pk", "source", "position"),
    refresh=Refresh.DAYS,
    columns=_ORDER
    | _SOURCE
    | {
        "kind": "Kind of transaction in lower case, such as purchase, pre_purchase or refund; purchase where nothing "
        "is said",
        "effect": "What it does to money if it went well: take, reserve, give_back, or none for kinds that are not "
        "known",
        "succeeded": "Whether it went well; only card transactions always say so, others count as long as they do not "
        "say otherwise",
        "created_at": "When it was made, UTC",
        "amount": "Amount that was or should have been moved, positive also for refunds",
    }
    | _CURRENCY
    | _IS_ORDER_CURRENCY
    | _POS
    | _STATUS_GROUP
    | _IS_SALE,
)

FCT_ORDER_ITEMS = Mart(
    name="fct_order_items",
    description="Items of orders",
    grain="one row per order item",
    key=("date", "item_pk"),
    refresh=Refresh.DAYS,
    columns=_ORDER
    | {"item_pk": "Item (order_items.pk)", "position": "Place of the item in its order, counted from 0"}
    | _PLACED_AT
    | _ORDERED_BY
    | {
        "product_pk": "Product key",
        "product_sku": "Stock keeping unit of the product",
        "product_base_code": "Base code of the product",
        "product_name": "Name of the product",
        "status": "Status code of the item",
        "status_display": "Name of the status code",
        "cancel_status": "State of a cancellation or return of the item",
    }
    | _CURRENCY
    | _IS_ORDER_CURRENCY
    | {
        "quantity": "Units in the row: the attribute quantity of merged items, else 1; empty where what is given "
        "cannot be read, which the check quantities_are_read reports",
        "retail_price": "Price of the row before reductions",
        "price": "Price of the row",
        "discount_amount": "Discounts on the row",
        "net_amount": "Price without the discounts on the row",
        "tax_rate": "Tax rate, percent",
        "discounts": "Discounts of the order that the item benefits from",
        "delivered_at": "When the item was delivered, UTC",
    }
    | _STATUS_GROUP
    | _IS_SALE,
    references=(_TO_ORDER, _TO_CHANNEL),
)

FCT_PAYMENTS = Mart(
    name="fct_payments",
    description="Attempts to pay an order, by all means of payment; refunds are in fct_refunds",
    grain="one row per attempt to pay or to authorise a payment",
    key=("date", "order_pk", "source", "position"),
    refresh=Refresh.DAYS,
    columns=_ORDER
    | _SOURCE
    | _ORDERED_BY
    | {
        "payment_kind": "Means of payment, by the table that the row comes from",
        "kind": "Kind of transaction: purchase or pre_purchase; purchase where nothing is said",
        "attempted_at": "When the attempt was made, UTC",
        "attempt_number": "Which attempt of the order it is with this means and kind, counted from 1",
        "succeeded": "Whether it went well; only card transactions always say so, others count as long as they do not "
        "say otherwise",
        "retries_until_success": "Attempts of this means and kind before the first that went well; empty if none did",
        "amount": "Amount asked for",
        "captured_amount": "Amount that the attempt brought in: nothing for failed ones and for authorisations",
    }
    | _CURRENCY
    | _IS_ORDER_CURRENCY
    | _POS
    | {
        "pos_name": "Name of the terminal",
        "gateway": "Implementation behind the terminal",
        "installment_count": "Number of instalments of a card payment",
        "card": "Card programme of a card payment",
        "card_type": "Card type of a card payment",
        "bank": "Bank of the card",
    }
    | _STATUS_GROUP
    | _IS_SALE,
    references=(_TO_ORDER, _TO_CHANNEL, to_thing("pos_pk", "pos")),
)

FCT_REFUNDS = Mart(
    name="fct_refunds",
    description="Money that went back: refund transactions that went well, and what an order says beyond them",
    grain="one row per refund",
    key=("date", "order_pk", "source", "position"),
    refresh=Refresh.DAYS,
    columns=_ORDER
    | {
        "source": "Table that the refund comes from; for what no transaction shows, cancellation_plans or orders",
        "position": "Place of the row in its set, counted from 0",
        "transaction_pk": "Key of the transaction in that table, if the refund has one",
        "plan_pk": "Cancellation plan, where the order has only one, or no transaction shows the refund",
        "plan_type": "Whether the plan cancels or refunds",
    }
    | _ORDERED_BY
    | _PLACED_AT
    | {
        "refunded_at": "When the money went back, UTC; without a transaction when the plan was last changed",
        "amount": "Amount refunded",
    }
    | _CURRENCY
    | _IS_ORDER_CURRENCY
    | {
        "is_restated": "Whether the row says in the currency of the order what refund transactions in other currencies "
        "moved: the same money once more, so fct_orders does not count it as a refund",
    }
    | _STATUS_GROUP
    | _IS_SALE,
    references=(_TO_ORDER, _TO_CHANNEL),
)

FCT_ORDERS = Mart(
    name="fct_orders",
    description="Orders with what lies below them counted once",
    grain="one row per order",
    key=("date", "order_pk"),
    refresh=Refresh.DAYS,
    columns=_ORDER
    | {"number": "Order number shown to people"}
    | _PLACED_AT
    | {
        "channel_pk": "Sales channel (channels.pk)",
        "channel_name": "Name of the channel on that day",
        "channel_type": "Kind of channel",
        "customer_pk": "Customer (customers.pk)",
        "client_type": "Client the order was placed with",
        "status": "Status code, a number as text",
        "status_display": "Name of the status code",
    }
    | _STATUS_GROUP
    | _IS_SALE
    | {
        "tombstoned_at": "When the shop had the order no more, UTC; empty while it has it",
        "cancel_status": "State of a cancellation or return",
        "first_status": "Status that the order was first seen in",
        "first_status_at": "When that status was reached at the latest, UTC",
        "last_status_at": "When the present status was reached at the latest, UTC",
        "status_changes": "Changes of the status that were seen",
        "payment_kind": "Kind of the payment option",
        "payment_option_slug": "Slug of the payment option when the order was placed",
        "installment_count": "Number of instalments",
        "payment_attempts": "Attempts to pay or to authorise (fct_payments)",
        "failed_payments": "Those that failed",
        "delivery_type": "Kind of delivery",
    }
    | _GEOGRAPHY
    | {
        "country_code": "ISO 3166 code of the country of the shipping address, in lower case",
        "country": "Country of the shipping address",
        "city": "City of the shipping address",
    }
    | _CURRENCY
    | {
        "gross_amount": "Order amount before discounts, with shipping",
        "discount_amount": "Sum of discounts, as the order says it",
        "shipping_amount": "Shipping fee",
        "amount": "Order amount: after discounts, with shipping",
        "refunded_amount": "Amount refunded so far, as the order says it; single refunds are in fct_refunds",
        "net_amount": "Order amount without what was refunded; of orders never paid too, so look at is_sale",
        "items_amount": "Prices of the items in the currency of the order, before discounts",
        "paid_amount": "What payments brought in, in the currency of the order; marketplaces show no payments",
        "items": "Rows of items",
        "quantity": "Units in them; empty where it is empty for an item",
        "distinct_skus": "Different stock keeping units",
        "discounts": "Discounts given (discount_items)",
        "refunds": "Refunds (fct_refunds), none twice that moved in another currency",
    },
    references=(
        _TO_CHANNEL,
        in_mart("dim_customers", "customer_pk", "currency"),
        in_mart("dim_geography", "geography_key"),
    ),
)

FCT_SHIPMENTS = Mart(
    name="fct_shipments",
    description="Orders that were handed to a carrier, and how long their way took",
    grain="one row per order that was handed to a carrier",
    key=("date", "order_pk"),
    refresh=Refresh.DAYS,
    columns=_ORDER
    | _ORDERED_BY
    | {
        "carrier": "Carrier: of the order, else of its exchanges with carriers, else of its items",
        "cargo_company_pk": "Carrier chosen by the customer (cargo_companies.pk)",
        "delivery_type": "Kind of delivery",
    }
    | _GEOGRAPHY
    | {
        "country": "Country of the shipping address",
        "city": "City of the shipping address",
        "status": "Status code of the order",
    }
    | _STATUS_GROUP
    | _IS_SALE
    | {"exchanges": "Exchanges with carriers (shipping_infos)", "accepted": "Those that the carrier accepted"}
    | _PLACED_AT
    | {
        "shipped_at": "When the order was shipped, UTC; empty if nothing dates it",
        "shipped_from": "Table that dates it: order_status_history, if the change was seen, else shipping_infos",
        "delivered_at": "When the order was delivered, UTC; empty if nothing dates it",
        "delivered_from": "Table that dates it: order_status_history, if the change was seen, else order_items",
        "hours_to_ship": "Hours from placing to shipping",
        "hours_in_transit": "Hours from shipping to delivery",
        "hours_to_deliver": "Hours from placing to delivery",
    },
    references=(
        _TO_ORDER,
        _TO_CHANNEL,
        to_thing("cargo_company_pk", "cargo_companies"),
        in_mart("dim_geography", "geography_key"),
    ),
)

AGG_DAILY_SALES = Mart(
    name="agg_daily_sales",
    description="Orders by day, channel, currency and group of status: fct_orders added up; sales are those of is_sale",
    grain="one row per day, channel, currency, status group and whether it is a sale",
    key=("date", "channel_pk", "currency", "status_group", "is_sale"),
    refresh=Refresh.DAYS,
    columns={
        "date": "Day that the orders were placed in, in the business time zone",
        "channel_pk": "Sales channel (channels.pk)",
    }
    | _CURRENCY
    | _STATUS_GROUP
    | _IS_SALE
    | {
        "channel_name": "Name of the channel on that day",
        "orders": "Orders",
        "items": "Rows of items",
        "quantity": "Units in them, as far as they are known",
        "gross_amount": "Order amounts before discounts, with shipping",
        "discount_amount": "Discounts",
        "shipping_amount": "Shipping fees",
        "amount": "Order amounts: after discounts, with shipping",
        "refunded_amount": "Amounts refunded so far",
        "net_amount": "Order amounts without what was refunded",
        "items_amount": "Prices of the items before discounts",
        "paid_amount": "What payments brought in",
    },
    references=(_TO_CHANNEL,),
)

DIM_CUSTOMERS = Mart(
    name="dim_customers",
    description="Customers with what they ordered in each currency; nothing that names them",
    grain="one row per customer and currency",
    key=("customer_pk", "currency"),
    refresh=Refresh.WHOLE,
    columns={"customer_pk": "Customer (customers.pk)"}
    | _CURRENCY
    | {
        "channel_pk": "Sales channel of the customer (channels.pk)",
        "user_type": "Kind of account",
        "first_order_at": "When the first order was placed, UTC",
        "first_order_pk": "That order",
        "last_order_at": "When the newest order was placed, UTC",
        "last_order_pk": "That order",
        "orders": "Orders",
        "canceled_orders": "Those that were or are being canceled",
        "ordered_amount": "Amounts of all orders",
        "refunded_amount": "Amounts refunded so far",
        "deleted_orders": "Those that the shop has no more",
        "lifetime_value": "Amounts without refunds of the orders that are sales (is_sale)",
    },
    references=(to_thing("customer_pk", "customers"),),
)

DIM_GEOGRAPHY = Mart(
    name="dim_geography",
    description="Places of addresses, from the country down to the district",
    grain="one row per combination of country, city, township and district",
    key=("geography_key",),
    refresh=Refresh.WHOLE,
    columns={
        "geography_key": "Keys of country, city, township and district, 0 where there is none",
        "country_pk": "Country (countries.pk)",
        "country_code": "ISO 3166 code in lower case",
        "country": "Name of the country",
        "city_pk": "City (cities.pk)",
        "city": "Name of the city",
        "township_pk": "Township (townships.pk)",
        "township": "Name of the township",
        "district_pk": "District (districts.pk)",
        "district": "Name of the district",
    },
)

MARTS = (
    MONEY_MOVEMENTS,
    FCT_ORDER_ITEMS,
    FCT_PAYMENTS,
    FCT_REFUNDS,
    FCT_ORDERS,
    FCT_SHIPMENTS,
    AGG_DAILY_SALES,
    DIM_CUSTOMERS,
    DIM_GEOGRAPHY,
)
