"""JSON read and written without a float in between: a number that is not an integer keeps its digits.

Only the reading of numbers lives here; what a document may hold is said by the contract's shapes.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, NoReturn

# Numbers travel through `json` as marked strings, so that their digits come out as they went in. The mark is made
# when the process starts: no document can forge it.
_MARK = f"\u0001{secrets.token_hex(6)}:"
_ESCAPED_MARK = json.dumps(_MARK)[1:-1]
_MARKED = re.compile('"' + re.escape(_ESCAPED_MARK) + '([^"]+)"')


class ExactJsonError(ValueError):
    """Text is not JSON as it has to be; the message says what is wrong and never quotes the text."""


class Number(str):
    """A JSON number that is not an integer; as a string it carries a mark in front of its digits."""

    __slots__ = ()

    @property
    def digits(self) -> str:
        """The number as it stood in the document."""
        return self[len(_MARK) :]


def loads(text: str) -> Any:
    """The value of a JSON text, with `Number` in place of floats.

    Raises `ExactJsonError` for text that is not JSON, for NaN and Infinity, and for an object that has a key twice.
    """
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
    text = _ENCODER.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ExactJsonError("text with half a surrogate pair") from None
    return _MARKED.sub(r"\1", text) if _ESCAPED_MARK in text else text


def mended(value: Any) -> Any:
    """The value with a replacement character for each half of a surrogate pair."""
    if isinstance(value, dict):
        return {mended(key): mended(part) for key, part in value.items()}
    if isinstance(value, list):
        return [mended(part) for part in value]
    if type(value) is str:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _number(digits: str) -> Number:
    return Number(_MARK + digits)


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
    return int(digits) if len(digits) < 1000 else _number(digits)


# Values from `loads` hold no cycles.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_number, parse_constant=_refuse_constant)
_LOOSE = json.JSONDecoder(
    object_pairs_hook=_numbered, parse_float=_number, parse_int=_integer, parse_constant=str, strict=False
)
