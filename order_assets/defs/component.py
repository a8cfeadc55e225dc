"""A shop in a few lines of YAML, for projects that are put together from Dagster's components.

type: order_assets.OmnitronOrders
attributes:
  shop: tr
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from order_assets.defs.build import build_definitions
from order_assets.warehouse.marts import MARTS, load_marts


class OmnitronOrders(dg.Component, dg.Model, dg.Resolvable):
    """The orders of one Omnitron instance: fetched, flattened, and loaded with the marts.

    With several in one project each has a `shop`, which prefixes its asset keys and its variables, such as
    TR_OMNITRON_URL. `marts` names a folder of marts of your own, beside the YAML file.
    """

    shop: str = ""
    marts: str = ""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The shop's definitions."""
        marts = MARTS + load_marts(Path(context.path) / self.marts) if self.marts else MARTS
        return build_definitions(shop=self.shop, marts=marts)
