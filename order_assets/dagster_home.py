"""Where Dagster keeps its history and its settings: with the data that they are of.

`python -m order_assets.dagster_home` makes the folder ready and prints it, as DAGSTER_HOME for Dagster's own commands.
The settings are those of `dagster.yaml` at the top of the project, which travels in the package.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from order_assets.core.store import private_directory, whole_file
from order_assets.settings import SettingsError, read_settings

_LOG = logging.getLogger(__name__)
_SETTINGS = "dagster.yaml"
_MARK = "# Written by order-assets, and renewed by it while nobody changes it: "
# What Dagster makes in its home. The history comes last: while it is in its old place, the move is not done.
_FOLDERS = ("storage", "schedules", "logs", ".logs_queue", ".telemetry", ".nux", "history")


def make_ready(data_root: Path, environment: Mapping[str, str] | None = None) -> Path:
    """The folder that DAGSTER_HOME names, else the one of this data root, with the settings of the instance in it.

    What an earlier version kept elsewhere for this data root is moved there, once. Raises `SettingsError` for a folder
    that cannot be made.
    """
    named = (os.environ if environment is None else environment).get("DAGSTER_HOME", "").strip()
    home = Path(named).expanduser().absolute() if named else data_root / "dagster"
    try:
        if not named:
            _move_here(home, data_root)
        private_directory(home)
        _place_settings(home, keep=bool(named))
    except OSError as error:
        variable = "DAGSTER_HOME" if named else "ORDER_ASSETS_DATA"
        raise SettingsError(
            f"{variable}: Dagster's history cannot be kept in {home}: {error.strerror or error}; name a folder that "
            "can be written to"
        ) from None
    return home


def _place_settings(home: Path, *, keep: bool) -> None:
    """Write the settings where there are none, and over those that were written here and never changed."""
    path = home / _SETTINGS
    text = _packaged_settings()
    text = f"{_MARK}{_digest(text)}\n{text}"
    if path.exists() or (home / "dagster.yml").exists():
        if keep or not path.exists():
            return
        before = path.read_text(encoding="utf-8")
        first, _, rest = before.partition("\n")
        if before == text or first != f"{_MARK}{_digest(rest)}":
            return
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


def _packaged_settings() -> str:
    # A link to the file at the top, which is a file of its own once it is packaged.
    return (resources.files(__package__) / _SETTINGS).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _move_here(home: Path, data_root: Path) -> None:
    """Move the history from where earlier versions kept it: in the project's folder, or hidden in the data root."""
    project, hidden = data_root.parent, data_root / ".dagster"
    if data_root.name == "data" and (project / _SETTINGS).is_file() and (project / "history").is_dir():
        before = project
    elif hidden.is_dir():
        before = hidden
    else:
        return
    if (home / "history").exists():
        return
    if before == hidden and not home.exists():
        hidden.rename(home)
    else:
        private_directory(home)
        for name in _FOLDERS:
            if (before / name).exists() and not (home / name).exists():
                shutil.move(before / name, home / name)
    _LOG.warning("Dagster's history was moved, once, from %s to %s: it lies with its data now", before, home)


def main() -> int:
    """Make the folder ready and print it; gives the exit code."""
    try:
        print(make_ready(read_settings().data_root))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
