"""What is derived from the SQL of the marts: types of columns, tables that are read, and where values come from.

    python -m order_assets.warehouse.marts_facts

Deriving it takes a second, DuckDB and sqlglot, and Dagster wants it each time that it loads the definitions. So it is
kept in `marts_facts.json`, and derived anew only where SQL or contract are not those that it was derived from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from order_assets.contract import CONTRACT
from order_assets.contract.shape import contract_version
from order_assets.warehouse.marts import SCHEMA
from order_assets.warehouse.marts_catalogue import MARTS

FILE = "marts_facts.json"

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


def mart_facts() -> dict[str, MartFacts]:
    """The facts of each mart by its name, in the order in which they are made."""
    kept = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return _read(kept["marts"] if kept["of"] == _digest() else _derived())


def derive_facts() -> str:
    """The content of the file, derived now."""
    marts = []
    for mart, (read, columns) in _derived().items():
        lines = ",\n".join(f"   {json.dumps(column)}: {json.dumps(facts)}" for column, facts in columns.items())
        marts.append(f'  "{mart}": [\n   {json.dumps(read)},\n   {{\n{lines}\n   }}\n  ]')
    return f'{{\n "of": "{_digest()}",\n "marts": {{\n' + ",\n".join(marts) + "\n }\n}\n"


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


def _digest() -> str:
    """Changes with everything that the facts are derived from."""
    facts = [contract_version(CONTRACT), [(mart.name, mart.select) for mart in MARTS]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _derived() -> dict[str, _Kept]:
    from order_assets.warehouse.marts_lineage import direct_lineages, reads
    from order_assets.warehouse.marts_refresh import mart_types

    types, sources = mart_types(), direct_lineages()
    return {
        mart.name: (
            [".".join(place) for place in reads(mart)],
            {
                column: [type_, *(".".join(source) for source in sources[mart.name][column])]
                for column, type_ in types[mart.name].items()
            },
        )
        for mart in MARTS
    }


if __name__ == "__main__":
    Path(str(files(__package__).joinpath(FILE))).write_text(derive_facts(), encoding="utf-8")
