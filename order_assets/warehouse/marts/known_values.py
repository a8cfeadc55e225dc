"""What the contract declares beside known values, as small relations that a SELECT can join, and the business zone.

A SELECT names them as `{statuses}`, `{cancel_statuses}`, `{transaction_kinds}` and `{payment_types}`; their columns
are said here. A code that is not known has no row. `{orders}` is `orders.orders` with what the status of each order
says, in `status_group` and `is_sale`. `{business_zone}` is the name of the business time zone as a text:
`o.date_placed AT TIME ZONE {business_zone}` is the local time. `{prices_include_tax}` is true, false or NULL where
nobody said it, `{quantity_attribute}` the key of an item's attributes that has its quantity, `{quantity_path}` the path
to it. Other braces in a SELECT are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from order_assets.contract import Contract
from order_assets.contract.model import CancelStatus, Known, PaymentType, Status, TransactionKind
from order_assets.warehouse.meta import NOTHING_SAID, WarehouseSettings
from order_assets.warehouse.statements import as_sql, relation, statement, text

_Kind = TypeVar("_Kind", bound=Known)


def filled_in(sql: str, contract: Contract, settings: WarehouseSettings = NOTHING_SAID) -> str:
    """The SQL with the relations that it names, as subqueries in brackets, and with the settings that it names."""
    values = {
        "business_zone": text(settings.time_zone),
        "prices_include_tax": f"{as_sql(settings.prices_include_tax)}::BOOLEAN",
        "quantity_attribute": text(settings.quantity_attribute),
        "quantity_path": text(f'$."{settings.quantity_attribute}"'),
    }
    filled = _NAMED.sub(lambda named: _RELATIONS[named[1]](contract), sql)
    return _SETTING.sub(lambda named: values[named[1]], filled)


def _statuses(contract: Contract) -> str:
    rows = [
        (code, known.meaning, known.group, known.rank, known.sale, known.open, known.final, known.leg)
        for code, known in _of(contract, "orders", "status", Status).items()
    ]
    return relation(("status", "name", "status_group", "rank", "is_sale", "is_open", "is_final", "leg"), rows)


def _orders(contract: Contract) -> str:
    return f"(\n{filled_in(statement('orders_with_status'), contract)})"


def _cancel_statuses(contract: Contract) -> str:
    known = _of(contract, "orders", "cancel_status", CancelStatus)
    rows = [(code, status.carried_out, status.settled) for code, status in known.items()]
    return relation(("status", "is_carried_out", "is_settled"), rows)


def _transaction_kinds(contract: Contract) -> str:
    known = _of(contract, "transactions", "transaction_type", TransactionKind)
    return relation(("kind", "effect"), [(name, kind.effect) for name, kind in known.items()])


def _payment_types(contract: Contract) -> str:
    known = _of(contract, "payment_options", "payment_type", PaymentType)
    rows = [(name, type_.table, type_.collected) for name, type_ in known.items() if type_.table]
    return relation(("payment_type", "source", "collected"), rows)


_RELATIONS: Mapping[str, Callable[[Contract], str]] = {
    "statuses": _statuses,
    "orders": _orders,
    "cancel_statuses": _cancel_statuses,
    "transaction_kinds": _transaction_kinds,
    "payment_types": _payment_types,
}
_NAMED = re.compile(r"\{(" + "|".join(_RELATIONS) + r")\}")
_SETTING = re.compile(r"\{(business_zone|prices_include_tax|quantity_attribute|quantity_path)\}")


def _of(contract: Contract, table: str, column: str, kind: type[_Kind]) -> Mapping[str, _Kind]:
    values = contract.table(table).column(column).values
    return {value: known for value, known in values.items() if isinstance(known, kind)}
