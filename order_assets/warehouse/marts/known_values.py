"""What the contract declares beside known values, as small relations that a SELECT can join, and the business zone.

A SELECT names them as `{statuses}`, `{cancel_statuses}`, `{transaction_kinds}` and `{payment_types}`; their columns
are said here. A code that is not known has no row. `{business_zone}` is the name of the business time zone as a text:
`o.date_placed AT TIME ZONE {business_zone}` is the local time. Other braces in a SELECT are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from order_assets.contract import Contract
from order_assets.contract.model import CancelStatus, Known, PaymentType, Status, TransactionKind
from order_assets.warehouse.statements import relation, text

_Kind = TypeVar("_Kind", bound=Known)


def filled_in(sql: str, contract: Contract, time_zone: str = "UTC") -> str:
    """The SQL with the relations that it names, as subqueries in brackets, and the business time zone."""
    sql = sql.replace("{business_zone}", text(time_zone))
    return _NAMED.sub(lambda named: _RELATIONS[named[1]](contract), sql)


def _statuses(contract: Contract) -> str:
    known = _of(contract, "orders", "status", Status)
    rows = [(code, status.group, status.rank, status.sale, status.leg) for code, status in known.items()]
    return relation(("status", "status_group", "rank", "is_sale", "leg"), rows)


def _cancel_statuses(contract: Contract) -> str:
    known = _of(contract, "orders", "cancel_status", CancelStatus)
    return relation(("status", "is_carried_out"), [(code, status.carried_out) for code, status in known.items()])


def _transaction_kinds(contract: Contract) -> str:
    known = _of(contract, "transactions", "transaction_type", TransactionKind)
    return relation(("kind", "effect"), [(name, kind.effect) for name, kind in known.items()])


def _payment_types(contract: Contract) -> str:
    known = _of(contract, "payment_options", "payment_type", PaymentType)
    return relation(("payment_type", "source"), [(name, type_.table) for name, type_ in known.items() if type_.table])


_RELATIONS: Mapping[str, Callable[[Contract], str]] = {
    "statuses": _statuses,
    "cancel_statuses": _cancel_statuses,
    "transaction_kinds": _transaction_kinds,
    "payment_types": _payment_types,
}
_NAMED = re.compile(r"\{(" + "|".join(_RELATIONS) + r")\}")


def _of(contract: Contract, table: str, column: str, kind: type[_Kind]) -> Mapping[str, _Kind]:
    values = contract.table(table).column(column).values
    return {value: known for value, known in values.items() if isinstance(known, kind)}
