"""From landing to typed Parquet: planned from the contract and run inside DuckDB."""

from order_assets.tables.flatten import Flattener, FlattenReport, table_file
from order_assets.tables.verdict import DayVerdict, read_verdict, withdraw_verdict, write_verdict
from order_assets.tables.verify import Finding, verify_day

__all__ = [
    "DayVerdict",
    "Finding",
    "FlattenReport",
    "Flattener",
    "read_verdict",
    "table_file",
    "verify_day",
    "withdraw_verdict",
    "write_verdict",
]
