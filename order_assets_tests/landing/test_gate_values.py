"""What the gate takes and what it refuses: one value or one text at a time."""

from __future__ import annotations

import json

import pytest

from order_assets.contract import Document
from order_assets.redaction import Refused
from order_assets_tests.landing.samples import check, detail, put, text_of, with_raw


def refusal(body: str | bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        check(body)
    return caught.value


def test_the_documented_order_passes_with_nothing_unknown_and_nothing_missing() -> None:
    passed = check(detail())
    assert passed.unmapped == ()
    assert passed.missing == ()
    assert not passed.irregular


@pytest.mark.parametrize(
    ("raw", "irregular"),
    [
        ('"16.40"', False),
        ("16.40", False),
        ("16.4", False),
        ("16", False),
        ("0", False),
        ("-0.00", False),
        ("-16.40", False),
        ('"0016.40"', False),
        ('"9999999999999999.99"', False),
        ("9999999999999999.99", False),
        ("1e2", True),
        ('"1E+2"', True),
        ("1640e-2", True),
        ("16.4000", True),
        ('"+16.40"', True),
        ('".5"', True),
        ("0e5", True),
    ],
)
def test_money_passes_in_every_legal_spelling_that_needs_no_rounding(raw: str, irregular: bool) -> None:
    passed = check(with_raw(["amount"], raw))
    assert passed.irregular is irregular
    assert f'"amount":{raw}' in passed.text


@pytest.mark.parametrize("raw", ["null", '""'])
def test_money_without_a_value_is_no_error(raw: str) -> None:
    assert f'"amount":{raw}' in check(with_raw(["amount"], raw)).text


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("16.405", "more than 2 digits behind the point and is not rounded"),
        ('"16.405"', "more than 2 digits behind the point and is not rounded"),
        ("1e-3", "more than 2 digits behind the point and is not rounded"),
        ("99999999999999999", "does not fit DECIMAL(18,2)"),
        ("10000000000000000.00", "does not fit DECIMAL(18,2)"),
        ("1e16", "does not fit DECIMAL(18,2)"),
        ("1e9999", "does not fit DECIMAL(18,2)"),
        ("1e99999999999999999999", "expected a decimal number, got other text"),
        ('"12,50"', "expected a decimal number, got other text"),
        ('"sixteen"', "expected a decimal number, got other text"),
        ('"NaN"', "expected a decimal number, got other text"),
        ('"١٦"', "expected a decimal number, got other text"),
        ("true", "expected a decimal number, got true or false"),
        ("{}", "expected a decimal number, got an object"),
        ("[]", "expected a decimal number, got a list"),
    ],
)
def test_money_that_would_change_is_refused_with_path_and_reason(raw: str, reason: str) -> None:
    refused = refusal(with_raw(["amount"], raw))
    assert (refused.document, refused.path) == (Document.DETAIL, "amount")
    assert reason in refused.reason


def test_a_bad_value_deep_inside_is_refused_with_its_whole_path() -> None:
    refused = refusal(with_raw(["transaction_set", 0, "amount"], '"1.234"'))
    assert refused.path == "transaction_set[0].amount"
    assert "1.234" not in str(refused)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (with_raw(["amount"], "NaN"), "NaN is not a number"),
        (with_raw(["extra_field"], '{"x": -Infinity}'), "-Infinity is not a number"),
        (with_raw(["unheard_of"], "Infinity"), "Infinity is not a number"),
        (with_raw(["amount"], '1, "amount": 2'), "the same key twice"),
        (with_raw(["extra_field"], '{"a": {"b": 1, "b": 1}}'), "the same key twice"),
        (text_of(detail()) + " {}", "not JSON"),
        (text_of(detail()) + ",", "not JSON"),
        (text_of(detail())[:-1], "not JSON"),
        ("", "not JSON"),
        ("<html>502</html>", "not JSON"),
        ("\ufeff" + text_of(detail()), "not JSON"),
        ('{"pk": 0x1b}', "not JSON"),
        ('{"pk": 27,}', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        (with_raw(["extra_field"], '{"a":' * 5000 + "1" + "}" * 5000), "nested too deeply"),
        (with_raw(["installment_count"], "9" * 5000), "a number is too long"),
        ("null", "expected an object, got null"),
        ("[]", "expected an object, got a list"),
        ('"text"', "expected an object, got text"),
    ],
)
def test_text_that_is_not_one_clean_json_object_is_refused(body: str, reason: str) -> None:
    refused = refusal(body)
    assert reason in refused.reason
    assert len(refused.reason) < 120


def test_a_lone_surrogate_is_refused_and_not_written() -> None:
    for path in (["status_display"], ["customer", "first_name"], ["extra_field"], ["unheard_of"], ["unheard_\ud800"]):
        order = detail()
        put(order, path, "\udc00 half")
        refused = refusal(json.dumps(order))
        assert refused.reason == "text with half a surrogate pair"


def test_a_whole_surrogate_pair_is_a_letter_like_any_other() -> None:
    assert "😀" in check(with_raw(["status_display"], '"\\ud83d\\ude00"')).text


def test_invalid_utf_8_is_refused_with_the_place_of_the_byte() -> None:
    body = text_of(detail()).encode().replace(b'"number"', b'"n\xffmber"')
    assert refusal(body).reason == f"not UTF-8 at byte {body.index(bytes([0xFF]))}"


@pytest.mark.parametrize("raw", ["3", '"3"', "-9223372036854775808", '"9223372036854775807"', '""', "null"])
def test_an_integer_passes_as_number_or_text(raw: str) -> None:
    assert not check(with_raw(["installment_count"], raw)).irregular


@pytest.mark.parametrize("raw", ["3.0", "3e0", "30e-1"])
def test_an_integer_in_another_spelling_passes_and_is_rewritten_later(raw: str) -> None:
    assert check(with_raw(["installment_count"], raw)).irregular


@pytest.mark.parametrize(
    "raw",
    [
        "3.5",
        "true",
        "false",
        '"3.5"',
        '"three"',
        "[]",
        "{}",
        '"٣"',
        "9223372036854775808",
        "1e19",
        "1e999999999999",
        "18446744073709551616",
        "-9223372036854775809",
        '"9223372036854775808"',
        "9" * 100,
    ],
)
def test_what_is_no_64_bit_integer_is_refused(raw: str) -> None:
    assert refusal(with_raw(["installment_count"], raw)).path == "installment_count"


@pytest.mark.parametrize("raw", ["1", "0", '"true"', '"yes"', "1.0", "[]", "{}"])
def test_only_true_and_false_are_truth_values(raw: str) -> None:
    assert refusal(with_raw(["is_send"], raw)).path == "is_send"


@pytest.mark.parametrize("raw", ["[]", "{}", '{"a": 1}'])
def test_an_object_where_text_is_expected_is_refused(raw: str) -> None:
    assert refusal(with_raw(["status"], raw)).path == "status"


@pytest.mark.parametrize(
    "time",
    [
        "2017-01-30T08:28:26.158165Z",
        "2017-01-30T08:28:26.1Z",
        "2017-01-30T08:28:26Z",
        "2017-01-30T08:28Z",
        "2017-01-30T08:28:26",
        "2017-01-30 08:28:26.158165",
        "2017-01-30T11:28:26+03:00",
        "2017-01-30T11:28:26+0300",
        "2017-01-30T11:28:26+03",
        "2017-01-30",
        "",
    ],
)
def test_a_time_passes_with_and_without_offset_and_fraction(time: str) -> None:
    assert f'"invoice_date":"{time}"' in check(with_raw(["invoice_date"], f'"{time}"')).text


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ('"2017-01-30T08:28:26.1234567Z"', "finer than microseconds"),
        ('"2017-02-30T08:28:26Z"', "no such time"),
        ('"2017-13-01"', "no such time"),
        ('"2017-01-30T24:00:00Z"', "no such time"),
        ('"2017-01-30T08:28:60Z"', "no such time"),
        ('"2017-01-30T08:28:26+24:00"', "no such time"),
        ('"0000-01-30T08:28:26Z"', "no such time"),
        ('"0001-01-01T00:00:00+03:00"', "no such time"),
        ('"9999-12-31T23:59:59-03:00"', "no such time"),
        ('"30.01.2017 08:28"', "expected a time such as"),
        ('"2017-W05-1T08:28:26Z"', "expected a time such as"),
        ('"20170130T082826Z"', "expected a time such as"),
        ('"2017-01-30T08:28:26,5Z"', "expected a time such as"),
        ('"٢٠١٧-01-30"', "expected a time such as"),
        ('" "', "expected a time such as"),
        ("1485764906", "expected a time, got an integer"),
        ("1485764906.5", "expected a time, got a decimal number"),
        ("true", "expected a time, got true or false"),
        ("{}", "expected a time, got an object"),
    ],
)
def test_a_time_that_is_none_is_refused(raw: str, reason: str) -> None:
    refused = refusal(with_raw(["invoice_date"], raw))
    assert refused.path == "invoice_date"
    assert reason in refused.reason


@pytest.mark.parametrize("raw", ['"1985-02-30"', '"25.08.1985"', '"1985-08-25T00:00:00Z"', "19850825", "true"])
def test_a_date_that_is_none_is_refused(raw: str) -> None:
    assert refusal(with_raw(["customer", "date_of_birth"], raw)).path == "customer.date_of_birth"


@pytest.mark.parametrize("raw", ["null", '""'])
def test_a_required_value_that_is_not_there_is_refused(raw: str) -> None:
    refused = refusal(with_raw(["transaction_set", 0, "pk"], raw))
    assert refused.path == "transaction_set[0].pk"
    assert "required" in refused.reason


def test_a_required_field_that_is_missing_is_refused() -> None:
    order = detail()
    del order["transaction_set"][0]["pk"]
    assert refusal(text_of(order)).path == "transaction_set[0].pk"


def test_what_an_order_points_to_without_a_key_is_kept_beside_the_order() -> None:
    order = detail()
    del order["channel"]["pk"]
    kept = {found.path: found.value for found in check(text_of(order)).unmapped}
    assert kept["channel.name"] == json.dumps(order["channel"]["name"])


def test_missing_fields_are_reported_only_where_the_vendor_has_them() -> None:
    order = detail()
    for name in ("cargo_company", "status", "mapping"):
        del order[name]
    del order["delivery_range"]  # in no example
    del order["channel"]["conf"]  # a secret
    del order["transaction_set"][0]["order"]["status"]  # a repetition
    del order["transaction_set"][0]["auth_code"]
    assert check(order).missing == ("cargo_company", "mapping", "status", "transaction_set[].auth_code")


def test_a_number_in_free_form_json_keeps_its_digits_and_is_rewritten_later() -> None:
    passed = check(with_raw(["extra_field"], '{"weight":1.100,"n":12345678901234567890}'))
    assert '"extra_field":{"weight":1.100,"n":12345678901234567890}' in passed.text
    assert passed.irregular


@pytest.mark.parametrize("raw", ["null", '""', "[]", "{}"])
def test_an_object_that_is_empty_in_any_way_passes(raw: str) -> None:
    assert f'"cargo_company":{raw}' in check(with_raw(["cargo_company"], raw)).text


@pytest.mark.parametrize("raw", ["1.5", "true", '"aras"', "[1]", '[{"pk": 1}]', "1e99", "false"])
def test_something_else_than_an_object_or_its_key_is_refused(raw: str) -> None:
    assert refusal(with_raw(["cargo_company"], raw)).path == "cargo_company"


@pytest.mark.parametrize(
    ("raw", "size", "irregular"),
    [
        ("null", None, False),
        ("{}", None, False),
        ('""', None, False),
        ("[]", 0, False),
        ('{"pk": 5}', 1, True),
        ('[{"pk": 5}, {"pk": 6}]', 2, False),
        ("[5, 6, 7]", 3, True),
    ],
)
def test_a_set_is_read_as_the_set_it_means(raw: str, size: int | None, irregular: bool) -> None:
    passed = check(with_raw(["ordertransaction_set"], raw))
    assert passed.set_sizes.get("ordertransaction_set[]") == size
    assert passed.irregular is irregular


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("[null]", "ordertransaction_set[0]"),
        ('[{"pk": 5}, null]', "ordertransaction_set[1]"),
        ("[{}]", "ordertransaction_set[0]"),
        ('["5"]', "ordertransaction_set[0]"),
        ("[true]", "ordertransaction_set[0]"),
        ("[1.5]", "ordertransaction_set[0]"),
        ("[[]]", "ordertransaction_set[0]"),
        ("[9223372036854775808]", "ordertransaction_set[0]"),
        ("5", "ordertransaction_set"),
        ('"5"', "ordertransaction_set"),
        ("true", "ordertransaction_set"),
    ],
)
def test_a_set_with_something_that_is_no_row_is_refused(raw: str, path: str) -> None:
    assert refusal(with_raw(["ordertransaction_set"], raw)).path == path


def test_items_and_discounts_are_lists() -> None:
    for document in (Document.ITEMS, Document.DISCOUNTS):
        assert check("[]", document).set_sizes == {"[]": 0}
        with pytest.raises(Refused):
            check("{}", document)


def test_unknown_fields_are_reported_with_their_place_and_value_at_any_depth() -> None:
    order = detail()
    order["a_new_one"] = {"x": [1, None, {"y": "z"}]}
    order["shipping_address"]["city"]["plate"] = 34
    order["transaction_set"][0]["fee"] = 1.25
    order["channel"]["dotted.name[0]"] = ""
    found = {entry.path: json.loads(entry.value) for entry in check(order).unmapped}
    assert found == {
        "a_new_one": {"x": [1, None, {"y": "z"}]},
        "shipping_address.city.plate": 34,
        "transaction_set[0].fee": 1.25,
        'channel."dotted.name[0]"': "",
    }


def test_unknown_fields_of_items_and_discounts_are_reported_too() -> None:
    items = check('[{"pk": 1, "fee": 2}]', Document.ITEMS)
    assert [(entry.path, entry.value) for entry in items.unmapped] == [("[0].fee", "2")]
    discounts = check('[{"pk": 1, "benefitapplicant_set": [{"x": "y"}]}]', Document.DISCOUNTS)
    assert [(entry.path, entry.value) for entry in discounts.unmapped] == [("[0].benefitapplicant_set[0].x", '"y"')]


def test_an_unknown_field_with_a_secret_in_name_or_value_keeps_neither() -> None:
    order = detail()
    bearer = "Bearer q7H2kd83Jslq0"
    order["gateway_password"] = "hunter2-hunter2"
    order[bearer] = 1
    order[bearer + "x"] = 2
    passed = check(order)
    assert "hunter2" not in passed.text
    assert bearer not in passed.text
    found = {entry.path: entry.value for entry in passed.unmapped}
    # Two masked names do not become one.
    assert set(found) == {"gateway_password", '"[redacted]"', '"[redacted] (2)"'}
    assert set(found.values()) == {'"[redacted]"'}
    assert passed.masked >= 3


def test_an_order_copy_that_differs_is_kept_as_unmapped() -> None:
    order = detail()
    order["transaction_set"][0]["order"]["amount"] = "17.00"
    passed = check(order)
    assert [(entry.path, entry.value) for entry in passed.unmapped] == [("transaction_set[0].order.amount", '"17.00"')]


def test_an_order_copy_that_only_spells_a_value_differently_is_equal() -> None:
    order = detail()
    order["transaction_set"][0]["order"] |= {"amount": 16.4, "pk": "27", "date_placed": "2017-01-30T08:28:26.158165"}
    assert check(order).unmapped == ()


@pytest.mark.parametrize(("raw", "written"), [("true", "true"), ("false", "false"), ("1.10", "1.10"), ("-0", "-0")])
def test_personal_text_that_is_no_text_is_kept_as_json_writes_it(raw: str, written: str) -> None:
    body = with_raw(["customer", "first_name"], raw)
    assert json.loads(check(body, mode="clear").text)["customer"]["first_name"] == written
    as_one = json.loads(check(body).text)["customer"]["first_name"]
    assert (
        as_one == json.loads(check(with_raw(["customer", "first_name"], f'"{written}"')).text)["customer"]["first_name"]
    )
