"""Words for writes that fail, and names for files that are being written; the same for every room that writes files.

Which files there are, and when they are put in their place, is said by the rooms themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
