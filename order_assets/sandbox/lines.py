"""The items and the discounts of an order as their own documents show them at a moment.

The vendor documents the item's fields only in part and shows no example; these have the documented fields
with their names, and inner objects as plain as can be. The order itself is in `order_json`.
"""

from __future__ import annotations

from order_assets.sandbox import goods
from order_assets.sandbox.life import STATUS_NAMES
from order_assets.sandbox.order_facts import Discount, Facts, Line
from order_assets.sandbox.value_text import DAY, Json, instant, instant_or_none, money

ITEMS_PER_ORDER = 100  # pks of an order's items lie in a block of a hundred, those of its discounts in one of twenty
DISCOUNTS_PER_ORDER = 20


def item_pk(order_pk: int, position: int) -> int:
    """Give the pk of an order's item; what was split off line n has position 50 + n."""
    return order_pk * ITEMS_PER_ORDER + position


def discount_pk(order_pk: int, position: int) -> int:
    """Give the pk of an order's discount item."""
    return order_pk * DISCOUNTS_PER_ORDER + position


def item_documents(facts: Facts, now: int) -> list[Json]:
    """Give the items of an order as of `now`, by pk."""
    seen = facts.life.seen(now)
    merged = next((line for line in facts.lines if line.quantity > 1), None)
    documents = []
    for line in facts.lines:
        if "split" in seen and line is merged:
            documents += _split(facts, line, now, seen)
        else:
            documents.append(_item(facts, line, now, seen))
    return sorted(documents, key=lambda document: int(document["pk"]))


def _split(facts: Facts, line: Line, now: int, seen: dict[str, int]) -> list[Json]:
    # One unit leaves the merged row. The two rows add up to what the one was.
    price, discount, retail = (amount // line.quantity for amount in (line.price, line.discount, line.retail_price))
    rest = Line(
        line.position,
        line.product,
        line.price - price,
        line.retail_price - retail,
        line.discount - discount,
        line.quantity - 1,
    )
    unit = Line(50 + line.position, line.product, price, retail, discount, 1)
    documents = [_item(facts, part, now, seen, origin=line.position) for part in (rest, unit)]
    documents[1]["parent"] = documents[0]["pk"]
    documents[1]["created_date"] = instant(seen["split"])
    for document in documents:
        document["modified_date"] = max(document["modified_date"], instant(seen["split"]))
    return documents


def _item(facts: Facts, line: Line, now: int, seen: dict[str, int], origin: int | None = None) -> Json:
    life = facts.life
    goes_back = (line.position if origin is None else origin) in facts.refunded_positions()
    status = life.status(now)
    if goes_back and "partly_refunded" in seen:
        status = "600"
    shipped = "shipped" in seen and facts.carrier is not None
    invoiced = "invoiced" in seen
    document = {
        "pk": item_pk(life.pk, line.position),
        "order": life.pk,
        "product": goods.product_document(line.product),
        "status": status,
        "price_currency": life.channel.currency,
        "price": money(line.price),
        "tax_rate": line.product.tax_rate,
        "price_list": goods.price_list_document(life.channel),
        "stock_list": goods.stock_list_document(life.channel),
        "invoice_number": invoice_number(facts) if invoiced else None,
        "invoice_date": instant_or_none(seen.get("invoiced")),
        "e_archive_url": e_archive_url(facts) if invoiced else None,
        "cancel_status": life.cancel_status(now) if goes_back else None,
        "status_display": STATUS_NAMES.get(status, status),
        "retail_price": money(line.retail_price),
        "discount_amount": money(line.discount),
        "installment_interest_amount": "0.00",
        "shipping_company": facts.carrier.shipping_company if shipped and facts.carrier else None,
        "shipment_code": f"SH{life.pk}" if shipped else None,
        "tracking_number": tracking_number(facts) if shipped else None,
        "carrier_shipping_code": f"{life.pk:012d}" if shipped else None,
        "is_tradable": life.path == "trade_in",
        "extra_field": {"line": line.position + 1},
        "attributes": {"quantity": line.quantity} if line.quantity > 1 else {},
        "attributes_kwargs": {},
        "localized_attributes": {},
        "localized_attributes_kwargs": {},
        "parent": None,
        "delivered_date": instant_or_none(seen.get("delivered")),
        "estimated_delivery_date": instant(seen["shipped"] + 3 * DAY) if "shipped" in seen else None,
        "modified_date": instant(life.modified(now) + line.position % 50),
        "created_date": instant(life.created + 1_000 + line.position),
    }
    # Now and then a field that nobody documented: the real API grows such ones too.
    if life.pk % 97 == 0:
        document["preorder_release_date"] = None if line.position else instant(life.placed + 30 * DAY)
    return document


def discount_documents(facts: Facts) -> list[Json]:
    """Give the discount items of an order, by pk."""
    return [_discount(facts, discount) for discount in facts.discounts]


def _discount(facts: Facts, discount: Discount) -> Json:
    promotion, pk = discount.promotion, discount_pk(facts.pk, discount.position)
    # The condition of a product offer looks at all lines; other discounts look at those they apply to.
    conditions = (
        [line.position for line in facts.lines]
        if promotion.session_offer_type == "product"
        else [position for position, _ in discount.shares]
    )
    stamp = instant(facts.life.created + 2_000 + discount.position)
    return {
        "pk": pk,
        "name": promotion.name,
        "amount": money(discount.amount),
        "order": facts.pk,
        "offer_type": promotion.offer_type,
        "session_offer_type": promotion.session_offer_type,
        "code": promotion.code,
        "benefitapplicant_set": [
            _applicant(pk, pk * 100 + position, item_pk(facts.pk, position), stamp) for position, _ in discount.shares
        ],
        "conditionapplicant_set": [
            _applicant(pk, pk * 100 + position, item_pk(facts.pk, position), stamp) for position in conditions
        ],
        "promotion": goods.promotion_document(promotion),
        "modified_date": stamp,
        "created_date": stamp,
    }


def _applicant(discount: int, pk: int, item: int, stamp: str) -> Json:
    return {
        "pk": pk,
        "created_date": stamp,
        "modified_date": stamp,
        "discount_item": discount,
        "order_item": item,
    }


def invoice_number(facts: Facts) -> str:
    """Give the number of an order's invoice."""
    return f"PPT{facts.pk:013d}"


def e_archive_url(facts: Facts) -> str:
    """Give the address of an order's electronic invoice."""
    return f"https://earsiv.example.org/{facts.number}.pdf"


def tracking_number(facts: Facts) -> str:
    """Give the tracking number of an order's parcel."""
    return f"{facts.pk * 7919 % 10**12:012d}"
