"""From landing to typed Parquet: planned from the contract and run inside DuckDB."""

from order_assets.tables.checks.cross_table import (
    MissingFields,
    documented_fields_present,
    refunds_within_amount,
    rows_name_their_order,
    values_are_known,
)
from order_assets.tables.checks.declared import verify_day
from order_assets.tables.checks.faulty_orders import AtFault, orders_at_fault
from order_assets.tables.checks.reconciliation import Proof, Sample, nothing_lost, prove_day
from order_assets.tables.checks.verdict import (
    DayVerdict,
    passed_days,
    read_verdict,
    stale_days,
    unflattened_days,
    withdraw_verdict,
    write_verdict,
)
from order_assets.tables.day_diff import keeping_old_files
from order_assets.tables.day_files import DayFiles
from order_assets.tables.flatten import Flattener, FlattenReport, table_file
from order_assets.tables.parent_lookup import landed_amounts, owners

__all__ = [
    "AtFault",
    "DayFiles",
    "DayVerdict",
    "FlattenReport",
    "Flattener",
    "MissingFields",
    "Proof",
    "Sample",
    "documented_fields_present",
    "keeping_old_files",
    "landed_amounts",
    "nothing_lost",
    "orders_at_fault",
    "owners",
    "passed_days",
    "prove_day",
    "read_verdict",
    "refunds_within_amount",
    "rows_name_their_order",
    "stale_days",
    "table_file",
    "unflattened_days",
    "values_are_known",
    "verify_day",
    "withdraw_verdict",
    "write_verdict",
]
