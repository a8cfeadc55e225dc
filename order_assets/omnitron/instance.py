"""Which addresses are accepted as an Omnitron instance.

Belongs here: the rules for the base URL and what is derived from it. Not here: anything that sends
(`session`).
"""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from order_assets.omnitron.errors import OmnitronConfigError

API_PREFIX = "/api/v1/"
_EXAMPLE = "OMNITRON_URL should look like https://shop.omnitron.example"
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_DEFAULT_PORTS = {"https": 443, "http": 80}


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def normalise_url(text: str) -> str:
    """The base URL as `scheme://host[:port]`, lower case, without the default port.

    Raises OmnitronConfigError for anything but a bare https address (http is accepted for loopback only). The
    messages never repeat the text: people paste user names, passwords and tokens into URLs.
    """
    cleaned = text.strip()
    if not cleaned:
        raise OmnitronConfigError(f"The URL of the Omnitron instance is empty. {_EXAMPLE}.")
    if any(character <= " " or character == "\\" for character in cleaned):
        raise OmnitronConfigError(f"The URL of the Omnitron instance has blanks or backslashes in it. {_EXAMPLE}.")
    try:
        parts = urlsplit(cleaned)
        port = parts.port
        host = _plain_host(parts.hostname or "")
    except (ValueError, UnicodeError):
        raise OmnitronConfigError(f"The URL of the Omnitron instance cannot be read. {_EXAMPLE}.") from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or "://" not in cleaned:
        raise OmnitronConfigError(f"The URL of the Omnitron instance must start with https://. {_EXAMPLE}.")
    _refuse_extras(parts, cleaned)
    if scheme == "http" and not is_loopback(host):
        raise OmnitronConfigError(
            f"Plain http would send the token readable over the network to {host}: use https:// in "
            "OMNITRON_URL "
            "(http is accepted for this machine only, such as http://127.0.0.1:8000)."
        )
    shown_host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown_host}" + ("" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}")


def host_of(url: str, start: str = "") -> str:
    """The host of a URL for use in a message; no user, path or query. `url` may be relative to `start`."""
    try:
        return _plain_host(urlsplit(urljoin(start, url)).hostname or "")
    except (ValueError, UnicodeError):
        return "an unreadable address"


def _plain_host(host: str) -> str:
    """The host in ASCII; a ValueError when it could be read in more than one way."""
    if ":" in host:
        return str(ip_address(host))
    ascii_host = host.encode("idna").decode("ascii").lower()
    if not _HOST.fullmatch(ascii_host):
        raise ValueError("not a host name")
    return ascii_host


def _refuse_extras(parts: SplitResult, text: str) -> None:
    """Refuse what a base URL must not carry, by its name and never by its value."""
    extras = {
        "a user name or password (use OMNITRON_USERNAME and OMNITRON_PASSWORD)": "@" in parts.netloc,
        "a path (leave it out, /api/v1/ is added)": parts.path not in ("", "/"),
        "a query": "?" in text,
        "a fragment": "#" in text,
    }
    for name, present in extras.items():
        if present:
            raise OmnitronConfigError(f"The URL of the Omnitron instance carries {name}. {_EXAMPLE}.")
