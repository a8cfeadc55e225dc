"""A package of one's own: written by the command, and a shop as a component in YAML."""

import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

import order_assets as oa
from order_assets import cli
from order_assets.cli.new_package import NewPackageError, write_package


def test_a_new_package_has_definitions_with_its_own_mart(tmp_path: Path) -> None:
    write_package(tmp_path, "my_orders")
    script = (
        "from my_orders.definitions import defs; import order_assets as oa;"
        "print(defs.resolve_asset_graph().get(oa.mart_key('agg_orders_by_channel')).description)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "my_orders", capture_output=True, text=True, timeout=100
    )
    assert found.returncode == 0, found.stderr
    assert "Orders and their amounts by day, channel and currency" in found.stdout


def test_a_folder_that_is_there_and_a_name_that_is_none_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(NewPackageError, match="exists already"):
        write_package(tmp_path, "taken")
    for name in ("My-Orders", "class", "order_assets", "../up"):
        with pytest.raises(NewPackageError, match="cannot name a package"):
            write_package(tmp_path, name)
    assert [path.name for path in tmp_path.rglob("*")] == ["taken"]
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "taken"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_shop_is_declared_as_a_component_in_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDER_ASSETS_DATA", str(tmp_path / "data"))
    package = tmp_path / "two_shops"
    for shop in ("tr", "de"):
        folder = package / "defs" / shop
        folder.mkdir(parents=True)
        (folder / "defs.yaml").write_text(
            f"type: order_assets.OmnitronOrders\nattributes:\n  shop: {shop}\n", encoding="utf-8"
        )
    (package / "defs" / "tr" / "marts").mkdir()
    mart = Path(oa.__file__).parent / "cli" / "template" / "marts" / "agg_orders_by_channel.sql.txt"
    shutil.copy(mart, package / "defs" / "tr" / "marts" / "agg_orders_by_channel.sql")
    with (package / "defs" / "tr" / "defs.yaml").open("a", encoding="utf-8") as file:
        file.write("  marts: marts\n")
    for folder in (package, package / "defs"):
        (folder / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "two_shops"\n', encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    defs = dg.load_from_defs_folder(path_within_project=package / "defs")
    keys = defs.resolve_asset_graph().get_all_asset_keys()
    assert {oa.order_index_key("tr"), oa.order_index_key("de")} <= keys
    assert oa.order_index_key() not in keys
    assert oa.mart_key("agg_orders_by_channel", "tr") in keys
    assert oa.mart_key("agg_orders_by_channel", "de") not in keys
