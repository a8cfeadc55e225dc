"""Everything that Dagster sees: assets, checks, resources, partitions, and the words around them.

The work itself is done in the other rooms; a module here asks for it and reports what came of it.
"""

from order_assets.defs.build import build_definitions

__all__ = ["build_definitions"]
