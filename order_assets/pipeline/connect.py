"""Makes clients, privacy settings and instances from plain values: for the command, for Dagster and for users alike.

Belongs here: what is opened or made with the settings of a shop. Not here: the settings themselves (`settings`) and
what they look like in a run's config (`defs.resources`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

from order_assets.core.quiet_hours import QuietHours
from order_assets.landing import Instance, Reread
from order_assets.omnitron import ClientSettings, OmnitronClient
from order_assets.omnitron.instance import host_of, is_loopback, normalise_url
from order_assets.redaction import Privacy, PrivacyMode, own_key

SANDBOX_URL = "sandbox"


@contextmanager
def open_client(
    url: str,
    *,
    token: str = "",
    username: str = "",
    password: str = "",
    requests_per_second: float = 0,
    max_concurrency: int = 8,
    retries: int = 5,
    max_document_mib: int = 32,
    budget_directory: str = "",
    budget: str = "",
    api: str = "",
    quiet_hours: QuietHours | None = None,
) -> Iterator[OmnitronClient]:
    """A client of the instance; without a URL the embedded sandbox serves, in this process.

    Raises `OmnitronConfigError` for settings that cannot work.
    """
    limits = {
        "requests_per_second": requests_per_second or None,
        "max_concurrency": max_concurrency,
        "retries": retries,
        "max_body_bytes": max_document_mib * 1024 * 1024,
    }
    if url:
        settings = ClientSettings(
            url=url,
            token=token or None,
            username=username or None,
            password=password or None,
            budget_directory=Path(budget_directory) if budget_directory else None,
            budget=budget or None,
            quiet_hours=quiet_hours,
            api=api or None,
            **limits,  # type: ignore[arg-type]
        )
        with OmnitronClient(settings) as client:
            yield client
        return
    from order_assets.sandbox import PASSWORD, USERNAME, running_sandbox

    with running_sandbox() as sandbox:
        settings = ClientSettings(url=sandbox.url, username=USERNAME, password=PASSWORD, **limits)  # type: ignore[arg-type]
        with OmnitronClient(settings) as client:
            yield client


def instance_of(url: str, timezone: str, first_day: date) -> Instance:
    """The instance that data is of. Raises `OmnitronConfigError` for a URL that cannot be one."""
    return Instance(normalise_url(url) if url else SANDBOX_URL, timezone, first_day)


def privacy_of(mode: str, key: str, url: str, data_root: Path) -> Privacy:
    """The treatment of personal data; an instance on this machine gets a key of its own, kept in the data root.

    Raises `PrivacyError` where tokens need a key and there is none.
    """
    makes_one = mode == PrivacyMode.TOKENISE and not key and may_make_a_key(url)
    return Privacy(PrivacyMode(mode), own_key(own_key_file(data_root)) if makes_one else key)


def privacy_policy(mode: str, key: str, url: str, data_root: Path) -> str:
    """The policy that a run would store orders under; makes no key. Raises `PrivacyError`."""
    check_privacy(mode, key, url)
    if mode == PrivacyMode.TOKENISE and not key and not own_key_file(data_root).exists():
        # The run will make a key; what was landed under any other is due then.
        return ""
    return str(privacy_of(mode, key, url, data_root).policy)


def check_privacy(mode: str, key: str, url: str) -> None:
    """Make sure that the settings can be used; writes nothing. Raises `PrivacyError`."""
    Privacy(PrivacyMode(mode), key or ("made when it is needed" if may_make_a_key(url) else ""))


def may_make_a_key(url: str) -> bool:
    """Whether tokens need no key of the user's: the orders are those of a stand-in."""
    return not url or is_loopback(host_of(url))


def own_key_file(data_root: Path) -> Path:
    """Where the key for an instance on this machine is kept."""
    return data_root / ".pii-key"


class RereadNumbers(Protocol):
    """What says when orders are read again, in hours and days; 0 is never."""

    @property
    def reread_open_hours(self) -> float: ...  # noqa: D102
    @property
    def reread_open_days(self) -> int: ...  # noqa: D102
    @property
    def reread_recent_hours(self) -> float: ...  # noqa: D102
    @property
    def reread_recent_days(self) -> int: ...  # noqa: D102


def reread_of(numbers: RereadNumbers) -> Reread:
    """When orders are read again without a change in the list, without the slow sweep."""
    return Reread(
        open_every=hours_or_never(numbers.reread_open_hours),
        open_days=numbers.reread_open_days,
        recent_every=hours_or_never(numbers.reread_recent_hours),
        recent_days=numbers.reread_recent_days,
    )


def hours_or_never(hours: float) -> timedelta | None:
    """A time in hours; None for 0, which is never."""
    return timedelta(hours=hours) if hours else None
