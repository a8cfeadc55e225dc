"""The entry point that Dagster loads. What is defined stands in `order_assets.defs`."""

from order_assets.defs import build_definitions

defs = build_definitions()
