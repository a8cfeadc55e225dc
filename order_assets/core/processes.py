"""Whether processes of this machine live: a number alone does not say so, since the system gives it out again."""

from __future__ import annotations

import os
import socket
from pathlib import Path

# Seconds that the clock of the kernel may differ from the one that events are dated by.
_CLOCKS_DIFFER = 10.0


def this_process() -> str:
    """A name by which another process can tell whether this one still lives: host, number and time of start."""
    return f"{socket.gethostname()}/{os.getpid()}/{_start_ticks(os.getpid())}"


def is_gone(process: str | None) -> bool:
    """Whether a process that named itself so is gone; of one without a name, or of another host, nothing is known."""
    if process is None:
        return False
    host, pid, started = process.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    return not _has_number(int(pid)) or _start_ticks(int(pid)) not in ("", started)


def lived_at(pid: int, moment: float) -> bool:
    """Whether a process lives that did at a moment (seconds since 1970), and not another one under its number."""
    if not _has_number(pid):
        return False
    born = _born(pid)
    return born is None or born < moment + _CLOCKS_DIFFER


def _has_number(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _born(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None where the system does not say."""
    try:
        booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
        return int(booted.split()[1]) + int(_start_ticks(pid)) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, StopIteration, ValueError):
        return None


def _start_ticks(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty where the system does not say."""
    try:
        # The name of the program, in brackets, may hold anything; the numbers come after it.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
