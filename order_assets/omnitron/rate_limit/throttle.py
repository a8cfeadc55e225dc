"""Slowing down by ourselves and recovering, as pure functions over values.

Belongs here: what counts as trouble, how much slower it makes us and how fast we recover: halve when in trouble,
then add a little while things go well, as TCP does. Not here: who waits how (`limiter`) and where the value
is kept (`budget_store`). Times are seconds of the store's clock, rates requests per second.
"""

import math
import zlib
from typing import NamedTuple

from order_assets.omnitron.rate_limit.budget import CallReport

LOWEST_SHARE = 1 / 64
HALVE_AT_MOST_EVERY = 1.0
RECOVERY_STEP = 0.05
RECOVERY_EVERY = 2.0
# Nothing was asked for so long that the trouble of then says nothing about now.
_FORGET_AFTER = 600.0
_TROUBLED = frozenset({408, 429, 503, 504, 522, 524, 529})
_SHORT_WEIGHT = 0.2
_ENOUGH_SAMPLES = 10
# A latency that stays becomes the normal one: a deep page is slow however slowly it is asked for.
_FLOOR_RISES_WITHIN = 120.0
_LONGEST_GAP = 10.0
MOST_ROUTES = 8
_SLOWEST_BASE = 1.0
_SHORTEST_WINDOW = 0.25
NEVER = -1e9


class Latency(NamedTuple):
    """Seconds that answers of one route take: of late, and at best over a longer time."""

    route: int
    short: float
    floor: float
    samples: int
    at: float


class Speed(NamedTuple):
    """How fast we go.

    `share` is of the full rate; where that is unlimited, of `base`, the rate seen when the trouble began.
    `window_at`, `window_count` and `window_rate` count starts, to know that rate.
    """

    latencies: tuple[Latency, ...] = ()
    share: float = 1.0
    base: float = 0.0
    halved_at: float = NEVER
    calm_since: float = NEVER
    slow_downs: int = 0
    window_at: float = NEVER
    window_count: int = 0
    window_rate: float = 0.0


FULL_SPEED = Speed()


def interval(speed: Speed, requests_per_second: float | None) -> float:
    """Seconds between two starts; 0 for no limit."""
    if requests_per_second is not None:
        return 1 / (requests_per_second * speed.share)
    return 1 / (speed.base * speed.share) if speed.share < 1 else 0.0


def started(speed: Speed, now: float) -> Speed:
    """One more request; also forgets trouble of long ago."""
    if speed.share < 1 and now - max(speed.halved_at, speed.calm_since) > _FORGET_AFTER:
        speed = speed._replace(share=1.0, base=0.0)
    elapsed = now - speed.window_at
    if elapsed < 1:
        return speed._replace(window_count=speed.window_count + 1)
    return speed._replace(window_at=now, window_count=1, window_rate=speed.window_count / elapsed)


def reported(speed: Speed, report: CallReport, now: float) -> Speed:
    """After one request."""
    if report.status in _TROUBLED or report.timed_out or report.asked_to_wait:
        return slowed(speed, now)
    if report.status is None or report.status >= 500:
        return speed
    latency = _measured(speed, report, now)
    others = [known for known in speed.latencies if known.route != latency.route]
    speed = speed._replace(latencies=(*others[-MOST_ROUTES + 1 :], latency))
    if latency.samples >= _ENOUGH_SAMPLES and latency.short > 3 * latency.floor + 0.25:
        # Answers to calls from before the last halving say nothing about its effect.
        return slowed(speed, now, every=max(HALVE_AT_MOST_EVERY, 2 * latency.short))
    return _recovered(speed, now)


def slowed(speed: Speed, now: float, every: float = HALVE_AT_MOST_EVERY) -> Speed:
    """Half as fast, but not more often than `every` so many seconds."""
    if now - speed.halved_at < every or speed.share <= LOWEST_SHARE:
        return speed._replace(calm_since=now)
    return speed._replace(
        share=max(LOWEST_SHARE, speed.share / 2),
        base=speed.base or _rate_seen(speed, now),
        halved_at=now,
        calm_since=now,
        slow_downs=speed.slow_downs + 1,
    )


def _recovered(speed: Speed, now: float) -> Speed:
    """A little faster after some calm."""
    if speed.share >= 1 or now - speed.calm_since < RECOVERY_EVERY:
        return speed
    share = min(1.0, speed.share + RECOVERY_STEP)
    return speed._replace(share=share, base=speed.base if share < 1 else 0.0, calm_since=now)


def _rate_seen(speed: Speed, now: float) -> float:
    elapsed = now - speed.window_at
    last_window = speed.window_rate if elapsed < 2 else 0.0
    return max(_SLOWEST_BASE, last_window, speed.window_count / max(_SHORTEST_WINDOW, elapsed))


def _measured(speed: Speed, report: CallReport, now: float) -> Latency:
    route = zlib.crc32(report.route.encode())
    known = next((latency for latency in speed.latencies if latency.route == route), None)
    if known is None:
        return Latency(route, report.seconds, report.seconds, 1, now)
    short = known.short + _SHORT_WEIGHT * (report.seconds - known.short)
    if known.samples < _ENOUGH_SAMPLES or short < known.floor:
        floor = short
    else:
        gap = min(max(0.0, now - known.at), _LONGEST_GAP)
        floor = known.floor + (short - known.floor) * (1 - math.exp(-gap / _FLOOR_RISES_WITHIN))
    return Latency(route, short, floor, min(known.samples + 1, _ENOUGH_SAMPLES), now)
