"""The marts once more, in pandas from the Parquet files, row by row and without any of the project's SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from order_assets.contract import CONTRACT, Kind
from order_assets.warehouse import table_files
from order_assets_tests.warehouse.recomputed_sales import (
    SALES_SUMS,
    add_customer_numbers,
    sales_marts,
    sales_of_order,
    sold,
)

Row = dict[str, Any]
ZERO = Decimal(0)
GROUPS = {
    "waiting": ("200", "300", "350"),
    "in_progress": ("400", "450"),
    "on_the_way": ("500", "510", "520", "540"),
    "delivered": ("544", "545", "546", "547", "550"),
    "canceled": ("50", "100"),
    "refunded": ("600",),
    "inactive": ("425",),
}
EFFECTS = {"purchase": "take", "pre_purchase": "reserve", "refund": "give_back"}
MEANS = {
    "transactions": "credit_card",
    "funds_transfer_transactions": "funds_transfer",
    "pay_on_delivery_transactions": "pay_on_delivery",
    "loyalty_transactions": "loyalty_money",
    "bex_transactions": "bex",
    "cash_register_transactions": "cash_register",
}


class Tables:
    """Rows of the Parquet files of some days, by table; every row has its day as `date`."""

    def __init__(self, root: Path, days: Sequence[date]) -> None:
        self._rows: dict[str, list[Row]] = {}
        for table in CONTRACT:
            self._rows[table.name] = [
                {"date": day} | row
                for day in days
                for row in pq.ParquetFile(table_files(root, table.name, day)).read().to_pylist()
            ]
        self._of_order: dict[str, dict[tuple[date, int], list[Row]]] = {}
        self._things = {
            table.name: {(row["date"], row["pk"]): row for row in self[table.name]}
            for table in CONTRACT.of_kind(Kind.DIMENSION)
        }

    def __getitem__(self, table: str) -> list[Row]:
        return self._rows[table]

    def of(self, table: str, order: Row) -> list[Row]:
        """The rows of an order in a table, by position."""
        if table not in self._of_order:
            by_order: dict[tuple[date, int], list[Row]] = {}
            for row in self[table]:
                by_order.setdefault((row["date"], row["order_pk"]), []).append(row)
            self._of_order[table] = by_order
        return self._of_order[table].get((order["date"], order["pk"]), [])

    def thing(self, table: str, day: date, pk: int | None) -> Row:
        """The version of a thing on a day, or an empty row."""
        return self._things[table].get((day, pk), {}) if pk is not None else {}

    def newest(self, table: str, pk: int | None) -> Row:
        """The newest version of a thing, or an empty row."""
        versions = [row for row in self[table] if row["pk"] == pk]
        dated = [row for row in versions if row.get("modified_date")] or versions
        return max(dated, key=lambda row: (row.get("modified_date") or row["date"], row["date"]), default={})


def recomputed(tables: Tables) -> dict[str, pd.DataFrame]:
    """All marts, one row per row of theirs."""
    makers: dict[str, Callable[[Tables, Row], Iterable[Row]]] = {
        "money_movements": _movements,
        "fct_order_items": _items,
        "fct_payments": _payments,
        "fct_refunds": _refunds,
        "fct_orders": lambda tables, order: [_order(tables, order)],
        "fct_shipments": _shipments,
    }
    rows = {mart: [row for o in tables["orders"] for row in make(tables, o)] for mart, make in makers.items()}
    add_customer_numbers(tables, rows["fct_orders"])
    marts = {mart: pd.DataFrame(of_mart) for mart, of_mart in rows.items()}
    orders = marts["fct_orders"]
    return marts | {
        "agg_daily_sales": _daily_sales(orders),
        "agg_customer_currency": _customers(tables, orders),
        **sales_marts(tables, rows),
        "dim_geography": pd.DataFrame(_places(tables)),
    }


def _movements(tables: Tables, order: Row) -> Iterable[Row]:
    for source in MEANS:
        for row in tables.of(source, order):
            said: Mapping[str, Any] = row if source == "transactions" else json.loads(row["raw"])
            succeeded = said.get("is_succeeded")
            yield {
                "date": order["date"],
                "order_pk": order["pk"],
                "source": source,
                "position": row["position"],
                "transaction_pk": row["pk"],
                "kind": said.get("transaction_type") or "purchase",
                "effect": EFFECTS.get(said.get("transaction_type") or "purchase", "none"),
                "succeeded": source != "transactions" if succeeded is None else succeeded,
                "created_at": row["created_date"],
                "amount": row["amount"],
                "currency": said.get("currency") or order["currency"],
                "is_order_currency": (said.get("currency") or order["currency"]) == order["currency"],
                "pos_pk": row.get("pos_pk"),
                "pos_slug": row.get("pos_slug"),
                **_of_status(order),
            }


def _items(tables: Tables, order: Row) -> Iterable[Row]:
    applicants = tables.of("discount_applicants", order)
    for row in tables.of("order_items", order):
        benefits = {
            a["discount_item_pk"] for a in applicants if a["role"] == "benefit" and a["order_item_pk"] == row["pk"]
        }
        yield {
            "date": order["date"],
            "order_date": order["date"],
            "order_pk": order["pk"],
            "item_pk": row["pk"],
            "parent_pk": row["parent_pk"],
            "position": row["position"],
            "placed_at": order["date_placed"],
            "channel_pk": order["channel_pk"],
            "customer_pk": order["customer_pk"],
            **{f"product_{name}": row[f"product_{name}"] for name in ("pk", "sku", "base_code", "name")},
            **{column: row[column] for column in ("status", "status_display", "cancel_status")},
            "currency": row["price_currency"] or order["currency"],
            "is_order_currency": (row["price_currency"] or order["currency"]) == order["currency"],
            "quantity": Decimal(json.loads(row["attributes"] or "{}").get("quantity", 1)),
            "retail_price": row["retail_price"],
            "price": row["price"],
            "discount_amount": row["discount_amount"],
            "net_amount": None if row["price"] is None else row["price"] - (row["discount_amount"] or ZERO),
            "tax_rate": row["tax_rate"],
            "discounts": len(benefits),
            "delivered_at": row["delivered_date"],
            **_of_status(order),
            **sold(order, row, _of_status(order)["is_sale"]),
        }


def _payments(tables: Tables, order: Row) -> Iterable[Row]:
    sequences: dict[tuple[str, str], list[Row]] = {}
    for move in _movements(tables, order):
        if move["kind"] != "refund":
            sequences.setdefault((move["source"], move["kind"]), []).append(move)
    for (source, kind), moves in sequences.items():
        moves.sort(key=lambda move: (move["created_at"] is None, move["created_at"], move["position"]))
        good = [number for number, move in enumerate(moves) if move["succeeded"]]
        for number, move in enumerate(moves, 1):
            pos = tables.thing("pos", order["date"], move["pos_pk"])
            by_card = source == "transactions"
            plan = tables.thing("installments", order["date"], order["installment_pk"]) if by_card else {}
            card = tables.thing("cards", order["date"], plan.get("card_pk"))
            names = ("date", "order_pk", "source", "position", "transaction_pk", "kind", "succeeded", "amount")
            others = ("currency", "is_order_currency", "pos_pk", "pos_slug", "status_group", "is_sale")
            yield {
                **{column: move[column] for column in (*names, *others)},
                "channel_pk": order["channel_pk"],
                "customer_pk": order["customer_pk"],
                "payment_kind": MEANS[source],
                "attempted_at": move["created_at"],
                "attempt_number": number,
                "retries_until_success": good[0] if good else None,
                "captured_amount": move["amount"] if move["succeeded"] and kind == "purchase" else ZERO,
                "pos_name": pos.get("name"),
                "gateway": pos.get("gateway"),
                "installment_count": order["installment_count"] if by_card else None,
                "card": card.get("name"),
                "card_type": tables.thing("card_types", order["date"], card.get("card_type_pk")).get("name"),
                "bank": tables.thing("banks", order["date"], card.get("bank_pk")).get("name"),
            }


def _refunds(tables: Tables, order: Row) -> Iterable[Row]:
    plans = [plan for plan in tables.of("cancellation_plans", order) if plan["status"] not in ("waiting", "rejected")]
    known = {
        "date": order["date"],
        "order_pk": order["pk"],
        "channel_pk": order["channel_pk"],
        "customer_pk": order["customer_pk"],
        "placed_at": order["date_placed"],
        **_of_status(order),
    }
    moved, others = ZERO, False
    for move in _movements(tables, order):
        if move["kind"] == "refund" and move["succeeded"]:
            moved += move["amount"] if move["is_order_currency"] else ZERO
            others = others or not move["is_order_currency"]
            yield {
                **known,
                "is_restated": False,
                **{c: move[c] for c in ("source", "position", "transaction_pk", "amount", "currency")},
                "is_order_currency": move["is_order_currency"],
                "plan_pk": plans[0]["pk"] if len(plans) == 1 else None,
                "plan_type": plans[0]["plan_type"] if len(plans) == 1 else None,
                "refunded_at": move["created_at"],
            }
    if (order["refund_amount"] or ZERO) > moved:
        plan = max(plans, key=lambda plan: plan["position"], default={})
        yield {
            **known,
            "source": "cancellation_plans" if plans else "orders",
            "position": plan.get("position", 0),
            "transaction_pk": None,
            "amount": order["refund_amount"] - moved,
            "currency": order["currency"],
            "is_order_currency": True,
            "is_restated": others,
            "plan_pk": plan.get("pk"),
            "plan_type": plan.get("plan_type"),
            "refunded_at": plan.get("modified_date") or plan.get("created_date"),
        }


def _order(tables: Tables, order: Row) -> Row:
    day, items, payments = order["date"], list(_items(tables, order)), list(_payments(tables, order))
    channel = tables.thing("channels", day, order["channel_pk"])
    address = tables.thing("addresses", day, order["shipping_address_pk"])
    country = tables.thing("countries", day, address.get("country_pk"))
    option = tables.thing("payment_options", day, order["payment_option_pk"])
    states = _states(tables, order)
    changes = [row for before, row in zip([None, *states], states, strict=False) if _is_change(before, row)]
    same = (
        "number channel_pk customer_pk client_type status status_display cancel_status payment_option_slug"
        " installment_count delivery_type currency discount_amount shipping_amount amount"
    )
    return {
        "date": day,
        "order_pk": order["pk"],
        **{column: order[column] for column in same.split()},
        "placed_at": order["date_placed"],
        **sales_of_order(order, items, _of_status(order)["is_sale"]),
        "channel_name": channel.get("name"),
        "channel_type": channel.get("channel_type"),
        **_of_status(order),
        "tombstoned_at": order["tombstoned_at"],
        "first_status": states[0]["status"] if states else None,
        "first_status_at": states[0]["reached_at"] if states else None,
        "last_status_at": changes[-1]["reached_at"] if changes else None,
        "status_changes": max(0, len(changes) - 1),
        "payment_kind": option.get("payment_type"),
        "payment_attempts": len(payments),
        "failed_payments": sum(not payment["succeeded"] for payment in payments),
        "geography_key": _place_key(address) if address else None,
        "country_code": country.get("code"),
        "country": country.get("name"),
        "city": tables.thing("cities", day, address.get("city_pk")).get("name"),
        "gross_amount": order["amount"] + (order["discount_amount"] or ZERO),
        "refunded_amount": order["refund_amount"],
        "net_amount": order["amount"] - (order["refund_amount"] or ZERO),
        "items_amount": sum((item["price"] for item in items if item["is_order_currency"]), ZERO),
        "paid_amount": None
        if not payments and option.get("payment_type") in (None, "marketplace")
        else sum((p["captured_amount"] for p in payments if p["is_order_currency"]), ZERO),
        "items": len(items),
        "quantity": sum((item["quantity"] for item in items), ZERO),
        "distinct_skus": len({item["product_sku"] for item in items} - {None}),
        "discounts": len(tables.of("discount_items", order)),
        "refunds": sum(not refund["is_restated"] for refund in _refunds(tables, order)),
    }


def _of_status(order: Row) -> Row:
    group = next((group for group, codes in GROUPS.items() if order["status"] in codes), "other")
    gone = order["tombstoned_at"] is not None
    no_sale = gone or order["status"] in ("100", "200", "300", "350", "425")
    return {"status_group": "deleted" if gone else group, "is_sale": not no_sale}


def _states(tables: Tables, order: Row) -> list[Row]:
    rows = sorted(tables.of("order_status_history", order), key=lambda row: row["observed_at"])
    return [row | {"reached_at": min(row["modified_date"] or row["observed_at"], row["observed_at"])} for row in rows]


def _is_change(before: Row | None, row: Row) -> bool:
    return before is None or before["status"] != row["status"]


def _shipments(tables: Tables, order: Row) -> Iterable[Row]:
    states, whole = _states(tables, order), _order(tables, order)
    infos, items = tables.of("shipping_infos", order), tables.of("order_items", order)
    accepted = [info for info in infos if info["is_send"]]
    on_the_way = {"500", "510", "540"} & {order["status"], *(state["status"] for state in states)}
    if not (accepted or on_the_way or order["tracking_number"]):
        return
    seen_shipped = [state["reached_at"] for state in states[1:] if state["status"] in ("500", "510")]
    seen_delivered = [state["reached_at"] for state in states[1:] if state["status"] == "550"]
    delivered = [item["delivered_date"] for item in items if item["delivered_date"]]
    shipped_at = min(seen_shipped or [info["created_date"] for info in accepted], default=None)
    delivered_at = min(seen_delivered) if seen_delivered else max(delivered, default=None)
    carriers = [
        tables.thing("cargo_companies", order["date"], order["cargo_company_pk"]).get("shipping_company"),
        *(info["shipping_company"] for info in infos),
        *(item["shipping_company"] for item in items),
    ]
    yield {
        **{column: whole[column] for column in ("date", "order_pk", "channel_pk", "customer_pk", "delivery_type")},
        **{column: whole[column] for column in ("geography_key", "country", "city", "status")},
        **_of_status(order),
        "carrier": next((carrier for carrier in carriers if carrier), None),
        "cargo_company_pk": order["cargo_company_pk"],
        "exchanges": len(infos),
        "accepted": len(accepted),
        "placed_at": order["date_placed"],
        "shipped_at": shipped_at,
        "shipped_from": "order_status_history" if seen_shipped else "shipping_infos" if shipped_at else None,
        "delivered_at": delivered_at,
        "delivered_from": "order_status_history" if seen_delivered else "order_items" if delivered_at else None,
        "hours_to_ship": _hours(order["date_placed"], shipped_at),
        "hours_in_transit": _hours(shipped_at, delivered_at),
        "hours_to_deliver": _hours(order["date_placed"], delivered_at),
    }


def _hours(start: Any, end: Any) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() / 3600


def _daily_sales(orders: pd.DataFrame) -> pd.DataFrame:
    kinds = ("gross", "discount", "shipping", "refunded", "net", "items", "paid")
    sums = ["items", "quantity", "amount", *(f"{kind}_amount" for kind in kinds), *SALES_SUMS]
    groups = orders.groupby(["date", "channel_pk", "currency", "status_group", "is_sale"], as_index=False, dropna=False)
    summed = groups[sums].sum()
    # Nothing is known of a group of which nothing is known of any order.
    for column in ("paid_amount", "tax_amount", "net_sales_excl_tax"):
        known = groups[column].agg(lambda values: values.notna().any())[column]
        summed[column] = summed[column].where(known.astype(bool), None)
    counts = groups.size()["size"]
    return summed.assign(
        order_date=summed["date"],
        orders=counts,
        order_count=counts,
        sale_count=counts.where(summed["is_sale"], 0),
        channel_name=groups["channel_name"].first()["channel_name"],
    )


def _customers(tables: Tables, orders: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (customer, currency), of_customer in orders.groupby(["customer_pk", "currency"]):
        ordered = of_customer.sort_values(["placed_at", "order_pk"])
        newest = tables.newest("customers", customer)
        rows.append(
            {
                "customer_pk": customer,
                "currency": currency,
                "channel_pk": newest.get("channel_pk"),
                "user_type": newest.get("user_type"),
                "first_order_at": ordered["placed_at"].iloc[0],
                "first_order_pk": ordered["order_pk"].iloc[0],
                "last_order_at": ordered["placed_at"].iloc[-1],
                "last_order_pk": ordered["order_pk"].iloc[-1],
                "orders": len(ordered),
                "order_count": len(ordered),
                "sale_count": int(ordered["is_sale"].sum()),
                "canceled_orders": int((ordered["status_group"] == "canceled").sum()),
                "deleted_orders": int((ordered["status_group"] == "deleted").sum()),
                "ordered_amount": sum(ordered["amount"], ZERO),
                "refunded_amount": sum(ordered["refunded_amount"], ZERO),
                "net_sales": sum(ordered["net_sales"], ZERO),
                "lifetime_value": sum(ordered["net_sales"], ZERO),
            }
        )
    return pd.DataFrame(rows)


def _place_key(address: Row) -> str:
    return "-".join(str(address[f"{place}_pk"] or 0) for place in ("country", "city", "township", "district"))


def _places(tables: Tables) -> list[Row]:
    rows = {}
    for address in tables["addresses"]:
        country = tables.newest("countries", address["country_pk"])
        rows[_place_key(address)] = {
            "geography_key": _place_key(address),
            "country_pk": address["country_pk"],
            "country_code": country.get("code"),
            "country": country.get("name"),
            "city_pk": address["city_pk"],
            "city": tables.newest("cities", address["city_pk"]).get("name"),
            "township_pk": address["township_pk"],
            "township": tables.newest("townships", address["township_pk"]).get("name"),
            "district_pk": address["district_pk"],
            "district": tables.newest("districts", address["district_pk"]).get("name"),
        }
    return list(rows.values())
