"""A real daemon with schedules and sensors switched on: what changes in the shop arrives, also after a downtime."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from order_assets.defs.active_runs import days_under_way
from order_assets.sandbox import PASSWORD, USERNAME, Sandbox, ShopSettings
from order_assets.testing.tampering import Tampered, answer, tampered_sandbox
from order_assets.testing.trial import Pipeline, shop_state, warehouse_state

PROJECT = Path(__file__).resolve().parents[2]
WORKSPACE = ("-w", str(PROJECT / "workspace.yaml"))
# Two ticks and a run take two minutes; a run that was launched just before a crash fails after five.
PATIENCE = 480.0  # seconds
SETTLES = timedelta(minutes=2)  # the index stays a minute below the shop's clock
_OURS = ("OMNITRON_", "ORDER_ASSETS_", "DAGSTER_")
_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass
class Site:
    """A shop, a data root and a daemon on them that can be stopped, killed and started again."""

    folder: Path
    first_day: date
    sandbox: Sandbox
    tampered: Tampered
    instance: dg.DagsterInstance
    environment: dict[str, str]
    daemon: subprocess.Popen[bytes] | None = None
    began: float = field(default_factory=time.monotonic)
    told: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "daemon.log"

    def command(self, *words: str) -> None:
        """Carry out one of the environment's commands, as a user would."""
        command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
        done = subprocess.run(
            command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, "-m", "dagster._daemon", "run", *WORKSPACE],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.say("daemon started")

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the daemon and what it started; only its own process group is touched."""
        if self.daemon is None:
            return
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.daemon.pid, how)
            self.daemon.wait(timeout=60)
        with suppress(ProcessLookupError):
            os.killpg(self.daemon.pid, signal.SIGKILL)
        self.daemon.wait(timeout=10)
        self.daemon = None
        self.say(f"daemon ended by {how.name}")

    def wait_until(self, what: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not reached():
            if time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace").splitlines()[-150:]
                raise AssertionError(
                    "\n".join([f"not within {PATIENCE:.0f} s: {what}", *self.told, *self.all(), *tail])
                )
            assert self.daemon is not None, what
            assert self.daemon.poll() is None, self.explain(what)
            time.sleep(0.5)
        self.say(what)

    def say(self, what: str) -> None:
        self.told.append(f"{time.monotonic() - self.began:6.1f} s  {what}")

    def runs(self, job_name: str = "refresh_days") -> list[dg.DagsterRun]:
        """The runs of a job, oldest first."""
        return self.instance.get_runs(dg.RunsFilter(job_name=job_name))[::-1]

    def explain(self, what: str) -> str:
        """What was waited for, what came before, and the end of the daemon's log."""
        runs = [f"{run.job_name} {run.status.value} {run.tags}" for run in self.instance.get_runs()]
        tail = self.log.read_text(errors="replace").splitlines()[-150:]
        return "\n".join([f"waited {PATIENCE:.0f} s at most, until {what}", *self.told, *runs, *tail])

    def at_rest(self) -> bool:
        return all(run.status in _FINISHED for run in self.instance.get_runs())

    def rows(self) -> dict[int, dict[str, str]]:
        """The orders of the list from the first day on."""
        rows = self.sandbox.shop.flat_orders()
        return {row["pk"]: row for row in rows if row["date_placed"] >= self.first_day.isoformat()}

    def orders_of(self, day: date) -> list[int]:
        return sorted(pk for pk, row in self.rows().items() if row["date_placed"].startswith(day.isoformat()))

    def warehouse_is_shop(self) -> bool:
        pipeline = Pipeline(self.folder / "data", self.sandbox.url, self.first_day)
        return warehouse_state(pipeline) == shop_state(self.rows().values())

    def set_clock(self, moment: datetime) -> None:
        """Move the clock to a moment, or to the first one after it from which on nothing happens for a while."""
        shop = self.sandbox.shop
        while state_of(shop.at(moment).flat_orders()) != state_of(shop.at(moment + SETTLES).flat_orders()):
            moment += SETTLES
        self.sandbox.set_now(moment)


def state_of(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["pk"]: row["modified_date"] for row in rows}


def days_touched(before: dict[int, dict[str, str]], after: dict[int, dict[str, str]]) -> set[date]:
    """The days of orders that are new or have moved."""
    return {
        date.fromisoformat(row["date_placed"][:10])
        for pk, row in after.items()
        if pk not in before or before[pk]["modified_date"] != row["modified_date"]
    }


def launches(runs: list[dg.DagsterRun]) -> Counter[date]:
    """How often each day was launched."""
    return Counter(day for run in runs for day in days_under_way([run]))


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    # Days of the shop are partitions up to now, so its clock goes on in the last days.
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=6)
    first_day = now.date() - timedelta(days=4)
    settings = ShopSettings(orders_per_day=6, start=first_day, now=now, capabilities=frozenset({"sort", "date-filter"}))
    home = folder / "home"
    home.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", home)
    with tampered_sandbox(settings) as (sandbox, tampered), dg.DagsterInstance.from_config(str(home)) as instance:
        environment = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)} | {
            "DAGSTER_HOME": str(home),
            "OMNITRON_URL": sandbox.url,
            # Each run is a process: all of them would want to log in.
            "OMNITRON_TOKEN": sandbox.token,
            "OMNITRON_USERNAME": USERNAME,
            "OMNITRON_PASSWORD": PASSWORD,
            "ORDER_ASSETS_DATA": str(folder / "data"),
            "ORDER_ASSETS_START_DATE": first_day.isoformat(),
            "ORDER_ASSETS_BUDGET_DIR": str(folder / "budget"),
            "ORDER_ASSETS_REQUESTS_PER_SECOND": "1000",
            "ORDER_ASSETS_SYNC_CRON": "* * * * *",
            "ORDER_ASSETS_NIGHTLY_CRON": "* * * * *",
        }
        found = Site(folder, first_day, sandbox, tampered, instance, environment)
        try:
            yield found
        finally:
            found.end()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_change_arrives_and_after_a_downtime_of_four_days_everything_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with site(tmp_path) as here:
        sandbox = here.sandbox
        here.set_clock(sandbox.shop.now())
        sandbox.advance(SETTLES)
        here.command("order-assets", "run", "--from", str(here.first_day), "--to", str(sandbox.shop.now().date()))
        assert here.warehouse_is_shop()
        here.say("first days are in the warehouse")
        for kind, name in (
            ("schedule", "sync_index_regularly"),
            ("schedule", "read_again_nightly"),
            ("sensor", "changed_days"),
        ):
            here.command("dagster", kind, "start", name, *WORKSPACE)
        here.start()
        _one_change(here)
        _killed_in_a_run(here)
        before, known = here.rows(), len(here.runs())
        refused = _four_days(here)
        here.start()
        _made_up(here, before, known, refused)
    with capsys.disabled():
        print("\n" + "\n".join(here.told))


def _change(here: Site, number: int) -> date:
    """Change one order of the day with this number, when nothing else happens."""
    here.set_clock(here.sandbox.shop.now())
    day = here.first_day + timedelta(days=number)
    pk = here.orders_of(day)[0]
    here.sandbox.modify(pk, status="450" if here.rows()[pk]["status"] != "450" else "500")
    here.sandbox.advance(SETTLES)
    return day


def _one_change(here: Site) -> None:
    """A change leads to one run, for its day, which says why."""
    before, known = here.rows(), len(here.runs())
    day = _change(here, 2)
    touched = days_touched(before, here.rows())
    assert day in touched
    here.wait_until("a change is in the warehouse", lambda: here.warehouse_is_shop() and here.at_rest())
    new = here.runs()[known:]
    assert launches(new) == dict.fromkeys(touched, 1)
    assert all("1 changed" in run.tags["order_assets/why"] for run in new)
    assert {run.tags["dagster/sensor_name"] for run in new} == {"changed_days"}
    assert {run.status for run in new} == {dg.DagsterRunStatus.SUCCESS}


def _killed_in_a_run(here: Site) -> None:
    """The machine goes down while an order is fetched: the run has begun and never says that it ended."""
    down = threading.Event()

    def go_down(address: str, _body: bytes) -> None:
        if "/orders_integration/" in address and here.daemon is not None and not down.is_set():
            os.killpg(here.daemon.pid, signal.SIGKILL)
            down.set()

    here.tampered.rules.append(go_down)
    _change(here, 1)
    assert down.wait(PATIENCE), here.explain("the machine goes down")
    here.tampered.rules.clear()
    here.end(signal.SIGKILL)
    assert here.runs()[-1].status == dg.DagsterRunStatus.STARTED


def _four_days(here: Site) -> list[int]:
    """The shop goes on without the daemon; gives two orders, of days apart, that will be refused at first."""
    here.set_clock(here.sandbox.shop.now() + timedelta(days=4))
    refused = [here.orders_of(here.first_day + timedelta(days=number))[-1] for number in (0, 2)]
    here.sandbox.bulk_modify(refused, status="600")
    here.sandbox.advance(SETTLES)
    for pk in refused:
        here.tampered.rules.append(answer(f"/orders_integration/{pk}/", 409, '{"detail": "locked"}'))
    return refused


def _made_up(here: Site, before: dict[int, dict[str, str]], known: int, refused: list[int]) -> None:
    """The run that was cut off, the days without the daemon, and the refused orders; each day once."""
    touched = days_touched(before, here.rows())
    today = here.sandbox.shop.now().date()
    assert {today - timedelta(days=number) for number in range(4)} <= touched
    (cut_off,) = launches(here.runs()[known - 1 : known])
    pending = {date.fromisoformat(before[pk]["date_placed"][:10]) for pk in refused}

    def launched(kind: str, name: str) -> Counter[date]:
        new = [run for run in here.runs()[known:] if "dagster/parent_run_id" not in run.tags]
        return launches([run for run in new if run.tags.get(f"dagster/{kind}_name") == name])

    def by_sensor() -> Counter[date]:
        return launched("sensor", "changed_days")

    def nightly() -> set[date]:
        return set(launched("schedule", "read_again_nightly"))

    here.wait_until("the sensor's runs are through", lambda: touched - {cut_off} <= set(by_sensor()) and here.at_rest())
    assert here.runs()[known - 1].status == dg.DagsterRunStatus.FAILURE
    assert not here.warehouse_is_shop()
    here.wait_until("the nightly schedule asks for the days with refused orders", lambda: nightly() == pending)
    here.tampered.rules.clear()
    here.wait_until("the warehouse is the shop again", lambda: here.warehouse_is_shop() and here.at_rest())
    assert nightly() == pending
    # Dagster launches the run that was cut off again, so that its day need not be asked for.
    assert set(by_sensor()) <= touched | {cut_off}
    assert set(by_sensor().values()) == {1}
