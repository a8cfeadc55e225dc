"""Files that are whole or not there, and folders, for the owner alone: for every room.

A file is written beside its place, flushed and renamed. Which files there are is said by the rooms themselves.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_ABANDONED_AFTER_SECONDS = 3_600
_ACCESS_LIST = "system.posix_acl_access"


def private_directory(path: Path) -> Path:
    """The directory; it and the folders above it that are not there are made for the owner alone."""
    if not path.is_dir():
        # `mkdir` would make the folders above with the rights that the shell gives.
        for missing in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    return path


def draft_of(path: Path) -> Path:
    """Where to write what will become `path`; no other writer on any machine has this name.

    Its folder is there afterwards. What killed processes left beside it goes, once it is an hour old.
    """
    private_directory(path.parent)
    _remove_abandoned(path.parent)
    return path.with_name(f".{path.name}.{writer_mark()}.tmp")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; at the end it becomes `path`, after an error it is gone.

    Mode and group of a file that was there stay.
    An `OSError` meanwhile says that `path` could not be written.
    """
    with explained_writing(path):
        draft = draft_of(path)
        try:
            yield draft
            flush(draft, path)
            draft.replace(path)
            sync(path.parent)
        finally:
            draft.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a small JSON file."""
    with whole_file(path) as draft:
        draft.write_text(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")


def flush(path: Path, replaced: Path | None = None) -> None:
    """Make a file durable, and the owner's alone, or whoever's the file is that it is about to replace."""
    path.chmod(0o600)
    if replaced is not None:
        _keep_rights(path, replaced)
    sync(path)


def _keep_rights(path: Path, replaced: Path) -> None:
    """Give a file the mode, the group and the access list of the one that it replaces; as root the owner as well."""
    try:
        before, now = replaced.stat(), path.stat()
    except FileNotFoundError:
        return
    mode = before.st_mode & 0o777
    owner = before.st_uid if os.geteuid() == 0 else now.st_uid
    if (owner, before.st_gid) != (now.st_uid, now.st_gid):
        try:
            os.chown(path, owner, before.st_gid)
        except PermissionError:
            # What that group was allowed must not become another group's.
            mode &= ~0o070
    if mode != 0o600:
        path.chmod(mode)
    if hasattr(os, "getxattr") and mode & 0o070:
        # Of most files there is none, and not every disk has any.
        with suppress(OSError):
            os.setxattr(path, _ACCESS_LIST, os.getxattr(replaced, _ACCESS_LIST))


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def writer_mark() -> str:
    """A text that no other writer on any machine has.

    It goes into the names of files that are being written, so that two runs at once do not write over each other.
    """
    return uuid.uuid4().hex[:16]


@contextmanager
def explained_writing(path: Path) -> Iterator[None]:
    """Let an `OSError` from writing `path` say which file it was and what to do; its number stays."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            error.errno,
            f"{reason}. The file was not written; if there was one it is as it was. Free space or mend the rights on "
            "its folder, then run again",
            str(path),
        ) from error


def _remove_abandoned(directory: Path) -> None:
    """Remove what killed processes left beside the files; one that is still being written is younger."""
    for left in directory.glob(".*.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                left.unlink()
