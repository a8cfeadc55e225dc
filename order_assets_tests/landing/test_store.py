"""The landing of a day: parts that are only added, the current row of each order, compaction that loses nothing."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from order_assets.landing import Landing, LandingError, earlier_versions, receive
from order_assets_tests.landing.samples import NOW, Answers, gate, listed

DAY = date(2026, 1, 5)


def row(pk: int, version: int = 1, **changes: Any) -> dict[str, Any]:
    made = receive(gate(), listed(pk), Answers(None, fetched_at=NOW + timedelta(seconds=version)))
    documents = {"detail": f'{{"pk":{pk},"v":{version}}}', "items": "[]", "discounts": "[]"}
    return {**made, "outcome": "landed", "reason": None, **documents, **changes}


def read(landing: Landing, *pks: int) -> list[tuple[int, str]]:
    return [(r["order_pk"], r["detail"]) for rows in landing.documents(pks) for r in rows.to_pylist()]


def test_the_last_row_of_an_order_is_its_current_one(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([row(2), row(1)])
    landing.append([row(2, 2), row(3)])
    landing.append([row(2, 3)])
    assert len(landing.parts()) == 3
    assert set(landing.current()) == {1, 2, 3}
    assert landing.current()[2]["fetched_at"] == NOW + timedelta(seconds=3)
    assert read(landing, 1, 2, 3) == [(1, '{"pk":1,"v":1}'), (2, '{"pk":2,"v":3}'), (3, '{"pk":3,"v":1}')]


def test_compaction_keeps_every_version_in_one_part(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    for version in (1, 2, 3):
        landing.append([row(pk, version) for pk in (1, 2, 3)])
    landing.compact()
    (part,) = landing.parts()
    kept = pq.read_table(part, columns=["order_pk", "detail"]).to_pylist()
    assert [r["detail"] for r in kept] == [f'{{"pk":{pk},"v":{v}}}' for pk in (1, 2, 3) for v in (1, 2, 3)]
    assert read(landing, 2) == [(2, '{"pk":2,"v":3}')]


def test_a_compaction_that_was_cut_off_before_the_old_parts_went_doubles_nothing(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([row(1), row(2)])
    landing.append([row(2, 2)])
    shutil.copytree(landing.directory, tmp_path / "before")
    landing.compact()
    for part in (tmp_path / "before").iterdir():
        shutil.copy(part, landing.directory)
    assert len(landing.parts()) == 3
    assert read(landing, 1, 2) == [(1, '{"pk":1,"v":1}'), (2, '{"pk":2,"v":2}')]
    assert pq.read_metadata(landing.parts()[0]).num_rows == 3


def test_a_compaction_of_another_run_at_the_same_moment_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([row(1), row(2)])
    landing.append([row(2, 2)])
    compact = Landing.compact

    def with_another(this: Landing) -> Path | None:
        part = compact(this)
        assert part is not None
        shutil.copy(part, part.with_name(f"{part.stem}-another.parquet"))
        return part

    with monkeypatch.context() as patched:
        patched.setattr(Landing, "compact", with_another)
        assert read(landing, 1, 2) == [(1, '{"pk":1,"v":1}'), (2, '{"pk":2,"v":2}')]
        assert [found.num_rows for found in earlier_versions(landing, [1, 2])] == [1]
    assert len(landing.parts()) == 2
    landing.compact()
    (part,) = landing.parts()
    assert pq.read_metadata(part).num_rows == 3


def test_big_days_are_compacted_in_the_right_order_across_row_groups(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    for version, pks in enumerate((range(0, 2500, 2), range(1, 2500, 2), range(900, 1100), range(2499, 2600)), start=1):
        landing.append([row(pk, version) for pk in reversed(pks)])
    newest = {pk: row["fetched_at"] for pk, row in landing.current().items()}
    landing.compact()
    (part,) = landing.parts()
    assert pq.read_metadata(part).num_rows == 1250 + 1250 + 200 + 101
    assert {pk: row["fetched_at"] for pk, row in landing.current().items()} == newest
    pks = [pk for pk, _ in read(landing, *range(2600))]
    assert pks == list(range(2600))


def test_only_the_asked_orders_are_read(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([row(pk) for pk in range(5)])
    assert [pk for pk, _ in read(landing, 4, 1, 77)] == [1, 4]
    assert read(landing) == []


def test_the_last_landed_documents_are_found_behind_later_rows(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([row(1, 1)])
    landing.append([row(1, 2, outcome="quarantined", reason="bad")])
    landing.append([row(1, 3, outcome="tombstoned", detail=None)])
    last = landing.last_documents(1)
    assert last is not None
    assert last["detail"] == '{"pk":1,"v":1}'
    assert landing.last_documents(2) is None


def test_a_part_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([row(1)])
    landing.append([row(2)])
    (first, second) = landing.parts()
    whole = second.read_bytes()
    for broken in (b"", b"PAR1", whole[:-20], b"\0" * 200 + whole[200:]):
        second.write_bytes(broken)
        with pytest.raises(LandingError, match=second.name):
            landing.current()
        with pytest.raises(LandingError, match="materialise order_documents"):
            landing.compact()
        assert landing.parts() == [first, second]


def test_a_day_that_was_never_landed_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="materialise order_documents for 2026-01-05 first"):
        Landing(tmp_path, DAY).ledger()


def test_files_are_for_their_owner_alone_and_nothing_temporary_stays(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([row(1)])
    landing.append([row(2)])
    landing.compact()
    assert [path.stat().st_mode & 0o777 for path in landing.directory.iterdir()] == [0o600]
    assert landing.directory.stat().st_mode & 0o777 == 0o700


def test_nothing_to_add_adds_no_part(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([])
    landing.compact()
    assert landing.parts() == []
    assert landing.current() == {}
