"""The work on single days that needs landing and tables together, in this process or in worker processes.

No Dagster here: a worker has to start quickly. What came of a day is told to Dagster in `defs`.
"""

from order_assets.days.ahead import HelperError, days_ahead
from order_assets.days.make import DayTables, Task

__all__ = ["DayTables", "HelperError", "Task", "days_ahead"]
