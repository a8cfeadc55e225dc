"""What a user waits for: definitions, the first day, the UI."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import requests

from benchmarks.figures import Figure
from benchmarks.measure import PROJECT, RUNS

TITLE = "Start: definitions, first materialisation, UI"
_LOAD = "import order_assets.definitions as found; found.defs.get_repository_def()"
_WAIT_SECONDS = 120


def figures(*, quick: bool) -> Iterator[Figure]:
    """Seconds, in processes of their own; `import dagster` by itself is what the definitions are held against."""
    runs = 1 if quick else RUNS
    bare, ours = [], []
    for _ in range(runs):
        bare.append(_seconds([sys.executable, "-c", "import dagster"], os.environ.copy()))
        ours.append(_seconds([sys.executable, "-c", _LOAD], os.environ.copy()))
    yield Figure("import dagster", tuple(bare), "s")
    yield Figure("definitions loaded", tuple(ours), "s", "import dagster", median(ours) / median(bare))
    if not quick:
        yield Figure(
            "first materialisation: a day of the embedded sandbox, its orders listed first",
            tuple(_first() for _ in range(runs)),
            "s",
        )
        yield Figure("UI ready after make ui's command", tuple(_ui() for _ in range(runs)), "s")


def _seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, timeout=300, check=True)
    return time.perf_counter() - started


def _first() -> float:
    day = f"{datetime.now(UTC).date() - timedelta(days=2)}"
    with tempfile.TemporaryDirectory(prefix="bench-start-") as folder:
        program = "import sys; from order_assets.cli import main; sys.exit(main())"
        return _seconds([sys.executable, "-c", program, "run", "--from", day, "--to", day], _environment(Path(folder)))


def _ui() -> float:
    with tempfile.TemporaryDirectory(prefix="bench-start-") as folder, socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.close()
        environment = _environment(Path(folder))
        dagster = str(Path(sys.executable).with_name("dagster"))
        started = time.perf_counter()
        subprocess.run([dagster, "instance", "migrate"], env=environment, capture_output=True, timeout=60, check=True)
        command = [dagster, "dev", "--workspace", "workspace.yaml", "--host", "127.0.0.1", "--port", str(port)]
        with subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                _wait(f"http://127.0.0.1:{port}/server_info", process)
                return time.perf_counter() - started
            finally:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(30)
                finally:
                    # Whatever did not listen; the group is gone if all did.
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer within {_WAIT_SECONDS} s")


def _environment(folder: Path) -> dict[str, str]:
    home = folder / "home"
    home.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", home)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMNITRON", "ORDER_ASSETS"))}
    return {**kept, "DAGSTER_HOME": str(home), "ORDER_ASSETS_DATA": str(folder / "data")}
