"""The marts once more, in pandas from the Parquet files, row by row and without any of the project's SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from order_assets.contract import CONTRACT, Kind
from order_assets.warehouse import table_files
from order_assets_tests.warehouse.recomputed_sales import (
    SALES_SUMS,
    ZONE,
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
        "fct_order_status_changes": _status_changes,
    }
    rows = {mart: [row for o in tables["orders"] for row in make(tables, o)] for mart, make in makers.items()}
    add_customer_numbers(tables, rows["fct_orders"])
    marts = {mart: pd.DataFrame(of_mart) for mart, of_mart in rows.items()}
    orders = marts["fct_orders"]
    things = _things(tables) | {"agg_daily_cash": _daily_cash(rows["fct_payments"], rows["fct_refunds"])}
    return marts | {
        **{name: pd.DataFrame(of_mart) for name, of_mart in things.items()},
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
                "modified_at": row["modified_date"],
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
    option = tables.thing("payment_options", order["date"], order["payment_option_pk"])
    known = {
        **{name: order[name] for name in ("date", "channel_pk", "customer_pk", "payment_option_pk")},
        "order_pk": order["pk"],
        "order_date": order["date"],
        "payment_option_type": option.get("payment_type"),
        **_of_status(order),
    }
    sequences: dict[tuple[str, str], list[Row]] = {}
    for move in _movements(tables, order):
        if move["kind"] != "refund":
            sequences.setdefault((move["source"], move["kind"]), []).append(move)
    for (source, kind), moves in sequences.items():
        moves.sort(key=lambda move: (move["created_at"] is None, move["created_at"], move["position"]))
        good = [number for number, move in enumerate(moves) if move["succeeded"]]
        captures = sequences.get((source, "purchase"), [])
        left = sum((move["amount"] for move in captures if move["succeeded"]), ZERO)
        for number, move in enumerate(moves, 1):
            state, moment = _capture(tables, order, move, kind)
            reserved = ZERO
            if state == "authorised":
                reserved, left = max(ZERO, move["amount"] - left), max(ZERO, left - move["amount"])
            by_card = source == "transactions"
            is_first = by_card and kind == "purchase" and number - 1 == (good[0] if good else None)
            names = ("source", "position", "transaction_pk", "kind", "succeeded", "amount")
            yield {
                **known,
                **{column: move[column] for column in (*names, "currency", "is_order_currency", "pos_pk", "pos_slug")},
                "payment_date": _local_day(moment) or order["date"],
                "is_estimated_date": moment is None or (state == "captured" and source in DEFERRED),
                "payment_method": MEANS[source],
                "payment_kind": MEANS[source],
                "attempt_kind": {"purchase": "purchase", "pre_purchase": "authorisation"}[kind],
                "attempted_at": move["created_at"],
                "attempt_number": number,
                "is_retry": number > 1 and not moves[number - 2]["succeeded"],
                "retries_until_success": good[0] if good else None,
                "capture_state": state,
                "captured_amount": _if_known(state, "captured", move["amount"]),
                "authorised_amount": _if_known(state, "authorised", reserved),
                "expected_amount": _if_known(state, "expected", move["amount"]),
                "interest_amount": order["installment_interest_amount"] or ZERO if is_first else ZERO,
                **_terminal_and_card(tables, order, move, by_card),
            }
    if not sequences and option and option["payment_type"] not in MEANS.values():
        names = (
            "position transaction_pk kind attempt_kind attempted_at attempt_number is_retry succeeded payment_date"
            " retries_until_success captured_amount authorised_amount expected_amount is_estimated_date pos_pk pos_slug"
        )
        yield {
            **known,
            **dict.fromkeys(names.split()),
            "source": "orders",
            "payment_method": option["payment_type"],
            "payment_kind": option["payment_type"],
            "capture_state": "unknown",
            "amount": order["amount"],
            "interest_amount": ZERO,
            "currency": order["currency"],
            "is_order_currency": True,
            **_terminal_and_card(tables, order, {"pos_pk": None, "succeeded": False}, by_card=False),
        }


DEFERRED = {"pay_on_delivery_transactions": ("544", "545", "546", "547", "550", "600")}
DEFERRED["funds_transfer_transactions"] = (
    "400",
    "450",
    "500",
    "510",
    "520",
    "540",
    *DEFERRED["pay_on_delivery_transactions"],
)


def _capture(tables: Tables, order: Row, move: Row, kind: str) -> tuple[str, Any]:
    """What became of an attempt, and when."""
    source, made = move["source"], move["created_at"]
    if not move["succeeded"]:
        return "failed", made
    if kind == "pre_purchase":
        return "authorised", made
    if source not in DEFERRED:
        return "captured", made
    was = {state["status"] for state in _states(tables, order)}
    there = {order["status"], *was} & set(DEFERRED[source])
    delivered = [i["delivered_date"] for i in tables.of("order_items", order) if i["delivered_date"]]
    if source == "pay_on_delivery_transactions":
        if there or delivered:
            return "captured", max(delivered, default=None) or move["modified_at"] or made
        return ("lapsed" if order["status"] == "100" else _pending(order)), made
    if there or (order["refund_amount"] or ZERO) > 0:
        return "captured", move["modified_at"] or made
    return ("lapsed" if order["status"] == "100" and was & {"200", "300", "350"} else _pending(order)), made


def _pending(order: Row) -> str:
    under_way = ("50", "200", "300", "350", "400", "450", "500", "510", "520", "540")
    return "expected" if order["status"] in under_way else "unknown"


def _if_known(state: str, wanted: str, amount: Decimal) -> Decimal | None:
    return None if state == "unknown" else amount if state == wanted else ZERO


def _local_day(moment: Any) -> date | None:
    return None if moment is None else moment.astimezone(ZONE).date()


def _terminal_and_card(tables: Tables, order: Row, move: Row, by_card: bool) -> Row:
    day = order["date"]
    pos = tables.thing("pos", day, move["pos_pk"])
    is_named = by_card and move["succeeded"]
    plan = tables.thing("installments", day, order["installment_pk"]) if is_named else {}
    card = tables.thing("cards", day, plan.get("card_pk"))
    return {
        "pos_name": pos.get("name"),
        "gateway": pos.get("gateway"),
        "installment_count": order["installment_count"] if by_card else None,
        "card_pk": card.get("pk"),
        "card": card.get("name"),
        "card_type": tables.thing("card_types", day, card.get("card_type_pk")).get("name"),
        "bank": tables.thing("banks", day, card.get("bank_pk")).get("name"),
    }


def _refunds(tables: Tables, order: Row) -> Iterable[Row]:
    plans = [plan for plan in tables.of("cancellation_plans", order) if plan["status"] not in ("waiting", "rejected")]
    known = {
        "date": order["date"],
        "order_pk": order["pk"],
        "channel_pk": order["channel_pk"],
        "customer_pk": order["customer_pk"],
        "placed_at": order["date_placed"],
        "order_date": order["date"],
        "reason_kind": _reason(order, plans),
        **_of_status(order),
    }
    option = tables.thing("payment_options", order["date"], order["payment_option_pk"]).get("payment_type")
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
                "refund_date": _local_day(move["created_at"]) or order["date"],
                "is_estimated_date": move["created_at"] is None,
                "payment_method": MEANS[move["source"]],
            }
    if (order["refund_amount"] or ZERO) > moved:
        plan = max(plans, key=lambda plan: plan["position"], default={})
        finished = plan.get("modified_date") or plan.get("created_date")
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
            "refunded_at": finished,
            "refund_date": _local_day(finished or order["modified_date"]) or order["date"],
            "is_estimated_date": True,
            "payment_method": option,
        }


def _reason(order: Row, plans: Sequence[Row]) -> str:
    if order["refund_amount"] and order["refund_amount"] == order["shipping_refund_amount"]:
        return "shipping"
    types = {plan["plan_type"] for plan in plans}
    if len(types) == 1:
        return {"cancel": "cancellation", "refund": "return"}[types.pop()]
    by_status = {"100": "cancellation", "600": "return"}
    return "unknown" if types else by_status.get(order["status"], "unknown")


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
        "payment_attempts": sum(payment["position"] is not None for payment in payments),
        "failed_payments": sum(payment["succeeded"] is False for payment in payments),
        "geography_key": _place_key(address) if address else None,
        "country_code": country.get("code"),
        "country": country.get("name"),
        "city": tables.thing("cities", day, address.get("city_pk")).get("name"),
        "gross_amount": order["amount"] + (order["discount_amount"] or ZERO),
        "refunded_amount": order["refund_amount"],
        "net_amount": order["amount"] - (order["refund_amount"] or ZERO),
        "items_amount": sum((item["price"] for item in items if item["is_order_currency"]), ZERO),
        "paid_amount": None
        if any(p["captured_amount"] is None for p in payments) or (not payments and not option.get("payment_type"))
        else sum((p["captured_amount"] for p in payments if p["is_order_currency"]), ZERO),
        "items": len(items),
        "quantity": sum((item["quantity"] for item in items), ZERO),
        "distinct_skus": len({item["product_sku"] for item in items} - {None}),
        "discounts": len(tables.of("discount_items", order)),
        "refunds": sum(not refund["is_restated"] for refund in _refunds(tables, order)),
    }


def _of_status(order: Row) -> Row:
    group = _group(order["status"])
    gone = order["tombstoned_at"] is not None
    no_sale = gone or order["status"] in ("100", "200", "300", "350", "425")
    return {"status_group": "deleted" if gone else group, "is_sale": not no_sale}


def _group(status: str) -> str:
    return next((group for group, codes in GROUPS.items() if status in codes), "other")


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
    # All orders of the stand-in are one parcel; what several are is tried by hand.
    (carrier,) = {item["shipping_company"] for item in items} or {None}
    delivered = [item["delivered_date"] for item in items if item["delivered_date"]]
    promised = [item["estimated_delivery_date"] for item in items if item["estimated_delivery_date"]]
    window = json.loads(order["delivery_range"] or "{}").get("end")
    shipped_at = min(seen_shipped or [info["created_date"] for info in accepted], default=None)
    delivered_at = min(seen_delivered) if seen_delivered else max(delivered, default=None)
    promised_at = min(promised) if promised else datetime.fromisoformat(window) if window else None
    chosen = tables.thing("cargo_companies", order["date"], order["cargo_company_pk"]).get("shipping_company")
    asked = [info["shipping_company"] for info in (*accepted, *infos)]
    yield {
        **{column: whole[column] for column in ("date", "order_pk", "channel_pk", "customer_pk", "delivery_type")},
        **{column: whole[column] for column in ("geography_key", "country", "city", "status")},
        **_of_status(order),
        "order_date": order["date"],
        "parcel": 1,
        "tracking_number": order["tracking_number"],
        "carrier": next((name for name in (carrier, *asked, chosen) if name), None),
        "cargo_company_pk": order["cargo_company_pk"],
        "items": len(items),
        "exchanges": len(infos),
        "accepted": len(accepted),
        "placed_at": order["date_placed"],
        "shipped_at": shipped_at,
        "shipped_date": _local_day(shipped_at),
        "shipped_from": "order_status_history" if seen_shipped else "shipping_infos" if shipped_at else None,
        "delivered_at": delivered_at,
        "delivery_date": _local_day(delivered_at),
        "delivered_from": "order_status_history" if seen_delivered else "order_items" if delivered_at else None,
        "promised_at": promised_at,
        "promised_date": _local_day(promised_at),
        "is_late": delivered_at > promised_at if delivered_at and promised_at else None,
        "hours_to_ship": _hours(order["date_placed"], shipped_at),
        "hours_in_transit": _hours(shipped_at, delivered_at),
        "hours_to_deliver": _hours(order["date_placed"], delivered_at),
    }


def _status_changes(tables: Tables, order: Row) -> Iterable[Row]:
    states = _states(tables, order)
    changes = [(before, row) for before, row in zip([None, *states], states, strict=False) if _is_change(before, row)]
    for number, (before, row) in enumerate(changes, 1):
        later = changes[number][1]["reached_at"] if number < len(changes) else None
        yield {
            "date": order["date"],
            "order_date": order["date"],
            "order_pk": order["pk"],
            "change_number": number,
            "from_status": before and before["status"],
            "to_status": row["status"],
            "from_group": before and _group(before["status"]),
            "to_group": _group(row["status"]),
            "reached_at": row["reached_at"],
            "reached_date": _local_day(row["reached_at"]),
            "observed_at": row["observed_at"],
            "hours_in_state": _hours(row["reached_at"], later),
            "is_observed": before is not None,
            "is_history_observed": states[0]["status"] in ("200", "300", "350", "400"),
        }


def _daily_cash(payments: Sequence[Row], refunds: Sequence[Row]) -> list[Row]:
    found: dict[tuple[Any, ...], Row] = {}

    def of(day: date, row: Row) -> Row:
        key = (day, row["currency"], row["payment_method"])
        plain = {"payments": 0, "refunds": 0, "captured_amount": ZERO, "refunded_amount": ZERO}
        return found.setdefault(key, dict(zip(("day", "currency", "payment_method"), key, strict=True)) | plain)

    for payment in payments:
        if payment["capture_state"] == "captured":
            row = of(payment["payment_date"], payment)
            row["payments"] += 1
            row["captured_amount"] += payment["captured_amount"]
    for refund in refunds:
        if not refund["is_restated"]:
            row = of(refund["refund_date"], refund)
            row["refunds"] += 1
            row["refunded_amount"] += refund["amount"]
    for row in found.values():
        if row["payment_method"] not in MEANS.values():
            row["captured_amount"] = None
        captured = row["captured_amount"]
        row["net_cash"] = None if captured is None else captured - row["refunded_amount"]
    return list(found.values())


def _things(tables: Tables) -> dict[str, list[Row]]:
    """What is only looked up: days, payment options, carriers, terminals, cards."""

    def newest(table: str) -> list[Row]:
        return [tables.newest(table, pk) for pk in sorted({row["pk"] for row in tables[table]})]

    loaded = {row["date"] for row in tables["orders"]}
    last = max(*loaded, datetime.now(ZONE).date())
    days = pd.date_range(min(loaded), last + pd.DateOffset(years=1)).date
    collected = {"pay_on_delivery": "on delivery", "funds_transfer": "on approval"}
    return {
        "dim_dates": [
            {
                "day": day,
                "iso_year": day.isocalendar().year,
                "iso_week": day.isocalendar().week,
                "year": day.year,
                "quarter": (day.month + 2) // 3,
                "month": day.month,
                "month_start": day.replace(day=1),
                "week_start": day - timedelta(days=day.weekday()),
                "weekday": day.isoweekday(),
                "is_weekend": day.weekday() > 4,
                "is_loaded": day in loaded,
            }
            for day in days
        ],
        "dim_payment_options": [
            {
                "payment_option_pk": row["pk"],
                **{name: row[name] for name in ("channel_pk", "name", "slug", "is_active")},
                "payment_option_type": row["payment_type"],
                "collected": collected.get(row["payment_type"], "at once")
                if row["payment_type"] in MEANS.values()
                else "unknown",
            }
            for row in newest("payment_options")
        ],
        "dim_carriers": [
            {
                "cargo_company_pk": row["pk"],
                "name": row["name"],
                "carrier": row["shipping_company"],
                "erp_code": row["erp_code"],
            }
            for row in newest("cargo_companies")
        ],
        "dim_pos": [
            {
                "pos_pk": row["pk"],
                **{name: row[name] for name in ("channel_pk", "name", "slug", "gateway")},
                "gateway_name": row["gateway_display"],
            }
            for row in newest("pos")
        ],
        "dim_cards": [
            {
                "card_pk": row["pk"],
                **{name: row[name] for name in ("channel_pk", "name", "bank_pk", "is_commerce_card")},
                "card_type": tables.newest("card_types", row["card_type_pk"]).get("name"),
                "bank": tables.newest("banks", row["bank_pk"]).get("name"),
            }
            for row in newest("cards")
        ],
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
