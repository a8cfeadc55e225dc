"""Declares payment: transactions of every kind, and the options, cards, banks and terminals behind them.

Five of the transaction sets are documented by name only. Their rows are kept whole as JSON beside the columns that
sister objects make likely.
"""

from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    JSON,
    MONEY,
    TEXT,
    Collected,
    Document,
    Effect,
    Kind,
    Origin,
    PaymentType,
    Personal,
    Provenance,
    Secret,
    Source,
    Table,
    TransactionKind,
    column,
    created_date,
    decimal,
    modified_date,
    order_pk,
    pk,
    position,
)

_SEEN = Provenance.SEEN
_OPENAPI = Provenance.OPENAPI
_ASSUMED = Provenance.ASSUMED

# The first two are documented; the others are assumed, named after the transaction sets that they fill or after who
# settles the payment.
PAYMENT_TYPES = {
    "credit_card": PaymentType(table="transactions"),
    "pay_on_delivery": PaymentType(table="pay_on_delivery_transactions", collected=Collected.DELIVERY),
    "funds_transfer": PaymentType(table="funds_transfer_transactions", collected=Collected.APPROVAL),
    "loyalty_money": PaymentType(table="loyalty_transactions"),
    "bex": PaymentType(table="bex_transactions"),
    "cash_register": PaymentType(table="cash_register_transactions"),
    "marketplace": PaymentType(),
}
# Kinds that are not here count as no money and are reported; upper and lower case are the same.
TRANSACTION_TYPES = {
    "pre_purchase": TransactionKind(effect=Effect.RESERVE),
    "purchase": TransactionKind(effect=Effect.TAKE),
    "refund": TransactionKind(effect=Effect.GIVE_BACK),
}

TRANSACTIONS = Table(
    name="transactions",
    description="Card transactions with payment gateways: purchases, authorisations, refunds, also failed ones",
    grain="one row per card transaction",
    kind=Kind.CHILD,
    key=("pk",),
    sources=(Source(Document.DETAIL, "transaction_set[]"),),
    columns=(
        order_pk(),
        position(),
        pk("transaction"),
        column("transaction_type", TEXT, "Kind of transaction", values=TRANSACTION_TYPES),
        column("transaction_id", TEXT, "Identifier at the gateway"),
        column("auth_code", TEXT, "Authorisation code of the gateway"),
        column("is_succeeded", BOOLEAN, "Whether the gateway accepted it"),
        column("amount", MONEY, "Amount withdrawn or refunded"),
        column("currency", TEXT, "Currency; empty means the order's", provenance=_SEEN),
        column("pos_pk", BIGINT, "Terminal used (pos.pk)", path="pos.pk"),
        column(
            "main_pos_pk",
            BIGINT,
            "Main terminal, where another was used on its behalf (pos.pk)",
            path="main_pos.pk",
        ),
        column("pos_slug", TEXT, "Slug of the terminal when the transaction was made"),
        column("user_email", TEXT, "E-mail of the customer", personal=Personal.EMAIL),
        column("remote_addr", TEXT, "IP address of the customer", personal=Personal.NETWORK),
        column("raw_request", TEXT, "Request to the gateway, harmless elements only", gateway_text=True),
        column("raw_response", TEXT, "Answer of the gateway, harmless elements only", gateway_text=True),
        modified_date("transaction"),
        created_date("transaction"),
    ),
)

ORDER_TRANSACTIONS = Table(
    name="order_transactions",
    description="Payments of an order across all payment kinds, each pointing to a row of a transaction table",
    grain="one row per order transaction",
    kind=Kind.CHILD,
    key=("pk",),
    sources=(Source(Document.DETAIL, "ordertransaction_set[]"),),
    columns=(
        order_pk(),
        position(),
        column("pk", BIGINT, "Primary key of the order transaction", required=True, provenance=_OPENAPI),
        column("uuid", TEXT, "Universal identifier", provenance=_OPENAPI),
        column("amount", MONEY, "Amount", provenance=_OPENAPI),
        column("transaction_type", TEXT, "Which kind of transaction it points to", provenance=_OPENAPI),
        column("transaction_object_id", BIGINT, "Key of the transaction it points to", provenance=_OPENAPI),
        modified_date("order transaction"),
        created_date("order transaction"),
    ),
)


def _undocumented(name: str, key: str, what: str) -> Table:
    return Table(
        name=name,
        description=f"{what}; the fields are not documented, so each row is also kept whole",
        grain=f"one row per {name.removesuffix('s').replace('_', ' ')}",
        kind=Kind.CHILD,
        key=("order_pk", "position"),
        sources=(Source(Document.DETAIL, f"{key}[]"),),
        undocumented=True,
        columns=(
            order_pk(),
            position(),
            column("pk", BIGINT, "Primary key", provenance=_ASSUMED),
            column("amount", MONEY, "Amount", provenance=_ASSUMED),
            modified_date("row"),
            created_date("row"),
            column(
                "raw",
                JSON,
                "The whole row",
                provenance=Provenance.DERIVED,
                required=True,
                origin=Origin.WHOLE,
            ),
        ),
    )


UNDOCUMENTED = (
    _undocumented("funds_transfer_transactions", "fundstransfertransaction_set", "Payments by bank transfer"),
    _undocumented("pay_on_delivery_transactions", "payondeliverytransaction_set", "Payments on delivery"),
    _undocumented("loyalty_transactions", "loyaltytransaction_set", "Payments with loyalty money"),
    _undocumented("bex_transactions", "bextransaction_set", "Payments through BKM Express"),
    _undocumented("cash_register_transactions", "cashregistertransaction_set", "Payments at a cash register"),
)

PAYMENT_OPTIONS = Table(
    name="payment_options",
    description="Ways to pay that a channel offers",
    grain="one row per payment option and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(Source(Document.DETAIL, "payment_option"),),
    secrets=(Secret("config", "settings of the payment provider, credentials among them"),),
    columns=(
        column("pk", BIGINT, "Primary key of the payment option", required=True, provenance=_SEEN),
        column("name", TEXT, "Name", provenance=_SEEN),
        column("slug", TEXT, "Slug", provenance=_SEEN),
        column(
            "payment_type",
            TEXT,
            "Kind of payment",
            provenance=_SEEN,
            values=PAYMENT_TYPES,
        ),
        column("sort_order", BIGINT, "Place in the list of options", provenance=_SEEN),
        column("is_active", BOOLEAN, "Whether it is offered", provenance=_SEEN),
        column("translations", JSON, "Names by language", provenance=_SEEN),
        column("channel_pk", BIGINT, "Sales channel (channels.pk)", path="channel", provenance=_SEEN),
        modified_date("payment option"),
        created_date("payment option"),
    ),
)

INSTALLMENTS = Table(
    name="installments",
    description="Instalment plans of cards",
    grain="one row per instalment plan and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(Source(Document.DETAIL, "installment"),),
    secrets=(Secret("config", "settings of the payment provider, credentials among them"),),
    columns=(
        pk("instalment plan"),
        column("card_pk", BIGINT, "Card programme (cards.pk)", path="card.pk"),
        column("installment_count", BIGINT, "Number of instalments"),
        column("label", TEXT, "Label shown to the customer"),
        column("interest_rate", decimal(18, 6), "Interest rate"),
        column("is_active", BOOLEAN, "Whether the plan is offered", provenance=_SEEN),
        column("translations", JSON, "Labels by language", provenance=_SEEN),
    ),
)

CARDS = Table(
    name="cards",
    description="Card programmes of banks",
    grain="one row per card programme and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(Source(Document.DETAIL, "installment.card"),),
    columns=(
        column("pk", BIGINT, "Primary key of the card programme", required=True, provenance=_SEEN),
        column("name", TEXT, "Name", provenance=_SEEN),
        column("slug", TEXT, "Slug", provenance=_SEEN),
        column("bank_pk", BIGINT, "Bank (banks.pk)", path="bank.pk", provenance=_SEEN),
        column("card_type_pk", BIGINT, "Card type (card_types.pk)", path="card_type.pk", provenance=_SEEN),
        column("card_payment_type", TEXT, "Kind of card", provenance=_SEEN, values=("credit",)),
        column(
            "cash_payment_pos_pk",
            BIGINT,
            "Terminal for single payments (pos.pk)",
            path="cash_payment",
            provenance=_SEEN,
        ),
        column(
            "installment_payment_pos_pk",
            BIGINT,
            "Terminal for instalments (pos.pk)",
            path="installment_payment",
            provenance=_SEEN,
        ),
        column(
            "three_d_payment_pos_pk",
            BIGINT,
            "Terminal for 3-D Secure payments (pos.pk)",
            path="three_d_payment",
            provenance=_SEEN,
        ),
        column("is_commerce_card", BOOLEAN, "Whether it is a company card", provenance=_SEEN),
        column("channel_pk", BIGINT, "Sales channel (channels.pk)", path="channel", provenance=_SEEN),
        modified_date("card programme"),
        created_date("card programme"),
    ),
)


def _named_with_logo(name: str, path: str, what: str) -> Table:
    return Table(
        name=name,
        description=f"{what[0].upper()}{what[1:]}s that cards belong to",
        grain=f"one row per {what} and day",
        kind=Kind.DIMENSION,
        key=("pk",),
        sources=(Source(Document.DETAIL, path),),
        columns=(
            column("pk", BIGINT, f"Primary key of the {what}", required=True, provenance=_SEEN),
            column("name", TEXT, "Name", provenance=_SEEN),
            column("slug", TEXT, "Slug", provenance=_SEEN),
            column("logo", TEXT, "Address of the logo", provenance=_SEEN),
            column("channel_pk", BIGINT, "Sales channel (channels.pk)", path="channel", provenance=_SEEN),
            modified_date(what),
            created_date(what),
        ),
    )


BANKS = _named_with_logo("banks", "installment.card.bank", "bank")
CARD_TYPES = _named_with_logo("card_types", "installment.card.card_type", "card type")

POS = Table(
    name="pos",
    description="Virtual terminals at payment gateways",
    grain="one row per terminal and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(
        Source(Document.DETAIL, "transaction_set[].pos"),
        Source(Document.DETAIL, "transaction_set[].main_pos"),
    ),
    secrets=(Secret("config", "credentials of the payment gateway"),),
    columns=(
        column("pk", BIGINT, "Primary key of the terminal", required=True, provenance=_SEEN),
        column("name", TEXT, "Name", provenance=_SEEN),
        column("slug", TEXT, "Slug", provenance=_SEEN),
        column("gateway", TEXT, "Implementation behind the terminal", provenance=_SEEN),
        column("gateway_display", TEXT, "Name of the gateway", provenance=_SEEN),
        column("resource_url", TEXT, "Address of the gateway", provenance=_SEEN),
        column("three_d_resource_url", TEXT, "Address of the gateway for 3-D Secure", provenance=_SEEN),
        column("channel_pk", BIGINT, "Sales channel (channels.pk)", path="channel", provenance=_SEEN),
        modified_date("terminal"),
        created_date("terminal"),
    ),
)

TABLES = (TRANSACTIONS, ORDER_TRANSACTIONS, *UNDOCUMENTED)
DIMENSIONS = (PAYMENT_OPTIONS, INSTALLMENTS, CARDS, BANKS, CARD_TYPES, POS)
