"""The package whose folder the command is started in: its definitions take the place of the project's own.

Dagster's tools find it by `[tool.dg.project]` in `pyproject.toml`; so does the command.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import dagster as dg

from order_assets.contract import CONTRACT, Contract
from order_assets.defs.shop_names import Shop
from order_assets.errors import OrderAssetsError
from order_assets.warehouse.marts import MARTS, Marts

_OURS = "order_assets.definitions"


class OwnPackageError(OrderAssetsError):
    """The package of the folder has no definitions that the command can use; the message says what to write."""


@dataclass(frozen=True)
class OwnPackage:
    """A user's package: the module with its definitions, its name in Dagster, and the shop that they are of."""

    module: str
    location: str
    definitions: dg.Definitions
    shop: Shop


def own_package(folder: Path | None = None) -> OwnPackage | None:
    """The package of the folder, by default the current one; None where it has none but this project's own.

    Raises `OwnPackageError`.
    """
    folder = folder or Path.cwd()
    file = folder / "pyproject.toml"
    if not file.is_file():
        return None
    project = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("dg", {}).get("project", {})
    root = project.get("root_module")
    module = project.get("code_location_target_module") or f"{root}.definitions"
    if not root or module == _OURS:
        return None
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    definitions = getattr(import_module(module), "defs", None)
    if not isinstance(definitions, dg.Definitions):
        raise OwnPackageError(f"{module} of {file} has no definitions: write defs = order_assets.build_definitions()")
    shops = [found for found in (definitions.resources or {}).values() if isinstance(found, Shop)]
    if len(shops) != 1:
        raise OwnPackageError(
            f"{module} has {len(shops)} shops of order_assets, and the command works for one: start it where there is "
            "one, or launch the jobs in the Dagster UI"
        )
    return OwnPackage(module, project.get("code_location_name") or root, definitions, shops[0])


def contract_in_force() -> Contract:
    """The contract of the package whose folder the command is started in, else the project's own."""
    package = own_package()
    return package.shop.contract if package else CONTRACT


def marts_in_force() -> Marts:
    """The marts of that package, else the project's own."""
    package = own_package()
    return package.shop.marts if package else MARTS
