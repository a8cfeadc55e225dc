"""Versions of orders: what is kept of them for how long, and files of before there was more to keep."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from order_assets.contract import CONTRACT, Document
from order_assets.landing import (
    Attempt,
    Instance,
    Landing,
    ListedOrder,
    earlier_versions,
    forget,
    quarantined,
    receive,
    refresh_days,
    revalidate_day,
    thin_versions,
    write_index,
)
from order_assets.landing.landing_schema import LANDING_SCHEMA, LEDGER_SCHEMA
from order_assets_tests.landing.samples import NOW, answers, detail, gate, listed

DAY = date(2026, 1, 5)
LATER = NOW + timedelta(days=365)
# What the files of the first releases did not have.
ADDED = {"listed_children_modified_date", "status", "cancel_status", "observed"}
DOCUMENTS = ("detail", "items", "discounts")


def row(pk: int, version: int = 1, **fields: Any) -> dict[str, Any]:
    """The row of an order that was fetched `version` days after the first time; `fields` are those of its detail."""
    documents = {Document.DETAIL: detail() | {"pk": pk, "number": f"n{pk}"} | fields}
    documents |= {Document.ITEMS: [], Document.DISCOUNTS: []}
    documents[Document.DETAIL]["transaction_set"] = []
    return receive(gate(), listed(pk, f"n{pk}"), answers(documents, fetched_at=NOW + timedelta(days=version)))


def gone(pk: int, version: int, last: dict[str, Any] | None = None) -> dict[str, Any]:
    fetched = answers(dict.fromkeys(CONTRACT.documents), detail=None, fetched_at=NOW + timedelta(days=version))
    made = receive(gate(), listed(pk, f"n{pk}"), fetched)
    kept = (*DOCUMENTS, "content_hash", "unmapped", "missing", "set_sizes", "status", "cancel_status")
    return made | ({name: last[name] for name in kept} if last else {})


def land(root: Path, *rows: dict[str, Any]) -> Landing:
    landing = Landing(root, DAY)
    for one in rows:
        landing.append([one])
    landing.compact()
    return landing


def stored(landing: Landing) -> list[dict[str, Any]]:
    return [found for part in landing.parts() for found in pq.ParquetFile(part).read().to_pylist()]


def with_documents(landing: Landing) -> list[tuple[int, int]]:
    """The orders and versions that have their documents."""
    return [
        (found["order_pk"], (found["fetched_at"] - NOW).days)
        for found in stored(landing)
        if any(found[name] is not None for name in DOCUMENTS)
    ]


def test_only_versions_that_nobody_needs_lose_their_documents(tmp_path: Path) -> None:
    tombstone = row(2, 2, status="500")
    landing = land(
        tmp_path,
        *(row(1, version, status=str(version)) for version in (1, 2, 3, 9)),
        row(2, 1, status="400"),
        tombstone,
        gone(2, 3, tombstone),
        row(3, 1, status="400"),
        row(3, 2, amount="1.234"),
        row(3, 3, amount="1.235"),
        gone(4, 1),
        row(4, 2),
        row(5, 1),
    )
    # Before the fourth day: 1 has two newer ones, 2 a tombstone with the last landed, 3 waits in quarantine.
    assert thin_versions(landing, NOW + timedelta(days=3)) == 5
    assert with_documents(landing) == [(1, 3), (1, 9), (2, 2), (2, 3), (3, 1), (3, 3), (4, 2), (5, 1)]
    assert thin_versions(landing, NOW + timedelta(days=3)) == 0
    assert thin_versions(landing, LATER) == 1
    assert with_documents(landing) == [(1, 9), (2, 2), (2, 3), (3, 1), (3, 3), (4, 2), (5, 1)]
    assert len(stored(landing)) == 13


def test_a_version_that_the_next_one_repeats_needs_no_documents_however_young(tmp_path: Path) -> None:
    landing = land(tmp_path, row(1, 1), row(1, 2), row(1, 3, status="500"), row(1, 4), row(1, 5), row(2, 5))
    assert thin_versions(landing, NOW) == 2
    assert with_documents(landing) == [(1, 2), (1, 3), (1, 5), (2, 5)]


def test_without_anything_to_let_go_nothing_is_written(tmp_path: Path) -> None:
    landing = land(tmp_path, row(1, 1), row(1, 2, status="500"), row(2, 1))
    (part,) = landing.parts()
    before = part.stat()
    assert thin_versions(landing, NOW) == 0
    assert thin_versions(landing, LATER) == 1
    rewritten = part.stat()
    assert thin_versions(landing, LATER) == 0
    assert (rewritten.st_ino, rewritten.st_mode) == (part.stat().st_ino, before.st_mode)
    assert before.st_ino != rewritten.st_ino
    assert thin_versions(Landing(tmp_path, DAY + timedelta(days=1)), LATER) == 0


def test_what_is_left_of_a_version_says_nothing_about_anybody(tmp_path: Path) -> None:
    open_gate = gate("clear")
    documents = {
        Document.DETAIL: detail() | {"loyalty": "of Akinon Customer"},
        Document.ITEMS: [],
        Document.DISCOUNTS: [],
    }
    first = receive(open_gate, listed(), answers(documents, fetched_at=NOW))
    documents[Document.DETAIL] |= {"status": "500"}
    landing = land(tmp_path, first, receive(open_gate, listed(), answers(documents, fetched_at=LATER)))
    assert thin_versions(landing, LATER) == 1
    thinned, whole = stored(landing)
    left = json.loads(thinned["observed"])
    histories = {column.path for column in CONTRACT.table("order_status_history").columns} | {"ordershippinginfo_set"}
    assert left.keys() <= histories
    assert left["ordershippinginfo_set"] == [{"is_send": True}]
    assert (thinned["unmapped"], thinned["set_sizes"]) == ("[]", "{}")
    assert "loyalty" in whole["unmapped"]
    assert (thinned["content_hash"], thinned["status"]) == (first["content_hash"], first["status"])


def test_a_thinned_version_is_never_taken_for_the_last_landed_one(tmp_path: Path) -> None:
    landing = land(tmp_path, row(1, 1, status="400"), row(1, 2, status="500"))
    thin_versions(landing, LATER)
    landing.rewrite(lambda found: {**found, "outcome": "quarantined"} if found["status"] == "500" else None)
    assert landing.last_documents(1) is None
    assert thin_versions(landing, LATER) == 0


def test_being_cut_off_while_thinning_leaves_the_day_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = land(tmp_path, row(1, 1), row(1, 2, status="500"))
    before = stored(landing)

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("order_assets.landing.versions.exact_json.dumps", fail)
        with pytest.raises(OSError, match="no space"):
            thin_versions(landing, LATER)
    assert stored(landing) == before
    assert [path.name for path in landing.directory.iterdir()] == [landing.parts()[0].name]
    assert thin_versions(landing, LATER) == 1


def test_earlier_versions_come_by_order_and_age_and_without_those_that_say_nothing(tmp_path: Path) -> None:
    landing = land(
        tmp_path,
        *(row(pk, version, status=str(version)) for version in (1, 2, 3) for pk in (3, 1, 2)),
        row(1, 4, amount="1.234"),
        row(1, 5),
        gone(4, 1),
        row(4, 2),
    )

    def earlier(*pks: int) -> list[tuple[int, int, str]]:
        return [
            (found["order_pk"], (found["fetched_at"] - NOW).days, json.loads(found["detail"])["status"])
            for rows in earlier_versions(landing, pks)
            for found in rows.to_pylist()
        ]

    expected = [(1, 1, "1"), (1, 2, "2"), (1, 3, "3"), (3, 1, "1"), (3, 2, "2")]
    assert earlier(1, 3, 4, 77) == expected
    assert thin_versions(landing, LATER) == 8 + 1
    assert earlier(1, 3, 4, 77) == expected
    assert earlier() == []


def test_a_day_of_many_versions_is_thinned_across_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_assets.landing.landing_store._ROWS_PER_GROUP", 3)
    landing = land(tmp_path, *(row(pk, version, status=str(version)) for version in (1, 2, 3, 4) for pk in (1, 2, 3)))
    (part,) = landing.parts()
    assert pq.ParquetFile(part).num_row_groups == 4
    before = [found for rows in earlier_versions(landing, (1, 2, 3)) for found in rows.to_pylist()]
    assert len(before) == 9
    assert thin_versions(landing, LATER) == 9
    after = [found for rows in earlier_versions(landing, (1, 2, 3)) for found in rows.to_pylist()]
    assert [json.loads(found["detail"])["status"] for found in after] == ["1", "2", "3"] * 3
    assert [found["order_pk"] for found in after] == [1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(("value", "kept"), [("550", "550"), (550, "550"), (None, None), ("", ""), (True, "true")])
def test_the_status_is_known_without_the_document(tmp_path: Path, value: Any, kept: str | None) -> None:
    landing = land(tmp_path, row(1, status=value, cancel_status=value))
    current = landing.current()[1]
    assert (current["status"], current["cancel_status"]) == (kept, kept)
    assert current["fetched_at"] == NOW + timedelta(days=1)
    assert current["listed_children_modified_date"] is None


# Files of before


def old(path: Path) -> None:
    """Write a file as the first releases did, without what was added since."""
    rows = pq.ParquetFile(path).read()
    pq.write_table(rows.drop_columns([name for name in rows.column_names if name in ADDED]), path, compression="zstd")


def old_landing(root: Path, *rows: dict[str, Any]) -> Landing:
    landing = land(root, *rows)
    entries = [{name: one.get(name) for name in LEDGER_SCHEMA.names} for one in landing.current().values()]
    landing.write_ledger(entries)
    for path in (*landing.parts(), landing.ledger_file):
        old(path)
        assert not ADDED & set(pq.read_schema(path).names)
    return landing


def test_a_landing_of_before_is_read_compacted_and_rewritten(tmp_path: Path) -> None:
    landing = old_landing(
        tmp_path, row(1, 1, status="400"), row(1, 2, status="500"), row(2, 1), row(3, 1, amount="1.2x")
    )
    assert landing.current()[1]["status"] is None
    assert landing.ledger()[0]["status"] is None
    assert [found.order_pk for found in quarantined(tmp_path)] == [3]
    landing.append([row(2, 2, status="550"), row(4, 1)])
    assert {pk: found["status"] for pk, found in landing.current().items()} == {1: None, 2: "550", 3: None, 4: "400"}
    read = pa.concat_tables(landing.documents((1, 2, 3, 4)))
    assert read.schema.names == LANDING_SCHEMA.names
    assert read["order_pk"].to_pylist() == [1, 2, 3, 4]
    (part,) = landing.parts()
    assert pq.read_schema(part).equals(LANDING_SCHEMA)
    assert [len(rows) for rows in earlier_versions(landing, (1, 2, 3, 4))] == [2]


@pytest.mark.parametrize("step", ["thin", "drop", "rewrite"])
def test_a_landing_of_before_can_be_changed_in_place(tmp_path: Path, step: str) -> None:
    landing = old_landing(tmp_path, row(1, 1, status="400"), row(1, 2, status="500"))
    assert len(list(earlier_versions(landing, [1]))) == 1
    if step == "thin":
        assert thin_versions(landing, LATER) == 1
        assert with_documents(landing) == [(1, 2)]
    elif step == "drop":
        landing.drop_versions_of_other_policies("another")
        assert with_documents(landing) == [(1, 2)]
    else:
        assert landing.rewrite(lambda found: {**found, "reason": "changed"}) == 2
        assert [found["reason"] for found in stored(landing)] == ["changed", "changed"]
    assert pq.read_schema(landing.parts()[0]).equals(LANDING_SCHEMA)
    assert landing.last_documents(1) is not None


def test_a_day_of_before_is_refreshed_and_checked_again_and_then_knows_its_states(tmp_path: Path) -> None:
    placed = [
        {"pk": pk, "number": f"n{pk}", "date_placed": "2026-01-05T10:00:00Z", "modified_date": modified}
        for pk, modified in ((1, "2026-01-05T12:00:00Z"), (2, "2026-01-05T12:00:00Z"), (3, "2026-01-09T12:00:00Z"))
    ]
    write_index(tmp_path, Instance("https://shop.example.com", "UTC", date(2026, 1, 1)), placed, NOW)
    landing = old_landing(tmp_path, *(row(pk, 1, status="400") | {"contract_version": "of before"} for pk in (1, 2, 3)))
    asked = []

    def fetch(due: Iterable[ListedOrder]) -> Any:
        for order in due:
            asked.append(order.pk)
            yield Attempt(order, row(order.pk, 2, status="550"))

    list(refresh_days(tmp_path, [DAY], fetch, privacy_policy=gate().privacy.policy))
    assert asked == [3]
    assert {found["order_pk"]: found["status"] for found in landing.ledger()} == {1: None, 2: None, 3: "550"}
    done = revalidate_day(tmp_path, DAY, gate(), [1, 2, 3])
    assert (done.checked, done.refused) == (2, 0)
    assert {found["order_pk"]: found["status"] for found in landing.ledger()} == {1: "400", 2: "400", 3: "550"}
    assert {pk: found["status"] for pk, found in landing.current().items()} == {1: "400", 2: "400", 3: "550"}
    assert len(stored(landing)) == 4


def test_checking_again_and_forgetting_leave_thinned_versions_alone(tmp_path: Path) -> None:
    documents = detail()
    pk, customer = documents["pk"], documents["customer"]["pk"]

    def fetched(version: int, status: str, when: datetime) -> dict[str, Any]:
        sent = {Document.DETAIL: detail() | {"status": status}, Document.ITEMS: [], Document.DISCOUNTS: []}
        made = receive(gate("clear"), listed(pk), answers(sent, fetched_at=when))
        return made | {"contract_version": f"of before {version}"}

    landing = land(tmp_path, *(fetched(version, str(version), NOW + timedelta(days=version)) for version in (1, 2, 3)))
    thin_versions(landing, NOW + timedelta(days=2))
    landing.write_ledger(
        [{name: found.get(name) for name in LEDGER_SCHEMA.names} for found in landing.current().values()]
    )
    before = stored(landing)
    assert before[0]["observed"] is not None
    name = documents["customer"]["first_name"]
    assert [name in (found["detail"] or "") for found in before] == [False, True, True]

    assert forget(tmp_path, customer, CONTRACT).days == {DAY: 2}
    after = stored(landing)
    assert after[0] == before[0]
    assert [name in (found["detail"] or "") for found in after] == [False, False, False]
    assert [found["status"] for found in after] == ["1", "2", "3"]
    assert [found["order_pk"] for rows in earlier_versions(landing, [pk]) for found in rows.to_pylist()] == [pk, pk]

    assert revalidate_day(tmp_path, DAY, gate("clear"), [pk]).checked == 1
    assert stored(landing)[:2] == after[:2]
    assert thin_versions(landing, LATER) == 1
