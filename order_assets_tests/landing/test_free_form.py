"""Nobody's data is left where nobody expects it, and no word, size or barcode is taken for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from order_assets_tests.landing.samples import check, detail, put

CARD, IDENTITY, IBAN, TAX = "4242424242424242", "17291716060", "TR330006100519786457841326", "4540536920"
XML = f"<CC5Request><Name>u</Name><Number>{CARD}</Number><Payer><Ad>Zeliha</Ad></Payer></CC5Request>"


def stored(path: list[str | int], value: Any, mode: str = "tokenise") -> str:
    order = detail()
    order["extra_field"] = {}
    put(order, path, value)
    passed = check(order, mode=mode)
    return passed.text + "".join(entry.path + entry.value for entry in passed.unmapped)


@pytest.mark.parametrize("mode", ["tokenise", "drop", "clear"])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["bextransaction_set"], [{"pk": 1, "raw_request": XML}]),
        (["cancellationplan_set"], [{"pk": 1, "easy_return": {"raw_request": XML, "rawRequest": XML}}]),
        (["extra_field", "send_request"], f"user=Zeliha&card={CARD}"),
        (["extra_field", "config"], {"terminal": "Zeliha"}),
        (["extra_field", "Config"], {"terminal": "Zeliha"}),
        (["extra_field", "items"], [{"product": {"conf": {"x": "Zeliha"}}}]),
        (["extra_field", "json"], json.dumps({"a": [{"raw_request": XML}, {"CONF": "Zeliha"}]})),
        (["never_heard_of"], {"deep": [{"raw-response": XML}]}),
    ],
)
def test_what_the_contract_removes_by_name_goes_inside_of_free_form_json_too(
    path: list[str | int], value: Any, mode: str
) -> None:
    left = stored(path, value, mode)
    assert CARD not in left
    assert "Zeliha" not in left


CARDS = [
    *(CARD, "4242 4242 4242 4242", "4242-4242-4242-4242", "4242.4242.4242.4242", int(CARD), f"paid with {CARD}."),
    *("3782 822463 10005", 378282246310005, "5555-5555-5555-4444", "30569309025904", "9792 0303 9444 0796", CARD + " "),
]


@pytest.mark.parametrize("mode", ["tokenise", "drop", "clear"])
@pytest.mark.parametrize("card", CARDS)
def test_no_card_number_is_kept_in_free_form_json_or_in_what_gateways_say(card: str | int, mode: str) -> None:
    order = detail()
    order["extra_field"] = {"x": card, "kart_no": card, "deep": {"list": [card, f"{card}"]}, "text": f"kart: {card}"}
    order["extra_field"] |= {"in_text": json.dumps({"order_id": card}), "url": f"https://x.example/?x={card}&y=1"}
    order["transaction_set"][0]["raw_request"] = f"<R><TransId>{card}</TransId><HostRefNum>{card}</HostRefNum></R>"
    order["transaction_set"][0]["raw_response"] = f"type={card}&amount=1"
    order["ordershippinginfo_set"][0]["send_response"] = json.dumps({"status": card, "rc": [card]})
    order["unheard_of"] = {f"{card}": card}
    passed = check(order, mode=mode)
    left = passed.text + "".join(entry.path + entry.value for entry in passed.unmapped)
    assert str(card).strip() not in left


PEOPLE: list[tuple[dict[str, Any], str]] = [
    ({"tc_kimlik_no": "12345678901"}, "12345678901"),
    ({"tcKimlikNo": 12345678901}, "12345678901"),
    ({"TC-KIMLIK": "123 456 789 01"}, "123 456 789 01"),
    ({"telefon": "555 11 22"}, "555 11 22"),
    ({"cep_tel": 5321112233}, "5321112233"),
    ({"GSM": "5321112233"}, "5321112233"),
    ({"Vergi No": "1234567890"}, "1234567890"),
    ({"ad_soyad": "Zeliha Kurtuluş"}, "Zeliha"),
    ({"MÜŞTERİ ADI": "Zeliha Kurtuluş"}, "Zeliha"),
    ({"ad": "Zeliha", "soyad": "Kurtuluş"}, "Zeliha"),
    ({"alici": "Zeliha Kurtuluş"}, "Zeliha"),
    ({"adres": "Moda Cd. 5/3"}, "Moda"),
    ({"Teslimat-Adresi": {"satir": "Moda Cd. 5/3", "city": "Istanbul"}}, "Moda"),
    ({"dogum_tarihi": "1985-08-25"}, "1985-08-25"),
    ({"DoğumTarihi": "25.08.1985"}, "25.08.1985"),
    ({"fields": [{"name": "telefon", "value": "5321112233"}]}, "5321112233"),
    ({"text": '{"phone": "5321112233", "iban": "TR33"}'}, "5321112233"),
    ({"text": '"{\\"telefon\\": 5321112233}"'}, "5321112233"),
    ({"text": 'sent {"phone": "5321112233", "x": tru'}, "5321112233"),
    ({"text": "<Musteri><Telefon>5321112233</Telefon><AdSoyad>Zeliha</AdSoyad></Musteri>"}, "5321112233"),
    ({"text": "<Musteri><AdSoyad><![CDATA[Zeliha]]></AdSoyad></Musteri>"}, "Zeliha"),
    ({"text": "ad_soyad=Zeliha+K&tel=5321112233"}, "5321112233"),
    ({"text": "ad_soyad=Zeliha+K&tel=5321112233"}, "Zeliha"),
    ({"url": "https://x.example/?email=a%40b&x=1"}, "a%40b"),
    ({"url": "https://x.example/?tel=5321112233"}, "5321112233"),
    ({"url": "https://x.example/ayse%40example.com/x"}, "ayse%40"),
    ({"x": IDENTITY}, IDENTITY),
    ({"x": int(IDENTITY)}, IDENTITY),
    ({"note": f"müşteri {IDENTITY} aradı"}, IDENTITY),
    ({"note": f"TC Kimlik No: {IDENTITY}"}, IDENTITY),
    ({"note": f"Vergi no: {TAX}"}, TAX),
    ({"note": f"iade {IBAN} hesabına"}, IBAN),
    ({"note": "iade TR33 0006 1005 1978 6457 8413 26 lütfen"}, "6457"),
    ({"note": IBAN.lower()}, IBAN.lower()),
    ({"note": "GB29 NWBK 6016 1331 9268 19"}, "NWBK"),
    ({"note": "0532 111 22 33 arayın"}, "111 22 33"),
    ({"note": "+90 (532) 111-22-33"}, "111-22-33"),
    ({"note": "00905321112233"}, "5321112233"),
    ({"note": "tel: 5321112233"}, "5321112233"),
    ({"note": "+44 20 7946 0958"}, "7946"),
    ({"+90 532 111 22 33": 1}, "111 22 33"),
]


@pytest.mark.parametrize("mode", ["tokenise", "drop"])
@pytest.mark.parametrize(("value", "secret"), PEOPLE, ids=[json.dumps(value)[:50] for value, _ in PEOPLE])
def test_people_are_known_by_turkish_and_english_names_and_by_what_their_numbers_look_like(
    value: dict[str, Any], secret: str, mode: str
) -> None:
    for path in (["extra_field", "a"], ["unheard_of"]):
        left = stored(list(path), value, mode)
        assert secret not in left
    assert secret in stored(["extra_field", "a"], value, "clear").replace('\\"', '"')


@pytest.mark.parametrize("mode", ["tokenise", "drop"])
def test_the_url_of_a_known_field_loses_people_by_the_names_of_its_parameters(mode: str) -> None:
    order = detail()
    order["tracking_url"] = "https://kargo.example/t?email=a%40b&tel=5321112233&id=77"
    order["external_status"] = '{"phone": "5321112233", "ok": 1}'
    left = check(order, mode=mode).text
    assert "a%40b" not in left
    assert "5321112233" not in left
    assert "id=77" in left


NAMES = [
    *("LCW Basic Tshirt2024-Siyah", "Token Kampanya2024", "Victoria's Secret: Parfum", "Pin: Gumus", "Secret: Parfum"),
    *("Da Vinci Şifresi: Roman", "Basic Koleksiyon2024/Beyaz", "Bearer Ayı: Peluş", "Token: 5 Adet", "Pan: Döküm 24cm"),
    *("Signature: Gold Edition", "Cookie: Çikolatalı", "Auth Kapısı: 3 lü", "Galaxy S24 Ultra 5G 256GB", "Pass: Müze"),
    *("Beden 36-38-40-42-44-46-48", "Barkod 8690504012344 Çorap", "Ölçü 120x200x18", "Sipariş 10000000146 kutusu"),
    *("8690504012344", "Ürün kodu 17291716060", "No 100 200 300 400", "1.234.567,89 TL", "2024-12-10 14:30:00"),
]


@pytest.mark.parametrize("mode", ["tokenise", "drop", "clear"])
@pytest.mark.parametrize("name", NAMES)
def test_names_of_products_and_campaigns_stay_as_they_are(name: str, mode: str) -> None:
    order = detail()
    order["extra_field"] = {"name": name, "urun": name, "list": [name], "campaign_name": name}
    order["unheard_of"] = name
    order["segment"] = order["channel"]["name"] = name
    landed = json.loads(check(order, mode=mode).text)
    assert landed["segment"] == landed["channel"]["name"] == name
    assert landed["extra_field"] == {"name": name, "urun": name, "list": [name], "campaign_name": name}


@pytest.mark.parametrize("mode", ["tokenise", "drop", "clear"])
def test_fields_that_only_sound_like_credentials_keep_their_values(mode: str) -> None:
    kept = {
        "pin_count": 12,
        "secret_discount": "10.00",
        "salt": "Himalaya",
        "signature": "Gold",
        "row_id": "0123456789abcdef0123456789abcdef",
        "token_type": "gift",
        "secret": "Parfum",
        "pin": "Gumus",
        "phone_model": "iPhone 15",
        "tax_rate": "20.00",
        "vergi_orani": 20,
        "email_sent": True,
        "takip_no": "17291716060",
        "barkod": 8690504012344,
        "siparis_no": "05321112233",
        "ip": "yok",
        "created": 1700000000000,
    }
    order = detail() | {"extra_field": kept}
    assert json.loads(check(order, mode=mode).text)["extra_field"] == kept


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic Tshirt2024",
        'Authorization: "Bearer abc"',
        "Basic dXNlcjpwYXNzd29yZA==",
        "token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
        "password: hunter2",
        "https://x.example/?X-Amz-Signature=0123456789abcdef0123",
    ],
)
def test_credentials_that_are_none_by_their_look_alone_still_go(text: str) -> None:
    assert text.split()[-1].strip("=").split("=")[-1] not in stored(["extra_field", "a"], text, "clear")


def test_what_was_masked_is_counted_by_path_and_kind() -> None:
    order = detail()
    order["extra_field"] = {"notes": [{"telefon": "5321112233"}, {"telefon": "5321112234"}], "k": CARD, "api_key": "x"}
    order["tracking_url"] = "https://kargo.example/t?email=a%40b"
    order["unheard_of"] = {"iban": IBAN}
    passed = check(order)
    found = {key: count for key, count in passed.masks.items() if key[1] != "gateway text"}
    assert found == {
        ("extra_field.notes[].telefon", "phone"): 2,
        ("extra_field.k", "card"): 1,
        ("extra_field.api_key", "credential"): 1,
        ("tracking_url", "email"): 1,
        ("unheard_of.iban", "identity"): 1,
    }
