"""The settings that users touch: environment variables, checked once and passed on as values.

A setting is one line of `Settings`: its type, variable, description and default. Every variable is read here and
nowhere else; what a setting does is said in the room that it is for. The table of
`docs/settings.md` is made of these lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import core_schema
from typing_extensions import TypeVar

from order_assets.base_url import base_url, is_loopback
from order_assets.core.quiet_hours import QuietHours, parse_quiet_hours
from order_assets.errors import OrderAssetsError
from order_assets.misspelt import nearest, strangers

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_AT_NIGHT = time(2, 30)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_SHORTEST_KEY = 16
# A shop that began earlier than this API is a slip of the finger; each day is a partition.
_EARLIEST_DAY = date(2000, 1, 1)


class SettingsError(OrderAssetsError, ValueError):
    """Variables cannot be used as they are; the message names each of them and what it takes, never a secret."""


def _url(text: str) -> str:
    try:
        return base_url(text)
    except ValueError as error:
        raise ValueError(f"cannot be used. {error}") from None


def _folder(text: str) -> Path:
    """A folder that is there or can be made; whether it may be written is asked of who writes."""
    if "://" in text:
        raise ValueError(f"takes a folder of this machine, not a URL such as {text.partition('://')[0]}://")
    try:
        folder = Path(text).expanduser().absolute()
        found = _found(folder)
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"is {text!r}, which cannot be a folder: {error}") from None
    if not found.is_dir():
        raise ValueError(f"is {text!r}, which cannot be a folder: {found} is a file")
    return folder


def _found(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is {text!r}, which is not a date such as 2026-01-01") from None
    if not _EARLIEST_DAY <= day <= datetime.now(UTC).date() + timedelta(days=1):
        raise ValueError(f"is {day}: the first day lies between {_EARLIEST_DAY} and today")
    return day


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = f"; did you mean {near}?" if (near := _near_zone(text)) else ""
        raise ValueError(f"is {text!r}, which is not a time zone such as Europe/Istanbul{hint}") from None


def _near_zone(zone: str) -> str | None:
    """A zone whose name or whose city is near; never one of those that only stand for hours, whose signs mislead."""
    places = [name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right"))]
    cities = {name.rpartition("/")[2]: name for name in sorted(places)}
    if (near := nearest(zone, places, 0.8)) is not None:
        return near
    city = nearest(zone.replace(" ", "_").rpartition("/")[2], cities, 0.8)
    return cities[city] if city else None


def _quiet_hours(text: str, zone: ZoneInfo | None) -> QuietHours:
    try:
        return parse_quiet_hours(text, zone or ZoneInfo("UTC"))
    except ValueError as error:
        raise ValueError(f"is {text!r}: {error}; it takes spans such as 22:00-06:00,12:00-13:00") from None


def _token(text: str) -> SecretStr:
    if not _TOKEN.fullmatch(text):
        raise ValueError(
            "holds blanks or characters that no token has: paste the key alone, without the word Token and without "
            "quotes"
        )
    return SecretStr(text)


def _attribute(text: str) -> str:
    if not re.fullmatch(r"[\w .-]{1,60}", text):
        raise ValueError("takes the name of an attribute: letters, digits, blanks, dots, hyphens and underscores")
    return text


def _webhook(text: str) -> SecretStr:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise ValueError("has to be an https address")
    return SecretStr(text)


def _postgres(text: str) -> SecretStr:
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if scheme not in ("postgresql", "postgres"):
        raise ValueError("takes the address of a database, such as postgresql://user:password@host/name")
    return SecretStr(text)


def _lake(text: str) -> str:
    return text.rstrip("/") if "://" in text else str(_folder(text))


class _Parsed:
    """Texts are parsed, values stay. What `parse` raises is a sentence that begins after the variable's name.

    `parse` takes the text and the values of the settings that are named. Pydantic's `PlainValidator` works out on top
    how each type would be written, which takes as long again and which each start of a run would wait for.
    """

    def __init__(self, parse: Callable[..., object], *named: str) -> None:
        self._parse, self._named = parse, named

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self._value)

    def _value(self, given: object, info: core_schema.ValidationInfo[Any]) -> object:
        return self._parse(given, *map(info.data.get, self._named)) if isinstance(given, str) else given


def _one_of(*words: str) -> _Parsed:
    def choose(text: str) -> str:
        chosen = text.lower()
        if chosen not in words:
            hint = f"; did you mean {near}?" if (near := nearest(chosen, words)) else ""
            raise ValueError(f"is {chosen!r}; it takes {', '.join(words)}{hint}")
        return chosen

    return _Parsed(choose)


def _number(*, whole: bool = False, most: float = 100_000, off: bool = False) -> _Parsed:
    """A number above 0, or with `off` also 0."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not (0 < number <= most or (off and number == 0)) or (whole and number != int(number)):
            kind = "a whole number" if whole else "a number"
            zero = ", or 0 for off" if off else ""
            raise ValueError(f"is {text!r}; it takes {kind} above 0, at most {most:g}{zero}")
        return int(number) if whole else number

    return _Parsed(read)


_Folder = Annotated[Path, _Parsed(_folder)]
_Secret = Annotated[SecretStr | None, _Parsed(SecretStr)]
_OrOff = Annotated[float, _number(off=True)]
_WholeOrOff = Annotated[int, _number(whole=True, off=True)]
_Pii = Annotated[str, _one_of("tokenise", "clear", "drop")]
_Storage = Annotated[str, _one_of("v1.0.0", "v1.2.0", "v1.4.0", "v1.5.0", "v2.0.0")]


def setting(variable: str, default: Any, description: str, *, unset: str | None = None) -> Any:
    """A line of `Settings`, or of a model of one's own below it; `read_settings(model=Own)` reads all of them.

    `default` may be a function that makes it; `unset` says what holds without the variable, where the default does not.
    """
    made = {"default_factory": default} if callable(default) else {"default": default}
    shown = unset or f"`{default}`"
    return Field(**made, validation_alias=variable, description=description, json_schema_extra={"unset": shown})


class Settings(BaseModel):
    """All settings with their defaults.

    `quiet_hours` and the cron expressions, which are checked where schedules are made of them, are on the clock of
    `timezone`. `budget_directory` None, as for the sandbox, means a budget of each process alone. Secrets are masked
    wherever they are printed. `notes` are sentences about variables that look like settings and are none.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    url: Annotated[str | None, _Parsed(_url)] = setting(
        "OMNITRON_URL",
        None,
        "base URL of the instance; plain http only to this machine",
        unset="none: the embedded sandbox, unless credentials are set",
    )
    api: Annotated[str | None, _one_of("i1", "v1")] = setting(
        "OMNITRON_API",
        None,
        "`i1` or `v1`: under which of `/api/i1/` and `/api/v1/` the API is served",
        unset="found out, for each kind of document",
    )
    token: Annotated[SecretStr | None, _Parsed(_token)] = setting("OMNITRON_TOKEN", None, "API token", unset="none")
    username: _Secret = setting(
        "OMNITRON_USERNAME", None, "user of a login for a token, where there is none", unset="none"
    )
    password: _Secret = setting("OMNITRON_PASSWORD", None, "password of that user", unset="none")
    data_root: _Folder = setting(
        "ORDER_ASSETS_DATA",
        lambda: Path.cwd() / "data",
        "data root, the folder that everything is written to",
        unset="`data/`",
    )
    first_day: Annotated[date, _Parsed(_day)] = setting("ORDER_ASSETS_START_DATE", date(2026, 1, 1), "first day")
    timezone: Annotated[ZoneInfo, _Parsed(_zone)] = setting(
        "ORDER_ASSETS_TIMEZONE", ZoneInfo("UTC"), "business time zone; a day is the day of `date_placed` in it"
    )
    prices_include_tax: Annotated[str | None, _one_of("yes", "no")] = setting(
        "ORDER_ASSETS_PRICES_INCLUDE_TAX",
        None,
        "`yes` or `no`: whether the shop's prices include tax, which its API does not say; kept in `meta.settings`",
        unset="not said",
    )
    quantity_attribute: Annotated[str, _Parsed(_attribute)] = setting(
        "ORDER_ASSETS_QUANTITY_ATTRIBUTE",
        "quantity",
        "which of the `attributes` of a merged order item has its quantity; a check names another that looks like one",
    )
    pii: _Pii = setting("ORDER_ASSETS_PII", "tokenise", "`tokenise`, `clear` or `drop` personal data")
    pii_key: _Secret = setting(
        "ORDER_ASSETS_PII_KEY",
        None,
        "key of the tokens, 16 characters at least; needed for `tokenise`",
        unset="none; for the sandbox one is made and kept in the data root",
    )
    requests_per_second: Annotated[float | None, _number()] = setting(
        "ORDER_ASSETS_REQUESTS_PER_SECOND",
        10.0,
        "the shop's budget, shared by all runs of this machine",
        unset="`10`; the sandbox is unlimited",
    )
    max_concurrency: Annotated[int, _number(whole=True, most=64)] = setting(
        "ORDER_ASSETS_MAX_CONCURRENCY", 8, "requests in flight at a time, all runs together"
    )
    sync_cron: str = setting(
        "ORDER_ASSETS_SYNC_CRON",
        "*/10 * * * *",
        "when the index is brought up to date, a cron expression of five fields in the business time zone",
    )
    nightly_cron: str = setting(
        "ORDER_ASSETS_NIGHTLY_CRON",
        "30 2 * * *",
        "when incomplete days and orders to be read again are requested",
        unset="`30 2 * * *`, or when quiet hours around it end",
    )
    quiet_hours: Annotated[QuietHours | None, _Parsed(_quiet_hours, "timezone")] = setting(
        "ORDER_ASSETS_QUIET_HOURS",
        None,
        "when nothing is requested, in the business time zone, such as `22:00-06:00,12:00-13:00`",
        unset="none",
    )
    budget: Annotated[SecretStr | None, _Parsed(_postgres)] = setting(
        "ORDER_ASSETS_BUDGET",
        None,
        "`postgresql://user:password@host/name`: the database in which several machines share the shop's budget; needs "
        "`pip install 'order-assets[scale]'`",
        unset="none: this machine's folder below",
    )
    budget_directory: Annotated[Path | None, _Parsed(_folder)] = setting(
        "ORDER_ASSETS_BUDGET_DIR",
        None,
        "where all processes of this machine share the shop's budget; on a disk of this machine, not a network share",
        unset="`$XDG_STATE_HOME/order_assets`, else `~/.local/state/order_assets`; without a home folder to write to, "
        "`budget/` in the data root",
    )
    whole_listing_hours: _OrOff = setting(
        "ORDER_ASSETS_WHOLE_LISTING_HOURS",
        24,
        "how often all orders are listed, where changes can be listed alone: only that shows which are gone; `0` is "
        "never",
    )
    reread_open_hours: _OrOff = setting(
        "ORDER_ASSETS_REREAD_OPEN_HOURS", 24, "after how many hours open orders are read again; `0` is never"
    )
    reread_open_days: _WholeOrOff = setting(
        "ORDER_ASSETS_REREAD_OPEN_DAYS", 90, "... if they were placed in the last so many days"
    )
    reread_recent_hours: _OrOff = setting(
        "ORDER_ASSETS_REREAD_RECENT_HOURS", 168, "after how many hours all recent orders are read again; `0` is never"
    )
    reread_recent_days: _WholeOrOff = setting(
        "ORDER_ASSETS_REREAD_RECENT_DAYS", 30, "for how many days an order is recent"
    )
    sweep_weeks: _WholeOrOff = setting(
        "ORDER_ASSETS_SWEEP_WEEKS",
        8,
        "the slow sweep: all orders of the last year are read again once in so many weeks, some days each night, with"
        " a tenth of the budget at most; `0` is never",
    )
    keep_versions_days: _WholeOrOff = setting(
        "ORDER_ASSETS_KEEP_VERSIONS_DAYS",
        90,
        "how long the documents of older versions of an order are kept; their states stay; `0` is for ever",
    )
    keep_runs_days: _WholeOrOff = setting(
        "ORDER_ASSETS_KEEP_RUNS_DAYS",
        90,
        "how long the sensor `purge_old_runs` leaves Dagster's runs and their files; `0` is for ever",
    )
    storage_version: _Storage = setting(
        "ORDER_ASSETS_STORAGE_VERSION",
        "v1.0.0",
        "the oldest DuckDB that has to read `warehouse.duckdb`: `v1.0.0` (read by 1.1 and all later), `v1.2.0` (an "
        "eighth smaller), `v1.4.0`, `v1.5.0` or `v2.0.0`; a file of another version is written from scratch with the "
        "next load",
    )
    lake: Annotated[str | None, _Parsed(_lake)] = setting(
        "ORDER_ASSETS_LAKE",
        None,
        "folder or address such as `s3://bucket/orders` to which days that passed are copied as Delta tables, by the "
        "assets `lake/...`; needs `pip install 'order-assets[delta]'`",
        unset="none: there are no such assets",
    )
    alert_webhook: Annotated[SecretStr | None, _Parsed(_webhook)] = setting(
        "ORDER_ASSETS_ALERT_WEBHOOK",
        None,
        'https address that alerts go to as JSON `{"text": ...}`',
        unset="none: they go to the log",
    )
    notes: tuple[str, ...] = ()

    @property
    def uses_sandbox(self) -> bool:
        """Whether the embedded sandbox serves, because no instance is named."""
        return self.url is None


def _variables(model: type[Settings]) -> dict[str, str]:
    return {name: str(line.validation_alias) for name, line in model.model_fields.items() if line.validation_alias}


VARIABLES = _variables(Settings)
# What two shops never have in common.
_OF_ONE_SHOP = frozenset(VARIABLES[name] for name in ("url", "token", "username", "password", "pii_key", "data_root"))
_S = TypeVar("_S", bound=Settings, default=Settings)


def read_settings(
    environment: Mapping[str, str] | None = None,
    *,
    model: type[_S] = Settings,  # type: ignore[assignment]
    shop: str = "",
    asks_shop: bool = False,
) -> _S:
    """The settings that the environment gives; `model` may be one's own, below `Settings`.

    The variables of a `shop` have its name in capital letters before them, such as TR_OMNITRON_URL for `tr`; those that
    shops may share are read without it too, and its data and its lake lie in folders of its name in those of
    ORDER_ASSETS_DATA and ORDER_ASSETS_LAKE.
    With `asks_shop` also what a run needs that asks the shop and writes is looked at: credentials, the key of tokens,
    folders that can be written. Raises `SettingsError`, which names all variables that cannot be used.
    """
    environment = os.environ if environment is None else environment
    variables = _variables(model)
    given = {name: text.strip() for name, text in environment.items() if text.strip()}
    if shop:
        given = _of_shop(shop, given, variables.values())
    settings, problems = _read(model, given)
    settings = settings.model_copy(update=_what_follows(settings, given))
    problems += _secrets(settings, given)
    if asks_shop:
        problems += [*_missing(settings, given), *_folders_that_cannot_be_written(settings)]
    names = strangers(given, variables.values())
    problems += [
        f"{name} is no setting; did you mean {near}? Rename it, or unset it"
        for name, near in sorted(names.items())
        if near
    ]
    if problems:
        several = ["these settings cannot be used:", *(f"- {problem}" for problem in problems)]
        raise SettingsError(problems[0] if len(problems) == 1 else "\n".join(several))
    notes = (f"{name} is set and is no setting of order_assets: it does nothing here" for name in sorted(names))
    return settings.model_copy(update={"notes": tuple(notes)})


def prefix(shop: str) -> str:
    """What the variables of a shop begin with."""
    return f"{shop.upper()}_" if shop else ""


def _of_shop(shop: str, given: Mapping[str, str], variables: Iterable[str]) -> dict[str, str]:
    """The variables of a shop, under the names that all shops have."""
    shared = {name: given[name] for name in variables if name in given and name not in _OF_ONE_SHOP}
    if (lake := VARIABLES["lake"]) in shared:
        shared[lake] = f"{shared[lake].rstrip('/')}/{shop}"
    own = {name.removeprefix(prefix(shop)): text for name, text in given.items() if name.startswith(prefix(shop))}
    data = VARIABLES["data_root"]
    return {data: f"{given.get(data) or 'data'}/{shop}", **shared, **own}


def _read(model: type[_S], given: Mapping[str, str]) -> tuple[_S, list[str]]:
    """The variables as values, defaults in place of those that cannot be used, and what is wrong with those."""
    try:
        return model.model_validate(given), []
    except ValidationError as error:
        found = {str(wrong["loc"][0]): _what_is_wrong(wrong) for wrong in error.errors(include_input=False)}
    kept = {name: text for name, text in given.items() if name not in found}
    return model.model_validate(kept), [f"{name} {what}" for name, what in found.items()]


def _what_is_wrong(wrong: ErrorDetails) -> str:
    """A sentence without its subject: that of `_Parsed`, or of pydantic for a type of a model of one's own."""
    return str(wrong.get("ctx", {}).get("error") or f"cannot be used: {wrong['msg']}")


def _what_follows(settings: Settings, given: Mapping[str, str]) -> dict[str, object]:
    """Defaults that depend on other settings."""
    follows: dict[str, object] = {}
    if VARIABLES["nightly_cron"] not in given:
        # Once a night, or when the quiet hours of the night end.
        moment = _end_of_quiet_hours(_AT_NIGHT, settings.quiet_hours) or _AT_NIGHT
        follows["nightly_cron"] = f"{moment.minute} {moment.hour} * * *"
    if settings.uses_sandbox:
        follows["budget_directory"] = follows["budget"] = None
        if VARIABLES["requests_per_second"] not in given:
            follows["requests_per_second"] = None
    elif settings.budget_directory is None:
        follows["budget_directory"] = state_folder(given) or settings.data_root / "budget"
    return follows


def state_folder(given: Mapping[str, str]) -> Path | None:
    """Where a user's programs keep what outlives them and is of this machine alone.

    None where there is no home folder to write to: it is kept with the data then, which only runs of it share.
    """
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


def _end_of_quiet_hours(moment: time, quiet_hours: QuietHours | None) -> time | None:
    """When the quiet hours around a time of day end; None outside of them."""
    if quiet_hours is None:
        return None
    # On clocks that never change; any day will do.
    until = QuietHours(quiet_hours.spans, ZoneInfo("UTC")).until(datetime.combine(date(2026, 1, 1), moment, UTC))
    return None if until is None else until.time()


def _secrets(settings: Settings, given: Mapping[str, str]) -> list[str]:
    """What is wrong with secrets by their look; their text is never repeated."""
    problems = []
    credentials = [name for name in (VARIABLES[field] for field in ("token", "username", "password")) if name in given]
    if credentials and VARIABLES["url"] not in given:
        problems.append(
            f"{' and '.join(credentials)} {'is' if len(credentials) == 1 else 'are'} set, but OMNITRON_URL is not: set "
            "it to the address of the instance; or unset the credentials (or order-assets run --sandbox) to work with "
            "the embedded sandbox, an invented shop"
        )
    key = settings.pii_key.get_secret_value() if settings.pii_key else None
    if settings.pii == "tokenise" and key is not None and (len(key) < _SHORTEST_KEY or len(set(key)) < 6):
        problems.append(
            f"ORDER_ASSETS_PII_KEY is too easy to guess: it takes a long random text, {_SHORTEST_KEY} characters at "
            'least, such as the output of python -c "import secrets; print(secrets.token_hex(32))"'
        )
    return problems


def _missing(settings: Settings, given: Mapping[str, str]) -> list[str]:
    """What a run that asks an instance cannot do without."""
    if settings.url is None:
        return []
    problems = []
    has_token = VARIABLES["token"] in given
    if not has_token and bool(settings.username) != bool(settings.password):
        missing = VARIABLES["password" if settings.username else "username"]
        problems.append(f"The login is incomplete: set {missing} too, or set OMNITRON_TOKEN instead")
    elif not (has_token or settings.username):
        problems.append("There are no credentials: set OMNITRON_TOKEN, or OMNITRON_USERNAME and OMNITRON_PASSWORD")
    if settings.pii == "tokenise" and not settings.pii_key and not is_loopback(urlsplit(settings.url).hostname or ""):
        problems.append(
            "ORDER_ASSETS_PII=tokenise needs a key: set ORDER_ASSETS_PII_KEY to a long random text and keep it, "
            "since other keys give other tokens; or choose ORDER_ASSETS_PII=drop or clear"
        )
    return problems


def _folders_that_cannot_be_written(settings: Settings) -> list[str]:
    problems = []
    for name in ("data_root", "budget_directory"):
        folder: Path | None = getattr(settings, name)
        found = None if folder is None else _found(folder)
        if found is not None and not os.access(found, os.R_OK | os.W_OK | os.X_OK):
            problems.append(
                f"{VARIABLES[name]} is {str(folder)!r}: nothing can be written into {found}; mend its rights"
            )
    return problems
