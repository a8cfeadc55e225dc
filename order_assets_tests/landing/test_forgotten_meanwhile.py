"""Who is forgotten while another run works on the same day stays forgotten: real processes, at the worst moments."""

from __future__ import annotations

import json
import multiprocessing
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from order_assets.contract import CONTRACT
from order_assets.landing import Landing, forget
from order_assets.landing.land import receive
from order_assets_tests.landing.samples import Answers, detail, gate, listed, text_of

DAY = date(2026, 1, 5)
CUSTOMER, EMAIL = 41, "zeliha.kurtulus@example.org"
_SPAWN = multiprocessing.get_context("spawn")


def a_row(number: int, fetched_at: Any = None) -> dict[str, Any]:
    order = detail() | {"pk": number, "number": f"n{number}"}
    for holder in (order, order["shipping_address"], order["billing_address"]):
        holder["customer"] = {**holder["customer"], "pk": CUSTOMER, "email": EMAIL}
    row = receive(gate("clear"), listed(number, f"n{number}"), Answers(text_of(order).encode()))
    assert row["outcome"] == "landed", row["reason"]
    return row


def texts(root: Path) -> str:
    return "".join(str(row["detail"]) for part in Landing(root, DAY).parts() for row in pq.read_table(part).to_pylist())


def compact_with_a_stop(root: str, read: Any, go_on: Any) -> None:
    """Another run: makes one part of the day and is held up when it has read the old rows, before it writes."""
    import order_assets.landing.landing_store as store

    put_in_order = store._places_in_order

    def held_up(keys: Any) -> Any:
        read.set()
        go_on.wait(3)
        return put_in_order(keys)

    store._places_in_order = held_up
    groups = store.conformed

    def read_first(rows: Any, *schema: Any) -> Any:
        found = groups(rows, *schema)
        read.set()
        go_on.wait(1)
        return found

    store.conformed = read_first
    Landing(Path(root), DAY).compact()


def forget_after(root: str, read: Any, asked: Any) -> None:
    read.wait(60)
    asked.set()
    forget(Path(root), CUSTOMER, CONTRACT)


def test_what_another_run_read_before_somebody_was_forgotten_does_not_come_back_with_its_new_part(
    tmp_path: Path,
) -> None:
    landing = Landing(tmp_path, DAY)
    for number in (101, 102):
        landing.append([a_row(number)])
    assert texts(tmp_path).count(EMAIL) >= 2
    read, go_on = _SPAWN.Event(), _SPAWN.Event()
    compacting = _SPAWN.Process(target=compact_with_a_stop, args=(str(tmp_path), read, go_on))
    forgetting = _SPAWN.Process(target=forget_after, args=(str(tmp_path), read, go_on))
    for process in (compacting, forgetting):
        process.start()
    for process in (compacting, forgetting):
        process.join(60)
        assert process.exitcode == 0
    assert EMAIL not in texts(tmp_path)
    assert [row["order_pk"] for part in landing.parts() for row in pq.read_table(part).to_pylist()] == [101, 102]


def test_an_order_that_was_read_before_its_customer_was_forgotten_is_stored_without_them(tmp_path: Path) -> None:
    landing = Landing(tmp_path, DAY)
    landing.append([a_row(101)])
    on_its_way = a_row(102)
    forget(tmp_path, CUSTOMER, CONTRACT)
    landing.append([on_its_way])
    assert EMAIL not in texts(tmp_path)
    assert len(landing.current()) == 2


@pytest.mark.long
@pytest.mark.parametrize("writer", ["compact", "append", "rewrite", "drop_versions_of_other_policies"])
def test_every_writer_of_a_day_waits_for_its_turn(tmp_path: Path, writer: str) -> None:
    landing = Landing(tmp_path, DAY)
    for number in (101, 102):
        landing.append([a_row(number)])
    process = _SPAWN.Process(target=write, args=(str(tmp_path), writer))
    with landing.alone():
        before = json.dumps([path.name for path in landing.parts()])
        process.start()
        process.join(2.5)
        assert process.is_alive()
        assert json.dumps([path.name for path in landing.parts()]) == before
    process.join(60)
    assert process.exitcode == 0


def write(root: str, writer: str) -> None:
    landing = Landing(Path(root), DAY)
    argument: dict[str, tuple[Any, ...]] = {
        "compact": (),
        "append": ([a_row(103)],),
        "rewrite": (lambda _row: None,),
        "drop_versions_of_other_policies": ("other",),
    }
    getattr(landing, writer)(*argument[writer])
