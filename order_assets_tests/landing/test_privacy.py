"""What happens to personal data: joinable tokens, dropped or kept values, and settings that cannot be used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from order_assets.contract.model import Personal
from order_assets.redaction import Privacy, PrivacyError, PrivacyMode, own_key
from order_assets_tests.landing.samples import check, detail


def token(kind: Personal, value: str, key: str = "k") -> str | None:
    return Privacy(key=key).treatment(kind)(value)


def test_the_same_value_has_the_same_token_everywhere_so_that_tables_join() -> None:
    order = detail()
    email = "ayse@example.com"
    order["customer"]["email"] = email
    order["shipping_address"]["email"] = email.upper()
    order["a_new_one"] = {"contact_email": email, "text": f"write to {email} please"}
    landed = json.loads(check(order).text)
    known = landed["customer"]["email"]
    assert re.fullmatch(r"email_[0-9a-f]{32}", known)
    assert landed["shipping_address"]["email"] == known
    assert landed["a_new_one"] == {"contact_email": known, "text": f"write to {known} please"}


def test_emails_compare_whatever_their_case() -> None:
    assert token(Personal.EMAIL, " Ayse@Example.com") == token(Personal.EMAIL, "ayse@example.COM ")


def test_phone_numbers_compare_by_their_digits() -> None:
    assert token(Personal.PHONE, "+90 (532) 123-45-67") == token(Personal.PHONE, "905321234567")
    assert token(Personal.PHONE, "unknown") != token(Personal.PHONE, "none")


PEOPLE = [
    (Personal.PHONE, ["+90 532 111 22 33", "0532 111 22 33", "5321112233", "00905321112233", "90 (532) 111-22-33"]),
    (Personal.PHONE, ["+44 (0)20 7946 0958", "0044 20 7946 0958", "+442079460958"]),
    (Personal.NAME, ["AYŞE", "Ayşe", " ayşe ", "Ayşe", "AYS\u0327E"]),
    (Personal.NAME, ["İDİL IŞIK", "idil ışık", "Idil Işik", "İdil  Işık"]),
    (Personal.NAME, ["ALİ", "Ali", "ALI"]),
    (Personal.ADDRESS, ["Moda Cd. No: 5", "MODA CD.  NO: 5", "moda cd. no: 5\n"]),
    (Personal.EMAIL, ["ayse.ISIK@X.COM", "Ayse.Isik@x.com", "ayse.isik@x.com "]),
    (Personal.IDENTITY, ["TR33 0006 1005 1978 6457 8413 26", "tr330006100519786457841326"]),
]


@pytest.mark.parametrize(("kind", "spellings"), PEOPLE)
def test_equal_people_have_equal_tokens_however_they_are_spelled(kind: Personal, spellings: list[str]) -> None:
    assert len({token(kind, spelling) for spelling in spellings}) == 1


def test_unequal_people_have_unequal_tokens() -> None:
    assert token(Personal.NAME, "Ayşe") != token(Personal.NAME, "Ayse")
    assert token(Personal.PHONE, "+90 532 111 22 33") != token(Personal.PHONE, "+49 532 111 22 33")
    assert token(Personal.PHONE, "0532 111 22 33") != token(Personal.PHONE, "0532 111 22 34")


def test_a_token_says_its_kind_and_kinds_do_not_join() -> None:
    for kind in Personal:
        made = token(kind, "532")
        assert made is not None
        assert made.startswith(f"{kind.value}_")
    assert len({(token(kind, "532") or "").rsplit("_", 1)[1] for kind in Personal}) == len(Personal)


def test_another_key_gives_other_tokens() -> None:
    assert token(Personal.NAME, "Ali", "one") != token(Personal.NAME, "Ali", "two")


def test_a_token_and_an_empty_text_stay_as_they_are() -> None:
    made = token(Personal.EMAIL, "a@b.co")
    assert made is not None
    assert token(Personal.EMAIL, made) == made
    assert token(Personal.NAME, made) == made
    assert token(Personal.EMAIL, "") == ""


def test_tokens_stay_the_same_however_many_were_made() -> None:
    treat = Privacy(key="k").treatment(Personal.NAME)
    before = treat("Ali")
    for number in range(20_100):
        treat(f"name {number}")
    assert treat("Ali") == before


def test_drop_leaves_nothing_of_a_person() -> None:
    order = detail()
    landed = json.loads(check(order, mode="drop").text)
    assert landed["customer"]["email"] is None
    assert landed["shipping_address"]["line"] is None
    assert landed["customer"]["pk"] == order["customer"]["pk"]
    assert order["customer"]["email"] not in json.dumps(landed)


def test_clear_keeps_people_and_still_removes_secrets() -> None:
    order = detail()
    landed = json.loads(check(order, mode="clear").text)
    assert landed["customer"]["email"] == order["customer"]["email"]
    assert landed["channel"]["conf"] == "[redacted]"


def test_a_date_of_birth_is_dropped_since_no_token_is_a_date() -> None:
    order = detail()
    order["customer"]["date_of_birth"] = "1985-08-25"
    assert json.loads(check(order).text)["customer"]["date_of_birth"] is None
    assert json.loads(check(order, mode="clear").text)["customer"]["date_of_birth"] == "1985-08-25"


def test_tokens_without_a_key_are_refused_with_what_to_set() -> None:
    with pytest.raises(PrivacyError, match="ORDER_ASSETS_PII_KEY"):
        Privacy(PrivacyMode.TOKENISE)


def test_the_policy_names_the_key_without_saying_it() -> None:
    key = "correct horse battery staple"
    privacy = Privacy(key=key)
    assert privacy.policy == Privacy(key=key).policy != Privacy(key="other").policy
    assert key not in privacy.policy
    assert key not in repr(privacy)
    assert Privacy(PrivacyMode.DROP, key=key).policy == "drop/2"
    assert Privacy(PrivacyMode.CLEAR).policy == "clear/2"


def test_the_key_for_an_instance_on_this_machine_stays_the_same_and_is_the_owners_alone(tmp_path: Path) -> None:
    first = own_key(tmp_path / "data" / ".pii-key")
    assert own_key(tmp_path / "data" / ".pii-key") == first
    assert own_key(tmp_path / "other" / ".pii-key") != first
    assert (tmp_path / "data" / ".pii-key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".pii-key"]
