"""The settings that users touch: environment variables, checked once and passed on as values.

Every variable is read here and nowhere else. What a setting does stands in the room that it is for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from order_assets.base_url import base_url, is_loopback
from order_assets.cron import parse_cron
from order_assets.errors import OrderAssetsError
from order_assets.misspelt import nearest, strangers
from order_assets.quiet import parse_quiet_hours

_AT_NIGHT = time(2, 30)
_CREDENTIALS = ("OMNITRON_TOKEN", "OMNITRON_USERNAME", "OMNITRON_PASSWORD")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_SHORTEST_KEY = 16
# Read only where there is an instance.
_ALSO_KNOWN = ("ORDER_ASSETS_BUDGET_DIR",)
# A shop that began earlier than this API is a slip of the finger; each day is a partition.
_EARLIEST_DAY = date(2000, 1, 1)


class SettingsError(OrderAssetsError, ValueError):
    """Variables cannot be used as they are; the message names each of them and what it takes, never a secret."""


@dataclass(frozen=True)
class Settings:
    """All settings with their defaults.

    `quiet_hours` and the cron expressions are on the clock of `timezone`. `budget_directory` is where all processes of
    this machine keep the budgets of their instances; None, as for the sandbox, means a budget of each process alone.
    `api` is the part of the address under which the API is served, `i1` or `v1`; None means to find out. `notes` are
    sentences about variables that look like settings and are none.

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
    sweep_weeks: int = 8
    keep_versions_days: int = 90
    keep_runs_days: int = 90
    storage_version: str = "v1.0.0"
    quiet_hours: str | None = None
    budget_directory: Path | None = None
    sync_cron: str = "*/10 * * * *"
    nightly_cron: str = "30 2 * * *"
    api: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def uses_sandbox(self) -> bool:
        """Whether the embedded sandbox serves, because no instance is named."""
        return self.url is None


class _Given(dict[str, str]):
    """The variables that are set, without blanks around them; notes which were asked for, and what is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__({name: text.strip() for name, text in environment.items() if text.strip()})
        self.asked: set[str] = set()
        self.problems: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The text of a variable."""
        self.asked.add(name)
        return super().get(name, default)


def from_environment(environment: Mapping[str, str] | None = None, *, asks_shop: bool = False) -> Settings:
    """The settings that the environment gives.

    With `asks_shop` also what a run needs that asks the shop and writes is looked at: credentials, the key of tokens,
    folders that can be written. Raises `SettingsError`, which names all variables that cannot be used.
    """
    given = _Given(os.environ if environment is None else environment)
    url = _url(given, "OMNITRON_URL")
    timezone = _timezone(given, "ORDER_ASSETS_TIMEZONE", "UTC")
    quiet_hours = _quiet_hours(given, "ORDER_ASSETS_QUIET_HOURS", timezone)
    budget_directory = _state_folder(given, "ORDER_ASSETS_BUDGET_DIR") if url else None
    settings = _settings(given, url, timezone, quiet_hours, budget_directory)
    _check_secrets(given, settings)
    if asks_shop:
        _check_what_a_run_needs(given, settings)
    notes = _check_names(given)
    if given.problems:
        several = ["these settings cannot be used:", *(f"- {problem}" for problem in given.problems)]
        raise SettingsError(given.problems[0] if len(given.problems) == 1 else "\n".join(several))
    return replace(settings, notes=notes)


def _settings(
    given: _Given, url: str | None, timezone: str, quiet_hours: str | None, budget_directory: Path | None
) -> Settings:
    data_root = _data_root(given, "ORDER_ASSETS_DATA")
    return Settings(
        url=url,
        api=_one_of(given, "OMNITRON_API", ("i1", "v1")),
        data_root=data_root,
        first_day=_first_day(given, "ORDER_ASSETS_START_DATE", date(2026, 1, 1)),
        timezone=timezone,
        pii=_choice(given, "ORDER_ASSETS_PII", ("tokenise", "clear", "drop")),
        requests_per_second=_number(given, "ORDER_ASSETS_REQUESTS_PER_SECOND", 10.0 if url else None),
        max_concurrency=int(_number(given, "ORDER_ASSETS_MAX_CONCURRENCY", 8.0, whole=True, most=64) or 8),
        whole_listing_hours=_or_off(given, "ORDER_ASSETS_WHOLE_LISTING_HOURS", 24.0),
        reread_open_hours=_or_off(given, "ORDER_ASSETS_REREAD_OPEN_HOURS", 24.0),
        reread_open_days=int(_or_off(given, "ORDER_ASSETS_REREAD_OPEN_DAYS", 90, whole=True)),
        reread_recent_hours=_or_off(given, "ORDER_ASSETS_REREAD_RECENT_HOURS", 168.0),
        reread_recent_days=int(_or_off(given, "ORDER_ASSETS_REREAD_RECENT_DAYS", 30, whole=True)),
        sweep_weeks=int(_or_off(given, "ORDER_ASSETS_SWEEP_WEEKS", 8, whole=True)),
        keep_versions_days=int(_or_off(given, "ORDER_ASSETS_KEEP_VERSIONS_DAYS", 90, whole=True)),
        keep_runs_days=int(_or_off(given, "ORDER_ASSETS_KEEP_RUNS_DAYS", 90, whole=True)),
        storage_version=_choice(
            given, "ORDER_ASSETS_STORAGE_VERSION", ("v1.0.0", "v1.2.0", "v1.4.0", "v1.5.0", "v2.0.0")
        ),
        quiet_hours=quiet_hours,
        budget_directory=budget_directory or (data_root / "budget" if url else None),
        sync_cron=_cron(given, "ORDER_ASSETS_SYNC_CRON", "*/10 * * * *", quiet_hours),
        nightly_cron=_cron(given, "ORDER_ASSETS_NIGHTLY_CRON", _nightly(quiet_hours), quiet_hours),
    )


def _url(given: _Given, name: str) -> str | None:
    if name not in given:
        return None
    try:
        base_url(given[name])
    except ValueError as error:
        given.problems.append(f"{name} cannot be used. {error}")
    return given[name]


def _data_root(given: _Given, name: str) -> Path:
    text = given.get(name, "data")
    if "://" in text:
        given.problems.append(f"{name} takes a folder of this machine, not a URL such as {text.partition('://')[0]}://")
    return _folder(given, name, text)


def _folder(given: _Given, name: str, text: str) -> Path:
    """A folder that is there or can be made; whether it may be written is asked of who writes."""
    try:
        folder = Path(text).expanduser().absolute()
        found = _found(folder)
    except (RuntimeError, ValueError, OSError) as error:
        given.problems.append(f"{name} is {text!r}, which cannot be a folder: {error}")
        return Path(text)
    if not found.is_dir():
        given.problems.append(f"{name} is {text!r}, which cannot be a folder: {found} is a file")
    return folder


def _found(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _first_day(given: _Given, name: str, default: date) -> date:
    day = _date(given, name, default)
    latest = datetime.now(UTC).date() + timedelta(days=1)
    if not _EARLIEST_DAY <= day <= latest:
        given.problems.append(f"{name} is {day}: the first day lies between {_EARLIEST_DAY} and today")
        return default
    return day


def _date(given: _Given, name: str, default: date) -> date:
    if name not in given:
        return default
    try:
        return date.fromisoformat(given[name])
    except ValueError:
        given.problems.append(f"{name} is {given[name]!r}, which is not a date such as 2026-01-01")
        return default


def _timezone(given: _Given, name: str, default: str) -> str:
    zone: str = given.get(name, default)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = f"; did you mean {near}?" if (near := _near_zone(zone)) else ""
        given.problems.append(f"{name} is {zone!r}, which is not a time zone such as Europe/Istanbul{hint}")
        return default
    return zone


def _near_zone(zone: str) -> str | None:
    """A zone whose name or whose city is near; never one of those that only stand for hours, whose signs mislead."""
    places = [name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right"))]
    cities = {name.rpartition("/")[2]: name for name in sorted(places)}
    if (near := nearest(zone, places, 0.8)) is not None:
        return near
    city = nearest(zone.replace(" ", "_").rpartition("/")[2], cities, 0.8)
    return cities[city] if city else None


def _choice(given: _Given, name: str, choices: tuple[str, ...]) -> str:
    return _one_of(given, name, choices) or choices[0]


def _one_of(given: _Given, name: str, choices: tuple[str, ...]) -> str | None:
    """One of the words, lower case; None where the variable is not set."""
    if name not in given:
        return None
    chosen = given[name].lower()
    if chosen not in choices:
        hint = f"; did you mean {near}?" if (near := nearest(chosen, choices)) else ""
        given.problems.append(f"{name} is {chosen!r}; it takes {', '.join(choices)}{hint}")
        return None
    return chosen


def _number(
    given: _Given, name: str, default: float | None, *, whole: bool = False, most: float = 100_000
) -> float | None:
    if name not in given:
        return default
    try:
        number = float(given[name])
    except ValueError:
        number = 0.0
    if not 0 < number <= most or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        given.problems.append(f"{name} is {given[name]!r}; it takes {kind} above 0, at most {most:g}")
        return default
    return number


def _or_off(given: _Given, name: str, default: float, *, whole: bool = False) -> float:
    """A number above 0, or 0 for off."""
    try:
        if float(given.get(name, "nan")) == 0:
            return 0.0
    except ValueError:
        # Said by the next.
        pass
    return _number(given, name, default, whole=whole) or default


def _quiet_hours(given: _Given, name: str, timezone: str) -> str | None:
    hours: str | None = given.get(name)
    if hours is None:
        return None
    try:
        parse_quiet_hours(hours, timezone)
    except ValueError as error:
        given.problems.append(f"{name} is {hours!r}: {error}; it takes spans such as 22:00-06:00,12:00-13:00")
        return None
    return hours


def _cron(given: _Given, name: str, default: str, quiet_hours: str | None) -> str:
    text = given.get(name, default)
    try:
        cron = parse_cron(text)
    except ValueError as error:
        given.problems.append(f"{name} is {text!r}: {error}; it takes a cron expression such as {default}")
        return default
    if all(_end_of_quiet_hours(moment, quiet_hours) for moment in cron.times()):
        given.problems.append(
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


def _state_folder(given: _Given, name: str) -> Path | None:
    """Where a user's programs keep what outlives them and is of this machine alone.

    None where there is no home folder to write to: it is kept with the data then, which only runs of it share.
    """
    if name in given:
        return _folder(given, name, given[name])
    state = Path(given.get("XDG_STATE_HOME", ""))
    # The standard says to ignore a relative one.
    if not state.is_absolute():
        try:
            home = Path.home()
        except RuntimeError:
            return None
        state = home / ".local" / "state"
        folders = (state / "order_assets", state, home / ".local", home)
        there = next((folder for folder in folders if os.access(folder, os.F_OK)), None)
        if there is None or not os.access(there, os.W_OK | os.X_OK):
            return None
    return state / "order_assets"


def _check_secrets(given: _Given, settings: Settings) -> None:
    """What can be said of secrets by their look; their text is never repeated."""
    credentials = [name for name in _CREDENTIALS if name in given]
    if credentials and settings.url is None:
        given.problems.append(
            f"{' and '.join(credentials)} {'is' if len(credentials) == 1 else 'are'} set, but OMNITRON_URL is not: set "
            "it to the address of the instance; or unset the credentials (or order-assets run --sandbox) to work with "
            "the embedded sandbox, an invented shop"
        )
    if (token := given.get("OMNITRON_TOKEN")) is not None and not _TOKEN.fullmatch(token):
        given.problems.append(
            "OMNITRON_TOKEN holds blanks or characters that no token has: paste the key alone, without the word Token "
            "and without quotes"
        )
    key = given.get("ORDER_ASSETS_PII_KEY")
    if settings.pii == "tokenise" and key is not None and (len(key) < _SHORTEST_KEY or len(set(key)) < 6):
        given.problems.append(
            f"ORDER_ASSETS_PII_KEY is too easy to guess: it takes a long random text, {_SHORTEST_KEY} characters at "
            'least, such as the output of python -c "import secrets; print(secrets.token_hex(32))"'
        )
    webhook = given.get("ORDER_ASSETS_ALERT_WEBHOOK")
    if webhook is not None and not _may_be_a_webhook(webhook):
        given.problems.append("ORDER_ASSETS_ALERT_WEBHOOK has to be an https address")


def _may_be_a_webhook(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _check_what_a_run_needs(given: _Given, settings: Settings) -> None:
    """Credentials, a key, and folders that can be written."""
    if settings.url is not None:
        _check_credentials(given)
        is_ours = is_loopback(_host(settings.url))
        if settings.pii == "tokenise" and "ORDER_ASSETS_PII_KEY" not in given and not is_ours:
            given.problems.append(
                "ORDER_ASSETS_PII=tokenise needs a key: set ORDER_ASSETS_PII_KEY to a long random text and keep it, "
                "since other keys give other tokens; or choose ORDER_ASSETS_PII=drop or clear"
            )
    folders = {"ORDER_ASSETS_DATA": settings.data_root, "ORDER_ASSETS_BUDGET_DIR": settings.budget_directory}
    for name, folder in folders.items():
        try:
            found = None if folder is None else _found(folder)
        except OSError:
            # Said already: it cannot be a folder.
            continue
        if found is not None and found.is_dir() and not os.access(found, os.R_OK | os.W_OK | os.X_OK):
            given.problems.append(f"{name} is {str(folder)!r}: nothing can be written into {found}; mend its rights")


def _check_credentials(given: _Given) -> None:
    has_user, has_password = "OMNITRON_USERNAME" in given, "OMNITRON_PASSWORD" in given
    if "OMNITRON_TOKEN" in given or (has_user and has_password):
        return
    if has_user or has_password:
        missing = "OMNITRON_PASSWORD" if has_user else "OMNITRON_USERNAME"
        given.problems.append(f"The login is incomplete: set {missing} too, or set OMNITRON_TOKEN instead")
    else:
        given.problems.append(
            "There are no credentials: set OMNITRON_TOKEN, or OMNITRON_USERNAME and OMNITRON_PASSWORD"
        )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _check_names(given: _Given) -> tuple[str, ...]:
    """Refuse variables that are nearly known ones; gives a sentence about each other one that looks like ours."""
    for name in _ALSO_KNOWN:
        given.asked.add(name)
    notes = []
    for name, near in sorted(strangers(given, given.asked).items()):
        if near is not None:
            given.problems.append(f"{name} is no setting; did you mean {near}? Rename it, or unset it")
        else:
            notes.append(f"{name} is set and is no setting of order_assets: it does nothing here")
    return tuple(notes)
