"""The settings that users touch: environment variables, checked once and passed on as values.

Every variable is read here and nowhere else. What a setting does stands in the room that it is for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from order_assets.cron import parse_cron
from order_assets.quiet import parse_quiet_hours

_AT_NIGHT = time(2, 30)


class SettingsError(ValueError):
    """A variable has a value that cannot be used; the message names the variable and what it takes."""


@dataclass(frozen=True)
class Settings:
    """All settings with their defaults.

    `quiet_hours` and the cron expressions are on the clock of `timezone`. `budget_directory` is where all processes of
    this machine keep the budgets of their instances; None, as for the sandbox, means a budget of each process alone.

    Secrets are not here: `OMNITRON_TOKEN`, `OMNITRON_PASSWORD` and `ORDER_ASSETS_PII_KEY` are read when a run
    needs them.
    """

    url: str | None = None
    data_root: Path = field(default_factory=lambda: Path.cwd() / "data")
    first_day: date = date(2026, 1, 1)
    timezone: str = "UTC"
    pii: str = "tokenise"
    requests_per_second: float | None = 10.0
    max_concurrency: int = 8
    whole_listing_hours: float = 24.0
    reread_open_hours: float = 24.0
    reread_open_days: int = 90
    reread_recent_hours: float = 168.0
    reread_recent_days: int = 30
    keep_versions_days: int = 90
    storage_version: str = "v1.0.0"
    quiet_hours: str | None = None
    budget_directory: Path | None = None
    sync_cron: str = "*/10 * * * *"
    nightly_cron: str = "30 2 * * *"

    @property
    def uses_sandbox(self) -> bool:
        """Whether the embedded sandbox serves, because no instance is named."""
        return self.url is None


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment gives. Raises `SettingsError` for the first one that cannot be used."""
    given = {name: text for name, text in (environment or os.environ).items() if text.strip()}
    url = given.get("OMNITRON_URL")
    timezone = _timezone(given, "ORDER_ASSETS_TIMEZONE", "UTC")
    quiet_hours = _quiet_hours(given, "ORDER_ASSETS_QUIET_HOURS", timezone)
    return Settings(
        url=url.strip() if url else None,
        data_root=Path(given.get("ORDER_ASSETS_DATA", "data")).expanduser().absolute(),
        first_day=_date(given, "ORDER_ASSETS_START_DATE", date(2026, 1, 1)),
        timezone=timezone,
        pii=_choice(given, "ORDER_ASSETS_PII", ("tokenise", "clear", "drop")),
        requests_per_second=_number(given, "ORDER_ASSETS_REQUESTS_PER_SECOND", 10.0 if url else None),
        max_concurrency=int(_number(given, "ORDER_ASSETS_MAX_CONCURRENCY", 8.0, whole=True) or 8),
        whole_listing_hours=_or_off(given, "ORDER_ASSETS_WHOLE_LISTING_HOURS", 24.0),
        reread_open_hours=_or_off(given, "ORDER_ASSETS_REREAD_OPEN_HOURS", 24.0),
        reread_open_days=int(_or_off(given, "ORDER_ASSETS_REREAD_OPEN_DAYS", 90, whole=True)),
        reread_recent_hours=_or_off(given, "ORDER_ASSETS_REREAD_RECENT_HOURS", 168.0),
        reread_recent_days=int(_or_off(given, "ORDER_ASSETS_REREAD_RECENT_DAYS", 30, whole=True)),
        keep_versions_days=int(_or_off(given, "ORDER_ASSETS_KEEP_VERSIONS_DAYS", 90, whole=True)),
        storage_version=_choice(
            given, "ORDER_ASSETS_STORAGE_VERSION", ("v1.0.0", "v1.2.0", "v1.4.0", "v1.5.0", "v2.0.0")
        ),
        quiet_hours=quiet_hours,
        budget_directory=_state_folder(given, "ORDER_ASSETS_BUDGET_DIR") if url else None,
        sync_cron=_cron(given, "ORDER_ASSETS_SYNC_CRON", "*/10 * * * *", quiet_hours),
        nightly_cron=_cron(given, "ORDER_ASSETS_NIGHTLY_CRON", _nightly(quiet_hours), quiet_hours),
    )


def _date(given: Mapping[str, str], name: str, default: date) -> date:
    if name not in given:
        return default
    try:
        return date.fromisoformat(given[name])
    except ValueError:
        raise SettingsError(f"{name} is {given[name]!r}, which is not a date such as 2026-01-01") from None


def _timezone(given: Mapping[str, str], name: str, default: str) -> str:
    zone = given.get(name, default)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"{name} is {zone!r}, which is not a time zone such as Europe/Istanbul") from None
    return zone


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    chosen = given.get(name, choices[0]).strip().lower()
    if chosen not in choices:
        raise SettingsError(f"{name} is {chosen!r}; it takes {', '.join(choices)}")
    return chosen


def _number(given: Mapping[str, str], name: str, default: float | None, *, whole: bool = False) -> float | None:
    if name not in given:
        return default
    try:
        number = float(given[name])
    except ValueError:
        number = 0.0
    if not 0 < number < 100_000 or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        raise SettingsError(f"{name} is {given[name]!r}; it takes {kind} above 0")
    return number


def _or_off(given: Mapping[str, str], name: str, default: float, *, whole: bool = False) -> float:
    """A number above 0, or 0 for off."""
    if given.get(name, "").strip() == "0":
        return 0.0
    return _number(given, name, default, whole=whole) or default


def _quiet_hours(given: Mapping[str, str], name: str, timezone: str) -> str | None:
    hours = given.get(name)
    if hours is None:
        return None
    try:
        parse_quiet_hours(hours, timezone)
    except ValueError as error:
        raise SettingsError(f"{name} is {hours!r}: {error}; it takes spans such as 22:00-06:00,12:00-13:00") from None
    return hours.strip()


def _cron(given: Mapping[str, str], name: str, default: str, quiet_hours: str | None) -> str:
    text = given.get(name, default)
    try:
        cron = parse_cron(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}: {error}; it takes a cron expression such as {default}") from None
    if all(_end_of_quiet_hours(moment, quiet_hours) for moment in cron.times()):
        raise SettingsError(
            f"{name} is {text!r}, always within ORDER_ASSETS_QUIET_HOURS ({quiet_hours}), so that nothing would ever "
            "run: choose a time outside of them"
        )
    return cron.text


def _nightly(quiet_hours: str | None) -> str:
    """Once a night, or when the quiet hours of the night end."""
    moment = _end_of_quiet_hours(_AT_NIGHT, quiet_hours) or _AT_NIGHT
    return f"{moment.minute} {moment.hour} * * *"


def _end_of_quiet_hours(moment: time, quiet_hours: str | None) -> time | None:
    """When the quiet hours around a time of day end; None outside of them."""
    if quiet_hours is None:
        return None
    # On clocks that never change; any day will do.
    until = parse_quiet_hours(quiet_hours, "UTC").until(datetime.combine(date(2026, 1, 1), moment, UTC))
    return None if until is None else until.time()


def _state_folder(given: Mapping[str, str], name: str) -> Path:
    """Where a user's programs keep what outlives them and is of this machine alone."""
    try:
        if name in given:
            return Path(given[name].strip()).expanduser().absolute()
        state = Path(given.get("XDG_STATE_HOME", ""))
        # The standard says to ignore a relative one.
        return (state if state.is_absolute() else Path.home() / ".local" / "state") / "order_assets"
    except RuntimeError:
        raise SettingsError(f"There is no home folder to keep the shop's budget in: set {name} to a folder") from None
