"""What the stand-in sells through and sends with: channels and carriers.

Fixed reference data and the documents they appear as, the same in every shop. The credentials are made up
and sit where a real instance leaks its own; `leaks` lists them. What is sold is in `goods`, how it is paid
in `payment_means`, where it goes in `addresses`.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache

from order_assets.sandbox.value_text import DAY, HOUR, Json, hex_text, instant

SETUP = 1_577_959_200_000_000  # 2020-01-02, when this shop was set up


@dataclass(frozen=True, slots=True)
class Channel:
    """A sales channel. The currency also decides where its customers live."""

    pk: int
    name: str
    channel_type: str
    currency: str
    sales_url: str
    username: str
    password: str
    auth_token: str
    weight: float
    language: str | None


@dataclass(frozen=True, slots=True)
class Carrier:
    """A cargo company with the credentials of its web service."""

    pk: int
    name: str
    erp_code: str
    shipping_company: str
    username: str
    password: str
    customer_code: str


def secret(name: str, length: int = 12) -> str:
    """Make up a credential; the same name always gives the same."""
    return hex_text(length, 0, f"secret-{name}")


# fmt: off
CHANNELS = (
    Channel(11, "Papatya Web", "web", "try", "https://www.papatya.example.com", "omnitron",
            f"Ş{secret('c11')}!&1", secret("t11", 40), 0.46, "tr-tr"),
    Channel(12, "Papatya Mağaza", "sales_channel", "try", "https://magaza.papatya.example.com", "kasa",
            f"Kasa-{secret('c12')}", secret("t12", 40), 0.12, None),
    Channel(13, "Trendyol", "trendyol", "try", "https://trendyol.example.org/papatya", "papatya-ty",
            f"Ty/{secret('c13')}=", secret("t13", 40), 0.22, None),
    Channel(14, "Papatya UAE", "web", "aed", "https://ae.papatya.example.com", "omnitron-ae",
            f"Ae#{secret('c14')}", secret("t14", 40), 0.09, "en-us"),
    Channel(15, "Papatya Europe", "web", "eur", "https://eu.papatya.example.com", "omnitron-eu",
            f"Eu {secret('c15')}", secret("t15", 40), 0.08, "de-de"),
    Channel(16, "Papatya Global", "web", "usd", "https://global.papatya.example.com", "omnitron-us",
            f'Us"{secret("c16")}"', secret("t16", 40), 0.03, "en-us"),
)
# fmt: on
STORE, MARKET = (
    12,
    13,
)  # pks of the channels that are unlike the others: shops in the street, and a marketplace

CARRIERS = (
    Carrier(1, "Aras", "ARAS", "aras", "papatya.aras", f"Ar4s<{secret('aras')}>", "7004412"),
    Carrier(2, "Yurtiçi", "YURTICI", "yurtici", "PAPATYAWS", f"Yk&{secret('yurtici')}", "915520"),
    Carrier(3, "UPS", "UPS", "ups", "papatya-ups", f"ups:{secret('ups')}", "A1B2C3"),
    Carrier(4, "Kolay Gelsin", "KG", "kolay_gelsin", "kg-papatya", f"Kg+{secret('kg')}==", "55120"),
    Carrier(5, "DPD", "DPD", "dpd", "dpd-papatya", f"dpd-{secret('dpd')}", "0012"),
)


@cache
def channel_by_pk(pk: int) -> Channel:
    """Give the channel with this pk; KeyError if there is none."""
    return {channel.pk: channel for channel in CHANNELS}[pk]


@cache
def carriers_of(currency: str) -> tuple[Carrier, ...]:
    """Give the carriers that deliver for channels selling in `currency`."""
    names = ("aras", "yurtici", "ups", "kolay_gelsin") if currency == "try" else ("ups", "dpd")
    return tuple(carrier for carrier in CARRIERS if carrier.shipping_company in names)


def channel_document(channel: Channel) -> Json:
    """Give the channel as it is nested in an order, credentials included."""
    return {
        "pk": channel.pk,
        "name": channel.name,
        "channel_type": channel.channel_type,
        "catalog": channel.pk,
        "modified_date": instant(SETUP + channel.pk * DAY),
        "created_date": instant(SETUP + channel.pk * HOUR),
        "category_tree": None,
        "is_active": True,
        "conf": {
            "username": channel.username,
            "feature_flags": {},
            "auth_token": channel.auth_token,
            "server": f"{channel.sales_url}/api/v1/",
            "localized_cancel_mail_subject": {},
            "sales_url": channel.sales_url,
            "password": channel.password,
        },
        "schema": {},
    }


def cargo_company_document(carrier: Carrier) -> Json:
    """Give the carrier as it is nested in an order; Aras has the values of the documented order."""
    documented = carrier.pk == 1
    return {
        "pk": carrier.pk,
        "name": carrier.name,
        "erp_code": carrier.erp_code,
        "shipping_company": carrier.shipping_company,
        "modified_date": "2018-08-15T12:11:54.402253Z" if documented else instant(SETUP + carrier.pk * DAY),
        "created_date": "2017-01-30T14:02:18.165573Z" if documented else instant(SETUP + carrier.pk),
    }


def basic_credentials(carrier: Carrier) -> str:
    """Give a carrier's user and password as HTTP Basic authentication carries them."""
    return b64encode(f"{carrier.username}:{carrier.password}".encode()).decode()
