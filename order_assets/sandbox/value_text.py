"""How the stand-in draws and spells single values: random streams, money, instants, identifiers.

Every drawn value comes from a stream that is named by the shop's seed, a purpose and a few integers, so any
order can be made alone and always comes out the same. What the values mean belongs to the other modules of
this folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any, TypeVar
from uuid import UUID

Json = dict[str, Any]
"""One JSON object, keys in the order in which they are sent."""

T = TypeVar("T")

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1)  # naive, so that isoformat() gives the wire form without its Z
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def stream(seed: int, purpose: str, *keys: int) -> Random:
    """Give the random stream for one purpose; the same arguments always give the same numbers."""
    name = f"{seed}:{purpose}:{':'.join(map(str, keys))}"
    number = int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "big")
    return Random(number)  # noqa: S311 - made-up shop data, nothing here protects anything


def hex_text(length: int, seed: int, purpose: str, *keys: int) -> str:
    """Give `length` (at most 128) hexadecimal characters, fixed by the arguments."""
    name = f"{seed}:{purpose}:{':'.join(map(str, keys))}"
    return blake2b(name.encode()).hexdigest()[:length]


def pick(rng: Random, choices: Sequence[T]) -> T:
    """Draw one of `choices`, all equally likely."""
    return choices[int(rng.random() * len(choices))]


def uuid_text(rng: Random) -> str:
    """Draw a version 4 UUID in its usual spelling."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def money(cents: int) -> str:
    """Spell an amount of hundredths as the API does: text with exactly two decimals."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def instant(micros: int) -> str:
    """Spell microseconds since 1970 (UTC) as the API does, such as `2026-01-05T08:28:26.158165Z`."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat() + "Z"


def instant_or_none(micros: int | None) -> str | None:
    """Spell an instant, or give None for an instant that has not come."""
    return None if micros is None else instant(micros)


def micros_of(moment: datetime) -> int:
    """Give microseconds since 1970 of a moment; a moment without a time zone is taken as UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return (aware.replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1)


def micros_of_day(day: date) -> int:
    """Give microseconds since 1970 of the UTC midnight that opens `day`."""
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY


def mapping_row(
    content_type: int,
    object_id: int,
    code: str,
    at: int,
    *,
    kind: str = "external_company",
    position: int = 0,
) -> Json:
    """Give one row of a `mapping` list: the id of a thing in another system, written at `at`.

    The pk is unique over all owners, as in one table; it stays clear of the pks in the documented order.
    """
    return {
        "pk": 1000 + object_id * 1000 + content_type * 10 + position,
        "content_type": content_type,
        "object_id": object_id,
        "integration_type": kind,
        "code": code,
        "modified_date": instant(at + 29),
        "created_date": instant(at),
    }
