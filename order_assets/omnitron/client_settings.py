"""The settings of a client, checked when they are made.

Belongs here: values, defaults and their limits. Not here: reading the environment, which the caller does.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from order_assets.core.quiet_hours import QuietHours
from order_assets.omnitron.api_errors import OmnitronConfigError
from order_assets.omnitron.api_prefix import VERSIONS
from order_assets.omnitron.instance import normalise_url

_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class ClientSettings:
    """How to reach one Omnitron instance and how gently.

    Times are seconds, sizes bytes after decompression. `requests_per_second` None means unlimited. `retries`
    counts the repeats of one call, for 408, 429, most 5xx, broken connections and time-outs; the wait before
    a repeat is random up to `backoff_seconds` doubled each time, or what the server asks for in Retry-After,
    up to `max_retry_after_seconds`. `read_timeout` bounds silence, `total_timeout` one whole answer. After
    `check_after_failures` failed calls in a row one row of the order list is asked for, to tell a broken shop
    from some broken orders. `budget_directory` is where all processes of this machine keep the budgets of their
    instances; None means a budget of this process alone. `budget` is the address of a Postgres database in which
    processes of several machines keep them instead. In `quiet_hours` nothing is asked. `api` is `v1` or `i1`, the
    prefix under which the API is served; None means to find out, for each kind of path. `max_login_wait_seconds` is
    how long a login waits for its turn. Raises OmnitronConfigError.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    requests_per_second: float | None = 10
    max_concurrency: int = 8
    connect_timeout: float = 5
    read_timeout: float = 60
    retries: int = 5
    backoff_seconds: float = 0.5
    max_backoff_seconds: float = 60
    max_body_bytes: int = 32 * 1024 * 1024
    max_retry_after_seconds: float = 300
    total_timeout: float = 300
    check_after_failures: int = 10
    budget_directory: Path | None = None
    budget: str | None = field(default=None, repr=False)
    quiet_hours: QuietHours | None = None
    api: str | None = None
    max_login_wait_seconds: float = 900

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", normalise_url(self.url))
        object.__setattr__(self, "token", (self.token or "").strip() or None)
        # Files that secrets are read from often end with an empty line.
        object.__setattr__(self, "username", (self.username or "").strip() or None)
        object.__setattr__(self, "password", (self.password or "").rstrip("\r\n") or None)
        object.__setattr__(self, "api", self.api or None)
        if self.api is not None and self.api not in VERSIONS:
            raise OmnitronConfigError(f"OMNITRON_API is {self.api!r}; it takes {' or '.join(VERSIONS)}, or nothing.")
        if self.token is not None and not is_token(self.token):
            raise OmnitronConfigError(
                "OMNITRON_TOKEN holds blanks or characters that no token has: paste the key alone, "
                "without the word Token and without quotes."
            )
        for name in (
            "connect_timeout",
            "read_timeout",
            "total_timeout",
            "max_concurrency",
            "max_body_bytes",
            "check_after_failures",
        ):
            _check(name, getattr(self, name), above=0)
        for name in (
            "retries",
            "backoff_seconds",
            "max_backoff_seconds",
            "max_retry_after_seconds",
            "max_login_wait_seconds",
        ):
            _check(name, getattr(self, name), least=0)
        if self.requests_per_second is not None:
            _check("requests_per_second", self.requests_per_second, above=0)


def is_token(text: str) -> bool:
    """Whether a text can stand in the Authorization header as one word."""
    return _TOKEN.fullmatch(text) is not None


def _check(name: str, value: float, *, above: float | None = None, least: float | None = None) -> None:
    """Refuse a number outside its limits; NaN and infinity are outside of all."""
    if not math.isfinite(value) or (above is not None and value <= above) or (least is not None and value < least):
        limit = f"above {above}" if above is not None else f"{least} or more"
        raise OmnitronConfigError(f"The Omnitron setting {name} is {value}, it must be {limit}.")
