"""What a run is told in secret stands in no argument of a process, where every user of the machine could read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from order_assets.sandbox import PASSWORD, ShopSettings, running_sandbox

PROJECT = Path(__file__).resolve().parents[2]
PROCESSES = Path("/proc")
PII_KEY = "Anahtar47zK4wP8kelimesi"
# As many as make it worth while to start helpers.
DAYS = ("2026-03-01", "2026-03-16")


def of_run(pid: int) -> Iterator[bytes]:
    """The arguments of the process and of all below it."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        try:
            yield (PROCESSES / str(pid) / "cmdline").read_bytes()
            children = [(thread / "children").read_text() for thread in (PROCESSES / str(pid) / "task").iterdir()]
        except OSError:
            continue  # it has just ended
        waiting += map(int, " ".join(children).split())


@pytest.mark.slow
@pytest.mark.skipif(not PROCESSES.exists(), reason="arguments of processes are read from /proc")
def test_secrets_stand_in_no_argument_of_a_process(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    shop = ShopSettings(orders_per_day=1)
    with running_sandbox(shop) as sandbox:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OMNITRON", "ORDER_ASSETS"))},
            "OMNITRON_URL": sandbox.url,
            "OMNITRON_USERNAME": "sandbox",
            "OMNITRON_PASSWORD": PASSWORD,
            "ORDER_ASSETS_PII_KEY": PII_KEY,
            "ORDER_ASSETS_DATA": str(tmp_path / "data"),
            "ORDER_ASSETS_REQUESTS_PER_SECOND": "1000",
            "DAGSTER_HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        command = [sys.executable, "-c", "from order_assets.cli import main; raise SystemExit(main())", "run"]
        seen: set[bytes] = set()
        with subprocess.Popen(
            [*command, "--from", DAYS[0], "--to", DAYS[1]], env=environment, stdout=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                seen.update(of_run(process.pid))
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.02)
        assert process.returncode == 0
        told = b"\0".join(seen)
    assert b"popen_loky" in told, "the helpers were not seen"
    for secret in (sandbox.token, PII_KEY):
        assert secret.encode() not in told
    # The sandbox's password is its user's name as well, which may stand in a path.
    assert not {PASSWORD.encode(), b"--password"} & set(told.split(b"\0"))
