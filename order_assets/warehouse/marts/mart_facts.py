"""What is derived from the SQL of the marts: types of columns, tables that are read, and where values come from.

Deriving it takes a second, DuckDB and sqlglot, and Dagster wants it each time that it loads the definitions. So it is
kept in a file, and derived again only for another SQL or contract.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from order_assets.contract import Contract
from order_assets.contract.shape import contract_version
from order_assets.core.store import write_json
from order_assets.warehouse.marts.mart import SCHEMA, Mart

_KEPT_FILES = 8

# Of a mart the tables that it reads and, by column, the type and the sources; places are joined with dots.
_Kept = tuple[list[str], dict[str, list[str]]]


@dataclass(frozen=True)
class MartFacts:
    """Facts of one mart: types by column, the (schema, table) that it reads, and lineage by column.

    `sources` are the (schema, table, column) that the SELECT names; `origins` the (table, column) of the contract
    that they lead to. The schema is `orders` or `marts`.
    """

    types: Mapping[str, str]
    reads: Sequence[tuple[str, str]]
    sources: Mapping[str, Sequence[tuple[str, str, str]]]
    origins: Mapping[str, Sequence[tuple[str, str]]]


def mart_facts(marts: Sequence[Mart], contract: Contract, *, cache: Path | None = None) -> dict[str, MartFacts]:
    """The facts of each mart by its name, in the order in which they are made.

    They are kept in the folder `cache`; without one, or where it cannot be written, they are derived each time.
    Raises `MartError` for SQL that cannot be made from the tables.
    """
    if cache is None:
        return _read(_derive(marts, contract))
    file = cache / f"marts-{_digest(marts, contract)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _read(json.loads(file.read_text(encoding="utf-8")))
    kept = _derive(marts, contract)
    with suppress(OSError):
        _keep(file, kept)
    return _read(kept)


def _keep(file: Path, kept: Mapping[str, _Kept]) -> None:
    """Write the facts, and remove the oldest of other marts and contracts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, kept)
    others = sorted(file.parent.glob("marts-*.json"), key=lambda other: other.stat().st_mtime)
    for other in others[:-_KEPT_FILES]:
        other.unlink(missing_ok=True)


def _read(kept: Mapping[str, _Kept]) -> dict[str, MartFacts]:
    found: dict[str, MartFacts] = {}
    for mart, (read, columns) in kept.items():
        sources = {column: [_column(text) for text in texts] for column, (_, *texts) in columns.items()}
        found[mart] = MartFacts(
            types={column: facts[0] for column, facts in columns.items()},
            reads=tuple((schema, table) for schema, table in (text.split(".") for text in read)),
            sources=sources,
            origins={column: _origins(of_column, found) for column, of_column in sources.items()},
        )
    return found


def _column(text: str) -> tuple[str, str, str]:
    schema, table, column = text.split(".")
    return schema, table, column


def _origins(sources: Sequence[tuple[str, str, str]], marts: Mapping[str, MartFacts]) -> list[tuple[str, str]]:
    """Columns of the contract below these sources; marts that are made before are seen through."""
    below = {
        origin
        for schema, table, column in sources
        for origin in (marts[table].origins[column] if schema == SCHEMA else [(table, column)])
    }
    return sorted(below)


def _digest(marts: Sequence[Mart], contract: Contract) -> str:
    """Changes with everything that the facts are derived from."""
    facts = [contract_version(contract), [(mart.name, list(mart.columns), mart.select(contract)) for mart in marts]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _derive(marts: Sequence[Mart], contract: Contract) -> dict[str, _Kept]:
    from order_assets.warehouse.marts.mart_lineage import column_sources, column_types, tables_read

    types, sources = column_types(marts, contract), column_sources(marts, contract)
    return {
        mart.name: (
            [".".join(place) for place in tables_read(mart, contract)],
            {
                column: [type_, *(".".join(source) for source in sources[mart.name][column])]
                for column, type_ in types[mart.name].items()
            },
        )
        for mart in marts
    }
