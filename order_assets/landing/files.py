"""Files that are whole or not there: written beside their place, flushed, renamed; readable by the owner alone."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from order_assets.disk import explained_writing, private_directory, writer_mark

_ABANDONED_AFTER_SECONDS = 3_600


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; at the end it becomes `path`, after an error it is gone.

    An `OSError` meanwhile says that `path` could not be written.
    """
    temporary = path.with_name(f".{path.name}.{writer_mark()}.tmp")
    with explained_writing(path):
        private_directory(path.parent)
        _remove_abandoned(path.parent)
        try:
            yield temporary
            temporary.chmod(0o600)
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
            _sync_directory(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _remove_abandoned(directory: Path) -> None:
    """Remove what killed processes left beside the files; one that is still being written is younger."""
    for left in directory.glob(".*.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                left.unlink()


def write_json(path: Path, value: Any) -> None:
    """Write a small JSON file."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
