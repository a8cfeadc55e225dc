"""A user's own package: columns, tables, marts, assets and checks of one's own, and several shops in one instance."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import dagster as dg
import duckdb
import pytest

import order_assets as oa
from order_assets import cli
from order_assets.sandbox import PASSWORD, USERNAME, ShopSettings, running_sandbox
from order_assets.testing.tampering import answer, detail_of
from order_assets_tests.defs.conftest import FIRST_DAY, Project, own_package
from order_assets_tests.defs.test_runs import orders_of

DAY = "2026-03-03"
TWO_SHOPS = """
import sys
import dagster as dg
import order_assets as oa

both = dg.Definitions.merge(oa.build_definitions(shop="tr"), oa.build_definitions(shop="us"))
with dg.DagsterInstance.get() as instance:
    job, day = both.resolve_job_def(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    sys.exit(not job.execute_in_process(instance=instance, partition_key=day).success)
"""
DEFINITIONS = """
import dagster as dg
import order_assets as oa
from pathlib import Path

PARCELS = oa.Document("parcels", "orders_integration/{order_id}/parcels/", optional=True)


class OwnSettings(oa.Settings):
    '''The settings of order_assets and one of our own.'''

    least_balance: float = oa.setting("MY_ORDERS_LEAST_BALANCE", 0.0, "what may be left on the cards of a day")


settings = oa.read_settings(model=OwnSettings)
contract = oa.CONTRACT.with_documents(PARCELS).with_columns(
    "orders", oa.column("loyalty_tier", oa.TEXT, "Tier of the customer's loyalty card", optional=True)
).with_tables(
    oa.Table(
        name="gift_cards",
        description="Gift cards that an order was paid with",
        grain="one row per order and gift card",
        kind=oa.Kind.CHILD,
        key=("order_pk", "position"),
        columns=(
            oa.order_pk(),
            oa.position(),
            oa.column("code", oa.TEXT, "Code printed on the card"),
            oa.column("left_amount", oa.MONEY, "What is left on the card", path="left.amount", optional=True),
        ),
        sources=(oa.Source(oa.Document.DETAIL, "giftcard_set[]"),),
    ),
    oa.Table(
        name="parcels",
        description="Parcels that the orders were sent in",
        grain="one row per parcel",
        kind=oa.Kind.CHILD,
        key=("order_pk", "position"),
        columns=(oa.order_pk(), oa.position(), oa.column("label", oa.TEXT, "What is written on the parcel")),
        sources=(oa.Source(PARCELS, "parcel_set[]"),),
    ),
)
marts = oa.MARTS + oa.load_marts(Path(__file__).parent / "marts")


@dg.asset(
    deps=[oa.mart_key("agg_gift_cards")],
    partitions_def=oa.daily_partitions(),
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def gift_card_liability(context) -> dg.MaterializeResult:
    left = oa.read_table("gift_cards", *context.partition_key_range, contract=contract)["left_amount"]
    return dg.MaterializeResult(metadata={"left": float(left.dropna().sum())})


@dg.asset_check(asset=oa.mart_key("agg_gift_cards"))
def balance_is_left() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True, metadata={"least": settings.least_balance})


defs = oa.build_definitions(
    settings, contract=contract, marts=marts, assets=[gift_card_liability], checks=[balance_is_left]
)
"""
MART = """-- ---
-- description: What is left on gift cards, by day and tier
-- grain: one row per day and tier
-- key: [date, loyalty_tier]
-- refresh: days
-- columns:
--   date: Day that the orders were placed in, in the business time zone
--   loyalty_tier: Tier of the customer's loyalty card
--   card_count: Gift cards
--   left_amount: What is left on them
-- ---
SELECT o.date, o.loyalty_tier, count(*) AS card_count, sum(g.left_amount) AS left_amount
FROM orders.gift_cards AS g
JOIN orders.orders AS o ON o.date = g.date AND o.pk = g.order_pk
JOIN marts.fct_orders AS f ON f.date = o.date AND f.order_pk = o.pk
GROUP BY o.date, o.loyalty_tier
"""


def _with_gift_cards(body: bytes) -> bytes:
    document = json.loads(body)
    document["loyalty_tier"] = "gold"
    document["giftcard_set"] = [{"code": "G-1", "left": {"amount": "5.25"}}, {"code": "G-2"}]
    return json.dumps(document).encode()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("listed")
def test_what_a_users_own_package_declares_reaches_every_layer_also_of_days_that_were_landed_before(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pks = orders_of(project, DAY)
    project.tampered.rules += [detail_of(pk, _with_gift_cards) for pk in pks]
    assert project.refresh(DAY).succeeded
    monkeypatch.setenv("MY_ORDERS_LEAST_BALANCE", "2.5")
    package = own_package(tmp_path / "my_orders", monkeypatch, DEFINITIONS)
    (package / "marts").mkdir()
    (package / "marts" / "agg_gift_cards.sql").write_text(MART, encoding="utf-8")
    project.sandbox.requests.clear()

    assert cli.main(["replay", "--stale"]) == 0

    assert not project.sandbox.requests
    own = import_module("my_orders.definitions")
    rows = oa.read_table("gift_cards", DAY, DAY, data_root=project.data, contract=own.contract)
    assert set(rows["order_pk"]) == set(pks)
    assert list(rows["code"]) == ["G-1", "G-2"] * len(pks)
    assert project.query("SELECT DISTINCT loyalty_tier FROM orders") == [("gold",)]
    sums = project.query("SELECT card_count, left_amount::VARCHAR FROM marts.agg_gift_cards")
    assert sums == [(2 * len(pks), f"{5.25 * len(pks):.2f}")]
    # Of what the project has of its own nothing is lost.
    assert project.query("SELECT count(*) FROM marts.fct_orders") == [(len(pks),)]
    assert project.query("SELECT count(*) FROM unmapped_fields WHERE path LIKE '%gift%' OR path LIKE '%tier%'") == [
        (0,)
    ]
    for key in (oa.table_key("gift_cards"), oa.mart_key("agg_gift_cards"), dg.AssetKey("gift_card_liability")):
        assert project.materialised(key) == {DAY}, key
    check = dg.AssetCheckKey(oa.mart_key("agg_gift_cards"), "balance_is_left")
    known = project.instance.event_log_storage.get_latest_asset_check_execution_by_key([check])
    assert known[check].event.dagster_event.asset_check_evaluation_data.metadata["least"].value == 2.5
    _the_ui_knows_it(own)

    # The orders landed before their parcels were asked for.
    project.tampered.rules.append(answer("/parcels/", 200, '{"parcel_set": [{"label": "one"}, {"label": "two"}]}'))
    assert cli.main(["run", "--from", DAY, "--to", DAY]) == 0
    asked = [record.path for record in project.sandbox.requests if record.path.endswith("/parcels/")]
    assert sorted(int(path.split("/")[-3]) for path in asked) == sorted(pks)
    rows = oa.read_table("parcels", DAY, DAY, data_root=project.data, contract=own.contract)
    assert list(rows["label"]) == ["one", "two"] * len(pks)
    assert project.query("SELECT count(*) FROM parcels") == [(2 * len(pks),)]


def _the_ui_knows_it(own: object) -> None:
    graph = own.defs.resolve_asset_graph()  # type: ignore[attr-defined]
    of_table = graph.get(oa.table_key("gift_cards")).metadata
    assert [column.name for column in of_table["dagster/column_schema"].columns][-2:] == ["code", "left_amount"]
    of_mart = graph.get(oa.mart_key("agg_gift_cards")).metadata
    lineage = of_mart["dagster/column_lineage"].deps_by_column
    assert [(dep.asset_key, dep.column_name) for dep in lineage["left_amount"]] == [
        (oa.warehouse_key("gift_cards"), "left_amount")
    ]
    assert "giftcard_set[].left.amount" in of_mart["lineage_to_source"].md_str


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("SELECT 1 AS n", r"own.sql:1:1: no head: open the file with a comment"),
        ("/* ---\ndescription: x\n--- */\nSELECT 1", r"own.sql:2:1: grain is missing: write `grain: ...`"),
        ("{head}  n:\n--- */\nSELECT 1 AS n", r"own.sql:7:3: column n has no description: write `n: what it means`"),
        ("{head}  n: a: b\n--- */\nSELECT 1 AS n", r"own.sql:7:7: the head is no YAML"),
        ("{head}  n: N\nkind: x\n--- */\nSELECT 1", r"own.sql:8:1: 'kind' says nothing about a mart"),
        ("{head}  n: N\nrules: [sums]\n--- */\nSELECT 1", r"own.sql:8:9: 'sums' is not a rule: write some of amounts"),
        ("{head}  n: N\nreferences:\n  m: orders.pos\n--- */\nSELECT 1", r"own.sql:9:3: m is no column of the mart"),
        ("{head}  n: N\nreferences:\n  n: pos\n--- */\nSELECT 1", r"own.sql:9:3: 'pos' names no table: write `orders"),
    ],
)
def test_a_mart_that_cannot_be_read_is_refused_with_its_line_and_what_to_write(
    tmp_path: Path, head: str, says: str
) -> None:
    known = "/* ---\ndescription: x\ngrain: one row\nkey: [n]\nrefresh: whole\ncolumns:\n"
    (tmp_path / "own.sql").write_text(head.replace("{head}", known), encoding="utf-8")
    with pytest.raises(oa.MartError, match=says):
        oa.load_marts(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("references:\n  n: orders.shops\n--- */\nSELECT 1 AS n", r"own.sql:9:3: .* orders.shops, which is not there"),
        (
            "references:\n  n: orders.pos (id)\n--- */\nSELECT 1 AS n",
            r"own.sql:9:3: mart own refers to id of orders.pos",
        ),
        ("--- */\nSELECT 1 AS n, 2 AS m", r"own.sql:6:1: the SELECT makes m, which columns does not describe"),
        ("--- */\nSELECT n FROM orders.nothing", r"own.sql: the SELECT cannot be made: .*nothing does not exist"),
    ],
)
def test_a_mart_that_does_not_fit_the_contract_is_refused_when_the_definitions_are_built(
    project: Project, tmp_path: Path, text: str, says: str
) -> None:
    known = "/* ---\ndescription: x\ngrain: one row\nkey: [n]\nrefresh: whole\ncolumns:\n  n: N\n"
    (tmp_path / "marts").mkdir()
    (tmp_path / "marts" / "own.sql").write_text(known + text, encoding="utf-8")
    with pytest.raises(oa.MartError, match=says):
        oa.build_definitions(marts=oa.MARTS + oa.load_marts(tmp_path / "marts"))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_shops_live_in_one_instance_and_materialise_at_the_same_time(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = {"tr": "Europe/Istanbul", "us": "America/New_York"}
    other = ShopSettings(orders_per_day=4, seed=11, start=FIRST_DAY, now=datetime(2026, 3, 8, 12, tzinfo=UTC))
    with running_sandbox(other) as second:
        for shop, url in (("tr", project.sandbox.url), ("us", second.url)):
            monkeypatch.setenv(f"{shop.upper()}_OMNITRON_URL", url)
            monkeypatch.setenv(f"{shop.upper()}_OMNITRON_USERNAME", USERNAME)
            monkeypatch.setenv(f"{shop.upper()}_OMNITRON_PASSWORD", PASSWORD)
            monkeypatch.setenv(f"{shop.upper()}_ORDER_ASSETS_TIMEZONE", zones[shop])
        both = dg.Definitions.merge(*(oa.build_definitions(shop=shop) for shop in zones))
        # A run has a process of its own, as with every launcher of Dagster.
        program = tmp_path / "two_shops.py"
        program.write_text(TWO_SHOPS, encoding="utf-8")
        for job in (["sync_index"], ["refresh_days", DAY]):
            runs = [subprocess.Popen([sys.executable, program, f"{shop}_{job[0]}", *job[1:]]) for shop in zones]
            try:
                assert [run.wait(timeout=200) for run in runs] == [0, 0]
            finally:
                for run in runs:
                    run.kill()

    for shop, sandbox in (("tr", project.sandbox), ("us", second)):
        assert project.materialised(oa.mart_key("fct_orders", shop)) == {DAY}
        with duckdb.connect(str(project.data / shop / "warehouse.duckdb"), read_only=True) as connection:
            found = {pk for (pk,) in connection.execute("SELECT pk FROM orders").fetchall()}
        assert found
        assert found <= {order["pk"] for order in sandbox.shop.flat_orders()}
    pools = {pool for asset in both.resolve_asset_graph().asset_nodes for pool in asset.pools or ()}
    assert pools == {f"{shop}_{pool}" for shop in zones for pool in ("omnitron_api", "warehouse_writer")}
