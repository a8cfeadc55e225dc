"""The gate: reads a response once, exactly, checks it against the contract, and redacts it before it is stored.

A document passes whole or is refused with the path and the reason. What the contract does not know passes and is
reported. How credentials are recognised stands in `scrub`, what happens to personal data in `privacy`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from order_assets.contract import exact
from order_assets.contract.exact import ExactJsonError, Number
from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    DATE,
    JSON,
    TEXT,
    TIMESTAMP,
    ColumnType,
    Contract,
    Document,
    Personal,
)
from order_assets.contract.shape import (
    CopyOf,
    FreeForm,
    Leaf,
    Record,
    Removed,
    SetOf,
    Shape,
    contract_version,
    document_shape,
    steps,
)
from order_assets.landing.privacy import Privacy, PrivacyMode
from order_assets.landing.scrub import MASK, clean_gateway_text, scrub_text, scrub_value

_INTEGER = re.compile(r"[+-]?\d{1,19}")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.(?P<fraction>\d+))?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_POSITION = re.compile(r"\[\d+\]")
_EMAIL = re.compile(r"[\w.+\-]+@[\w\-]+\.[\w.\-]+")

# Personal data in free-form values is found by the name of its key.
_PERSONAL_KEYS: tuple[tuple[re.Pattern[str], Personal], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"e[-_]?mail", Personal.EMAIL),
        (r"phone|gsm|mobile_?(?:no|number)", Personal.PHONE),
        (r"iban|identity_?(?:no|number)|tckn|national_?id|tax_?(?:no|number|id)", Personal.IDENTITY),
        (r"(?:holder|first|last|full|sur|customer|receiver|contact)_?name", Personal.NAME),
        (r"address_?line|^line\d?$|street", Personal.ADDRESS),
        (r"remote_addr|(?:^|_)ip(?:$|_)|ip_?address", Personal.NETWORK),
        (r"date_of_birth|birth_?da(?:te|y)", Personal.BIRTH),
    )
)


@dataclass(frozen=True)
class Unmapped:
    """A field that the contract does not know, with its redacted value as JSON text."""

    document: Document
    path: str
    value: str


@dataclass(frozen=True)
class Passed:
    """A document that passed: its redacted JSON text and what was noticed.

    `masked` counts the values taken out or masked, besides those that the contract removes. `irregular` says that the
    text has a form that SQL does not read exactly (a set given as a single object, a number inside free-form JSON,
    an exponent): the transform rewrites such documents first. `missing` are documented paths that were absent.
    `set_sizes` counts the rows of each set by its path.
    """

    text: str
    unmapped: tuple[Unmapped, ...]
    masked: int
    irregular: bool
    missing: tuple[str, ...]
    set_sizes: dict[str, int]


class Refused(Exception):  # noqa: N818 - a verdict about one document, not a failure of the program
    """A document does not fit the contract; its order goes to quarantine whole."""

    def __init__(self, document: Document, path: str, reason: str) -> None:
        super().__init__(f"{document.value} document, {path or 'root'}: {reason}")
        self.document = document
        self.path = path
        self.reason = reason


class _Bad(Exception):
    """A value does not fit; the walk knows where."""


@dataclass
class _Walk:
    """What one walk over one document gathers; `path` leads to the object that is being read."""

    document: Document
    path: list[str] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    copies: list[tuple[str, Any, CopyOf]] = field(default_factory=list)
    set_sizes: dict[str, int] = field(default_factory=dict)
    masked: int = 0
    irregular: bool = False

    def scrubbed(self, value: Any) -> Any:
        cleaned, count = scrub_value(value)
        self.masked += count
        return cleaned


# A visit takes a value and gives what is stored in its place: the same object where nothing changes.
_Visit = Callable[[Any, _Walk], Any]


class Gate:
    """Checks and redacts documents; safe to share between threads."""

    def __init__(self, contract: Contract, privacy: Privacy) -> None:
        self.contract_version = contract_version(contract)
        self.privacy = privacy
        self._treatments = {kind: privacy.treatment(kind) for kind in Personal}
        shapes = {document: document_shape(contract, document) for document in Document}
        self._strict = {document: self._compile(shape, lenient=False) for document, shape in shapes.items()}
        self._lenient = {document: self._compile(shape, lenient=True) for document, shape in shapes.items()}

    def check(self, document: Document, body: bytes | str) -> Passed:
        """Check and redact one document: a JSON object for the detail, a JSON list for items and discounts.

        Raises `Refused`.
        """
        return self.check_value(document, read(document, body))

    def check_value(self, document: Document, root: Any) -> Passed:
        """Check and redact a document that `read` has read; changes it in place. Raises `Refused`."""
        walk = _Walk(document)
        try:
            expected = dict if document is Document.DETAIL else list
            if type(root) is not expected:
                raise _Bad(f"expected {_kind(expected())}, got {_kind(root)}")
            self._strict[document](root, walk)
            self._compare_copies(root, walk)
            text = exact.dumps(root)
        except (_Bad, ExactJsonError) as error:
            raise Refused(document, _render(walk.path), str(error)) from None
        except RecursionError:
            raise Refused(document, "", "nested too deeply") from None
        missing = tuple(sorted(walk.missing))
        return Passed(text, tuple(walk.unmapped), walk.masked, walk.irregular, missing, walk.set_sizes)

    def redact_refused(self, document: Document, body: bytes | str) -> str | None:
        """A refused document as it may be kept in quarantine: secrets out, personal data treated.

        Gives `None` where no JSON value can be read: nothing in such text can be told apart from a secret.
        """
        text = body if isinstance(body, str) else body.decode(errors="replace")
        try:
            root = exact.loads_loosely(text)
        except ExactJsonError:
            return None
        return self.redact_refused_value(document, root)

    def redact_refused_value(self, document: Document, root: Any) -> str | None:
        """Like `redact_refused`, for a value that was read already; changes it in place."""
        try:
            return exact.dumps(self._lenient[document](root, _Walk(document)))
        except (ExactJsonError, RecursionError):
            return None

    def _compile(self, shape: Shape, *, lenient: bool) -> _Visit:
        """Turn a node of the contract's tree into a visit; a lenient one redacts and never refuses."""
        match shape:
            case Leaf():
                visit = self._leaf(shape)
            case Record():
                visit = self._record(shape, lenient)
            case SetOf():
                visit = self._set(shape, lenient)
            case FreeForm():
                visit = self._free_form(shape)
            case Removed():
                visit = _remove
            case CopyOf():
                visit = self._copy(shape)
        return self._forgiving(visit, shape) if lenient else visit

    def _forgiving(self, visit: _Visit, shape: Shape) -> _Visit:
        kind = shape.personal if isinstance(shape, Leaf | CopyOf) else None

        def forgiving(value: Any, walk: _Walk) -> Any:
            try:
                return visit(value, walk)
            except _Bad:
                return self._treated(walk.scrubbed(value), kind)

        return forgiving

    def _record(self, shape: Record, lenient: bool) -> _Visit:
        visits = {name: self._compile(child, lenient=lenient) for name, child in shape.children.items()}
        required = tuple(
            name for name, child in shape.children.items() if isinstance(child, Leaf) and child.required and not lenient
        )
        documented = len(visits)

        def visit(value: Any, walk: _Walk) -> Any:
            if type(value) is not dict:
                if value in (None, "", []):
                    return value
                raise _Bad(f"expected an object, got {_kind(value)}")
            if not value:
                return value
            path = walk.path
            path.append("")
            known = 0
            renamed: dict[str, str] = {}
            for name, part in value.items():
                path[-1] = name
                inner = visits.get(name)
                if inner is None:
                    safe_name, value[name] = self._unknown(name, part, walk)
                    if safe_name != name:
                        renamed[name] = safe_name
                    continue
                known += 1
                if part is not None:
                    stored = inner(part, walk)
                    if stored is not part:
                        value[name] = stored
            for name in required:
                if value.get(name) in (None, ""):
                    path[-1] = name
                    raise _Bad("a value is required and there is none")
            path.pop()
            for name, safe_name in renamed.items():
                value[safe_name] = value.pop(name)
            if known != documented:
                where = _POSITION.sub("[]", _render(path))
                walk.missing.update(f"{where}.{name}".lstrip(".") for name in visits.keys() - value.keys())
            return value

        return visit

    def _set(self, shape: SetOf, lenient: bool) -> _Visit:
        element = self._compile(shape.element, lenient=lenient)

        def visit(value: Any, walk: _Walk) -> Any:
            if type(value) is not list:
                if value in (None, "", {}):
                    return value
                if type(value) is not dict:
                    raise _Bad(f"expected a set, got {_kind(value)}")
                walk.irregular = True
                _count(walk, 1)
                return element(value, walk)
            _count(walk, len(value))
            path = walk.path
            path.append("")
            for position, part in enumerate(value):
                path[-1] = f"[{position}]"
                if type(part) is int:
                    # Flat answers give a set as the keys of its rows.
                    walk.irregular = True
                elif type(part) is not dict or not part:
                    raise _Bad(f"expected an object in the set, got {_kind(part)}")
                else:
                    value[position] = element(part, walk)
            path.pop()
            return value

        return visit

    def _free_form(self, shape: FreeForm) -> _Visit:
        checks = {name: _leaf_check(leaf.type) for name, leaf in shape.children.items()}

        def visit(value: Any, walk: _Walk) -> Any:
            if type(value) is not dict:
                walk.irregular = walk.irregular or type(value) is not list
            elif not value:
                return value
            else:
                for name, check in checks.items():
                    if value.get(name) is not None:
                        walk.path.append(name)
                        check(value[name], walk)
                        walk.path.pop()
            if _has_number(value):
                walk.irregular = True
            return self._treated(walk.scrubbed(value))

        return visit

    def _leaf(self, leaf: Leaf) -> _Visit:
        if leaf.gateway_text:
            return _gateway_text
        check = _leaf_check(leaf.type)
        if leaf.personal is None:
            return _without_credentials(check) if leaf.type == TEXT else check
        treat = self._treatments[leaf.personal]
        fits = leaf.type == TEXT or self.privacy.mode is PrivacyMode.CLEAR

        def visit(value: Any, walk: _Walk) -> Any:
            stored = check(value, walk)
            if stored is None or stored == "":
                return stored
            # A token does not fit into a column that is not text; such a value is dropped instead.
            return treat(_as_text(stored)) if fits else None

        return visit

    def _copy(self, shape: CopyOf) -> _Visit:
        def visit(value: Any, walk: _Walk) -> Any:
            stored = self._treated(walk.scrubbed(value) if shape.type != TEXT else _clean(value, walk), shape.personal)
            walk.copies.append((_render(walk.path), stored, shape))
            return stored

        return visit

    def _unknown(self, name: str, value: Any, walk: _Walk) -> tuple[str, Any]:
        ((safe_name, cleaned),) = walk.scrubbed({name: value}).items()
        stored = self._treated(cleaned, _personal_key(name))
        walk.path[-1] = safe_name
        walk.unmapped.append(Unmapped(walk.document, _render(walk.path), exact.dumps(stored)))
        return safe_name, stored

    def _treated(self, value: Any, kind: Personal | None = None) -> Any:
        """A free-form value with its personal data treated; `kind` is what the name of its key says."""
        if self.privacy.mode is PrivacyMode.CLEAR or value is None or isinstance(value, bool) or value in ("", MASK):
            return value
        if isinstance(value, dict):
            return {key: self._treated(part, _personal_key(key) or kind) for key, part in value.items()}
        if isinstance(value, list):
            return [self._treated(part, kind) for part in value]
        if kind is not None:
            return self._treatments[kind](_as_text(value))
        if type(value) is str and "@" in value:
            email = self._treatments[Personal.EMAIL]
            return _EMAIL.sub(lambda match: email(match.group()) or "", value)
        return value

    def _compare_copies(self, root: Any, walk: _Walk) -> None:
        """What an order's copy says differently from the order is kept as unmapped."""
        for where, copy, shape in walk.copies:
            original = _follow(root, steps(shape.path))
            if copy != original and _comparable(copy, shape.type) != _comparable(original, shape.type):
                walk.unmapped.append(Unmapped(walk.document, where, exact.dumps(copy)))


def _count(walk: _Walk, rows: int) -> None:
    where = _POSITION.sub("[]", _render(walk.path)) + "[]"
    walk.set_sizes[where] = walk.set_sizes.get(where, 0) + rows


def read(document: Document, body: bytes | str) -> Any:
    """The exact value of a response. Raises `Refused` for what is not clean JSON in UTF-8."""
    try:
        return exact.loads(body if isinstance(body, str) else body.decode())
    except ExactJsonError as error:
        raise Refused(document, "", str(error)) from None
    except UnicodeDecodeError as error:
        raise Refused(document, "", f"not UTF-8 at byte {error.start}") from None


def _remove(value: Any, walk: _Walk) -> Any:
    return value if value in (None, "", {}, []) else MASK


def _gateway_text(value: Any, walk: _Walk) -> Any:
    if type(value) in (bool, int, Number):
        raise _Bad(f"expected text or an object, got {_kind(value)}")
    if _has_number(value):
        walk.irregular = True
    cleaned, count = clean_gateway_text(value)
    walk.masked += count
    return cleaned


def _clean(value: Any, walk: _Walk) -> Any:
    if type(value) is not str:
        return value
    cleaned, count = scrub_text(value, long_runs=False)
    walk.masked += count
    return cleaned


def _without_credentials(check: _Visit) -> _Visit:
    return lambda value, walk: _clean(check(value, walk), walk)


def _leaf_check(type_: ColumnType) -> _Visit:
    """The check of a single value: gives the value back or raises `_Bad`."""
    if type_.is_decimal:
        return _decimal_check(type_)
    return _CHECKS[type_]


def _check_text(value: Any, walk: _Walk) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return value
    if kind is Number:
        walk.irregular = True
        return value
    raise _Bad(f"expected text, got {_kind(value)}")


def _check_integer(value: Any, walk: _Walk) -> Any:
    kind = type(value)
    if kind is int:
        number = value
    elif value == "":
        return value
    elif kind is str and _INTEGER.fullmatch(value):
        number = int(value)
    elif kind is Number and (whole := _whole(value.digits)) is not None:
        walk.irregular = True
        number = whole
    else:
        raise _Bad(f"expected an integer, got {_kind(value)}")
    if not -(2**63) <= number < 2**63:
        raise _Bad("the integer does not fit 64 bits")
    return value


def _whole(digits: str) -> int | None:
    number = Decimal(digits)
    if number.adjusted() > 19 or number != number.to_integral_value():
        return None
    return int(number)


def _check_boolean(value: Any, walk: _Walk) -> Any:
    if type(value) is bool or value == "":
        return value
    raise _Bad(f"expected true or false, got {_kind(value)}")


def _check_timestamp(value: Any, walk: _Walk) -> Any:
    if type(value) is not str:
        raise _Bad(f"expected a time, got {_kind(value)}")
    if value == "":
        return value
    form = _TIMESTAMP.fullmatch(value)
    if form is None:
        raise _Bad("expected a time such as 2017-01-30T08:28:26.158165Z")
    if len(form["fraction"] or "") > 6:
        raise _Bad("the time is finer than microseconds")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise _Bad("there is no such time") from None
    return value


def _check_date(value: Any, walk: _Walk) -> Any:
    if type(value) is not str:
        raise _Bad(f"expected a date, got {_kind(value)}")
    if value == "":
        return value
    if not _DATE.fullmatch(value):
        raise _Bad("expected a date such as 1985-08-25")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise _Bad("there is no such date") from None
    return value


_CHECKS: dict[ColumnType, _Visit] = {
    TEXT: _check_text,
    BIGINT: _check_integer,
    BOOLEAN: _check_boolean,
    TIMESTAMP: _check_timestamp,
    DATE: _check_date,
}


def _decimal_check(type_: ColumnType) -> _Visit:
    assert type_.precision is not None  # noqa: S101 - decimals have both, see ColumnType.is_decimal
    assert type_.scale is not None  # noqa: S101
    scale, whole_digits = type_.scale, type_.precision - type_.scale
    plain = re.compile(rf"-?\d{{1,{whole_digits}}}(?:\.\d{{1,{scale}}})?").fullmatch
    limit = 10**whole_digits

    def check(value: Any, walk: _Walk) -> Any:
        kind = type(value)
        if kind is int:
            if not -limit < value < limit:
                raise _Bad(f"the number does not fit {type_.duckdb}")
            return value
        if value == "":
            return value
        if kind is not str and kind is not Number:
            raise _Bad(f"expected a decimal number, got {_kind(value)}")
        digits = value if kind is str else value.digits
        if plain(digits) is None:
            _check_unusual_decimal(digits, type_.duckdb, whole_digits, scale)
            walk.irregular = True
        return value

    return check


def _check_unusual_decimal(digits: str, name: str, whole_digits: int, scale: int) -> None:
    if not _DECIMAL.fullmatch(digits):
        raise _Bad("expected a decimal number, got other text")
    number = Decimal(digits)
    if number and number.adjusted() >= whole_digits:
        raise _Bad(f"the number does not fit {name}")
    significant = number.as_tuple()
    trailing_zeros = len(significant.digits) - len("".join(map(str, significant.digits)).rstrip("0"))
    assert isinstance(significant.exponent, int)  # noqa: S101 - the pattern admits finite numbers only
    if number and -(significant.exponent + trailing_zeros) > scale:
        raise _Bad(f"the number has more than {scale} digits behind the point and is not rounded")


def _comparable(value: Any, type_: ColumnType) -> Any:
    """A value in a form in which equal facts are equal, however they are spelled."""
    if value in (None, "", [], {}):
        return None
    if isinstance(value, list):
        return [_comparable(part, type_) for part in value]
    text = _as_text(value)
    if type_ == BIGINT or type_.is_decimal:
        return Decimal(text) if _DECIMAL.fullmatch(text) else text
    if type_ == TIMESTAMP and _TIMESTAMP.fullmatch(text):
        return datetime.fromisoformat(text)
    return value if type_ == JSON else text


def _follow(value: Any, path: list[str]) -> Any:
    for index, step in enumerate(path):
        if step == "[]":
            return [_follow(part, path[index + 1 :]) for part in value] if isinstance(value, list) else None
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _has_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_number, value.values()))
    if isinstance(value, list):
        return any(map(_has_number, value))
    return type(value) is Number


def _as_text(value: Any) -> str:
    return value.digits if type(value) is Number else str(value)


def _personal_key(name: str) -> Personal | None:
    for pattern, kind in _PERSONAL_KEYS:
        if pattern.search(name):
            return kind
    return None


def _render(path: list[str]) -> str:
    return ".".join(path).replace(".[", "[")


def _kind(value: Any) -> str:
    """What a value is, without the value."""
    if value is None:
        return "null"
    names = {
        dict: "an object",
        list: "a list",
        bool: "true or false",
        int: "an integer",
        Number: "a decimal number",
    }
    return names.get(type(value), "text")
