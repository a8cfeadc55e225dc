"""The credentials that the stand-in gives away, as the real API does: never to be found in stored data.

They are made up, in `catalogue` and `payment_means`; those of the documented order stand in its file.
"""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

from order_assets.sandbox.catalogue import CARRIERS, CHANNELS, basic_credentials
from order_assets.sandbox.payment_means import TERMINALS
from order_assets.sandbox.value_text import Json

_CREDENTIAL_KEYS = frozenset(
    ("password", "username", "store_key", "api_key", "secret_key", "merchant_key", "merchant_salt")
)


@cache
def known_secrets() -> tuple[str, ...]:
    """List every credential that the stand-in sends, in each spelling it may have on the wire or decoded.

    Those of the documented order are among them. None of these may ever be found in stored data or in a log.
    """
    plain = {"Password123!", "AILeoZiTaWGHEIHSvfdaaURqFBEWgbhdNrlxShtu", "ISBANK07", "ISBANKAPI"}
    for channel in CHANNELS:
        plain |= {channel.password, channel.auth_token}
    for pos in TERMINALS:
        plain |= set(_credentials(pos.config()))
    plain |= {carrier.password for carrier in CARRIERS}
    spelled = {
        spelling
        for secret in plain
        for spelling in (
            secret,
            escape(secret),
            quote_plus(secret),
            json.dumps(secret, ensure_ascii=False)[1:-1],
        )
    }
    return tuple(sorted(spelled | {basic_credentials(carrier) for carrier in CARRIERS}))


def _credentials(config: Json) -> list[str]:
    found = []
    for key, value in config.items():
        if isinstance(value, dict):
            found += _credentials(value)
        elif key in _CREDENTIAL_KEYS:
            found.append(value)
    return found
