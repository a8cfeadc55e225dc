"""Keeping secrets and personal data out of messages.

Belongs here: masking by value (our own credentials) and by look (anything a server may have put in a page).
Not here: the redaction of the documents themselves, which is the landing room's work.
"""

import json
import re
from collections.abc import Iterable, Mapping
from html import unescape
from urllib.parse import quote, quote_plus

MASK = "***"
_SNIPPET_LENGTH = 120
# Shorter values would also hit ordinary words of our own sentences; server text is masked at any length.
_SHORTEST_IN_OWN_WORDS = 4
_INVISIBLE = re.compile(r"<(script|style|head)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_LOOKS_PRIVATE = re.compile(
    r"\S+@\S+"  # e-mail addresses, user:password@host
    r"|[A-Za-z0-9+/_=\-]{20,}"  # tokens, hashes, base64
    r"|\d[\d .\-]{5,}\d"  # phone, card and identity numbers
    r"|(?<!\w)(?=\w*\d)(?=\w*[^\W\d_])\w{7,}"  # letters and digits in one word, as made-up passwords have
)
# What follows the name of a credential, said as a sentence or as an assignment.
_NAMED = re.compile(
    r"""(?P<name>(?<![^\W_])(?:pass(?:word|wd|phrase)|pwd|parola|[sş]ifre|secret|pin|credentials?)\w*["']?(?:\s*[:=]|\s+is\b)?"""
    r"""|(?:key|token|signature|auth\w*|cookie|session)["']?\s*[:=]|(?<!\w)(?:bearer|basic)\b)\s*["']?[^\s"'<>]+""",
    re.IGNORECASE,
)


class Mask:
    """Replaces known secret values wherever they turn up. Immutable; `plus` gives one that knows more."""

    def __init__(self, secrets: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        self._secrets = frozenset(value for value in secrets if value)
        self._names = frozenset(value for value in names if value)
        self._own_words = _pattern(value for value in self._secrets if len(value) >= _SHORTEST_IN_OWN_WORDS)
        self._server_text = _pattern(self._secrets | self._names)

    def plus(self, secret: str) -> "Mask":
        """A mask that also knows one more secret, such as the token of a new login."""
        return Mask(self._secrets | {secret}, self._names)

    def in_message(self, text: str) -> str:
        """One of our own messages, with any secret value in it replaced."""
        return self._own_words.sub(MASK, text) if self._own_words else text

    def in_server_text(self, text: str) -> str:
        """At most 120 readable characters of what a server said, without tags, secrets or addresses."""
        title = _TITLE.search(text)
        visible = _TAG.sub(" ", _INVISIBLE.sub(" ", text))
        plain = unescape(f"{title.group(1) if title else ''} {visible}")
        plain = _UNPRINTABLE.sub(" ", plain).strip()
        if self._server_text:
            plain = self._server_text.sub(MASK, plain)
        plain = _LOOKS_PRIVATE.sub(MASK, plain)
        plain = _NAMED.sub(rf"\g<name> {MASK}", plain)
        return plain if len(plain) <= _SNIPPET_LENGTH else plain[:_SNIPPET_LENGTH].rstrip() + "..."

    def __repr__(self) -> str:
        return "Mask()"


def said_in(answer: Mapping[str, object]) -> str:
    """What an error object of this API says: its `detail`, `non_field_errors` or its first complaint."""
    for key in ("detail", "non_field_errors", *answer):
        said = answer.get(key)
        if isinstance(said, list) and said:
            said = said[0]
        if isinstance(said, str) and said and key != "code":
            return said if key in ("detail", "non_field_errors") else f"{key}: {said}"
    return ""


def _pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for the values as they are spelled in plain text, URLs and JSON; the longest wins."""
    spellings = {
        spelling
        for value in values
        for spelling in (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1])
    }
    if not spellings:
        return None
    return re.compile("|".join(re.escape(value) for value in sorted(spellings, key=len, reverse=True)))
