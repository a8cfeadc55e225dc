"""One run in a process of its own: `python -m faults.worker ROOT URL FIRST LAST [--largest-file BYTES] [--as-anybody]`.

Ends with 1 and one line on standard error where the run could not go on. `--as-anybody` gives up what the
administrator may do beyond others, so that rights count for him as well.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import signal
import sys
from datetime import date
from itertools import count
from pathlib import Path

from faults.world import CLIENT
from order_assets.landing import LandingError, OrderIndexError
from order_assets.testing.crashes import before_each_write
from order_assets.testing.trial import Pipeline
from order_assets.warehouse import WarehouseError

_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def give_up_capabilities() -> None:
    """Drop all capabilities of this thread, and of those that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, none = _Header(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(header), ctypes.byref(none)) != 0:
        raise OSError(ctypes.get_errno(), "capabilities cannot be given up")


def killed(root: Path, url: str, first: date, last: date, write: int) -> None:
    """Run until the write of that number, counted from 0, and be killed there: nothing is cleared away."""
    passed = count()

    def before(_place: str) -> None:
        if next(passed) == write:
            os.kill(os.getpid(), signal.SIGKILL)

    with before_each_write(before):
        Pipeline(root, url, first, last_day=last, client_settings=CLIENT).run()


def main() -> int:
    """Give 1 where the run ended with an error that it explains."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("url")
    parser.add_argument("first", type=date.fromisoformat)
    parser.add_argument("last", type=date.fromisoformat)
    parser.add_argument("--largest-file", type=int)
    parser.add_argument("--as-anybody", action="store_true")
    given = parser.parse_args()
    if given.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file, given.largest_file))
    if given.as_anybody:
        give_up_capabilities()
    try:
        Pipeline(given.root, given.url, given.first, last_day=given.last, client_settings=CLIENT).run()
    except (LandingError, OrderIndexError, WarehouseError, OSError) as error:
        print(f"{type(error).__name__}: {error}".replace("\n", " "), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
