"""The entry point that Dagster loads. What is defined stands in `order_assets.defs`."""

import logging

from order_assets.defs import build_definitions
from order_assets.settings import read_settings

for note in read_settings().notes:
    logging.getLogger("order_assets").warning(note)

defs = build_definitions()
