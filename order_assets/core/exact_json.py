"""JSON read and written without a float in between: a number that is not an integer keeps its digits.

Only the reading of numbers lives here; what a document may hold is said by the contract's shapes.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from order_assets.errors import OrderAssetsError


class ExactJsonError(OrderAssetsError, ValueError):
    """Text is not JSON as it has to be; the message says what is wrong and never quotes the text."""


class Number(str):
    """A JSON number that is not an integer, as it is written."""

    __slots__ = ()

    @property
    def digits(self) -> str:
        """The number as it stood in the document."""
        return str.__str__(self)


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, with `Number` in place of floats.

    Raises `ExactJsonError` for text that is not JSON, for NaN and Infinity, and for an object that has a key twice;
    `UnicodeDecodeError` for bytes that are not UTF-8.
    """
    value = _quickly(text)
    if value is not _UNSURE:
        return value
    if isinstance(text, bytes):
        text = text.decode()
    try:
        return _STRICT.decode(text)
    except ExactJsonError:
        raise
    except RecursionError:
        raise ExactJsonError("nested too deeply") from None
    except ValueError as error:
        # The error's own text can quote the document; its position cannot hurt.
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        what = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        raise ExactJsonError(f"not JSON: {what}{where}") from None


def _quickly(text: str | bytes) -> Any:
    """The value of a text that has the very form in which it would be written; else `_UNSURE`.

    msgspec reads three times as fast as `json`, but of a repeated key it keeps the last value and says nothing. Where
    it writes again what it read, byte for byte, no key was lost and no digit.
    """
    try:
        written = text if isinstance(text, bytes) else text.encode()
        value = _READER.decode(written)
        return value if _WRITER.encode(value) == written else _UNSURE
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # `json` says better what is wrong.
        return _UNSURE


def loads_whole(text: str) -> Any:
    """The value of a text that is one JSON value, with all values of a repeated key.

    Such text stands inside other text, where it need not be strict. Raises `ExactJsonError` where it is not JSON.
    """
    try:
        return _LOOSE.decode(text)
    except (ValueError, RecursionError):
        raise ExactJsonError("not JSON") from None


def loads_loosely(text: str) -> Any:
    """The value of a text that `loads` refuses, as far as there is one.

    Takes the first value of the text; NaN and Infinity become text; of a repeated key all values are kept, the later
    ones under `key (2)`, `key (3)`. Raises `ExactJsonError` where no JSON value can be read.
    """
    try:
        return _LOOSE.raw_decode(text.lstrip("\ufeff \t\r\n"))[0]
    except (ValueError, RecursionError):
        raise ExactJsonError("no JSON value can be read") from None


def dumps(value: Any) -> str:
    """JSON text of a value from `loads`: no spaces, letters as they are, every number with its own digits.

    Raises `ExactJsonError` for text that is not Unicode (half a surrogate pair).
    """
    return encode(value).decode()


def encode(value: Any) -> bytes:
    """The text of `dumps` in UTF-8."""
    try:
        return _WRITER.encode(value)
    except UnicodeEncodeError:
        raise ExactJsonError("text with half a surrogate pair") from None


def whole(value: Any) -> int | None:
    """The integer that a value is, as a number in any spelling or as text; `None` for all else."""
    if type(value) is int:
        return value
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return None
    number = Decimal(value)
    if number.adjusted() > _MOST_DIGITS or number != number.to_integral_value():
        return None
    return int(number)


def mended(value: Any) -> Any:
    """The value with a replacement character for each half of a surrogate pair."""
    if isinstance(value, dict):
        return {mended(key): mended(part) for key, part in value.items()}
    if isinstance(value, list):
        return [mended(part) for part in value]
    if type(value) is str:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _digits(number: object) -> msgspec.Raw:
    # The only thing in a value from `loads` that msgspec does not know.
    if not isinstance(number, Number):
        raise NotImplementedError(f"no JSON value: {type(number).__name__}")
    return msgspec.Raw(number.encode())


def _refuse_constant(name: str) -> NoReturn:
    raise ExactJsonError(f"{name} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ExactJsonError("an object has the same key twice")
    return found


def _numbered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        name, count = key, 1
        while name in found:
            count += 1
            name = f"{key} ({count})"
        found[name] = value
    return found


def _integer(digits: str) -> int | Number:
    # Zero with a sign is no integer of Python's.
    return int(digits) if digits != "-0" else Number(digits)


def _integer_of_any_length(digits: str) -> int | Number:
    return _integer(digits) if len(digits) < 1000 else Number(digits)


_UNSURE = object()
# Python's \d also takes the digits of other scripts.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_MOST_DIGITS = 19
_READER = msgspec.json.Decoder(float_hook=Number)
_WRITER = msgspec.json.Encoder(enc_hook=_digits)
_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=Number, parse_int=_integer, parse_constant=_refuse_constant
)
_LOOSE = json.JSONDecoder(
    object_pairs_hook=_numbered, parse_float=Number, parse_int=_integer_of_any_length, parse_constant=str, strict=False
)
