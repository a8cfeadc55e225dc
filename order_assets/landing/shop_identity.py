"""Whose data lies under a data root: one instance, one business time zone, one first day.

A root keeps these in `instance.json`; settings that contradict it are refused before anything is asked or written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from order_assets.core.store import write_json
from order_assets.errors import OrderAssetsError

_FILE = "instance.json"


class DataRootError(OrderAssetsError):
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

    def today(self) -> date:
        """The business day of this moment."""
        return self.day_of(datetime.now(UTC))


def check(data_root: Path, instance: Instance) -> None:
    """Make sure that a data root is the instance's or nobody's yet; writes nothing.

    Raises `DataRootError` when the root belongs to another instance or time zone, or when days that are there lie
    before the first day.
    """
    path = data_root / _FILE
    if data_root.exists() and not data_root.is_dir():
        raise DataRootError(f"{data_root} is a file: ORDER_ASSETS_DATA takes a folder")
    if not path.exists():
        return
    known = _read(path)
    if known.url != instance.url:
        raise DataRootError(
            f"the data in {data_root} belongs to {_named(known.url)}, not to {_named(instance.url)}: choose another "
            "ORDER_ASSETS_DATA"
        )
    if known.timezone != instance.timezone:
        raise DataRootError(
            f"the days in {data_root} are days of the time zone {known.timezone}, not of {instance.timezone}: keep "
            f"ORDER_ASSETS_TIMEZONE={known.timezone} or choose another ORDER_ASSETS_DATA"
        )
    earlier = sorted(found.name for found in (data_root / "landing").glob("date=*"))
    if earlier and earlier[0] < f"date={instance.first_day}":
        raise DataRootError(
            f"{data_root} has days from {earlier[0].removeprefix('date=')} on, before the first day "
            f"{instance.first_day}: keep ORDER_ASSETS_START_DATE={known.first_day} or choose another ORDER_ASSETS_DATA"
        )


def claim(data_root: Path, instance: Instance) -> None:
    """Mark a data root as the instance's, after `check`. Raises `DataRootError`."""
    check(data_root, instance)
    path = data_root / _FILE
    if not path.exists() or _read(path) != instance:
        facts = {"url": instance.url, "timezone": instance.timezone, "first_day": instance.first_day.isoformat()}
        write_json(path, facts)


def _named(url: str) -> str:
    """An instance in a sentence; what has no address is the stand-in."""
    return url if "://" in url else "the embedded sandbox, an invented shop"


def _read(path: Path) -> Instance:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Instance(str(known["url"]), str(known["timezone"]), date.fromisoformat(known["first_day"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataRootError(
            f"{path} cannot be read ({error}); restore it or choose another ORDER_ASSETS_DATA"
        ) from None
