from __future__ import annotations

import importlib
import pkgutil

import order_assets
from order_assets import errors
from order_assets.errors import OrderAssetsError


def tree_as_drawn() -> dict[str, str | None]:
    """Each class of the docstring's tree with the one that it stands below."""
    above: list[tuple[int, str]] = []
    found: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        indent = len(line) - len(line.lstrip())
        if indent < 4:
            continue
        name = line.split()[0]
        while above and above[-1][0] >= indent:
            above.pop()
        found[name] = above[-1][1] if above else None
        above.append((indent, name))
    return found


def public(error: type[OrderAssetsError]) -> list[type[OrderAssetsError]]:
    """The public classes below one, private ones looked through."""
    return [*(below for below in error.__subclasses__() if not below.__name__.startswith("_"))]


def tree_as_declared(error: type[OrderAssetsError]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for below in public(error):
        found |= {below.__name__: error.__name__, **tree_as_declared(below)}
    return found


def test_the_tree_of_errors_that_a_user_reads_is_the_one_that_is_raised() -> None:
    for module in pkgutil.walk_packages(order_assets.__path__, "order_assets."):
        if not module.name.endswith(("__main__", ".definitions")):
            importlib.import_module(module.name)
    assert tree_as_drawn() == {"OrderAssetsError": None, **tree_as_declared(OrderAssetsError)}


def test_an_error_of_any_room_is_caught_by_the_one_name() -> None:
    from order_assets.landing import DataRootError
    from order_assets.omnitron import OmnitronUnavailableError

    assert issubclass(DataRootError, OrderAssetsError)
    assert OmnitronUnavailableError("later").kind == "transient"
    assert DataRootError("never").kind == "permanent"
