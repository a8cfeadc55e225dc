"""The rules that marts are held to: their names, what they mean, which of them block, and what to do.

Words only, so that a catalogue can show them without DuckDB; how a rule is applied is in `mart_checks` and
`sql/quality/`.
"""

from __future__ import annotations

from order_assets.warehouse.marts.mart import Mart

GRAIN = "grain_is_unique"
REFERENCES = "references_resolve"
AMOUNTS = "amounts_add_up"
STATUS = "status_goes_forward"
DAILY_SALES = "daily_sales_equal_orders"
VOLUME = "volume_as_usual"
KINDS = "kinds_are_known"
QUANTITIES = "quantities_are_read"
REFUNDS = "refunds_agree"
ONCE = "orders_are_there_once"
SALES = "sales_add_up"
DISCOUNTS = "discounts_agree"
ALLOCATED = "discounts_are_allocated"

# Marts that are wrong in themselves are never published. What the shop sent may be odd, and is shown all the same.
BLOCKING = frozenset({GRAIN, DAILY_SALES, ONCE, ALLOCATED})

ADVICE = {
    GRAIN: "A join in the mart's SELECT in order_assets/warehouse/marts counts rows more than once: correct it, "
    "then load the day again. The published file was left as it was",
    REFERENCES: "The rows are kept. Look in landing whether the shop sent what they name; if it did, run replay_days "
    "for the day",
    AMOUNTS: "amount is kept as the shop says it. Look at the items and discounts of these orders; a shop that "
    "computes its amounts otherwise always differs",
    STATUS: "Look at order_status_history of these orders; the shop may have put them back by hand",
    DAILY_SALES: "The SELECT of agg_daily_sales or fct_orders in order_assets/warehouse/marts changed without the "
    "other: correct it, then load the day again. The published file was left as it was",
    KINDS: "They count as no money. If the shop moves money by them, add them to TRANSACTION_TYPES in "
    "order_assets/contract/tables/payments.py with what they do to money, then load the days again",
    QUANTITIES: "Where it cannot be read it is empty, and so is that of their orders; where another key is there the "
    "row counts as one unit. Look at attributes in orders.order_items: have the shop send a number of units there, or "
    "set ORDER_ASSETS_QUANTITY_ATTRIBUTE to the key that it uses and load the days again",
    REFUNDS: "Both are shown as the shop says them: refunded_amount in fct_orders, the transactions in fct_refunds. "
    "Look at the order in the shop: one of them is late or wrong",
    ONCE: "The SELECT of fct_orders in order_assets/warehouse/marts shows orders that meta.superseded_orders leaves "
    "out: let it read {orders}, then load the day again. The published file was left as it was",
    SALES: "net_sales is taken from the order: amount, refund and shipping. Look at the items of these orders: one "
    "that went back is not marked so, or a refund was given without goods",
    DISCOUNTS: "order_discount is what the order says. Look at discount_items and at discount_amount of the items of "
    "these orders",
    ALLOCATED: "Correct the SELECT of fct_order_discounts in order_assets/warehouse/marts, then load the day again. "
    "The published file was left as it was",
    VOLUME: "Compare with the shop's own count for the day; if orders are missing here, run sync_index with "
    "whole: true, then refresh_days for the day",
}


# Rules that a mart's head may name, and what each says.
MEANINGS = {
    AMOUNTS: "Items + shipping - discounts is the order amount, to the cent; else how far they are off",
    STATUS: "No order was seen going back in its life, except out of a cancellation that was not through",
    VOLUME: "The day has about as many orders as the same weekday in the eight weeks before",
    KINDS: "Every transaction is of a kind that is known to move money; others count as none",
    QUANTITIES: "Every quantity that is given is a number of units, under the key that is set; others are empty",
    REFUNDS: "Refund transactions and the refund amount of an order do not contradict each other",
    ONCE: "Each order stands on one day, the one that it is on now",
    SALES: "Gross sales - discounts - canceled - returned items are the net sales of the order, to the cent",
    DISCOUNTS: "The discount of an order is the sum of those of its items, and of its discounts",
    ALLOCATED: "The parts of a discount add up to it, to the cent",
    DAILY_SALES: "Every sum is that of fct_orders, to the cent",
}


def rules_of(mart: Mart) -> dict[str, str]:
    """The rules that a mart is held to, with what each means."""
    rules = {GRAIN: f"Each {', '.join(mart.key)} is there once: {mart.grain}"}
    if mart.references:
        targets = ", ".join(f"{', '.join(r.columns)} in {r.schema}.{r.table}" for r in mart.references)
        rules[REFERENCES] = f"What a row names is there: {targets}"
    return rules | {rule: MEANINGS[rule] for rule in mart.rules}
