"""Hours in which the shop is left alone: reading them from a text and finding out when they end.

Belongs here: the rules of the text and of the clock. Not here: what happens inside such hours (the budget in
`omnitron` refuses, sensors in `defs` skip). Only the standard library is needed, so that loading stays quick.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]?\d|2[0-3]):([0-5]\d)|(24):(00))")
_DAY = 24 * 60


@dataclass(frozen=True)
class QuietHours:
    """Spans of the day on the clock of a time zone, each from a minute to another one, maybe past midnight."""

    spans: tuple[tuple[time, time], ...]
    zone: ZoneInfo

    def __str__(self) -> str:
        return ",".join(f"{start:%H:%M}-{end:%H:%M}" for start, end in self.spans)

    def until(self, now: datetime) -> datetime | None:
        """The moment (in the zone) when the quiet hours around `now` end; None outside of them.

        Spans that touch or overlap count as one.
        """
        end = self._end_of_span(now)
        while end is not None and (later := self._end_of_span(end)) is not None:
            end = later
        return end

    def _end_of_span(self, now: datetime) -> datetime | None:
        local = now.astimezone(self.zone)
        clock = local.time()
        for start, end in self.spans:
            past_midnight = end <= start
            if clock >= start and (past_midnight or clock < end):
                day = local.date() + timedelta(days=past_midnight)
            elif past_midnight and clock < end:
                day = local.date()
            else:
                continue
            # In the hour that a clock shows twice the end is the one of this time round.
            fold = local.fold if day == local.date() else 0
            return datetime.combine(day, end.replace(fold=fold), self.zone)
        return None


def parse_quiet_hours(text: str, zone: ZoneInfo) -> QuietHours:
    """Read spans such as `22:00-06:00` or `12:00-13:00, 22:00-24:00`. Raises ValueError for anything else.

    Hours that never end, or that have no length, are refused too.
    """
    spans: list[tuple[time, time]] = []
    covered: set[int] = set()
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r} is not a span such as 22:00-06:00")
        first, first_minute, *last = (int(group) for group in match.groups() if group is not None)
        start, end = time(first, first_minute), time(last[0] % 24, last[1])
        if start == end:
            raise ValueError(f"{part.strip()!r} starts and ends at the same time")
        spans.append((start, end))
        begin, stop = _minute(start), _minute(end)
        covered.update(range(begin, stop if stop > begin else stop + _DAY))
    if len({minute % _DAY for minute in covered}) == _DAY:
        raise ValueError("they cover the whole day, so that nothing would ever be asked")
    return QuietHours(tuple(spans), zone)


def quiet_until(now: datetime, hours: QuietHours | None) -> datetime | None:
    """When the quiet hours around `now` (aware) end, in their time zone; None outside of them or without any."""
    return hours.until(now) if hours else None


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute
