"""What the stand-in sells: products, their price and stock lists, and the promotions that make them cheaper.

Fixed reference data and the documents they appear as. Through which channels it sells, and how it is paid,
is in `catalogue`.
"""

from __future__ import annotations

from dataclasses import dataclass

from order_assets.sandbox.catalogue import SETUP, Channel
from order_assets.sandbox.value_text import DAY, HOUR, Json, instant


@dataclass(frozen=True, slots=True)
class Product:
    """A product with its price in hundredths of a Turkish lira."""

    pk: int
    name: str
    base_code: str
    sku: str
    colour: str
    size: str
    price: int
    tax_rate: str


@dataclass(frozen=True, slots=True)
class Promotion:
    """A campaign that discounts come from."""

    pk: int
    name: str
    slug: str
    offer_type: str
    session_offer_type: str
    code: str | None
    percent: int


_GOODS = (
    ("Nevresim Takımı", 149_990, "10.00"),
    ("Havlu Seti", 39_995, "10.00"),
    ("Çay Fincanı", 18_950, "20.00"),
    ("Yün Battaniye", 224_900, "10.00"),
    ("Pamuklu Gömlek", 79_999, "10.00"),
    ("Örgü Kırlent", 32_490, "10.00"),
    ("Şamdan", 25_900, "20.00"),
    ("Köşe Koltuk Örtüsü", 89_900, "20.00"),
    ("Güneş Gözlüğü", 119_900, "20.00"),
    ("İpek Eşarp", 64_975, "10.00"),
    ("Yemek Masası", 4_899_990, "20.00"),
    ("Çocuk Kitabı", 12_033, "0.00"),
)
_COLOURS = ("Lacivert", "Kırmızı", "Yeşil", "Gümüş", "Açık Sarı")
_SIZES = ("S", "M", "L", "Çift Kişilik", "Tek Ebat")
PRODUCTS = tuple(
    Product(
        500 + g * 10 + c,
        f"{name} {_COLOURS[c]}",
        f"PPT{g:03d}",
        f"PPT{g:03d}-{c}{(g + c) % 5}",
        _COLOURS[c],
        _SIZES[(g + c) % 5],
        price,
        tax_rate,
    )
    for g, (name, price, tax_rate) in enumerate(_GOODS)
    for c in range(len(_COLOURS))
)

PROMOTIONS = (
    Promotion(61, "Sepette %10 İndirim", "sepette-10-indirim", "site", "basket", None, 10),
    Promotion(62, "HOŞGELDİN Kuponu", "hosgeldin-kuponu", "voucher", "coupon", "HOŞGELDİN", 15),
    Promotion(63, "Öğrenci İndirimi", "ogrenci-indirimi", "account", "basket", None, 20),
    Promotion(64, "3 Al 2 Öde", "3-al-2-ode", "site", "product", None, 33),
    Promotion(65, "Çalışan Kuponu", "calisan-kuponu", "voucher", "coupon", "PAPATYA50", 50),
)
PER_CURRENCY = {"try": 1.0, "aed": 0.11, "eur": 0.025, "usd": 0.028}


def product_document(product: Product) -> Json:
    """Give the product as it is nested in an order item."""
    return {
        "pk": product.pk,
        "name": product.name,
        "base_code": product.base_code,
        "sku": product.sku,
        "product_type": "0",
        "is_active": True,
        "parent": None,
        "attributes": {"renk": product.colour, "beden": product.size, "marka": "Papatya", "kargo_desi": "2"},
        "attributes_kwargs": {"renk": {"label": product.colour, "value": product.colour.casefold()}},
        "extra_attributes": {},
        "group_products": [],
        "productimage_set": [
            {
                "pk": product.pk * 10,
                "status": "active",
                "image": f"https://media.papatya.example.com/products/{product.sku}.jpg",
                "order": 0,
            }
        ],
        "modified_date": instant(SETUP + product.pk * DAY + 912_003),
        "created_date": instant(SETUP + product.pk * HOUR),
    }


def price_list_document(channel: Channel) -> Json:
    """Give the price list of a channel as it is nested in an order item."""
    return {
        "pk": channel.pk * 10,
        "name": f"{channel.name} Fiyat Listesi",
        "code": f"PL-{channel.currency.upper()}-{channel.pk}",
        "currency": channel.currency,
        "is_auto_sync": False,
        "modified_date": instant(SETUP + channel.pk),
        "created_date": instant(SETUP),
    }


def stock_list_document(channel: Channel) -> Json:
    """Give the stock list of a channel as it is nested in an order item."""
    return {
        "pk": channel.pk * 10 + 1,
        "name": f"{channel.name} Stok Listesi",
        "code": f"SL-{channel.pk}",
        "is_auto_sync": True,
        "is_location_based_active": False,
        "modified_date": instant(SETUP + channel.pk),
        "created_date": instant(SETUP),
    }


def promotion_document(promotion: Promotion) -> Json:
    """Give the promotion as it is nested in a discount item."""
    return {
        "pk": promotion.pk,
        "created_date": instant(SETUP + promotion.pk * HOUR),
        "modified_date": instant(SETUP + promotion.pk * DAY),
        "name": promotion.name,
        "slug": promotion.slug,
    }


def local_price(product: Product, currency: str, factor: float) -> int:
    """Give a product's price in hundredths of `currency`, moved by `factor` (1.0 is the list price)."""
    return max(99, round(product.price * PER_CURRENCY[currency] * factor))


def shipping_price(currency: str, cents: int) -> int:
    """Give a shipping price in hundredths of `currency` from one in hundredths of a lira."""
    return max(1, round(cents * PER_CURRENCY[currency])) if cents else 0
