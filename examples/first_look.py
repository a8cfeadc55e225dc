"""A first look at the data, cell by cell: open it in an editor that knows `# %%`, or run it as a script.

    make demo
    .venv/bin/python examples/first_look.py

It reads the data root of ORDER_ASSETS_DATA, else `data`, and asks nobody for anything.
"""

# %% Tables as data frames: typed, by day, without a running anything.
import os
from pathlib import Path

import duckdb

from order_assets import read_table

root = Path(os.environ.get("ORDER_ASSETS_DATA", "data"))
orders = read_table("orders", columns=["pk", "number", "status_display", "amount", "currency", "date_placed"])
print(f"{len(orders)} orders of {orders['date'].nunique()} days")
print(orders.head())

# %% Amounts are decimals: sums are exact. Currencies are never added together.
print(orders.groupby("currency")["amount"].agg(["count", "sum"]))

# %% The nested sets are tables of their own that name their order.
transactions = read_table("transactions", columns=["order_pk", "transaction_type", "is_succeeded", "amount"])
attempts = transactions.merge(orders[["pk", "number"]], left_on="order_pk", right_on="pk")
print(attempts.groupby(["transaction_type", "is_succeeded"])["amount"].agg(["count", "sum"]))

# %% The warehouse has all days in one file, and marts in which every order counts once.
with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as warehouse:
    print(
        warehouse.sql("""
            SELECT order_date, currency, sum(sale_count) AS sales, sum(net_sales) AS net_sales
            FROM marts.agg_daily_sales
            WHERE is_sale
            GROUP BY ALL ORDER BY currency, order_date
        """).df()
    )

    # %% Which gateway lets how many payments through.
    print(
        warehouse.sql("""
            SELECT pos_name, count(*) AS attempts, avg(succeeded::INTEGER) AS share
            FROM marts.fct_payments
            WHERE payment_kind = 'credit_card'
            GROUP BY ALL ORDER BY attempts DESC
        """).df()
    )
