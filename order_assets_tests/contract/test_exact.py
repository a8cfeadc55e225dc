"""JSON goes in and out with its digits, and what is not JSON is refused without quoting it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_assets.core import exact_json
from order_assets.core.exact_json import ExactJsonError, Number


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,40})\.[0-9]{1,40}([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_every_number_keeps_its_digits(digits: str) -> None:
    value = exact_json.loads(f"[{digits}]")
    assert isinstance(value[0], Number)
    assert value[0].digits == digits
    assert exact_json.dumps(value) == f"[{digits}]"


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", '{"a":-Infinity}', '{"a":1,"a":1}', "1 2", "", "\ufeff1", "[1,]"]
)
def test_what_is_not_clean_json_is_refused(text: str) -> None:
    with pytest.raises(ExactJsonError):
        exact_json.loads(text)


def test_an_error_does_not_quote_the_text() -> None:
    with pytest.raises(ExactJsonError) as caught:
        exact_json.loads('{"password": "hunter2" oops}')
    assert "hunter2" not in str(caught.value)


def test_text_that_looks_like_a_number_stays_text() -> None:
    for text in ('"1.5"', '"1e5"', '{"1.5":"-0.0"}'):
        assert exact_json.dumps(exact_json.loads(text)) == text
    assert type(exact_json.loads('"1.5"')) is str


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
_FORMS = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "separators": st.sampled_from([(",", ":"), (", ", ": "), (",", " :")])}
)


def _with_types(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _with_types(part)) for key, part in value.items()]
    return [_with_types(part) for part in value] if isinstance(value, list) else (type(value), value)


@settings(max_examples=400, deadline=None)
@given(_VALUES, _FORMS)
def test_the_quick_way_of_reading_finds_what_the_strict_one_finds(value: Any, form: dict[str, Any]) -> None:
    text = json.dumps(value, **form)
    found = _with_types(exact_json.loads(text))
    assert found == _with_types(exact_json._STRICT.decode(text))
    assert _with_types(exact_json.loads(text.encode())) == found


@pytest.mark.parametrize("text", ['{"a":{"b":1,"b":1}}', '[{"a":1,"a":2}]', '{"a":1.50,"a":1.5}', '{"a":{},"a":{}}'])
def test_a_repeated_key_is_refused_however_deep_it_lies(text: str) -> None:
    for body in (text, text.encode()):
        with pytest.raises(ExactJsonError, match="twice"):
            exact_json.loads(body)


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        exact_json.loads(b'{"a":"\xff"}')


def test_loose_reading_keeps_all_values_of_a_repeated_key() -> None:
    text = '\ufeff {"a": 1, "a": 2, "b": NaN, "a (2)": 3} trailing'
    assert exact_json.loads_loosely(text) == {"a": 1, "a (2)": 2, "b": "NaN", "a (2) (2)": 3}


def test_loose_reading_keeps_numbers_of_any_length() -> None:
    digits = "9" * 6000
    assert exact_json.dumps(exact_json.loads_loosely(f"[{digits}]")) == f"[{digits}]"


@pytest.mark.parametrize("text", ["", "<html>", "[" * 100_000])
def test_loose_reading_refuses_where_there_is_no_value(text: str) -> None:
    with pytest.raises(ExactJsonError):
        exact_json.loads_loosely(text)


def test_half_a_surrogate_pair_cannot_be_written_and_can_be_mended() -> None:
    value = exact_json.loads('{"\\ud800": ["\\udc00x"]}')
    with pytest.raises(ExactJsonError, match="half a surrogate"):
        exact_json.dumps(value)
    assert exact_json.dumps(exact_json.mended(value)) == '{"\ufffd":["\ufffdx"]}'
