"""Whose data lies under a data root: one instance, one business time zone, one first day.

A root keeps these in `instance.json`; settings that contradict it are refused before anything is asked or written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from order_assets.landing.files import write_json

_FILE = "instance.json"


class DataRootError(RuntimeError):
    """The data root belongs to something else, or cannot be read."""


@dataclass(frozen=True)
class Instance:
    """An Omnitron instance as the data knows it: where it is, its business time zone and its first day."""

    url: str
    timezone: str
    first_day: date

    def day_of(self, moment: datetime) -> date:
        """The business day of a moment; a moment without offset is UTC."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(ZoneInfo(self.timezone)).date()


def claim(data_root: Path, instance: Instance) -> None:
    """Mark an empty data root as the instance's, or make sure that it is.

    Raises `DataRootError` when the root belongs to another instance or time zone, or when days that are there
    lie before the first day.
    """
    path = data_root / _FILE
    if not path.exists():
        write_json(path, _as_json(instance))
        return
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        first_day = date.fromisoformat(known["first_day"])
        url, timezone = str(known["url"]), str(known["timezone"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataRootError(f"{path} cannot be read ({error}); restore it or choose another ORDER_ASSETS_DATA") from None
    if url != instance.url:
        raise DataRootError(
            f"the data in {data_root} belongs to {url}, not to {instance.url}: choose another ORDER_ASSETS_DATA"
        )
    if timezone != instance.timezone:
        raise DataRootError(
            f"the days in {data_root} are days of the time zone {timezone}, not of {instance.timezone}: keep "
            f"ORDER_ASSETS_TIMEZONE={timezone} or choose another ORDER_ASSETS_DATA"
        )
    if instance.first_day > first_day:
        earlier = sorted(path.name for path in (data_root / "landing").glob("date=*"))
        if earlier and earlier[0] < f"date={instance.first_day}":
            raise DataRootError(
                f"{data_root} has days from {earlier[0].removeprefix('date=')} on, before the first day "
                f"{instance.first_day}: keep ORDER_ASSETS_START_DATE={first_day} or choose another ORDER_ASSETS_DATA"
            )
    if instance.first_day != first_day:
        write_json(path, _as_json(instance))


def _as_json(instance: Instance) -> dict[str, str]:
    return {"url": instance.url, "timezone": instance.timezone, "first_day": instance.first_day.isoformat()}
