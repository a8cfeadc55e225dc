"""Draws tables and marts as a Mermaid diagram: their keys, and which columns lead where.

Other columns are left out, since a diagram with all of them is read by nobody; the dictionary has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from order_assets.contract import Contract
from order_assets.export.relations import Relation, mart_relations, table_relations
from order_assets.warehouse.marts import Mart

_PAGE = """\
# Tables and marts

Written by `make docs` from the contract and the marts. Each box is a table of `warehouse.duckdb` with its key (PK) and
the columns that lead to others (FK); the other columns are in the [data dictionary](data-dictionary.md).
"""


def render_erd(contract: Contract, marts: Sequence[Mart]) -> str:
    """All tables and marts as one Mermaid `erDiagram`."""
    return _diagram([*table_relations(contract), *mart_relations(marts, contract)])


def render_erd_page(contract: Contract, marts: Sequence[Mart]) -> str:
    """A page in Markdown with a diagram of the tables and one of the marts, with the tables that these lead to."""
    parts = {"Tables": table_relations(contract), "Marts": mart_relations(marts, contract)}
    return "\n".join([_PAGE, *(f"## {title}\n\n```mermaid\n{_diagram(shown)}```\n" for title, shown in parts.items())])


def _diagram(relations: Iterable[Relation]) -> str:
    relations = list(relations)
    lines = ["erDiagram"]
    for relation in relations:
        lines += [f'    "{relation.full_name}" {{', *_columns(relation), "    }"]
    return "\n".join([*lines, *(line for relation in relations for line in _edges(relation)), ""])


def _columns(relation: Relation) -> Iterator[str]:
    leading = {column for reference in relation.references for column in reference.columns}
    for column in relation.columns:
        roles = [word for word, of in (("PK", relation.key), ("FK", leading)) if column.name in of]
        if roles:
            # The word alone would be read as a mark; with an asterisk it is a name, that of a key.
            name = f"*{column.name}" if column.name in ("pk", "fk", "uk") else column.name
            yield f"        {_type(column.type)} {name} {', '.join(roles)}"


def _type(duckdb: str) -> str:
    """The type in one word: Mermaid takes no other."""
    return re.sub(r"\W+", "_", duckdb.replace(" WITH TIME ZONE", "TZ")).strip("_")


def _edges(relation: Relation) -> Iterator[str]:
    required = {column.name for column in relation.columns if column.required}
    for reference in relation.references:
        one = "||" if required.issuperset(reference.columns) else "|o"
        target, columns = f"{reference.schema}.{reference.table}", ", ".join(reference.columns)
        yield f'    "{target}" {one}--o{{ "{relation.full_name}" : "{columns}"'
