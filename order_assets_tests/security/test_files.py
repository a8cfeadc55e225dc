"""Everything a run writes below the data root is for the owner alone, whatever the shell's umask says.

Dagster's own folder is Dagster's: it writes there with the umask of whoever starts it, and no secret or personal data
goes into it (`defs/test_privacy.py`). Who wants it closed as well sets `umask 077` for the daemon.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from order_assets.sandbox import ShopSettings, running_sandbox
from order_assets.testing.trial import Pipeline

SHOP = ShopSettings(orders_per_day=6, start=date(2026, 3, 6), now=datetime(2026, 3, 8, 12, tzinfo=UTC))


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(root: Path) -> list[tuple[str, str]]:
    found = []
    # Unlike `rglob` it steps over folders that go away meanwhile.
    below = (Path(folder) / name for folder, folders, files in os.walk(root) for name in (*folders, *files))
    for path in (root, *below):
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except FileNotFoundError:
            continue
        if mode & 0o077:
            found.append((str(path.relative_to(root)), oct(mode)))
    return found


@pytest.mark.usefixtures("open_umask")
def test_files_and_folders_are_closed_to_others_when_they_are_done(tmp_path: Path) -> None:
    with running_sandbox(SHOP) as sandbox:
        pipeline = Pipeline(tmp_path / "data", sandbox.url, SHOP.start, last_day=date(2026, 3, 8))
        seen: set[tuple[str, str]] = set()
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.02):
                seen.update(entry for entry in open_to_others(pipeline.root) if not entry[0].endswith(".tmp"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            pipeline.run()
        finally:
            done.set()
            watcher.join()
    assert (pipeline.root / "warehouse.duckdb").stat().st_size > 0
    assert open_to_others(pipeline.root) == []
    # Files that are being written lie in folders that are closed.
    assert {name for name, mode in seen if "." not in name.rpartition("/")[2]} == set()
