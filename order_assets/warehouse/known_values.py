"""What the contract declares beside known values, as small relations that a SELECT can join.

A statement names them as `{statuses}`, `{cancel_statuses}`, `{transaction_kinds}` and `{payment_types}`; their columns
stand here. A code that is not known has no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from order_assets.contract import Column, Contract
from order_assets.contract.model import CancelStatus, Known, PaymentType, Status, TransactionKind
from order_assets.warehouse.statements import relation

_Kind = TypeVar("_Kind", bound=Known)


def known_relations(contract: Contract) -> dict[str, str]:
    """The relations by placeholder, as SQL of a subquery in brackets."""
    statuses = _of(contract.table("orders").column("status"), Status)
    cancellations = _of(contract.table("orders").column("cancel_status"), CancelStatus)
    kinds = _of(contract.table("transactions").column("transaction_type"), TransactionKind)
    types = _of(contract.table("payment_options").column("payment_type"), PaymentType)
    return {
        "statuses": relation(
            ("status", "status_group", "rank", "is_sale", "leg"),
            [(code, known.group, known.rank, known.sale, known.leg) for code, known in statuses.items()],
        ),
        "cancel_statuses": relation(
            ("status", "is_carried_out"), [(code, known.carried_out) for code, known in cancellations.items()]
        ),
        "transaction_kinds": relation(("kind", "effect"), [(kind, known.effect) for kind, known in kinds.items()]),
        "payment_types": relation(
            ("payment_type", "source"), [(name, known.table) for name, known in types.items() if known.table]
        ),
    }


def _of(column: Column, kind: type[_Kind]) -> Mapping[str, _Kind]:
    return {value: known for value, known in column.values.items() if isinstance(known, kind)}
