"""Tries scenarios in several processes side by side, each with a world of its own."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

from faults import own_side, remote
from faults.scenario import Outcome, Scenario, tried
from faults.world import made_world

# This machine's side has the longest ones, so it comes first.
SCENARIOS = (*own_side.SCENARIOS, *remote.SCENARIOS)
_LOOK_SECONDS = 1.0


def in_processes(scenarios: Sequence[Scenario], jobs: int) -> Iterator[Outcome]:
    """Try them, `jobs` at a time; gives outcomes as they come, one for each scenario."""
    by_name = {scenario.name: scenario for scenario in scenarios}
    context = multiprocessing.get_context("spawn")
    names, outcomes = context.Queue(), context.Queue()
    for name in by_name:
        names.put(name)
    workers = [context.Process(target=_work, args=(names, outcomes)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    while by_name:
        was_at_work = any(worker.is_alive() for worker in workers)
        try:
            name, held, found, seconds = outcomes.get(timeout=_LOOK_SECONDS)
        except Empty:
            if not was_at_work:
                break
        else:
            yield Outcome(by_name.pop(name), held, found, seconds)
    for worker in workers:
        worker.join(60)
    for scenario in by_name.values():
        yield Outcome(scenario, False, "the process that tried it ended before it", 0.0)


def _work(names: Queue[str], outcomes: Queue[tuple[str, bool, str, float]]) -> None:
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    with tempfile.TemporaryDirectory(prefix="order_assets_faults_") as place, made_world(Path(place)) as world:
        while True:
            try:
                scenario = by_name[names.get(timeout=_LOOK_SECONDS)]
            except Empty:
                return
            for outcome in tried([scenario], world):
                outcomes.put((scenario.name, outcome.held, outcome.found, outcome.seconds))
