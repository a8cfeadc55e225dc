"""Variables that look like ours and are none: which known one was probably meant, as pure functions over names.

Belongs here: nearness of names. Not here: which variables there are, and what they mean (`settings`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches

PREFIXES = ("OMNITRON_", "ORDER_ASSETS_")
# Other words that people use for a setting, by prefix and without it.
_OTHER_WORDS = {
    "OMNITRON_": {
        "URL": "HOST HOSTNAME BASE_URL BASEURL SERVER ENDPOINT INSTANCE ADDRESS DOMAIN SITE URI API_URL",
        "TOKEN": "KEY API_KEY APIKEY API_TOKEN ACCESS_TOKEN AUTH_TOKEN SECRET BEARER",
        "USERNAME": "USER LOGIN EMAIL USR",
        "PASSWORD": "PASS PWD PASSWD PASSPHRASE PW",
        "API": "API_VERSION API_PREFIX PREFIX",
    },
    "ORDER_ASSETS_": {
        "DATA": "DATA_ROOT DATA_DIR DATA_PATH DATA_FOLDER ROOT DIR PATH FOLDER HOME",
        "TIMEZONE": "TZ TIME_ZONE ZONE",
        "START_DATE": "START FIRST_DAY FIRST_DATE SINCE START_DAY BEGIN",
        "PII": "PII_MODE PRIVACY PRIVACY_MODE",
        "PII_KEY": "KEY SECRET TOKEN_KEY",
        "REQUESTS_PER_SECOND": "RATE RATE_LIMIT RPS RATE_PER_SECOND",
        "MAX_CONCURRENCY": "CONCURRENCY WORKERS THREADS MAX_WORKERS",
        "BUDGET_DIR": "BUDGET BUDGET_FOLDER STATE_DIR",
        "ALERT_WEBHOOK": "WEBHOOK ALERT_URL SLACK_WEBHOOK",
    },
}
_NEAR = 0.75
_VERY_NEAR = 0.88
# Kubernetes tells every container about its services so; one may well be called omnitron or order-assets.
_OF_KUBERNETES = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)")


def nearest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The word that was probably meant; None if none is near. Case does not count."""
    by_fold = {known.casefold(): known for known in words}
    found = get_close_matches(word.casefold(), by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None


def meant(name: str, known: Collection[str]) -> str | None:
    """The known variable that a name was probably meant to be; None if none is near."""
    upper = name.upper()
    if upper in known:
        return upper
    prefix = next((prefix for prefix in PREFIXES if upper.startswith(prefix)), None)
    if prefix is None:
        near = nearest(upper, known, _VERY_NEAR) if upper[:2] in ("OM", "OR") else None
        # Two letters in a short word are much.
        return near if near is not None and abs(len(near) - len(upper)) <= 1 else None
    rest = upper.removeprefix(prefix)
    for right, others in _OTHER_WORDS[prefix].items():
        if rest in others.split() and prefix + right in known:
            return prefix + right
    rests = [other.removeprefix(prefix) for other in known if other.startswith(prefix)]
    best = max(rests, key=lambda other: _likeness(rest, other), default="")
    return prefix + best if _likeness(rest, best) >= _NEAR else None


def strangers(names: Iterable[str], known: Collection[str]) -> dict[str, str | None]:
    """The names that look like ours and are none, with the known one that each was probably meant to be."""
    found: dict[str, str | None] = {}
    for name in names:
        if name in known or _OF_KUBERNETES.fullmatch(name):
            continue
        near = meant(name, known)
        if near is not None or name.upper().startswith(PREFIXES):
            found[name] = near
    return found


def _likeness(one: str, other: str) -> float:
    """1 for the same letters in whatever order, as two that were swapped; else how much is alike."""
    return 1.0 if sorted(one) == sorted(other) else SequenceMatcher(None, one, other).ratio()
