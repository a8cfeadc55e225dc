"""Days made in helper processes are the days that one process makes, and nothing is left behind."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from order_assets.contract import CONTRACT, Contract
from order_assets.contract.model import TEXT, Provenance, column
from order_assets.landing import LandingError
from order_assets.pipeline import DayJob, DayTables, DayWorkerError, build_days
from order_assets.redaction import Privacy, PrivacyMode
from order_assets.tables import DayFiles
from order_assets.testing.landed_days import land_day

DAYS = [date(2026, 1, 5) + timedelta(days=number) for number in range(4)]


def task(root: Path, contract: Contract = CONTRACT) -> DayJob:
    return DayJob(
        root=root,
        contract=contract,
        privacy=Privacy(PrivacyMode.TOKENISE, "benchmark"),
        sample_percent=5,
        sample_at_most=2,
        ignored=frozenset(),
        blocking=frozenset({"nothing_lost_in_sample"}),
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, day in enumerate(DAYS[:3]):
        land(tmp_path, day, 3 + number)
    return tmp_path


def land(root: Path, day: date, orders: int) -> None:
    landing = land_day(root, day, orders)
    landing.write_ledger([{**row, "reason": None} for row in landing.current().values()])


def files(root: Path) -> dict[str, str]:
    """The digests of all tables and what the verdicts say."""
    tables = {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()) for path in root.glob("tables/*/*/*")}
    return {name: digest.hexdigest() for name, digest in tables.items()}


def plain(done: DayTables) -> DayTables:
    return replace(done, report=replace(done.report, seconds=0))


def is_running(pid: int) -> bool:
    """Whether a process does something; one that ended and that nobody asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids_of_helpers(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "--ppid", str(parent), "-o", "pid=,args="], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "popen_loky" in line]


def helpers_of_this_process() -> list[str]:
    """The arguments of each."""
    return [Path(f"/proc/{pid}/cmdline").read_text() for pid in pids_of_helpers(os.getpid())]


def test_helpers_make_the_same_bytes_and_the_same_results_under_any_contract(root: Path) -> None:
    note = column("internal_note", TEXT, "What the shop noted", provenance=Provenance.ASSUMED)
    other = task(root, CONTRACT.with_columns("orders", note))
    # What was landed under the contract of before is looked at once.
    assert [result.result().revalidation.checked for _, result in build_days(other, DAYS[:3])] == [3, 4, 5]
    here = [(day, plain(result.result())) for day, result in build_days(other, DAYS[:3])]
    made = files(root)
    assert len(made) == 3 * len(tuple(CONTRACT))
    there = [(day, plain(result.result())) for day, result in build_days(other, DAYS[:3], workers=2)]
    assert there == here
    assert [day for day, _ in there] == DAYS[:3]
    assert all(done.reasons == () for _, done in there)
    assert files(root) == made
    assert DayFiles(root, DAYS[0]).read("orders", ["internal_note"]).num_rows == 3
    assert helpers_of_this_process() == []


def test_what_goes_wrong_in_a_helper_is_raised_here_and_a_killed_one_does_not_hang_the_run(root: Path) -> None:
    made = build_days(task(root), [DAYS[3], *DAYS[:3]], workers=2)
    _, result = next(made)
    with pytest.raises(LandingError, match=f"materialise order_documents for {DAYS[3]} first"):
        result.result()
    killed = [pid for pid in pids_of_helpers(os.getpid()) if not os.kill(pid, signal.SIGKILL)]
    assert len(killed) == 2
    errors = [(day, result.exception(60)) for day, result in made]
    day, error = errors[-1]
    assert isinstance(error, DayWorkerError)
    assert f"tables of {day} ended before it was done" in str(error)


def _start_helpers_and_die(root: Path, pids: Connection) -> None:
    made = build_days(task(root), DAYS[:3], workers=2)
    next(made)[1].result()
    pids.send(pids_of_helpers(os.getpid()))
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_helpers_end_when_the_run_that_started_them_is_killed(root: Path) -> None:
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    run = fork.Process(target=_start_helpers_and_die, args=(root, theirs))
    run.start()
    pids = ours.recv()
    run.join(60)
    assert run.exitcode == -signal.SIGKILL
    assert len(pids) == 2
    end = time.monotonic() + 30
    while any(map(is_running, pids)):
        assert time.monotonic() < end, "a helper lives on"
        time.sleep(0.01)


def test_leaving_early_ends_the_helpers_and_no_secret_was_among_their_arguments(root: Path) -> None:
    secret = "Anahtar47zK4wP8kelimesi"
    made = build_days(replace(task(root), privacy=Privacy(PrivacyMode.TOKENISE, secret)), DAYS[:3], workers=2)
    day, result = next(made)
    assert (day, result.result().report.orders) == (DAYS[0], 3)
    told = helpers_of_this_process()
    assert len(told) == 2
    assert secret not in "".join(told)
    made.close()
    assert helpers_of_this_process() == []


def test_large_days_are_made_one_after_the_other(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_assets.pipeline.day_workers._BYTES_AT_A_TIME", 1)
    begun: list[tuple[date, bool]] = []

    def verdicts() -> Iterator[date]:
        yield from (day for day in DAYS if (root / "verdicts" / f"date={day}.json").exists())

    for day, result in build_days(task(root), DAYS[:3]):
        result.result()
        begun.append((day, list(verdicts()) == DAYS[: DAYS.index(day) + 1]))
    assert begun == [(day, True) for day in DAYS[:3]]


def test_a_contract_that_was_packed_and_unpacked_is_the_same() -> None:
    assert pickle.loads(pickle.dumps(CONTRACT)) == CONTRACT
