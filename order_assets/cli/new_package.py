"""Writes a user's own package: definitions, a mart, and what Dagster's tools need to find them.

The files are in `template/`; `$name` stands for the package's name.
"""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

from order_assets.errors import OrderAssetsError

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Where each template goes, below the folder of the package.
_FILES = {
    "README.md.txt": "README.md",
    "pyproject.toml.txt": "pyproject.toml",
    "workspace.yaml.txt": "workspace.yaml",
    "gitignore.txt": ".gitignore",
    "definitions.py.txt": "$name/definitions.py",
    "marts/agg_orders_by_channel.sql.txt": "$name/marts/agg_orders_by_channel.sql",
}


class NewPackageError(OrderAssetsError):
    """The package cannot be written; the message says why."""


def write_package(parent: Path, name: str) -> list[Path]:
    """The files of a new package `name`, written to a folder of that name below `parent`.

    Raises `NewPackageError` for a name that Python cannot import and for a folder that is there already.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name == "order_assets":
        raise NewPackageError(f"{name!r} cannot name a package: take small letters, digits and _, such as my_orders")
    folder = parent / name
    if folder.exists():
        raise NewPackageError(f"{folder} exists already: take another name, or another folder to start in")
    templates = resources.files("order_assets.cli") / "template"
    written = [folder / name / "__init__.py"]
    texts = {written[0]: f'"""Omnitron orders as {name} has them."""\n'}
    for source, target in _FILES.items():
        path = folder / Template(target).substitute(name=name)
        texts[path] = Template((templates / source).read_text(encoding="utf-8")).safe_substitute(name=name)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)
