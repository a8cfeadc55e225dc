"""Checks of single values: whether a JSON value fits the type of its column, exactly and without rounding.

Where a value sits and what else happens to it is the work of `redaction.validator`. A check says whether the value
has a form that SQL does not read exactly as it stands; the transform rewrites the documents of such values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from order_assets.contract.model import BIGINT, BOOLEAN, DATE, JSON, TEXT, TIMESTAMP, ColumnType
from order_assets.core import exact_json
from order_assets.core.exact_json import Number
from order_assets.errors import OrderAssetsError

# Python's \d also takes the digits of other scripts, which no SQL type reads.
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?P<fraction>\.[0-9]+)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
# How the shop writes times, on days and in years that are sure to be there; most end here.
_USUAL_TIMESTAMP = re.compile(
    r"(?!000|9999)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
)
_LONGEST_FRACTION = len(".123456")
_EDGE_YEARS = ("0001", "9999")


class MisfitError(OrderAssetsError, ValueError):
    """A value does not fit its column. The message says why and never quotes the value."""


# Raises `MisfitError`, or says whether the form of the value is irregular.
Check = Callable[[Any], bool]


def check_of(type_: ColumnType) -> Check:
    """The check of a column type. `None` never comes to a check; an empty text counts as no value."""
    if type_.precision is not None and type_.scale is not None:
        return _decimal_check(type_.duckdb, type_.precision - type_.scale, type_.scale)
    return _CHECKS[type_]


def comparable(value: Any, type_: ColumnType) -> Any:
    """A value in a form in which equal facts are equal, however they are spelled."""
    if value in (None, "", [], {}):
        return None
    if isinstance(value, list):
        return [comparable(part, type_) for part in value]
    text = as_text(value)
    if type_ == BIGINT or type_.is_decimal:
        return Decimal(text) if _DECIMAL.fullmatch(text) else text
    if type_ == TIMESTAMP and _TIMESTAMP.fullmatch(text):
        with suppress(ValueError):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return value if type_ == JSON else text


def as_text(value: Any) -> str:
    """A single value as text: a number with its own digits, true and false as JSON has them."""
    if type(value) is bool:
        return "true" if value else "false"
    return value.digits if type(value) is Number else str(value)


def has_number(value: Any) -> bool:
    """Whether a free-form value has a number in it that is not an integer."""
    if isinstance(value, dict):
        return any(map(has_number, value.values()))
    if isinstance(value, list):
        return any(map(has_number, value))
    return type(value) is Number


def is_key(value: Any) -> bool:
    """Whether a value is the key of a thing, as a number or as text."""
    key = exact_json.whole(value)
    return key is not None and -(2**63) <= key < 2**63


def kind_of(value: Any) -> str:
    """What a value is, without the value."""
    if value is None:
        return "null"
    return _KINDS.get(type(value), "text")


_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    bool: "true or false",
    int: "an integer",
    Number: "a decimal number",
}


def _check_text(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return False
    if kind is Number:
        return True
    raise MisfitError(f"expected text, got {kind_of(value)}")


def _check_integer(value: Any) -> bool:
    irregular = False
    if type(value) is int:
        number = value
    elif value == "":
        return False
    elif type(value) is str and _INTEGER.fullmatch(value):
        number = int(value)
    elif type(value) is Number and (whole := exact_json.whole(value)) is not None:
        irregular = True
        number = whole
    else:
        raise MisfitError(f"expected an integer, got {kind_of(value)}")
    check_fits_64_bits(number)
    return irregular


def check_fits_64_bits(number: int) -> None:
    """Raise `MisfitError` for an integer that no BIGINT holds."""
    if not -(2**63) <= number < 2**63:
        raise MisfitError("the integer does not fit 64 bits")


def _check_boolean(value: Any) -> bool:
    if type(value) is bool or value == "":
        return False
    raise MisfitError(f"expected true or false, got {kind_of(value)}")


def _check_timestamp(value: Any) -> bool:
    if type(value) is not str:
        raise MisfitError(f"expected a time, got {kind_of(value)}")
    if _USUAL_TIMESTAMP.fullmatch(value) is None and value:
        _check_moment(value)
    return False


def _check_moment(text: str) -> None:
    form = _TIMESTAMP.fullmatch(text)
    if form is None:
        raise MisfitError("expected a time such as 2017-01-30T08:28:26.158165Z")
    if form.end("fraction") - form.start("fraction") > _LONGEST_FRACTION:
        raise MisfitError("the time is finer than microseconds")
    try:
        moment = datetime.fromisoformat(text)
        if text[:4] in _EDGE_YEARS:
            moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MisfitError("there is no such time") from None


def _check_date(value: Any) -> bool:
    if type(value) is not str:
        raise MisfitError(f"expected a date, got {kind_of(value)}")
    if value == "":
        return False
    if not _DATE.fullmatch(value):
        raise MisfitError("expected a date such as 1985-08-25")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise MisfitError("there is no such date") from None
    return False


_CHECKS: dict[ColumnType, Check] = {
    TEXT: _check_text,
    BIGINT: _check_integer,
    BOOLEAN: _check_boolean,
    TIMESTAMP: _check_timestamp,
    DATE: _check_date,
}


def _decimal_check(name: str, whole_digits: int, scale: int) -> Check:
    plain = re.compile(rf"-?[0-9]{{1,{whole_digits}}}(?:\.[0-9]{{1,{scale}}})?").fullmatch
    limit = 10**whole_digits

    def check(value: Any) -> bool:
        kind = type(value)
        if kind is str:
            digits = value
        elif kind is Number:
            digits = value.digits
        elif kind is int:
            if not -limit < value < limit:
                raise MisfitError(f"the number does not fit {name}")
            return False
        else:
            raise MisfitError(f"expected a decimal number, got {kind_of(value)}")
        if plain(digits) is not None or not digits:
            return False
        _check_unusual_decimal(digits, name, whole_digits, scale)
        return True

    return check


def _check_unusual_decimal(digits: str, name: str, whole_digits: int, scale: int) -> None:
    if not _DECIMAL.fullmatch(digits):
        raise MisfitError("expected a decimal number, got other text")
    number = Decimal(digits)
    if not number:
        return
    if number.adjusted() >= whole_digits:
        raise MisfitError(f"the number does not fit {name}")
    parts = number.as_tuple()
    trailing_zeros = len(parts.digits) - len("".join(map(str, parts.digits)).rstrip("0"))
    assert isinstance(parts.exponent, int)  # noqa: S101 - the pattern admits finite numbers only
    if -(parts.exponent + trailing_zeros) > scale:
        raise MisfitError(f"the number has more than {scale} digits behind the point and is not rounded")
