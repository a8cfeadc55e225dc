"""Writes contract and marts down for people: the data dictionary in Markdown. For catalogues and tools `odcs` does.

Only words and layout are decided here. What a table, mart or column is stands in the declarations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from order_assets.contract.lineage import origin_note, short_path
from order_assets.contract.model import Column, Contract, Kind, Known, Table
from order_assets.contract.shape import contract_version, removed_paths
from order_assets.export.relations import Relation, mart_relations
from order_assets.warehouse.marts import Mart, Refresh

_KINDS = {
    Kind.ORDER: "Orders",
    Kind.HISTORY: "What orders went through",
    Kind.CHILD: "Rows of orders",
    Kind.DIMENSION: "What orders point to",
    Kind.OVERFLOW: "What does not fit",
}
_REFRESH = {
    Refresh.DAYS: "a load of some days makes the rows of those days again",
    Refresh.WHOLE: "each load makes all rows again",
}
_COLUMNS = ("Column", "Type", "Null", "Meaning", "JSON path", "Known values", "Sensitivity", "Known from")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")
_INTRODUCTION = """\
# Data dictionary

Written by `order-assets export dictionary` from the contract, version `{version}`, and the marts. Change these, not
this page.

Each table lies in `tables/<table>/date=YYYY-MM-DD/part-0.parquet` below the data root, one directory per day. `date`
is the day that the order was placed in, in the business time zone; keys are unique within a day. In `warehouse.duckdb`
each table has `date` as its first column, and things are there once per key, in their newest version. Marts are in
the schema `marts` of that file only.

How to read the tables:

- **Null**: `no` means that a value is always there. An order that lacks one is quarantined.
- **JSON path**: where the value sits in the document; `[]` is each element of a set. Where rows come from several
  places, `(row)` is the object at each of them, and `(owner)` the object that holds the set.
- **Known values** are soft: an unknown value is reported, never refused.
- **Sensitivity**: direct and indirect identifiers are tokenised unless `ORDER_ASSETS_PII` says otherwise; of
  sanitised texts only harmless elements are kept.
- **Known from**: `documented` in a table of the vendor's documentation, `openapi` in its OpenAPI pages, `seen` in
  example payloads only, `assumed` in no source but likely from sister objects, `derived` by this project.
"""


def render_dictionary(contract: Contract, marts: Sequence[Mart]) -> str:
    """The data dictionary as Markdown; the same contract and marts give the same text."""
    parts = [
        _INTRODUCTION.format(version=contract_version(contract)),
        _overview(contract, marts),
        *(_section(table) for table in contract),
        *(_mart(mart, relation) for mart, relation in zip(marts, mart_relations(marts, contract), strict=True)),
        _removed(contract),
    ]
    return "\n".join(parts)


def escape(text: str) -> str:
    """Plain text for a cell of a Markdown table: nothing in it formats, links or ends the cell."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A code span for a cell of a Markdown table, whatever backticks and bars are in it."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if "`" in text else ""
    # A bar ends the cell even inside a code span.
    return f"{fence}{pad}{' '.join(text.split())}{pad}{fence}".replace("|", "\\|")


def _overview(contract: Contract, marts: Sequence[Mart]) -> str:
    lines = ["## Tables", ""]
    for kind, title in _KINDS.items():
        rows = (
            (f"[{table.name}](#{table.name})", escape(table.grain), ", ".join(map(code, table.key)))
            for table in contract.of_kind(kind)
        )
        lines += [f"### {title}", "", *_table(("Table", "Grain", "Key"), rows), ""]
    of_marts = (
        (f"[marts.{mart.name}](#marts{mart.name})", escape(mart.grain), ", ".join(map(code, mart.key)))
        for mart in marts
    )
    lines += ["### Marts", "", *_table(("Mart", "Grain", "Key"), of_marts), ""]
    return "\n".join(lines)


def _section(table: Table) -> str:
    facts = [
        f"- Grain: {escape(table.grain)}",
        f"- Key: {', '.join(map(code, table.key))}, unique within a day",
        f"- Source: {_sources(table)}",
    ]
    if table.secrets:
        removed = "; ".join(f"{code(secret.path)} ({escape(secret.reason)})" for secret in table.secrets)
        facts.append(f"- Never stored: {removed}")
    rows = (_row(table, column) for column in table.columns)
    return "\n".join(
        [f"## {table.name}", "", f"{escape(table.description)}.", "", *facts, "", *_table(_COLUMNS, rows), ""]
    )


def _mart(mart: Mart, relation: Relation) -> str:
    leads_to = {
        column: f"{reference.schema}.{reference.table}.{key}"
        for reference in mart.references
        for column, key in zip(reference.columns, reference.key, strict=True)
    }
    rows = (
        (
            code(field.name),
            field.type,
            escape(field.description),
            code(leads_to[field.name]) if field.name in leads_to else "",
        )
        for field in relation.columns
    )
    facts = [
        f"- Grain: {escape(mart.grain)}",
        f"- Key: {', '.join(map(code, mart.key))}",
        f"- Refresh: {_REFRESH[mart.refresh]}",
    ]
    table = _table(("Column", "Type", "Meaning", "Leads to"), rows)
    return "\n".join([f"## marts.{mart.name}", "", f"{escape(mart.description)}.", "", *facts, "", *table, ""])


def _sources(table: Table) -> str:
    if not table.sources:
        return "none, the validator writes it"
    return "; ".join(
        f"{source.document} document, {code(source.path) if source.path else 'the document itself'}"
        + (f" as {code(source.label)}" if source.label else "")
        for source in table.sources
    )


def _row(table: Table, column: Column) -> tuple[str, ...]:
    path, note = short_path(table, column), origin_note(table, column)
    sensitivity = column.sensitivity + (f" ({column.personal})" if column.personal else "")
    return (
        code(column.name),
        column.type.duckdb,
        "yes" if column.nullable else "no",
        escape(column.description),
        ", ".join(filter(None, (code(path) if path else "", note))),
        ", ".join(_known(value, known) for value, known in column.values.items()),
        escape(sensitivity),
        str(column.provenance),
    )


def _known(value: str, known: Known) -> str:
    return " ".join(
        filter(None, (code(value), escape(known.meaning), f"({escape(known.traits)})" if known.traits else ""))
    )


def _removed(contract: Contract) -> str:
    rows = ((str(document), code(path), escape(reason)) for document, path, reason in removed_paths(contract))
    return "\n".join(
        [
            "## Removed paths",
            "",
            "Removed before anything is stored, whatever the settings, in landing as well as in the tables.",
            "",
            *_table(("Document", "JSON path", "Reason"), rows),
            "",
        ]
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'|'.join(' --- ' for _ in titles)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
