"""The index by day: a sync writes what it touched, in any order of events, killed at any moment, read meanwhile."""

from __future__ import annotations

import itertools
import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from order_assets.landing import IndexDraft, IndexReport, Instance, index_file, orders_of_day, sync_state, write_index
from order_assets.landing import index_files as files_of_index
from order_assets.landing.index import manifest_of, orders_by_day, read_index
from order_assets.landing.index_files import days_of, old_file
from order_assets.landing.moves import earlier_days
from order_assets.testing.crashes import Died, dying_at
from order_assets_tests.landing.old_index import make_old

SHOP = Instance("https://shop.example.com", "UTC", date(2026, 1, 1))
SEEN = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 20
Rows = dict[int, dict[str, Any]]


def row(pk: int, day: int, **changes: Any) -> dict[str, Any]:
    placed = datetime(2026, 1, 1, 10, tzinfo=UTC) + timedelta(days=day % DAYS)
    facts = {"pk": pk, "number": f"n{pk}", "channel": 3, "status": "400", "date_placed": placed.isoformat()}
    return {
        **facts,
        "created_date": placed.isoformat(),
        "modified_date": placed.isoformat(),
        "amount": "1.00",
        **changes,
    }


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small shop be kept as a large one is: many segments, and few changes beside them."""
    monkeypatch.setattr(files_of_index, "_ROWS_PER_SEGMENT", 10)
    monkeypatch.setattr(files_of_index, "_ALWAYS_CHANGES", 12)


def part(root: Path, rows: list[dict[str, Any]], at: datetime, **options: Any) -> IndexReport:
    """A sync of a part of the list."""
    draft = IndexDraft(root, SHOP, at)
    for one in rows:
        draft.take(one)
    return draft.write(draft.state, **options)


def known(root: Path) -> dict[int, tuple[Any, ...]]:
    orders = orders_by_day(root, date.min, date.max)
    return {o.pk: (day, o.number, o.modified_date, o.listed) for day, some in orders.items() for o in some}


def expected(rows: Rows, gone: Rows) -> dict[int, tuple[Any, ...]]:
    moments = {pk: datetime.fromisoformat(one["modified_date"]) for pk, one in {**rows, **gone}.items()}
    return {
        pk: (datetime.fromisoformat(one["date_placed"]).date(), one["number"], moments[pk], pk in rows)
        for pk, one in {**gone, **rows}.items()
    }


def files(root: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (root / "index").glob("*.parquet")}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
def test_the_index_is_what_the_lists_said_in_any_order_of_events(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rows: Rows = {pk: row(pk, pk * 7) for pk in range(1, 61)}
    gone: Rows = {}
    write_index(tmp_path, SHOP, rows.values(), SEEN)
    assert len(manifest_of(tmp_path).segments) > 3
    before = known(tmp_path)
    for step in range(1, 13):
        at = SEEN + timedelta(hours=step)
        for pk in chance.sample(sorted(rows), 3):
            act = chance.choice(["change", "move", "delete", "restore", "new", "spell"])
            if act in ("change", "move"):
                moved = row(pk, chance.randrange(DAYS)) if act == "move" else rows[pk]
                rows[pk] = {**moved, "number": f"n{pk} {step}", "modified_date": at.isoformat()}
            elif act == "delete":
                gone[pk] = rows.pop(pk)
            elif act == "restore" and gone:
                back, _ = gone.popitem()
                rows[back] = row(back, chance.randrange(DAYS), modified_date=at.isoformat())
            elif act == "new":
                rows[new] = row(new := max(rows.keys() | gone.keys()) + chance.choice([1, 5]), step)
        listed = list(rows.values())
        chance.shuffle(listed)
        if chance.random() < 0.4:
            report = write_index(tmp_path, SHOP, listed, at)
            assert (report.vanished, report.orders) == (len(gone), len(rows))
        else:
            told = expected(rows, {})
            late = [one for one in listed if told[one["pk"]] != before.get(one["pk"])]
            report = part(tmp_path, late + chance.sample(listed, 2), at)
            # A part of the list does not tell what is gone.
            lost = {pk for pk in gone if before.get(pk, (None, None, None, False))[3]}
            assert report.vanished == len(gone) - len(lost)
            write_index(tmp_path, SHOP, listed, at + timedelta(minutes=1))
        assert known(tmp_path) == expected(rows, gone)
        before = known(tmp_path)
        manifest = manifest_of(tmp_path)
        assert manifest.days == days_of(read_index(tmp_path))
        assert manifest.newest_change == max(moment for _, _, moment, _ in before.values())
        assert manifest.files <= files(tmp_path).keys()


def test_few_changes_write_no_segment_and_many_are_written_into_them(tmp_path: Path) -> None:
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(100)], SEEN)
    segments = manifest_of(tmp_path).segments
    for hour, count in ((1, 5), (2, 6)):
        part(
            tmp_path,
            [row(pk, pk, status="500", modified_date=SEEN.isoformat()) for pk in range(count)],
            SEEN + timedelta(hours=hour),
        )
        assert manifest_of(tmp_path).segments == segments, hour
    part(
        tmp_path,
        [row(pk, pk, status="600", modified_date=SEEN.isoformat()) for pk in range(50)],
        SEEN + timedelta(hours=3),
    )
    manifest = manifest_of(tmp_path)
    assert manifest.changes is None
    assert read_index(tmp_path, ["status"])["status"].to_pylist().count("600") == 50


@pytest.mark.parametrize("whole", [False, True])
def test_a_sync_that_finds_nothing_writes_nothing_but_the_state(tmp_path: Path, whole: bool) -> None:
    rows = [row(pk, pk) for pk in range(100)]
    write_index(tmp_path, SHOP, rows, SEEN)
    part(tmp_path, [row(3, 3, status="500")], SEEN + timedelta(hours=1))
    rows[3] = row(3, 3, status="500")
    before, state = files(tmp_path), sync_state(tmp_path)
    at = SEEN + timedelta(hours=2)
    report = write_index(tmp_path, SHOP, rows, at) if whole else part(tmp_path, rows[:50], at)
    assert (report.new, report.changed, report.row_changed, report.rows_read) == (0, 0, 0, 100 if whole else 50)
    assert files(tmp_path) == before
    assert sync_state(tmp_path).whole_at == (at if whole else state.whole_at)


def test_an_order_that_moves_to_another_day_is_on_that_day_alone_and_its_old_day_is_noted(tmp_path: Path) -> None:
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(60)], SEEN)
    part(tmp_path, [row(2, 17, modified_date=SEEN.isoformat())], SEEN + timedelta(hours=1))
    here, there = date(2026, 1, 3), date(2026, 1, 18)
    assert 2 not in [order.pk for order in orders_of_day(tmp_path, here)]
    assert 2 in [order.pk for order in orders_of_day(tmp_path, there)]
    assert earlier_days(tmp_path, there, [2]) == {here: [2]}
    write_index(
        tmp_path,
        SHOP,
        [row(2, 17, modified_date=SEEN.isoformat())] + [row(pk, pk) for pk in range(3, 60)],
        SEEN + timedelta(hours=2),
    )
    assert earlier_days(tmp_path, there, [2]) == {here: [2]}
    assert 2 in [order.pk for order in orders_of_day(tmp_path, there)]


def test_an_index_in_one_file_is_kept_by_day_from_the_next_sync_on_and_read_before(tmp_path: Path) -> None:
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(60)], SEEN)
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(1, 60)], SEEN + timedelta(hours=1))
    before = known(tmp_path)
    make_old(tmp_path)
    assert index_file(tmp_path) == old_file(tmp_path)
    assert known(tmp_path) == before
    report = part(tmp_path, [row(3, 3, modified_date=SEEN.isoformat())], SEEN + timedelta(hours=2))
    assert (report.migrated, report.changed, report.vanished) == (True, 1, 1)
    assert len(manifest_of(tmp_path).segments) > 3
    assert {pk for pk in before if before[pk] != known(tmp_path)[pk]} == {3}
    assert not part(tmp_path, [], SEEN + timedelta(hours=3)).migrated


def _few(root: Path) -> None:
    part(root, [row(3, 9, modified_date=SEEN.isoformat()), row(70, 4)], SEEN + timedelta(hours=1))


def _many(root: Path) -> None:
    rows = [row(pk, pk + 1, modified_date=SEEN.isoformat()) for pk in range(30)]
    part(root, rows, SEEN + timedelta(hours=1))


def _all(root: Path) -> None:
    write_index(root, SHOP, [row(pk, pk, status="500") for pk in range(20, 60)], SEEN + timedelta(hours=1))


KILLED = [(_few, False), (_all, False), (_few, True), (_many, False), (_many, True), (_all, True)]


@pytest.mark.parametrize(
    ("sync", "is_old"),
    [
        pytest.param(*case, marks=pytest.mark.slow if number > 1 else pytest.mark.long if number else ())
        for number, case in enumerate(KILLED)
    ],
)
def test_a_kill_between_any_two_writes_leaves_the_old_index_or_the_new_one(
    tmp_path: Path, sync: Callable[[Path], None], is_old: bool
) -> None:
    start = tmp_path / "start"
    write_index(start, SHOP, [row(pk, pk) for pk in range(60)], SEEN)
    part(start, [row(4, 11, modified_date=SEEN.isoformat())], SEEN + timedelta(minutes=1))
    if is_old:
        make_old(start)
    done = tmp_path / "done"
    shutil.copytree(start, done)
    sync(done)
    states = [(known(root), sync_state(root)) for root in (start, done)]
    for number in itertools.count():
        root = tmp_path / f"killed {number}"
        shutil.copytree(start, root)
        try:
            with dying_at(number):
                sync(root)
        except Died:
            assert (known(root), sync_state(root)) in states
            sync(root)
            assert known(root) == states[1][0]
        else:
            break
        finally:
            shutil.rmtree(root)
    assert number > 5


def test_a_sync_that_another_one_overtook_is_laid_over_what_that_one_wrote(tmp_path: Path) -> None:
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(60)], SEEN)
    slow = IndexDraft(tmp_path, SHOP, SEEN + timedelta(hours=1))
    slow.take(row(3, 9, modified_date=SEEN.isoformat()))
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(1, 60)] + [row(80, 5)], SEEN + timedelta(hours=2))

    def meanwhile(_report: IndexReport) -> bool:
        if 81 not in known(tmp_path):
            part(tmp_path, [row(81, 6)], SEEN + timedelta(hours=3))
        return True

    slow.write(replace(slow.state, cursor=SEEN), keep=meanwhile)
    found = known(tmp_path)
    assert found[3][0] == date(2026, 1, 10)
    assert {80, 81} <= found.keys()
    assert (found[0][3], sync_state(tmp_path).cursor) == (False, SEEN)
    assert sync_state(tmp_path).whole_at == SEEN + timedelta(hours=2)


def test_what_is_not_to_be_kept_leaves_no_file(tmp_path: Path) -> None:
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(60)], SEEN)
    before, manifest = files(tmp_path), index_file(tmp_path).read_bytes()
    for rows in ([row(3, 9)], [row(pk, pk + 1) for pk in range(60)]):
        part(tmp_path, rows, SEEN + timedelta(hours=1), keep=lambda _report: False)
        assert (files(tmp_path), index_file(tmp_path).read_bytes()) == (before, manifest)


def test_readers_see_a_whole_index_while_syncs_write(tmp_path: Path) -> None:
    write_index(tmp_path, SHOP, [row(pk, pk) for pk in range(60)], SEEN)
    stopped, seen, problems = threading.Event(), set[int](), list[Exception]()

    def read() -> None:
        while not stopped.is_set():
            try:
                numbers = {number.partition(" ")[2] for _, number, _, _ in known(tmp_path).values()}
                assert len(numbers) == 1
                seen.add(len(seen))
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is what this is about
                problems.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(1, 8):
        rows = [row(pk, pk + turn % 3, number=f"n{pk} {turn}") for pk in range(60)]
        write_index(tmp_path, SHOP, rows, SEEN + timedelta(hours=turn))
    stopped.set()
    for reader in readers:
        reader.join()
    assert problems == []


def test_files_of_the_index_before_go_once_nobody_can_be_reading_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for turn in range(4):
        if turn == 3:
            monkeypatch.setattr(files_of_index, "_KEPT_SECONDS", 0.0)
        rows = [row(pk, pk + turn, number=f"n{pk} {turn}") for pk in range(60)]
        write_index(tmp_path, SHOP, rows, SEEN + timedelta(hours=turn))
        extra = files(tmp_path).keys() - manifest_of(tmp_path).files - {"moves.parquet"}
        assert bool(extra) == (turn in (1, 2))
