"""Writes the contract as an Open Data Contract Standard file, for catalogues and for tools that test data against it.

    python -m order_assets.contract.export.odcs order_assets.odcs.yaml

The standard has no place for some of what the contract knows (paths, provenance, soft values); those are custom
properties. How the file is tested is a matter of `make datacontract`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from order_assets.contract import CONTRACT
from order_assets.contract.lineage import full_paths
from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    DATE,
    JSON,
    TEXT,
    TIMESTAMP,
    Column,
    Contract,
    Kind,
    Origin,
    Table,
)
from order_assets.contract.rules import KEY_RULE, REQUIRED_RULE, rules_of
from order_assets.contract.shape import contract_version, removed_paths

STANDARD = "v3.2.0"
PARQUET_PATH = "data/tables/{model}/date=*/part-0.parquet"

_LOGICAL = {BIGINT: "integer", TEXT: "string", JSON: "string", BOOLEAN: "boolean", TIMESTAMP: "timestamp", DATE: "date"}
# Free-form JSON is text in the files.
_PHYSICAL = {JSON: "VARCHAR", TIMESTAMP: "TIMESTAMP_TZ"}
# Words that tools know and keep out of samples; the contract's own words are custom properties.
_CLASSIFICATION = {
    "direct identifier": "restricted",
    "indirect identifier": "confidential",
    "sanitised": "confidential",
}

Node = dict[str, Any]


def odcs(contract: Contract) -> Node:
    """The contract as the standard's document, in plain values."""
    removed = [f"{document}: {path} ({reason})" for document, path, reason in removed_paths(contract)]
    return {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": "order-assets",
        "name": "Akinon Omnitron orders",
        "version": contract_version(contract),
        "status": "active",
        "description": {
            "purpose": "Orders of a shop that runs Akinon Omnitron, with everything nested in them, as typed tables.",
            "usage": "One directory per day that orders were placed in. Keys are unique within a day.",
            "limitations": "Known values are soft: new ones are reported, never refused. Credentials are never stored.",
        },
        "servers": [
            {
                "server": "local",
                "type": "local",
                "description": "The Parquet files below the data root, here the default one.",
                "path": PARQUET_PATH,
                "format": "parquet",
            }
        ],
        "schema": [_table(table) for table in contract],
        "customProperties": [_custom("removedPaths", removed)],
    }


def render_odcs(contract: Contract) -> str:
    """The standard's file as YAML text; the same contract gives the same text."""
    head = f"# Written from the contract, version {contract_version(contract)}. Change it there, not here.\n"
    text: str = yaml.dump(odcs(contract), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return head + text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m order_assets.contract.export.odcs",
        description="Write the contract as an Open Data Contract Standard file.",
    )
    parser.add_argument("file", type=Path, help="file to write, for example order_assets.odcs.yaml")
    file: Path = parser.parse_args(arguments).file
    file.write_text(render_odcs(CONTRACT), encoding="utf-8", newline="\n")
    print(file)
    return 0


def _table(table: Table) -> Node:
    return {
        "id": table.name,
        "name": table.name,
        "logicalType": "object",
        "physicalType": "file",
        "physicalName": table.name,
        "description": table.description,
        "dataGranularityDescription": table.grain,
        "properties": [_date(), *(_property(table, column) for column in table.columns)],
        "quality": _quality(table),
    }


def _date() -> Node:
    """The day is not in the files but in the names of their directories; it is part of every key."""
    return {
        "id": "date",
        "name": "date",
        "logicalType": "date",
        "physicalType": "DATE",
        "description": "Day that the order was placed in, in the business time zone; from the name of the directory",
        "required": True,
        "primaryKey": True,
        "primaryKeyPosition": 1,
        "partitioned": True,
        "partitionKeyPosition": 1,
    }


def _property(table: Table, column: Column) -> Node:
    node: Node = {
        "id": column.name,
        "name": column.name,
        "logicalType": "number" if column.type.is_decimal else _LOGICAL[column.type],
        "physicalType": _physical(column),
        "description": column.description,
        "required": not column.nullable,
    }
    if column.name in table.key:
        node |= {"primaryKey": True, "primaryKeyPosition": table.key.index(column.name) + 2}
    if column.sensitivity:
        node["classification"] = _CLASSIFICATION[column.sensitivity]
    if column.origin is Origin.ORDER_PK and table.kind is Kind.CHILD:
        node["relationships"] = [{"type": "foreignKey", "to": "orders.pk"}]
    if not column.nullable:
        node["quality"] = [
            {
                "id": REQUIRED_RULE,
                "type": "library",
                "metric": "nullValues",
                "mustBe": 0,
                "description": f"{column.name} is always there",
                "dimension": "completeness",
                "severity": "error",
            }
        ]
    node["customProperties"] = _customs(table, column)
    return node


def _physical(column: Column) -> str:
    """The type in the file, in words that tools know: they stumble over DuckDB's `TIMESTAMP WITH TIME ZONE`."""
    return _PHYSICAL.get(column.type, column.type.duckdb)


def _customs(table: Table, column: Column) -> list[Node]:
    values = [f"{value}: {known.meaning}" if known.meaning else value for value, known in column.values.items()]
    facts: dict[str, str | list[str]] = {
        "provenance": str(column.provenance),
        "jsonPaths": list(full_paths(table, column)),
        "contractType": column.type.duckdb if column.type in _PHYSICAL else "",
        "knownValues": values,
        "sensitivity": column.sensitivity,
        "personalData": str(column.personal) if column.personal else "",
    }
    return [_custom(name, value) for name, value in facts.items() if value]


def _quality(table: Table) -> list[Node]:
    """The rules of the table; those that the standard cannot express are there as text."""
    texts: list[Node] = [
        {"id": rule, "type": "text", "description": text}
        for rule, text in rules_of(table).items()
        if rule not in (KEY_RULE, REQUIRED_RULE)
    ]
    key: Node = {
        "id": KEY_RULE,
        "type": "library",
        "metric": "duplicateValues",
        "mustBe": 0,
        "arguments": {"properties": ["date", *table.key]},
        "description": f"{rules_of(table)[KEY_RULE]} within a day",
        "dimension": "uniqueness",
        "severity": "error",
    }
    return [key, *texts]


def _custom(name: str, value: str | list[str]) -> Node:
    return {"property": name, "value": value}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes no anchors, and quotes whatever could be a number to some reader."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class asks with it
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if text[:1].isdigit() else None)


_Dumper.add_representer(str, _text)


if __name__ == "__main__":
    raise SystemExit(main())
