"""The marts: one `.sql` file each, whose head says in YAML what it is. A user's own: `MARTS + load_marts(folder)`.

Here are the files, what a mart is (`mart`, `mart_head`), filling them (`mart_refresh`), where their columns come from
(`mart_lineage`) and the rules that they are held to (`mart_rules`, `mart_checks`).
"""

from pathlib import Path

from order_assets.warehouse.marts.mart import Mart, MartError, Marts, Reference, Refresh
from order_assets.warehouse.marts.mart_head import load_marts

MARTS = load_marts(Path(__file__).parent)

__all__ = ["MARTS", "Mart", "MartError", "Marts", "Reference", "Refresh", "load_marts"]
