"""The budget holds for all processes together, none of them starves, and what one learns all of them heed."""

import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from order_assets.omnitron import (
    ClientSettings,
    OmnitronClient,
    OmnitronConfigError,
    OmnitronStoppedError,
    SharedBudget,
)
from order_assets.omnitron.rate_limit.budget_store import BudgetStore, FileStore, Waiter, instance_folder
from order_assets.omnitron.rate_limit.postgres_store import PostgresStore
from order_assets.sandbox import ShopSettings, running_sandbox

from .conftest import TOKEN, VirtualTime
from .scripted_shop import Answer, Asked, Reply, ScriptedShop

Serve = Callable[[Answer], ScriptedShop]


@pytest.fixture(params=["folder", pytest.param("postgres", marks=pytest.mark.long)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the sharers of a budget meet."""
    return str(tmp_path) if request.param == "folder" else str(request.getfixturevalue("database"))


def store_of(kept: str, url: str) -> BudgetStore:
    return PostgresStore(kept, url) if "postgresql:" in kept else FileStore(instance_folder(Path(kept), url))


@contextmanager
def callers(
    count: int, url: str, token: str, kept: str, *, before: Sequence[str] = (), **how: object
) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that call until their seconds are over, all begun at once; `before` is put before their commands."""
    facts = {"rate": 50, "places": 4, "seconds": 1} | how
    command = [*before, sys.executable, "-m", f"{__package__}.caller", url, token, kept]
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = subprocess.Popen(
                [*command, str(facts["rate"]), str(facts["places"]), str(facts["seconds"])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield processes


def calls_made(process: subprocess.Popen[str]) -> int:
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return int(said)


def most_within(seconds: float, moments: list[float]) -> int:
    return max(sum(first <= moment < first + seconds for moment in moments) for first in moments)


def test_three_processes_keep_one_rate_and_none_starves(kept: str) -> None:
    settings = ShopSettings(orders_per_day=1, start=date(2026, 1, 1), now=datetime(2026, 1, 2, tzinfo=UTC))
    with running_sandbox(settings) as sandbox:
        with callers(3, sandbox.url, sandbox.token, kept, rate=50, places=8, seconds=3) as processes:
            made = [calls_made(process) for process in processes]
        moments = [record.at for record in sandbox.requests if record.path.endswith("/orders/")]
    assert sum(made) == len(moments)
    # 50 a second; on a busy machine some arrive late, and then close together.
    assert most_within(2, moments) <= 1.1 * 2 * 50
    # The rate is also used, not only kept.
    assert len(moments) >= 0.9 * 50 * 3
    assert min(made) >= sum(made) / 4


def test_a_killed_process_gives_its_places_back(kept: str, serve: Serve) -> None:
    over = threading.Event()

    def answer(_: Asked) -> Reply:
        over.wait(20)
        return Reply({})

    shop = serve(answer)
    store = store_of(kept, shop.url)
    with callers(1, shop.url, TOKEN, kept, rate=1000, places=2) as (process,):
        deadline = time.monotonic() + 10
        while len(shop.asked) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert store.place(2) is None
        process.kill()
        process.wait(10)
        # A server hears of it a moment later.
        while (first := store.place(2)) is None or (second := store.place(2)) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert first
        assert second
        assert store.place(2) is None
    over.set()


def test_a_wait_that_one_process_is_told_holds_all_processes(kept: str, serve: Serve) -> None:
    lock = threading.Lock()
    moments: list[float] = []

    def answer(_: Asked) -> Reply:
        with lock:
            moments.append(time.monotonic())
            return Reply({}, 429, headers={"Retry-After": "0.8"}) if len(moments) == 20 else Reply({})

    shop = serve(answer)
    with callers(2, shop.url, TOKEN, kept, rate=100, places=4, seconds=1.2) as processes:
        made = [calls_made(process) for process in processes]
    told = moments[19]
    assert not [moment - told for moment in moments if 0.1 < moment - told < 0.78]
    assert any(moment > told + 0.78 for moment in moments)
    assert min(made) > 0


def test_a_free_place_goes_to_who_waited_longest_whatever_the_process(tmp_path: Path, virtual: VirtualTime) -> None:
    # Three stores on one folder are as strange to each other as three processes.
    first, second, newcomer = (SharedBudget(FileStore(tmp_path / "one", virtual.clock), None, 1) for _ in range(3))

    def stopped(seconds: float) -> None:
        raise OmnitronStoppedError("had to wait")

    with ExitStack() as place_of_first:
        place_of_first.enter_context(first.acquire(virtual.sleep))

        def wait(seconds: float) -> None:
            virtual.sleep(seconds)
            place_of_first.close()
            for greedy in (newcomer, first):
                with pytest.raises(OmnitronStoppedError), greedy.acquire(stopped):
                    pass

        with second.acquire(wait):
            pass
    with newcomer.acquire(stopped):
        pass


def test_a_process_that_died_while_it_waited_holds_nobody_up(tmp_path: Path, virtual: VirtualTime) -> None:
    store = FileStore(tmp_path / "one", virtual.clock)
    store.update(lambda record: (record._replace(line=(Waiter(virtual.now, 1, virtual.now),)), None))
    with SharedBudget(store, None, 1).acquire(virtual.sleep):
        pass
    assert 1 < sum(virtual.slept) < 3


def test_no_more_requests_are_in_flight_than_the_smaller_limit_of_a_process(kept: str) -> None:
    store = store_of(kept, "https://one.example.com")
    taken = [store.place(3) for _ in range(3)]
    assert None not in taken
    other = store_of(kept, "https://one.example.com")
    assert other.place(3) is None
    assert other.place(4) is not None
    for release in taken:
        assert release is not None
        release()
    assert other.place(3) is not None


@pytest.mark.parametrize("content", [b"", b"not a record\n", b"\0" * 10_000, b"\xff" * 1500, b"[1, 2]\n", b"[1, {}]\n"])
def test_a_broken_record_is_started_anew(tmp_path: Path, content: bytes, virtual: VirtualTime) -> None:
    folder = tmp_path / "one"
    budget = SharedBudget(FileStore(folder, virtual.clock), 10, 2)
    budget.hold(100)
    (folder / "record").write_bytes(content)
    starts = []
    for _ in range(3):
        with budget.acquire(virtual.sleep):
            starts.append(virtual.now)
    assert starts == pytest.approx([1000, 1000.1, 1000.2])


def test_a_record_cut_in_the_middle_is_started_anew(tmp_path: Path, virtual: VirtualTime) -> None:
    folder = tmp_path / "one"
    budget = SharedBudget(FileStore(folder, virtual.clock), 10, 2)
    budget.hold(100)
    whole = (folder / "record").read_bytes()
    for broken in (whole[:100], whole[:60] + b"\x01" + whole[61:], whole[:-1]):
        budget.hold(100)
        (folder / "record").write_bytes(broken)
        with budget.acquire(virtual.sleep):
            pass
    assert sum(virtual.slept) < 1


def test_after_a_restart_of_the_machine_nobody_waits_for_times_of_its_old_clock(tmp_path: Path) -> None:
    SharedBudget(FileStore(tmp_path / "one", lambda: 50_000.0), 1, 1).hold(300)
    waits: list[float] = []
    with SharedBudget(FileStore(tmp_path / "one", lambda: 49_800.0), 1, 1).acquire(waits.append):
        pass
    assert waits == []


def test_a_hold_reaches_who_already_has_a_start(tmp_path: Path, virtual: VirtualTime) -> None:
    mine, other = (SharedBudget(FileStore(tmp_path / "one", virtual.clock), 0.5, 2) for _ in range(2))
    with mine.acquire(virtual.sleep):
        pass

    def sleep(seconds: float) -> None:
        if not virtual.slept:
            other.hold(30)
        virtual.sleep(seconds)

    with mine.acquire(sleep):
        assert virtual.now == pytest.approx(1030)
    assert len(virtual.slept) == 2


def test_one_instance_has_one_folder_that_only_its_owner_may_read(tmp_path: Path, serve: Serve) -> None:
    shop = serve(lambda _: Reply({}))
    for _ in range(2):
        settings = ClientSettings(shop.url + "/", token=TOKEN, budget_directory=tmp_path / "state")
        with OmnitronClient(settings) as client:
            client.get_json_bytes("orders/")
    (folder,) = (tmp_path / "state").iterdir()
    assert folder == instance_folder(tmp_path / "state", shop.url)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = sorted(folder.iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert TOKEN.encode() not in b"".join(file.read_bytes() for file in files)


def test_a_folder_that_cannot_be_made_is_said_before_any_request(tmp_path: Path, serve: Serve) -> None:
    shop = serve(lambda _: Reply({}))
    (tmp_path / "file").touch()
    settings = ClientSettings(shop.url, token=TOKEN, budget_directory=tmp_path / "file" / "state")
    with pytest.raises(OmnitronConfigError, match="ORDER_ASSETS_BUDGET_DIR"):
        OmnitronClient(settings)
    assert shop.asked == []
