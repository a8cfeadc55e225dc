"""From a call that failed to the error that a person reads at night.

Belongs here: the sentences, and which kind of error a status stands for. Every message says which call, what
came back and what to do, and goes through the mask. Not here: deciding what is tried again (`session`).
"""

from collections.abc import Mapping
from typing import TypeVar

from order_assets.errors import Kind
from order_assets.omnitron.api_errors import (
    OmnitronAnswerError,
    OmnitronAuthError,
    OmnitronBlockedError,
    OmnitronError,
    OmnitronForbiddenError,
    OmnitronNotFoundError,
    OmnitronRequestError,
    OmnitronUnavailableError,
)
from order_assets.omnitron.client_settings import ClientSettings
from order_assets.omnitron.instance import host_of
from order_assets.omnitron.intermediaries import who_answered
from order_assets.omnitron.masking import Mask, said_in
from order_assets.omnitron.response import is_json_type
from order_assets.omnitron.transport import Answer, BrokenCallError, Call

AnError = TypeVar("AnError", bound=OmnitronError)

# A page of a proxy is quoted by its beginning; the rest is never looked at.
_QUOTABLE_BYTES = 8192
_OR_SLOWER = ", or lower ORDER_ASSETS_REQUESTS_PER_SECOND"


class Explainer:
    """Makes errors for the calls of one client."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._mask = Mask(
            [secret for secret in (settings.token, settings.password) if secret],
            [settings.username] if settings.username else [],
        )

    def learn(self, secret: str) -> None:
        """Mask one more secret from now on."""
        self._mask = self._mask.plus(secret)

    def error(
        self, what: type[AnError], message: str, *, kind: Kind | None = None, systemic: bool | None = None
    ) -> AnError:
        """An error whose message went through the mask."""
        return what(self._mask.in_message(message), kind=kind, systemic=systemic)

    def refused(self, call: Call, answer: Answer, value: object) -> OmnitronError:
        """For a status other than 200; `value` is what the body says, if it is JSON."""
        status = answer.status
        start = f"{call} answered {status}{self._said(value) or self._quote(answer)}"
        if status == 403:
            return self.error(
                OmnitronForbiddenError,
                f"{start}: the credentials are valid but may not read this. Give the user of OMNITRON_TOKEN "
                "or "
                "OMNITRON_USERNAME the right to read orders.",
            )
        if status == 404:
            return self.error(
                OmnitronNotFoundError,
                f"{start}. If this concerns every order, OMNITRON_URL is not the Omnitron instance, or OMNITRON_API "
                "names the wrong one of i1 and v1.",
            )
        if status >= 500:
            return self.error(OmnitronUnavailableError, f"{start}. The shop cannot serve this now: try again later.")
        if status >= 400:
            return self.error(
                OmnitronRequestError,
                f"{start}: Omnitron does not accept this request. It may be of another version than we know.",
            )
        return self.error(OmnitronAnswerError, f"{start}, which this API does not give for a read.")

    def refused_again(self, call: Call) -> OmnitronAuthError:
        """For a 401 to a token that is new."""
        return self.error(
            OmnitronAuthError,
            f"{call} answered 401 twice, the second time to a new token. "
            "Check that the user of OMNITRON_USERNAME or OMNITRON_TOKEN may use the API at all.",
        )

    def refused_login(self, answer: Answer) -> OmnitronAuthError:
        """For a refused login. What the server said is left out: it may repeat the user name."""
        return self.error(
            OmnitronAuthError,
            f"The login at {self._settings.url} was refused ({answer.status}): "
            "check OMNITRON_USERNAME and OMNITRON_PASSWORD.",
        )

    def not_json(self, call: Call, answer: Answer, content_type: str) -> OmnitronAnswerError:
        """For a status 200 whose body is not an answer of this API."""
        is_json = is_json_type(content_type)
        if not answer.body:
            what = "an empty body"
        elif is_json:
            what = f"{len(answer.body)} bytes that are not valid JSON in UTF-8"
        else:
            what = f"content type {_shown_type(content_type)} instead of JSON"
        return self.error(
            OmnitronAnswerError,
            f"{call} answered {answer.status} with {what}{self._quote(answer)}. Nothing of it is used; a "
            "maintenance page or a proxy may have answered instead of Omnitron.",
            kind="transient" if is_json else "permanent",
        )

    def in_between(self, call: Call, answer: Answer, retries: int) -> OmnitronError:
        """For a page that something in between went on giving."""
        if 300 <= answer.status < 400:
            target = host_of(answer.headers.get("Location", ""), call.url)
            return self.error(
                OmnitronAnswerError,
                f"{call} answered {answer.status}, a redirect to {target}. It is not followed, so that the token goes "
                "nowhere else: check OMNITRON_URL; if it worked before, a firewall or a login page of your network "
                "answered in Omnitron's place.",
                kind="transient",
                systemic=True,
            )
        shown = _shown_type(answer.headers.get("Content-Type", ""))
        what = f"a page ({shown})" if answer.body.strip() else "an empty body"
        product = who_answered(answer.headers, answer.body)
        return self.error(
            OmnitronBlockedError,
            f"{call} answered {answer.status} with {what}{self._quote(answer)} instead of JSON, {_attempts(retries)}: "
            f"a firewall or proxy answered{f' (it looks like {product})' if product else ''}, or a maintenance page, "
            "and not Omnitron. It says nothing about rights or orders, and nothing of it is used. Try again later; if "
            "it stays, have whoever runs the firewall let this machine and its User-Agent order-assets through to "
            f"/api/, or lower ORDER_ASSETS_REQUESTS_PER_SECOND.",
        )

    def waiting_for_login(self, seconds: float) -> str:
        """For a login that has to wait for its turn."""
        return (
            f"The logins at {self._settings.url} of the last six minutes are used up, or it asked to wait: this one "
            f"waits {seconds:.0f} s. With OMNITRON_TOKEN no run has to log in."
        )

    def logins_used_up(self, waited: float, seconds: float) -> OmnitronUnavailableError:
        """For a login whose turn does not come."""
        return self.error(
            OmnitronUnavailableError,
            f"No login at {self._settings.url} was free within {waited:.0f} s, and the next one is in {seconds:.0f} s: "
            "all processes of this machine together log in three times in six minutes at most. Let fewer runs begin "
            "at once, or set OMNITRON_TOKEN, so that none has to log in.",
            systemic=True,
        )

    def still_failing(self, call: Call, answer: Answer, retries: int) -> OmnitronUnavailableError:
        """For a passing trouble that did not pass."""
        return self.error(
            OmnitronUnavailableError,
            f"{call} still answered {answer.status} after {_attempts(retries)}{self._quote(answer)}. The "
            "shop is "
            "down, overloaded or limits us, or a firewall or proxy answers for it: "
            f"try again later{_OR_SLOWER if answer.status == 429 else ''}.",
        )

    def long_wait(self, call: Call, answer: Answer, seconds: float) -> OmnitronUnavailableError:
        """For a Retry-After that is longer than we wait."""
        return self.error(
            OmnitronUnavailableError,
            f"{call} answered {answer.status} and asks to come back in {seconds:.0f} s, longer than we wait "
            f"({self._settings.max_retry_after_seconds:g} s). Run again after that time{_OR_SLOWER}.",
            systemic=True,
        )

    def broken(self, call: Call, broken: BrokenCallError, retries: int) -> OmnitronError:
        """For a call that never got a complete answer."""
        tried = f" ({_attempts(retries)})" if retries else ""
        kind: Kind = "permanent" if broken.final else "transient"
        if broken.answered:
            return self.error(
                OmnitronAnswerError,
                f"{call}: {broken.reason}{tried}. Nothing of it is used; try again later.",
                kind=kind,
            )
        systemic = broken.final or not broken.reached
        hint = "check OMNITRON_URL and the network" if systemic else "try again later"
        return self.error(
            OmnitronUnavailableError,
            f"{call}: no answer from {self._settings.url}: {broken.reason}{tried}; {hint}.",
            kind=kind,
            systemic=systemic,
        )

    def _said(self, value: object) -> str:
        """What an error answer in JSON says about itself."""
        said = self._mask.in_server_text(said_in(value)) if isinstance(value, Mapping) else ""
        return f" ({said})" if said else ""

    def _quote(self, answer: Answer) -> str:
        """The beginning of a page for people; never of anything that could be data."""
        content_type = answer.headers.get("Content-Type", "").lower()
        text = answer.body[:_QUOTABLE_BYTES].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        if not content_type.startswith("text/") or text.startswith(("{", "[", '"')):
            return ""
        if len(answer.body) > _QUOTABLE_BYTES:
            # The last word may be half a secret, which no mask would know.
            text = text.rpartition(" ")[0]
        said = self._mask.in_server_text(text)
        return f" ({said})" if said else ""


def _attempts(retries: int) -> str:
    return "one attempt" if retries == 0 else f"{retries + 1} attempts"


def _shown_type(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    return kind if kind.isascii() and kind.isprintable() and 0 < len(kind) <= 40 else "none"
