"""The transactions of an order, of every kind, as the order shows them at a moment.

Card transactions are documented in full; what they keep of the talk with their gateway is made in
`gateways`. The five other sets are documented by name only: their rows have pk, amount and dates, and a few
fields that such rows are likely to have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from order_assets.sandbox import payment_means
from order_assets.sandbox.gateways import Exchange, raw_texts
from order_assets.sandbox.order_facts import Facts
from order_assets.sandbox.payment_means import Pos
from order_assets.sandbox.value_text import SECOND, Json, hex_text, instant, money, stream, uuid_text

PER_ORDER = 10  # transaction pks of an order lie in a block of ten
MOST_REFUNDS = 1_000  # by hand, of an order; their pks lie far above, in blocks of as many
_BY_HAND = 10**12

_SET_OF = {
    payment_means.TRANSFER: "fundstransfertransaction_set",
    payment_means.ON_DELIVERY: "payondeliverytransaction_set",
    payment_means.LOYALTY: "loyaltytransaction_set",
    payment_means.BEX: "bextransaction_set",
    payment_means.REGISTER: "cashregistertransaction_set",
}
_TYPE_OF_SET = {
    "transaction_set": "transaction",
    "fundstransfertransaction_set": "funds_transfer_transaction",
    "payondeliverytransaction_set": "pay_on_delivery_transaction",
    "loyaltytransaction_set": "loyalty_transaction",
    "bextransaction_set": "bex_transaction",
    "cashregistertransaction_set": "cash_register_transaction",
}
MONEY_SETS = tuple(_TYPE_OF_SET)


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of money: the set that shows it, what it is, how much, when it came and last changed."""

    pk: int
    set_name: str
    kind: str
    amount: int
    created: int
    modified: int
    succeeded: bool = True


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund by hand: how much (hundredths of the currency) and when (microseconds since 1970)."""

    amount: int
    at: int


def movements(facts: Facts, seen: dict[str, int]) -> tuple[Movement, ...]:
    """Give the movements of an order's money after the events in `seen`, oldest first."""
    drafts = _payments(facts, seen) + _refunds(facts, seen)
    return tuple(
        Movement(facts.pk * PER_ORDER + position, name, kind, amount, created, max(created, modified), succeeded)
        for position, (name, kind, amount, created, modified, succeeded) in enumerate(drafts)
    )


_Draft = tuple[str, str, int, int, int, bool]


def _payments(facts: Facts, seen: dict[str, int]) -> list[_Draft]:
    payment, paid = facts.life.payment, seen.get("paid")
    if payment == payment_means.TRANSFER:
        # The transfer is announced with the order; its arrival changes the row.
        arrived = seen.get("transferred", 0)
        return [("fundstransfertransaction_set", "purchase", facts.amount, facts.life.created, arrived, True)]
    if payment == payment_means.ON_DELIVERY:
        if "approved" not in seen:
            return []
        collected = seen.get("collected", 0)
        return [("payondeliverytransaction_set", "purchase", facts.amount, seen["approved"], collected, True)]
    if paid is None or payment == payment_means.MARKETPLACE:
        return []
    if payment in (payment_means.BEX, payment_means.REGISTER):
        return [(_SET_OF[payment], "purchase", facts.amount, paid, paid, True)]
    drafts: list[_Draft] = []
    if facts.loyalty:
        drafts.append(("loyaltytransaction_set", "purchase", facts.loyalty, paid, paid, True))
    by_card = facts.amount - facts.loyalty
    if by_card and payment != payment_means.LOYALTY:
        attempt = facts.pk % 17
        if attempt == 0:
            drafts.append(("transaction_set", "purchase", by_card, paid - 5 * SECOND, 0, False))
        if attempt == 1:
            drafts.append(("transaction_set", "pre_purchase", by_card, paid - 2 * SECOND, 0, True))
        drafts.append(("transaction_set", "purchase", by_card, paid, seen.get("settled", 0), True))
    return drafts


def refund_of(facts: Facts, seen: dict[str, int]) -> tuple[int, int, int]:
    """Give what was refunded so far: in all, the discount taken off it, and the shipping in it."""
    if facts.life.path == "partly_refunded" and "partly_refunded" in seen:
        back = facts.refunded_positions()
        discount = sum(line.discount for line in facts.lines if line.position in back)
        prices = sum(line.price for line in facts.lines if line.position in back)
        return (prices - discount, discount, 0) if facts.lines else (facts.shipping, 0, facts.shipping)
    collected = facts.life.payment != payment_means.ON_DELIVERY or "delivered" in seen
    if "refunded" in seen or ("canceled" in seen and collected):
        return facts.amount, facts.discount, facts.shipping
    return 0, 0, 0


def _refunds(facts: Facts, seen: dict[str, int]) -> list[_Draft]:
    amount, _, _ = refund_of(facts, seen)
    payment = facts.life.payment
    if not amount or payment == payment_means.MARKETPLACE:
        return []
    at = seen.get("refunded") or seen.get("partly_refunded") or seen["canceled"]
    if payment == payment_means.ON_DELIVERY:
        # Cash cannot go back the way it came: it is transferred.
        return [("fundstransfertransaction_set", "refund", amount, at, at, True)]
    if payment in _SET_OF and payment != payment_means.LOYALTY:
        return [(_SET_OF[payment], "refund", amount, at, at, True)]
    by_loyalty = min(amount, facts.loyalty)
    drafts: list[_Draft] = []
    if by_loyalty:
        drafts.append(("loyaltytransaction_set", "refund", by_loyalty, at, at, True))
    if amount > by_loyalty:
        drafts.append(("transaction_set", "refund", amount - by_loyalty, at, at, True))
    return drafts


def refunds_by_hand(facts: Facts, refunds: Sequence[Refund]) -> tuple[Movement, ...]:
    """Give the movements of refunds that are no part of the order's life, in the set that its payment is in."""
    name = "transaction_set" if facts.pos else _SET_OF.get(facts.life.payment, "fundstransfertransaction_set")
    if name == "payondeliverytransaction_set":
        name = "fundstransfertransaction_set"
    first = _BY_HAND + facts.pk * MOST_REFUNDS
    return tuple(
        Movement(first + position, name, "refund", refund.amount, refund.at, refund.at)
        for position, refund in enumerate(refunds)
    )


def refund_position(pk: int) -> int | None:
    """Give which of its order's refunds by hand a transaction is, from 0; None if it is not one."""
    return pk % MOST_REFUNDS if pk >= _BY_HAND else None


def order_of_transaction(pk: int) -> int:
    """Give the pk of the order that a transaction belongs to."""
    return pk // PER_ORDER if pk < _BY_HAND else (pk - _BY_HAND) // MOST_REFUNDS


def order_transaction_document(seed: int, movement: Movement) -> Json:
    """Give the row of `ordertransaction_set` that stands for a movement."""
    return {
        "pk": movement.pk,
        "uuid": uuid_text(stream(seed, "order-transaction", movement.pk)),
        "amount": money(movement.amount),
        "transaction_type": _TYPE_OF_SET[movement.set_name],
        "transaction_object_id": movement.pk,
        "modified_date": instant(movement.modified),
        "created_date": instant(movement.created),
    }


def set_documents(seed: int, facts: Facts, all_movements: tuple[Movement, ...], name: str) -> list[Json]:
    """Give the rows of one of the five undocumented sets."""
    return [_undocumented_row(seed, facts, m) for m in all_movements if m.set_name == name]


def _undocumented_row(seed: int, facts: Facts, movement: Movement) -> Json:
    rng = stream(seed, "movement", movement.pk)
    extra: dict[str, Json] = {
        "fundstransfertransaction_set": {
            "iban": iban(facts.customer),
            "holder_name": f"Hesap Sahibi {facts.customer}",
            "bank_account": 3,
            "reference_code": hex_text(10, seed, "transfer", movement.pk).upper(),
        },
        "payondeliverytransaction_set": {
            "payment_choice": "cash" if facts.pk % 2 else "credit_card",
            "amount_without_loyalty_money": money(movement.amount),
        },
        "loyaltytransaction_set": {
            "loyalty_account": f"LP{facts.customer:010d}",
            "points": movement.amount // 10,
            "is_succeeded": True,
        },
        "bextransaction_set": {
            "ticket_id": uuid_text(rng),
            "card_label": f"{'*' * 12}{rng.getrandbits(13) % 10_000:04d}",
            "is_succeeded": True,
        },
        "cashregistertransaction_set": {
            "register_number": f"KASA-{facts.pk % 7 + 1}",
            "receipt_number": f"{facts.pk % 10_000:05d}",
            "cashier": f"kasiyer{facts.pk % 11}",
        },
    }
    return {
        "pk": movement.pk,
        "uuid": uuid_text(rng),
        "amount": money(movement.amount),
        "transaction_type": movement.kind,
        "order": facts.pk,
        **extra[movement.set_name],
        "modified_date": instant(movement.modified),
        "created_date": instant(movement.created),
    }


def iban(customer: int) -> str:
    """Give a bank account number of the customer; its check digits are wrong on purpose."""
    return f"TR00{customer:022d}"


def transaction_document(seed: int, facts: Facts, movement: Movement, order: Json, user_email: str, pos: Pos) -> Json:
    """Give a card transaction with the flat `order` inside, as the detail repeats it."""
    rng = stream(seed, "gateway", movement.pk)
    code = f"{movement.pk:08d}{hex_text(6, seed, 'trans', movement.pk).upper()}"
    approval = f"P{rng.getrandbits(17) % 100_000:05d}" if movement.succeeded else None
    exchange = Exchange(
        transaction=movement.pk,
        order_number=facts.number,
        kind=movement.kind,
        amount=movement.amount,
        currency=facts.life.channel.currency,
        created=movement.created,
        succeeded=movement.succeeded,
        bin_number=facts.bin_number or "",
        customer=facts.customer,
        email=user_email,
        remote_addr=facts.remote_addr or "127.0.0.1",
        code=code,
        approval=approval or "",
        config=pos.config(),
    )
    request, response = raw_texts(pos.style, exchange)
    return {
        "pk": movement.pk,
        "transaction_type": movement.kind,
        "transaction_id": code,
        "auth_code": approval if rng.random() < 0.7 else None,
        "pos": payment_means.pos_document(pos),
        "main_pos": payment_means.pos_document(facts.main_pos) if facts.main_pos else None,
        "order": order,
        "currency": None if rng.random() < 0.5 else facts.life.channel.currency,
        "user_email": user_email,
        "raw_request": request,
        "raw_response": response,
        "is_succeeded": movement.succeeded,
        "amount": money(movement.amount),
        "remote_addr": facts.remote_addr,
        "created_date": instant(movement.created),
        "pos_slug": pos.slug,
        "modified_date": instant(movement.modified),
    }
