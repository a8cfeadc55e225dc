"""The rules that the contract implies for every table, by name. They are looked at in `tables.checks.declared`."""

from __future__ import annotations

from order_assets.contract.model import Kind, Table

SCHEMA_RULE = "columns_as_declared"
KEY_RULE = "key_unique"
REQUIRED_RULE = "required_values_present"
SET_RULE = "rows_equal_set_sizes"

# The rules over several tables that keep a day out of the warehouse.
BLOCKING_RULES = frozenset({"nothing_lost_in_sample", "transactions_belong_to_their_order"})


def rules_of(table: Table) -> dict[str, str]:
    """The rules that hold for a table, with what each says."""
    rules = {
        SCHEMA_RULE: "Columns have the names, order and types that the contract declares",
        KEY_RULE: f"No two rows have the same {', '.join(table.key)}",
    }
    if any(not column.nullable for column in table.columns):
        rules[REQUIRED_RULE] = "Required values are there"
    if table.kind is Kind.CHILD:
        rules[SET_RULE] = "Rows equal the sum of the sizes of the sets in the documents"
    if table.kind is Kind.ORDER:
        rules[SET_RULE] = "One row per landed order"
    return rules
