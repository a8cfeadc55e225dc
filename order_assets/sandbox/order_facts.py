"""What is in an order: who ordered which lines at which prices, with which discounts, paid how, sent by whom.

Facts are drawn once per order and never change; what happens to them over time is in `life`, how they look
as JSON is in `order_json`, `lines` and `payment_story`. Amounts are integers, hundredths of the order's currency,
and add up: amount = prices of the lines - discounts + shipping.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from order_assets.sandbox import catalogue, goods, payment_means
from order_assets.sandbox.catalogue import MARKET, STORE, Carrier
from order_assets.sandbox.goods import Product, Promotion
from order_assets.sandbox.life import Life
from order_assets.sandbox.payment_means import Card, Pos
from order_assets.sandbox.people import customer_pk
from order_assets.sandbox.value_text import Json, pick, stream, uuid_text

LINES_PER_ORDER = 31  # item pks of an order lie in a block of 100: the lines, then what was split off them
_NUMBER_SPAN, _NUMBER_STEP = 1 << 60, 0x2545F4914F6CDD1D | 1
_MARKET_SPAN, _MARKET_STEP = 10**11, 38_742_049_391


@dataclass(frozen=True, slots=True)
class Line:
    """One order item. `quantity` is above 1 where the shop merged units into one row."""

    position: int
    product: Product
    price: int
    retail_price: int
    discount: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Discount:
    """One discount of an order and how it is spread over the lines (position, hundredths)."""

    position: int
    promotion: Promotion
    amount: int
    shares: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is fixed about an order. `loyalty` is the part of the amount paid with loyalty money."""

    life: Life
    number: str
    customer: int
    shipping_address: int
    billing_address: int
    lines: tuple[Line, ...]
    discounts: tuple[Discount, ...]
    shipping: int
    discount: int
    amount: int
    loyalty: int
    interest: int
    card: Card | None
    plan: int
    bin_number: str | None
    pos: Pos | None
    main_pos: Pos | None
    carrier: Carrier | None
    extra_field: Json
    delivery_type: str | None
    shipping_option: str | None
    delivery_range_day: bool
    client_type: str
    remote_addr: str | None
    notes: str | None
    gift_note: str | None
    segment: str | None

    @property
    def pk(self) -> int:
        """The order's pk."""
        return self.life.pk

    def refunded_positions(self) -> frozenset[int]:
        """Give the lines that go back if the order is refunded or canceled, in whole or in part."""
        if self.life.path == "partly_refunded":
            return frozenset(line.position for line in self.lines[: max(1, len(self.lines) // 2)])
        return frozenset(line.position for line in self.lines)


def number_of(pk: int, channel_pk: int) -> str:
    """Give the order number: hexadecimal as in the documented order, or digits for the marketplace."""
    if channel_pk == MARKET:
        return f"{pk * _MARKET_STEP % _MARKET_SPAN:011d}"
    return f"{pk * _NUMBER_STEP % _NUMBER_SPAN:015x}"


def pks_of_number(number: str) -> tuple[int, ...]:
    """Give the pks that could have this number; the caller compares with the number the order really has."""
    if len(number) == 11 and number.isdecimal():
        return (int(number) * pow(_MARKET_STEP, -1, _MARKET_SPAN) % _MARKET_SPAN,)
    if len(number) == 15 and set(number) <= set("0123456789abcdef"):
        return (int(number, 16) * pow(_NUMBER_STEP, -1, _NUMBER_SPAN) % _NUMBER_SPAN,)
    return ()


def draw_facts(seed: int, life: Life, customers_per_channel: int) -> Facts:
    """Draw the contents of the order that has this life."""
    rng = stream(seed, "facts", life.created, life.pk)
    channel = life.channel
    # The square makes some customers order often and most of them rarely.
    customer = customer_pk(int(rng.random() ** 2 * customers_per_channel), channel.pk)
    home = customer * 10 + int(rng.random() * 2)
    lines, discounts = _draw_lines(rng, channel.currency)
    store = channel.pk == STORE
    shipping = 0 if store or (lines and rng.random() < 0.3) else pick(rng, (850, 3990, 4999, 7450))
    shipping = goods.shipping_price(channel.currency, shipping)
    discount = sum(entry.amount for entry in discounts)
    amount = sum(line.price for line in lines) - discount + shipping
    card, plan, bin_number, pos, main_pos = _draw_card(rng, life)
    count = payment_means.INSTALLMENT_PLANS[plan][0]
    pickup = life.path == "pickup" or store
    return Facts(
        life=life,
        number=number_of(life.pk, channel.pk),
        customer=customer,
        shipping_address=home,
        billing_address=home if rng.random() < 0.8 else customer * 10 + 2,
        lines=lines,
        discounts=discounts,
        shipping=shipping,
        discount=discount,
        amount=amount,
        loyalty=_loyalty_part(rng, life.payment, amount),
        interest=amount * (count - 3) // 100 if count > 3 and rng.random() < 0.5 else 0,
        card=card,
        plan=plan,
        bin_number=bin_number,
        pos=pos,
        main_pos=main_pos,
        carrier=None if pickup else pick(rng, catalogue.carriers_of(channel.currency)),
        extra_field=_draw_extra(rng),
        delivery_type=pick(rng, (None, "standard", "standard", "same_day")) if not store else None,
        shipping_option=pick(rng, (None, None, "standart-teslimat", "randevulu")) if not store else None,
        delivery_range_day=not pickup and rng.random() < 0.05,
        client_type="instore" if store else pick(rng, ("default", "default", "ios", "android")),
        remote_addr=None if store else f"198.51.100.{1 + int(rng.random() * 254)}",
        notes=pick(rng, _NOTES) if rng.random() < 0.08 else None,
        gift_note=pick(rng, _GIFT_NOTES) if rng.random() < 0.05 else None,
        segment=pick(rng, ("vip", "yeni")) if rng.random() < 0.1 else None,
    )


_NOTES = (
    "Lütfen zili çalmayın.",
    "Güvenliğe bırakabilirsiniz.\nTeşekkürler!",
    'Ön kapı: "B" girişi',
    "çok acele 🙏",
)
_GIFT_NOTES = ("Doğum günün kutlu olsun, Işıl!", "İyi ki varsın ♥", "Mutlu yıllar; sağlık & huzur")


def _draw_extra(rng: Random) -> Json:
    chance = rng.random()
    if chance < 0.85:
        return {"cargo_line_id": uuid_text(rng)}
    if chance < 0.95:
        return {}
    return {
        "cargo_line_id": uuid_text(rng),
        "erp": {"batch": int(chance * 10_000), "notes": ["gecikme", None]},
    }


def _line_count(rng: Random) -> int:
    chance = rng.random()
    for count, weight in ((0, 0.01), (1, 0.42), (2, 0.25), (3, 0.14), (4, 0.09)):
        chance -= weight
        if chance < 0:
            return count
    return 5 + int(rng.random() * 5) if chance < 0.065 else 10 + int(rng.random() * (LINES_PER_ORDER - 10))


def _draw_lines(rng: Random, currency: str) -> tuple[tuple[Line, ...], tuple[Discount, ...]]:
    drawn = []
    for _ in range(_line_count(rng)):
        product = pick(rng, goods.PRODUCTS)
        retail = goods.local_price(product, currency, 1.0 + 0.1 * rng.random())
        quantity = 2 + int(rng.random() * 3) if rng.random() < 0.03 else 1
        price = retail if rng.random() < 0.6 else retail - retail * pick(rng, (5, 10, 15, 30)) // 100
        drawn.append((product, price * quantity, retail * quantity, quantity))
    discounts = _draw_discounts(rng, [price for _, price, _, _ in drawn])
    off = [0] * len(drawn)
    for discount in discounts:
        for position, share in discount.shares:
            off[position] += share
    lines = tuple(
        Line(position, product, price, retail, off[position], quantity)
        for position, (product, price, retail, quantity) in enumerate(drawn)
    )
    return lines, discounts


def _draw_discounts(rng: Random, prices: list[int]) -> tuple[Discount, ...]:
    if not prices or rng.random() >= 0.3:
        return ()
    # A handful of orders collect so many discounts that the list runs over a page.
    chance = rng.random()
    count = 11 + int(rng.random() * 3) if chance < 0.01 else 2 if chance < 0.25 else 1
    found = []
    for position in range(count):
        promotion = pick(rng, goods.PROMOTIONS)
        percent = promotion.percent if count == 1 else promotion.percent / count / 2
        targets = [p for p in range(len(prices)) if rng.random() < 0.8] or [0]
        shares = tuple((p, int(prices[p] * percent) // 100) for p in targets)
        found.append(Discount(position, promotion, sum(share for _, share in shares), shares))
    return tuple(found)


def _draw_card(rng: Random, life: Life) -> tuple[Card | None, int, str | None, Pos | None, Pos | None]:
    if life.payment not in (payment_means.CARD, payment_means.CARD_AND_LOYALTY):
        return None, 0, None, None, None
    channel = life.channel
    card = pick(rng, payment_means.CARDS if channel.currency == "try" else payment_means.FOREIGN_CARDS)
    plan = int(rng.random() ** 3 * len(payment_means.INSTALLMENT_PLANS)) if channel.currency == "try" else 0
    terminals = payment_means.terminals_of(channel.pk)
    pos = pick(rng, terminals)
    main_pos = pick(rng, terminals) if rng.random() < 0.1 else None
    return card, plan, pick(rng, card.bins), pos, main_pos


def _loyalty_part(rng: Random, payment: str, amount: int) -> int:
    if payment == payment_means.LOYALTY:
        return amount
    if payment == payment_means.CARD_AND_LOYALTY:
        return amount * (5 + int(rng.random() * 40)) // 100
    return 0
