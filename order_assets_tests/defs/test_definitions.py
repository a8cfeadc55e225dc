"""What Dagster sees: a change here changes what data engineers see in the UI."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from order_assets.contract import CONTRACT
from order_assets.days.preview import preview
from order_assets.defs import build_definitions
from order_assets.settings import Settings, SettingsError, from_environment

SETTINGS = Settings(data_root=Path("unused"))
TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:  # type: ignore[name-defined]
    return build_definitions(SETTINGS).resolve_asset_graph()


def test_every_table_of_the_contract_is_an_asset_in_both_layers(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    expected = {f"{layer}/{table.name}" for layer in ("tables", "warehouse") for table in CONTRACT}
    assert keys == expected | {"order_index", "order_documents", "warehouse/order_ledger"}


def test_the_layers_follow_each_other(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    def parents(name: str) -> set[str]:
        key = dg.AssetKey.from_user_string(name)
        return {parent.to_user_string() for parent in graph.get(key).parent_keys}

    assert parents("order_index") == set()
    assert parents("order_documents") == {"order_index"}
    assert parents("tables/transactions") == {"order_documents"}
    assert parents("warehouse/transactions") == {"tables/transactions"}


def test_every_asset_explains_itself(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners == ["team:data-engineering"], key
        assert node.group_name in {"index", "landing", "tables", "warehouse"}, key
        assert node.kinds, key
        assert node.code_version, key
        if key.path[-1] in CONTRACT_NAMES and len(key.path) == 2:
            columns = node.metadata["dagster/column_schema"].columns
            assert [column.name for column in columns] == list(CONTRACT.table(key.path[-1]).column_names)
            assert all(column.description for column in columns)


CONTRACT_NAMES = {table.name for table in CONTRACT}


def test_a_range_is_one_run_and_the_pools_keep_the_shop_and_the_file_safe() -> None:
    graph = build_definitions(SETTINGS).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        if node.partitions_def is not None:
            assert node.backfill_policy == dg.BackfillPolicy.single_run()
    pools = {key.to_user_string(): graph.get(key).pools for key in graph.get_all_asset_keys()}
    assert pools["order_index"] == pools["order_documents"] == {"omnitron_api"}
    assert pools["warehouse/orders"] == {"warehouse_writer"}


def test_the_token_is_shown_by_its_variable_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNITRON_TOKEN", TOKEN)
    definitions = build_definitions(Settings(url="https://shop.example.com", data_root=Path("unused")))
    resource = definitions.resources["omnitron"] if definitions.resources else None
    assert TOKEN not in repr(resource)
    assert TOKEN not in str(resource)
    repository = definitions.get_repository_def()
    shown = repr(repository.get_top_level_resources()["omnitron"].configurable_resource_cls)
    assert TOKEN not in shown
    assert resource is not None
    assert isinstance(resource.token, dg.EnvVar)


def test_definitions_load_for_a_real_instance_without_any_secret_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMNITRON_TOKEN", "OMNITRON_USERNAME", "OMNITRON_PASSWORD", "ORDER_ASSETS_PII_KEY"):
        monkeypatch.delenv(name, raising=False)
    dg.Definitions.validate_loadable(build_definitions(Settings(url="https://shop.example.com")))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("ORDER_ASSETS_START_DATE", "yesterday", "not a date"),
        ("ORDER_ASSETS_TIMEZONE", "Mars", "not a time zone"),
        ("ORDER_ASSETS_PII", "hide", "tokenise, clear, drop"),
        ("ORDER_ASSETS_REQUESTS_PER_SECOND", "0", "above 0"),
        ("ORDER_ASSETS_REQUESTS_PER_SECOND", "nan", "above 0"),
        ("ORDER_ASSETS_MAX_CONCURRENCY", "2.5", "whole number"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(name: str, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as refused:
        from_environment({name: text})
    assert name in str(refused.value)


def test_a_preview_shows_no_personal_data_whatever_the_settings(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from order_assets.contract.schema import arrow_schema

    table = CONTRACT.table("customers")
    row = {column.name: None for column in table.columns} | {"pk": 1, "email": "ada@example.org", "first_name": "Ada"}
    pq.write_table(pa.Table.from_pylist([row], arrow_schema(table)), tmp_path / "rows.parquet")
    shown = preview(table, tmp_path / "rows.parquet")
    assert "| 1 |" in shown
    assert "ada@example.org" not in shown
    assert "Ada" not in shown
