"""What one row of the order list says: where the order belongs, its money, and a fingerprint of the whole row.

Belongs here: judging a row on its own. Not here: what the list as a whole says, and what is known already
(`index_writer`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from order_assets.errors import OrderAssetsError
from order_assets.landing.shop_identity import Instance
from order_assets.redaction.secrets import scrub_text, scrub_value

# The amounts of the flat order, as the API names them.
MONEY = (
    "amount",
    "shipping_amount",
    "installment_interest_amount",
    "refund_amount",
    "discount_refund_amount",
    "shipping_refund_amount",
    "discount_amount",
    "net_shipping_amount",
    "shipping_interest_amount",
)
# Those that the detail document says as well, in the same way.
COMPARED_WITH_LANDED = ("amount", "refund_amount", "discount_refund_amount", "shipping_refund_amount")
# What an amount must fit into: 24 digits, 6 of them behind the point.
_MONEY_DIGITS, _MONEY_SCALE = 24, 6
MONEY_TYPE = pa.decimal128(_MONEY_DIGITS, _MONEY_SCALE)
_SMALLEST = Decimal(1).scaleb(-_MONEY_SCALE)

# Left out of the fingerprint: the order's own clock, which is compared by itself, and what says when a row was read.
_NOT_THE_ORDER = frozenset({
    "modified_date", "last_access", "last_access_date", "last_access_time", "last_accessed", "accessed_at", "last_seen",
    "last_viewed", "viewed_at", "view_count", "last_login", "request_id", "trace_id", "etag", "serial", "generated_at",
    "fetched_at", "retrieved_at", "server_time", "expires_at", "signed_url",
})  # fmt: skip
_TEXTS = ("number", "status", "checkout_provider_id")
# Never taken for a column that moves by itself, however many orders it moves on.
_ALWAYS_OF_THE_ORDER = frozenset({*MONEY, "status", "currency", "channel", "number", "date_placed", "cancel_status"})

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")
_SIGNED = re.compile(r"[?&](?:x-amz-|x-goog-|signature=|sig=|expires=|token=|policy=|se=)", re.IGNORECASE)
_DIGITS = frozenset("0123456789")
# What all numbers, times and addresses begin with; all other texts have one spelling.
_TELLING_STARTS = frozenset({"-", "h", *_DIGITS})
# A time as the API writes it.
_PLAIN_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_as_bytes = msgspec.json.Encoder().encode
_quoted = json.encoder.encode_basestring
# Of fewer rows it cannot be told whether a column moves by itself.
_FEWEST_ROWS = 4
# What reading a value of any kind may raise.
_CANNOT = (ValueError, TypeError, ArithmeticError, RecursionError)
_LEAST_INT, _LARGEST_INT = -(2**63), 2**63 - 1


class UnplacedRowError(OrderAssetsError, ValueError):
    """A row of the list belongs to no day; the text says why, without its content."""


@dataclass(frozen=True)
class RowEntry:
    """The index columns of a row, and those of its columns that could not be taken as they are."""

    values: dict[str, Any]
    odd: tuple[str, ...]


def entry_of(row: Mapping[str, Any], instance: Instance, fingerprint: Fingerprint) -> RowEntry:
    """What the index keeps of a row with an integer `pk`. Raises `UnplacedRowError` where its day cannot be told.

    A column that is not needed for that is null, or mended, where it is not what it should be.
    """
    odd: list[str] = []

    def take(name: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        value = row.get(name)
        try:
            return default if value is None else read(value)
        except _CANNOT:
            odd.append(name)
            return default

    placed, day = _placed(row.get("date_placed"), instance)
    values = {
        "pk": row["pk"],
        "number": take("number", _number_of_order, ""),
        "channel": take("channel", _channel),
        "status": take("status", _text),
        "date_placed": placed,
        "modified_date": take("modified_date", _moment),
        "created_date": take("created_date", _moment),
        "checkout_provider_id": take("checkout_provider_id", _text),
        "partition": day,
        "currency": take("currency", _text),
    }
    for name in MONEY:
        try:
            values[name] = _amount(value) if (value := row.get(name)) is not None else None
        except _CANNOT:
            odd.append(name)
            values[name] = None
    if not values["number"] and "number" not in odd:
        odd.append("number")
    odd += [name for name in _TEXTS if (text := values[name]) and not text.isascii() and "\ufffd" in text]
    try:
        values["fingerprint"] = fingerprint.of(row)
    except _CANNOT:
        odd.append("fingerprint")
    return RowEntry(values, tuple(odd))


class Fingerprint:
    """A keyed fingerprint of list rows: equal for rows that say the same, however they spell it.

    The order of the keys, null or no key, and the spelling of numbers and times make no difference; of a relation that
    comes as an object only its `pk` counts, and of a signed address only what stands before its parameters. The
    columns `left_out` are not in it. Without the key no fingerprint leads back to a value.
    """

    def __init__(self, key: str, left_out: Collection[str] = ()) -> None:
        self._key = hashlib.sha256(b"order_assets list row" + key.encode()).digest()
        self._left_out = _NOT_THE_ORDER | frozenset(left_out)
        basis = "\n".join(["1", *sorted(self._left_out)])
        self._basis = hashlib.blake2b(basis.encode("utf-8", "surrogatepass"), key=self._key, digest_size=2).digest()
        self._names: dict[tuple[str, ...], list[str]] = {}
        self._unread = self._left_out - {"modified_date"}

    def of_bytes(self, row: Mapping[str, Any]) -> int | None:
        """A keyed digest of a row as it came: equal only for rows that are judged alike. None where there is none.

        It costs a tenth of `of`, so that a row that is known need not be spelled out again.
        """
        try:
            kept = row if self._unread.isdisjoint(row) else {n: row[n] for n in row if n not in self._unread}
            text = _as_bytes(kept)
        except _CANNOT:
            return None
        # What comes of a row rests on the columns that are left out as well.
        digest = hashlib.blake2b(text, key=self._key + self._basis, digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)

    def of(self, row: Mapping[str, Any]) -> int:
        """The fingerprint of a row: 16 bits that say what it is made with, and 48 of the row."""
        keys = tuple(row)
        names = self._names.get(keys)
        if names is None:
            if len(self._names) >= 1000:
                self._names.clear()
            names = self._names[keys] = sorted(name for name in row if name not in self._left_out)
        # Most columns of most rows are texts with one spelling, or null.
        parts = [
            f"{name}={value if type(value) is str and value[:1] not in _TELLING_STARTS else spelled(value)}"
            for name in names
            if (value := row[name]) is not None
        ]
        text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(text, key=self._key, digest_size=6).digest()
        return int.from_bytes(self._basis + digest, "big", signed=True)

    def of_columns(self, row: Mapping[str, Any]) -> dict[str, str]:
        """A short keyed digest of each column that may turn out to move by itself, and of the order's clock."""
        return {
            name: hashlib.blake2b(
                spelled(value).encode("utf-8", "surrogatepass"), key=self._key, digest_size=3
            ).hexdigest()
            for name, value in row.items()
            if value is not None and (name == "modified_date" or name not in _NOT_THE_ORDER | _ALWAYS_OF_THE_ORDER)
        }


def comparable(one: int | None, other: int | None) -> bool:
    """Whether two fingerprints are made with the same key and columns, so that it means something if they differ."""
    return one is not None and other is not None and one >> 48 == other >> 48


def same_basis(some: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
    """`comparable` for columns of fingerprints."""
    shift = pa.scalar(48, pa.int64())
    return pc.fill_null(pc.equal(pc.shift_right(some, shift), pc.shift_right(others, shift)), False)


def moving_columns(earlier: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Of readings of the same rows by key: whether a column differs on nearly all rows whose `modified_date` did not.

    Columns that fewer than four such rows have are left out, since nothing can be told of them.
    """
    seen: dict[str, int] = {}
    moved: dict[str, int] = {}
    for pk in earlier.keys() & now.keys():
        before, after = earlier[pk], now[pk]
        if before.get("modified_date") != after.get("modified_date"):
            continue
        for name in before.keys() | after.keys():
            seen[name] = seen.get(name, 0) + 1
            moved[name] = moved.get(name, 0) + (before.get(name) != after.get(name))
    return {name: moved[name] * 4 >= count * 3 for name, count in seen.items() if count >= _FEWEST_ROWS}


def spelled(value: Any) -> str:
    """A value as one text, equal for all spellings of it. Raises for what is nested too deep."""
    kind = type(value)
    if kind is str:
        if value[:1] not in _TELLING_STARTS:
            return value  # type: ignore[no-any-return]
        return _spelled_text(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return hex(value) if value.bit_length() > 256 else str(value)
    if kind in (Decimal, float):
        return _spelled_decimal(value if kind is Decimal else Decimal(repr(value)))
    if kind is dict and type(value.get("pk")) is int:
        return spelled(value["pk"])
    return _written(value)


def _spelled_text(text: str) -> str:
    start = text[:1]
    if start == "h":
        if ("?" in text or "&" in text) and text.startswith(("http://", "https://")):
            signed = _SIGNED.search(text)
            return text[: signed.start()] if signed else text
    elif start == "-" or start in _DIGITS:
        if ":" in text:
            return _spelled_moment(text)
        # Other numbers have no zeros to lose.
        if text[-1] == "0" and ("." in text or text == "-0") and len(text) < 64:
            return _spelled_number(text)
    return text


def _spelled_moment(text: str) -> str:
    if _PLAIN_MOMENT.fullmatch(text) and text[20:26] != "000000":
        return f"{text[:-1]}+00:00"
    if _MOMENT.match(text):
        try:
            return _moment(text).isoformat()  # type: ignore[union-attr]
        except _CANNOT:
            return text
    return text


# The amounts of most rows are the same few.
@lru_cache(maxsize=4096)
def _spelled_number(text: str) -> str:
    return _trimmed(text) if _NUMBER.fullmatch(text) else text


def _spelled_decimal(number: Decimal) -> str:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > 64:
        return str(number)
    return _trimmed(format(number, "f"))


def _trimmed(number: str) -> str:
    """A decimal number without the zeros that change nothing."""
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return "0" if number == "-0" else number


def _written(value: Any) -> str:
    """A nested value as JSON with sorted keys, without nulls of objects, and with all else in its one spelling."""
    if isinstance(value, dict):
        parts = [f"{_quoted(str(name))}: {_written(value[name])}" for name in sorted(value) if value[name] is not None]
        return f"{{{', '.join(parts)}}}"
    if isinstance(value, list):
        return f"[{', '.join([_written(part) for part in value])}]"
    return "null" if value is None else _quoted(spelled(value))


def _placed(value: Any, instance: Instance) -> tuple[datetime, Any]:
    """When an order was placed, UTC, and its day."""
    if value in (None, ""):
        raise UnplacedRowError("it has no date_placed")
    try:
        placed = _moment(value)
        assert placed is not None  # noqa: S101 - empty texts were refused above
        return placed, instance.day_of(placed)
    except _CANNOT:
        raise UnplacedRowError("its date_placed is no time that can be placed") from None


def _number_of_order(value: Any) -> str:
    if type(value) is int and value.bit_length() <= 256:
        return str(value)
    if not isinstance(value, str):
        raise TypeError("no number")
    return _mended(value)


def _channel(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value.get("pk")
        if value is None:
            return None
    if type(value) is not int or not _LEAST_INT <= value <= _LARGEST_INT:
        raise TypeError("no key")
    return value


def _text(value: Any) -> str:
    """A value of the list as text, without credentials: the list does not pass the validator."""
    if isinstance(value, str):
        return _mended(scrub_text(value, long_runs=False)[0])
    return _mended(json.dumps(scrub_value(value)[0], ensure_ascii=False, default=str))


def _mended(text: str) -> str:
    """A text without halves of characters, which no file can hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _amount(value: Any) -> Decimal:
    if type(value) is str:
        return _fitted(value)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal | float):
        raise TypeError("no amount")
    return _fitted(value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value))


# Most amounts of a list are the same few.
@lru_cache(maxsize=4096)
def _fitted(text: str) -> Decimal:
    amount = Decimal(text)
    fitted = amount.quantize(_SMALLEST)
    if fitted != amount or fitted.adjusted() >= _MONEY_DIGITS - _MONEY_SCALE:
        raise ValueError("an amount that would have to be rounded")
    return fitted


def _moment(value: Any) -> datetime | None:
    """A time of the list, UTC; a time without offset is UTC."""
    if value == "":
        return None
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is UTC:
        return moment
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
