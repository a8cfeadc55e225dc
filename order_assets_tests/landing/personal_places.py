"""Where a shop may put what is somebody's, and how it may spell it: twenty places, five spellings of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

# For each kind: the spellings, and the name that a shop would give to such a value.
KINDS: dict[str, tuple[str, list[str]]] = {
    "card number": (
        "kart_no",
        ["4242424242424242", "5555 5555 5555 4444", "3782-822463-10005", "9792.0303.9444.0796", "6011 1111 1111 1117"],
    ),
    "TCKN": (
        "tcKimlikNo",
        ["17291716060", "172 917 160 60", "172-917-160-60", "TC 17291716060", "T.C. no: 17291716060"],
    ),
    "VKN": (
        "VERGI_NO",
        ["VKN 4540536920", "Vergi no: 4540536920", "vkn:4540536920", "Tax No 4540536920", "V.K.N. 4540536920"],
    ),
    "IBAN": (
        "iban",
        [
            *("TR330006100519786457841326", "TR33 0006 1005 1978 6457 8413 26", "tr330006100519786457841326"),
            *("TR33-0006-1005-1978-6457-8413-26", "DE89 3704 0044 0532 0130 00"),
        ],
    ),
    "phone": (
        "cepTel",
        ["+90 532 111 22 33", "0532 111 22 33", "05321112233", "00905321112233", "tel: 5321112233"],
    ),
    "e-mail": (
        "E-Posta",
        [
            "zeliha@example.com",
            "ZELIHA@EXAMPLE.COM",
            "zeliha+1@mail.example.co.uk",
            "zeliha%40example.com",
            "z.k@ornek.com.tr",
        ],
    ),
}
# By the name of the field alone.
NAMED: dict[str, list[str]] = {
    "Zeliha Kurtuluş": ["ad_soyad", "adSoyad", "AD-SOYAD", "musteri_adi", "full name"],
    "Moda Cd. Nr: 5": ["adres", "TeslimatAdresi", "FATURA_ADRESI", "address-line", "açık adres"],
}

Place = Callable[[dict[str, Any], str, str], None]


def _free(*path: str) -> Place:
    def put(order: dict[str, Any], _name: str, text: str) -> None:
        holder = order.setdefault("extra_field", {})
        for step in path[:-1]:
            holder = holder.setdefault(step, {})
        holder[path[-1]] = text

    return put


def _under_its_name(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"data": {name: text}}


def _in_json_text(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"sent": json.dumps({"a": [{name: text}]})}


def _in_json_text_twice(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"sent": json.dumps(json.dumps({name: text}))}


def _in_torn_json(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"sent": json.dumps({name: text, "x": 1})[:-3]}


def _in_xml(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"sent": f"<Req><A>1</A><{_word(name)}>{text}</{_word(name)}></Req>"}


def _in_cdata(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"sent": f"<Req><{_word(name)}><![CDATA[{text}]]></{_word(name)}></Req>"}


def _in_form(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"sent": f"a=1&{_word(name)}={quote(text)}&b=2"}


def _in_url(order: dict[str, Any], name: str, text: str) -> None:
    order["tracking_url"] = f"https://kargo.example/t?{_word(name)}={quote(text)}&id=7"


def _in_a_setting(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {"fields": [{"name": name, "value": text}]}


def _in_a_list(order: dict[str, Any], name: str, text: str) -> None:
    order["extra_field"] = {name: [text, text]}


def _unknown(order: dict[str, Any], name: str, text: str) -> None:
    order[name] = text


def _unknown_object(order: dict[str, Any], name: str, text: str) -> None:
    order["shipping_address"]["unheard_of"] = {"x": {name: text}}


def _removed_inside(order: dict[str, Any], _name: str, text: str) -> None:
    order["extra_field"] = {"easy": {"raw_request": f"<R><Number>{text}</Number></R>", "conf": {"a": text}}}


def _gateway_element(order: dict[str, Any], _name: str, text: str) -> None:
    order["transaction_set"][0]["raw_request"] = f"<R><TransId>{text}</TransId><Extra>{text}</Extra></R>"


def _gateway_form(order: dict[str, Any], _name: str, text: str) -> None:
    order["transaction_set"][0]["raw_response"] = f"type={quote(text)}&amount=1"


def _gateway_json(order: dict[str, Any], _name: str, text: str) -> None:
    order["ordershippinginfo_set"][0]["send_response"] = json.dumps({"status": text, "result": [text]})


def _word(name: str) -> str:
    return name.replace(" ", "_")


# Of these the value alone says what it is, besides the name.
BY_VALUE: list[Place] = [_free("x"), _free("deep", "er", "note"), _gateway_element, _gateway_form, _gateway_json]
BY_VALUE += [_removed_inside, _free("list_of", "notes")]
BY_NAME: list[Place] = [
    *(_under_its_name, _in_json_text, _in_json_text_twice, _in_torn_json, _in_xml, _in_cdata, _in_form, _in_url),
    *(_in_a_setting, _in_a_list, _unknown, _unknown_object),
]


def in_a_sentence(order: dict[str, Any], _name: str, text: str) -> None:
    """The value amid words of a note."""
    order["extra_field"] = {"note": f"müşteri dedi ki {text} , sonra aradı"}


def planted() -> list[tuple[str, str, Place, str]]:
    """What is somebody's, how it is spelled, where it is put, and under which name."""
    found: list[tuple[str, str, Place, str]] = []
    for kind, (name, spellings) in KINDS.items():
        for spelling in spellings:
            places = [*BY_VALUE, in_a_sentence, *BY_NAME]
            found += [(kind, spelling, place, name) for place in places]
    for value, names in NAMED.items():
        found += [("by name", value, place, name) for name in names for place in BY_NAME]
    return found
