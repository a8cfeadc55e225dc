"""Checks landed documents again with today's contract, without asking the API for anything.

What is known of an order then is what it was when it was fetched; only what the contract makes of it changes. Orders
in quarantine get another chance here as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from order_assets.landing.land import check_again, quarantined_columns
from order_assets.landing.landing_store import Landing, Outcome
from order_assets.landing.quarantine import amend_ledger
from order_assets.redaction.validator import Refused, Validator


@dataclass(frozen=True)
class Revalidation:
    """What checking a day again gave: orders by the contract version they were landed under, and what moved."""

    day: date
    versions: Mapping[str, int]
    checked: int
    released: int
    refused: int


def revalidate_day(data_root: Path, day: date, validator: Validator, only: Collection[int]) -> Revalidation:
    """Check the current rows of these orders again where another version of the contract made them.

    Rows of the present version are left alone. A row that was refused because it was not clean JSON stays refused:
    only fetching it again can help.
    """
    landing = Landing(data_root, day)
    current = {pk: row for pk, row in landing.current().items() if pk in only}
    versions: dict[str, int] = {}
    for row in current.values():
        versions[row["contract_version"]] = versions.get(row["contract_version"], 0) + 1
    stale = [pk for pk, row in current.items() if row["contract_version"] != validator.contract_version]
    renewed: list[dict[str, Any]] = []
    released = refused = 0
    for row in _rows(landing, stale):
        again = _check_again(validator, row)
        renewed.append(again)
        released += row["outcome"] == Outcome.QUARANTINED and again["outcome"] == Outcome.LANDED
        refused += row["outcome"] != Outcome.QUARANTINED and again["outcome"] == Outcome.QUARANTINED
    landing.append(renewed)
    landing.compact()
    if renewed:
        amend_ledger(landing, {row["order_pk"]: row for row in renewed})
    return Revalidation(day, versions, len(renewed), released, refused)


def _rows(landing: Landing, order_pks: Collection[int]) -> Iterator[dict[str, Any]]:
    if order_pks:
        for rows in landing.documents(order_pks):
            yield from rows.to_pylist()


def _check_again(validator: Validator, row: Mapping[str, Any]) -> dict[str, Any]:
    again = {**row, "contract_version": validator.contract_version}
    was_unreadable = row["outcome"] == Outcome.QUARANTINED and not row["refused_path"]
    if row["detail"] is None or was_unreadable:
        return again
    try:
        landed = check_again(validator, {document: row.get(document.name) for document in validator.documents})
    except Refused as found:
        return again | quarantined_columns(found)
    cleared = {"refused_document": None, "refused_path": None, "reason": None}
    if row["outcome"] == Outcome.TOMBSTONED:
        cleared = {"outcome": row["outcome"], "reason": row["reason"]}
    return again | landed | cleared
