"""Writes the pages of `docs/` that are made from the project's own contract and marts.

python -m order_assets.export.pages docs/
"""

from __future__ import annotations

import sys
from pathlib import Path

from order_assets.contract import CONTRACT
from order_assets.export.dictionary import render_dictionary
from order_assets.export.erd import render_erd_page
from order_assets.warehouse.marts import MARTS

PAGES = {"data-dictionary.md": render_dictionary, "erd.md": render_erd_page}


def main(folder: Path) -> None:
    """Write the pages into the folder, over what is there."""
    for name, render in PAGES.items():
        (folder / name).write_text(render(CONTRACT, MARTS), encoding="utf-8", newline="\n")
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
