"""What an order is: tables, columns, types, keys, sensitivity and descriptions, and what is derived from them.

Adding a column is one line in one declaration module; the transform, the schemas, the checks, the redaction and the
documentation follow from it. Nothing here reads or writes data, and nothing here imports another room.
"""

from order_assets.contract.model import Column, Contract, ContractError, Document, Kind, Origin, Source, Table, column
from order_assets.contract.tables import items, orders, overflow, parties, payments, places, shipping, status_history

CONTRACT = Contract(
    tables=(
        orders.ORDERS,
        status_history.ORDER_STATUS_HISTORY,
        *items.TABLES,
        *payments.TABLES,
        *shipping.TABLES,
        places.INTEGRATION_MAPPINGS,
        *parties.DIMENSIONS,
        *places.DIMENSIONS,
        *payments.DIMENSIONS,
        *shipping.DIMENSIONS,
        *overflow.TABLES,
    )
)

__all__ = ["CONTRACT", "Column", "Contract", "ContractError", "Document", "Kind", "Origin", "Source", "Table", "column"]
