"""JSON goes in and out with its digits, and what is not JSON is refused without quoting it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_assets.contract import exact
from order_assets.contract.exact import ExactJsonError, Number


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,40})\.[0-9]{1,40}([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_every_number_keeps_its_digits(digits: str) -> None:
    value = exact.loads(f"[{digits}]")
    assert isinstance(value[0], Number)
    assert value[0].digits == digits
    assert exact.dumps(value) == f"[{digits}]"


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", '{"a":-Infinity}', '{"a":1,"a":1}', "1 2", "", "\ufeff1", "[1,]"]
)
def test_what_is_not_clean_json_is_refused(text: str) -> None:
    with pytest.raises(ExactJsonError):
        exact.loads(text)


def test_an_error_does_not_quote_the_text() -> None:
    with pytest.raises(ExactJsonError) as caught:
        exact.loads('{"password": "hunter2" oops}')
    assert "hunter2" not in str(caught.value)


def test_text_that_looks_like_the_mark_of_a_number_stays_text() -> None:
    for text in ('"\\u0001abcdef012345:1.5"', '"\\u0001:1"', '"1.5"'):
        assert exact.loads(exact.dumps(exact.loads(text))) == exact.loads(text)
        assert not isinstance(exact.loads(text), Number)


def test_loose_reading_keeps_all_values_of_a_repeated_key() -> None:
    text = '\ufeff {"a": 1, "a": 2, "b": NaN, "a (2)": 3} trailing'
    assert exact.loads_loosely(text) == {"a": 1, "a (2)": 2, "b": "NaN", "a (2) (2)": 3}


def test_loose_reading_keeps_numbers_of_any_length() -> None:
    digits = "9" * 6000
    assert exact.dumps(exact.loads_loosely(f"[{digits}]")) == f"[{digits}]"


@pytest.mark.parametrize("text", ["", "<html>", "[" * 100_000])
def test_loose_reading_refuses_where_there_is_no_value(text: str) -> None:
    with pytest.raises(ExactJsonError):
        exact.loads_loosely(text)


def test_half_a_surrogate_pair_cannot_be_written_and_can_be_mended() -> None:
    value = exact.loads('{"\\ud800": ["\\udc00x"]}')
    with pytest.raises(ExactJsonError, match="half a surrogate"):
        exact.dumps(value)
    assert exact.dumps(exact.mended(value)) == '{"\ufffd":["\ufffdx"]}'
