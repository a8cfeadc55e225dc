"""What all sharers of a budget have to agree on, as one small value and as bytes.

Belongs here: the value and its encoding. Not here: what its parts mean (`pace`, `circuit`, `line`), and where the
bytes lie (`budget_store`).

The record and its parts are named tuples: it is read and written once per request, and they are several times
quicker to make and to change than frozen dataclasses.
"""

import struct
import zlib
from typing import NamedTuple

from order_assets.omnitron.budget import MOST_LOGINS
from order_assets.omnitron.circuit import CLOSED, REASON_BYTES, Circuit
from order_assets.omnitron.line import LONGEST, Line, Waiter
from order_assets.omnitron.pace import FULL_SPEED, MOST_ROUTES, NEVER, Latency, Speed

# Nothing that is stored lies further ahead than this; the longest is a hold or a very slow rate.
FARTHEST = 6 * 3600.0

_HEAD = struct.Struct("<8sdI")
_BODY = struct.Struct(f"<2d {MOST_LOGINS + 1}d 4dqdqd 4dQ{REASON_BYTES}s BB")
_LATENCY = struct.Struct("<IddId")
_WAITER = struct.Struct("<Qdd")
_MAGIC = b"OABUDG02"
_CLOCK_SLACK = 1.0
RECORD_BYTES = _HEAD.size + _BODY.size + MOST_ROUTES * _LATENCY.size + LONGEST * _WAITER.size


class BudgetRecord(NamedTuple):
    """When the next request may start and until when nobody may, how fast we go, who waits, and the last logins.

    Times are seconds of the store's clock.
    """

    next_start: float = NEVER
    held_until: float = NEVER
    speed: Speed = FULL_SPEED
    circuit: Circuit = CLOSED
    line: Line = ()
    logins: tuple[float, ...] = (NEVER,) * MOST_LOGINS
    logins_held_until: float = NEVER


def to_bytes(record: BudgetRecord, now: float) -> bytes:
    """The record as RECORD_BYTES bytes, with the time of writing and a check sum."""
    speed, circuit = record.speed, record.circuit
    body = _BODY.pack(
        record.next_start,
        record.held_until,
        *record.logins,
        record.logins_held_until,
        speed.share,
        speed.base,
        speed.halved_at,
        speed.calm_since,
        speed.slow_downs,
        speed.window_at,
        speed.window_count,
        speed.window_rate,
        circuit.since,
        circuit.until,
        circuit.span,
        circuit.trial_until,
        circuit.trial_by,
        circuit.reason.encode(),
        len(speed.latencies),
        len(record.line),
    )
    latencies = [_LATENCY.pack(*latency) for latency in speed.latencies]
    line = [_WAITER.pack(*waiter) for waiter in record.line]
    whole = b"".join([body, *latencies, *line]).ljust(RECORD_BYTES - _HEAD.size, b"\0")
    return _HEAD.pack(_MAGIC, now, zlib.crc32(whole)) + whole


def from_bytes(stored: bytes, now: float) -> BudgetRecord | None:
    """The record, or None for bytes that are none: cut, overwritten, of another version, or from the future.

    The clock of a machine starts anew when the machine does; what was written before says nothing then.
    """
    if len(stored) != RECORD_BYTES:
        return None
    magic, written_at, check_sum = _HEAD.unpack_from(stored)
    if (
        magic != _MAGIC
        or not written_at <= now + _CLOCK_SLACK
        or check_sum != zlib.crc32(memoryview(stored)[_HEAD.size :])
    ):
        return None
    (
        next_start,
        held_until,
        *of_logins_and_speed,
        since,
        until,
        span,
        trial_until,
        trial_by,
        reason,
        routes,
        waiters,
    ) = _BODY.unpack_from(stored, _HEAD.size)
    logins, of_speed = of_logins_and_speed[: MOST_LOGINS + 1], of_logins_and_speed[MOST_LOGINS + 1 :]
    ahead = (next_start, held_until, until, trial_until, *logins)
    if max(ahead) > now + FARTHEST:
        return None
    at = _HEAD.size + _BODY.size
    end = at + routes * _LATENCY.size
    latencies = tuple(map(Latency._make, _LATENCY.iter_unpack(stored[at:end])))
    line = tuple(map(Waiter._make, _WAITER.iter_unpack(stored[end : end + waiters * _WAITER.size])))
    circuit = CLOSED
    if span:
        circuit = Circuit(since, until, span, trial_until, trial_by, reason.rstrip(b"\0").decode("utf-8", "replace"))
    speed = Speed(latencies, *of_speed)
    return BudgetRecord(next_start, held_until, speed, circuit, line, tuple(logins[:-1]), logins[-1])
