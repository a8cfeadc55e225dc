"""What is declared of an order fits together, and contradictions are found when it is put together."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from order_assets.contract import CONTRACT, Contract, ContractError, Document, Kind
from order_assets.contract.arrow import arrow_schema
from order_assets.contract.model import (
    BIGINT,
    MONEY,
    TEXT,
    Personal,
    Provenance,
    Source,
    Table,
    column,
    order_pk,
    pk,
    position,
)
from order_assets.contract.shape import (
    Leaf,
    Record,
    SetOf,
    contract_version,
    document_shape,
    history_shape,
    is_promised,
    removed_paths,
    steps,
)


def with_table(table: Table) -> Contract:
    return replace(CONTRACT, tables=(*(t for t in CONTRACT if t.name != table.name), table))


def with_column(name: str, *, table: str = "orders", **options: object) -> Contract:
    old = CONTRACT.table(table)
    return with_table(replace(old, columns=(*old.columns, column(name, TEXT, "New", **options))))  # type: ignore[arg-type]


def test_every_table_has_a_key_a_grain_and_described_columns() -> None:
    for table in CONTRACT:
        assert table.key
        assert table.grain.startswith("one row per ")
        assert table.description
        assert all(found.description for found in table.columns)
        assert all(not found.nullable for found in table.columns if found.name in table.key), table.name


def test_every_foreign_key_points_to_a_table_that_is_there() -> None:
    for table in CONTRACT:
        for found in table.columns:
            if "(" in found.description and ".pk)" in found.description:
                target = found.description.split("(")[1].split(".")[0].removeprefix("would be ")
                assert CONTRACT.table(target).column("pk")


def test_arrow_columns_are_the_declared_ones_in_order() -> None:
    for table in CONTRACT:
        schema = arrow_schema(table)
        assert tuple(schema.names) == table.column_names
    assert arrow_schema(CONTRACT.table("orders")).field("amount").type == pa.decimal128(18, 2)


def test_gateway_passwords_and_channel_credentials_are_declared_secret() -> None:
    places = {path for _, path, _ in removed_paths(CONTRACT)}
    assert places == {
        "channel.conf",
        "payment_option.config",
        "installment.config",
        "transaction_set[].pos.config",
        "transaction_set[].main_pos.config",
    }


def test_the_version_changes_with_what_is_read_and_not_with_words() -> None:
    orders = CONTRACT.table("orders")
    reworded = replace(orders, description="Other words")
    retyped = replace(orders, columns=(*orders.columns[:-1], replace(orders.columns[-1], type=TEXT)))
    version = contract_version(CONTRACT)
    assert len(version) == 12
    same = tuple(reworded if table.name == "orders" else table for table in CONTRACT)
    other = tuple(retyped if table.name == "orders" else table for table in CONTRACT)
    assert contract_version(Contract(same)) == version
    assert contract_version(Contract(other)) != version
    assert contract_version(with_column("preorder_flag")) != version


def test_a_new_column_is_a_new_leaf_of_its_document() -> None:
    shape = document_shape(with_column("preorder_flag"), Document.DETAIL)
    assert isinstance(shape, Record)
    assert isinstance(shape.children["preorder_flag"], Leaf)
    assert "preorder_flag" not in document_shape(CONTRACT, Document.DETAIL).children  # type: ignore[union-attr]


def test_two_types_for_one_path_are_refused() -> None:
    old = CONTRACT.table("orders")
    with pytest.raises(ContractError, match="disagrees"):
        document_shape(
            with_table(replace(old, columns=(*old.columns, column("n", BIGINT, "x", path="number")))), Document.DETAIL
        )


def test_a_table_with_a_column_twice_or_a_key_that_is_not_there_is_refused() -> None:
    table = Table(
        name="things",
        description="Things",
        grain="one row per thing",
        kind=Kind.DIMENSION,
        key=("pk",),
        columns=(pk("thing"), column("amount", MONEY, "Amount")),
        sources=(Source(Document.DETAIL, "thing"),),
    )
    with pytest.raises(ContractError, match="a column twice"):
        Contract((replace(table, columns=(pk("thing"), pk("thing"))),))
    with pytest.raises(ContractError, match="not there"):
        Contract((replace(table, key=("id",)),))
    with pytest.raises(ContractError, match="without a description"):
        Contract((replace(table, columns=(pk("thing"), column("x", TEXT, " "))),))
    with pytest.raises(ContractError, match="two tables of one name"):
        Contract((table, table))
    with pytest.raises(ContractError, match="need one"):
        Contract((replace(table, sources=()),))


def test_a_history_that_could_not_be_kept_without_the_documents_is_refused() -> None:
    table = CONTRACT.table("order_status_history")
    with pytest.raises(ContractError, match="from the detail document itself"):
        with_table(replace(table, sources=(Source(Document.DETAIL, "transaction_set[]"),)))
    with pytest.raises(ContractError, match="may have to be forgotten: \\['who'\\]"):
        with_table(replace(table, columns=(*table.columns, column("who", TEXT, "Who", personal=Personal.NAME))))


def test_a_history_is_read_from_few_fields_of_the_detail() -> None:
    shape = history_shape(CONTRACT)
    assert set(shape.children) == {
        "status", "status_display", "cancel_status", "amount", "discount_amount", "refund_amount",
        "discount_refund_amount", "shipping_refund_amount", "is_send", "ordershippinginfo_set",
    }  # fmt: skip
    shipments = shape.children["ordershippinginfo_set"]
    assert isinstance(shipments, SetOf)
    assert isinstance(shipments.element, Record)
    assert set(shipments.element.children) == {"is_send"}


def test_unknown_tables_and_columns_are_named_with_what_there_is() -> None:
    with pytest.raises(KeyError, match="order_items"):
        CONTRACT.table("nope")
    with pytest.raises(KeyError, match="number"):
        CONTRACT.table("orders").column("nope")


def test_only_what_the_vendor_documents_or_shows_is_promised() -> None:
    shape = document_shape(CONTRACT, Document.DETAIL)
    assert isinstance(shape, Record)
    assert is_promised(shape.children["amount"])
    assert is_promised(shape.children["channel"])
    assert not is_promised(shape.children["delivery_range"])
    assert not is_promised(shape.children["channel"].children["conf"])  # type: ignore[union-attr]
    added = document_shape(with_column("guess", provenance=Provenance.ASSUMED), Document.DETAIL)
    assert not is_promised(added.children["guess"])  # type: ignore[union-attr]


def test_items_and_discounts_are_sets() -> None:
    for document in (Document.ITEMS, Document.DISCOUNTS):
        assert isinstance(document_shape(CONTRACT, document), SetOf)


def test_paths_are_split_at_dots_and_sets() -> None:
    assert steps("a[].b.c[]") == ("a", "[]", "b", "c", "[]")
    assert steps("[]") == ("[]",)
    assert steps("") == ()


def test_a_users_own_columns_and_tables_make_a_contract_of_their_own() -> None:
    released = column("preorder_release_date", TEXT, "When a pre-ordered product is released", optional=True)
    gifts = Table(
        name="gift_cards",
        description="Gift cards that an order was paid with",
        grain="one row per order and card",
        kind=Kind.CHILD,
        key=("order_pk", "position"),
        columns=(order_pk(), position(), column("code", TEXT, "Code of the card")),
        sources=(Source(Document.DETAIL, "giftcard_set[]"),),
    )
    own = CONTRACT.with_columns("order_items", released).with_tables(gifts)
    assert own.table("order_items").column_names[-1] == "preorder_release_date"
    assert own.table_names == (*CONTRACT.table_names, "gift_cards")
    assert contract_version(own) != contract_version(CONTRACT)
    items, detail = (document_shape(own, document) for document in (Document.ITEMS, Document.DETAIL))
    assert isinstance(items, SetOf)
    assert isinstance(items.element, Record)
    assert isinstance(detail, Record)
    assert not is_promised(items.element.children["preorder_release_date"]), "documents may lack it"
    assert is_promised(detail.children["giftcard_set"])


def test_own_declarations_that_contradict_the_contract_are_refused_where_they_are_made() -> None:
    with pytest.raises(ContractError, match="no table 'order_item' to add columns to; the contract has orders"):
        CONTRACT.with_columns("order_item", column("x", TEXT, "New"))
    with pytest.raises(ContractError, match="declares a column twice: number"):
        CONTRACT.with_columns("orders", column("number", TEXT, "New"))
    with pytest.raises(ContractError, match="disagrees"):
        CONTRACT.with_columns("orders", column("n", BIGINT, "New", path="number"))
    with pytest.raises(ContractError, match="looks for the values: call it shipping_option_tier"):
        CONTRACT.with_columns("orders", column("level", TEXT, "New", path="shipping_option.tier"))
    with pytest.raises(ContractError, match="named date"):
        CONTRACT.with_columns("orders", column("date", TEXT, "New"))
    with pytest.raises(ContractError, match="two tables of one name: orders"):
        CONTRACT.with_tables(CONTRACT.table("orders"))
    with pytest.raises(ContractError, match="required and optional"):
        column("x", TEXT, "New", required=True, optional=True)
