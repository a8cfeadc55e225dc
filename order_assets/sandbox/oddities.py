"""Answers that no well-behaved shop gives, and real ones give now and then: odd list rows, one thing in two versions.

Values and small functions; who is to answer so is said with `Shop.spoil` or by a fault. What goes wrong on the wire,
or with a whole answer, is in `misbehave`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from order_assets.sandbox.value_text import Json

LONE_SURROGATE = "\ud800"

Spoil = Callable[[Any], Any]
"""Makes of a document, fresh and free to be changed, what is answered instead of it: any JSON value."""

ODD_ROWS: Mapping[str, Json] = {
    "placed before the first year": {"date_placed": "0001-01-01T00:00:00+14:00"},
    "placed after the last year": {"date_placed": "9999-12-31T23:59:59-12:00"},
    "placed at no time": {"date_placed": None},
    "placed at an empty time": {"date_placed": ""},
    "placed at twenty-four hours": {"date_placed": "2026-01-05T24:00:00Z"},
    "placed in a leap second": {"date_placed": "2026-01-05T23:59:60Z"},
    "placed on a day that is none": {"date_placed": "2026-02-30T08:00:00Z"},
    "placed in the year zero": {"date_placed": "0000-01-01T00:00:00Z"},
    "placed at a number": {"date_placed": 1767600000},
    "placed in words": {"date_placed": "yesterday"},
    "placed at an object": {"date_placed": {"date": "2026-01-05"}},
    "placed without a zone": {"date_placed": "2026-01-05T08:00:00"},
    "placed on a bare day": {"date_placed": "2026-01-05"},
    "a key beyond 64 bits": {"pk": 2**63},
    "a key as text": {"pk": "1000"},
    "a key below zero": {"pk": -5},
    "a key with decimals": {"pk": 1000.5},
    "a key that is true": {"pk": True},
    "no key": {"pk": None},
    "half a character in the number": {"number": f"A{LONE_SURROGATE}"},
    "half a character in the provider's id": {"checkout_provider_id": f"cp-{LONE_SURROGATE}"},
    "half a character in the notes": {"notes": LONE_SURROGATE},
    "a zero byte in the number": {"number": "A\x00B"},
    "a number that is one": {"number": 27},
    "no number": {"number": None},
    "a number that is an object": {"number": {"value": "27"}},
    "changed in words": {"modified_date": "yesterday"},
    "changed at no time": {"modified_date": None},
    "changed at a number": {"modified_date": 0},
    "changed before the first year": {"modified_date": "0001-01-01T00:00:00+14:00"},
    "changed after the last year": {"modified_date": "9999-12-31T23:59:59-12:00"},
    "changed in a list": {"modified_date": ["2026-01-05T08:00:00Z"]},
    "created in words": {"created_date": "yesterday"},
    "a status that is a number": {"status": 400},
    "a status that is an object": {"status": {"code": "400"}},
    "no status": {"status": None},
    "a channel as an object": {"channel": {"pk": 1, "name": "web"}},
    "a channel beyond 64 bits": {"channel": 2**64},
    "a channel as text": {"channel": "web"},
    "an amount in words": {"amount": "gratis"},
    "an amount that is a number": {"amount": 10**400},
    "an amount that is null": {"amount": None},
    "an amount of forty digits": {"amount": "9" * 40 + ".99"},
    "an amount in an object": {"refund_amount": {"value": "1.00", "currency": "try"}},
    "a currency that is a number": {"currency": 949},
    "deeply nested free fields": {"extra_field": {"a": {"b": {"c": {"d": [[[[[]]]]]}}}}},
    "free fields as text": {"extra_field": "none"},
    "a long note": {"notes": "x" * 100_000},
}
"""Fields that make a list row odd, by what is odd about them. Some rows can be placed all the same, some cannot."""


def _other_gender(customer: Json | None) -> None:
    if customer is not None:
        customer["gender"] = "male" if customer.get("gender") == "female" else "female"


def _customer_of_the_address(detail: Json) -> Json:
    _other_gender(detail["billing_address"]["customer"])
    return detail


def _customer_without_a_key(detail: Json) -> Json:
    copy = detail["billing_address"]["customer"]
    copy.pop("pk")
    _other_gender(copy)
    return detail


def _order_in_the_transactions(detail: Json) -> Json:
    for transaction in detail["transaction_set"]:
        transaction["order"] |= {"gift_box_note": "another note", "status": "400"}
    return detail


def _main_pos(detail: Json) -> Json:
    for transaction in detail["transaction_set"]:
        transaction["main_pos"] = {**transaction["pos"], "name": "the same terminal by another name"}
    return detail


def _country_of_the_addresses(detail: Json) -> Json:
    for name in ("shipping_address", "billing_address"):
        detail[name]["country"]["name"] += f" ({name})"
    return detail


ODD_COPIES: Mapping[str, Spoil] = {
    "the customer in the billing address": _customer_of_the_address,
    "a customer without a key": _customer_without_a_key,
    "the order in its transactions": _order_in_the_transactions,
    "two terminals of one key": _main_pos,
    "one country by two names": _country_of_the_addresses,
}
"""Changes of a detail after which one thing stands in it twice and different, dates and keys being equal."""


def with_fields(fields: Json) -> Spoil:
    """Give the change that sets fields of a document."""

    def change(document: Json) -> Json:
        return {**document, **fields}

    return change
