"""What happens to personal data before anything is stored: tokenised with a key, dropped, or kept.

Which fields are personal is said by the contract; which strings look like credentials is decided in
`redaction.secrets`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from order_assets.contract.model import Personal
from order_assets.core.store import private_directory
from order_assets.errors import OrderAssetsError

_TOKEN_DIGITS = 32
# Moves when what is found, or how a token is made, moves: days that were stored before then fetch their orders again.
_RULES = 2
# What a token looks like: text of this form is never treated again.
TOKEN = re.compile(rf"(?:{'|'.join(kind.value for kind in Personal)})_[0-9a-f]{{{_TOKEN_DIGITS}}}")


class PrivacyMode(StrEnum):
    """The three treatments of personal data."""

    TOKENISE = "tokenise"
    CLEAR = "clear"
    DROP = "drop"


class PrivacyError(OrderAssetsError, ValueError):
    """The privacy settings cannot be used as they are."""


@dataclass(frozen=True)
class Privacy:
    """Treatment of personal data, with the key of the tokens.

    Raises `PrivacyError` when values are to be tokenised and there is no key.
    """

    mode: PrivacyMode = PrivacyMode.TOKENISE
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.mode is PrivacyMode.TOKENISE and not self.key:
            raise PrivacyError(
                "ORDER_ASSETS_PII=tokenise needs a key: set ORDER_ASSETS_PII_KEY to a long random text and keep it, "
                "since other keys give other tokens; or choose ORDER_ASSETS_PII=drop or clear"
            )

    @property
    def policy(self) -> str:
        """Names the treatment, the version of its rules and, by a digest, the key: equal policies give equal tokens."""
        if self.mode is not PrivacyMode.TOKENISE:
            return f"{self.mode.value}/{_RULES}"
        return f"tokenise/{_RULES}:{hashlib.sha256(b'order_assets policy' + self.key.encode()).hexdigest()[:12]}"

    def treatment(self, kind: Personal) -> Callable[[str], str | None]:
        """A function from a personal value to what is stored in its place."""
        if self.mode is PrivacyMode.CLEAR:
            return _same
        if self.mode is PrivacyMode.DROP:
            return _nothing
        seed = hmac.new(self.key.encode(), kind.value.encode(), hashlib.sha256)
        normalise = _NORMALISED.get(kind, str.strip)
        known: dict[str, str] = {}

        def tokenise(value: str) -> str:
            token = known.get(value)
            if token is None:
                if not value or TOKEN.fullmatch(value):
                    return value
                digest = seed.copy()
                digest.update(normalise(value).encode())
                token = f"{kind.value}_{digest.hexdigest()[:_TOKEN_DIGITS]}"
                # Addresses and customers repeat within and across orders; the bound keeps memory flat.
                if len(known) >= 20_000:
                    known.clear()
                known[value] = token
            return token

        return tokenise


def own_key(path: Path) -> str:
    """The key kept in a file for an instance on this machine, made by chance the first time.

    Such an instance is the stand-in, whose people are invented; but a tunnel to a real one looks the same, so no key
    that others know will do.
    """
    if not path.exists():
        private_directory(path.parent)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32), encoding="ascii")
        # Of two processes that get here together the first one's key counts.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="ascii")


def _same(value: str) -> str:
    return value


def _nothing(_value: str) -> None:
    return None


def _email(value: str) -> str:
    if value.isascii():
        return value.strip().casefold()
    return unicodedata.normalize("NFKC", value).strip().replace("İ", "i").casefold()


def _words(value: str) -> str:
    """Letters without case, as Turkish and English write them, and words with one space between."""
    if not value.isascii():
        # The dot of a capital I, or its absence, is lost in many systems.
        value = unicodedata.normalize("NFKC", value).replace("İ", "i").replace("ı", "i")
    return " ".join(value.casefold().split())


def _phone(value: str) -> str:
    """The digits with the country's; a number of ten digits, or eleven with a zero before them, is a Turkish one."""
    text = (value if value.isascii() else unicodedata.normalize("NFKC", value)).strip().replace("(0)", "")
    digits = re.sub(r"\D", "", text)
    if not digits.isascii():
        digits = "".join(str(int(sign)) for sign in digits)
    if not digits:
        return _words(value)
    is_abroad = text.lstrip("(").startswith(("+", "00"))
    digits = digits.lstrip("0") or digits
    if digits.startswith("900") and len(digits) == 13:
        digits = "90" + digits[3:]
    return digits if is_abroad or len(digits) != 10 else f"90{digits}"


def _signs(value: str) -> str:
    """Letters and digits alone: numbers of people are written with and without spaces."""
    if value.isascii() and value.isalnum():
        return value.upper()
    kept = "".join(sign for sign in unicodedata.normalize("NFKC", value) if sign.isalnum())
    return kept.upper() or value.strip()


_NORMALISED: dict[Personal, Callable[[str], str]] = {
    Personal.EMAIL: _email,
    Personal.PHONE: _phone,
    Personal.IDENTITY: _signs,
    Personal.CARD: _signs,
    Personal.NAME: _words,
    Personal.ADDRESS: _words,
    Personal.TEXT: _words,
    Personal.ACCOUNT: _email,
    Personal.GENDER: _words,
}
