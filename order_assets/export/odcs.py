"""Writes contract and marts as an Open Data Contract Standard file, for catalogues and tools that test data against it.

The standard has no place for some of what the contract knows (paths, provenance, soft values); those are custom
properties. How the file is tested is a matter of `make datacontract`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from order_assets.contract.lineage import full_paths
from order_assets.contract.model import JSON, TIMESTAMP, Column, Contract, Table
from order_assets.contract.rules import KEY_RULE, REQUIRED_RULE, rules_of
from order_assets.contract.shape import contract_version, removed_paths
from order_assets.export.relations import Field, Relation, mart_relations
from order_assets.export.yaml_text import Node, yaml_text
from order_assets.warehouse.marts import Mart
from order_assets.warehouse.marts.mart import SCHEMA
from order_assets.warehouse.marts.mart_rules import GRAIN, MEANINGS
from order_assets.warehouse.marts.mart_rules import rules_of as rules_of_mart

STANDARD = "v3.2.0"
PARQUET_PATH = "data/tables/{model}/date=*/part-0.parquet"

_WORDS = (
    (r".*\[\d*\]", "array"),
    (r"(STRUCT|MAP|UNION).*", "object"),
    (r"U?\w*INT(EGER)?", "integer"),
    (r"(DECIMAL|DOUBLE|FLOAT|REAL).*", "number"),
    (r"TIMESTAMP.*", "timestamp"),
    (r"DATE", "date"),
    (r"BOOLEAN", "boolean"),
)
# Free-form JSON is text in the files.
_PHYSICAL = {JSON: "VARCHAR", TIMESTAMP: "TIMESTAMP_TZ"}
# Words that tools know and keep out of samples; the contract's own words are custom properties.
_CLASSIFICATION = {
    "direct identifier": "restricted",
    "indirect identifier": "confidential",
    "sanitised": "confidential",
}


def odcs(contract: Contract, marts: Sequence[Mart]) -> Node:
    """Contract and marts as the standard's document, in plain values."""
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
            "usage": "Tables are files, one directory per day that orders were placed in, with keys that are unique "
            "within a day. Marts are tables of warehouse.duckdb, in the schema marts.",
            "limitations": "Known values are soft: new ones are reported, never refused. Credentials are never stored.",
        },
        "servers": [
            {
                "server": "local",
                "type": "local",
                "description": "The Parquet files below the data root, here the default one.",
                "path": PARQUET_PATH,
                "format": "parquet",
            },
            {
                "server": "warehouse",
                "type": "duckdb",
                "description": "The DuckDB file below the data root, which has the marts, and the tables too.",
                "database": "data/warehouse.duckdb",
                "schema": SCHEMA,
            },
        ],
        "schema": [
            *(_table(contract, table) for table in contract),
            *(_mart(mart, relation) for mart, relation in zip(marts, mart_relations(marts, contract), strict=True)),
        ],
        "customProperties": [_custom("removedPaths", removed)],
    }


def render_odcs(contract: Contract, marts: Sequence[Mart]) -> str:
    """The standard's file as YAML text; the same contract and marts give the same text."""
    head = f"# Written from the contract, version {contract_version(contract)}. Change it there, not here.\n"
    return head + yaml_text(odcs(contract, marts))


def _table(contract: Contract, table: Table) -> Node:
    leads_to = contract.references(table)
    return {
        "id": table.name,
        "name": table.name,
        "logicalType": "object",
        "physicalType": "file",
        "physicalName": table.name,
        "description": table.description,
        "dataGranularityDescription": table.grain,
        "properties": [_date(), *(_property(table, column, leads_to) for column in table.columns)],
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


def _property(table: Table, column: Column, leads_to: Mapping[str, tuple[str, str]]) -> Node:
    node: Node = {
        "id": column.name,
        "name": column.name,
        "logicalType": _logical(column.type.duckdb),
        "physicalType": _physical(column),
        "description": column.description,
        "required": not column.nullable,
    }
    if column.name in table.key:
        node |= {"primaryKey": True, "primaryKeyPosition": table.key.index(column.name) + 2}
    if column.sensitivity:
        node["classification"] = _CLASSIFICATION[column.sensitivity]
    if column.name in leads_to:
        node["relationships"] = [{"type": "foreignKey", "to": ".".join(leads_to[column.name])}]
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


def _mart(mart: Mart, relation: Relation) -> Node:
    key: Node = {
        "id": GRAIN,
        "type": "library",
        "metric": "duplicateValues",
        "mustBe": 0,
        "arguments": {"properties": [*mart.key]},
        "description": rules_of_mart(mart)[GRAIN],
        "dimension": "uniqueness",
        "severity": "error",
    }
    relationships = [
        {
            "type": "foreignKey",
            "from": [f"{mart.name}.{column}" for column in reference.columns],
            "to": [f"{reference.table}.{column}" for column in reference.key],
        }
        for reference in mart.references
    ]
    node: Node = {
        "id": mart.name,
        "name": mart.name,
        "logicalType": "object",
        "physicalType": "table",
        "physicalName": f"{SCHEMA}.{mart.name}",
        "description": mart.description,
        "dataGranularityDescription": mart.grain,
        "properties": [_made(mart, column) for column in relation.columns],
        "quality": [
            key,
            *({"id": rule, "type": "text", "description": MEANINGS[rule]} for rule in mart.rules),
        ],
        "customProperties": [_custom("refresh", mart.refresh.value)],
    }
    return node | ({"relationships": relationships} if relationships else {})


def _made(mart: Mart, column: Field) -> Node:
    node: Node = {
        "id": column.name,
        "name": column.name,
        "logicalType": _logical(column.type),
        "physicalType": column.type.replace(" WITH TIME ZONE", "_TZ"),
        "description": column.description,
        "required": column.required,
    }
    if column.name in mart.key:
        node |= {"primaryKey": True, "primaryKeyPosition": mart.key.index(column.name) + 1}
    return node


def _logical(duckdb: str) -> str:
    """The standard's word for a type of DuckDB: marts may make any, such as HUGEINT or VARCHAR[]."""
    return next((word for pattern, word in _WORDS if re.fullmatch(pattern, duckdb)), "string")


def _custom(name: str, value: str | list[str]) -> Node:
    return {"property": name, "value": value}
