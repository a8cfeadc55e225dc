"""Three runs refresh different days at once: the shop sees one budget, and no run starves."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from order_assets.sandbox import ShopSettings, running_sandbox
from order_assets.testing.trial import Pipeline

FIRST = date(2026, 3, 1)
PROCESSES, DAYS_EACH, ORDERS, RATE = 3, 4, 40, 50


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_processes_that_refresh_days_stay_within_fifty_requests_a_second(tmp_path: Path) -> None:
    root, budget = tmp_path / "data", tmp_path / "budget"
    days = [FIRST + timedelta(days=number) for number in range(PROCESSES * DAYS_EACH)]
    later = datetime(2026, 4, 1, tzinfo=UTC)
    with running_sandbox(ShopSettings(orders_per_day=ORDERS, start=FIRST, now=later)) as sandbox, ExitStack() as stack:
        Pipeline(root, sandbox.url, FIRST).sync()
        listed = len(sandbox.requests)
        command = [sys.executable, "-m", f"{__package__}.refresher", str(root), sandbox.url, str(FIRST), str(budget)]
        processes = []
        for number in range(PROCESSES):
            mine = [str(day) for day in days[number * DAYS_EACH : (number + 1) * DAYS_EACH]]
            process = subprocess.Popen(
                [*command, str(RATE), *mine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        made = [int(process.communicate(timeout=200)[0]) for process in processes]
        assert [process.returncode for process in processes] == [0] * PROCESSES
        asked = [record for record in list(sandbox.requests)[listed:] if "/auth/" not in record.path]
        placed = {row["pk"]: date.fromisoformat(row["date_placed"][:10]) for row in sandbox.shop.flat_orders()}
    moments = sorted(record.at for record in asked)
    seconds = moments[-1] - moments[0]
    most = _most_within(1.0, moments)
    # As long as all three had work: the first one that is done leaves its share to the others.
    details = [record for record in asked if "/orders_integration/" in record.path]
    owner = [(r.at, (placed[int(r.path.split("/")[-3])] - FIRST).days // DAYS_EACH) for r in details]
    all_busy = min(max(at for at, who in owner if who == number) for number in range(PROCESSES))
    shares = [sum(who == number for at, who in owner if at <= all_busy) for number in range(PROCESSES)]
    print(
        f"{len(moments)} requests in {seconds:.1f} s, {len(moments) / seconds:.1f} a second, at most {most} in any "
        f"second; orders read while all were busy {shares}; requests by process {made}"
    )
    assert sum(made) == len(moments)
    assert most <= 1.1 * RATE
    assert len(moments) / seconds >= 0.9 * RATE
    assert min(shares) >= sum(shares) / 4


def _most_within(seconds: float, moments: list[float]) -> int:
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
