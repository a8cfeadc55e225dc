"""One writer at a time works on a draft of the warehouse file, and the finished draft takes its place.

Here are the lock between writers, the copy, the swap and the clearing away. What is written into the draft is
in `load`. Readers never wait: who has the old file open keeps it, because a swap gives the name to another
file.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from order_assets.core.store import flush, private_directory, sync
from order_assets.warehouse.locations import WarehouseError, lock_file, warehouse_file

_LOG = logging.getLogger(__name__)
_DRAFT_PREFIX = ".warehouse.duckdb."
_OWNER_ONLY = 0o600
_OWNER_ONLY_DIRECTORY = 0o700
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Draft:
    """The file that is being written, the published file that it will replace, and room for spilling."""

    path: Path
    published: Path
    spill: Path

    @property
    def before(self) -> Path:
        """Where the draft lies while it is written anew in another storage version."""
        return self.path.with_suffix(".before")

    def start(self, *, fresh: bool = False) -> float:
        """Copy the published file into the draft, if there is one. Returns the seconds that it took.

        A `fresh` draft starts empty: nothing of the published file is in it, not even in unused blocks.
        """
        started = time.perf_counter()
        if self.published.exists() and not fresh:
            copy_file(self.published, self.path)
        return time.perf_counter() - started

    def publish(self) -> None:
        """Give the draft the published name, durably: both the file and its directory entry are synced.

        Mode and group of the file that was published stay: whoever could read it can read the new one.
        """
        flush(self.path, self.published)
        _set_aside_foreign_log(self.published)
        self.path.replace(self.published)
        sync(self.published.parent)


@contextmanager
def drafting(data_root: Path, lock_timeout: float) -> Iterator[Draft]:
    """Hold the writers' lock and hand out a draft; whatever happens, no draft is left behind.

    The caller starts and publishes the draft. Raises `WarehouseError` if the lock does not come free within
    `lock_timeout` seconds or the disk refuses.
    """
    try:
        private_directory(data_root)
        with _write_lock(lock_file(data_root), lock_timeout):
            # Under the lock no other writer lives, so every draft that lies here belongs to a dead one.
            _clear_drafts(data_root)
            name = f"{_DRAFT_PREFIX}{os.getpid()}"
            draft = Draft(data_root / f"{name}.tmp", warehouse_file(data_root), data_root / f"{name}.spill")
            draft.spill.mkdir(mode=_OWNER_ONLY_DIRECTORY)
            try:
                yield draft
            finally:
                _clear_drafts(data_root)
    except OSError as error:
        raise WarehouseError(
            f"writing the warehouse under {data_root} failed: {error.strerror or type(error).__name__}"
            f" ({error.filename or 'no file named'}). The published file is as it was; free space or fix"
            " the permissions, then load the days again."
        ) from error


@contextmanager
def _write_lock(path: Path, timeout: float) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
    try:
        _acquire(descriptor, path, timeout)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        # Closing frees the lock. The file stays: else two writers could lock two files of one name.
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "unknown"
                raise WarehouseError(
                    f"another writer (process {holder}) held {path} for the {timeout:g} s that this load"
                    " waited. Let it finish or, if it hangs, end it; then load the days again."
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return


def copy_file(source: Path, target: Path) -> None:
    """Copy a file into a new one, for the owner alone. No lock is asked for, so whoever holds the source may."""
    with source.open("rb") as reader:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as writer:
            if not _copy_in_kernel(reader.fileno(), descriptor):
                shutil.copyfileobj(reader, writer, 1 << 20)


def _copy_in_kernel(source: int, target: int) -> bool:
    """Copy without passing the bytes through this process; shares blocks where the file system can."""
    if not hasattr(os, "copy_file_range"):
        return False
    left = os.fstat(source).st_size
    while left > 0:
        try:
            copied = os.copy_file_range(source, target, left)
        except OSError:
            copied = 0
        if not copied:
            os.lseek(source, 0, os.SEEK_SET)
            os.lseek(target, 0, os.SEEK_SET)
            os.ftruncate(target, 0)
            return False
        left -= copied
    return True


def _set_aside_foreign_log(published: Path) -> None:
    """Move away the write-ahead log of somebody who opened the published file for writing.

    It belongs to the file that is being replaced; beside the new one it would keep readers out.
    """
    log = published.with_name(published.name + ".wal")
    aside = published.with_name(published.name + ".wal-set-aside")
    with suppress(FileNotFoundError):
        log.replace(aside)
        _LOG.warning("%s was opened for writing by another program; its log is kept as %s", published, aside)


def _clear_drafts(data_root: Path) -> None:
    for left_over in data_root.glob(f"{_DRAFT_PREFIX}*"):
        if left_over.is_dir():
            shutil.rmtree(left_over)
        else:
            left_over.unlink()
