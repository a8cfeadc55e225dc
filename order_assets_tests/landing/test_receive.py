"""From the answers for an order to its landing row."""

from __future__ import annotations

import json
from typing import Any

from order_assets.contract import Document
from order_assets.landing import receive
from order_assets_tests.landing.samples import Answers, answers, detail, gate, listed, sandbox_documents, sandbox_pks

WHOLE = {Document.DETAIL: detail(), Document.ITEMS: [{"pk": 1, "price": 8.5}], Document.DISCOUNTS: []}


def got(**changes: Any) -> dict[str, Any]:
    return receive(gate(), listed(), answers(WHOLE, **changes))


def test_an_order_lands_with_its_three_documents_and_their_sizes() -> None:
    row = got()
    assert row["outcome"] == "landed"
    assert json.loads(row["items"]) == [{"pk": 1, "price": 8.5}]
    assert json.loads(row["set_sizes"])["detail:transaction_set[]"] == 1
    assert json.loads(row["set_sizes"])["items:[]"] == 1
    assert row["content_hash"] == got()["content_hash"]


def test_pages_with_and_without_an_envelope_are_one_list() -> None:
    row = got(item_pages=(b'{"count": 3, "results": [{"pk": 1}]}', b'[{"pk": 2}]', b'{"results": [{"pk": 3}]}'))
    assert [item["pk"] for item in json.loads(row["items"])] == [1, 2, 3]


def test_a_page_without_results_quarantines_the_order() -> None:
    row = got(item_pages=(b'{"detail": "error"}',))
    assert (row["outcome"], row["refused_document"]) == ("quarantined", "items")
    assert row["items"] is None
    assert json.loads(row["detail"])["pk"] == 27


def test_an_answer_about_another_order_is_quarantined() -> None:
    row = receive(gate(), listed(28), answers(WHOLE))
    assert (row["outcome"], row["refused_path"]) == ("quarantined", "pk")
    row = receive(gate(), listed(27, "other"), answers(WHOLE))
    assert (row["outcome"], row["refused_path"]) == ("quarantined", "number")


def test_a_detail_that_is_no_object_or_has_no_key_is_quarantined() -> None:
    for body in (b"[]", b"{}", b'{"pk": "27"}', b"null", b"", b"{"):
        row = got(detail=body)
        assert row["outcome"] == "quarantined", body
        assert row["reason"]


def test_a_bad_item_quarantines_the_whole_order_with_all_its_documents() -> None:
    row = got(item_pages=(b'[{"pk": 1}, {"pk": 2, "price": "8.555"}]',))
    assert (row["outcome"], row["refused_document"], row["refused_path"]) == ("quarantined", "items", "[1].price")
    assert [item["pk"] for item in json.loads(row["items"])] == [1, 2]
    assert "Password123!" not in row["detail"]


def test_pages_that_are_not_strict_json_are_kept_as_far_as_they_can_be_read() -> None:
    row = got(item_pages=(b'[{"pk": 1, "price": NaN, "token": "hunter2hunter2"}]',))
    assert row["outcome"] == "quarantined"
    assert json.loads(row["items"]) == [{"pk": 1, "price": "NaN", "token": "[redacted]"}]


def test_an_order_that_is_gone_has_no_documents() -> None:
    row = receive(gate(), listed(), Answers(None))
    assert (row["outcome"], row.get("detail")) == ("tombstoned", None)
    assert "404" in row["reason"]


def test_every_sandbox_order_lands_and_is_regular() -> None:
    for pk in sandbox_pks(100):
        documents = sandbox_documents(pk)
        row = receive(gate(), listed(pk, documents[Document.DETAIL]["number"]), answers(documents))
        assert row["outcome"] == "landed", (pk, row["reason"])
        # The one field of the stand-in that no documentation has.
        assert {entry["path"].partition(".")[2] for entry in json.loads(row["unmapped"])} <= {"preorder_release_date"}
        assert json.loads(row["missing"]) == [], pk
