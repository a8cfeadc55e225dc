"""The marts of sales once more, in Python from the rows of the tables: what was sold, canceled and returned."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from order_assets.contract.tables.orders import STATUSES
from order_assets.warehouse.meta import WarehouseSettings

Row = dict[str, Any]
ZERO, CENT = Decimal(0), Decimal("0.01")
# What the marts are made with.
SETTINGS = WarehouseSettings("Europe/Istanbul", prices_include_tax=True)
ZONE = ZoneInfo(SETTINGS.time_zone)
SALES_SUMS = [
    "returned_quantity",
    "quantity_net",
    "gross_sales",
    "order_discount",
    "canceled_sales",
    "returned_sales",
    "net_sales",
    "net_sales_excl_tax",
    "tax_amount",
    "shipping_income",
    "total_sales",
]


def sold(order: Row, item: Row, is_sale: bool) -> Row:
    """What an item adds to the sales of its order."""
    price, discount = item["price"], item["discount_amount"] or ZERO
    is_canceled = "100" in (item["status"], order["status"])
    is_returned = "600" in (item["status"], order["status"]) and not is_canceled
    is_kept = is_sale and not is_canceled and not is_returned
    net = price - discount
    quantity = Decimal(json.loads(item["attributes"] or "{}").get("quantity", 1))
    kept = net if is_kept else ZERO
    rate = item["tax_rate"]
    tax = (kept * rate / (100 + rate)).quantize(CENT, ROUND_HALF_UP) if kept else ZERO
    delivered, promised = item["delivered_date"], item["estimated_delivery_date"]
    return {
        "is_canceled": is_canceled,
        "is_returned": is_returned,
        "returned_quantity": quantity if is_returned else ZERO,
        "quantity_net": quantity if is_kept else ZERO,
        "gross_sales": price if is_sale else ZERO,
        "order_discount": discount if is_sale else ZERO,
        "canceled_sales": net if is_sale and is_canceled else ZERO,
        "returned_sales": net if is_sale and is_returned else ZERO,
        "net_sales": kept,
        "tax_amount": tax,
        "net_sales_excl_tax": kept - tax,
        "promised_at": promised,
        "is_late": None if delivered is None or promised is None else delivered > promised,
    }


def sales_of_order(order: Row, items: Iterable[Row], is_sale: bool) -> Row:
    """What an order sold; its items have the columns of `sold`."""
    items = list(items)
    own = [item for item in items if item["is_order_currency"]]
    summed = ("gross_sales", "canceled_sales", "returned_sales")
    shipping = (order["shipping_amount"] or ZERO) - (order["shipping_refund_amount"] or ZERO) if is_sale else ZERO
    refund = order["refund_amount"] or ZERO
    total = order["amount"] - refund if is_sale else ZERO
    same = (
        "payment_option_pk cargo_company_pk has_gift_box shipping_refund_amount discount_refund_amount"
        " shipping_tax_rate installment_interest_amount shipping_interest_amount"
    )
    return {
        "order_date": order["date"],
        "placed_local": order["date_placed"].astimezone(ZONE).replace(tzinfo=None),
        "is_deleted": order["tombstoned_at"] is not None,
        **{column: order[column] for column in same.split()},
        **{column: sum((item[column] for item in own), ZERO) for column in summed},
        "order_discount": (order["discount_amount"] or ZERO) if is_sale else ZERO,
        "net_sales": total - shipping,
        "net_sales_excl_tax": sum(i["net_sales_excl_tax"] for i in own) if items else None,
        "tax_amount": sum(i["tax_amount"] for i in own) if items else None,
        "shipping_income": shipping,
        "total_sales": total,
        "refund_state": "none" if not refund else "full" if refund >= order["amount"] else "partial",
        "foreign_items": len(items) - len(own),
        "returned_quantity": sum((item["returned_quantity"] for item in items), ZERO),
        "quantity_net": sum((item["quantity_net"] for item in items), ZERO),
    }


def add_customer_numbers(tables: Any, orders: list[Row]) -> None:
    """Give each order the number that it has among the sales of its customer."""
    seen: dict[int, int] = defaultdict(int)
    for order in sorted(orders, key=lambda order: (order["placed_at"], order["order_pk"])):
        order |= {"customer_order_number": None, "is_new_customer": None}
        customer = order["customer_pk"]
        if customer is None or not order["is_sale"]:
            continue
        seen[customer] += 1
        account = tables.newest("customers", customer)
        joined = account.get("date_joined")
        is_young = joined is not None and joined >= order["placed_at"] - timedelta(days=1)
        is_new = True if is_young and account["user_type"] != "guest" else None
        order["customer_order_number"] = seen[customer]
        order["is_new_customer"] = False if seen[customer] > 1 else is_new


def sales_marts(tables: Any, rows: Mapping[str, list[Row]]) -> dict[str, pd.DataFrame]:
    """The marts that are made from the orders and items, each with a row per row of theirs."""
    orders, items = rows["fct_orders"], rows["fct_order_items"]
    marts = {
        "dim_statuses": _statuses(tables),
        "dim_channels": [
            {
                "channel_pk": pk,
                "channel_name": tables.newest("channels", pk)["name"],
                "channel_type": tables.newest("channels", pk)["channel_type"],
                "is_active": tables.newest("channels", pk)["is_active"],
            }
            for pk in {channel["pk"] for channel in tables["channels"]}
        ],
        "dim_products": _products(items),
        "dim_customers": _customers(tables, orders),
        "customer_orders": [
            {column: order[column] for column in ("date", "order_pk", "customer_order_number", "is_new_customer")}
            for order in orders
            if order["customer_order_number"] is not None
        ],
        "agg_daily_products": _daily_products(items),
        "fct_order_discounts": [row for order in tables["orders"] for row in _discounts(tables, order, items)],
        "fct_returns": [row for order in tables["orders"] for row in _returns(tables, order, items)],
    }
    return {mart: pd.DataFrame(of_mart) for mart, of_mart in marts.items()}


def _statuses(tables: Any) -> list[Row]:
    rows = [
        {
            "status": code,
            "name": status.meaning,
            "status_group": status.group,
            "rank": status.rank,
            "is_sale": code not in ("100", "200", "300", "350", "425"),
            "is_open": code not in ("100", "550", "600"),
            "is_final": code in ("100", "550", "600"),
            "is_known": True,
        }
        for code, status in STATUSES.items()
    ]
    seen = {row["status"]: row["status_display"] for row in (*tables["orders"], *tables["order_items"])}
    return rows + [
        {
            "status": code,
            "name": name,
            "status_group": "other",
            "rank": None,
            "is_sale": True,
            "is_open": True,
            "is_final": False,
            "is_known": False,
        }
        for code, name in seen.items()
        if code not in STATUSES
    ]


def _products(items: list[Row]) -> list[Row]:
    by_sku: dict[str, list[Row]] = defaultdict(list)
    for item in sorted(items, key=lambda item: (item["placed_at"], item["item_pk"])):
        if item["product_sku"] is not None:
            by_sku[item["product_sku"]].append(item)
    return [
        {
            "product_sku": sku,
            "product_pk": of_sku[-1]["product_pk"],
            "base_code": of_sku[-1]["product_base_code"],
            "product_name": of_sku[-1]["product_name"],
            "first_sold": min((item["date"] for item in of_sku if item["is_sale"]), default=None),
            "last_sold": max((item["date"] for item in of_sku if item["is_sale"]), default=None),
        }
        for sku, of_sku in by_sku.items()
    ]


def _customers(tables: Any, orders: list[Row]) -> list[Row]:
    by_customer: dict[int, list[Row]] = defaultdict(list)
    for order in sorted(orders, key=lambda order: (order["placed_at"], order["order_pk"])):
        if order["customer_pk"] is not None:
            by_customer[order["customer_pk"]].append(order)
    newest = max(order["date"] for of_customer in by_customer.values() for order in of_customer)
    rows = []
    for customer, ordered in by_customer.items():
        account, sales = tables.newest("customers", customer), [order for order in ordered if order["is_sale"]]
        rows.append(
            {
                "customer_pk": customer,
                "channel_pk": account.get("channel_pk"),
                "user_type": account.get("user_type"),
                "is_active": account.get("is_active"),
                "joined_at": account.get("date_joined"),
                **{f"{way}_allowed": account.get(f"{way}_allowed") for way in ("email", "sms", "call")},
                "first_order_at": ordered[0]["placed_at"],
                "first_order_pk": ordered[0]["order_pk"],
                "last_order_at": ordered[-1]["placed_at"],
                "last_order_pk": ordered[-1]["order_pk"],
                "first_sale_date": sales[0]["date"] if sales else None,
                "first_sale_order_pk": sales[0]["order_pk"] if sales else None,
                "last_sale_date": sales[-1]["date"] if sales else None,
                "days_since_last_sale": (newest - sales[-1]["date"]).days if sales else None,
                "order_count": len(ordered),
                "sale_count": len(sales),
                "canceled_order_count": sum(order["status_group"] == "canceled" for order in ordered),
                "deleted_order_count": sum(order["is_deleted"] for order in ordered),
                "is_first_order_certain": any(order["is_new_customer"] is True for order in ordered),
            }
        )
    return rows


def _daily_products(items: list[Row]) -> list[Row]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for item in items:
        if item["is_sale"]:
            groups[item["date"], item["product_sku"], item["channel_pk"], item["currency"]].append(item)
    sums = ("quantity", "returned_quantity", "quantity_net", *SALES_SUMS[2:8])
    return [
        {
            **dict(zip(("date", "product_sku", "channel_pk", "currency"), key, strict=True)),
            "order_date": key[0],
            "order_count": len({item["order_pk"] for item in of_group}),
            "canceled_quantity": sum((item["quantity"] for item in of_group if item["is_canceled"]), ZERO),
            **{column: sum((item[column] for item in of_group), ZERO) for column in sums},
        }
        for key, of_group in groups.items()
    ]


def _discounts(tables: Any, order: Row, items: list[Row]) -> Iterable[Row]:
    of_order = {item["item_pk"]: item for item in items if item["order_pk"] == order["pk"]}
    applicants = [row for row in tables.of("discount_applicants", order) if row["role"] == "benefit"]
    known = next(iter(of_order.values()), {})
    for discount in tables.of("discount_items", order):
        pks = {row["order_item_pk"] for row in applicants if row["discount_item_pk"] == discount["pk"]} & set(of_order)
        benefiting = sorted((of_order[pk] for pk in pks), key=lambda item: item["position"])
        said = [item["discount_amount"] for item in benefiting]
        is_said = all(item["discounts"] == 1 for item in benefiting) and sum(said) == discount["amount"]
        weights = [int(item["price"] * 100) for item in benefiting]
        cents = int(discount["amount"] * 100)
        sofar = 0
        for item, weight in zip(benefiting or [None], weights or [0], strict=True):
            part = discount["amount"]
            if item is not None:
                until = sofar + weight
                part = Decimal(cents * until // sum(weights) - cents * sofar // sum(weights)) * CENT
                sofar = until
            yield {
                "date": order["date"],
                "order_date": order["date"],
                "order_pk": order["pk"],
                "discount_item_pk": discount["pk"],
                "item_pk": item and item["item_pk"],
                "channel_pk": order["channel_pk"],
                "discount_name": discount["name"],
                **{c: discount[c] for c in ("promotion_pk", "promotion_name", "offer_type", "code")},
                "currency": order["currency"],
                "discount_total": discount["amount"],
                "allocated_amount": item["discount_amount"] if item is not None and is_said else part,
                "allocated_by": "whole" if item is None else "item" if is_said else "price",
                **{column: known[column] for column in ("status_group", "is_sale")},
            }


def _returns(tables: Any, order: Row, items: list[Row]) -> Iterable[Row]:
    of_order = {item["item_pk"]: item for item in items if item["order_pk"] == order["pk"]}
    for plan in tables.of("cancellation_plans", order):
        raw = json.loads(plan["raw"])
        settled = plan["status"] in ("completed", "rejected")
        for pk in raw["cancel_items"] or [None]:
            item = of_order.get(pk, {})
            yield {
                "date": order["date"],
                "order_date": order["date"],
                "order_pk": order["pk"],
                "plan_position": plan["position"],
                "plan_pk": plan["pk"],
                "item_pk": pk,
                "channel_pk": order["channel_pk"],
                "plan_type": plan["plan_type"],
                "status": plan["status"],
                "is_carried_out": plan["status"] not in ("waiting", "rejected"),
                "is_settled": settled,
                "reason": str(raw["reasons"][str(pk)]) if pk is not None else None,
                "requested_at": plan["created_date"],
                "requested_date": plan["created_date"].astimezone(ZONE).date(),
                "finished_at": plan["modified_date"] if settled else None,
                "finished_date": plan["modified_date"].astimezone(ZONE).date() if settled else None,
                "product_sku": item.get("product_sku"),
                "quantity": item.get("quantity"),
                "amount": item.get("net_amount"),
                "currency": item.get("currency", order["currency"]),
                "is_sale": order["status"] not in ("100", "200", "300", "350", "425") and not order["tombstoned_at"],
            }
