"""The commands: what each takes, refuses and calls. What is printed stands in `output`, what a run does in `defs`.

What a command needs is imported when it runs: help and mistakes must not wait for Dagster.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from order_assets.core import progress
from order_assets.dagster_home import make_ready
from order_assets.errors import OrderAssetsError
from order_assets.misspelt import nearest
from order_assets.settings import VARIABLES, Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from order_assets.defs.run_jobs import RunSummary

_DEMO_DAYS = 14
_OF_AN_INSTANCE = [VARIABLES[name] for name in ("url", "api", "token", "username", "password")]
_Command = TypeVar("_Command", bound=Callable[..., int])


class UsageError(OrderAssetsError):
    """The arguments cannot be carried out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code: 0 done, 1 failed, 2 arguments or settings that cannot be carried out."""
    _show_warnings_of_the_client()
    try:
        return int(_order_assets.main(arguments, prog_name="order-assets", standalone_mode=False) or 0)
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except (SettingsError, UsageError) as error:
        click.echo(f"order-assets: {error}", err=True)
        return 2
    except OrderAssetsError as error:
        command = (sys.argv[1:] if arguments is None else arguments)[0]
        click.echo(f"order-assets: {command} failed: {error}", err=True)
        return 1
    except click.Abort:
        click.echo("order-assets: stopped; what was fetched is kept", err=True)
        return 130


class _Shown(logging.Handler):
    """Prints what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        click.echo(f"order-assets: {record.getMessage()}", err=True)


def _show_warnings_of_the_client() -> None:
    """Show warnings such as a login that waits for its turn: nothing else would be said for minutes."""
    client = logging.getLogger("order_assets.omnitron")
    if not client.handlers:
        client.addHandler(_Shown(logging.WARNING))


class _Commands(click.Group):
    """Commands that are listed by what they are for, in the order in which they are declared."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as in click
        """The names in order."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as in click
        """Write a section for each purpose."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            sections.setdefault(_SECTIONS[name], []).append((name, command.get_short_help_str(limit=100)))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="order-assets", message="order-assets %(version)s")
def _order_assets() -> None:
    """Akinon Omnitron orders as Dagster assets."""


_SECTIONS: dict[str, str] = {}


def _command(section: str) -> Callable[[_Command], click.Command]:
    """Declares a command, named as its function, in a section of the help; the docstring is its help."""

    def declare(run: _Command) -> click.Command:
        name = run.__name__.strip("_")
        _SECTIONS[name] = section
        return _order_assets.command(name)(run)

    return declare


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a day such as 2026-01-31") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time such as 2026-01-31T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65_536):
        raise click.BadParameter(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)


def _one_of(*words: str) -> Callable[[str], str]:
    """Takes one of the words; says which was probably meant."""

    def choose(text: str) -> str:
        if text not in words:
            hint = f". Did you mean {near}?" if (near := nearest(text, words)) else ""
            raise click.BadParameter(f"{text!r} is not one of {', '.join(words)}{hint}")
        return text

    return choose


def _days(*, required: bool) -> Callable[[_Command], _Command]:
    """The options --from and --to."""

    def add(run: _Command) -> _Command:
        for name, dest, which in (("--to", "last", "last day"), ("--from", "first", "first day")):
            run = click.option(
                name,
                dest,
                type=_day,
                metavar="DAY",
                required=required,
                help=which if required else f"{which}, default all",
            )(run)
        return run

    return add


_sandbox_switch = click.option("--sandbox", is_flag=True, help="of the embedded sandbox, whatever OMNITRON_URL says")


@_command("Fetch and load")
@_days(required=True)
@click.option("--refetch", is_flag=True, help="fetch every order again, changed or not")
@_sandbox_switch
def _run(first: date, last: date, *, refetch: bool, sandbox: bool) -> int:
    """List orders, then fetch, flatten and load the days, through the Dagster definitions."""
    settings = _settings(asks_shop=True, sandbox=sandbox)
    _check_days(settings, first, last)
    return _run_days(settings, first, last, refetch=refetch)


@_command("Fetch and load")
def _demo() -> int:
    """Run the last 14 days of the embedded sandbox."""
    settings = _settings(asks_shop=True, sandbox=True)
    last = _today(settings)
    first = max(settings.first_day, last - timedelta(days=_DEMO_DAYS - 1))
    return _run_days(settings, first, last, refetch=False) or _write_report()


@_command("Fetch and load")
@_days(required=False)
@click.option("--stale", is_flag=True, help="just the days whose tables are of an older contract")
@click.option("--all", "every", is_flag=True, help="all landed days")
def _replay(first: date | None, last: date | None, *, stale: bool, every: bool) -> int:
    """Make the tables of landed days again, without asking the API.

    Checks the landed documents with today's contract, makes the tables, loads them, and says what changed.
    """
    if stale and every:
        raise click.UsageError("--stale and --all exclude each other")
    settings = _settings()
    _check_order(first, last)
    if not (stale or every or (first and last)):
        raise UsageError("name the days to replay: --from DAY --to DAY, --stale or --all")
    from order_assets.landing import landed_days

    days = landed_days(settings.data_root, first or date.min, last or date.max)
    if not days:
        which = f" from {first} to {last}" if first and last else ""
        raise UsageError(f"no day{which} has been landed in {settings.data_root}")
    if stale:
        older = _stale_days(settings)
        days = [day for day in days if day in older]
        if not days:
            click.echo("no day is of an older contract: there is nothing to replay")
            return 0
    return _replay_days(settings, days)


@_command("Look")
@click.option("--json", "as_json", is_flag=True, help="as JSON, for programs")
def _status(*, as_json: bool) -> int:
    """Say what is in the data root, what waits and what to do next, without asking the API."""
    settings = _with_data(_settings())
    from order_assets.cli import status_page
    from order_assets.contract.shape import contract_version
    from order_assets.defs import run_history
    from order_assets.defs.own_package import contract_in_force
    from order_assets.omnitron.rate_limit.budget_use import budget_use
    from order_assets.pipeline.status import status

    version, now = contract_version(contract_in_force()), datetime.now(UTC)
    page = status_page.StatusPage(
        settings,
        status(settings.data_root, settings.first_day, _today(settings), version, now),
        run_history.of_home(Path(os.environ.get("DAGSTER_HOME", "").strip() or settings.data_root / "dagster")),
        budget_use(settings.budget_directory, settings.url),
    )
    click.echo(page.as_json()) if as_json else page.print()
    return 0


@_command("Look")
@_days(required=True)
@_sandbox_switch
def _plan(first: date, last: date, *, sandbox: bool) -> int:
    """Say what a run over the days would cost, without asking the API.

    Orders due by reason, requests and minutes, from the last listing and what is landed.
    """
    settings = _settings(sandbox=sandbox)
    _check_days(settings, first, last)
    from order_assets.cli import output
    from order_assets.defs.own_package import contract_in_force
    from order_assets.defs.resources import DataRootResource, PrivacyResource, SyncRulesResource, ready
    from order_assets.landing import index_file
    from order_assets.landing.estimate import plan_run

    if not index_file(settings.data_root).exists():
        raise UsageError(
            f"there is no index in {settings.data_root} to plan from: run order-assets run or materialise "
            "order_index first"
        )
    rules = ready(SyncRulesResource, settings)
    plan = plan_run(
        ready(DataRootResource, settings).check_root(),
        first,
        last,
        privacy_policy=ready(PrivacyResource, settings).policy(),
        reread=rules.reread(),
        documents=contract_in_force().documents,
        whole_every=rules.rules().whole_every,
        transactions=rules.order_transactions,
        logins=0 if settings.url and settings.token else 1,
    )
    output.print_plan(plan, settings.requests_per_second)
    return 0


@_command("Look")
@_sandbox_switch
def _probe(*, sandbox: bool) -> int:
    """Find out what the instance's order list can do, in a few requests."""
    settings = _settings(asks_shop=True, sandbox=sandbox)
    from order_assets.cli import output
    from order_assets.defs.resources import OmnitronResource, ready
    from order_assets.omnitron.capabilities import probe

    with ready(OmnitronResource, settings).client() as client:
        capabilities = probe(client)
    output.print_capabilities(settings.url or "the embedded sandbox", capabilities)
    return 0


@_command("Look")
def _report() -> int:
    """Write report.html from what is in the warehouse, and print its headline numbers."""
    return _write_report()


@_command("Look")
@click.argument("what", type=_one_of("dictionary", "erd", "odcs", "dbt"), metavar="dictionary|erd|odcs|dbt")
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="write it there")
def _export(what: str, file: Path | None) -> int:
    """Print the tables and marts for people and other tools.

    dictionary is Markdown, erd a diagram in Mermaid, odcs a data contract (Open Data Contract Standard), dbt sources
    with tests and freshness. Started in the folder of a package of your own, they have what it adds.
    """
    from order_assets.defs.own_package import contract_in_force, marts_in_force
    from order_assets.export import EXPORTS

    text = EXPORTS[what](contract_in_force(), marts_in_force())
    if file is None:
        click.echo(text, nl=False)
        return 0
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"--to {file} cannot be written: {error.strerror}") from None
    click.echo(str(file))
    return 0


_SECTIONS["quarantine"] = "Look"


@_order_assets.group("quarantine")
def _quarantine() -> None:
    """Show the orders that were refused, and why."""


@_quarantine.command("list")
@_days(required=False)
def _list_quarantine(first: date | None, last: date | None) -> int:
    """List refused orders with path and reason."""
    from order_assets.cli import output
    from order_assets.landing import quarantined

    _check_order(first, last)
    settings = _with_data(_settings())
    output.print_quarantine(list(quarantined(settings.data_root, first, last)))
    return 0


@_command("Personal data")
@click.option("--customer", metavar="PK", type=int, required=True, help="key of the customer (customers.pk)")
def _forget(customer: int) -> int:
    """Take a customer's personal data out of everything stored.

    That is landing, tables and warehouse. Orders and amounts stay. Later answers about the customer are stored without
    personal data too. Delta tables of ORDER_ASSETS_LAKE keep earlier versions: remove them and copy the days again.
    """
    from order_assets.defs.own_package import contract_in_force, marts_in_force
    from order_assets.landing import forget
    from order_assets.pipeline.pipeline import Pipeline
    from order_assets.tables import passed_days

    settings = _with_data(_settings())
    contract = contract_in_force()
    forgetting = forget(settings.data_root, customer, contract)
    versions = sum(forgetting.days.values())
    click.echo(f"customer {customer}: {versions} stored versions of orders rewritten on {len(forgetting.days)} days")
    if not forgetting.days:
        return 0
    code = _replay_days(settings, sorted(forgetting.days))
    # A database keeps what was deleted in unused blocks: only a new file is without it.
    pipeline = Pipeline.from_settings(settings, contract=contract, marts=marts_in_force())
    loaded = pipeline.load(passed_days(settings.data_root), fresh=True)
    for day, why in loaded.refused.items():
        click.echo(f"order-assets: {day} is not in the warehouse: {why}", err=True)
    days = len(loaded.report.days) if loaded.report else 0
    click.echo(f"warehouse made from scratch from {days} days")
    if settings.lake:
        click.echo(
            f"order-assets: {settings.lake} keeps earlier versions of its tables, with the customer's data: remove it "
            "and materialise the assets lake/... again for all days",
            err=True,
        )
    return code or int(bool(loaded.refused))


@_command("Develop")
@click.argument("name")
def _new(name: str) -> int:
    """Write a package of your own: columns, tables, marts and assets beside ours.

    It is written to a folder NAME here. Started in it, the command, dagster dev and dg dev use its definitions.
    """
    from order_assets.cli.new_package import NewPackageError, write_package

    try:
        files = write_package(Path.cwd(), name)
    except NewPackageError as error:
        raise UsageError(str(error)) from None
    for file in files:
        click.echo(str(file.relative_to(Path.cwd())))
    click.echo(
        f"\nNext: cd {name}, then order-assets demo, or dagster dev. Declare what is yours in {name}/definitions.py"
    )
    return 0


@_command("Develop")
@click.option(
    "--port", type=_port, metavar="PORT", default="0", help="port on 127.0.0.1; 0, the default, takes a free one"
)
@click.option("--seed", type=int, default=7, metavar="SEED", help="which shop (default 7)")
@click.option("--orders-per-day", type=int, default=40, metavar="N", help="orders per day (default 40)")
@click.option("--start", type=_day, metavar="DAY", default="2026-01-01", help="the shop's first day")
@click.option("--now", type=_moment, metavar="TIME", help="the shop's clock, default the real one")
@click.option("--latency-ms", type=int, default=0, metavar="N", help="time that each answer takes")
@click.option(
    "--capability",
    multiple=True,
    type=_one_of("sort", "date-filter"),
    metavar="NAME",
    help="what the order list can do beyond its documentation: sort, date-filter",
)
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="what this instance lacks: `amounts` are the money columns of its list rows, `lists` all lists that are not "
    "documented, or one of these by its name, such as transactions",
)
@click.option(
    "--api", multiple=True, type=_one_of("i1", "v1"), metavar="i1|v1", help="serve this version of the API only"
)
@click.option(
    "--fault",
    multiple=True,
    metavar="NAME[:k=v,...]",
    help="misbehave in this way, may be given several times; keys: path=PATTERN, p=PROBABILITY, n=TIMES, "
    "after=REQUESTS, seconds=, size=, url=; `--fault list` names the faults",
)
def _sandbox(
    port: int, without: Sequence[str], capability: Sequence[str], api: Sequence[str], fault: Sequence[str], **shop: Any
) -> int:
    """Serve the stand-in Omnitron over HTTP on this machine.

    User sandbox, password sandbox. Ctrl-C ends it.
    """
    from order_assets.sandbox import FAULTS, SDK_LISTS, ShopSettings, serve

    if "list" in fault:
        for name, kind in FAULTS.items():
            click.echo(f"{name:16} {kind.says}{f'; path {kind.path}' if kind.path else ''}")
        return 0
    try:
        settings = ShopSettings(
            **shop,
            capabilities=frozenset(capability),
            lacks=frozenset(without) - {"lists"} | (SDK_LISTS if "lists" in without else frozenset()),
            versions=frozenset(api or ("i1", "v1")),
        )
        serve(settings, port, list(fault))
    except (OrderAssetsError, ValueError) as error:
        raise UsageError(str(error)) from None
    return 0


def _settings(*, asks_shop: bool = False, sandbox: bool = False) -> Settings:
    """The settings of the environment; says which variables look like settings and are none.

    With `sandbox` the instance that the environment names is left alone.
    """
    if sandbox:
        for name in _OF_AN_INSTANCE:
            os.environ.pop(name, None)
    settings = read_settings(asks_shop=asks_shop)
    for note in settings.notes:
        click.echo(f"order-assets: {note}", err=True)
    return settings


def _with_data(settings: Settings) -> Settings:
    """The settings, where there is a data root to read. Raises `UsageError`."""
    if not (settings.data_root / "instance.json").exists() and not (settings.data_root / "landing").is_dir():
        raise UsageError(
            f"there is no data of order_assets in {settings.data_root}: name the data root of your runs in "
            "ORDER_ASSETS_DATA, or run order-assets run first"
        )
    return settings


def _check_order(first: date | None, last: date | None) -> None:
    """Refuse days the wrong way round. Raises `UsageError`."""
    if first is not None and last is not None and last < first:
        raise UsageError(f"--to {last} lies before --from {first}")


def _check_days(settings: Settings, first: date, last: date) -> None:
    """Refuse days that are no partitions. Raises `UsageError`."""
    _check_order(first, last)
    today = _today(settings)
    for name, day in (("--from", first), ("--to", last)):
        if not settings.first_day <= day <= today:
            raise UsageError(
                f"{name} {day} is no partition: the days run from {settings.first_day} (ORDER_ASSETS_START_DATE) "
                f"to today, {today} in {settings.timezone.key}"
            )


def _stale_days(settings: Settings) -> set[date]:
    """The days whose tables were made under another contract than today's."""
    from order_assets.contract.shape import contract_version
    from order_assets.defs.own_package import contract_in_force
    from order_assets.tables import stale_days

    return set(stale_days(settings.data_root, contract_version(contract_in_force())))


def _replay_days(settings: Settings, days: Sequence[date]) -> int:
    """Replay days, in as few runs as their gaps allow."""
    _set_dagster_home(settings)
    from order_assets.cli import output
    from order_assets.defs import run_jobs

    code = 0
    with run_jobs.history() as instance:
        for first, last in _spans(days):
            summary = run_jobs.replay_days(instance, first, last)
            output.print_replay(first, last, summary)
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


def _today(settings: Settings) -> date:
    return datetime.now(settings.timezone).date()


def _greeting(settings: Settings) -> str:
    """The first line of a run: whose orders these are."""
    if settings.uses_sandbox:
        return "Listing orders of the embedded sandbox, an invented shop: OMNITRON_URL names no instance ..."
    return f"Listing orders of {settings.url} ..."


def _require_own_root(settings: Settings) -> None:
    """Refuse a data root that belongs to something else, before anything is asked. Raises `UsageError`."""
    from order_assets.defs.resources import DataRootResource, ready
    from order_assets.landing import DataRootError

    try:
        ready(DataRootResource, settings).check_root()
    except DataRootError as error:
        raise UsageError(str(error)) from None


def _run_days(settings: Settings, first: date, last: date, *, refetch: bool) -> int:
    _require_own_root(settings)
    _set_dagster_home(settings)
    from order_assets.cli import output
    from order_assets.defs import run_jobs

    started = time.perf_counter()
    with run_jobs.history() as instance:
        print(_greeting(settings), flush=True)
        index = run_jobs.sync_index(instance)
        if not index.succeeded:
            return _fail(index)
        between = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        with output.fetching(between) as listener, progress.listening(listener):
            days = run_jobs.refresh_days(instance, first, last, refetch=refetch)
    output.print_summary(settings, first, last, index, days, time.perf_counter() - started)
    if stale := len(_stale_days(settings)):
        are = "1 day is" if stale == 1 else f"{stale} days are"
        click.echo(f"{are} of an older contract: order-assets replay --stale makes them again, without asking the API")
    return 0 if days.succeeded else _fail(days)


def _fail(summary: RunSummary) -> int:
    for reason in summary.failures or ("the run failed; see its log in the Dagster UI",):
        click.echo(f"order-assets: {reason}", err=True)
    click.echo(f"order-assets: run {summary.run_id} failed", err=True)
    return 1


def _write_report() -> int:
    settings = _with_data(_settings())
    _set_dagster_home(settings)
    from order_assets.cli import output
    from order_assets.defs import run_jobs

    with run_jobs.history() as instance:
        summary = run_jobs.write_report(instance)
    if not summary.succeeded:
        return _fail(summary)
    output.print_report(summary)
    return 0


def _set_dagster_home(settings: Settings) -> None:
    """Use the history that lies with the data, as `make ui` does, or the one that DAGSTER_HOME names."""
    home = str(make_ready(settings.data_root))
    os.environ["DAGSTER_HOME"] = home
    # What SQLite puts aside for a moment goes there too, and not into the system's folder.
    os.environ.setdefault("SQLITE_TMPDIR", home)
