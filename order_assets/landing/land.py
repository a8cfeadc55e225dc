"""From the answers for one order to its row in landing: checked, redacted, hashed, or refused whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.core import exact_json
from order_assets.landing.index import ListedOrder
from order_assets.landing.landing_schema import Outcome
from order_assets.redaction.free_text import Said, said_in, without_mentions
from order_assets.redaction.typed_values import as_text
from order_assets.redaction.validator import Passed, Refused, Validator, read, read_loosely, unforeseen


class Fetched(Protocol):
    """What a client brings for an order: answers as bytes; pages with or without an envelope."""

    @property
    def detail(self) -> bytes | None:
        """The detail document; `None` when the order is gone."""

    @property
    def pages(self) -> Mapping[str, Sequence[bytes]]:
        """The answers of each document by its name, one for each page; without what the order does not have."""

    @property
    def requests(self) -> int:
        """Requests made for the order."""

    @property
    def retries(self) -> int:
        """Requests that were repeats."""

    @property
    def bytes(self) -> int:
        """Bytes received."""

    @property
    def fetched_at(self) -> datetime:
        """When the first answer came, UTC."""


@dataclass(frozen=True)
class _Nothing:
    """What an answer costs of which nothing is kept."""

    fetched_at: datetime
    requests: int = 0
    retries: int = 0
    bytes: int = 0


def receive(
    validator: Validator, listed: ListedOrder, fetched: Fetched, forgotten: Collection[int] = ()
) -> dict[str, Any]:
    """The landing row of an order: landed, quarantined, or without documents where the order is gone.

    Of an order whose customer is `erasure` all personal data is dropped, whatever the privacy settings, and what
    other fields say about the person goes as well.
    """
    row = _empty_row(validator, listed, fetched)
    try:
        return row | _received(validator, listed, fetched, forgotten)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about this order alone
        return row | quarantined_columns(unforeseen(Document.DETAIL, error))


def misfit_row(validator: Validator, listed: ListedOrder, document: str, reason: str) -> dict[str, Any]:
    """The landing row of an order whose answer is no document of it: in quarantine, without documents."""
    row = _empty_row(validator, listed, _Nothing(datetime.now(UTC)))
    refused = Refused(next(of for of in validator.documents if of.name == document), "", reason)
    return row | quarantined_columns(refused)


def _received(
    validator: Validator, listed: ListedOrder, fetched: Fetched, forgotten: Collection[int]
) -> dict[str, Any]:
    """What the answers make of the order."""
    if fetched.detail is None:
        return {
            "outcome": Outcome.TOMBSTONED.value,
            "reason": "the API answered 404 for the listed order",
        }
    bodies: dict[Document, Any] = {}
    said: Said | None = None
    try:
        for document, pages in _answers(validator, fetched):
            bodies[document] = _read_pages(document, pages)
        _check_identity(bodies[Document.DETAIL], listed)
        if forgotten and not customers_of(bodies[Document.DETAIL]).isdisjoint(forgotten):
            validator = validator.dropping
            said = said_in(bodies, validator.shapes)
        passed = {document: validator.check_value(document, body) for document, body in bodies.items()}
        if said is not None:
            passed = {
                document: validator.check(document, without_mentions(found.text, validator.shapes[document], said))
                for document, found in passed.items()
            }
            bodies[Document.DETAIL] = read(Document.DETAIL, passed[Document.DETAIL].text)
    except Refused as refused:
        return _refused(validator, refused, fetched, forgotten)
    return landed_columns(passed, bodies[Document.DETAIL]) | _further(validator, listed)


def _answers(validator: Validator, fetched: Fetched) -> Iterator[tuple[Document, Sequence[bytes]]]:
    for document in validator.documents:
        if document in DOCUMENTS or document.name in fetched.pages:
            yield document, fetched.pages.get(document.name, ())


def _further(validator: Validator, listed: ListedOrder) -> dict[str, Any]:
    """The columns of documents beyond those of every order; nothing where there are none."""
    further = [document for document in validator.documents if document not in DOCUMENTS]
    asked = [document.name for document in further if document.is_of(listed.date_placed)]
    return {"further_documents": ",".join(asked)} if asked else {}


def customers_of(detail: Any) -> set[int]:
    """The keys of the customers that a detail document is about."""
    if not isinstance(detail, dict):
        return set()
    found = set()
    for holder in (detail, *(detail.get(name) for name in ("shipping_address", "billing_address"))):
        customer = holder.get("customer") if isinstance(holder, dict) else None
        pk = customer.get("pk", customer.get("id")) if isinstance(customer, dict) else customer
        if (key := exact_json.whole(pk)) is not None:
            found.add(key)
    return found


def _empty_row(validator: Validator, listed: ListedOrder, fetched: Fetched | _Nothing) -> dict[str, Any]:
    return {
        "order_pk": listed.pk,
        "number": listed.number,
        "date_placed": listed.date_placed,
        "listed_modified_date": listed.modified_date,
        "listed_created_date": listed.created_date,
        "listed_children_modified_date": listed.children_modified_date,
        "listed_checkout_provider_id": listed.checkout_provider_id,
        "listed_fingerprint": listed.fingerprint,
        "listed_row_changed_at": listed.row_changed_at,
        "fetched_at": fetched.fetched_at,
        "unmapped": "[]",
        "missing": "[]",
        "set_sizes": "{}",
        "irregular": False,
        "masked": 0,
        "masked_paths": "[]",
        "contract_version": validator.contract_version,
        "privacy_policy": validator.privacy.policy,
        "requests": fetched.requests,
        "retries": fetched.retries,
        "bytes": fetched.bytes,
    }


def check_again(validator: Validator, texts: Mapping[Document, str | None]) -> dict[str, Any]:
    """The columns of a landing row that follow from documents as they are stored. Raises `Refused`."""
    try:
        bodies = {
            document: read(document, text or "[]")
            for document, text in texts.items()
            if text is not None or document in DOCUMENTS
        }
        passed = {document: validator.check_value(document, body) for document, body in bodies.items()}
        return landed_columns(passed, bodies[Document.DETAIL])
    except Refused:
        raise
    except Exception as error:
        raise unforeseen(Document.DETAIL, error) from error


def landed_columns(passed: Mapping[Document, Passed], detail: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a landing row that follow from its documents, all of which passed.

    `detail` is the value of the detail document as it passed.
    """
    digest = hashlib.sha256()
    for found in passed.values():
        digest.update(found.text.encode() + b"\0")
    return {
        "outcome": Outcome.LANDED.value,
        **{document.name: found.text for document, found in passed.items()},
        "unmapped": json.dumps(
            [
                {"document": entry.document.name, "path": entry.path, "value": entry.value}
                for found in passed.values()
                for entry in found.unmapped
            ],
            ensure_ascii=False,
        ),
        "missing": json.dumps(
            sorted(f"{document.name}:{path}" for document, found in passed.items() for path in found.missing)
        ),
        "set_sizes": json.dumps(
            {
                f"{document.name}:{path}": size
                for document, found in passed.items()
                for path, size in found.set_sizes.items()
            }
        ),
        "irregular": any(found.irregular for found in passed.values()),
        "masked": sum(found.masked for found in passed.values()),
        "masked_paths": json.dumps(
            [
                {"document": document.name, "path": path, "kind": kind, "count": count}
                for document, found in passed.items()
                for (path, kind), count in sorted(found.masks.items())
            ],
            ensure_ascii=False,
        ),
        "content_hash": digest.hexdigest(),
        "status": _text(detail.get("status")),
        "cancel_status": _text(detail.get("cancel_status")),
    }


def _text(value: Any) -> str | None:
    """A single value as the tables say it."""
    return None if value is None else as_text(value)


def _refused(validator: Validator, refused: Refused, fetched: Fetched, forgotten: Collection[int]) -> dict[str, Any]:
    """What is kept of an order that was refused: its documents read again, since checking changes them."""
    assert fetched.detail is not None  # noqa: S101 - an order that is gone is never refused
    readers: dict[Document, Callable[[], Any]] = {
        document: partial(_read_pages, document, pages, read_loosely)
        for document, pages in _answers(validator, fetched)
    }
    values = {document: _or_none(reader) for document, reader in readers.items()}
    said: Said | None = None
    if forgotten and not customers_of(values[Document.DETAIL]).isdisjoint(forgotten):
        validator = validator.dropping
        said = said_in(values, validator.shapes)
    kept: dict[str, str | None] = {}
    for document, value in values.items():
        text = None if value is None else validator.redact_refused_value(document, value)
        if text is not None and said is not None:
            text = without_mentions(text, validator.shapes[document], said)
        kept[document.name] = text
    return quarantined_columns(refused) | kept


def quarantined_columns(refused: Refused) -> dict[str, Any]:
    """The columns of a landing row that say why its order waits in quarantine."""
    return {
        "outcome": Outcome.QUARANTINED.value,
        "refused_document": refused.document.name,
        "refused_path": refused.path,
        "reason": refused.reason,
    }


def _or_none(reader: Callable[[], Any]) -> Any:
    try:
        return reader()
    except Refused:
        return None


def _check_identity(detail: Any, listed: ListedOrder) -> None:
    if not isinstance(detail, dict):
        return
    if detail.get("pk", detail.get("id")) != listed.pk:
        raise Refused(Document.DETAIL, "pk", f"the answer is not the order {listed.pk} that was asked for")
    # A number that the list does not have, or has with broken characters, says nothing.
    is_readable = listed.number and "\ufffd" not in listed.number
    if is_readable and str(detail.get("number")) != listed.number:
        raise Refused(Document.DETAIL, "number", "the number is not the one in the order list")


def _read_pages(document: Document, pages: Sequence[bytes], reader: Callable[[Document, bytes], Any] = read) -> Any:
    """The value of a document: that of its one answer, or the rows of all its pages."""
    if not document.paged:
        return reader(document, pages[0])
    rows: list[Any] = []
    for body in pages:
        page = reader(document, body)
        found = page.get("results") if isinstance(page, dict) else page
        if not isinstance(found, list):
            raise Refused(document, "", "a page has no list of results")
        rows.extend(found)
    return rows
