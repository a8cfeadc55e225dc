"""How the stand-in is paid: payment kinds and options, card programmes and their banks, terminals.

Fixed reference data and the documents they appear as. Channels are in `catalogue`, the payments themselves
in `payment_story`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from functools import cache

from order_assets.sandbox.catalogue import SETUP, secret
from order_assets.sandbox.value_text import DAY, HOUR, MINUTE, Json, instant


@dataclass(frozen=True, slots=True)
class PaymentOption:
    """A way to pay in one channel; `order_slug` is the spelling that orders keep, `slug` today's."""

    pk: int
    name: str
    turkish_name: str
    payment_type: str
    slug: str
    order_slug: str


@dataclass(frozen=True, slots=True)
class Pos:
    """A virtual terminal: the gateway it talks to, and its configuration as JSON text, credentials inside."""

    pk: int
    channel: int
    name: str
    slug: str
    style: str
    gateway: str
    resource_url: str
    config_json: str

    def config(self) -> Json:
        """Give a fresh copy of the configuration."""
        document: Json = json.loads(self.config_json)
        return document


@dataclass(frozen=True, slots=True)
class Card:
    """A card programme of a bank, with the first six digits of its numbers."""

    offset: int
    name: str
    slug: str
    bank_offset: int
    bank: str
    bank_slug: str
    bins: tuple[str, ...]


CARD = "credit_card"
ON_DELIVERY = "pay_on_delivery"
TRANSFER = "funds_transfer"
LOYALTY = "loyalty_money"
BEX = "bex"
REGISTER = "cash_register"
MARKETPLACE = "marketplace"
CARD_AND_LOYALTY = "card_and_loyalty"  # a card payment, part of it in loyalty money

PAYMENT_MIX: dict[int, tuple[tuple[str, float], ...]] = {
    11: (
        (CARD, 0.66),
        (CARD_AND_LOYALTY, 0.06),
        (TRANSFER, 0.10),
        (ON_DELIVERY, 0.10),
        (LOYALTY, 0.03),
        (BEX, 0.05),
    ),
    12: ((REGISTER, 0.7), (CARD, 0.3)),
    13: ((MARKETPLACE, 1.0),),
    14: ((CARD, 0.8), (ON_DELIVERY, 0.2)),
    15: ((CARD, 0.9), (TRANSFER, 0.1)),
    16: ((CARD, 1.0),),
}

_OPTIONS = (
    (CARD, "Credit Card", "Kredi Kartı", "credit_Card", "kredi_karti"),
    (ON_DELIVERY, "Pay on Delivery", "Kapıda Ödeme", "pay_on_delivery", "kapida_odeme"),
    (TRANSFER, "Funds Transfer", "Havale / EFT", "funds_transfer", "havale"),
    (LOYALTY, "Loyalty Money", "Para Puan", "loyalty-money", "loyalty_money"),
    (BEX, "BKM Express", "BKM Express", "bkm_express", "bkm_express"),
    (REGISTER, "Cash Register", "Kasa Ödemesi", "cash_register", "kasa"),
    (MARKETPLACE, "Marketplace", "Pazaryeri", "marketplace", "pazaryeri"),
)

CARDS = (
    Card(0, "Bonus", "bonus", 0, "Garanti Bankası", "garanti-bankas", ("554960", "540669", "426886")),
    Card(1, "World", "world", 1, "Yapı Kredi", "yap-kredi", ("450634", "540061")),
    Card(2, "Axess", "axess", 2, "Akbank", "akbank", ("435508", "552096")),
    Card(3, "Maximum", "maximum", 3, "İş Bankası", "is-bankas", ("454360", "543771")),
    Card(4, "Paraf", "paraf", 4, "Halkbank", "halkbank", ("552879", "510056")),
    Card(5, "CardFinans", "cardfinans", 5, "QNB Finansbank", "qnb-finansbank", ("529572", "415565")),
)
FOREIGN_CARDS = (
    Card(6, "Visa", "visa", 6, "International", "international", ("411111", "400000")),
    Card(7, "Mastercard", "mastercard", 6, "International", "international", ("555555", "510510")),
)
INSTALLMENT_PLANS = (
    (1, "Peşin", "0.000000"),
    (2, "2 Taksit", "0.000000"),
    (3, "3 Taksit", "0.000000"),
    (6, "6 Taksit", "3.250000"),
    (9, "9 Taksit", "5.125000"),
    (12, "12 Taksit", "7.333333"),
)

_GATEWAYS = "omnicore.libs.payment_gateways"


def _terminals() -> tuple[Pos, ...]:
    nestpay = {
        "auth": {
            "username": "PAPATYAAPI",
            "password": f"Np<{secret('nestpay')}>",
            "client_id": "700655000999",
        },
        "store_key": secret("nestpay-store", 16).upper(),
    }
    garanti = {
        "auth": {
            "password": f"Gar&{secret('garanti')}",
            "merchant_id": "7000679",
            "terminal_id": "30691297",
            "prov_username": {"oos": "PROVOOS", "refund": "PROVRFN"},
        },
        "mode": "TEST",
        "version": "v0.01",
        "store_key": secret("garanti-store", 24),
        "refund_url": "https://garanti.example.org/VPServlet",
        "company_name": "Papatya Tekstil A.Ş.",
        "timeout_period": "60",
    }
    iyzico = {
        "api_key": f"sandbox-{secret('iyzico-key', 24)}",
        "secret_key": f"sandbox-{secret('iyzico', 32)}=",
    }
    paytr = {
        "merchant_id": "104215",
        "merchant_key": f"k+{secret('paytr-key', 14)}/Q=",
        "merchant_salt": f"s {secret('paytr-salt', 14)}&1",
    }
    posnet = {
        "auth": {
            "mid": "6706598320",
            "tid": "67005551",
            "username": "POSNETUSR",
            "password": secret("posnet", 10),
        },
        "enc_key": "10,10,10,10,10,10,10,10",
    }
    network = {
        "outlet": "b1f3c2a0",
        "api_key": b64encode(f"papatya:{secret('network', 20)}".encode()).decode(),
    }
    # fmt: off
    rows = (
        (1101, 11, "NestPay İş", "HA", "nestpay", "NestpayGateway", "nestpay.example.org/fim/api", nestpay),
        (1102, 11, "Garanti", "GB", "garanti", "GarantiGateway", "garanti.example.org/VPServlet", garanti),
        (1103, 11, "iyzico", "IY", "iyzico", "IyzicoGateway", "iyzico.example.org/payment/auth", iyzico),
        (1104, 11, "PayTR", "PT", "paytr", "PayTrGateway", "paytr.example.org/odeme/api", paytr),
        (1201, 12, "Posnet Mağaza", "YK", "posnet", "PosnetGateway", "posnet.example.org/Posnet", posnet),
        (1401, 14, "N-Genius", "NI", "network", "NetworkGateway", "ngenius.example.org/orders", network),
        (1501, 15, "iyzico EU", "IE", "iyzico", "IyzicoGateway", "iyzico.example.org/payment/auth", iyzico),
        (1601, 16, "PayTR Global", "PG", "paytr", "PayTrGateway", "paytr.example.org/odeme/api", paytr),
    )
    # fmt: on
    return tuple(
        Pos(
            pk=pk,
            channel=channel,
            name=name,
            slug=slug,
            style=style,
            gateway=f"{_GATEWAYS}.{style}.{class_name}",
            resource_url=f"https://{url}",
            config_json=json.dumps(config, ensure_ascii=False),
        )
        for pk, channel, name, slug, style, class_name, url, config in rows
    )


TERMINALS = _terminals()


@cache
def terminals_of(channel_pk: int) -> tuple[Pos, ...]:
    """Give the terminals of a channel; a channel without card payment has none."""
    return tuple(pos for pos in TERMINALS if pos.channel == channel_pk)


@cache
def payment_option(channel_pk: int, kind: str) -> PaymentOption:
    """Give the payment option of a channel for a payment kind."""
    wanted = CARD if kind == CARD_AND_LOYALTY else kind
    for position, (payment_type, name, turkish, slug, order_slug) in enumerate(_OPTIONS):
        if payment_type == wanted:
            return PaymentOption(channel_pk * 100 + position, name, turkish, payment_type, slug, order_slug)
    raise KeyError(kind)


def payment_option_document(option: PaymentOption, channel_pk: int) -> Json:
    """Give the payment option as it is nested in an order."""
    return {
        "pk": option.pk,
        "name": option.name,
        "slug": option.slug,
        "payment_type": option.payment_type,
        "sort_order": option.pk % 100,
        "is_active": True,
        "config": {},
        "translations": {"tr-tr": {"name": option.turkish_name}},
        "channel": channel_pk,
        "modified_date": instant(SETUP + option.pk * MINUTE + 529_791),
        "created_date": instant(SETUP + option.pk),
    }


def installment_pk(channel_pk: int, card: Card, plan: int) -> int:
    """Give the pk of the instalment plan number `plan` of a card in a channel."""
    return channel_pk * 1000 + card.offset * 10 + plan


def installment_document(channel_pk: int, card: Card, plan: int) -> Json:
    """Give an instalment plan with card, bank and card type as it is nested in an order."""
    count, label, rate = INSTALLMENT_PLANS[plan]
    terminals = terminals_of(channel_pk)
    stamp = SETUP + channel_pk * HOUR + card.offset * MINUTE
    dates = {"modified_date": instant(stamp + 20), "created_date": instant(stamp)}
    return {
        "pk": installment_pk(channel_pk, card, plan),
        "card": {
            "pk": channel_pk * 100 + card.offset,
            "name": card.name,
            "bank": {
                "pk": channel_pk * 100 + card.bank_offset,
                "name": card.bank,
                "slug": card.bank_slug,
                "logo": None,
                "channel": channel_pk,
                # A bank may have several cards: its dates must not depend on the card it is reached through.
                "modified_date": instant(SETUP + channel_pk * HOUR + card.bank_offset + 20),
                "created_date": instant(SETUP + channel_pk * HOUR + card.bank_offset),
            },
            "card_type": {
                "pk": channel_pk * 100 + card.offset,
                "name": card.name,
                "slug": card.slug,
                "logo": f"https://media.papatya.example.com/card_types/{card.slug}.jpg",
                "channel": channel_pk,
                **dates,
            },
            "card_payment_type": "credit",
            "cash_payment": terminals[0].pk,
            "installment_payment": terminals[-1].pk,
            "slug": card.slug,
            "three_d_payment": terminals[0].pk,
            "is_commerce_card": False,
            "channel": channel_pk,
            **dates,
        },
        "installment_count": count,
        "label": label,
        "interest_rate": rate,
        "is_active": True,
        "config": {},
        "translations": None,
    }


def pos_document(pos: Pos) -> Json:
    """Give the terminal as it is nested in a transaction, credentials included."""
    return {
        "pk": pos.pk,
        "name": pos.name,
        "slug": pos.slug,
        "gateway": pos.gateway,
        "config": pos.config(),
        "resource_url": pos.resource_url,
        "three_d_resource_url": None,
        "channel": pos.channel,
        "gateway_display": pos.style.capitalize(),
        "modified_date": instant(SETUP + pos.pk * DAY // 2 + 427_494),
        "created_date": instant(SETUP + pos.pk * HOUR + 829_319),
    }
