"""The command `order-assets`: `main` has its commands and arguments, `output` what they print."""

from order_assets.cli.main import main

__all__ = ["main"]
