"""The validator: reads a response once, exactly, checks it against the contract, and redacts it before it is stored.

A document passes whole or is refused with the path and the reason. What the contract does not know passes and is
reported. Which values fit a column is said in `typed_values`, how credentials are recognised in `secrets`, what happens
to personal data in `privacy`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from order_assets.contract.model import BIGINT, TEXT, Contract, Document, Personal
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
    is_promised,
    steps,
)
from order_assets.core import exact_json
from order_assets.core.exact_json import ExactJsonError, Number
from order_assets.errors import OrderAssetsError
from order_assets.redaction.dimension_copies import key_of, lost_values
from order_assets.redaction.free_form import GATEWAY, FreeFormCleaner, Masks, add
from order_assets.redaction.known_good import Known, nothing_passes
from order_assets.redaction.privacy import Privacy, PrivacyMode
from order_assets.redaction.secrets import MASK, clean_gateway_text, free_name, is_plain
from order_assets.redaction.typed_values import (
    MisfitError,
    as_text,
    check_fits_64_bits,
    check_of,
    comparable,
    has_number,
    is_key,
    kind_of,
)

_REQUIRED = "a value is required and there is none"
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 500, 4_000


@dataclass(frozen=True)
class Unmapped:
    """A field that the contract does not know, with its redacted value as JSON text."""

    document: Document
    path: str
    value: str


@dataclass(frozen=True)
class Passed:
    """A document that passed: its redacted JSON text and what was noticed.

    `masks` counts the values taken out or masked, by path and kind, besides those that the contract names.
    `irregular` says that the text has a form that SQL does not read exactly (a set given as a single object, a number
    inside free-form JSON, an exponent): the transform rewrites such documents first. `missing` are paths that the
    vendor documents or shows and that were absent.
    `set_sizes` counts the rows of each set by its path.
    """

    text: str
    unmapped: tuple[Unmapped, ...]
    masks: Masks
    irregular: bool
    missing: tuple[str, ...]
    set_sizes: dict[str, int]

    @property
    def masked(self) -> int:
        """How many values were masked."""
        return self.masks.total()


class Refused(OrderAssetsError):  # noqa: N818 - a verdict about one document, not a failure of the program
    """A document does not fit the contract; its order goes to quarantine whole."""

    def __init__(self, document: Document, path: str, reason: str) -> None:
        super().__init__(f"{document.name} document, {path or 'root'}: {reason}")
        self.document = document
        self.path = path
        self.reason = reason


def unforeseen(document: Document, error: Exception, path: str = "") -> Refused:
    """The verdict about a document that nobody foresaw: it names the kind of the error and none of its text."""
    return Refused(document, path, f"it could not be judged ({type(error).__name__})")


@dataclass
class _Walk:
    """What one walk over one document gathers; `path` leads to the value that is being read."""

    document: Document
    path: list[str] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    copies: list[tuple[list[str], Any]] = field(default_factory=list)
    things: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    set_sizes: dict[str, int] = field(default_factory=dict)
    masks: Masks = field(default_factory=Masks)
    irregular: bool = False
    things_differ: bool = False

    def take(self, masks: Masks) -> None:
        """Count what was masked in the value that is being read."""
        place = self.place()
        for (inside, kind), count in masks.items():
            add(self.masks, _within(place, inside), kind, count)

    def place(self) -> str:
        """The path as it is counted under: the same for each element of a set."""
        return _place(tuple(self.path))

    def count(self, place: str, rows: int) -> None:
        self.set_sizes[place] = self.set_sizes.get(place, 0) + rows

    def point_to(self, table: str, thing: Mapping[str, Any]) -> None:
        """Note what is said here of a thing, and whether another place says the same."""
        key = thing.get("pk")
        if type(key) is not int and (key := key_of(thing)) is None:
            self.things_differ = True
            return
        known = self.things.setdefault((table, key), thing)
        self.things_differ |= known is not thing and known != thing

    def add(self, seen: _Walk, place: str) -> None:
        """Count in what another walk gathered over the value that is being read, as if it began here."""
        self.irregular |= seen.irregular
        self.things_differ |= seen.things_differ
        for (inside, kind), count in seen.masks.items():
            add(self.masks, _within(place, inside), kind, count)
        for inside, rows in seen.set_sizes.items():
            self.count(f"{place}.{inside}", rows)
        for inside in seen.missing:
            self.missing.add(f"{place}.{inside}")
        for entry in seen.unmapped:
            self.unmapped.append(Unmapped(self.document, _render([*self.path, entry.path]), entry.value))
        for name, thing in seen.things.items():
            known = self.things.setdefault(name, thing)
            self.things_differ |= known is not thing and known != thing


# A visit takes a value that is not `None` and gives what is stored in its place: the same object where nothing changes.
_Visit = Callable[[Any, _Walk], Any]


class Validator:
    """Checks and redacts documents; safe to share between threads."""

    def __init__(self, contract: Contract, privacy: Privacy) -> None:
        self._contract = contract
        self.documents = contract.documents
        self.contract_version = contract_version(contract)
        self.privacy = privacy
        self._treatments = {kind: privacy.treatment(kind) for kind in Personal}
        self._keeps_people = privacy.mode is PrivacyMode.CLEAR
        self.shapes = shapes = {document: document_shape(contract, document) for document in contract.documents}
        self._cleaner = FreeFormCleaner(_guarded_names(shapes.values()), None if self._keeps_people else self._treat)
        self._lets_pass = self._cleaner.lets_pass
        self._personal_names = {
            name: node.personal
            for shape in shapes.values()
            for name, node in _named_nodes(shape)
            if isinstance(node, Leaf) and node.personal is not None
        }
        self._copies = [
            # Most are under the same name in the order itself.
            (name, steps(copy.path) if copy.path != name or name == "pk" else None, copy.type)
            for name, copy in _named_nodes(shapes[Document.DETAIL])
            if isinstance(copy, CopyOf)
        ]
        self._known = Known()
        self._pointed_to: dict[Hashable, _Remembering] = {}
        self._strict = {document: self._compile(shape, "", False) for document, shape in shapes.items()}
        self._lenient = {document: self._compile(shape, "", True) for document, shape in shapes.items()}

    @cached_property
    def dropping(self) -> Validator:
        """The same validator with personal data dropped."""
        return Validator(self._contract, Privacy(PrivacyMode.DROP))

    def check(self, document: Document, body: bytes | str) -> Passed:
        """Check and redact one document: a JSON object for the detail, a JSON list for items and discounts.

        Raises `Refused`.
        """
        return self.check_value(document, read(document, body))

    def check_value(self, document: Document, root: Any) -> Passed:
        """Check and redact a document that `read` has read; changes it in place. Raises `Refused`."""
        walk = _Walk(document)
        try:
            expected = list if document.paged else dict
            if type(root) is not expected:
                raise MisfitError(f"expected {kind_of(expected())}, got {kind_of(root)}")
            self._strict[document](root, walk)
            if walk.copies:
                self._compare_copies(root, walk)
            for lost_path, value in lost_values(self.shapes[document], root) if walk.things_differ else ():
                walk.unmapped.append(Unmapped(document, _render(lost_path), exact_json.dumps(value)))
            text = exact_json.dumps(root)
        except UnicodeEncodeError:
            raise Refused(document, _render(walk.path), "text with half a surrogate pair") from None
        except (MisfitError, ExactJsonError) as error:
            raise Refused(document, _render(walk.path), str(error)) from None
        except RecursionError:
            raise Refused(document, "", "nested too deeply") from None
        except Exception as error:
            # What nobody foresaw is the trouble of this order alone.
            raise unforeseen(document, error, _render(walk.path)) from error
        missing = tuple(sorted(walk.missing))
        return Passed(text, tuple(walk.unmapped), walk.masks, walk.irregular, missing, walk.set_sizes)

    def redact_refused(self, document: Document, body: bytes | str) -> str | None:
        """A refused document as it may be kept in quarantine: secrets out, personal data treated.

        Gives `None` where no JSON value can be read: nothing in such text can be told apart from a secret.
        """
        try:
            root = read_loosely(document, body)
        except Refused:
            return None
        return self.redact_refused_value(document, root)

    def redact_refused_value(self, document: Document, root: Any) -> str | None:
        """Like `redact_refused`, for a value that was read already; may change it in place."""
        try:
            value = exact_json.mended(root)
            return exact_json.dumps(None if value is None else self._lenient[document](value, _Walk(document)))
        except Exception:  # noqa: BLE001 - what cannot be redacted is not kept, whatever the reason
            return None

    def _compile(self, shape: Shape, place: str, lenient: bool) -> _Visit:
        """Turn a node of the contract's tree into a visit; a lenient one redacts and never refuses."""
        match shape:
            case Leaf():
                visit = self._leaf(shape)
            case Record():
                visit = self._record(shape, place, lenient)
            case SetOf():
                visit = self._set(shape, f"{place}[]", lenient)
            case FreeForm():
                visit = self._free_form(shape).at(place)
            case Removed():
                visit = _remove
            case CopyOf():
                visit = self._copy(shape)
        return self._forgiving(visit, shape) if lenient else visit

    def _forgiving(self, visit: _Visit, shape: Shape) -> _Visit:
        kind = shape.personal if isinstance(shape, Leaf | CopyOf) else None
        is_gateway_text = isinstance(shape, Leaf) and shape.gateway_text

        def forgiving(value: Any, walk: _Walk) -> Any:
            try:
                return visit(value, walk)
            except MisfitError:
                if is_gateway_text:
                    return MASK
                return self._cleaned(self._without_known_people(value), walk, kind)

        return forgiving

    def _record(self, shape: Record, place: str, lenient: bool) -> _Visit:
        places = {name: f"{place}.{name}".lstrip(".") for name in shape.children}
        compiled = self._compile if lenient else self._part
        visits = {name: compiled(child, places[name], lenient) for name, child in shape.children.items()}
        required = frozenset(
            name for name, child in shape.children.items() if isinstance(child, Leaf) and child.required and not lenient
        )
        promised = frozenset(name for name, child in shape.children.items() if is_promised(child))
        expected, width = promised | required, len(shape.children)
        passing = nothing_passes(shape) if lenient else self._known.passing(shape)
        has_copies = any(isinstance(child, CopyOf) for child in shape.children.values())
        has_key = "pk" in shape.children
        table = shape.thing[0] if shape.thing is not None and not lenient else ""
        if table:
            # What an order points to may come without its key: its order is good, and nothing of it gets lost.
            required -= {"pk"}
            passing[type(None)]["pk"] = (None,)
        other_key = has_key and "id" not in shape.children and not lenient

        def visit(value: Any, walk: _Walk) -> Any:
            if type(value) is not dict:
                if value in ("", []):
                    return value
                if has_key and is_key(value):
                    # Flat answers give what an order points to as its key.
                    walk.irregular = True
                    if has_copies:
                        walk.copies.append((walk.path.copy(), value))
                    if table:
                        walk.point_to(table, {"pk": value})
                    return value
                raise MisfitError(f"expected an object, got {kind_of(value)}")
            if not value:
                return value
            path = walk.path
            path.append("")
            unknown: list[str] = []
            for name, part in value.items():
                # Most values end here, so this line is what a document costs.
                try:
                    if part in passing[type(part)][name]:
                        continue
                except KeyError:
                    unknown.append(name)
                    continue
                path[-1] = name
                if part is None:
                    raise MisfitError(_REQUIRED)
                stored = visits[name](part, walk)
                if stored is not part:
                    value[name] = stored
            # As many as there are and none unknown: none is missing.
            if (unknown or len(value) < width) and not expected <= value.keys():
                missing = expected - value.keys()
                if other_key and "pk" in missing and is_key(value.get("id")):
                    # The vendor's OpenAPI pages name some keys so.
                    walk.irregular = True
                    missing -= {"pk"}
                    unknown.remove("id")
                for name in required & missing:
                    path[-1] = name
                    raise MisfitError(_REQUIRED)
                walk.missing.update(places[name] for name in promised & missing)
            for name in unknown:
                self._take_unknown(name, value, walk)
            path.pop()
            if has_copies:
                walk.copies.append((path.copy(), value))
            if table:
                walk.point_to(table, value)
            return value

        return visit

    def _set(self, shape: SetOf, place: str, lenient: bool) -> _Visit:
        element = self._compile(shape.element, place, lenient)

        def visit(value: Any, walk: _Walk) -> Any:
            if type(value) is not list:
                if value in ("", {}):
                    return value
                if type(value) is not dict:
                    raise MisfitError(f"expected a set, got {kind_of(value)}")
                walk.irregular = True
                walk.count(place, 1)
                return element(value, walk)
            walk.count(place, len(value))
            if not value:
                return value
            path = walk.path
            path.append("")
            for position, part in enumerate(value):
                path[-1] = f"[{position}]"
                if type(part) is dict and part:
                    value[position] = element(part, walk)
                elif type(part) is int:
                    # Flat answers give a set as the keys of its rows.
                    check_fits_64_bits(part)
                    walk.irregular = True
                else:
                    raise MisfitError(f"expected an object in the set, got {kind_of(part) if part else 'nothing'}")
            path.pop()
            return value

        return visit

    def _part(self, shape: Shape, place: str, lenient: bool = False) -> _Visit:
        """The visit of a field; what has a key repeats within and across orders, and in several places."""
        form = _form(shape)
        if not isinstance(shape, Record) or "pk" not in shape.children or form is None:
            return self._compile(shape, place, lenient)
        if form not in self._pointed_to:
            self._pointed_to[form] = _Remembering(self._record(shape, "", lenient))
        return self._pointed_to[form].at(place)

    def _free_form(self, shape: FreeForm) -> _Remembering:
        # Without columns inside, one is like the other, and what was seen of one is known of all.
        return self._any_free_form if not shape.children else _Remembering(self._free_form_with(shape.children))

    @cached_property
    def _any_free_form(self) -> _Remembering:
        return _Remembering(self._free_form_with({}))

    def _free_form_with(self, children: Mapping[str, Leaf]) -> _Visit:
        checks = {name: check_of(leaf.type) for name, leaf in children.items()}

        def visit(value: Any, walk: _Walk) -> Any:
            if type(value) is dict:
                if not value:
                    return value
                for name, check in checks.items():
                    if value.get(name) is not None:
                        walk.path.append(name)
                        if check(value[name]):
                            walk.irregular = True
                        walk.path.pop()
            elif type(value) is not list:
                walk.irregular = True
            if has_number(value):
                walk.irregular = True
            return self._cleaned(value, walk)

        return visit

    def _leaf(self, leaf: Leaf) -> _Visit:
        if leaf.gateway_text:
            return _gateway_text
        if leaf.personal is not None:
            return self._personal_leaf(leaf, leaf.personal)
        check, known = check_of(leaf.type), self._known.texts(leaf)

        def visit(value: Any, walk: _Walk) -> Any:
            if leaf.required and value == "":
                raise MisfitError(_REQUIRED)
            if check(value):
                walk.irregular = True
            elif type(value) is str:
                known.learn(value)
            return value

        def visit_text(value: Any, walk: _Walk) -> Any:
            if type(value) is not str or not value:
                return visit(value, walk)
            stored = self._clean_text(value, walk)
            if stored is value:
                known.learn(value)
            return stored

        return visit_text if leaf.type == TEXT else visit

    def _personal_leaf(self, leaf: Leaf, kind: Personal) -> _Visit:
        check = check_of(leaf.type)
        treat = self._treatments[kind]
        # A token does not fit into a column that is not text; such a value is dropped instead.
        fits = leaf.type == TEXT or self._keeps_people

        def visit(value: Any, walk: _Walk) -> Any:
            if check(value):
                walk.irregular = True
            if value == "":
                return value
            if not fits:
                return None
            return self._clean_text(value, walk) if self._keeps_people and type(value) is str else treat(as_text(value))

        def visit_text(value: Any, walk: _Walk) -> Any:
            return treat(value) if type(value) is str and value else visit(value, walk)

        return visit_text if leaf.type == TEXT and not self._keeps_people and not leaf.required else visit

    def _copy(self, shape: CopyOf) -> _Visit:
        is_text = shape.type == TEXT and shape.personal is None
        known = self._known.texts(shape)

        def visit(value: Any, walk: _Walk) -> Any:
            kind = type(value)
            if shape.personal is None and (kind is int or kind is bool or kind is Number):
                return value
            if is_text and kind is str:
                stored = self._clean_text(value, walk)
            elif kind is str and shape.personal is None and is_plain(value):
                stored = value
            else:
                stored = self._cleaned(value, walk, shape.personal)
            if kind is str and stored is value:
                known.learn(value)
            return stored

        return visit

    def _take_unknown(self, name: str, holder: dict[str, Any], walk: _Walk) -> None:
        """Store a field that the contract does not know under a name and with a value that may be kept."""
        walk.path.pop()
        ((safe_name, stored),) = self._cleaned({name: holder.pop(name)}, walk).items()
        walk.path.append("")
        safe_name = free_name(safe_name, holder)
        holder[safe_name] = stored
        walk.path[-1] = _quoted(safe_name)
        walk.unmapped.append(Unmapped(walk.document, _render(walk.path), exact_json.dumps(stored)))

    def _without_known_people(self, value: Any, name: str = "") -> Any:
        """A value that is not where it should be, with the fields treated that are personal where they should be."""
        if type(value) is dict:
            return {key: self._without_known_people(part, key) for key, part in value.items()}
        if type(value) is list:
            return [self._without_known_people(part, name) for part in value]
        kind = self._personal_names.get(name)
        if kind is None or value in (None, "", MASK):
            return value
        return self._treatments[kind](as_text(value))

    def _treat(self, kind: Personal, value: str) -> str | None:
        return self._treatments[kind](value)

    def _cleaned(self, value: Any, walk: _Walk, kind: Personal | None = None) -> Any:
        """A value that the contract does not describe as it may be stored; `kind` is what is known of it."""
        if kind is not None and type(value) is str:
            return self._cleaner.treated(kind, value)
        if type(value) not in (str, dict, list) and kind is not None and value is not None and type(value) is not bool:
            return value if self._keeps_people else self._treatments[kind](as_text(value))
        masks = Masks()
        cleaned = self._cleaner.clean(value, masks, kind=kind)
        if masks and kind is None:
            walk.take(masks)
        return cleaned

    def _clean_text(self, text: str, walk: _Walk) -> str:
        if self._lets_pass(text):
            return text
        masks = Masks()
        cleaned = self._cleaner.clean_text(text, masks, is_known=True)
        if masks:
            walk.take(masks)
        return cleaned

    def _compare_copies(self, root: Any, walk: _Walk) -> None:
        """What an order's copy says differently from the order is kept as unmapped."""
        for path, holder in walk.copies:
            if type(holder) is not dict:
                if comparable(holder, BIGINT) != comparable(root.get("pk"), BIGINT):
                    walk.unmapped.append(Unmapped(walk.document, _render(path), exact_json.dumps(holder)))
                continue
            for name, steps_, type_ in self._copies:
                if name not in holder:
                    continue
                copy, original = holder[name], root.get(name) if steps_ is None else _follow(root, steps_)
                if copy != original and comparable(copy, type_) != comparable(original, type_):
                    where = _render([*path, name])
                    walk.unmapped.append(Unmapped(walk.document, where, exact_json.dumps(copy)))


def read(document: Document, body: bytes | str) -> Any:
    """The exact value of a response. Raises `Refused` for what is not clean JSON in UTF-8."""
    try:
        return exact_json.loads(body)
    except ExactJsonError as error:
        raise Refused(document, "", str(error)) from None
    except UnicodeDecodeError as error:
        raise Refused(document, "", f"not UTF-8 at byte {error.start}") from None


def read_loosely(document: Document, body: bytes | str) -> Any:
    """The value of a response that `read` refuses, as far as there is one. Raises `Refused` where there is none."""
    try:
        return exact_json.loads_loosely(body if isinstance(body, str) else body.decode(errors="replace"))
    except ExactJsonError as error:
        raise Refused(document, "", str(error)) from None


class _Remembering:
    """A visit that remembers what came of a value, without the way to it, since it may be seen elsewhere."""

    def __init__(self, visit: _Visit) -> None:
        self._visit = visit
        self._known: dict[bytes, tuple[Any, _Walk]] = {}

    def at(self, place: str) -> _Visit:
        """The visit of a value that is counted under this place."""
        known, visit = self._known, self._visit

        def remembered(value: Any, walk: _Walk) -> Any:
            if type(value) is int:
                return visit(value, walk)
            try:
                text = exact_json.encode(value)
            except ExactJsonError:
                # Where it has no such text may be said more exactly.
                self._seen(value, walk)
                raise
            found = known.get(text)
            if found is None:
                found = self._seen(value, walk)
                if len(text) <= _LONGEST_REMEMBERED:
                    if len(known) >= _MOST_REMEMBERED:
                        known.clear()
                    known[text] = found
            stored, seen = found
            walk.add(seen, place)
            return stored

        return remembered

    def _seen(self, value: Any, walk: _Walk) -> tuple[Any, _Walk]:
        inside = _Walk(walk.document)
        try:
            return self._visit(value, inside), inside
        finally:
            # There is a rest of the way where it ended before its time.
            walk.path.extend(inside.path)


def _remove(value: Any, _walk: _Walk) -> Any:
    return value if value in ("", {}, []) else MASK


def _gateway_text(value: Any, walk: _Walk) -> Any:
    kind = type(value)
    if kind is not str:
        if kind is not dict and kind is not list:
            raise MisfitError(f"expected text or an object, got {kind_of(value)}")
        walk.irregular = walk.irregular or has_number(value)
    cleaned, count = clean_gateway_text(value)
    if count:
        add(walk.masks, walk.place(), GATEWAY, count)
    return cleaned


def _named_nodes(shape: Shape) -> list[tuple[str, Shape]]:
    """All named nodes of a tree with their names."""
    if isinstance(shape, SetOf):
        return _named_nodes(shape.element)
    if not isinstance(shape, Record):
        return []
    return [entry for name, child in shape.children.items() for entry in ((name, child), *_named_nodes(child))]


def _form(shape: Shape) -> Hashable:
    """What is done to values of a shape, whatever columns they are for; `None` where more of a document counts."""
    match shape:
        case Leaf():
            return shape.type, shape.required, shape.personal, shape.gateway_text, shape.promised
        case Record():
            forms = [_form(child) for child in shape.children.values()]
            name = shape.thing and shape.thing[0]
            return None if None in forms else (name, *zip(shape.children, forms, strict=True))
        case SetOf():
            form = _form(shape.element)
            return form and ("set", form)
        case FreeForm():
            return "free", shape.promised, *((name, _form(child)) for name, child in shape.children.items())
        case Removed():
            return "removed"
        case CopyOf():
            return None


def _guarded_names(shapes: Iterable[Shape]) -> dict[str, Callable[[Any], Any]]:
    """The names that hold secrets where the contract knows them, each with what is done to its value anywhere else."""
    guards: dict[str, Callable[[Any], Any]] = {}
    for shape in shapes:
        for name, node in _named_nodes(shape):
            if isinstance(node, Removed):
                guards[name] = _removed
            elif isinstance(node, Leaf) and node.gateway_text:
                guards[name] = _cleaned_gateway_text
    return guards


def _removed(value: Any) -> Any:
    return value if value in (None, "", {}, []) else MASK


def _cleaned_gateway_text(value: Any) -> Any:
    return clean_gateway_text(value)[0] if isinstance(value, (str, dict, list)) and type(value) is not Number else value


def _follow(value: Any, path: Sequence[str]) -> Any:
    for index, step in enumerate(path):
        if isinstance(value, dict):
            value = value.get("id") if step == "pk" and step not in value else value.get(step)
        elif isinstance(value, list) and step == "[]":
            return [_follow(part, path[index + 1 :]) for part in value]
        elif step != "pk":
            return None
    return value


@lru_cache(maxsize=4096)
def _place(path: tuple[str, ...]) -> str:
    return _render(["[]" if step[:1] == "[" else step for step in path])


@lru_cache(maxsize=4096)
def _within(place: str, inside: str) -> str:
    return _render([place, inside] if place and inside else [place or inside])


def _quoted(name: str) -> str:
    """A name as a step of a path: in quotes where it has the signs of one."""
    return name if re.fullmatch(r"[^.\[\]\"]+", name) else json.dumps(name, ensure_ascii=False)


def _render(path: Sequence[str]) -> str:
    # A name with half a surrogate pair could not be stored.
    return str(exact_json.mended(".".join(path).replace(".[", "[")))
