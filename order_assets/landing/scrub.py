"""Takes credentials out of text and free-form values, wherever a shop or a gateway may have put them.

Two rules: gateway text keeps only an allow-list of harmless elements; other text and free-form values lose what
looks like a credential by its name or by its form. Which paths are secret as a whole is said by the contract.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_plus

MASK = "[redacted]"

# Elements of gateway and carrier messages that explain a payment or a shipment and identify nobody.
HARMLESS = frozenset(
    ["orderid", "type", "taksit", "installment", "installmentcount", "installments", "currency", "currencycode", "total", "amount", "groupid", "transid", "transactionid", "response", "authcode", "hostrefnum", "procreturncode", "errcode", "errorcode", "settleid", "trxdate", "hostdate", "numcode", "cardbrand", "cardissuer", "cardtype", "cardprogram", "cc5request", "cc5response", "extra", "status", "statuscode", "result", "resultcode", "returncode", "responsecode", "success", "issucceeded", "rc", "mode", "version", "txntype", "transactiontype", "date", "trackingnumber", "barcode", "cargokey", "shipmentcode", "jobid", "operationstatus"]
)

_SECRET_WORDS = frozenset(
    ["password", "passwd", "passphrase", "pwd", "parola", "sifre", "secret", "secrets", "token", "tokens", "apikey", "credential", "credentials", "authorization", "bearer", "signature", "cvv", "cvv2", "cvc", "cvc2", "pin", "otp", "jwt", "pan", "privatekey", "accesskey", "secretkey", "storekey", "terminalpassword", "cardnumber"]
)
_SECRET_PAIRS = frozenset(
    {
        ("api", "key"),
        ("access", "key"),
        ("secret", "key"),
        ("private", "key"),
        ("store", "key"),
        ("client", "secret"),
        ("merchant", "key"),
        ("card", "number"),
        ("auth", "key"),
        ("session", "key"),
        ("basic", "auth"),
        ("user", "pass"),
    }
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zçğıöşü]+|\d+")
_PLAIN_VALUE = re.compile(r"[\w .,:;/+\-*()İıŞşĞğÜüÖöÇç]{0,80}")
_SUSPICIOUS = re.compile(r"[<{=]|://|eyJ|-----BEGIN|(?i:bearer |basic |token )")
_SUSPICIOUS_OR_LONG = re.compile(_SUSPICIOUS.pattern + r"|[A-Za-z0-9+/_\-]{32}")
_CREDENTIAL_VALUES = (
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(r"(?i)\b(?:bearer|basic|token)\s+[A-Za-z0-9+/=_.\-]{8,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL),
)
_LONG_SECRET = re.compile(r"[A-Za-z0-9+/_\-]{32,}={0,2}")
_PARAMETER = re.compile(r"(?P<name>[A-Za-z0-9_.\-\[\]%]+)=(?P<value>[^&\s\"'<>;]*)")
_TAG = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<[^<>]*>", re.DOTALL)
_TAG_NAME = re.compile(r"</?\s*(?:[\w.\-]+:)?(?P<name>[A-Za-z_][\w.\-]{0,63})")


def names_a_credential(name: str) -> bool:
    """Whether a key, element or parameter of this name is likely to hold a credential."""
    words = [word.casefold() for word in _WORD.findall(name)]
    return (
        name.casefold() in _SECRET_WORDS
        or not _SECRET_WORDS.isdisjoint(words)
        or any(pair in _SECRET_PAIRS for pair in zip(words, words[1:], strict=False))
    )


def scrub_text(text: str, *, long_runs: bool = True) -> tuple[str, int]:
    """The text without what looks like a credential, and how many places were masked.

    `long_runs` also masks long unbroken runs of letters and digits. Fields that the contract knows go without: their
    order numbers and digests look the same.
    """
    if (_SUSPICIOUS_OR_LONG if long_runs else _SUSPICIOUS).search(text) is None:
        return text, 0
    stripped = text.lstrip()
    if stripped[:1] in "{[":
        try:
            value = json.loads(text)
        except ValueError:
            pass
        else:
            cleaned, count = scrub_value(value)
            return (json.dumps(cleaned, ensure_ascii=False), count) if count else (text, 0)
    count = 0
    if "<" in text and ">" in text:
        text, found = _clean_markup(text, keep=lambda name: not names_a_credential(name), plain=False)
        count += found
    if "=" in text:
        text, found = _mask_parameters(text)
        count += found
    for pattern in _CREDENTIAL_VALUES:
        text, found = pattern.subn(MASK, text)
        count += found
    if long_runs:
        text, found = _mask_long_secrets(text)
        count += found
    return text, count


def scrub_value(value: Any) -> tuple[Any, int]:
    """A free-form JSON value without what looks like a credential, and how many places were masked."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, list):
        parts = [scrub_value(part) for part in value]
        count = sum(found for _, found in parts)
        return ([part for part, _ in parts] if count else value), count
    if isinstance(value, dict):
        return _scrub_object(value)
    return value, 0


def _scrub_object(value: dict[str, Any]) -> tuple[dict[str, Any], int]:
    cleaned: dict[str, Any] = {}
    count = 0
    for key, part in value.items():
        safe_key, found = scrub_text(key)
        count += found
        if part not in (None, "", [], {}) and not isinstance(part, bool) and names_a_credential(key):
            cleaned[safe_key] = MASK
            count += 1
        else:
            cleaned[safe_key], found = scrub_value(part)
            count += found
    return (cleaned if count else value), count


def clean_gateway_text(value: Any) -> tuple[Any, int]:
    """A gateway or carrier message with only its harmless elements, and how many values were taken out.

    Takes text (XML, JSON or form data) or an already parsed object. Text in none of these forms is masked whole.
    """
    if isinstance(value, (dict, list)):
        return _keep_harmless(value, "")
    if not isinstance(value, str) or not value.strip():
        return value, 0
    stripped = value.lstrip()
    if stripped[0] in "{[":
        try:
            parsed = json.loads(value, parse_float=str)
        except ValueError:
            return MASK, 1
        cleaned, count = _keep_harmless(parsed, "")
        return json.dumps(cleaned, ensure_ascii=False), count
    if stripped[0] == "<":
        return _clean_markup(value, keep=_is_harmless, plain=True)
    if re.fullmatch(r"[^=&\s]+=[^&]*(&[^=&]+=[^&]*)*", stripped.rstrip()):
        return _keep_harmless_parameters(value)
    return MASK, 1


def _is_harmless(name: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", name.casefold()) in HARMLESS


def _harmless_value(text: str) -> bool:
    return _PLAIN_VALUE.fullmatch(text) is not None and _LONG_SECRET.search(text.replace("-", "")) is None


def _keep_harmless(value: Any, name: str) -> tuple[Any, int]:
    if isinstance(value, dict):
        # A key that is not on the list may itself be a value (a map by card number, say), so it goes with its value.
        kept = {key: _keep_harmless(part, key) for key, part in value.items() if _is_harmless(key)}
        dropped = len(value) - len(kept)
        return {key: part for key, (part, _) in kept.items()}, dropped + sum(found for _, found in kept.values())
    if isinstance(value, list):
        parts = [_keep_harmless(part, name) for part in value]
        return [part for part, _ in parts], sum(found for _, found in parts)
    if value is None or isinstance(value, (bool, int)):
        return value, 0
    return (value, 0) if _is_harmless(name) and _is_short_id(str(value)) else (MASK, 1)


def _is_short_id(text: str) -> bool:
    # Order and transaction identifiers are long hexadecimal texts; names on the list may hold them.
    return len(text) <= 80 and _PLAIN_VALUE.fullmatch(text) is not None


def _clean_markup(text: str, *, keep: Any, plain: bool) -> tuple[str, int]:
    """Mask the content of elements that `keep` refuses; with `plain` also drop attributes, comments and prologue."""
    parts: list[str] = []
    count = 0
    element = ""
    end = 0
    for match in _TAG.finditer(text):
        body, found = _clean_body(text[end : match.start()], element, keep, plain)
        parts.append(body)
        count += found
        end = match.end()
        tag = match.group()
        if tag.startswith("<![CDATA["):
            inner, found = _clean_body(tag[9:-3], element, keep, plain)
            parts.append(f"<![CDATA[{inner}]]>" if not plain else inner)
            count += found
            continue
        name = _TAG_NAME.match(tag)
        if tag.startswith(("<!", "<?")) or name is None:
            parts.append("" if plain else tag)
            continue
        closing = tag.startswith("</")
        element = "" if closing or tag.endswith("/>") else name["name"]
        if plain:
            slash = "/" if tag.endswith("/>") else ""
            parts.append(f"</{name['name']}>" if closing else f"<{name['name']}{slash}>")
        else:
            cleaned, found = _mask_attributes(tag)
            parts.append(cleaned)
            count += found
    rest, found = _clean_body(text[end:], element if end else "", keep, plain)
    return "".join(parts) + rest, count + found


def _clean_body(body: str, element: str, keep: Any, plain: bool) -> tuple[str, int]:
    if not body.strip():
        return body, 0
    if element and keep(element) and (not plain or _is_short_id(body.strip())):
        return body, 0
    if not element and not plain:
        return body, 0
    return MASK, 1


def _mask_attributes(tag: str) -> tuple[str, int]:
    count = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal count
        if not names_a_credential(match["name"]):
            return match.group()
        count += 1
        return f"{match['name']}={match['quote']}{MASK}{match['quote']}"

    return re.sub(r"(?P<name>[\w:.\-]+)\s*=\s*(?P<quote>[\"'])(?P<value>[^\"']*)(?P=quote)", mask, tag), count


def _mask_parameters(text: str) -> tuple[str, int]:
    count = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal count
        if not match["value"] or match["value"] == MASK or not names_a_credential(unquote_plus(match["name"])):
            return match.group()
        count += 1
        return f"{match['name']}={MASK}"

    return _PARAMETER.sub(mask, text), count


def _keep_harmless_parameters(text: str) -> tuple[str, int]:
    kept: list[str] = []
    count = 0
    for pair in text.strip().split("&"):
        name, _, value = pair.partition("=")
        if _is_harmless(unquote_plus(name)) and _is_short_id(unquote_plus(value)):
            kept.append(pair)
        else:
            count += 1
    return "&".join(kept), count


def _mask_long_secrets(text: str) -> tuple[str, int]:
    """Mask long unbroken runs of mixed letters and digits; UUIDs, paths and plain words stay."""
    count = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal count
        run = match.group()
        dense = run.replace("-", "").replace("_", "")
        is_uuid = re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", run) is not None
        has_all = re.search(r"\d", dense) and re.search(r"[a-zA-Z]", dense)
        if is_uuid or not has_all or "/" in run or run.count("-") >= 3 or run.count("_") >= 2:
            return run
        count += 1
        return MASK

    return _LONG_SECRET.sub(mask, text), count
