"""An order as JSON: the flat row of the list, and the detail with everything nested in it, at a moment.

Keys, their order and their types follow the documented order. Items and discounts are documents of their
own, in `lines`.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from order_assets.sandbox import catalogue, lines, payment_means
from order_assets.sandbox.life import STATUS_NAMES
from order_assets.sandbox.order_facts import Facts
from order_assets.sandbox.payment_story import (
    Movement,
    iban,
    movements,
    order_transaction_document,
    refund_of,
    set_documents,
    transaction_document,
)
from order_assets.sandbox.people import Address, Customer, address_document, customer_document
from order_assets.sandbox.value_text import (
    DAY,
    HOUR,
    SECOND,
    Json,
    instant,
    instant_or_none,
    mapping_row,
    money,
    stream,
)

ORDER_TYPE = 40


def flat_document(facts: Facts, now: int, by_hand: tuple[Movement, ...] = ()) -> Json:
    """Give the order as the list shows it: 47 keys, relations as pks, all amounts as text.

    `by_hand` are movements of money that its life does not know.
    """
    seen = facts.life.seen(now)
    return _flat(facts, now, seen, movements(facts, seen) + by_hand)


def _flat(facts: Facts, now: int, seen: dict[str, int], moves: tuple[Movement, ...]) -> Json:
    life, channel = facts.life, facts.life.channel
    refund, discount_refund, shipping_refund = refund_of(facts, seen)
    option = payment_means.payment_option(channel.pk, life.payment)
    invoiced = "invoiced" in seen
    return {
        "pk": life.pk,
        "number": facts.number,
        "channel": channel.pk,
        "status": life.status(now),
        "date_placed": instant(life.placed),
        "customer": facts.customer,
        "shipping_address": facts.shipping_address,
        "billing_address": facts.billing_address,
        "currency": channel.currency,
        "amount": money(facts.amount),
        "shipping_amount": money(facts.shipping),
        "shipping_tax_rate": "20.00" if facts.shipping and life.pk % 3 else None,
        "extra_field": dict(facts.extra_field),
        "payment_option": option.pk,
        "payment_option_slug": option.order_slug,
        "bin_number": facts.bin_number,
        "installment": payment_means.installment_pk(channel.pk, facts.card, facts.plan) if facts.card else None,
        "installment_count": payment_means.INSTALLMENT_PLANS[facts.plan][0],
        "delivery_type": facts.delivery_type,
        "installment_interest_amount": money(facts.interest),
        "cargo_company": facts.carrier.pk if facts.carrier else None,
        # Before invoicing the real API gives sometimes an empty text, sometimes null.
        "invoice_number": lines.invoice_number(facts) if invoiced else "" if life.pk % 2 else None,
        "invoice_date": instant_or_none(seen.get("invoiced")),
        "e_archive_url": lines.e_archive_url(facts) if invoiced else None,
        "refund_amount": money(refund),
        "discount_refund_amount": money(discount_refund),
        "shipping_refund_amount": money(shipping_refund),
        "discount_amount": money(facts.discount),
        "is_send": "sent" in seen,
        "net_shipping_amount": money(facts.shipping),
        "shipping_interest_amount": "0.00",
        "tracking_number": _tracking(facts, seen),
        "carrier_shipping_code": f"{life.pk:012d}" if _tracking(facts, seen) else None,
        "remote_addr": facts.remote_addr,
        "fundstransfertransaction_set": [m.pk for m in moves if m.set_name == "fundstransfertransaction_set"],
        "has_gift_box": facts.gift_note is not None,
        "gift_box_note": facts.gift_note,
        "external_status": f"S{life.status(now)}" if channel.pk == catalogue.MARKET else None,
        "client_type": facts.client_type,
        "language_code": channel.language,
        "notes": facts.notes,
        "delivery_range": _delivery_range(facts),
        "shipping_option_slug": facts.shipping_option,
        "segment": facts.segment,
        "modified_date": instant(life.modified(now)),
        "checkout_provider_id": f"cp-{life.pk}" if life.pk % 29 == 0 else None,
        "created_date": instant(life.created),
    }


def detail_document(
    seed: int,
    facts: Facts,
    customer: Customer,
    shipping: Address,
    billing: Address,
    now: int,
    by_hand: tuple[Movement, ...] = (),
) -> Json:
    """Give the order with everything nested in it, as the detail call shows it at `now`.

    `by_hand` are movements of money that its life does not know.
    """
    life, channel = facts.life, facts.life.channel
    seen = life.seen(now)
    moves = movements(facts, seen) + by_hand
    flat = _flat(facts, now, seen, moves)
    tracking = _tracking(facts, seen)
    mapping_at = seen.get("sent")
    return {
        "pk": life.pk,
        "number": facts.number,
        "channel": catalogue.channel_document(channel),
        "status": flat["status"],
        "date_placed": flat["date_placed"],
        "customer": customer_document(customer, now),
        "shipping_address": address_document(shipping, now),
        "billing_address": address_document(billing, now),
        "currency": flat["currency"],
        "amount": flat["amount"],
        "shipping_amount": flat["shipping_amount"],
        "shipping_tax_rate": flat["shipping_tax_rate"],
        "extra_field": dict(facts.extra_field),
        "transaction_set": [
            transaction_document(seed, facts, m, _flat(facts, now, seen, moves), customer.email, facts.pos)
            for m in moves
            if m.set_name == "transaction_set" and facts.pos
        ],
        "payment_option": payment_means.payment_option_document(
            payment_means.payment_option(channel.pk, life.payment), channel.pk
        ),
        "payment_option_slug": flat["payment_option_slug"],
        "bin_number": facts.bin_number,
        "installment": payment_means.installment_document(channel.pk, facts.card, facts.plan) if facts.card else None,
        "installment_count": flat["installment_count"],
        "installment_interest_amount": flat["installment_interest_amount"],
        "cargo_company": catalogue.cargo_company_document(facts.carrier) if facts.carrier else None,
        "invoice_number": flat["invoice_number"],
        "invoice_date": flat["invoice_date"],
        "e_archive_url": flat["e_archive_url"],
        "refund_amount": flat["refund_amount"],
        "discount_refund_amount": flat["discount_refund_amount"],
        "shipping_refund_amount": flat["shipping_refund_amount"],
        "discount_amount": flat["discount_amount"],
        "cancellation_info": _cancellation_info(facts, seen, life.cancel_status(now)),
        "status_display": STATUS_NAMES.get(flat["status"], flat["status"]),
        "tracking_number": tracking,
        "is_send": flat["is_send"],
        "cancel_status": life.cancel_status(now),
        # Here the API sends a bare JSON number, though the same field is text inside each transaction.
        "net_shipping_amount": facts.shipping / 100,
        "remote_addr": facts.remote_addr,
        "language_code": channel.language,
        "fundstransfertransaction_set": set_documents(seed, facts, moves, "fundstransfertransaction_set"),
        "has_gift_box": flat["has_gift_box"],
        "gift_box_note": facts.gift_note,
        "tracking_url": f"https://kargo.example.org/{tracking}" if tracking else None,
        "external_status": flat["external_status"],
        "payondeliverytransaction_set": set_documents(seed, facts, moves, "payondeliverytransaction_set"),
        "loyaltytransaction_set": set_documents(seed, facts, moves, "loyaltytransaction_set"),
        "bextransaction_set": set_documents(seed, facts, moves, "bextransaction_set"),
        "cancellationplan_set": cancellation_plans(seed, facts, seen),
        "cashregistertransaction_set": set_documents(seed, facts, moves, "cashregistertransaction_set"),
        "client_type": facts.client_type,
        "shipping_interest_amount": "0.00",
        "delivery_type": facts.delivery_type,
        "notes": facts.notes,
        "delivery_range": flat["delivery_range"],
        "shipping_option_slug": facts.shipping_option,
        "segment": facts.segment,
        "carrier_shipping_code": flat["carrier_shipping_code"],
        "mapping": [] if mapping_at is None else _order_mapping(facts, mapping_at),
        "ordertransaction_set": [order_transaction_document(seed, m) for m in moves if m.succeeded],
        "ordershippinginfo_set": shipping_infos(facts, seen, shipping),
    }


def _tracking(facts: Facts, seen: dict[str, int]) -> str | None:
    return lines.tracking_number(facts) if "shipped" in seen and facts.carrier else None


def _delivery_range(facts: Facts) -> Json | None:
    if not facts.delivery_range_day:
        return None
    day = (facts.life.placed // DAY + 3) * DAY
    return {"start": instant(day + 9 * HOUR), "end": instant(day + 12 * HOUR)}


def _order_mapping(facts: Facts, at: int) -> list[Json]:
    rows = [mapping_row(ORDER_TYPE, facts.pk, f"1-R-2-{facts.pk}", at - 10 * SECOND)]
    if facts.life.channel.pk == catalogue.MARKET:
        rows.append(mapping_row(ORDER_TYPE, facts.pk, f"{facts.pk * 3}", at, kind="trendyol", position=1))
    return rows


def _cancellation_info(facts: Facts, seen: dict[str, int], cancel_status: str | None) -> Json:
    # The API clears this once the cancellation is through.
    if cancel_status not in ("waiting", "confirmed"):
        return {}
    asked = seen.get("cancel_asked") or seen["refund_asked"]
    return {
        "cancellation_type": "cancel" if "cancel_asked" in seen else "refund",
        "requested_at": instant(asked),
        "order_items": _items_back(facts),
    }


def _items_back(facts: Facts) -> list[int]:
    return [lines.item_pk(facts.pk, position) for position in sorted(facts.refunded_positions())]


def cancellation_plans(seed: int, facts: Facts, seen: dict[str, int]) -> list[Json]:
    """Give the plans by which items of an order go back, after the events in `seen`."""
    asked = seen.get("cancel_asked") or seen.get("refund_asked")
    if asked is None:
        return []
    steps = ("canceled", "refunded", "partly_refunded", "refund_rejected", "refund_confirmed")
    modified = max((seen[step] for step in steps if step in seen), default=asked)
    done = any(step in seen for step in ("canceled", "refunded", "partly_refunded"))
    status = "completed" if done else "rejected" if "refund_rejected" in seen else "waiting"
    items = _items_back(facts)
    by_transfer = facts.life.payment in (payment_means.TRANSFER, payment_means.ON_DELIVERY)
    rng = stream(seed, "plan", facts.pk)
    return [
        {
            "pk": facts.pk * 10 + 1,
            "order": facts.pk,
            "plan_type": "cancel" if "cancel_asked" in seen else "refund",
            "status": status,
            "is_all": facts.life.path != "partly_refunded",
            "cancel_items": items,
            "forced_refund_amount": None,
            "reasons": {str(item): 1 + int(rng.random() * 9) for item in items},
            "is_cargo_refund": facts.life.path != "partly_refunded",
            "refund_invoice_number": f"IAD{facts.pk:010d}" if done else None,
            "ibans": {str(item): iban(facts.customer) for item in items} if by_transfer else {},
            "holder_names": {str(item): f"Hesap Sahibi {facts.customer}" for item in items} if by_transfer else {},
            # The row is written a little after the order, so its date can lie behind the order's.
            "modified_date": instant(modified + 350_000),
            "created_date": instant(asked + 120_000),
        }
    ]


def shipping_infos(facts: Facts, seen: dict[str, int], address: Address) -> list[Json]:
    """Give what was sent to the carrier of an order and what came back, after the events in `seen`."""
    carrier = facts.carrier
    if carrier is None or "shipped" not in seen:
        return []
    request = (
        f"POST /ws HTTP/1.1\nAuthorization: Basic {catalogue.basic_credentials(carrier)}\n\n"
        f"<SetOrder><UserName>{carrier.username}</UserName><Password>{escape(carrier.password)}</Password>"
        f"<IntegrationCode>{facts.number}</IntegrationCode>"
        f"<ReceiverName>{escape(address.owner.first_name)} {escape(address.owner.last_name)}</ReceiverName>"
        f"<ReceiverAddress>{escape(address.line)}</ReceiverAddress><ReceiverPhone1>{address.phone}</ReceiverPhone1>"
        "</SetOrder>"
    )
    response = {
        "ResultCode": "0",
        "ResultMessage": "Başarılı",
        "CustomerCode": carrier.customer_code,
        "credentials": {"username": carrier.username, "password": carrier.password},
        "barcode": f"{facts.pk:013d}",
    }
    return [
        {
            "pk": facts.pk * 10 + 2,
            "order": facts.pk,
            "order_number": facts.number,
            "shipping_company": carrier.shipping_company,
            "send_request": None if facts.pk % 4 == 0 else request,
            "send_response": {} if facts.pk % 4 == 0 else response,
            "is_send": True,
            "cargo_label": f"https://kargo.example.org/etiket/{facts.pk}.zpl" if facts.pk % 5 == 0 else None,
            "modified_date": instant(seen.get("carrier_report", seen["shipped"] + 25_000)),
            "created_date": instant(seen["shipped"]),
        }
    ]
