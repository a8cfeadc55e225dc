"""Takes credentials out of text and free-form values, wherever a shop or a gateway may have put them.

Two rules: gateway text keeps only an allow-list of harmless elements; other text and free-form values lose what looks
like a credential by its name or by its form. Which paths are secret as a whole is said by the contract.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any
from urllib.parse import unquote_plus

from order_assets.core import exact_json
from order_assets.core.exact_json import ExactJsonError, Number
from order_assets.redaction.detectors import (
    has_card,
    has_person,
    is_card_number,
    may_hold_card,
    may_hold_number,
    may_hold_people,
    without_cards,
)
from order_assets.redaction.personal_keys import is_of_a_thing
from order_assets.redaction.privacy import TOKEN

MASK = "[redacted]"

# Elements of gateway and carrier messages that explain a payment or a shipment and identify nobody.
HARMLESS = frozenset(
    {
        *("orderid", "type", "taksit", "installment", "installmentcount", "installments", "currency", "currencycode"),
        *("total", "amount", "groupid", "transid", "transactionid", "response", "authcode", "hostrefnum"),
        *("procreturncode", "errcode", "errorcode", "settleid", "trxdate", "hostdate", "numcode", "cardbrand"),
        *("cardissuer", "cardtype", "cardprogram", "cc5request", "cc5response", "extra", "status", "statuscode"),
        *("result", "resultcode", "returncode", "responsecode", "success", "issucceeded", "rc", "mode", "version"),
        *("txntype", "transactiontype", "date", "trackingnumber", "barcode", "cargokey", "shipmentcode", "jobid"),
        "operationstatus",
    }
)

# Names of what is a credential whatever its value is.
_SECRET_WORDS = frozenset(
    {
        *("password", "passwd", "passphrase", "passwort", "pwd", "parola", "parolasi", "sifre", "sifresi", "apikey"),
        *("credential", "credentials", "authorization", "cvv", "cvv2", "cvc", "cvc2", "jwt", "privatekey", "accesskey"),
        *("secretkey", "storekey", "terminalpassword", "cardnumber", "sessionid", "clientsecret", "accesstoken"),
        *("refreshtoken", "kartno", "kartnumarasi", "cardno", "ccnumber", "kredikartno", "authkey", "apisecret"),
    }
)
_SECRET_PAIRS = frozenset(
    {
        *(("api", "key"), ("access", "key"), ("secret", "key"), ("private", "key"), ("store", "key")),
        *(("client", "secret"), ("merchant", "key"), ("merchant", "salt"), ("card", "number"), ("auth", "key")),
        *(("session", "key"), ("session", "id"), ("encryption", "key"), ("basic", "auth"), ("user", "pass")),
        *(("kart", "no"), ("kart", "numarasi"), ("card", "no"), ("cc", "number"), ("api", "secret")),
        *(("access", "token"), ("refresh", "token"), ("auth", "token"), ("web", "token"), ("session", "token")),
    }
)
# Words that goods and campaigns have in their names as well: a credential only where the value looks like one.
_AMBIGUOUS = frozenset(
    {"secret", "secrets", "token", "tokens", "bearer", "cookie", "pan", "auth", "pass", "pin", "otp"}
)
# What follows such a word in the name of a credential; anything else is what the name is about, as in `pin_count`.
_FOLLOWS = frozenset({"value", "val", "text", "enc", "encrypted", "base64", "hash", "plain", "confirm", "new", "old"})
# Facts about a credential, and none.
_FACTS = frozenset(
    {
        *("count", "discount", "type", "length", "policy", "expires", "expiry", "expiration", "at", "in", "date"),
        *("required", "enabled", "changed", "reset", "tarihi", "sayisi", "adet", "status", "strength", "min", "max"),
    }
)
# Half of a credential: masked where the other half stands beside it.
_ACCOUNT_NAMES = frozenset({"user", "username", "user_name", "userid", "user_id", "login", "clientid", "client_id"})
# Where a list of settings keeps the name of each.
_NAME_KEYS = frozenset({"name", "key", "field", "parameter", "param", "id", "label", "alan"})

_TO_ASCII = str.maketrans("çğıöşüÇĞİÖŞÜ", "cgiosuCGIOSU")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PLAIN_VALUE = re.compile(r"[\w .,:;/+\-*()İıŞşĞğÜüÖöÇç]{0,80}")
# Text without any of these holds no credential, and most text ends here. Each alternative begins with one fixed
# letter, since such a search is twice as fast.
_SIGNS = r"<|{|=|:|b(?i:earer|asic) |B(?i:earer|asic) |t(?i:oken) |T(?i:oken) |-----BEGIN|eyJ"
_SUSPICIOUS = re.compile(_SIGNS)
_NOTABLE = re.compile(_SIGNS + r"|@|\uff20|%|&|\\u")
# Addresses without user, query and fragment.
_PLAIN_ADDRESS = re.compile(r"https?://[\w.\-]+(?::[0-9]+)?(?:/[\w.\-/%,+~]*)?")
_LONG_RUN = re.compile(r"[A-Za-z0-9+/_\-]{32}")
_CREDENTIAL_VALUES = (
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(
        r"(?<=authorization)(?P<head>\\?[\"']?\s{0,9}[:=]\s{0,9}\\?[\"']?)(?!\[redacted)(?:[A-Za-z\-]+\s+)?[^\s\"'<>,;&\\]+",
        re.IGNORECASE,
    ),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"(?<=[?&]key=)[^&\s\"'<>]+"),
    re.compile(
        r"(?P<head>[?&](?:x-(?:amz|goog)-)?(?:signature|sig|hmac|credential)=)(?!\[redacted)[^&\s\"'<>]{16,}",
        re.IGNORECASE,
    ),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL),
)
# A scheme before something that may be a credential; a word that looks like one is in the name of many a product.
_SCHEME = re.compile(r"\b(?P<scheme>bearer|basic|token)\s+(?P<rest>[A-Za-z0-9+/=_.\-]{8,})", re.IGNORECASE)
_LETTERS_OR_DIGITS = re.compile(r"[0-9]+|[^\W\d_]+")
_MEASURES = re.compile(r"(?:[0-9]+[xX*])+[0-9]+[a-z]{0,2}")
_SHORTEST_BEARER, _SHORTEST_TOKEN = 8, 20
# A word, or several, as a name has them.
_WORDS = re.compile(r"[A-Z\u00c0-\u024f](?:[^\W\d_]|['\u2019.&\- ])*")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,5}(?:[.,][0-9]{1,4})?%?")
_SECRET_DIGITS = re.compile(r"[0-9]{3,12}")
# Addresses are matched to be stepped over: their paths are long runs as well.
_LONG_SECRET = re.compile(r"https?://[^\s?#\"'<>]+|[A-Za-z0-9+/_\-]{32,}={0,2}")
# As long as a key of rows or a digest of a file is; what is a credential stands under a name that says so.
_HEX_ID = re.compile(r"[0-9a-f]{32}|[0-9A-F]{32}")
_UUID_LENGTH = 36
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# A name and its value in any notation: JSON, headers, attributes, parameters, assignments.
_NAME = re.compile(r"""(?<![\w.\-%\[\]])\\?["']?(?P<name>[^\W\d][\w.\-%\[\]]{0,63})\\?["']?\s{0,9}[:=]\s{0,9}""")
_VALUE = re.compile(r"""\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s&;,<>"'{}\[\]]+""")
_FORM = re.compile(r"[^=&\s]+=[^&]*(?:&[^=&]+=[^&]*)*")
_TAG = re.compile(r"<(?P<close>/?)\s*(?:[\w.\-]+:)?(?P<name>[^\W\d][\w.\-]{0,63})(?P<attributes>[^<>]*)>")
_ATTRIBUTE = re.compile(r"""(?P<name>[\w:.\-]+)\s{0,9}=\s{0,9}(?P<value>"[^"]*"|'[^']*')""")
_UNPARSED = re.compile(r"<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<![^<>]*>", re.DOTALL)
_TAG_HEAD = re.compile(r"(?P<close>/?)\s*(?:[\w.\-]+:)?(?P<name>[^\W\d][\w.\-]{0,63})")
# Times and UUIDs, whose signs and length say nothing.
_HARMLESS_FORM = re.compile(
    rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9]{{2}}:[0-9:.]{{2,15}}(?:Z|[+-][0-9:]{{2,6}})?|{_UUID.pattern}"
)
_SHORTEST_SECRET_RUN = 32
# "Bearer" and eight signs more.
_SHORTEST_CREDENTIAL = 14
_SHORTEST_NUMBER = 10
_LONGEST_NAME = 64
# Numbers that a gateway makes up with other signs or lengths than those of people's numbers.
_PAYMENT_NUMBERS = frozenset({"transid", "transactionid", "hostrefnum", "groupid"})


@lru_cache(maxsize=4096)
def names_a_credential(name: str) -> bool:
    """Whether a key, element or parameter of this name is likely to hold a credential."""
    return _certainty(name) > 0


@lru_cache(maxsize=4096)
def _certainty(name: str) -> int:
    """2 where the name says so whatever the value is, 1 where the value has to look like it, 0 else."""
    plain = name.translate(_TO_ASCII)
    words = [word.casefold() for word in _WORD.findall(plain)]
    if not words or words[-1] in _FACTS:
        return 0
    found = {plain.casefold(), "".join(words), *words}
    if not _SECRET_WORDS.isdisjoint(found) or any(pair in _SECRET_PAIRS for pair in pairwise(words)):
        return 2
    while len(words) > 1 and (words[-1] in _FOLLOWS or words[-1].isdigit()):
        words.pop()
    if len(words) > 1 and words[-1] in ("pass", "auth"):
        return 0
    return 1 if words[-1] in _AMBIGUOUS else 0


def is_credential(name: str, value: Any, *, prose: bool = False) -> bool:
    """Whether the value under this name is a credential. A word is none where the name may mean something else.

    `prose` says that name and value stand in a sentence, as in `Pin: Gumus`.
    """
    certainty = _certainty(name)
    if certainty == 0 or not _may_be_secret(value):
        return False
    if isinstance(value, (dict, list)):
        return certainty == 2 or isinstance(value, list)
    text = value.digits if type(value) is Number else str(value)
    if certainty == 2:
        return not prose or _WORDS.fullmatch(text) is None
    if name[-3:].casefold() in ("pin", "otp"):
        return _SECRET_DIGITS.fullmatch(text) is not None or _looks_random(text)
    if prose:
        return _looks_random(text)
    return not (_WORDS.fullmatch(text) or _PLAIN_NUMBER.fullmatch(text) or (" " in text and not _looks_random(text)))


def _looks_random(text: str) -> bool:
    """Whether letters and digits take turns as they do not in words, models and years."""
    return any(
        len(run) >= _SHORTEST_BEARER and not _MEASURES.fullmatch(run) and len(_LETTERS_OR_DIGITS.findall(run)) >= 4
        for run in re.split(r"[\s\-./]", text)
    ) or bool(_LONG_RUN.search(text))


def _masks_scheme(match: re.Match[str]) -> bool:
    scheme, rest = match["scheme"].casefold(), match["rest"]
    if scheme == "basic":
        return _decodes_to_login(rest)
    if scheme == "bearer":
        return _looks_random(rest) or (len(rest) >= _SHORTEST_TOKEN and rest.isalnum())
    return len(rest) >= _SHORTEST_TOKEN and _looks_random(rest)


def _decodes_to_login(text: str) -> bool:
    """Whether a text is user and password as HTTP sends them."""
    try:
        decoded = base64.b64decode(
            text.rstrip("=.") + "=" * (-len(text.rstrip("=.")) % 4), altchars=b"-_", validate=True
        )
    except ValueError:
        return False
    return b":" in decoded and decoded.decode(errors="replace").isprintable() and b"\xff" not in decoded


def _without_credential_values(text: str) -> tuple[str, int]:
    """The text without what is a credential by its form alone."""
    count = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return (match.groupdict().get("head") or "") + MASK

    for pattern in _CREDENTIAL_VALUES:
        text = pattern.sub(mask, text)
    return _SCHEME.sub(lambda match: mask(match) if _masks_scheme(match) else match.group(), text), count


def scrub_text(text: str, *, long_runs: bool = True) -> tuple[str, int]:
    """The text without what looks like a credential, and how many places were masked.

    `long_runs` also masks long unbroken runs of letters and digits. Fields that the contract knows go without: their
    order numbers and digests look the same.
    """
    if len(text) < _SHORTEST_SECRET_RUN and text.isalnum():
        # A known field may be an order's number, of any digits.
        return without_cards(text, MASK) if long_runs else (text, 0)
    if _HARMLESS_FORM.fullmatch(text):
        return text, 0
    text, cards = without_cards(text, MASK)
    text, count = _scrub_credentials(text, long_runs)
    return text, count + cards


def _scrub_credentials(text: str, long_runs: bool) -> tuple[str, int]:
    if _SUSPICIOUS.search(text) is None:
        return _mask_long_secrets(text) if long_runs and _LONG_RUN.search(text) else (text, 0)
    if _PLAIN_ADDRESS.fullmatch(text):
        return text, 0
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = exact_json.loads_whole(text)
        except ExactJsonError:
            pass
        else:
            cleaned, count = scrub_value(value)
            return (exact_json.dumps(cleaned), count) if count else (text, 0)
    count = 0
    if "<" in text and ">" in text:
        text, count = _mask_markup(text)
    for step in (_without_credential_values, _mask_pairs):
        text, found = step(text)
        count += found
    if long_runs:
        text, found = _mask_long_secrets(text)
        count += found
    return text, count


def is_clean(text: str) -> bool:
    """Whether a glance says that a text holds no credential and no e-mail address."""
    return text.isalnum() or not _is_notable(text)


def _is_notable(text: str) -> bool:
    return _NOTABLE.search(text) is not None or may_hold_number(text)


def is_plain(text: str) -> bool:
    """Whether a glance says that a text of any field holds no credential and nobody's data."""
    if len(text) < _SHORTEST_NUMBER and text.isalnum():
        return True
    if _HARMLESS_FORM.fullmatch(text):
        return True
    return not _is_notable(text) and (len(text) < _SHORTEST_SECRET_RUN or _LONG_RUN.search(text) is None)


def is_plain_address(text: str) -> bool:
    """Whether a text is a URL without user, query, fragment and escapes, and with no number as long as a card's."""
    return (
        text.startswith("http")
        and _PLAIN_ADDRESS.fullmatch(text) is not None
        and "%" not in text
        and not may_hold_card(text)
    )


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID, whose digits and letters say nothing."""
    return len(text) == _UUID_LENGTH and _UUID.fullmatch(text) is not None


def scrub_value(value: Any) -> tuple[Any, int]:
    """A free-form JSON value without what looks like a credential, and how many places were masked."""
    kind = type(value)
    if kind is str:
        return scrub_text(value)
    if kind is dict:
        return _scrub_object(value) if value else (value, 0)
    if kind is list:
        parts = [scrub_value(part) for part in value]
        count = sum(found for _, found in parts)
        return ([part for part, _ in parts] if count else value), count
    return (MASK, 1) if is_card(value) else (value, 0)


def is_card(value: Any) -> bool:
    """Whether a JSON number is that of a card."""
    if type(value) is Number:
        whole, _, fraction = value.digits.partition(".")
        return not fraction.strip("0") and whole.isascii() and whole.isdecimal() and is_card_number(whole)
    return type(value) is int and value > 0 and is_card_number(str(value))


def free_name(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered where it is taken: two masked keys must not become one."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def secret_keys(value: Mapping[str, Any]) -> set[str]:
    """The keys of an object that hold credentials: by their own names, or by the name that stands beside them."""
    secret = {key for key, part in value.items() if is_credential(key, part)}
    if secret:
        secret |= {key for key in value if key.casefold() in _ACCOUNT_NAMES and _may_be_secret(value[key])}
    for name in setting_names(value):
        # A name with spaces is that of a thing or a question.
        secret |= (
            set()
            if " " in name
            else {key for key in value if key not in _NAME_KEYS and is_credential(name, value[key])}
        )
    return secret


def may_name_secrets(name: str) -> bool:
    """Whether a key of this name can make a secret of its value, or of the values beside it."""
    return names_a_credential(name) or name in _NAME_KEYS


def setting_names(value: Mapping[str, Any]) -> list[str]:
    """What an object calls itself, where it is a setting such as `{"name": "api_key", "value": ...}`."""
    if _NAME_KEYS.isdisjoint(value):
        return []
    names = (value[key] for key in sorted(_NAME_KEYS & value.keys()))
    return [name for name in names if type(name) is str and len(name) <= _LONGEST_NAME]


def _scrub_object(value: dict[str, Any]) -> tuple[dict[str, Any], int]:
    secret = secret_keys(value)
    cleaned: dict[str, Any] = {}
    count = 0
    for key, part in value.items():
        safe_key, found = scrub_name(key)
        count += found
        if safe_key in cleaned:
            safe_key = free_name(safe_key, cleaned)
        if key in secret:
            cleaned[safe_key] = MASK
            count += 1
        else:
            cleaned[safe_key], found = scrub_value(part)
            count += found
    return (cleaned if count else value), count


@lru_cache(maxsize=4096)
def scrub_name(name: str) -> tuple[str, int]:
    """The name of a field without what looks like a credential, and how many places were masked."""
    return scrub_text(name)


def _may_be_secret(value: Any) -> bool:
    return value not in (None, "", [], {}) and type(value) is not bool


def clean_gateway_text(value: Any) -> tuple[Any, int]:
    """A gateway or carrier message with only its harmless elements, and how many values were taken out.

    Takes text (XML, JSON or form data) or an already parsed object. Text in none of these forms is masked whole.
    """
    if isinstance(value, (dict, list)):
        return _keep_harmless(value, "")
    if not isinstance(value, str) or not (stripped := value.strip()):
        return value, 0
    if stripped[0] == "<":
        return _keep_harmless_markup(value)
    if stripped[0] in "{[":
        try:
            cleaned, count = _keep_harmless(exact_json.loads_whole(value), "")
        except ExactJsonError:
            return MASK, 1
        return exact_json.dumps(cleaned), count
    if _FORM.fullmatch(stripped):
        return _keep_harmless_parameters(stripped)
    return MASK, 1


@lru_cache(maxsize=4096)
def _is_harmless(name: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", name.casefold()) in HARMLESS


@lru_cache(maxsize=4096)
def _is_harmless_value(text: str, name: str = "") -> bool:
    """Whether the value of a harmless element is harmless: short and plain, no credential, no card, nobody's number."""
    if _PLAIN_VALUE.fullmatch(text) is None:
        return False
    if len(text) < _SHORTEST_NUMBER:
        return True
    if may_hold_people(text) and (
        has_card(text) or has_person(text, of_a_thing=is_of_a_thing(name) and name.casefold() not in _PAYMENT_NUMBERS)
    ):
        return False
    return len(text) < _SHORTEST_CREDENTIAL or not _without_credential_values(text)[1]


def _keep_harmless(value: Any, name: str) -> tuple[Any, int]:
    if isinstance(value, dict):
        # A key that is not on the list may itself be a value (a map by card number, say), so it goes with its value.
        kept = {key: _keep_harmless(part, key) for key, part in value.items() if _is_harmless(key)}
        dropped = len(value) - len(kept) + sum(found for _, found in kept.values())
        return {key: part for key, (part, _) in kept.items()}, dropped
    if isinstance(value, list):
        parts = [_keep_harmless(part, name) for part in value]
        return [part for part, _ in parts], sum(found for _, found in parts)
    if value is None or type(value) is bool:
        return value, 0
    text = value.digits if type(value) is Number else str(value)
    return (value, 0) if _is_harmless(name) and _is_harmless_value(text, name) else (MASK, 1)


def _keep_harmless_markup(text: str) -> tuple[str, int]:
    """Elements without attributes, comments and prologue; only harmless ones keep their content."""
    if "<!" in text:
        # A tag inside CDATA is text; escaped it is not harmless.
        text = _UNPARSED.sub(lambda match: (match["cdata"] or "").replace("<", "&lt;"), text)
    parts: list[str] = []
    count = 0
    keeps, rendered = False, ""
    for piece in text.split("<"):
        tag, found, body = piece.partition(">")
        if found:
            rendered, keeps = _harmless_tag(tag)
            parts.append(rendered)
        else:
            body = piece
        if not body or body.isspace() or (keeps and _is_harmless_value(body.strip(), rendered.strip("</>"))):
            parts.append(body)
        else:
            parts.append(MASK)
            count += 1
    return "".join(parts), count


@lru_cache(maxsize=4096)
def _harmless_tag(tag: str) -> tuple[str, bool]:
    """A tag without its attributes, from what stands between its brackets, and whether what follows it may stay."""
    head = _TAG_HEAD.match(tag)
    if head is None:
        return "", False
    is_empty = tag.endswith("/")
    opens = not is_empty and not head["close"]
    return f"<{head['close']}{head['name']}{'/' if is_empty else ''}>", opens and _is_harmless(head["name"])


def _keep_harmless_parameters(text: str) -> tuple[str, int]:
    kept: list[str] = []
    count = 0
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if _is_harmless(unquote_plus(name)) and _is_harmless_value(unquote_plus(value), unquote_plus(name)):
            kept.append(pair)
        else:
            count += 1
    # Text with no harmless part says only that something was there.
    return ("&".join(kept) if kept else MASK), count


def _mask_markup(text: str) -> tuple[str, int]:
    """Mask all that elements with the name of a credential hold, whether the name is the tag's or an attribute's."""
    parts: list[str] = []
    end = count = 0
    for match in _TAG.finditer(text):
        if match.start() < end or match["close"]:
            continue
        attributes = [found["value"][1:-1] for found in _ATTRIBUTE.finditer(match["attributes"])]
        named = [match["name"], *(value for value in attributes if " " not in value)]
        if not any(map(names_a_credential, named)):
            continue
        body_end = text.find("<", match.end())
        inner = text[match.end() : body_end if body_end >= 0 else len(text)].strip()
        values = [inner, *attributes] if inner or attributes else [MASK]
        if not any(is_credential(name, value) for name in named for value in values if value and value != name):
            continue
        # Other attributes go too: one of them may be the value.
        parts.append(text[end : match.start()] + f"<{match['name']}>")
        closing = re.compile(rf"</\s*(?:[\w.\-]+:)?{re.escape(match['name'])}\s*>").search(text, match.end())
        is_empty = match["attributes"].rstrip().endswith("/")
        end = match.end() if is_empty else closing.start() if closing else len(text)
        body = "" if is_empty else text[match.end() : end]
        hidden = bool(body.strip()) or bool(attributes)
        parts.append((MASK if hidden else body) + (f"</{match['name']}>" if is_empty else ""))
        count += hidden and body != MASK
    return "".join(parts) + text[end:], count


def _mask_pairs(text: str) -> tuple[str, int]:
    """Mask the value of each name of a credential; the value of another name is searched for names itself."""
    parts: list[str] = []
    end = count = place = 0
    while (name := _NAME.search(text, place)) is not None:
        place = name.end()
        if not names_a_credential(unquote_plus(name["name"])) or (found := _VALUE.match(text, place)) is None:
            continue
        value = found.group()
        is_prose = text[place - 1].isspace() and ":" in text[name.end("name") : place]
        quote = '\\"' if value.startswith('\\"') else value[0] if value[0] in "\"'" else ""
        inner = value.removeprefix(quote).removesuffix(quote) if quote else value
        if not inner or inner.startswith(MASK[:-1]):
            continue
        if not is_credential(unquote_plus(name["name"]), inner, prose=is_prose and not quote):
            continue
        parts.append(text[end:place] + quote + MASK + quote)
        end = place = found.end()
        count += 1
    return "".join(parts) + text[end:], count


def _mask_long_secrets(text: str) -> tuple[str, int]:
    """Mask long unbroken runs of mixed letters and digits; UUIDs, paths, slugs and tokens of people stay."""
    count = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal count
        run = match.group()
        mixed = re.search(r"[0-9]", run) and re.search(r"[a-zA-Z]", run)
        if _HEX_ID.fullmatch(run):
            return run
        is_slug = "://" in run or run.count("-") >= 3 or run.count("_") >= 2
        if not mixed or is_slug or run.count("/") > 1 or TOKEN.fullmatch(run) or _UUID.fullmatch(run):
            return run
        count += 1
        return MASK

    return _LONG_SECRET.sub(mask, text), count
