"""From landing to typed Parquet: planned from the contract and run inside DuckDB."""

from order_assets.tables.compare import keeping_old_files
from order_assets.tables.flatten import Flattener, FlattenReport, table_file
from order_assets.tables.verdict import DayVerdict, passed_days, read_verdict, withdraw_verdict, write_verdict
from order_assets.tables.verify import Finding, verify_day

__all__ = [
    "DayVerdict",
    "Finding",
    "FlattenReport",
    "Flattener",
    "keeping_old_files",
    "passed_days",
    "read_verdict",
    "table_file",
    "verify_day",
    "withdraw_verdict",
    "write_verdict",
]
