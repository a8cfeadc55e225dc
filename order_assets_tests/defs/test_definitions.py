"""What Dagster sees: a change here changes what data engineers see in the UI."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.snap.snap_to_yaml import default_values_yaml_from_type_snap
from dagster_shared.yaml_utils import load_run_config_yaml

from order_assets.contract import CONTRACT
from order_assets.contract.rules import BLOCKING_RULES
from order_assets.defs import build_definitions, run_jobs
from order_assets.pipeline.preview import preview
from order_assets.settings import Settings, SettingsError, read_settings
from order_assets.warehouse.marts import MARTS
from order_assets_tests.defs.conftest import Project

AGG_DAILY_SALES = MARTS.mart("agg_daily_sales")

SETTINGS = Settings(data_root=Path("unused"))
TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:  # type: ignore[name-defined]
    return build_definitions(SETTINGS).resolve_asset_graph()


def test_every_table_of_the_contract_is_an_asset_in_both_layers(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    expected = {f"{layer}/{table.name}" for layer in ("tables", "warehouse") for table in CONTRACT}
    marts = {f"marts/{mart.name}" for mart in MARTS}
    assert keys == expected | marts | {"order_index", "order_documents", "warehouse/order_ledger", "report"}


def test_the_layers_follow_each_other(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    def parents(name: str) -> set[str]:
        key = dg.AssetKey.from_user_string(name)
        return {parent.to_user_string() for parent in graph.get(key).parent_keys}

    assert parents("order_index") == set()
    assert parents("order_documents") == {"order_index"}
    assert parents("tables/transactions") == {"order_documents"}
    assert parents("warehouse/transactions") == {"tables/transactions"}
    assert parents("marts/agg_daily_sales") == {"marts/fct_orders"}
    assert parents("marts/dim_customers") == {"marts/fct_orders", "warehouse/customers"}


def test_every_asset_explains_itself(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert re.search("grain: |one row per", node.description, re.IGNORECASE), key
        assert re.search("Source: |from the (order list|marts)|Made by the validator", node.description), key
        assert node.owners == ["team:data-engineering"], key
        assert node.group_name in {"index", "landing", "tables", "warehouse", "marts", "report"}, key
        assert node.kinds, key
        assert node.code_version, key
        if key.path[-1] in CONTRACT_NAMES and len(key.path) == 2:
            columns = node.metadata["dagster/column_schema"].columns
            day = ["date"] if key.path[0] == "warehouse" else []
            assert [column.name for column in columns] == [*day, *CONTRACT.table(key.path[-1]).column_names]
            assert all(column.description for column in columns)


def test_every_column_of_a_mart_leads_down_to_landed_documents(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    """Column by column, each step into an asset that is upstream and has such a column."""

    def below(key: dg.AssetKey, column: str) -> set[tuple[str, str]]:
        metadata = graph.get(key).metadata
        names = {found.name for found in metadata["dagster/column_schema"].columns}
        assert column in names, (key, column)
        lineage = metadata.get("dagster/column_lineage")
        deps = lineage.deps_by_column.get(column, []) if lineage else []
        assert {dep.asset_key for dep in deps} <= graph.get(key).parent_keys, (key, column)
        return {end for dep in deps for end in below(dep.asset_key, dep.column_name)} or {
            (key.to_user_string(), column)
        }

    for mart in MARTS:
        for column in mart.columns:
            below(dg.AssetKey(["marts", mart.name]), column)
    assert below(dg.AssetKey(["marts", "agg_daily_sales"]), "net_amount") == {("order_documents", "detail")}
    assert below(dg.AssetKey(["marts", "fct_orders"]), "discounts") == {("order_documents", "discounts")}
    assert below(dg.AssetKey(["marts", "fct_shipments"]), "hours_to_ship") >= {("order_documents", "fetched_at")}


def test_a_mart_shows_the_way_to_the_api(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    metadata = graph.get(dg.AssetKey(["marts", "agg_daily_sales"])).metadata
    line = next(
        line for line in metadata["lineage_to_source"].value.splitlines() if line.startswith("| `net_amount` |")
    )
    assert "[fct_orders.net_amount](/assets/marts/fct_orders" in line
    assert "`detail: amount`, `detail: refund_amount`" in line
    columns = {column.name: column for column in metadata["dagster/column_schema"].columns}
    assert columns["orders"].type == "BIGINT"
    assert columns["net_amount"].description.startswith("Order amounts without what was refunded, shipping with it")
    assert list(columns) == list(AGG_DAILY_SALES.columns)


def test_what_a_column_says_is_short_enough_to_be_read_in_its_row(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    said = {
        (key.to_user_string(), column.name): re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", column.description)
        for key in graph.get_all_asset_keys()
        for column in getattr(graph.get(key).metadata.get("dagster/column_schema"), "columns", ())
    }
    assert len(said) > 900
    assert {place: text for place, text in said.items() if len(text) > 260 or "`" in text} == {}
    assert said["warehouse/orders", "status"].count(",") < 6
    assert said["marts/money_movements", "kind"].endswith(" more")


def test_assets_are_found_by_layer_shop_and_personal_data_and_lead_to_their_code() -> None:
    graph = build_definitions(SETTINGS, shop="tr").resolve_asset_graph()

    def tags(*path: str) -> dict[str, str]:
        return {name: text for name, text in graph.get(dg.AssetKey(["tr", *path])).tags.items() if "/" not in name}

    assert tags("warehouse", "customers") == {"layer": "warehouse", "shop": "tr", "pii": "yes"}
    assert tags("tables", "channels") == {"layer": "tables", "shop": "tr"}
    assert tags("marts", "fct_orders") == {"layer": "marts", "shop": "tr"}
    assert tags("order_documents")["pii"] == "yes"
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        references = node.metadata["dagster/code_references"].code_references
        assert all(Path(reference.file_path).is_file() and reference.line_number for reference in references), key
        if "marts" in key.path:
            assert references[0].file_path.endswith(f"/marts/{key.path[-1]}.sql")
    # Two assets of one name are told apart by the first words.
    parquet, duckdb = (graph.get(dg.AssetKey(["tr", layer, "orders"])).description for layer in ("tables", "warehouse"))
    assert (parquet[:7], duckdb[:6]) == ("Parquet", "DuckDB")


def test_what_is_kept_up_to_date_by_itself_has_a_freshness_policy(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    with_policy = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy}
    assert with_policy == {"order_index", "order_documents"}


def test_landing_shows_the_columns_that_its_files_have(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    from order_assets.landing.landing_schema import LANDING_SCHEMA

    columns = graph.get(dg.AssetKey("order_documents")).metadata["dagster/column_schema"].columns
    assert [column.name for column in columns] == LANDING_SCHEMA.names
    assert all(column.description for column in columns)


def test_jobs_say_what_they_do_and_run_as_they_stand() -> None:
    definitions = build_definitions(SETTINGS)
    for name in ("sync_index", "refresh_days", "replay_days", "rebuild_warehouse"):
        job = definitions.resolve_job_def(name)
        assert job.description
        dg.validate_run_config(job)
        for op in job.all_node_defs:
            fields = op.config_schema.config_type.fields if hasattr(op.config_schema.config_type, "fields") else {}
            assert all(field.description and not field.is_required for field in fields.values()), (name, op.name)


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


def launchpad_config(definitions: dg.Definitions, job: str) -> str:
    """What the launchpad of the UI fills in for a job."""
    snapshot = definitions.resolve_job_def(job).get_job_snapshot()
    schema = snapshot.config_schema_snapshot
    root = snapshot.mode_def_snaps[0].root_config_key
    assert root
    return default_values_yaml_from_type_snap(schema, schema.get_config_snap(root))


def test_what_the_launchpad_fills_in_runs_as_it_stands(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    # A mask in place of a secret would be taken for the secret: known to everybody, and refused by the shop.
    monkeypatch.setenv("ORDER_ASSETS_PII_KEY", TOKEN)
    filled_in = launchpad_config(build_definitions(), "sync_index")
    assert "env: OMNITRON_PASSWORD" in filled_in
    assert "env: ORDER_ASSETS_PII_KEY" in filled_in
    assert TOKEN not in filled_in
    job = dg.reconstructable(run_jobs.sync_index_job)
    with dg.execute_job(job, instance=project.instance, run_config=load_run_config_yaml(filled_in)) as result:
        assert result.success
    masked = {"resources": {"privacy": {"config": {"key": "********"}}}}
    with pytest.raises(dg.DagsterError) as refused, dg.execute_job(job, instance=project.instance, run_config=masked):
        pass
    assert "remove `resources` from the run's config" in str(refused.value.__cause__)


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
        read_settings({name: text})
    assert name in str(refused.value)


def test_a_preview_shows_no_personal_data_whatever_the_settings(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from order_assets.contract.arrow import arrow_schema
    from order_assets.tables import DayFiles

    table = CONTRACT.table("customers")
    row = {column.name: None for column in table.columns} | {"pk": 1, "email": "ada@example.org", "first_name": "Ada"}
    files = DayFiles(tmp_path, date(2026, 1, 1))
    files.path("customers").parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row], arrow_schema(table)), files.path("customers"))
    shown = preview(files, table)
    assert "| 1 |" in shown
    assert "ada@example.org" not in shown
    assert "Ada" not in shown


def test_each_rule_that_keeps_a_day_out_is_a_check_that_blocks(graph: dg.AssetGraph) -> None:  # type: ignore[name-defined]
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking >= BLOCKING_RULES
