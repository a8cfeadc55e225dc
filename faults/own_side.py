"""This machine's side: kills, full disks, missing rights, damaged files, two at once, a clock that jumps.

Writes are met where Python makes them (renames, syncs, removals, new folders) at each place in turn, and where
libraries make them by a limit on the size of files, which is what a full disk looks like to them.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, tzinfo
from itertools import count
from pathlib import Path
from unittest import mock

from faults.scenario import Scenario, hold
from faults.worker import killed
from faults.world import FIRST, LAST, World, age, left_over
from order_assets.contract import CONTRACT
from order_assets.landing import LandingError, OrderIndexError
from order_assets.testing.crashes import before_each_write, ends_of_places, places_of
from order_assets.testing.trial import VERSION, Pipeline
from order_assets.warehouse import WarehouseError
from order_assets.warehouse.marts import MARTS

_OURS = (LandingError, OrderIndexError, WarehouseError)
Damage = Callable[[Path], None]
_MENDED = "one more run put all right"
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["faults.worker"])


def _kills(begin: Callable[[World], Pipeline]) -> Callable[[World], str]:
    """Kill a process before the first and before the last write of each place that writes."""

    def trial(world: World) -> str:
        places = places_of(begin(world).run)
        points = ends_of_places(places)
        for point in points:
            pipeline = begin(world)
            process = _SERVER.Process(target=killed, args=(pipeline.root, pipeline.url, FIRST, LAST, point))
            process.start()
            process.join(60)
            where = f"before write {point}, {places[point]}"
            hold(process.exitcode == -signal.SIGKILL, f"the kill {where} did not come: {process.exitcode}")
            world.check_readable(pipeline)
            age(pipeline.root)
            world.recover(pipeline)
            world.check_is_right(pipeline)
            hold(not left_over(pipeline.root), f"left behind {where}: {left_over(pipeline.root)[:2]}")
        return f"killed at {len(points)} of {len(places)} writes, all {len(set(places))} places that write; {_MENDED}"

    return trial


def _failures(code: int) -> Callable[[World], str]:
    """Let the first and the last write of each place that writes fail."""

    def trial(world: World) -> str:
        places, said, tolerated = places_of(world.once_run().run), 0, 0
        points = ends_of_places(places)
        for point in points:
            pipeline, passed = world.once_run(), count()

            def failing(place: str, point: int = point, passed: Iterator[int] = passed) -> None:
                if next(passed) == point:
                    raise OSError(code, os.strerror(code), place)

            try:
                with before_each_write(failing):
                    pipeline.run()
                tolerated += 1
            except (OSError, *_OURS) as error:
                said += 1
                world.check_message(f"{type(error).__name__}: {error}")
            hold(next(passed) > point, f"write {point} was not reached")
            world.check_readable(pipeline)
            age(pipeline.root)
            world.recover(pipeline)
            world.check_is_right(pipeline)
            where = f"{point}, {places[point]}"
            hold(not left_over(pipeline.root), f"left behind by write {where}: {left_over(pipeline.root)[:2]}")
        return (
            f"{len(points)} of {len(places)} writes failed, all {len(set(places))} places that write:"
            f" {said} times a message, {tolerated} times all right at once"
        )

    return trial


def _worker(pipeline: Pipeline, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "faults.worker", str(pipeline.root), pipeline.url, str(FIRST), str(LAST), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def _limited(kilobytes: int) -> Callable[[World], str]:
    def trial(world: World) -> str:
        pipeline = world.once_run()
        done = _worker(pipeline, "--largest-file", str(kilobytes * 1024))
        hold(done.returncode == 1, f"the limit did not bite: {done.returncode} {done.stderr[-300:]}")
        return _said_and_mended(world, pipeline, done)

    return trial


def _said_and_mended(world: World, pipeline: Pipeline, done: subprocess.CompletedProcess[str]) -> str:
    message = done.stderr.strip().splitlines()[-1]
    world.check_message(message)
    hold("Traceback" not in done.stderr, f"a traceback instead of a message: {message}")
    hold(str(pipeline.root) in message, f"the message does not say where: {message}")
    world.check_readable(pipeline)
    age(pipeline.root)
    world.recover(pipeline)
    world.check_is_right(pipeline)
    hold(not left_over(pipeline.root), f"left behind: {left_over(pipeline.root)[:2]}")
    return f"it said: {message.replace(str(pipeline.root), 'DATA')[:160]}"


def _without_rights(part: str) -> Callable[[World], str]:
    def trial(world: World) -> str:
        pipeline = world.once_run()
        root = pipeline.root
        folders = (
            [root] if part == "." else [root / part, *(path for path in (root / part).rglob("*") if path.is_dir())]
        )
        if part == "*":
            folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o500)
        try:
            done = _worker(pipeline, "--as-anybody")
        finally:
            for folder in folders:
                folder.chmod(0o700)
        hold(done.returncode == 1, f"the missing right did not bite: {done.returncode} {done.stderr[-300:]}")
        return _said_and_mended(world, pipeline, done)

    return trial


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    """Change bytes in the middle and near the end, where Parquet keeps its directory."""
    content = bytearray(path.read_bytes())
    for place in (*range(len(content) // 2, len(content) // 2 + 64), *range(len(content) - 200, len(content) - 150)):
        content[place] ^= 0xFF
    path.write_bytes(content)


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("this is something else\n" * 100, encoding="ascii")


def _damaged(pattern: str, damage: Damage) -> Callable[[World], str]:
    """Damage the first file of a pattern; what a run says has to name it, and without it all has to come back."""

    def trial(world: World) -> str:
        pipeline = world.once_run()
        path = sorted(pipeline.root.glob(pattern))[0]
        damage(path)
        try:
            pipeline.run()
            world.check_is_right(pipeline)
        except (*_OURS, OSError) as error:
            message = str(error)
        else:
            return "all right at once"
        world.check_message(message)
        hold(path.name in message or path.parent.name in message, f"the message does not name the file: {message}")
        # As the messages say: what cannot be read is taken away and made anew.
        path.unlink()
        _made_anew(world, pipeline)
        world.check_is_right(pipeline)
        return f"it said: {message.replace(str(pipeline.root), 'DATA')[:200]}"

    return trial


def _made_anew(world: World, pipeline: Pipeline) -> None:
    world.recover(pipeline)
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    pipeline.refresh(days)
    pipeline.load(days)


def _two_at_once(world: World) -> int:
    pipeline = world.once_run()
    others = [Pipeline(pipeline.root, pipeline.url, FIRST, last_day=LAST) for _ in range(2)]
    failed: list[BaseException] = []
    start = threading.Barrier(2)

    def work(own: Pipeline) -> None:
        start.wait(10)
        try:
            own.run()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    hold(not any(thread.is_alive() for thread in threads), "they wait for each other")
    for error in failed:
        hold(isinstance(error, _OURS), f"{type(error).__name__}: {error}")
    world.check_readable(pipeline)
    world.recover(pipeline)
    world.check_is_right(pipeline)
    return 2 - len(failed)


def _two_processes(world: World) -> int:
    pipeline = world.once_run()
    command = [sys.executable, "-m", "faults.worker", str(pipeline.root), pipeline.url, str(FIRST), str(LAST)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(process.communicate(timeout=90)[1], process.returncode) for process in both]
    for said, code in ended:
        hold(code == 0 or "Traceback" not in said, said[-400:])
    world.check_readable(pipeline)
    world.recover(pipeline)
    world.check_is_right(pipeline)
    return sum(code == 0 for _, code in ended)


def _again(times: int, both: Callable[[World], int]) -> Callable[[World], str]:
    """Two runs several times over, since they meet at another place each time; `both` gives how many came through."""

    def trial(world: World) -> str:
        through = sum(both(world) for _ in range(times))
        return f"{times} times two: {through} of {2 * times} came through, right after one more run"

    return trial


class _AnyDatetime(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


@contextmanager
def _clock_off_by(offset: timedelta) -> Iterator[None]:
    """Let all modules of the package see another time."""

    class Shifted(datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + offset

    with mock.patch.multiple("order_assets.pipeline.sync", datetime=Shifted):
        patches = [
            mock.patch.object(module, "datetime", Shifted)
            for name, module in list(sys.modules.items())
            if name.startswith("order_assets.") and getattr(module, "datetime", None) is datetime
        ]
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()


def _clock(offset: timedelta) -> Callable[[World], str]:
    def trial(world: World) -> str:
        pipeline = world.once_run()
        with _clock_off_by(offset):
            pipeline.run()
        world.recover(pipeline)
        world.check_is_right(pipeline)
        return "right after one more run with the right clock"

    return trial


def _little_memory(world: World) -> str:
    from order_assets.warehouse import load_days

    pipeline = world.once_run()
    pipeline.sync()
    days = pipeline.due()
    pipeline.refresh(days)
    for day in days:
        pipeline.maker.make(day)
    before = pipeline.query("SELECT count(*), max(modified_date) FROM orders.orders")
    message = ""
    try:
        load_days(
            pipeline.root, days, contract=CONTRACT, marts=MARTS, contract_version=VERSION, threads=1, memory_limit="2MB"
        )
    except WarehouseError as error:
        message = str(error)
    hold(message != "", "the limit did not bite")
    world.check_message(message)
    hold(pipeline.query("SELECT count(*), max(modified_date) FROM orders.orders") == before, "the file changed")
    world.recover(pipeline)
    world.check_is_right(pipeline)
    return f"it said: {message.replace(str(pipeline.root), 'DATA')[:200]}"


def _leftovers(world: World) -> str:
    pipeline = world.once_run()
    folders = [path for path in pipeline.root.rglob("*") if path.is_dir()]
    for folder in folders:
        (folder / ".part-0.parquet.12345.tmp").write_bytes(b"PAR1 half a file")
    age(pipeline.root)
    pipeline.run()
    world.check_is_right(pipeline)
    return f"half written files in {len(folders)} folders were not taken for data"


def _readers(world: World) -> str:
    import duckdb

    pipeline = world.once_run()
    with duckdb.connect(str(pipeline.root / "warehouse.duckdb"), read_only=True) as reader:
        before = reader.execute("SELECT count(*), max(modified_date) FROM orders.orders").fetchall()
        pipeline.run()
        hold(
            reader.execute("SELECT count(*), max(modified_date) FROM orders.orders").fetchall() == before,
            "a reader saw something else in the middle",
        )
    world.check_is_right(pipeline)
    return "a reader that held the file open kept its state, the next one saw the new one"


def _no_history(world: World) -> str:
    pipeline = world.up_to_date()
    home = world.place / "home"
    asked = []
    for _ in range(2):
        home.mkdir()
        world.sandbox.requests.clear()
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(home),
            "ORDER_ASSETS_DATA": str(pipeline.root),
            "ORDER_ASSETS_START_DATE": str(FIRST),
            "ORDER_ASSETS_PII": "clear",
            "OMNITRON_URL": pipeline.url,
            "OMNITRON_USERNAME": "sandbox",
            "OMNITRON_PASSWORD": "sandbox",
            "XDG_STATE_HOME": str(world.place / "state"),
        }
        command = [sys.executable, "-m", "order_assets.cli", "run", "--from", str(FIRST), "--to", str(LAST)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170, check=False)
        hold(done.returncode == 0, (done.stdout + done.stderr)[-500:])
        asked.append(sum("detailed_integration" in request.path for request in world.sandbox.requests))
        for path in sorted(home.rglob("*"), reverse=True):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        home.rmdir()
    hold(asked[1] == 0, f"{asked[1]} documents were asked for again")
    world.check_is_right(pipeline)
    return f"documents asked for with each new history: {asked}"


def _own(
    name: str, says: str, promises: tuple[int, ...], trial: Callable[[World], str], *, quick: bool = False
) -> Scenario:
    return Scenario(name, "this machine", says, promises, trial, quick)


_DAMAGES = ((_cut, "cut in half"), (_flip, "bytes changed"), (_zeros, "all zeros"), (_empty, "empty"))
_FILES = (
    ("index/index.json", "the index"),
    ("landing/*/documents-*.parquet", "landed documents"),
    ("landing/*/ledger.parquet", "a day's ledger"),
    ("tables/orders/*/*.parquet", "a table's file"),
    ("verdicts/*.json", "a day's verdict"),
    ("warehouse.duckdb", "the warehouse"),
)

_QUICK = ((_cut, "landed documents"), (_cut, "a day's verdict"), (_zeros, "the index"))

SCENARIOS = (
    _own("killed in a first run", "SIGKILL before each place that writes", (4, 7), _kills(World.empty)),
    _own("killed in a later run", "SIGKILL before each place that writes", (4, 7), _kills(World.once_run)),
    _own("disk full at each write", "ENOSPC from what renames, syncs, removes", (4, 7), _failures(errno.ENOSPC)),
    _own("input/output error at each write", "EIO from the same", (4, 7), _failures(errno.EIO)),
    _own("permission denied at each write", "EACCES from the same", (4, 7), _failures(errno.EACCES)),
    *(
        _own(f"no file can grow beyond {size} kB", "a limit on the size of files", (4, 7, 9), _limited(size))
        for size in (2, 5, 20, 200, 5000)
    ),
    *(
        _own(f"no right to write {words}", "folders without the right to write", (4, 7, 9), _without_rights(part))
        for part, words in (
            (".", "the data root"),
            ("index", "the index"),
            ("landing", "landing"),
            ("tables", "tables"),
            ("*", "anything"),
        )
    ),
    *(
        _own(
            f"{words}: {how}", f"`{pattern}`", (3, 4, 7, 8), _damaged(pattern, damage), quick=(damage, words) in _QUICK
        )
        for pattern, words in _FILES
        for damage, how in _DAMAGES
    ),
    _own("something else in place of the warehouse", "`warehouse.duckdb`", (7, 9), _damaged("warehouse.duckdb", _text)),
    _own("two runs at once in one process", "two threads, the same days", (1, 7), _again(6, _two_at_once)),
    _own("two runs at once", "two processes, the same days", (1, 7), _again(3, _two_processes)),
    _own("the clock jumps back", "three hours", (1, 6), _clock(timedelta(hours=-3))),
    _own("the clock jumps ahead", "three hours", (1, 6), _clock(timedelta(hours=3))),
    _own("hardly any memory for DuckDB", "`memory_limit` 2MB", (7, 9), _little_memory),
    _own("half written files lie about", "in every folder", (3, 7), _leftovers, quick=True),
    _own("a reader holds the warehouse", "during a publish", (9,), _readers, quick=True),
    _own("Dagster's history is lost", "`DAGSTER_HOME` empty, twice", (6, 7), _no_history),
)
