"""The work on single days that needs landing and tables together, in this process or in worker processes.

No Dagster here: a worker has to start quickly. What came of a day is told to Dagster in `defs`.
"""

from order_assets.pipeline.build_day import DayJob, DayTables
from order_assets.pipeline.day_workers import DayWorkerError, build_days

__all__ = ["DayJob", "DayTables", "DayWorkerError", "build_days"]
