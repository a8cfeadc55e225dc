"""Reading one HTTP answer: JSON, dates and Retry-After, as pure functions over bytes and header values.

Belongs here: what an answer says. Not here: sending (`transport`), repeating (`session`), the meaning of
pages (`pagination`) and of documents (`documents`).
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import NoReturn

import msgspec

_JSON_TYPE = re.compile(r"application/([a-z0-9.-]+\+)?json", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Response:
    """A checked answer: status 200, or 404 where the caller said that missing is fine.

    `body` is untouched, `value` the same as Python values with Decimal for JSON numbers that have a fraction.
    `server_date` is the Date header (UTC) or None; `seconds` includes all waiting; `retries` counts repeats,
    so that this took `retries + 1` requests, logins aside. `is_clean` is false only where the caller takes text
    that is not clean JSON: `value` is None then.
    """

    status: int
    body: bytes = field(repr=False)
    value: object = field(repr=False, compare=False)
    server_date: datetime | None
    seconds: float
    retries: int
    is_clean: bool = True


def parse_json(body: bytes) -> object:
    """The value of a JSON text in UTF-8. Raises ValueError, also for NaN, Infinity and absurd nesting."""
    with suppress(msgspec.MsgspecError, UnicodeError, ArithmeticError, RecursionError):
        return _QUICK.decode(body)
    # Takes a little more, such as half a surrogate pair, which is the validator's to refuse.
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (RecursionError, ArithmeticError) as error:
        raise ValueError(str(error)) from None


def is_json_type(content_type: str) -> bool:
    """Whether a Content-Type says JSON."""
    return _JSON_TYPE.fullmatch(content_type.partition(";")[0].strip()) is not None


def parse_http_date(text: str | None) -> datetime | None:
    """The moment of an HTTP date in UTC; None if there is none or it cannot be read."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header (seconds or HTTP date) asks for; None without one or for nonsense.

    `now` should be the server's own Date, so that a wrong clock on either side does not matter.
    """
    if not text:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    moment = parse_http_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_QUICK = msgspec.json.Decoder(float_hook=Decimal)
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
