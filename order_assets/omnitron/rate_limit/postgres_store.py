"""Where processes of several machines share a budget: a row of Postgres for each shop, locks of sessions for places.

The clock is the server's. A place is an advisory lock: the server gives it back when the session of a process ends,
also when its machine is gone, which keep-alives tell within half a minute. Needs the extra `scale`.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from order_assets.omnitron.api_errors import OmnitronConfigError
from order_assets.omnitron.rate_limit.budget_store import BudgetRecord, Change, Release, Result, encoded, read_record

if TYPE_CHECKING:
    import psycopg

_TABLE = "CREATE TABLE IF NOT EXISTS order_assets_budget (instance text PRIMARY KEY, record bytea NOT NULL)"
_ROW = "INSERT INTO order_assets_budget VALUES (%s, '') ON CONFLICT DO NOTHING"
_READ = "SELECT record FROM order_assets_budget WHERE instance = %s FOR UPDATE"
_WRITE = "UPDATE order_assets_budget SET record = %s WHERE instance = %s"
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
# Held while the table is made: CREATE TABLE IF NOT EXISTS by two sessions at once fails for one of them.
_MAKING = 7_134_209_551
_CONNECT_SECONDS = 5
_CLOCK_HOLDS_SECONDS = 10.0
# Nobody waits long for a session that stands still, and a machine that is gone gives its places back. What the last
# moments before a crash of the server wrote may be lost: it starts the rate anew.
_OPTIONS = (
    "-c synchronous_commit=off -c lock_timeout=10s -c statement_timeout=15s -c idle_in_transaction_session_timeout=10s "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)


class PostgresStore:
    """The store of all processes that name the same database, on any machine.

    Raises OmnitronConfigError where it cannot be reached, at first or later on: no request is made without it. It is
    tried anew at the next request, which finds the places of this process taken by none.
    """

    def __init__(self, url: str, instance: str) -> None:
        self._url = url
        digest = hashlib.sha256(instance.encode()).digest()
        self._instance = digest.hex()[:16]
        # Advisory locks have two numbers of 32 bits: the instance, and the place.
        self._lock_number = int.from_bytes(digest[:4], signed=True)
        self._lock = threading.RLock()
        self._session: psycopg.Connection[Any] | None = None
        self._taken: set[int] = set()
        self._ahead, self._clock_read = 0.0, 0.0
        with self._connected():
            pass

    def now(self) -> float:
        """See `BudgetStore`."""
        if time.monotonic() - self._clock_read > _CLOCK_HOLDS_SECONDS:
            with self._connected() as session:
                self._read_clock(session)
        return time.monotonic() + self._ahead

    def update(self, change: Change[Result]) -> Result:
        """See `BudgetStore`."""
        with self._connected() as session:
            with session.transaction():
                row = session.execute(_READ, (self._instance,)).fetchone()
                now = self.now()
                stored = read_record(row[0], now) if row else None
                changed, result = change(stored or BudgetRecord())
                if changed is not stored:
                    session.execute(_WRITE, (encoded(changed, now), self._instance))
            return result

    def place(self, limit: int) -> Release | None:
        """See `BudgetStore`."""
        with self._connected() as session:
            for number in range(limit):
                if number in self._taken:
                    continue
                row = session.execute("SELECT pg_try_advisory_lock(%s, %s)", (self._lock_number, number)).fetchone()
                if row and row[0]:
                    self._taken.add(number)
                    return partial(self._give_back, session, number)
        return None

    def _give_back(self, session: "psycopg.Connection[Any]", number: int) -> None:
        with self._lock:
            # A session that ended has given all of its places back.
            if session is not self._session or session.closed:
                return
            self._taken.discard(number)
            with self._connected():
                session.execute("SELECT pg_advisory_unlock(%s, %s)", (self._lock_number, number))

    @contextmanager
    def _connected(self) -> Iterator["psycopg.Connection[Any]"]:
        """The session of this process, one thread at a time; what the database refuses is one error."""
        import psycopg

        with self._lock:
            try:
                if self._session is None or self._session.closed:
                    self._session = self._connect()
                yield self._session
            except psycopg.Error as error:
                if self._session is not None:
                    self._session.close()
                self._session = None
                self._taken.clear()
                raise _unreachable(self._url, error) from None

    def _connect(self) -> "psycopg.Connection[Any]":
        import psycopg

        session = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            options=_OPTIONS,
            application_name="order_assets",
        )
        with session.transaction():
            session.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
            session.execute(_TABLE)
            session.execute(_ROW, (self._instance,))
        self._read_clock(session)
        return session

    def _read_clock(self, session: "psycopg.Connection[Any]") -> None:
        asked = time.monotonic()
        row = session.execute(_CLOCK).fetchone()
        answered = time.monotonic()
        # In the middle of the way there and back.
        self._ahead, self._clock_read = (row[0] if row else 0.0) - (asked + answered) / 2, answered


def _unreachable(url: str, error: Exception) -> OmnitronConfigError:
    parts = urlsplit(url)
    # Its message can repeat the address with the password; its first line says what is wrong.
    reason = str(error).splitlines()[0].replace(url, "the address") if str(error) else type(error).__name__
    if parts.password:
        reason = reason.replace(parts.password, "[redacted]")
    return OmnitronConfigError(
        f"The shop's budget cannot be kept in Postgres on {parts.hostname or 'this machine'} ({reason}): no request is "
        "made without it. See that the database runs and that ORDER_ASSETS_BUDGET names it, then run again."
    )
