"""Which addresses are accepted as an Omnitron instance, as a pure function over a text.

Belongs here: the rules and their sentences. Not here: anything that sends (`omnitron`). Only the standard library is
needed, so that settings can be checked without the client.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_EXAMPLE = "OMNITRON_URL should look like https://shop.omnitron.example"
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_DEFAULT_PORTS = {"https": 443, "http": 80}
# What looks like a name of a host and like no secret: it may be repeated in a message.
_PLAIN_ADDRESS = re.compile(r"(?:https?:/{0,2})?((?:[a-z0-9-]{1,40}\.){1,5}[a-z]{2,18}(?::\d{1,5})?)/*", re.IGNORECASE)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def plain_host(host: str) -> str:
    """The host in ASCII. Raises ValueError when it could be read in more than one way."""
    if ":" in host:
        return str(ip_address(host))
    ascii_host = host.encode("idna").decode("ascii").lower()
    if not _HOST.fullmatch(ascii_host):
        raise ValueError("not a host name")
    return ascii_host


def base_url(text: str) -> str:
    """The base URL as `scheme://host[:port]`, lower case, without the default port.

    Raises ValueError for anything but a bare https address (http is accepted for loopback only). The messages repeat
    nothing but plain host names: people paste user names, passwords and tokens into URLs.
    """
    cleaned = text.strip()
    if not cleaned:
        raise ValueError(f"The URL of the Omnitron instance is empty. {_EXAMPLE}.")
    if any(character <= " " or character == "\\" for character in cleaned):
        raise ValueError(f"The URL of the Omnitron instance has blanks or backslashes in it. {_EXAMPLE}.")
    try:
        parts = urlsplit(cleaned)
        scheme = parts.scheme.lower()
        if scheme in _DEFAULT_PORTS and "://" in cleaned:
            port = parts.port
            host = plain_host(parts.hostname or "")
    except (ValueError, UnicodeError):
        raise ValueError(f"The URL of the Omnitron instance cannot be read. {_EXAMPLE}.") from None
    if scheme not in _DEFAULT_PORTS or "://" not in cleaned:
        meant = _PLAIN_ADDRESS.fullmatch(cleaned)
        hint = f"Did you mean OMNITRON_URL=https://{meant[1].lower()}?" if meant else f"{_EXAMPLE}."
        raise ValueError(f"The URL of the Omnitron instance must start with https://. {hint}")
    _refuse_extras(parts, cleaned)
    if scheme == "http" and not is_loopback(host):
        raise ValueError(
            f"Plain http would send the token readable over the network to {host}: use https:// in OMNITRON_URL "
            "(http is accepted for this machine only, such as http://127.0.0.1:8000)."
        )
    shown_host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown_host}" + ("" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}")


def _refuse_extras(parts: SplitResult, text: str) -> None:
    """Refuse what a base URL must not carry, by its name and never by its value."""
    extras = {
        "a user name or password (use OMNITRON_USERNAME and OMNITRON_PASSWORD)": "@" in parts.netloc,
        "a path (leave it out, /api/v1/ or /api/i1/ is added)": parts.path.strip("/") != "",
        "a query": "?" in text,
        "a fragment": "#" in text,
    }
    for name, present in extras.items():
        if present:
            raise ValueError(f"The URL of the Omnitron instance carries {name}. {_EXAMPLE}.")
