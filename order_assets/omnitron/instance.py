"""The address of an Omnitron instance, for the client.

Belongs here: what is derived from the base URL. Not here: the rules for it (`order_assets.base_url`), and anything
that sends (`session`).
"""

from urllib.parse import urljoin, urlsplit

from order_assets.base_url import base_url, is_loopback, plain_host
from order_assets.omnitron.api_errors import OmnitronConfigError

__all__ = ["host_of", "is_loopback", "normalise_url"]

API_PREFIX = "/api/v1/"


def normalise_url(text: str) -> str:
    """The base URL as `scheme://host[:port]`; see `base_url`. Raises OmnitronConfigError."""
    try:
        return base_url(text)
    except ValueError as error:
        raise OmnitronConfigError(str(error)) from None


def host_of(url: str, start: str = "") -> str:
    """The host of a URL for use in a message; no user, path or query. `url` may be relative to `start`."""
    try:
        return plain_host(urlsplit(urljoin(start, url)).hostname or "")
    except (ValueError, UnicodeError):
        return "an unreadable address"
