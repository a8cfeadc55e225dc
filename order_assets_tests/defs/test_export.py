"""What the command gives to other tools: of a user's own package too, and true of a real warehouse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from order_assets import cli
from order_assets.contract import CONTRACT
from order_assets.export.dbt import dbt_sources
from order_assets.export.erd import render_erd
from order_assets.warehouse.marts import MARTS
from order_assets_tests.defs.conftest import Project, own_package
from order_assets_tests.defs.test_own_package import DEFINITIONS, MART

# What Mermaid reads: a box with lines "type name keys", and edges between boxes.
_ERD = re.compile(
    r'erDiagram\n(    "[\w.]+" \{\n(        [A-Za-z]\w* (?!pk )[*]?\w+ (PK|FK|PK, FK)\n)+    \}\n)+'
    r'(    "[\w.]+" \|[|o]--o\{ "[\w.]+" : "[\w, ]+"\n)*'
)


def test_every_export_has_the_columns_tables_and_marts_of_the_package_that_it_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDER_ASSETS_DATA", str(tmp_path / "data"))
    package = own_package(tmp_path / "their_orders", monkeypatch, DEFINITIONS)
    (package / "marts").mkdir()
    (package / "marts" / "agg_gift_cards.sql").write_text(MART, encoding="utf-8")
    given = {}
    for what in ("dictionary", "erd", "odcs", "dbt"):
        assert cli.main(["export", what]) == 0
        given[what] = capsys.readouterr().out
        assert all(word in given[what] for word in ("gift_cards", "agg_gift_cards")), what
        # Of the diagram other columns than keys are no part.
        if what != "erd":
            assert all(word in given[what] for word in ("Tier of the customer's loyalty card", "left_amount")), what
    assert '"orders.orders" ||--o{ "orders.gift_cards" : "order_pk"' in given["erd"]

    assert cli.main(["export", "dbt", "--to", str(tmp_path / "sources.yml")]) == 0
    assert (tmp_path / "sources.yml").read_text(encoding="utf-8") == given["dbt"]


def test_an_export_that_does_not_exist_or_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["export", "dtb"]) == 2
    assert "Did you mean dbt?" in capsys.readouterr().err
    assert cli.main(["export", "erd", "--to", str(tmp_path / "none" / "erd.mmd")]) == 2
    assert "erd.mmd cannot be written: No such file" in capsys.readouterr().err


def test_the_diagram_is_one_that_mermaid_reads_and_has_every_table_and_mart() -> None:
    text = render_erd(CONTRACT, MARTS)
    assert _ERD.fullmatch(text)
    boxes = re.findall(r'^    "([\w.]+)" \{', text, re.MULTILINE)
    assert boxes == [f"orders.{table.name}" for table in CONTRACT] + [f"marts.{mart.name}" for mart in MARTS]
    ends = {end for pair in re.findall(r'"([\w.]+)" \|[|o]--o\{ "([\w.]+)"', text) for end in pair}
    assert ends <= set(boxes)


@pytest.fixture(scope="module")
def sources() -> dict[str, Any]:
    return dbt_sources(CONTRACT, MARTS)


@pytest.mark.usefixtures("filled")
def test_dbt_finds_every_source_with_its_types_in_the_warehouse_and_all_its_tests_pass(
    project: Project, sources: dict[str, Any]
) -> None:
    assert yaml.safe_load(yaml.safe_dump(sources)) == sources
    there = {
        (schema, table): columns
        for schema, table, columns in project.query(
            "SELECT schema_name, table_name, map_from_entries(list((column_name, data_type) ORDER BY column_index)) "
            "FROM duckdb_columns() WHERE NOT internal GROUP BY ALL"
        )
    }
    tables = [(source, table) for source in sources["sources"] for table in source["tables"]]
    assert {source["database"] for source, _ in tables} == {"warehouse"}
    for source, table in tables:
        declared = {column["name"]: column["data_type"] for column in table["columns"]}
        assert there[source["schema"], table["name"]] == declared, table["name"]
    with duckdb.connect(str(project.data / "warehouse.duckdb"), read_only=True) as warehouse:
        for source, table in tables:
            relation = f'{source["schema"]}."{table["name"]}"'
            for sql in _as_dbt_tests(relation, table):
                assert warehouse.execute(sql).fetchall() == [], sql
            # How fresh the warehouse is, by either clock.
            if column := table.get("config", {}).get("loaded_at_field"):
                assert warehouse.execute(f"SELECT max({column}) IS NOT NULL FROM {relation}").fetchall() == [(True,)]


def _as_dbt_tests(relation: str, table: dict[str, Any]) -> Iterator[str]:
    """The queries that dbt makes of the tests; each finds the rows that are wrong."""
    of_columns = [(f'"{column["name"]}"', test) for column in table["columns"] for test in column.get("data_tests", ())]
    for column, test in [*of_columns, *(("", test) for test in table.get("data_tests", ()))]:
        name, said = (test, {}) if isinstance(test, str) else next(iter(test.items()))
        given = said.get("arguments", {})
        of = given.get("column_name", column)
        if name == "not_null":
            yield f"SELECT {of} FROM {relation} WHERE {of} IS NULL"
        elif name == "unique":
            yield f"SELECT {of}, count(*) FROM {relation} WHERE {of} IS NOT NULL GROUP BY {of} HAVING count(*) > 1"
        else:
            schema, target = re.findall(r"'(\w+)'", given["to"])
            yield (
                f"SELECT child.f FROM (SELECT {of} AS f FROM {relation} WHERE {of} IS NOT NULL) AS child "
                f'LEFT JOIN (SELECT {given["field"]} AS t FROM {schema}."{target}") AS parent ON child.f = parent.t '
                "WHERE parent.t IS NULL"
            )
