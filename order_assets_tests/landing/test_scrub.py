"""Credentials are found wherever they hide, and what only looks like one stays."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote_plus

import pytest

from order_assets.contract import Document
from order_assets.redaction.secrets import clean_gateway_text, names_a_credential, scrub_text, scrub_value
from order_assets.sandbox import known_secrets
from order_assets_tests.landing.samples import check, detail, put, sandbox_documents, sandbox_pks, text_of


def canary(number: int) -> str:
    return f"Kanarya{number:02d}xQ7vT9"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


C = [canary(number) for number in range(40)]
SPACED = "gizli söz " + C[20] + " & <son>"
PLANTED: list[tuple[list[str | int], Any, list[str]]] = [
    # What the contract names as secret, in any shape.
    (["channel", "conf"], {"auth": {"user": C[0]}, "anything": [C[1]]}, [C[0], C[1]]),
    (["transaction_set", 0, "pos", "config"], C[2], [C[2]]),
    (["payment_option", "config"], {C[3]: 1}, [C[3]]),
    (["installment", "config"], [{"x": b64(C[4])}], [b64(C[4]), C[4]]),
    # Gateway text in every notation.
    (
        ["transaction_set", 0, "raw_request"],
        f'<?xml version="1.0"?><!-- {C[5]} --><CC5Request a="{C[6]}"><Password>{C[7]}</Password>'
        f"<OrderId>1</OrderId><X><![CDATA[{C[8]}]]></X><Extra>{C[9]}@x.co<Y>{b64(C[10])}</Y></Extra></CC5Request>",
        [C[5], C[6], C[7], C[8], C[9], b64(C[10])],
    ),
    (
        ["transaction_set", 0, "raw_response"],
        json.dumps({"status": "ok", "apiKey": C[11], "extra": {C[12]: {"total": {"value": C[13]}}}}),
        [C[11], C[12], C[13]],
    ),
    (
        ["ordershippinginfo_set", 0, "send_request"],
        f"date=2017-01-01&pass={C[14]}&merchant={quote_plus(SPACED)}",
        [C[14], quote_plus(SPACED), C[20]],
    ),
    (["ordershippinginfo_set", 0, "send_response"], f"ERROR: wrong login {C[15]}", [C[15]]),
    # Fields that the contract knows and that hold something else than they should.
    (["status_display"], f"Authorization: Bearer {C[16]}.abc", [C[16]]),
    (["tracking_url"], f"https://user:{C[17]}@cargo.example/t", [C[17]]),
    (["e_archive_url"], f"https://e.example/i?id=1&access_token={C[18]}&x=2", [C[18]]),
    (["external_status"], f'{{"result": "ok", "token": "{C[19]}"}}', [C[19]]),
    (["segment"], f'sent {{"password": "{C[21]}", "x": tru', [C[21]]),
    (["shipping_option_slug"], f"<s:Header><wsse:Password Type='t'>{C[22]}</wsse:Password></s:Header>", [C[22]]),
    (["carrier_shipping_code"], f"<add key='ApiSecret' value='{C[23]}' />", [C[23]]),
    (["invoice_number"], f"parola={C[24]}", [C[24]]),
    (["language_code"], f"Şifre: {C[25]}", [C[25]]),
    # Free-form values, by name and by form.
    (["extra_field", "note"], json.dumps({"deep": [json.dumps({"client_secret": C[26]})]}), [C[26]]),
    (["extra_field", "settings"], [{"name": "api_key", "value": C[27]}], [C[27]]),
    (["extra_field", "login"], {"username": C[28], "password": C[29]}, [C[28], C[29]]),
    (["extra_field", f"Basic {b64('u:' + C[30])}"], 1, [b64("u:" + C[30])]),
    (["customer", "attributes"], {"session": b64(C[31] * 3)}, [b64(C[31] * 3)]),
    # Fields that nobody knows.
    (["key_file"], f"-----BEGIN RSA PRIVATE KEY-----\n{C[32]}\n-----END RSA PRIVATE KEY-----", [C[32]]),
    (["web_token"], C[33], [C[33]]),
    (["jwt_like"], f"eyJhbGciOiJIUzI1NiJ9.eyJ{b64(C[34]).rstrip('=')}.sig{C[35]}", [b64(C[34]).rstrip("="), C[35]]),
    (["spare_pos"], {"config": {"terminal": C[36]}, "raw_request": f"q {C[37]}"}, [C[36], C[37]]),
    (["curl"], f"curl -H 'X-Api-Key: {C[38]}' https://x.example/?key={C[39]}", [C[38], C[39]]),
    (["transaction_set", 0, "unknown_password"], 1234567890123, ["1234567890123"]),
]


def test_no_canary_leaves_the_gate() -> None:
    order = detail()
    order["extra_field"] = {}
    for path, value, _ in PLANTED:
        put(order, path, value)
    sent = text_of(order)
    passed = check(sent)
    left = passed.text + "".join(entry.path + entry.value for entry in passed.unmapped)
    canaries = [secret for _, _, secrets in PLANTED for secret in secrets]
    assert len(set(canaries)) >= 40
    assert [secret for secret in canaries if secret in left] == []
    assert passed.masked >= 25


@pytest.mark.parametrize(("path", "value", "secrets"), PLANTED, ids=[".".join(map(str, p)) for p, _, _ in PLANTED])
def test_a_canary_is_masked_in_refused_documents_too(path: list[str | int], value: Any, secrets: list[str]) -> None:
    from order_assets_tests.landing.samples import gate

    order = detail() | {"amount": "sixteen", "extra_field": {}}
    put(order, path, value)
    kept = gate().redact_refused(Document.DETAIL, text_of(order))
    assert kept is not None
    assert [secret for secret in secrets if secret in kept] == []


def test_no_credential_of_the_sandbox_lands() -> None:
    secrets = [secret for secret in known_secrets() if len(secret) > 3]
    for pk in (27, *sandbox_pks(300)):
        for document, value in sandbox_documents(pk).items():
            text = check(value, document).text
            assert [secret for secret in secrets if secret in text] == [], (pk, document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bf7b66149236455",
        "TRK-2026-0000123456789",
        "1Z999AA10123456784",
        "b3b5f8f0-5a5c-4c57-9f6e-0d9d2b7d9c11",
        "T. İŞ BANKASI A.Ş.",
        "Kadın Pamuklu Tişört - Beyaz, 2'li paket (M/L)",
        "Çağrı Şükrü Öğüt; no: 12/3, kat: 5",
        "Teslimat saati: 10:00 - 14:00",
        "https://www.example.com/kargo/takip/1234567890?kod=ABC123&dil=tr",
        "http://localhost:8000/media/card_types/2017/02/01/d09bb303-ea29-4eba-8c9a-f9bc056d52d7.jpg",
        "https://cdn.example.com/urun/a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6.jpg",
        "2026-01-05T10:00:00+03:00",
        "basic t-shirt, token ring kolye",
        "size=M&color=lacivert",
        "<b>Hoş geldiniz</b> <i>10 & 20</i>",
        "kadin-pamuklu-tisort-beyaz-2-li-paket-m-l-2026",
        "summer_sale_2026_basket_discount_v2",
        "16.40",
        "email_0123456789abcdef0123456789abcdef",
        '{"a": [1, 2.50, "x"], "b": null}',
        "a < b and b > c",
        "1 + 1 = 2",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert scrub_text(text) == (text, 0)
    assert scrub_value({"x": [text]}) == ({"x": [text]}, 0)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "client_secret",
        "accessToken",
        "ŞİFRE",
        "StoreKey",
        "cardNumber",
        "Cvv2Val",
        "auth",
        "PASS",
        "privateKey",
        "sessionid",
        "merchant_salt",
    ],
)
def test_names_of_credentials_are_known(name: str) -> None:
    assert names_a_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        "number",
        "auth_code",
        "cargokey",
        "username",
        "key",
        "compass",
        "tokenless",
        "pk",
        "status",
        "passenger",
        "panel",
        "author",
        "shipping_address",
        "spin",
        "opinion",
        "signature_dish"[:4],
    ],
)
def test_names_that_only_resemble_are_left(name: str) -> None:
    assert not names_a_credential(name)


def test_gateway_text_keeps_what_explains_a_payment() -> None:
    assert clean_gateway_text("<R><OrderId>b-1</OrderId><Response>Approved</Response><Name>ALI</Name></R>") == (
        "<R><OrderId>b-1</OrderId><Response>Approved</Response><Name>[redacted]</Name></R>",
        1,
    )
    assert clean_gateway_text('{"status":"ok","total":16.40,"name":"Ali"}') == ('{"status":"ok","total":16.40}', 1)
    assert clean_gateway_text("status=ok&total_amount=5&amount=16.40") == ("status=ok&amount=16.40", 1)
    assert clean_gateway_text("") == ("", 0)


@pytest.mark.parametrize(
    "text",
    [
        "<a>",
        "a<b",
        "<<>>",
        "<![CDATA[",
        "<!--",
        "<a",
        "</a>",
        "{",
        "[1",
        "=",
        "&",
        "a=b&&",
        "<a><b>x</b>tail</a>",
        "<a>x<!-- c -->y</a>",
        "<p:Status>Approved</p:Status>",
        '{"status": "a", "status": "b"}',
        "<total>1</total> x",
    ],
)
def test_cleaning_gateway_text_twice_changes_nothing_more(text: str) -> None:
    once, _ = clean_gateway_text(text)
    assert clean_gateway_text(once)[0] == once


def test_long_hostile_text_takes_no_time() -> None:
    for text in ("a" * 200_000 + "@", "a" * 200_000 + "=", "<" * 50_000, "<!--" * 20_000, "a:" * 50_000, "{" * 50_000):
        scrub_text(text)
        clean_gateway_text(text)


def test_embedded_json_keeps_its_digits_when_a_secret_is_taken_out() -> None:
    assert scrub_text('{"amount": 1.10, "token": "x"}') == ('{"amount":1.10,"token":"[redacted]"}', 1)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://cargo.example/t?token=abc+%C5%9F&dil=tr", "https://cargo.example/t?token=[redacted]&dil=tr"),
        ("error: password=abc", "error: password=[redacted]"),
        ('note="pwd: abc", no=12', 'note="pwd: [redacted]", no=12'),
        ("state:login:secret=abc", "state:login:secret=[redacted]"),
    ],
)
def test_a_credential_inside_the_value_of_another_name_is_masked(text: str, left: str) -> None:
    assert scrub_text(text) == (left, 1)
