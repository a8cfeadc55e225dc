"""Documents of orders that each break something else in what the code expects, as data.

Most are made by putting a value of a wrong kind where the contract has a place for another; the rest are written down.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from order_assets.contract import CONTRACT, Document
from order_assets.contract.model import DOCUMENTS
from order_assets.contract.shape import CopyOf, FreeForm, Leaf, Record, Removed, SetOf, Shape, document_shape

Step = str | int
Place = tuple[Step, ...]

_HUGE = "7" * 5000
_LONG = json.dumps("ö" * 500_000, ensure_ascii=False)


def _deep(levels: int, opening: str = "[", closing: str = "]", inside: str = "1") -> str:
    return opening * levels + inside + closing * levels


def path_of(place: Place) -> str:
    """A place as the pipeline says it."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


@dataclass(frozen=True)
class Odd:
    """What is odd about an order: in which document, at which place (empty for all of it), and how it gets that way.

    `raw` is the JSON text that stands at the place.
    """

    name: str
    document: Document
    place: Place
    change: Callable[[bytes], bytes]
    raw: str = ""

    @property
    def stays_pending(self) -> bool:
        """Whether it is no answer of the API at all, which says nothing about the order."""
        return self.name.endswith((": a page for people", ": nothing"))

    @property
    def path(self) -> str:
        """The place as the pipeline says it."""
        return path_of(self.place)

    def fits(self, documents: Mapping[Document, Any]) -> bool:
        """Whether the order has this place."""
        found = documents[self.document]
        # An order without items could not show what is odd about them.
        if self.document != Document.DETAIL and not found:
            return False
        for step in self.place:
            if isinstance(step, int):
                if not isinstance(found, list) or len(found) <= step:
                    return False
            elif not isinstance(found, dict) or step not in found:
                return False
            found = found[step]
        return True


_MOMENTS = {
    "a day that is not in the calendar": '"2026-02-30T10:00:00Z"',
    "the hour 24": '"2026-03-01T24:00:00Z"',
    "a leap second": '"2026-03-01T23:59:60Z"',
    "the year 0": '"0000-01-01T00:00:00Z"',
    "a moment before the first year": '"0001-01-01T00:00:00+14:00"',
    "a moment after the last year": '"9999-12-31T23:59:59-12:00"',
    "the month 13": '"2026-13-01T00:00:00Z"',
    "an offset of 99 hours": '"2026-03-01T12:00:00+99:00"',
    "a word": '"yesterday"',
    "seconds since 1970": "1772366400",
    "seconds with a fraction": "1772366400.5",
    "true": "true",
    "an object": '{"date": "2026-03-01"}',
    "a list": '["2026-03-01T00:00:00Z"]',
    "an empty list": "[]",
    "an empty object": "{}",
    "empty text": '""',
    "a day without a time": '"2026-03-01"',
    "a year of five digits": '"12026-03-01T00:00:00Z"',
    "ten digits after the second": '"2026-03-01T10:00:00.1234567891Z"',
    "Arabic digits": '"٢٠٢٦-٠٣-٠١T10:00:00Z"',
    "a week": '"2026-W09-7"',
    "no time zone": '"2026-03-01T10:00:00"',
    "spaces around it": '" 2026-03-01T10:00:00Z "',
    "text with a NUL": '"2026-03-01T10:00:00Z\\u0000"',
    "half a surrogate pair": '"2026-03-01\\ud83d"',
    "an absurd exponent": "1e999999",
}

_AMOUNTS = {
    "thirty digits": '"123456789012345678901234567890.00"',
    "too many decimals": '"10.12345678901"',
    "an exponent in text": '"1e400"',
    "an exponent": "1e400",
    "a tiny exponent": "1E-400",
    "an absurd exponent": "1e999999999999999999999",
    "NaN in text": '"NaN"',
    "NaN": "NaN",
    "Infinity in text": '"Infinity"',
    "minus Infinity": "-Infinity",
    "a signalling NaN": '"sNaN"',
    "true": "true",
    "a decimal comma": '"12,50"',
    "Arabic digits": '"٣.٥"',
    "hexadecimal": '"0x10"',
    "empty text": '""',
    "an empty list": "[]",
    "an empty object": "{}",
    "underscores": '"1_000.00"',
    "spaces around it": '" 1.00 "',
    "minus nothing": '"-0.00"',
    "two signs": '"--1"',
    "a plus": '"+5.00"',
    "an object": '{"amount": "1.00", "currency": "try"}',
    "a list": '["1.00"]',
    "38 nines": "9" * 38,
    "5000 digits": _HUGE,
    "5000 digits in text": f'"{_HUGE}"',
    "a point": '"."',
    "a unit": '"1.00 TL"',
    "a half": '"½"',
}

_WHOLE = {
    "2^63": "9223372036854775808",
    "less than 64 bits hold": "-9223372036854775809",
    "2^63 in text": '"9223372036854775808"',
    "5000 digits": _HUGE,
    "a fraction": "1.5",
    "a whole fraction": "1.0",
    "an exponent": "1e3",
    "an absurd exponent": "1e400",
    "text": '"seven"',
    "a number in text": '"7"',
    "wide digits": '"７"',
    "true": "true",
    "false": "false",
    "hexadecimal": '"0x7"',
    "an object": '{"pk": 7}',
    "a list": "[7]",
    "null": "null",
    "empty text": '""',
    "an empty object": "{}",
    "minus nothing": "-0",
}

_YES_NO = {
    "true in text": '"true"',
    "yes": '"yes"',
    "evet": '"evet"',
    "1": "1",
    "2": "2",
    "1.0": "1.0",
    "an object": '{"value": true}',
    "a list": "[true]",
    "an empty list": "[]",
    "empty text": '""',
    "a capital letter": '"True"',
}

_TEXTS = {
    "a megabyte": _LONG,
    "half a surrogate pair": '"a\\ud800b"',
    "the other half": '"\\udc00"',
    "a NUL": '"a\\u0000b"',
    "a number": "7",
    "an amount": "7.50",
    "true": "true",
    "an object": '{"a": {"b": 1}}',
    "a list": '["a", "b"]',
    "an empty list": "[]",
    "an empty object": "{}",
    "null": "null",
    "empty text": '""',
    "a byte order mark": '"\\ufeffx"',
    "text that turns around": '"\\u202eabc"',
    "a letter with 50,000 accents": json.dumps("a" + "\u0301" * 50_000),
    "an absurd exponent": "1e400",
    "200 lists in each other": _deep(200),
    "JSON in text": json.dumps('{"a": [1, 2, {"b": "c"}]}'),
    "XML in text": json.dumps("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;"),
    "a line separator": '"a\\u2028b\\r\\nc"',
    "no character": '"\\uffff\\ufffe"',
}

_OBJECTS = {
    "a key": "7",
    "a key in text": '"7"',
    "a key of more than 64 bits": "9223372036854775808",
    "a negative key": "-1",
    "a fraction": "7.5",
    "true": "true",
    "null": "null",
    "text": '"none"',
    "empty text": '""',
    "an empty list": "[]",
    "an empty object": "{}",
    "a list of it": '[{"pk": 7}]',
    "an object with an empty key": '{"": 1}',
    "an object with no key": '{"pk": null}',
    "an object with a word for a key": '{"pk": "x"}',
    "an object with an object for a key": '{"pk": {"pk": 1}}',
    "200 objects in each other": _deep(200, '{"a":', "}"),
    "an object that names a field twice": '{"pk": 7, "pk": 8}',
}

_SETS = {
    "null": "null",
    "an object": '{"pk": 7}',
    "objects by their place": '{"0": {"pk": 7}}',
    "an empty object": "{}",
    "empty text": '""',
    "text": '"none"',
    "a number": "7",
    "true": "true",
    "keys": "[7]",
    "keys, one twice": "[7, 7]",
    "keys in text": '["7"]',
    "a key of more than 64 bits": "[9223372036854775808]",
    "a fraction": "[1.5]",
    "true in it": "[true]",
    "null in it": "[null]",
    "a set in it": "[[]]",
    "an empty object in it": "[{}]",
    "rows in a set in it": '[[{"pk": 1}]]',
    "a row without a key": '[{"pk": null}]',
    "a row with a word for a key": '[{"pk": "x"}]',
    "a row twice": '[{"pk": 7}, {"pk": 7}]',
    "rows and keys": '[7, {"pk": 8}]',
    "10,000 keys": json.dumps(list(range(10_000))),
    "10,000 empty rows": json.dumps([{}] * 10_000),
    "10,000 rows": json.dumps([{"pk": 10**12 + number} for number in range(10_000)]),
}

_FREE = {
    "a number": "7",
    "true": "true",
    "text": '"text"',
    "an empty list": "[]",
    "lists in lists": "[1, [2, [3, [null]]]]",
    "empty keys": '{"": {"": 1}}',
    "200 objects in each other": _deep(200, '{"a":', "}"),
    "800 lists in each other": _deep(800),
    "100,000 lists in each other": _deep(100_000),
    "10,000 fields": json.dumps({f"field {number}": number for number in range(10_000)}),
    "a megabyte": f'{{"a": {_LONG}}}',
    "NaN": '{"a": NaN}',
    "half a surrogate pair in a key": '{"\\ud800": 1}',
    "a NUL in a key": '{"a\\u0000b": "\\u0000"}',
    "an absurd exponent": '{"a": 1e400, "b": [1E-999999]}',
    "5000 digits": f'{{"a": {_HUGE}}}',
    "a field twice": '{"a": 1, "a": 2}',
    "a key like a path": '{"a.b[0].c\\"d": [{"x[]": 1}]}',
    "a key of a megabyte": f"{{{_LONG}: 1}}",
}

_SECRETS = {
    "a number": "7",
    "an object": '{"a": [1, 2]}',
    "an empty list": "[]",
    "null": "null",
    "200 lists in each other": _deep(200),
    "true": "true",
}

_COPIES = {
    "a day that is not in the calendar": '"2026-02-30T00:00:00Z"',
    "the hour 24": '"2026-03-01T24:00:00Z"',
    "the year 0": '"0000-01-01"',
    "an object": '{"a": 1}',
    "a list": "[1]",
    "5000 digits": _HUGE,
    "an absurd exponent": "1e999999",
    "NaN in text": '"NaN"',
    "half a surrogate pair": '"\\ud800"',
    "true": "true",
    "null": "null",
    "200 lists in each other": _deep(200),
}


def _kind(shape: Shape) -> str:
    """By what the values are chosen that break this place."""
    match shape:
        case Leaf():
            name = shape.type.duckdb.lower().replace("date", "timestamp")
            return next((kind for kind in ("timestamp", "decimal", "bigint", "boolean") if kind in name), "text")
        case Record():
            return "object"
        case SetOf():
            return "set"
        case FreeForm():
            return "free form"
        case Removed():
            return "secret"
        case CopyOf():
            return "copy"


_VALUES: dict[str, Mapping[str, str]] = {
    "timestamp": _MOMENTS,
    "decimal": _AMOUNTS,
    "bigint": _WHOLE,
    "boolean": _YES_NO,
    "text": _TEXTS,
    "object": _OBJECTS,
    "set": _SETS,
    "free form": _FREE,
    "secret": _SECRETS,
    "copy": _COPIES,
}


def _places(shape: Shape, place: Place = ()) -> Iterator[tuple[Place, Shape]]:
    """All places of a document with what the contract has there; of a set the first row."""
    if place:
        yield place, shape
    if isinstance(shape, SetOf):
        yield from _places(shape.element, (*place, 0))
    elif isinstance(shape, Record):
        for name, child in shape.children.items():
            yield from _places(child, (*place, name))


def _rows(document: Document, parsed: Any) -> Any:
    """What a place is counted from: the detail itself, the rows of a page."""
    return parsed if document == Document.DETAIL else parsed["results"]


def _putting(document: Document, place: Place, raw: str) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        parsed = json.loads(body)
        holder = _rows(document, parsed)
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = "@@odd@@"
        return json.dumps(parsed, ensure_ascii=False).replace('"@@odd@@"', raw).encode()

    return change


def planted(exist: Callable[[Document, Place], bool]) -> Iterator[Odd]:
    """Each value of a wrong kind at a place where it does not belong, each at another one, of those that `exist`."""
    by_kind: dict[str, list[tuple[Document, Place]]] = {kind: [] for kind in _VALUES}
    for document in DOCUMENTS:
        for place, shape in _places(document_shape(CONTRACT, document)):
            if _kind(shape) in by_kind and len(place) > (document != Document.DETAIL) and exist(document, place):
                by_kind[_kind(shape)].append((document, place))
    for kind, values in _VALUES.items():
        # In steps over all of them, so that every document and depth has its share.
        found = by_kind[kind]
        step = next(number for number in (7, 5, 3, 2, 1) if len(found) % number)
        spread = cycle(found[number * step % len(found)] for number in range(len(found)))
        for (what, raw), (document, place) in zip(values.items(), spread, strict=False):
            path = path_of(place)
            yield Odd(
                f"{what} for {kind} at {document.name} {path}", document, place, _putting(document, place, raw), raw
            )


def _raw(text: str | bytes) -> Callable[[bytes], bytes]:
    return lambda _: text if isinstance(text, bytes) else text.encode()


def _with(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps(json.loads(body) | fields).encode()


def _without(*names: str) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps({k: v for k, v in json.loads(body).items() if k not in names}).encode()


def _more(raw_fields: str) -> Callable[[bytes], bytes]:
    """The object with further fields, as JSON text."""
    return lambda body: body.rstrip()[:-1] + b"," + raw_fields.encode() + b"}"


def _each_row(**fields: Any) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        page = json.loads(body)
        return json.dumps(page | {"results": [row | fields for row in page["results"]]}).encode()

    return change


def _page(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps(change(json.loads(body))).encode()


def _all_null(value: Any) -> Any:
    """The same with null for everything that is not what the order is told by."""
    return {name: part if name in ("pk", "number") else None for name, part in value.items()}


def _emptied(value: Any, empty: Any) -> Any:
    kept = ("pk", "number", "date_placed")
    return {n: p if n in kept or not isinstance(p, (dict, list)) else empty for n, p in value.items()}


_DETAILS: dict[str, Callable[[bytes], bytes]] = {
    "null": _raw("null"),
    "true": _raw("true"),
    "a number": _raw("5000"),
    "a string": _raw('"maintenance"'),
    "an empty list": _raw("[]"),
    "an empty object": _raw("{}"),
    "a list of it": lambda body: b"[" + body + b"]",
    "a page of it": lambda body: b'{"count": 1, "next": null, "results": [' + body + b"]}",
    "it as text": lambda body: json.dumps(body.decode()).encode(),
    "half of it": lambda body: body[: len(body) // 2],
    "all but its last sign": lambda body: body.rstrip()[:-1],
    "it twice": lambda body: body + body,
    "a remark after it": lambda body: body + b"<!-- served by cache -->",
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "Latin-5": lambda body: body.replace(b'"number":', '"x": "ş", "number":'.encode("iso8859-9"), 1),
    "a key twice": lambda body: body.replace(b'"pk"', b'"amount": "1.00", "pk"', 1),
    "a trailing comma": lambda body: body.rstrip()[:-1] + b",}",
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "a raw line break in text": lambda body: (
        body.replace(b'"number": "', b'"x": "a\nb", "number": "', 1)
        if b'"number": "' in body
        else body.replace(b'"number":"', b'"x":"a\nb","number":"', 1)
    ),
    "only its key": lambda body: json.dumps({"pk": json.loads(body)["pk"]}).encode(),
    "null everywhere": _page(_all_null),
    "empty lists everywhere": _page(lambda value: _emptied(value, [])),
    "empty objects everywhere": _page(lambda value: _emptied(value, {})),
    "no key": _without("pk"),
    "no number": _without("number"),
    "no date": _without("date_placed"),
    "no status and no currency": _without("status", "currency"),
    "another key": _with(pk=999_999_999),
    "its key as text": lambda body: json.dumps(json.loads(body) | {"pk": str(json.loads(body)["pk"])}).encode(),
    "another number": _with(number="X-1"),
    "a number of another kind": _with(number=17),
    "an error said with status 200": _raw('{"detail": "Internal error", "status_code": 500}'),
    "a page for people": _raw("<html><h1>maintenance</h1></html>"),
    "nothing": _raw(""),
    "100,000 lists in each other": _raw(_deep(100_000)),
    "100,000 lists that never end": _raw("[" * 100_000),
    "a field without a name": _more('"": {"": [1]}'),
    "a field that reads like a path": _more('"transaction_set[0].amount": "1.00", "a\\"b": 1'),
    "10,000 fields that nobody knows": _more(",".join(f'"new field {number}": {number}' for number in range(10_000))),
    "a field with a name of a megabyte": _more(f"{_LONG}: 1"),
    "a field with half a surrogate pair for a name": _more('"\\udead": 1'),
    "a field with a NUL for a name": _more('"\\u0000": "\\u0000"'),
    "a field named as a column of the warehouse": _more('"order_pk": "x", "_fetched_at": 1, "unmapped": []'),
    "a new field with NaN": _more('"weight": NaN'),
    "a new field with 5000 digits": _more(f'"weight": {_HUGE}'),
    "a new field with an absurd exponent": _more('"weight": 1e999999999999'),
    "a new field, 200 deep": _more(f'"tree": {_deep(200)}'),
    "another day": _with(date_placed="2031-01-01T00:00:00Z"),
    "an amount below nothing": _with(amount="-5.00", refund_amount="99999.00"),
    "a currency and a status that nobody knows": _with(currency="☃", status="-1"),
}

_PAGES: dict[str, Callable[[bytes], bytes]] = {
    "null": _raw("null"),
    "a string": _raw('"none"'),
    "no rows": _with(results=None),
    "text for rows": _with(results="[]"),
    "rows by their place": _page(lambda page: page | {"results": {"0": page["results"][0]}}),
    "one bare row": _page(lambda page: page["results"][0]),
    "a bare list": _page(lambda page: page["results"]),
    "numbers for rows": _raw("[5]"),
    "an empty object": _raw("{}"),
    "null among the rows": _page(lambda page: page | {"results": [*page["results"], None]}),
    "an empty row": _page(lambda page: page | {"results": [{}], "count": 1}),
    "rows of another order": _each_row(order=1),
    "rows with the order as an object": _page(
        lambda page: page | {"results": [row | {"order": {"pk": row["order"]}} for row in page["results"]]}
    ),
    "rows with the order as text": _page(
        lambda page: page | {"results": [row | {"order": str(row["order"])} for row in page["results"]]}
    ),
    "rows with no order": _each_row(order=None),
    "rows with true for the order": _each_row(order=True),
    "rows without a key": _each_row(pk=None),
    "rows with a key of text": _each_row(pk="first"),
    "rows with a key that has 5000 digits": lambda body: body.replace(b'"pk":', f'"pk":{_HUGE},"x":'.encode(), 1),
    "a row twice": _page(lambda page: page | {"results": page["results"][:1] * 2, "count": 2}),
    "a count that is text": _with(count="many"),
    "a count below nothing": _with(count=-1),
    "a count that is too large": _with(count=10**12),
    "a count of nothing": _with(count=0),
    "a next page that is not there": _with(next="https://elsewhere.example/?page=2"),
    "a next page that is true": _with(next=True),
    "half of it": lambda body: body[: len(body) // 2],
    "not UTF-8": lambda body: body.replace(b'"results"', b'"x": "\xff", "results"', 1),
    "NaN beside the rows": lambda body: body.replace(b'"results"', b'"x": NaN, "results"', 1),
    "a page for people": _raw("<html>maintenance</html>"),
    "800 lists for a key": lambda body: body.replace(b'"pk":', f'"pk":{_deep(800)},"x":'.encode(), 1),
    "a row, 800 deep": _page(lambda page: page | {"results": [json.loads(_deep(800, '{"a":', "}"))], "count": 1}),
}


def written_down() -> Iterator[Odd]:
    """What is odd about a document as a whole."""
    for name, change in _DETAILS.items():
        yield Odd(f"detail: {name}", Document.DETAIL, (), change)
    for document in (Document.ITEMS, Document.DISCOUNTS):
        for number, (name, change) in enumerate(_PAGES.items()):
            # The two are read by the same code: of discounts every third is enough.
            if document == Document.ITEMS or number % 3 == 0:
                yield Odd(f"{document.name}: {name}", document, (), change)


def given_out(odds: Iterable[Odd], orders: Mapping[int, Mapping[Document, Any]]) -> dict[int, Odd]:
    """An order of its own for each, which has what is to be odd. Raises StopIteration where there are too few."""
    free = dict(orders)
    found: dict[int, Odd] = {}
    for odd in odds:
        pk = next(pk for pk, documents in free.items() if odd.fits(documents))
        del free[pk]
        found[pk] = odd
    return found
