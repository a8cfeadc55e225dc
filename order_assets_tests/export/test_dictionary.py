"""The written-down contract: what people and catalogues read must be all of the contract, and today's."""

import dataclasses
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from order_assets.contract import CONTRACT, Contract, Document, Kind, Source, Table
from order_assets.contract.arrow import arrow_schema
from order_assets.contract.lineage import full_paths
from order_assets.contract.model import DATE, DIRECT_IDENTIFIERS, TEXT, column, decimal, pk
from order_assets.contract.shape import contract_version, removed_paths
from order_assets.export.dictionary import code, escape, render_dictionary
from order_assets.export.erd import render_erd_page
from order_assets.export.odcs import odcs, render_odcs
from order_assets.tables.flatten import table_file
from order_assets.warehouse.marts import MARTS, Mart

DOCS = Path(__file__).parents[2] / "docs"
TABLES = pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
# A bar that is not escaped ends a cell.
BAR = re.compile(r"(?<!\\)\|")


@pytest.fixture(scope="module")
def dictionary() -> str:
    return render_dictionary(CONTRACT, MARTS)


@pytest.fixture(scope="module")
def sections(dictionary: str) -> dict[str, str]:
    """The dictionary's sections by their headings."""
    parts = re.split(r"^## (.+)$", dictionary, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The standard's file as a reader of YAML sees it."""
    loaded: dict[str, Any] = yaml.safe_load(render_odcs(CONTRACT, MARTS))
    return loaded


def rows(section: str) -> Iterator[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in BAR.split(line)[1:-1]]


def keys(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for c in entry["properties"] if c.get("primaryKey")]


def in_odcs(document: dict[str, Any], table: Table | Mart) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in document["schema"] if entry["name"] == table.name)
    return found


def files(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables, which are Parquet files; marts are not."""
    return [entry for entry in document["schema"] if entry["physicalType"] == "file"]


def customs(entry: dict[str, Any]) -> dict[str, Any]:
    return {custom["property"]: custom["value"] for custom in entry["customProperties"]}


def test_the_committed_pages_are_not_older_than_contract_and_marts(dictionary: str) -> None:
    for name, page in (("data-dictionary.md", dictionary), ("erd.md", render_erd_page(CONTRACT, MARTS))):
        same = (DOCS / name).read_text(encoding="utf-8") == page
        assert same, f"docs/{name} is stale: run `make docs` and commit what it writes"


@TABLES
def test_dictionary_has_every_column_with_its_meaning(table: Table, sections: dict[str, str]) -> None:
    section = sections[table.name]
    assert escape(table.description) in section
    assert escape(table.grain) in section
    found = list(rows(section))
    assert [(cells[0], cells[1], cells[2], cells[3], cells[7]) for cells in found] == [
        (f"`{c.name}`", c.type.duckdb, "yes" if c.nullable else "no", escape(c.description), str(c.provenance))
        for c in table.columns
    ]
    assert {len(cells) for cells in found} == {8}


@TABLES
def test_dictionary_has_known_values_sensitivity_and_sources(table: Table, sections: dict[str, str]) -> None:
    by_name = dict(zip(table.column_names, rows(sections[table.name]), strict=True))
    for declared in table.columns:
        cells = by_name[declared.name]
        assert all(code(value) in cells[5] for value in declared.values)
        assert cells[6].startswith(declared.sensitivity)
        assert cells[4], f"{table.name}.{declared.name} has neither a path nor a word where it comes from"
    for source in table.sources:
        assert f"{source.document} document, {code(source.path) if source.path else ''}" in sections[table.name]


def test_dictionary_lists_every_removed_secret_with_its_reason(sections: dict[str, str]) -> None:
    listed = {tuple(cells) for cells in rows(sections["Removed paths"])}
    assert listed == {(str(d), f"`{path}`", reason) for d, path, reason in removed_paths(CONTRACT)}
    assert len(listed) >= 5


def test_both_files_name_the_contract_version(document: dict[str, Any], dictionary: str) -> None:
    assert f"`{contract_version(CONTRACT)}`" in dictionary
    assert document["version"] == contract_version(CONTRACT)


def test_overview_leads_to_every_table_and_mart(sections: dict[str, str]) -> None:
    links = dict(re.findall(r"^\| \[([\w.]+)\]\(#(\w+)\)", sections["Tables"], flags=re.MULTILINE))
    names = [*CONTRACT.table_names, *(f"marts.{mart.name}" for mart in MARTS)]
    assert links == {name: name.replace(".", "") for name in names}
    assert set(links) <= sections.keys()


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_dictionary_and_odcs_have_every_mart_with_types_and_where_it_leads(
    mart: Mart, sections: dict[str, str], document: dict[str, Any]
) -> None:
    section, entry = sections[f"marts.{mart.name}"], in_odcs(document, mart)
    assert escape(mart.description) in section
    assert escape(mart.grain) in section
    assert [(cells[0], cells[2]) for cells in rows(section)] == [
        (f"`{name}`", escape(meaning)) for name, meaning in mart.columns.items()
    ]
    assert [(c["name"], c["description"]) for c in entry["properties"]] == list(mart.columns.items())
    assert [cells[1].replace(" WITH TIME ZONE", "_TZ") for cells in rows(section)] == [
        c["physicalType"] for c in entry["properties"]
    ]
    led = {cells[0].strip("`") for cells in rows(section) if cells[3]}
    assert led == {column for reference in mart.references for column in reference.columns}
    assert len(entry.get("relationships", ())) == len(mart.references)
    assert [c["name"] for c in sorted(keys(entry), key=lambda c: c["primaryKeyPosition"])] == list(mart.key)


@TABLES
def test_odcs_has_every_column_in_the_order_of_the_files(table: Table, document: dict[str, Any]) -> None:
    entry = in_odcs(document, table)
    day, *columns = entry["properties"]
    assert (day["name"], day["partitioned"]) == ("date", True)
    assert [c["name"] for c in columns] == arrow_schema(table).names
    assert [(c["description"], c["required"]) for c in columns] == [
        (c.description, not c.nullable) for c in table.columns
    ]
    for declared, written in zip(table.columns, columns, strict=True):
        assert customs(written)["provenance"] == str(declared.provenance)
        assert customs(written).get("jsonPaths", []) == list(full_paths(table, declared))
        assert len(customs(written).get("knownValues", [])) == len(declared.values)


@TABLES
def test_odcs_key_is_the_day_and_the_declared_key(table: Table, document: dict[str, Any]) -> None:
    entry = in_odcs(document, table)
    keys = sorted((c["primaryKeyPosition"], c["name"]) for c in entry["properties"] if c.get("primaryKey"))
    assert [name for _, name in keys] == ["date", *table.key]
    rules = {rule["id"]: rule for rule in entry["quality"]}
    assert rules["key_unique"]["arguments"]["properties"] == ["date", *table.key]


def test_odcs_asks_for_no_null_exactly_where_a_value_is_required(document: dict[str, Any]) -> None:
    asked = {
        (entry["name"], c["name"])
        for entry in files(document)
        for c in entry["properties"]
        if any(rule["metric"] == "nullValues" and rule["mustBe"] == 0 for rule in c.get("quality", []))
    }
    assert asked == {(table.name, c.name) for table in CONTRACT for c in table.columns if not c.nullable}


def test_odcs_marks_every_sensitive_column_and_no_other(document: dict[str, Any]) -> None:
    marked = {
        (entry["name"], c["name"]): c["classification"]
        for entry in files(document)
        for c in entry["properties"]
        if "classification" in c
    }
    assert marked == {
        (table.name, c.name): "restricted" if c.personal in DIRECT_IDENTIFIERS else "confidential"
        for table in CONTRACT
        for c in table.columns
        if c.sensitivity
    }


def test_odcs_keeps_known_values_soft(document: dict[str, Any]) -> None:
    """An enum would make a tool fail on a status that the shop added; such a value is only reported here."""
    assert not [c["name"] for entry in document["schema"] for c in entry["properties"] if "enum" in c]


def test_odcs_server_finds_the_files_that_the_pipeline_writes(document: dict[str, Any], tmp_path: Path) -> None:
    server, warehouse = document["servers"]
    assert (warehouse["type"], warehouse["database"]) == ("duckdb", "data/warehouse.duckdb")
    assert (server["type"], server["format"]) == ("local", "parquet")
    pattern = server["path"].format(model="orders").removeprefix("data/")
    written = table_file(tmp_path, "orders", date(2026, 1, 2))
    written.parent.mkdir(parents=True)
    written.touch()
    assert list(tmp_path.glob(pattern)) == [written]


def test_odcs_texts_that_look_like_numbers_stay_texts() -> None:
    """Some readers take 12e4 for a number where others do not, so such texts are quoted."""
    table = dataclasses.replace(
        CONTRACT.table("banks"), columns=(pk("bank"), column("status", TEXT, "1e3", values=("12e4", "0x1f", "007")))
    )
    text = render_odcs(Contract((table,)), ())
    assert all(f"'{value}'" in text for value in ("1e3", "12e4", "0x1f", "007"))


def test_words_of_a_declaration_cannot_break_a_markdown_table() -> None:
    nasty = "a | b\n`c` *d* _e_ <script> [f](g) \\ # h"
    table = Table(
        name="nasty",
        description=nasty,
        grain=nasty,
        kind=Kind.CHILD,
        key=("pk",),
        sources=(Source(Document.DETAIL, "set[]"),),
        columns=(
            pk("row"),
            column("price", decimal(9, 4), nasty, values={"x|`y`": nasty}),
            column("day", DATE, "plain"),
        ),
    )
    text = render_dictionary(Contract((table,)), ())
    found = list(rows(text.split("## nasty\n")[1].split("\n## ")[0]))
    assert [len(cells) for cells in found] == [8, 8, 8]
    assert found[1][3] == r"a \| b \`c\` \*d\* \_e\_ \<script\> \[f\](g) \\ \# h"
    assert found[1][5].startswith(r"`` x\|`y` `` a \| b")
    assert "<script>" not in text.replace(r"\<script\>", "")
    assert odcs(Contract((table,)), ())["schema"][0]["description"] == nasty


def test_paths_lead_to_where_the_values_sit() -> None:
    def paths(table: str, name: str) -> tuple[str, ...]:
        return full_paths(CONTRACT.table(table), CONTRACT.table(table).column(name))

    assert paths("orders", "channel_pk") == ("detail: channel.pk",)
    assert paths("orders", "modified_date") == ("detail: transaction_set[].order.modified_date",)
    assert paths("order_items", "product_pk") == ("items: [].product.pk",)
    assert paths("order_items", "order_pk") == ()
    assert paths("discount_applicants", "discount_item_pk") == ("discounts: [].pk", "discounts: [].pk")
    assert paths("pos", "slug") == ("detail: transaction_set[].pos.slug", "detail: transaction_set[].main_pos.slug")
    assert paths("cancellation_plans", "raw") == ("detail: cancellationplan_set[]",)
    assert paths("quarantine", "reason") == ()
