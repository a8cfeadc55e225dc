"""What can go wrong between us and Omnitron, as values that a caller can decide on.

Belongs here: the exception classes and the two facts that every one of them carries (worth trying again? does
it concern every call?). Not here: when they are raised (`session`, `auth`, `pagination`, `documents`) and how
secrets are kept out of their text (`masking`).
"""

from order_assets.errors import Kind, OrderAssetsError


class OmnitronError(OrderAssetsError):
    """Base of all errors of this package; `str(error)` is a sentence or two with what to do.

    `systemic` says whether every other call would fail the same way, so that a walk over many orders has to stop
    instead of collecting the same error again and again.
    """

    systemic: bool = False

    def __init__(self, message: str, *, kind: Kind | None = None, systemic: bool | None = None) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind
        if systemic is not None:
            self.systemic = systemic


class OmnitronConfigError(OmnitronError):
    """The settings cannot work: bad URL, no credentials, an impossible number. Raised before any request."""

    systemic = True


class OmnitronAuthError(OmnitronError):
    """401, or a refused login: the credentials are not (or no longer) good."""

    systemic = True


class OmnitronForbiddenError(OmnitronError):
    """403: logged in, but without the right to read this."""

    systemic = True


class OmnitronNotFoundError(OmnitronError):
    """404 where the thing must exist."""


class OmnitronRequestError(OmnitronError):
    """Another 4xx: the request as such was refused."""


class OmnitronUnavailableError(OmnitronError):
    """No usable answer after all attempts: 429, 5xx, broken connections, time-outs, an unreachable host."""

    kind: Kind = "transient"


class OmnitronAnswerError(OmnitronError):
    """An answer came, but not one of this API: HTML, broken JSON, too large, a redirect, absurd paging."""


class OmnitronMisfitError(OmnitronAnswerError):
    """An answer of the API that is no document of the order that was asked for: null, another order, a broken page.

    `document` says which one: detail, items or discounts.
    """

    kind: Kind = "transient"
    document: str = ""


class OmnitronBlockedError(OmnitronAnswerError):
    """A firewall, a proxy or a page for people answered in Omnitron's place, and went on doing so."""

    kind: Kind = "transient"


class OmnitronQuietError(OmnitronError):
    """Nothing was asked, because the shop is to be left alone at this time of day."""

    kind: Kind = "transient"
    systemic = True


class OmnitronStoppedError(OmnitronError):
    """The call was given up because another one ended the walk, or because the client was closed."""

    kind: Kind = "transient"
    systemic = True
