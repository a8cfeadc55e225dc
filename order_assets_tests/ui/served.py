"""Starts what `make ui` starts, on a free port with a history and data of its own, and ends it again."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_COMES_UP_WITHIN = 180.0  # seconds
_GOES_DOWN_WITHIN = 30.0
_OURS = ("OMNITRON_", "ORDER_ASSETS_", "DAGSTER_", "MAKE", "MFLAGS")


@contextmanager
def dagster_ui(folder: Path, first_day: date, made: tuple[date, date] | None) -> Iterator[str]:
    """The URL of a UI that works on an empty data root and history under `folder`, without an instance named.

    Partitions begin with `first_day`. With `made` the command has run the days from its first to its last.
    """
    port = _free_port()
    environment = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    environment["ORDER_ASSETS_DATA"] = str(folder / "data")
    environment["ORDER_ASSETS_START_DATE"] = first_day.isoformat()
    environment["XDG_STATE_HOME"] = str(folder / "state")
    binaries = Path(sys.executable).parent
    if made is not None:
        _run_days(binaries / "order-assets", environment, *made)
    # The recipe of the Makefile, with the packages that these tests run on instead of an install.
    command = ["make", "--old-file=.venv/.installed-run", "ui", f"BIN={binaries}"]
    process = subprocess.Popen(
        [*command, f"PORT={port}"],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    try:
        _wait_until_it_says(process, f"Serving dagster-webserver on http://127.0.0.1:{port}", said)
        yield f"http://127.0.0.1:{port}"
    except BaseException:
        print("What make ui said:", *said[-200:], sep="\n")
        raise
    finally:
        _end(process)


def _run_days(command: Path, environment: dict[str, str], first: date, last: date) -> None:
    days = ["--from", first.isoformat(), "--to", last.isoformat()]
    done = subprocess.run([command, "run", *days], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"order-assets run gave {done.returncode}\n{done.stdout}\n{done.stderr}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_says(process: subprocess.Popen[str], words: str, said: list[str]) -> None:
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        # Read to the end, or the processes would stop when the pipe is full.
        for line in process.stdout or ():
            said.append(line.rstrip())
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + _COMES_UP_WITHIN
    try:
        while (line := lines.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
            if words in line:
                return
    except queue.Empty:
        raise AssertionError(f"make ui did not say {words!r} within {_COMES_UP_WITHIN:.0f} s") from None
    raise AssertionError(f"make ui ended with exit code {process.wait(timeout=10)} instead of serving")


def _end(process: subprocess.Popen[str]) -> None:
    """End make and everything below it, as Ctrl-C does; only this one process group is touched."""
    group = process.pid
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(group, signal.SIGINT)
        process.wait(timeout=_GOES_DOWN_WITHIN)
    # Whatever did not listen; the group is gone if all did.
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    process.wait(timeout=10)
