"""The documents of an order, as the contract declares them: its detail, its items, its discount items and more.

Belongs here: which calls an order takes and when their answers belong to the order. Not here: paging
(`pagination`), and reading the documents, which the landing room does from the untouched bytes.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.omnitron.api_errors import (
    OmnitronAnswerError,
    OmnitronError,
    OmnitronMisfitError,
    OmnitronNotFoundError,
)
from order_assets.omnitron.pagination import ORDERS_PATH, Row, walk_pages
from order_assets.omnitron.response import Response
from order_assets.omnitron.session import Session

# The text of an answer as it came.
Body = bytes
_PAGE_LIMIT = 100
_MOST_PAGES = 1000


@dataclass(frozen=True)
class OrderDocuments:
    """What the API gave for one order.

    `status` is `gone` when the order does not exist any more: there are no pages then. `pages` has the answers of each
    document by its name, as they came, each page with its envelope; an optional one that the order lacks is not there.
    `fetched_at` is the moment (UTC, our clock) before the first request, `server_date` the Date of the detail by the
    server's clock. `requests` counts repeats, not logins; `bytes` is after decompression; `seconds` includes waiting.
    """

    order_pk: int
    status: Literal["fetched", "gone"]
    pages: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    requests: int
    retries: int
    bytes: int
    seconds: float
    fetched_at: datetime
    server_date: datetime | None = None

    @property
    def detail(self) -> Body | None:
        """The detail; None when the order is gone."""
        return next(iter(self.pages.get(Document.DETAIL.name, ())), None)


class _UncleanPageError(Exception):
    """Ends the walk at a page that is not clean JSON."""

    def __init__(self, page: Response) -> None:
        super().__init__("a page is not clean JSON")
        self.page = page


class _NoPageError(_UncleanPageError):
    """Ends the walk where an optional document is not there."""


def order_documents(session: Session, order_pk: int, documents: Sequence[Document] = DOCUMENTS) -> OrderDocuments:
    """Fetch the documents of one order, with all their pages; the detail, which says whether it is there, is first.

    Text that calls itself JSON and is not, also when asked for again, is given as it came: whoever reads the documents
    refuses them and can say why. Raises OmnitronError; one that is not `systemic` concerns this order only.
    """
    fetched_at = datetime.now(UTC)
    with _guarded(session, order_pk, "detail"):
        about = f"order {order_pk}, detail"
        detail = session.get(_detail_path(order_pk), about=about, missing_ok=True, unclean_ok=True)
        if detail.status == 404:
            _require_details(session, order_pk)
            return _documents(order_pk, fetched_at, detail, {})
        _check_detail(session, order_pk, detail)
    answers = {Document.DETAIL.name: [detail]}
    for document in documents:
        if document != Document.DETAIL:
            with _guarded(session, order_pk, document.name):
                answers[document.name] = _answers(session, order_pk, document)
    return _documents(order_pk, fetched_at, detail, answers)


def _answers(session: Session, order_pk: int, document: Document) -> list[Response]:
    if document.paged:
        return _pages(session, order_pk, document)
    title = document.title or document.name
    answer = session.get(
        document.path.format(order_id=order_pk),
        _parameters(document, order_pk),
        about=f"order {order_pk}, {title}",
        missing_ok=document.optional,
        unclean_ok=True,
    )
    if answer.is_clean and answer.status != 404:
        if not isinstance(answer.value, dict):
            message = f"Order {order_pk}: its {title} is not a JSON object. Fetch the order again later."
            raise _misfit(session, document.name, message)
        if _owner(answer.value) not in (None, order_pk):
            message = f"Order {order_pk}: the {title} that came is that of another order. Fetch the order again later."
            raise _misfit(session, document.name, message)
    return [answer]


def _parameters(document: Document, order_pk: int) -> dict[str, str]:
    return {name: value.format(order_id=order_pk) for name, value in document.parameters.items()}


@contextmanager
def _guarded(session: Session, order_pk: int, document: str) -> Iterator[None]:
    """Make what nobody foresaw about an answer an error of this order alone, with its kind and none of its content."""
    try:
        yield
    except (OmnitronError, OSError, MemoryError, sqlite3.Error):
        # These are known, or about this machine.
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about this order alone
        message = f"Order {order_pk}: its {document} could not be read ({type(error).__name__}). Fetch it again later."
        raise _misfit(session, document, message) from None


def _detail_path(order_pk: int) -> str:
    return Document.DETAIL.path.format(order_id=order_pk)


def _require_details(session: Session, order_pk: int) -> None:
    """Make sure that a 404 means an order that is gone, and not that this instance serves no details there.

    It does once any detail was had. Until then that of a listed order is asked for.
    """
    path = _detail_path(order_pk)
    if session.prefixes.is_sure(path):
        return
    rows = next(walk_pages(*_listed(session), most_pages=1)).rows
    listed = next((row["pk"] for row in rows if type(row.get("pk")) is int and row["pk"] != order_pk), None)
    if listed is not None:
        session.get(_detail_path(listed), about=f"order {listed}, detail", missing_ok=True, unclean_ok=True)
    if not session.prefixes.is_sure(path):
        other = (
            "and no other order is listed" if listed is None else f"and so did that of order {listed}, which is listed"
        )
        raise session.explain.error(
            OmnitronNotFoundError,
            f"Order {order_pk}: its detail answered 404, {other}: this instance may not serve details there at all. "
            "Nothing is concluded; check OMNITRON_API (i1 or v1), or fetch the order again later.",
            kind="transient",
        )


def _listed(session: Session) -> tuple[Callable[[int], Response], Callable[[str], OmnitronAnswerError]]:
    """How to ask for a few rows of the order list."""

    def fetch(number: int) -> Response:
        return session.get(ORDERS_PATH, {"limit": 5, "page": number}, about="check of the details")

    def complain(problem: str) -> OmnitronAnswerError:
        return session.explain.error(OmnitronAnswerError, f"The order list cannot be trusted: {problem}.")

    return fetch, complain


def _documents(
    order_pk: int, fetched_at: datetime, detail: Response, found: Mapping[str, list[Response]]
) -> OrderDocuments:
    answers = [answer for pages in found.values() for answer in pages] or [detail]
    retries = sum(answer.retries for answer in answers)
    gone = detail.status == 404
    return OrderDocuments(
        order_pk=order_pk,
        status="gone" if gone else "fetched",
        pages={
            name: tuple(page.body for page in pages)
            for name, pages in found.items()
            if not any(page.status == 404 for page in pages[:1])
        },
        requests=len(answers) + retries,
        retries=retries,
        bytes=sum(len(answer.body) for answer in answers),
        seconds=sum(answer.seconds for answer in answers),
        fetched_at=fetched_at,
        server_date=detail.server_date,
    )


def _check_detail(session: Session, order_pk: int, detail: Response) -> None:
    """The detail is one object, and that of the order that was asked for."""
    if not detail.is_clean:
        return
    value = detail.value
    if not isinstance(value, dict):
        raise _misfit(
            session, "detail", f"Order {order_pk}: its detail is not a JSON object. Fetch the order again later."
        )
    if value.get("pk", order_pk) != order_pk:
        raise _misfit(
            session,
            "detail",
            f"Order {order_pk}: the detail that came is that of another order. A cache in between may mix up "
            "answers; fetch the order again later.",
        )


def _misfit(session: Session, document: str, message: str) -> OmnitronMisfitError:
    error = session.explain.error(OmnitronMisfitError, message)
    error.document = document
    return error


def _pages(session: Session, order_pk: int, document: Document) -> list[Response]:
    """All pages of a list that belongs to an order."""
    title, path = document.title or document.name, document.path.format(order_id=order_pk)

    def fetch(number: int) -> Response:
        query: dict[str, str | int] = {**_parameters(document, order_pk), "limit": _PAGE_LIMIT, "page": number}
        about = f"order {order_pk}, {title}, page {number}"
        missing_ok = number > 1 or document.optional
        page = session.get(path, query, about=about, missing_ok=missing_ok, unclean_ok=True)
        if number == 1 and page.status == 404:
            raise _NoPageError(page)
        if not page.is_clean:
            raise _UncleanPageError(page)
        return page

    def complain(problem: str) -> OmnitronAnswerError:
        return _misfit(
            session,
            document.name,
            f"Order {order_pk}: its {title} at {path} cannot be trusted: {problem}. Fetch the order again later.",
        )

    pages: list[Response] = []
    seen: set[int] = set()
    try:
        for page in walk_pages(fetch, complain, most_pages=_MOST_PAGES):
            _check_rows(page.rows, order_pk, seen, complain)
            pages.append(page.response)
    except _NoPageError as missing:
        pages.append(missing.page)
    except _UncleanPageError as unclean:
        # What follows it cannot be known; the order is refused for this page.
        pages.append(unclean.page)
    return pages


def _owner(row: Mapping[str, object]) -> int | None:
    """The order that a row or an object says it is of; None where it does not say so."""
    owner = row.get("order")
    if isinstance(owner, dict):
        owner = owner.get("pk")
    return owner if isinstance(owner, int) else None


def _check_rows(rows: list[Row], order_pk: int, seen: set[int], complain: Callable[[str], OmnitronAnswerError]) -> None:
    """Rows are of this order and come once.

    The API ignores query parameters that it does not know: without this check a filter that stopped working
    would hand the rows of the whole shop to one order. A row that comes twice means that another one was
    skipped.
    """
    for row in rows:
        if _owner(row) not in (None, order_pk):
            raise complain("a row belongs to another order, so the filter `order` does not work")
        pk = row.get("pk")
        if isinstance(pk, int):
            if pk in seen:
                raise complain("a row came twice, the list changed while it was read")
            seen.add(pk)
