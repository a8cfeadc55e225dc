"""For tests of one's own: the stand-in shop with the whole way of the data, days that need no shop, faults and kills.

The tests, the benchmarks and the faults of this project stand on it too, and on nothing of each other. Nothing here is
used by a run. Not here: the stand-in itself (`sandbox`), and what only one test needs.
"""

from order_assets.testing.landed_days import land_day
from order_assets.testing.tampering import Tampered, tampered_sandbox
from order_assets.testing.trial import Pipeline, warehouse_state

__all__ = ["Pipeline", "Tampered", "land_day", "tampered_sandbox", "warehouse_state"]
