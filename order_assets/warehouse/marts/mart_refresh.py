"""Fills the marts: the rows of some days, or all of them, inside the caller's transaction.

A mart whose SELECT, comments or types are not those that it was made with is made anew, and so are all that come
after it. What the marts are stands in their files.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from order_assets.contract import Contract
from order_assets.contract.shape import contract_version
from order_assets.warehouse.layout import META, ColumnLayout, TableLayout
from order_assets.warehouse.marts.mart import SCHEMA, Mart, MartError, Refresh
from order_assets.warehouse.meta import WarehouseSettings
from order_assets.warehouse.statements import comments, count_per_day, name, names, statement


@dataclass(frozen=True)
class MartReport:
    """What a refresh did to a mart: seconds, rows written, and rows that it has now of each of the days.

    Of a mart without days none are counted. `made_anew` says that the rows of all days of a mart with days were made.
    """

    seconds: float
    written: int
    rows: Mapping[date, int]
    made_anew: bool = False


def refresh_marts(
    connection: duckdb.DuckDBPyConnection, days: Collection[date] | None, marts: Sequence[Mart], contract: Contract
) -> dict[str, MartReport]:
    """Make the rows of these days again, or with None all marts anew, in the current database and transaction.

    Rows of other days stay untouched, but for columns that are restated and for days of orders that stand on another
    day now; marts without days are made again whole. Days that the tables do not have any more lose their rows. Marts
    made earlier that are not among `marts` are dropped. The tables are the contract's, local times those of the
    business zone in `meta.settings`.
    Raises `MartError` for a SELECT that cannot be made from them, or that makes other columns than are described.
    """
    for schema in (META, SCHEMA) if marts else (META,):
        connection.execute(statement("create_schema", schema=name(schema)))
    connection.execute(statement("create_marts_register"))
    known = _known(connection)
    for obsolete in known.keys() - {mart.name for mart in marts}:
        _drop(connection, obsolete)
    anew, seconds, written, remade = days is None, {}, {}, set[str]()
    wanted = sorted(set(known_days(connection) if days is None else days))
    if marts:
        wanted = sorted({*wanted, *_supersede(connection)})
    version = contract_version(contract)
    settings, by_name = known_settings(connection), {mart.name: mart for mart in marts}
    for mart in marts:
        started = time.perf_counter()
        select = mart.select(contract, settings)
        definition = _definition(mart, select, version)
        anew = anew or known.get(mart.name) != definition
        if anew:
            mart_layout(connection, mart, select)
        if anew or mart.refresh is Refresh.WHOLE:
            if mart.name in known:
                _drop(connection, mart.name)
            written[mart.name] = _create(connection, mart, select, definition)
            if mart.refresh is Refresh.DAYS:
                remade.add(mart.name)
        elif wanted:
            written[mart.name] = _replace_days(connection, mart, select, wanted)
        if mart.restated and not anew:
            _restate(connection, mart, by_name[mart.restated])
        seconds[mart.name] = time.perf_counter() - started
    rows = _count(connection, marts, wanted)
    return {
        mart.name: MartReport(
            seconds[mart.name], written.get(mart.name, 0), rows.get(mart.name, {}), mart.name in remade
        )
        for mart in marts
    }


def _supersede(connection: duckdb.DuckDBPyConnection) -> set[date]:
    """Find the rows of orders that stand on another day now. Returns the days where that is otherwise than before."""
    connection.execute(statement("create_superseded_orders"))
    known = set(connection.execute("FROM meta.superseded_orders").fetchall())
    found = set(connection.execute(statement("find_superseded_orders")).fetchall())
    if found != known:
        connection.execute(statement("record_superseded_orders", rows=statement("find_superseded_orders")))
    return {day for day, _ in found ^ known}


def _restate(connection: duckdb.DuckDBPyConnection, mart: Mart, source: Mart) -> None:
    """Bring the columns that a mart shows of another one up to it, on all days."""
    key = [column for column in source.columns if column in ("date", *source.key)]
    shown = [column for column in source.columns if column in mart.columns and column not in key]
    sql = statement(
        "restate_mart",
        mart=name(SCHEMA, mart.name),
        source=name(SCHEMA, source.name),
        columns=", ".join(f"{name(column)} = {name('s', column)}" for column in shown),
        matches=" AND ".join(f"{name('s', column)} = {name('m', column)}" for column in key),
        differs=" OR ".join(f"{name('s', column)} IS DISTINCT FROM {name('m', column)}" for column in shown),
    )
    connection.execute(sql)


def _known(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute(statement("known_marts")).fetchall())


def known_days(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """The days that the current database has, in order."""
    return [row[0] for row in connection.execute(statement("loaded_days")).fetchall()]


def known_settings(connection: duckdb.DuckDBPyConnection) -> WarehouseSettings:
    """What the current database says of the shop; the default where no day was loaded yet."""
    found = connection.execute(statement("known_settings")).fetchone()
    return WarehouseSettings(*found) if found else WarehouseSettings()


def mart_layout(connection: duckdb.DuckDBPyConnection, mart: Mart, select: str) -> TableLayout:
    """The columns that the SELECT makes from the tables of the current database, as the mart describes them.

    Raises `MartError`.
    """
    try:
        rows = connection.execute(statement("describe_mart", select=select)).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as error:
        raise MartError(
            f"{mart.file or mart.where}: the SELECT cannot be made: {' '.join(str(error).split())}"
        ) from None
    made = [row[0] for row in rows]
    if unsaid := [column for column in made if column not in mart.columns]:
        raise MartError(
            f"{mart.where}: the SELECT makes {', '.join(unsaid)}, which columns does not describe: write "
            f"`{unsaid[0]}: what it means` there"
        )
    if lacking := [column for column in mart.columns if column not in made]:
        raise MartError(
            f"{mart.where}: columns describes {', '.join(lacking)}, which the SELECT does not make: it makes "
            f"{', '.join(made)}"
        )
    columns = tuple(ColumnLayout(row[0], row[1], False, mart.columns[row[0]]) for row in rows)
    return TableLayout(SCHEMA, mart.name, columns, mart.comment)


def _definition(mart: Mart, select: str, version: str) -> str:
    # The types of its columns follow from the SELECT and the contract.
    text = repr((mart.refresh, select, mart.comment, list(mart.columns.items()), version))
    return hashlib.sha256(text.encode()).hexdigest()


def _create(connection: duckdb.DuckDBPyConnection, mart: Mart, select: str, definition: str) -> int:
    """Make the mart, with all its rows. Returns how many it has."""
    described = tuple(ColumnLayout(column, "", False, meaning) for column, meaning in mart.columns.items())
    layout = TableLayout(SCHEMA, mart.name, described, mart.comment)
    sql = statement("create_mart", mart=name(SCHEMA, mart.name), select=select, key=names(mart.day_and_key))
    written = int(connection.execute(sql).fetchall()[0][0])
    connection.execute(";\n".join(comments("TABLE", layout, SCHEMA)))
    connection.execute(statement("forget_mart"), {"name": mart.name})
    connection.execute(statement("register_mart"), {"name": mart.name, "definition": definition})
    return written


def _drop(connection: duckdb.DuckDBPyConnection, mart: str) -> None:
    connection.execute(statement("forget_mart"), {"name": mart})
    connection.execute(statement("drop_table", table=name(SCHEMA, mart)))


def _replace_days(connection: duckdb.DuckDBPyConnection, mart: Mart, select: str, days: Sequence[date]) -> int:
    parameters = {"days": list(days), "first": days[0], "last": days[-1]}
    target = name(SCHEMA, mart.name)
    connection.execute(statement("delete_days", table=target), parameters)
    sql = statement("insert_mart_days", mart=target, select=select, key=names(mart.day_and_key))
    return int(connection.execute(sql, parameters).fetchall()[0][0])


def _count(
    connection: duckdb.DuckDBPyConnection, marts: Sequence[Mart], days: Sequence[date]
) -> dict[str, dict[date, int]]:
    daily = [mart for mart in marts if mart.refresh is Refresh.DAYS]
    rows = {mart.name: dict.fromkeys(days, 0) for mart in daily}
    if daily and days:
        sql = count_per_day(TableLayout(SCHEMA, mart.name, (), "") for mart in daily)
        counted = connection.execute(sql, {"days": list(days), "first": days[0], "last": days[-1]}).fetchall()
        for mart_name, day, count in counted:
            rows[mart_name][day] = count
    return rows
