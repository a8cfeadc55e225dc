"""The command `order-assets`: runs the Dagster definitions from a terminal, and serves the stand-in shop.

Arguments and words for people are here; what a run does is in `defs`, what the stand-in does in `sandbox`.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NoReturn

from order_assets import progress
from order_assets.dagster_home import make_ready
from order_assets.errors import OrderAssetsError
from order_assets.misspelt import nearest
from order_assets.settings import Settings, SettingsError, from_environment

if TYPE_CHECKING:
    from order_assets.defs.launch import RunSummary

_DEMO_DAYS = 14
_OF_AN_INSTANCE = ("OMNITRON_URL", "OMNITRON_API", "OMNITRON_TOKEN", "OMNITRON_USERNAME", "OMNITRON_PASSWORD")
# What each command needs is imported when it runs: help and mistakes must not wait for Dagster.


class UsageError(OrderAssetsError):
    """The arguments cannot be carried out."""


class _Parser(argparse.ArgumentParser):
    """A parser that says which command or option was probably meant."""

    _given: Sequence[str] = ()

    # As in argparse, without types.
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Remember what was given, and refuse what is left over here, where the options are known."""
        self._given = sys.argv[1:] if args is None else list(args)
        parsed, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        options = re.findall(r"--[a-z][a-z-]*", self.format_help())
        for word in (given.partition("=")[0] for given in self._given if given.startswith("--")):
            near = None if any(option.startswith(word) for option in options) else nearest(word, options)
            message += f"; {word} is no option, did you mean {near}?" if near else ""
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if wrong:
            near = nearest(wrong[1], [word.strip(" '") for word in wrong[2].split(",")])
            message += f"; did you mean {near}?" if near else ""
        super().error(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code: 0 done, 1 failed, 2 asked for the impossible."""
    parsed = _parser().parse_args(arguments)
    _say_what_is_waited_for()
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return run(parsed)
    except (SettingsError, UsageError) as error:
        print(f"order-assets: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("order-assets: stopped; what was fetched is kept", file=sys.stderr)
        return 130


class _Shown(logging.Handler):
    """Prints what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        print(f"order-assets: {record.getMessage()}", file=sys.stderr)


def _say_what_is_waited_for() -> None:
    """Show warnings of the client, such as a login that waits for its turn: nothing else would be said for minutes."""
    client = logging.getLogger("order_assets.omnitron")
    if not client.handlers:
        client.addHandler(_Shown(logging.WARNING))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="order-assets", description="Akinon Omnitron orders as Dagster assets")
    parser.add_argument("--version", action="version", version=f"order-assets {_version()}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")
    _add_run(commands.add_parser("run", help="list orders, then fetch, flatten and load days"))
    demo = commands.add_parser("demo", help=f"run the last {_DEMO_DAYS} days of the embedded sandbox")
    demo.set_defaults(run=_demo)
    _add_plan(commands.add_parser("plan", help="say what a run over days would cost, without asking the API"))
    probe = commands.add_parser("probe", help="find out what the instance's order list can do, in a few requests")
    _add_sandbox_switch(probe)
    probe.set_defaults(run=_probe)
    _add_report(commands.add_parser("report", help="write report.html from what is in the warehouse"))
    _add_replay(commands.add_parser("replay", help="make the tables of landed days again, without asking the API"))
    _add_quarantine(commands.add_parser("quarantine", help="show the orders that were refused, and why"))
    _add_forget(commands.add_parser("forget", help="take a customer's personal data out of everything stored"))
    _add_sandbox(commands.add_parser("sandbox", help="serve the stand-in Omnitron over HTTP on this machine"))
    return parser


def _version() -> str:
    try:
        return version("order-assets")
    except PackageNotFoundError:
        return "of a folder that is not installed"


def _add_sandbox_switch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sandbox", action="store_true", help="of the embedded sandbox, whatever OMNITRON_URL says")


def _add_days(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    default = "" if required else ", default all"
    for name, dest, which in (("--from", "first", "first day"), ("--to", "last", "last day")):
        parser.add_argument(name, dest=dest, metavar="DAY", type=_day, required=required, help=which + default)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.description = "List orders, then fetch, flatten and load the days, through the Dagster definitions."
    _add_days(parser)
    parser.add_argument("--refetch", action="store_true", help="fetch every order again, changed or not")
    _add_sandbox_switch(parser)
    parser.set_defaults(run=_run)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Say what a run over the days would cost: orders due by reason, requests and minutes, from the last listing "
        "and what is landed. The API is not asked."
    )
    _add_days(parser)
    _add_sandbox_switch(parser)
    parser.set_defaults(run=_plan)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write report.html from what is in the warehouse, and print its headline numbers. The API is not asked."
    )
    parser.set_defaults(run=_report)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Check the landed documents of the days with today's contract, make their tables again, load them, and say "
        "what changed. The API is not asked."
    )
    _add_days(parser, required=False)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stale", action="store_true", help="just the days whose tables are of an older contract")
    which.add_argument("--all", action="store_true", help="all landed days")
    parser.set_defaults(run=_replay)


def _add_quarantine(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")
    listing = commands.add_parser("list", help="list refused orders with path and reason")
    _add_days(listing, required=False)
    listing.set_defaults(run=_list_quarantine)


def _add_forget(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Take a customer's personal data out of landing, tables and warehouse. Orders and amounts stay. Later answers "
        "about the customer are stored without personal data too."
    )
    parser.add_argument("--customer", metavar="PK", type=int, required=True, help="key of the customer (customers.pk)")
    parser.set_defaults(run=_forget)


def _add_sandbox(parser: argparse.ArgumentParser) -> None:
    parser.description = "Serve the stand-in Omnitron. User sandbox, password sandbox. Ctrl-C ends it."
    parser.add_argument("--port", type=_port, default=0, help="port on 127.0.0.1; 0, the default, takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="which shop (default 7)")
    parser.add_argument("--orders-per-day", type=int, default=40, metavar="N", help="orders per day (default 40)")
    parser.add_argument("--start", type=_day, default=date(2026, 1, 1), metavar="DAY", help="the shop's first day")
    parser.add_argument(
        "--now", type=_moment, default=None, metavar="TIME", help="the shop's clock, default the real one"
    )
    parser.add_argument("--latency-ms", type=int, default=0, metavar="N", help="time that each answer takes")
    parser.add_argument(
        "--capability",
        action="append",
        default=[],
        metavar="NAME",
        choices=("sort", "date-filter"),
        help="what the order list can do beyond its documentation: sort, date-filter",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="NAME",
        help="what this instance lacks: `amounts` are the money columns of its list rows, `lists` all lists that are "
        "not documented, or one of these by its name, such as transactions",
    )
    parser.add_argument(
        "--api", action="append", default=[], choices=("i1", "v1"), help="serve this version of the API only"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:k=v,...]",
        help=(
            "misbehave in this way, may be given several times; keys: path=PATTERN, p=PROBABILITY, n=TIMES, "
            "after=REQUESTS, seconds=, size=, url=; `--fault list` names the faults"
        ),
    )
    parser.set_defaults(run=_sandbox)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sandbox(parsed: argparse.Namespace) -> int:
    from order_assets.sandbox import FAULTS, SDK_LISTS, SandboxError, ShopSettings, serve

    if "list" in parsed.fault:
        for name, kind in FAULTS.items():
            print(f"{name:16} {kind.says}{f'; path {kind.path}' if kind.path else ''}")
        return 0
    try:
        settings = ShopSettings(
            seed=parsed.seed,
            orders_per_day=parsed.orders_per_day,
            start=parsed.start,
            now=parsed.now,
            latency_ms=parsed.latency_ms,
            capabilities=frozenset(parsed.capability),
            lacks=frozenset(parsed.without) - {"lists"} | (SDK_LISTS if "lists" in parsed.without else frozenset()),
            versions=frozenset(parsed.api or ("i1", "v1")),
        )
        serve(settings, parsed.port, parsed.fault)
    except (SandboxError, ValueError) as error:
        raise UsageError(str(error)) from None
    return 0


def _demo(_parsed: argparse.Namespace) -> int:
    _use_sandbox()
    settings = _settings(asks_shop=True)
    last = _today(settings)
    first = max(settings.first_day, last - timedelta(days=_DEMO_DAYS - 1))
    code = _run_days(settings, first, last, refetch=False)
    return code or _report(_parsed)


def _use_sandbox() -> None:
    """Work with the sandbox, whatever instance the environment names."""
    for name in _OF_AN_INSTANCE:
        os.environ.pop(name, None)


def _settings(*, asks_shop: bool = False, of: argparse.Namespace | None = None) -> Settings:
    """The settings of the environment; says which variables look like settings and are none."""
    if of is not None and getattr(of, "sandbox", False):
        _use_sandbox()
    settings = from_environment(asks_shop=asks_shop)
    for note in settings.notes:
        print(f"order-assets: {note}", file=sys.stderr)
    return settings


def _with_data(settings: Settings) -> Settings:
    """The settings, where there is a data root to read. Raises `UsageError`."""
    if not (settings.data_root / "instance.json").exists() and not (settings.data_root / "landing").is_dir():
        raise UsageError(
            f"there is no data of order_assets in {settings.data_root}: name the data root of your runs in "
            "ORDER_ASSETS_DATA, or run order-assets run first"
        )
    return settings


def _run(parsed: argparse.Namespace) -> int:
    settings = _settings(asks_shop=True, of=parsed)
    _check_days(settings, parsed)
    return _run_days(settings, parsed.first, parsed.last, refetch=parsed.refetch)


def _check_days(settings: Settings, parsed: argparse.Namespace) -> None:
    """Refuse days that are no partitions. Raises `UsageError`."""
    today = _today(settings)
    if parsed.last < parsed.first:
        raise UsageError(f"--to {parsed.last} lies before --from {parsed.first}")
    for name, day in (("--from", parsed.first), ("--to", parsed.last)):
        if not settings.first_day <= day <= today:
            raise UsageError(
                f"{name} {day} is no partition: the days run from {settings.first_day} (ORDER_ASSETS_START_DATE) "
                f"to today, {today} in {settings.timezone.key}"
            )


def _plan(parsed: argparse.Namespace) -> int:
    settings = _settings(of=parsed)
    _check_days(settings, parsed)
    from order_assets import terminal
    from order_assets.landing import index_file
    from order_assets.landing.plan import plan_run

    if not index_file(settings.data_root).exists():
        raise UsageError(
            f"there is no index in {settings.data_root} to plan from: run order-assets run or materialise "
            "order_index first"
        )
    try:
        root = _resource(settings, "data_root").checked()
        policy, rules = _resource(settings, "privacy").policy(), _resource(settings, "sync_rules")
        plan = plan_run(
            root,
            parsed.first,
            parsed.last,
            privacy_policy=policy,
            reread=rules.reread(),
            whole_every=rules.rules().whole_every,
            transactions=rules.order_transactions,
            logins=0 if settings.url and os.environ.get("OMNITRON_TOKEN") else 1,
        )
    except OrderAssetsError as error:
        return _failed("planning", error)
    terminal.print_plan(plan, settings.requests_per_second)
    return 0


def _probe(parsed: argparse.Namespace) -> int:
    settings = _settings(asks_shop=True, of=parsed)
    from order_assets import terminal
    from order_assets.omnitron.probe import probe

    try:
        with _resource(settings, "omnitron").client() as client:
            capabilities = probe(client)
    except OrderAssetsError as error:
        return _failed("probing the order list", error)
    terminal.print_capabilities(settings.url or "the embedded sandbox", capabilities)
    return 0


def _resource(settings: Settings, name: str) -> Any:
    """A resource of the definitions as a run would have it, secrets read from the environment."""
    from order_assets.defs.build import build_definitions

    return (build_definitions(settings).resources or {})[name].process_config_and_initialize()


def _failed(doing: str, error: Exception) -> int:
    print(f"order-assets: {doing} failed: {error}", file=sys.stderr)
    return 1


def _replay(parsed: argparse.Namespace) -> int:
    settings = _settings()
    first, last = parsed.first or date.min, parsed.last or date.max
    if last < first:
        raise UsageError(f"--to {last} lies before --from {first}")
    if not (parsed.stale or parsed.all or (parsed.first and parsed.last)):
        raise UsageError("name the days to replay: --from DAY --to DAY, --stale or --all")
    from order_assets.landing import landed_days

    days = landed_days(settings.data_root, first, last)
    if not days:
        which = f" from {first} to {last}" if parsed.first and parsed.last else ""
        raise UsageError(f"no day{which} has been landed in {settings.data_root}")
    if parsed.stale:
        stale = _stale_days(settings)
        days = [day for day in days if day in stale]
        if not days:
            print("no day is of an older contract: there is nothing to replay")
            return 0
    return _replay_days(settings, days)


def _stale_days(settings: Settings) -> set[date]:
    """The days whose tables were made under another contract than today's."""
    from order_assets.contract import CONTRACT
    from order_assets.contract.shape import contract_version
    from order_assets.tables import stale_days

    return set(stale_days(settings.data_root, contract_version(CONTRACT)))


def _replay_days(settings: Settings, days: Sequence[date]) -> int:
    """Replay days, as few runs as their gaps allow."""
    _set_dagster_home(settings)
    from order_assets import terminal
    from order_assets.defs import launch

    code = 0
    with launch.history() as instance:
        for first, last in _spans(days):
            summary = launch.replay_days(instance, first, last)
            terminal.print_replay(first, last, summary)
            if not summary.succeeded:
                code = _fail(summary)
    return code


def _spans(days: Sequence[date]) -> list[tuple[date, date]]:
    """Contiguous days as pairs of first and last."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def _list_quarantine(parsed: argparse.Namespace) -> int:
    from order_assets import terminal
    from order_assets.landing import quarantined

    if parsed.first is not None and parsed.last is not None and parsed.last < parsed.first:
        raise UsageError(f"--to {parsed.last} lies before --from {parsed.first}")
    settings = _with_data(_settings())
    terminal.print_quarantine(list(quarantined(settings.data_root, parsed.first, parsed.last)))
    return 0


def _forget(parsed: argparse.Namespace) -> int:
    from order_assets.contract import CONTRACT
    from order_assets.contract.shape import contract_version
    from order_assets.defs.loading import watermarks
    from order_assets.landing import forget
    from order_assets.tables import passed_days
    from order_assets.warehouse import load_days

    settings = _with_data(_settings())
    forgetting = forget(settings.data_root, parsed.customer, CONTRACT)
    versions = sum(forgetting.days.values())
    print(f"customer {parsed.customer}: {versions} stored versions of orders rewritten on {len(forgetting.days)} days")
    if not forgetting.days:
        return 0
    code = _replay_days(settings, sorted(forgetting.days))
    # A database keeps what was deleted in unused blocks: only a new file is without it.
    report = load_days(
        settings.data_root,
        passed_days(settings.data_root),
        contract_version=contract_version(CONTRACT),
        fresh=True,
        storage_version=settings.storage_version,
        watermarks=watermarks(settings.data_root),
    )
    print(f"warehouse made anew from {len(report.days)} days")
    return code


def _today(settings: Settings) -> date:
    return datetime.now(settings.timezone).date()


def _greeting(settings: Settings) -> str:
    """The first line of a run: whose orders these are."""
    if settings.uses_sandbox:
        return "Listing orders of the embedded sandbox, an invented shop: OMNITRON_URL names no instance ..."
    return f"Listing orders of {settings.url} ..."


def _require_own_root(settings: Settings) -> None:
    """Refuse a data root that belongs to something else, before anything is asked. Raises `UsageError`."""
    from order_assets.landing import DataRootError

    try:
        _resource(settings, "data_root").checked()
    except DataRootError as error:
        raise UsageError(str(error)) from None


def _run_days(settings: Settings, first: date, last: date, *, refetch: bool) -> int:
    _require_own_root(settings)
    _set_dagster_home(settings)
    from order_assets import terminal
    from order_assets.defs import launch

    started = time.perf_counter()
    with launch.history() as instance:
        print(_greeting(settings), flush=True)
        index = launch.sync_index(instance)
        if not index.succeeded:
            return _fail(index)
        between = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        with terminal.fetching(between) as listener, progress.listening(listener):
            days = launch.refresh_days(instance, first, last, refetch=refetch)
    terminal.print_summary(settings, first, last, index, days, time.perf_counter() - started)
    if stale := len(_stale_days(settings)):
        are = "1 day is" if stale == 1 else f"{stale} days are"
        print(f"{are} of an older contract: order-assets replay --stale makes them again, without asking the API")
    return 0 if days.succeeded else _fail(days)


def _fail(summary: RunSummary) -> int:
    for reason in summary.failures or ("the run failed; see its log in the Dagster UI",):
        print(f"order-assets: {reason}", file=sys.stderr)
    print(f"order-assets: run {summary.run_id} failed", file=sys.stderr)
    return 1


def _report(_parsed: argparse.Namespace) -> int:
    settings = _with_data(_settings())
    _set_dagster_home(settings)
    from order_assets import terminal
    from order_assets.defs import launch

    with launch.history() as instance:
        summary = launch.write_report(instance)
    if not summary.succeeded:
        return _fail(summary)
    terminal.print_report(summary)
    return 0


def _set_dagster_home(settings: Settings) -> None:
    """Use the history that lies with the data, as `make ui` does, or the one that DAGSTER_HOME names."""
    home = str(make_ready(settings.data_root))
    os.environ["DAGSTER_HOME"] = home
    # What SQLite puts aside for a moment goes there too, and not into the system's folder.
    os.environ.setdefault("SQLITE_TMPDIR", home)


if __name__ == "__main__":
    sys.exit(main())
