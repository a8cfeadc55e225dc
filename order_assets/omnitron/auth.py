"""The token of a client: where it comes from and when it is renewed.

Belongs here: one login at a time, however many threads need it, and not hammering the login. Not here:
sending (`session`), and any storage: a token lives in memory only.
"""

import hashlib
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping

from requests.structures import CaseInsensitiveDict

from order_assets.omnitron.api_errors import OmnitronAnswerError, OmnitronAuthError, OmnitronConfigError
from order_assets.omnitron.client_settings import ClientSettings, is_token
from order_assets.omnitron.rate_limit.budget import LOGINS_WITHIN_SECONDS, MOST_LOGINS
from order_assets.omnitron.response import Response

LOGIN_PATH = "auth/login/"
_BASE_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "order-assets"}


class Credential:
    """The headers that carry one token. Compared by identity: two logins may give the same token."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(
            {**_BASE_HEADERS, "Authorization": f"Token {token}"}
        )

    def __repr__(self) -> str:
        return "Credential()"


class KeptTokens:
    """The newest token of each login in this process, so that the clients of a run log in once; in memory only."""

    def __init__(self) -> None:
        self._tokens: dict[bytes, Credential] = {}
        self._locks: defaultdict[bytes, threading.Lock] = defaultdict(threading.Lock)

    def newest(self, login: bytes) -> Credential | None:
        """The token of a login, if one is known."""
        return self._tokens.get(login)

    def keep(self, login: bytes, credential: Credential) -> None:
        """Remember a token."""
        self._tokens[login] = credential

    def drop(self, login: bytes, refused: Credential) -> None:
        """Forget a token that was refused."""
        if self._tokens.get(login) is refused:
            del self._tokens[login]

    def one_at_a_time(self, login: bytes) -> threading.Lock:
        """Held while a client logs in: the others take its token."""
        return self._locks[login]

    def clear(self) -> None:
        """Forget all."""
        self._tokens.clear()


# A process is what has a session with the shop: its clients come and go, two in each run.
KEPT = KeptTokens()


class Credentials:
    """Gives the current credential and renews it, once for all threads that find it refused."""

    def __init__(
        self,
        settings: ClientSettings,
        post: Callable[[CaseInsensitiveDict[str], bytes], Response],
        learned: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        require_credentials(settings)
        self._settings = settings
        self._post = post
        self._learned = learned
        self._clock = clock
        self._lock = threading.Lock()
        # A digest, so that no password is kept longer than its client.
        whose = "\0".join((settings.url, settings.username or "", settings.password or ""))
        self._login = hashlib.sha256(whose.encode("utf-8", "surrogatepass")).digest()
        self._current = Credential(settings.token) if settings.token else None
        self._refused: str | None = None
        self._logins: deque[float] = deque(maxlen=MOST_LOGINS)

    def current(self) -> Credential:
        """The credential to use; the first call logs in if no token was given."""
        return self._current or self.renewed(None)

    def renewed(self, used: Credential | None) -> Credential:
        """A credential other than the one just refused. Raises OmnitronAuthError if there is none."""
        with self._lock:
            if self._current is not None and self._current is not used:
                return self._current
            if self._refused is not None:
                raise OmnitronAuthError(self._refused)
            try:
                self._current = self._newer_than(used)
            except OmnitronAuthError as error:
                # The threads that wait for this lock must not try the same password again.
                self._refused = str(error)
                raise
            return self._current

    def _newer_than(self, used: Credential | None) -> Credential:
        """The token that another client of this process got meanwhile, else one of a new login."""
        with KEPT.one_at_a_time(self._login):
            if used is not None:
                KEPT.drop(self._login, used)
            kept = KEPT.newest(self._login)
            if kept is None:
                kept = Credential(self._log_in())
                KEPT.keep(self._login, kept)
            else:
                self._learned(kept.token)
            return kept

    def _log_in(self) -> str:
        if not (self._settings.username and self._settings.password):
            raise OmnitronAuthError(
                f"{self._settings.url} refused the token (401): it is wrong, expired or revoked. Put a new "
                "one into "
                "OMNITRON_TOKEN, or set OMNITRON_USERNAME and OMNITRON_PASSWORD so that a new one can be "
                "fetched."
            )
        now = self._clock()
        if len(self._logins) == MOST_LOGINS and now - self._logins[0] < LOGINS_WITHIN_SECONDS:
            raise OmnitronAuthError(
                f"{self._settings.url} keeps refusing tokens soon after the login that gave them. Probably "
                "another "
                "program logs in as the same user and ends our session: use a user of its own, or "
                "OMNITRON_TOKEN."
            )
        self._logins.append(now)
        body = json.dumps({"username": self._settings.username, "password": self._settings.password})
        headers = CaseInsensitiveDict(
            {**_BASE_HEADERS, "Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
        )
        answer = self._post(headers, body.encode())
        key = answer.value.get("key") if isinstance(answer.value, Mapping) else None
        if not isinstance(key, str) or not is_token(key):
            raise OmnitronAnswerError(
                f"The login at {self._settings.url} answered without a usable key. Check that OMNITRON_URL "
                "is the "
                "Omnitron instance itself.",
                systemic=True,
            )
        self._learned(key)
        return key


def require_credentials(settings: ClientSettings) -> None:
    """Raise OmnitronConfigError if there is neither a token nor a full login."""
    if settings.token or (settings.username and settings.password):
        return
    if settings.username or settings.password:
        missing = "OMNITRON_PASSWORD" if settings.username else "OMNITRON_USERNAME"
        raise OmnitronConfigError(
            f"The login for {settings.url} is incomplete: set {missing} too, or set OMNITRON_TOKEN instead."
        )
    raise OmnitronConfigError(
        f"There are no credentials for {settings.url}: set OMNITRON_TOKEN, or OMNITRON_USERNAME and OMNITRON_PASSWORD."
    )
