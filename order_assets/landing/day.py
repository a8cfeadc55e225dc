"""What a refresh does with one day: which orders are due, what came of them, the ledger and the report.

Fetching is done by whoever calls: the API is another room's. In which order days are walked is in `refresh`.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.landing.index import ListedOrder
from order_assets.landing.landing_schema import further_names
from order_assets.landing.landing_store import LEDGER_SCHEMA, Landing, Outcome
from order_assets.landing.moves import earlier_days
from order_assets.landing.refetch_policy import NEVER, Reread
from order_assets.landing.staleness import NEW_DOCUMENT, changed, lacks_document
from order_assets.landing.versions import thin_versions


@dataclass(frozen=True)
class Attempt:
    """What came of fetching one order: its landing row, or the text of the error that kept it away.

    Where the shop answered and the answer is no document of the order, `misfit` is the row that puts it into
    quarantine; it counts once the same came before.
    """

    order: ListedOrder
    row: Mapping[str, Any] | None = None
    error: str | None = None
    misfit: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class DayReport:
    """The state of a day after a refresh, and what the refresh did."""

    day: date
    listed: int
    outcomes: Mapping[str, int]
    due: Mapping[str, int]
    carried_over: int
    requests: int
    retries: int
    bytes: int
    seconds: float
    unmapped_orders: int
    masked: int
    masked_paths: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    errors: Mapping[int, str] = field(default_factory=dict)

    @property
    def pending(self) -> int:
        """Listed orders that could not be fetched yet."""
        return self.outcomes[Outcome.PENDING]

    @property
    def adds_up(self) -> bool:
        """Whether listed = landed + tombstoned + quarantined + pending."""
        return self.listed == sum(self.outcomes.values())


def due_orders(
    listed: Sequence[ListedOrder],
    current: Mapping[int, Mapping[str, Any]],
    privacy_policy: str,
    *,
    refetch: bool = False,
    reread: Reread = NEVER,
    documents: Sequence[Document] = DOCUMENTS,
    day: date | None = None,
    now: datetime | None = None,
) -> Iterator[tuple[ListedOrder, str]]:
    """The orders of a day to fetch, each with the reason that is counted in the report; `current` are landing rows."""
    moment = now or datetime.now(UTC)
    for order in listed:
        row = current.get(order.pk)
        reason = changed(order, row)
        if row is None:
            yield order, "new"
        elif refetch:
            yield order, "refetch"
        elif row["privacy_policy"] != privacy_policy:
            yield order, "privacy settings changed"
        elif row["outcome"] == Outcome.QUARANTINED:
            yield order, "quarantined"
        elif reason is not None:
            yield order, reason
        elif lacks_document(order, row, documents):
            yield order, NEW_DOCUMENT
        elif row["outcome"] == Outcome.LANDED and (again := reread.reason(order, row, moment, day)):
            yield order, again


class DayRefresh:
    """A day that is being refreshed: the orders that are due, how many are done, and the rows not stored yet."""

    def __init__(
        self,
        landing: Landing,
        listed: Sequence[ListedOrder],
        reasons: Mapping[int, str],
        privacy_policy: str,
        keep_versions: timedelta | None,
    ) -> None:
        self._started = time.perf_counter()
        self._landing = landing
        self._listed = listed
        self._reasons = reasons
        self._privacy_policy = privacy_policy
        self._keep_versions = keep_versions
        self._errors: dict[int, str] = {}
        self.day = landing.day
        self.due = [order for order in listed if order.pk in reasons]
        self.done = 0
        self.fetched: list[Mapping[str, Any]] = []

    def take(self, attempt: Attempt) -> None:
        """Keep what came of an order."""
        self.done += 1
        if attempt.misfit is not None and attempt.error == self._said_before.get(attempt.order.pk):
            self.fetched.append(attempt.misfit)
        elif attempt.row is None:
            self._errors[attempt.order.pk] = attempt.error or "no answer"
        else:
            self.fetched.append(_with_last_version(self._landing, attempt.row))

    @cached_property
    def _said_before(self) -> Mapping[int, str]:
        """Why orders were not landed when the day was last refreshed."""
        rows = self._landing.ledger() if self._landing.ledger_file.exists() else ()
        kept_away = (Outcome.PENDING, Outcome.QUARANTINED)
        return {row["order_pk"]: row["reason"] for row in rows if row["outcome"] in kept_away}

    def store(self) -> None:
        """Make durable what came."""
        self._landing.append(self.fetched)
        self.fetched = []

    def finish(self) -> DayReport:
        """Store, tidy up and write the ledger; an order of which nothing came is pending."""
        self.store()
        landing = self._landing
        landing.compact()
        if self._keep_versions is not None:
            thin_versions(landing, datetime.now(UTC) - self._keep_versions)
        if "privacy settings changed" in self._reasons.values():
            # What the new settings take out must not stay behind in older versions.
            landing.drop_versions_of_other_policies(self._privacy_policy)
        ledger = list(_ledger(self._listed, landing.current(), self._errors))
        landing.write_ledger([{name: row[name] for name in LEDGER_SCHEMA.names if name in row} for row in ledger])
        new = [row for row in ledger if row["order_pk"] in self._reasons and row["outcome"] != Outcome.PENDING]
        return DayReport(
            day=self.day,
            listed=len(self._listed),
            outcomes=_tally([row["outcome"] for row in ledger], {outcome.value: 0 for outcome in Outcome}),
            due=_tally(self._reasons.values()),
            carried_over=len(self._listed) - len(self.due),
            requests=sum(row["requests"] for row in new),
            retries=sum(row["retries"] for row in new),
            bytes=sum(row["bytes"] for row in new),
            seconds=time.perf_counter() - self._started,
            unmapped_orders=sum(1 for row in ledger if row["unmapped"] not in (None, "[]")),
            masked=sum(row["masked"] or 0 for row in ledger),
            masked_paths=_masked_paths(row["masked_paths"] for row in ledger),
            errors=self._errors,
        )


def _with_last_version(landing: Landing, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tombstone keeps the documents of the last landed version, also where the order was on another day then."""
    if row["outcome"] != Outcome.TOMBSTONED:
        return row
    last = landing.last_documents(row["order_pk"])
    if last is None:
        others = earlier_days(landing.data_root, landing.day, [row["order_pk"]])
        found = (Landing(landing.data_root, day).last_documents(row["order_pk"]) for day in others)
        last = max((one for one in found if one is not None), key=lambda one: one["fetched_at"], default=None)
    if last is None:
        return row
    kept = (
        *(document.name for document in DOCUMENTS),
        *further_names(last),
        "further_documents",
        "unmapped",
        "missing",
        "set_sizes",
        "irregular",
        "masked",
        "masked_paths",
        "content_hash",
        "status",
        "cancel_status",
    )
    return {**row, **{name: last[name] for name in kept}}


def _ledger(
    listed: Sequence[ListedOrder], current: Mapping[int, Mapping[str, Any]], errors: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """One row per listed order; an order that is due and could not be fetched is pending, whatever it was before."""
    for order in listed:
        row = dict(current.get(order.pk, _NEVER_FETCHED))
        if order.pk in errors or order.pk not in current:
            row |= {"outcome": Outcome.PENDING.value, "reason": errors.get(order.pk, "not fetched yet")}
            # It is waiting for what the list says now.
            row |= {"listed_fingerprint": order.fingerprint, "listed_row_changed_at": order.row_changed_at}
        yield row | {
            "order_pk": order.pk,
            "number": order.number,
            "date_placed": order.date_placed,
            "listed_modified_date": order.modified_date,
            "listed_children_modified_date": order.children_modified_date,
        }


_NEVER_FETCHED: Mapping[str, Any] = {
    "fetched_at": None,
    "requests": 0,
    "retries": 0,
    "bytes": 0,
    "content_hash": None,
    "contract_version": None,
    "privacy_policy": None,
    "unmapped": "[]",
    "masked": 0,
    "masked_paths": "[]",
}


def _masked_paths(found: Iterable[str | None]) -> dict[tuple[str, str, str], int]:
    """How many values were masked by document, path and kind, most first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for text, orders in Counter(found).items():
        for entry in json.loads(text or "[]"):
            counts[entry["document"], entry["path"], entry["kind"]] += orders * entry["count"]
    return dict(counts.most_common())


def _tally(values: Iterable[str], start: Mapping[str, int] | None = None) -> dict[str, int]:
    counts = dict(start or {})
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts
