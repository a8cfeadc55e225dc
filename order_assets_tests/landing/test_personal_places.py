"""Nobody's data in twenty places and five spellings each is left; no name of a shop's goods is taken for it."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from order_assets.contract import Document
from order_assets.redaction.detectors import is_card_number, is_iban, is_identity_number, is_tax_number
from order_assets_tests.landing.personal_places import BY_NAME, BY_VALUE, planted
from order_assets_tests.landing.samples import check, detail, gate

_OTHERS = [pytest.param(mode, marks=pytest.mark.slow) for mode in ("drop", "clear")]


def core(text: str) -> str:
    """What is left to see of a value once words, signs and spaces around it are taken away."""
    return re.sub(r"[\s.\-]", "", re.sub(r"^[^\d@+]*?(?=[+\d]{2,})", "", text)).lower() or text.lower()


@pytest.mark.parametrize("mode", ["tokenise", pytest.param("drop", marks=pytest.mark.slow)])
def test_nobodys_data_is_left_anywhere_however_it_is_spelled(mode: str) -> None:
    assert len(BY_NAME) + len(BY_VALUE) + 1 >= 20
    left = []
    for kind, value, place, name in planted():
        order = {key: part for key, part in detail().items() if key not in ("mapping", "orderitem_set")}
        place(order, name, value)
        passed = check(order, mode=mode)
        seen = passed.text + "".join(entry.path + entry.value for entry in passed.unmapped)
        if value in seen or quote(value) in seen or core(value) in re.sub(r"[\s.\-]", "", seen).lower():
            left.append((kind, value, place.__qualname__, name))
    assert left == []


WORDS = (
    *("Kadın", "Erkek", "Çocuk", "Basic", "Token", "Secret", "Pin", "Pass", "Auth", "Signature", "Cookie", "Bearer"),
    *("Slim", "Fit", "Pamuklu", "Keten", "Triko", "Gömlek", "Tişört", "Pantolon", "Elbise", "Kazak", "Mont", "Salt"),
    *("Ayakkabı", "Çanta", "Kolye", "Parfüm", "Krem", "Şampuan", "Telefon", "Kılıfı", "Kart", "Cüzdan", "Adres"),
    *("Etiketi", "Tel", "Örgü", "Cep", "Saati", "Kimlik", "Kabı", "Vergi", "Defteri", "Posta", "Kutusu", "İsim"),
    *("Baskılı", "Garden", "Victoria's", "&", "Pepper", "Password", "Şifresi"),
)
COLOURS = ["Siyah", "Beyaz", "Lacivert", "Kırmızı", "Mavi", "Ekru", "Taş", "Red", "Black", "Off-White", "Navy"]
SHAPES = (
    "{w} {v} {c}",
    "{w} {v} {y}-{c}",
    "{w}{y} {c}",
    "{w}: {v}",
    "{w} {v}: {c} {n} Adet",
    "{w} {v} {s}-{t}-{u} Beden",
    "{w} {m} {g}GB {c}",
    "{w} {v} {a}x{b}x{n} cm",
    "{w} {ean}",
    "{w} {v} ({ean}) {c}",
    "{w} Kampanyası %{n} İndirim {y}",
    "{c} {w} {n}'li Paket - {m}",
    "Sipariş No {o} {w}",
    "{w} {o} {v}",
    "SKU {m}-{n}-{c}",
    "{w}/{v}/{c} {n},99 TL",
    "{y} Yaz {w} Koleksiyonu",
    "{w} Web {n} / Mağaza {s}",
    "{w} 36-38-40-42-44-46-48 {c}",
    "{m} {w} {v} {ean}",
)


def names_of_goods(count: int) -> Iterator[str]:
    chance = random.Random(20)
    for shape in itertools.islice(itertools.cycle(SHAPES), count):
        digits = "".join(chance.choices("0123456789", k=9))
        ean = "869" + digits
        ean += str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(ean)) % 10)
        yield shape.format(
            w=chance.choice(WORDS),
            v=chance.choice(WORDS),
            c=chance.choice(COLOURS),
            y=chance.randint(2019, 2027),
            s=chance.randint(34, 46),
            t=chance.randint(34, 46),
            u=chance.randint(34, 46),
            n=chance.randint(2, 99),
            g=chance.choice((64, 128, 256)),
            a=chance.randint(10, 300),
            b=chance.randint(10, 300),
            m="".join(chance.choices("ABCXYZ", k=2)) + str(chance.randint(100, 99999)) + chance.choice(("", "S", "-B")),
            o=chance.choice((f"{chance.randint(10**9, 10**10 - 1)}", f"{chance.randint(10**10, 10**11 - 1)}")),
            ean=ean,
        )


@pytest.mark.parametrize("mode", [*_OTHERS, "tokenise"])
def test_no_name_of_a_product_campaign_channel_or_segment_is_masked(mode: str) -> None:
    names = list(names_of_goods(5_000))
    assert len(set(names)) > 4_000
    changed = []
    for start in range(0, len(names), 100):
        batch = names[start : start + 100]
        order = detail()
        order["extra_field"] = {"items": [{"product_name": name, "campaign": name, "segment": name} for name in batch]}
        landed = json.loads(check(order, mode=mode).text)["extra_field"]["items"]
        for name, kept in zip(batch, landed, strict=True):
            if kept != {"product_name": name, "campaign": name, "segment": name}:
                changed.append((name, kept))
        rows = json.dumps([{"product": {"name": name}} for name in batch])
        told = json.loads(gate(mode).redact_refused(Document.ITEMS, rows) or "[]")
        changed += [row for row, name in zip(told, batch, strict=True) if row["product"]["name"] != name]
    assert changed == []


def test_sums_are_those_of_the_issuers() -> None:
    assert is_identity_number("10000000146")
    assert not is_identity_number("10000000145")
    assert is_tax_number("4540536920")
    assert not is_tax_number("4540536921")
    assert is_iban("GB29NWBK60161331926819")
    assert not is_iban("GB29NWBK60161331926818")
    assert not is_iban("TR33000610051978645784132")
    assert is_card_number("4242424242424242")
    assert not is_card_number("4242424242424241")
    # Luhn's sum alone is not enough: no issuer has such numbers.
    assert not is_card_number("1234567812345670")
    # The barcode of an article.
    assert not is_card_number("4006381333931")
