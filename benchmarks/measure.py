"""Runs pieces of work in fresh processes, ours and the peers' in turns, and gathers what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

PROJECT = Path(__file__).parents[1]
PEERS = PROJECT / "benchmarks" / ".venv" / "bin" / "python"
RUNS = 5


@dataclass(frozen=True)
class Work:
    """What to run: a mode of `benchmarks.own`, or of `benchmarks.peers` in the peers' environment, with arguments."""

    module: str
    arguments: tuple[str, ...]

    @property
    def python(self) -> str:
        return str(PEERS) if self.module == "benchmarks.peers" else sys.executable


@dataclass(frozen=True)
class Timed:
    """Several runs of one work."""

    seconds: tuple[float, ...]
    cpus: tuple[float, ...]
    peaks: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def cpu(self) -> float:
        return median(self.cpus)

    @property
    def peak(self) -> float:
        return max(self.peaks)

    def and_then(self, later: Timed) -> Timed:
        """These runs and later ones of the same work."""
        return Timed(self.seconds + later.seconds, self.cpus + later.cpus, self.peaks + later.peaks)


def own(*arguments: object) -> Work:
    """Something that this project does."""
    return Work("benchmarks.own", tuple(map(str, arguments)))


def peer(*arguments: object) -> Work:
    """Something that others do."""
    return Work("benchmarks.peers", tuple(map(str, arguments)))


def have_peers() -> bool:
    """Whether the peers' environment is there; `make bench` makes it."""
    return PEERS.exists()


def child(work: Work, timeout: float = 900) -> dict[str, Any]:
    """Run it once in a process of its own; what it said in its last line."""
    command = [work.python, "-m", work.module, *work.arguments]
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=timeout, env=_environment(), check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def in_turns(works: Mapping[str, Work], runs: int) -> dict[str, Timed]:
    """Run each work `runs` times: A B C A B C ..., so that a slow minute of the machine meets all of them."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            found[name].append(child(work))
    return {
        name: Timed(*(tuple(run[what] for run in of_work) for what in ("seconds", "cpu", "peak")))
        for name, of_work in found.items()
    }


def _environment() -> dict[str, str]:
    return {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
