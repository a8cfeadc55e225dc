"""The shop's side: every fault of the stand-in, against a first run and against a run that has changes to fetch.

While the fault lasts a run may succeed with everything right, or it says what went wrong and leaves what was there;
what has to come of each is in the table below. When the fault is over one ordinary run has to put everything right.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from faults.scenario import Scenario, hold
from faults.world import World
from order_assets.landing import OrderIndexError
from order_assets.omnitron import OmnitronError
from order_assets.sandbox import FAULTS
from order_assets.testing.trial import Pipeline

_LIST = "path=*/orders/"
_DETAIL = "path=*/orders_integration/*"


# Looked at after every one of these faults.
_ALWAYS = (5, 7, 10)


@dataclass
class Elsewhere:
    """Another host: counts what reaches it, with the headers."""

    url: str
    seen: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Remote:
    """Faults as the stand-in reads them and what is expected of a run meanwhile.

    `expects` is `right` (all is as without them), `says` (the run or some orders fail with a message), `waits` (the
    orders are kept out of the tables, with the reason in the ledger), or `either` of the first two; `expects_later` is
    the same for a later run, where it differs. `may_be_gone` says that orders may be taken for deleted meanwhile,
    `by_whole` that only the next whole listing, of which there is one a day, puts everything right.
    """

    name: str
    faults: str
    expects: str
    promises: tuple[int, ...]
    quick: bool = False
    expects_later: str | None = None
    may_be_gone: bool = False
    by_whole: bool = False


REMOTES = (
    Remote("429 with seconds to wait", "429-seconds:n=1,seconds=1", "right", (1, 6)),
    Remote("429 with a date to wait for", "429-date:n=1,seconds=1", "right", (1, 6)),
    Remote("429 without a word", "429-bare:n=2", "right", (1, 6)),
    Remote("429 for ever", "429-bare", "says", (1, 8)),
    Remote("429 asks for a day of waiting", "429-seconds:seconds=86400", "says", (1, 8)),
    Remote("500 with HTML, twice", "500-html:n=2", "right", (1,)),
    Remote("500 with HTML for every detail", f"500-html:{_DETAIL}", "says", (1, 4, 8)),
    Remote("502 with HTML, half of the time", "502-html:p=0.5", "either", (1, 4, 8)),
    Remote("503 with HTML, for ever", "503-html", "says", (1, 8)),
    Remote("503 with Retry-After", "503-seconds:n=1,seconds=1", "right", (1,)),
    Remote("403 for the list", f"403-json:{_LIST}", "says", (1, 8)),
    Remote("403 for the details", f"403-json:{_DETAIL}", "says", (1, 8)),
    Remote("a firewall's page, once", "403-html:n=1", "right", (1, 8)),
    Remote("404 page of a proxy for the details", "404-html", "says", (1, 3, 8)),
    Remote("reset before the answer, now and then", "reset-before:p=0.2", "either", (1, 4)),
    Remote("reset before the answer, twice", "reset-before:n=2,after=1", "right", (1, 4)),
    Remote("reset inside the body, twice", "reset-inside:n=2", "right", (1, 4), quick=True),
    Remote("reset inside every body", "reset-inside", "says", (1, 4, 8)),
    Remote("two details drip", f"slow-drip:{_DETAIL},seconds=0.05,n=2", "right", (1, 4)),
    Remote("stall past the time-out, twice", "stall:n=2", "right", (1,)),
    Remote("the list stalls", f"stall:{_LIST}", "says", (1, 8)),
    Remote("truncated gzip, twice", "truncated-gzip:n=2", "right", (2, 4)),
    Remote("truncated gzip for every detail", f"truncated-gzip:{_DETAIL}", "says", (2, 4)),
    Remote("Content-Length too large, twice", "wrong-length:n=2", "right", (4,)),
    Remote("200 with HTML for the list", f"html-200:{_LIST}", "says", (1, 8)),
    Remote("200 with HTML for the details", f"html-200:{_DETAIL}", "says", (1, 4, 8)),
    Remote("200 with nothing for the list", f"empty-200:{_LIST}", "says", (1, 8)),
    Remote("200 with nothing for the details", f"empty-200:{_DETAIL}", "says", (1, 4, 8)),
    Remote("JSON under another type", "wrong-type", "says", (8,)),
    Remote("a byte that is not UTF-8 in the details", f"invalid-utf8:{_DETAIL}", "waits", (3, 4)),
    Remote("a byte that is not UTF-8 in the list", f"invalid-utf8:{_LIST}", "says", (1, 8)),
    Remote("half a surrogate pair in a detail", "half-pair", "waits", (3, 4)),
    Remote("details cut short by whoever sends them", f"cut-json:{_DETAIL}", "waits", (2, 4)),
    Remote("a huge list", f"huge-body:{_LIST},size=3000000", "says", (1, 8)),
    Remote("huge details", f"huge-body:{_DETAIL},size=3000000", "says", (1, 8)),
    Remote("details nested too deeply", f"deep-nesting:{_DETAIL}", "waits", (4,)),
    Remote("keys twice in an object", "duplicate-keys", "waits", (2, 3, 4)),
    Remote("the token expires in the middle", "token-expiry:n=1,after=2", "right", (1, 8)),
    Remote("the token expires and login is refused", "token-expiry:after=2|login-refused:after=1", "says", (1, 5, 8)),
    Remote("login refused", "login-refused", "says", (5, 8)),
    Remote("redirected to another host", "redirect:url={elsewhere}", "says", (5, 8), quick=True),
    Remote("`next` leads to another host", "next-elsewhere:url={elsewhere}", "right", (5,)),
    Remote("`next` without a host", "next-relative", "right", (1,)),
    Remote("the list without an envelope", "bare-list", "either", (1,)),
    Remote("every page is the first", "page-repeats", "says", (1, 8), expects_later="either"),
    Remote("a row slips away between two pages", "pages-shift", "either", (1,)),
    Remote("a row goes to the end between two pages", "pages-turn", "either", (1,)),
    Remote("three rows of the list are odd", "odd-rows:size=3", "either", (1, 4), by_whole=True),
    Remote("pages smaller than asked", "capped", "right", (1,)),
    Remote("date filter ignored", "filter-ignored", "either", (1, 6)),
    Remote("sort ignored", "sort-ignored", "either", (1, 6)),
    Remote("404 for orders that were listed", "order-404:n=3", "either", (1, 8), may_be_gone=True),
    Remote("the detail of another order", "other-order", "says", (3, 4)),
    Remote("items of another order", "other-items", "says", (3, 4)),
    Remote("the server's clock is two hours ahead", "clock-skew", "either", (1,)),
    Remote("answers without Date", "no-date", "either", (1,)),
)


def _trial(remote: Remote, world: World) -> str:
    found = []
    for begins in ("a first run", "a later run"):
        pipeline = world.empty() if begins == "a first run" else world.once_run()
        found.append(f"{begins}: {_disturbed(remote, world, pipeline, later=begins == 'a later run')}")
    return "; ".join(found)


def _disturbed(remote: Remote, world: World, pipeline: Pipeline, *, later: bool) -> str:
    sandbox = world.sandbox
    index = pipeline.root / "index" / "index.json"
    before = index.read_bytes() if index.exists() else None
    sandbox.requests.clear()
    with elsewhere() as other:
        names = remote.faults.format(elsewhere=other.url).split("|")
        sandbox.faults.set(*names)
        try:
            run = attempted(pipeline)
        finally:
            sandbox.faults.clear()
        hold(not other.seen, f"another host was asked {len(other.seen)} times")
    served = +sandbox.faults.served
    if later and not served and not _is_met_later(remote):
        return "nothing to disturb"
    hold(set(served) == {name.partition(":")[0] for name in names}, f"the fault did not bite: {dict(served)}")
    for message in run.messages:
        world.check_message(message)
    world.check_no_writes()
    world.check_disk(pipeline)
    if not run.synced:
        after = index.read_bytes() if index.exists() else None
        hold(after == before, "a sync that failed changed the index")
    world.check_readable(pipeline, may_be_gone=remote.may_be_gone)
    expects = remote.expects_later if later and remote.expects_later else remote.expects
    word = _judged(expects, world, pipeline, run)
    if word != "all right meanwhile":
        world.recover(pipeline, whole=remote.by_whole)
        world.check_is_right(pipeline)
    sandbox.requests.clear()
    world.recover(pipeline)
    asked = [request for request in sandbox.requests if "detailed_integration" in request.path]
    hold(not asked, f"{len(asked)} documents were asked for although nothing had changed")
    return word


def _is_met_later(remote: Remote) -> bool:
    """Whether a run that has only a few changes to fetch meets the fault as well."""
    return remote.faults.partition(":")[0] not in ("pages-shift", "page-repeats", "login-refused", "token-expiry")


def _judged(expects: str, world: World, pipeline: Pipeline, run: Run) -> str:
    waiting = _quarantined(pipeline)
    if expects == "waits":
        hold(waiting > 0, "no order waits in quarantine")
        return f"{waiting} orders kept out, right after one more run"
    hold(waiting == 0, f"{waiting} orders are in quarantine")
    if not run.messages and expects in ("right", "either"):
        if expects == "right":
            world.check_is_right(pipeline)
            return "all right meanwhile"
        return "no error, right after one more run"
    hold(expects != "right", f"it failed: {run.messages[:1]}")
    hold(bool(run.messages), "nothing was said")
    return f"{len(run.messages)} messages, right after one more run"


def _quarantined(pipeline: Pipeline) -> int:
    if not (pipeline.root / "warehouse.duckdb").exists():
        return 0
    ((count,),) = pipeline.query("SELECT count(*) FROM meta.order_ledger WHERE outcome = 'quarantined'")
    return int(count)


@dataclass
class Run:
    """What a run said that did not go well; `synced` is whether the index was written."""

    messages: list[str] = field(default_factory=list)
    synced: bool = False


def attempted(pipeline: Pipeline) -> Run:
    """Sync, refresh and load as far as they come; errors of the client and of the index are what a run may end with."""
    run = Run()
    try:
        pipeline.sync()
    except (OmnitronError, OrderIndexError) as error:
        run.messages.append(str(error))
        return run
    run.synced = True
    done = []
    try:
        for report in pipeline.refreshing(pipeline.due()):
            hold(report.adds_up, f"{report.day} does not add up: {report}")
            run.messages += report.errors.values()
            done.append(report.day)
    except OmnitronError as error:
        run.messages.append(str(error))
    pipeline.load(done)
    return run


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Another host, by its name and port, for the time of a block."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the server calls it so

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Elsewhere(f"http://localhost:{server.server_port}/api/v1/orders/", seen)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def scenario_of(remote: Remote) -> Scenario:
    """The scenario that tries these faults."""
    return Scenario(
        remote.name,
        "the shop",
        ", ".join(f"`{fault}`" for fault in remote.faults.split("|")),
        tuple(sorted({*remote.promises, *_ALWAYS})),
        lambda world: _trial(remote, world),
        remote.quick,
    )


SCENARIOS = tuple(map(scenario_of, REMOTES))
# Every fault of the stand-in has a scenario.
_TRIED = {fault.partition(":")[0] for remote in REMOTES for fault in remote.faults.split("|")}
# But one: what a shop says twice and differently it has said; there is no undisturbed state to come back to.
UNTRIED = frozenset(FAULTS) - _TRIED - {"odd-copies"}
