"""Cleans values that the contract does not describe: free-form JSON, unknown fields, and JSON, XML and URLs in text.

One set of rules for all of them: names that the contract removes elsewhere, credentials (`redaction.secrets`), card
numbers and people's numbers (`redaction.detectors`), and personal data by the names of fields
(`redaction.personal_keys`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from html import unescape
from typing import Any, NamedTuple, cast
from urllib.parse import unquote_plus

from order_assets.contract.model import Personal
from order_assets.core import exact_json
from order_assets.core.exact_json import ExactJsonError
from order_assets.redaction.detectors import is_identity_number, may_hold_people, without_cards, without_people
from order_assets.redaction.known_good import Texts
from order_assets.redaction.personal_keys import (
    is_half_name,
    is_of_a_place,
    is_of_a_thing,
    is_person,
    is_surname,
    personal_kind,
)
from order_assets.redaction.privacy import TOKEN
from order_assets.redaction.secrets import (
    MASK,
    free_name,
    is_card,
    is_clean,
    is_plain,
    is_plain_address,
    is_uuid,
    may_name_secrets,
    scrub_name,
    scrub_text,
    secret_keys,
    setting_names,
)
from order_assets.redaction.typed_values import as_text

CREDENTIAL, GATEWAY, REMOVED, CARD = "credential", "gateway text", "removed", "card"

_PARAMETER = re.compile(r"(?P<head>(?P<first>^|[?&;#\s\"'])(?P<name>[\w.\-%\[\]]{1,64})=)(?P<value>[^&\s;\"'<>#]+)")
_IN_QUOTES = re.compile(
    r"""(?P<head>(?P<open>\\?["'])(?P<name>(?:[^\W\d]|\\u)[\w.\- \\]{0,60})(?P=open)\s{0,9}:\s{0,9}|"""
    r"""(?<![\w.\-])(?P<bare>[^\W\d][\w.\-:]{0,60})\s{0,9}=\s{0,9})(?P<quote>\\?["'])(?P<value>(?:(?!(?P=quote)).)+)""",
    re.DOTALL,
)
_UNQUOTED = re.compile(
    r"""(?P<head>(?P<open>\\?["'])(?P<name>(?:[^\W\d]|\\u)[\w.\- \\]{0,60})(?P=open)\s{0,9}:\s{0,9})(?P<value>\d{5,})"""
)
_ELEMENT = re.compile(
    r"(?P<head><(?:[\w\-]+:)?(?P<name>[^\W\d][\w.\-]{0,63})(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[)?)(?P<value>[^<>\]]+)"
    r"(?=(?:\]\]>)?\s*</)"
)
_MOST_OBJECTS, _MOST_KEYS = 2_000, 40
# Less than this has too few digits for a card or an identity.
_SHORTEST_NUMBER, _SMALLEST_NUMBER = 10, 10**9
# Kinds whose values have digits; the name alone may belong to something else, such as the model of a phone.
_FEWEST_DIGITS = {Personal.PHONE: 5, Personal.IDENTITY: 5, Personal.NETWORK: 2, Personal.BIRTH: 2}


class Masks(dict[tuple[str, str], int]):
    """What was masked: how many values at which path (`[]` for each element of a list) for which reason.

    A counter that is made in no time: most values have nothing to mask.
    """

    def total(self) -> int:
        """How many values were masked."""
        return sum(self.values())


class _Keys(NamedTuple):
    """What the keys of an object say of the values under and beside them."""

    say_nothing: bool
    # Those that say nothing of their own value, and hold nothing themselves.
    neutral: frozenset[str]
    may_name_secrets: bool
    have_surname: bool


class FreeFormCleaner:
    """Cleans values; safe to share between threads.

    `guarded` are names that the contract removes, with what is done to their values; `names` are names whose values it
    calls personal. `treat` gives what is stored in place of a personal value; `None` keeps people as they are.
    """

    def __init__(
        self,
        guarded: Mapping[str, Callable[[Any], Any]],
        treat: Callable[[Personal, str], str | None] | None,
    ) -> None:
        self._guarded = {_folded(name): guard for name, guard in guarded.items()}
        self._treat = treat
        self._harmless = Texts()
        self._of_keys: dict[tuple[str, ...], _Keys] = {}

    def clean(self, value: Any, masks: Masks, *, name: str = "", kind: Personal | None = None, path: str = "") -> Any:
        """A value as it may be stored; `kind` is what is known of it from elsewhere. Adds to `masks`."""
        cleaned = self._guard(value, name, path, masks)
        if cleaned is not value or value is None or type(value) is bool or value in ("", MASK):
            return cleaned
        match value:
            case dict():
                return self._object(value, masks, kind, path)
            case list():
                return [self.clean(part, masks, name=name, kind=kind, path=f"{path}[]") for part in value]
            case _:
                return self._single(value, masks, name, kind, path)

    def clean_text(self, text: str, masks: Masks, *, path: str = "", name: str = "", is_known: bool = False) -> str:
        """A text as it may be stored. Of a field that the contract knows only what is sure to be a person's goes."""
        before, total = text, masks.total()
        text = self._cleaned_text(text, masks, path, name, is_known)
        if is_known and text == before and masks.total() == total:
            self._harmless.learn(text)
        return text

    def lets_pass(self, text: str) -> bool:
        """Whether a text of a field that the contract knows is sure to stay as it is."""
        return is_clean(text) or is_plain_address(text) or is_uuid(text) or text in self._harmless

    def _cleaned_text(self, text: str, masks: Masks, path: str, name: str, is_known: bool) -> str:
        inside = self._json_inside(text, masks, path, name)
        if inside is not None:
            return inside
        text, cards = (text, 0) if is_known and text.isalnum() else without_cards(text, MASK)
        text, secrets = scrub_text(text, long_runs=not is_known)
        add(masks, path, CARD, cards)
        add(masks, path, CREDENTIAL, secrets)
        if self._treat is None:
            return text
        text = self._by_names_inside(text, masks, path)
        if not may_hold_people(text):
            return text

        def treated(kind: Personal, found: str) -> str:
            add(masks, path, kind.value, 1)
            return self._stored(kind, found)

        return without_people(text, treated, sure_only=is_known, of_a_thing=is_of_a_thing(name))[0]

    def treated(self, kind: Personal, text: str) -> str | None:
        """What is stored in place of a text of a field that holds such data: itself where it is none of it."""
        if self._treat is not None and text not in ("", MASK) and _is_plausible(kind, text, text):
            return self._treat(kind, text)
        return cast("str | None", self.clean(text, Masks(), kind=kind))

    def _guard(self, value: Any, name: str, path: str, masks: Masks) -> Any:
        guard = self._guarded.get(_folded(name)) if name else None
        if guard is None or value in (None, "", {}, []):
            return value
        cleaned = guard(value)
        if cleaned != value:
            add(masks, path, REMOVED if cleaned == MASK else GATEWAY, 1)
        return cleaned if cleaned != value else value

    def _object(self, value: dict[str, Any], masks: Masks, kind: Personal | None, path: str) -> dict[str, Any]:
        keys = self._keys(tuple(value))
        if kind is None and keys.say_nothing:
            return {
                key: part
                if _is_harmless(part)
                else self.clean(part, masks, name=key, path=f"{path}.{key}" if path else key)
                for key, part in value.items()
            }
        secret = secret_keys(value) if keys.may_name_secrets else ()
        beside = next(filter(None, map(personal_kind, setting_names(value))), None) if keys.may_name_secrets else None
        has_surname = keys.have_surname
        cleaned: dict[str, Any] = {}
        neutral = keys.neutral if kind is None and beside is None else ()
        for key, part in value.items():
            if key in neutral and _is_harmless(part) and key not in secret and key not in cleaned:
                cleaned[key] = part
                continue
            safe_key = self._key(key, masks, path)
            if safe_key in cleaned:
                safe_key = free_name(safe_key, cleaned)
            where = f"{path}.{safe_key}" if path else safe_key
            if key in secret or (MASK in safe_key and MASK not in key and part not in (None, "")):
                add(masks, where, CREDENTIAL, 1)
                cleaned[safe_key] = MASK
                continue
            found = _kind_under(key, part) or (Personal.NAME if has_surname and is_half_name(key) else None)
            if found is None and beside is not None and _folded(key) in ("value", "val", "deger", "text", "data"):
                found = beside
            if found is None and not (kind is Personal.ADDRESS and is_of_a_place(key)):
                found = kind
            cleaned[safe_key] = self.clean(part, masks, name=key, kind=found, path=where)
        return cleaned

    def _keys(self, keys: tuple[str, ...]) -> _Keys:
        """What the keys of an object say; most objects have the keys of one seen before."""
        known = self._of_keys.get(keys)
        if known is not None:
            return known
        # Keys of rows say nothing, and there is no end of them.
        names = tuple(key for key in keys if not (key.isdecimal() and len(key) < _SHORTEST_NUMBER))
        if len(names) < len(keys):
            return self._keys(names)
        neutral = frozenset(filter(self._is_neutral, keys))
        name_secrets, have_surname = any(map(may_name_secrets, keys)), any(map(is_surname, keys))
        say_nothing = len(neutral) == len(keys) and not name_secrets and not have_surname
        known = _Keys(say_nothing, neutral, name_secrets, have_surname)
        if len(keys) <= _MOST_KEYS:
            if len(self._of_keys) >= _MOST_OBJECTS:
                self._of_keys.clear()
            self._of_keys[keys] = known
        return known

    def _is_neutral(self, key: str) -> bool:
        """Whether a key has nothing in it and says nothing of its own value."""
        says_kind = personal_kind(key) is not None or is_person(key) or is_half_name(key)
        return is_plain(key) and not says_kind and _folded(key) not in self._guarded

    def _key(self, key: str, masks: Masks, path: str) -> str:
        safe_key, found = scrub_name(key)
        add(masks, path, CREDENTIAL, found)
        if self._treat is None or not may_hold_people(safe_key):
            return safe_key
        safe_key, found = without_people(safe_key, self._stored)
        add(masks, path, "key", found)
        return safe_key or MASK

    def _single(self, value: Any, masks: Masks, name: str, kind: Personal | None, path: str) -> Any:
        text = as_text(value)
        if is_card(value) if type(value) is not str else False:
            add(masks, path, CARD, 1)
            return MASK
        if kind is None and type(value) is int and self._treat is not None and is_identity_number(text):
            kind = None if is_of_a_thing(name) else Personal.IDENTITY
        if self._treat is not None and kind is not None and _is_plausible(kind, value, text):
            if not TOKEN.fullmatch(text):
                add(masks, path, kind.value, 1)
            return self._treat(kind, text)
        if type(value) is not str or is_plain(value):
            return value
        return self.clean_text(value, masks, path=path, name=name)

    def _json_inside(self, text: str, masks: Masks, path: str, name: str) -> str | None:
        """The text where it is JSON, cleaned as such; `None` where it is not."""
        if text.lstrip()[:1] not in ("{", "[", '"') or len(text) < len('{"":1}'):
            return None
        try:
            value = exact_json.loads_whole(text)
        except ExactJsonError:
            return None
        if type(value) not in (dict, list, str):
            return None
        found = Masks()
        cleaned = self.clean(value, found, name=name, path=path)
        for (where, kind), count in found.items():
            add(masks, where, kind, count)
        return exact_json.dumps(cleaned) if found or cleaned != value else text

    def _by_names_inside(self, text: str, masks: Masks, path: str) -> str:
        """The text without what stands in it under names of personal data: parameters, attributes, elements."""
        if "=" in text:
            text = self._each(_PARAMETER, text, masks, path, unquote_plus)
        if "=" in text or ":" in text:
            text = self._each(_IN_QUOTES, text, masks, path, str)
            text = self._each(_UNQUOTED, text, masks, path, str)
        return self._each(_ELEMENT, text, masks, path, unescape) if "</" in text else text

    def _each(self, pattern: re.Pattern[str], text: str, masks: Masks, path: str, plain: Callable[[str], str]) -> str:
        names = {
            found["name"] or found["bare"] if pattern is _IN_QUOTES else found["name"]
            for found in pattern.finditer(text)
        }
        has_surname = any(map(is_surname, names))

        def treated(match: re.Match[str]) -> str:
            name = _unescaped(match["name"] or match["bare"] if pattern is _IN_QUOTES else match["name"])
            value = plain(match["value"]).strip()
            kind = personal_kind(name) or (Personal.NAME if has_surname and is_half_name(name) else None)
            if kind is None or value in ("", MASK) or not _is_plausible(kind, value, value) or TOKEN.fullmatch(value):
                return match.group()
            add(masks, path, kind.value, 1)
            quote = match["quote"] if pattern is _IN_QUOTES else ""
            return match["head"] + quote + self._stored(kind, value)

        return pattern.sub(treated, text) if any(_may_be_personal(names, has_surname)) else text

    def _stored(self, kind: Personal, found: str) -> str:
        return (self._treat(kind, found) if self._treat is not None else found) or ""


def _is_harmless(value: Any) -> bool:
    """Whether a glance says that a single value holds no credential and nobody's number, whatever is around it."""
    kind = type(value)
    if kind is str:
        return is_plain(value)
    return value is None or kind is bool or (kind is int and 0 <= value < _SMALLEST_NUMBER) or value in ({}, [])


def _unescaped(name: str) -> str:
    """A name as URLs and JSON write it, as people do."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), unquote_plus(name))


def _may_be_personal(names: set[str], has_surname: bool) -> Iterator[bool]:
    return (personal_kind(_unescaped(name)) is not None or (has_surname and is_half_name(name)) for name in names)


def _kind_under(key: str, value: Any) -> Personal | None:
    kind = personal_kind(key)
    if kind is None and type(value) is str and is_person(key):
        kind = Personal.NAME
    if kind is None or isinstance(value, (dict, list)):
        return kind
    return kind if _is_plausible(kind, value, as_text(value)) else None


def _is_plausible(kind: Personal, value: Any, text: str) -> bool:
    """Whether a value may be of this kind at all."""
    if kind in _FEWEST_DIGITS:
        return sum(map(str.isdecimal, text)) >= _FEWEST_DIGITS[kind] or TOKEN.fullmatch(text) is not None
    return (type(value) is str and not text.strip().isdecimal()) or kind in (
        Personal.EMAIL,
        Personal.ACCOUNT,
        Personal.CARD,
    )


def add(masks: Masks, path: str, kind: str, count: int) -> None:
    """Count values that were masked."""
    if count:
        masks[path, kind] = masks.get((path, kind), 0) + count


@lru_cache(maxsize=8192)
def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
