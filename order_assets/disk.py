"""Folders for the owner alone, words for writes that fail, names for files that are being written: for every room.

Which files there are, and when they are put in their place, is said by the rooms themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def private_directory(path: Path) -> Path:
    """The directory; it and the folders above it that are not there are made for the owner alone."""
    if not path.is_dir():
        # `mkdir` would make the folders above with the rights that the shell gives.
        for missing in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    return path


def writer_mark() -> int:
    """A number that no other thread of any process on this machine has at this moment.

    It goes into the names of files that are being written, so that two runs at once do not write over each other.
    """
    return threading.get_native_id()


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
