"""What is somebody's, wherever the shop puts it, lies nowhere: not in the data root, not in Dagster's events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from order_assets.defs.keys import order_documents_key
from order_assets.testing.stored import found_in
from order_assets.testing.tampering import detail_of
from order_assets_tests.defs.conftest import Project
from order_assets_tests.landing.personal_places import BY_NAME, BY_VALUE, KINDS, NAMED

DAY, ORDERS = "2026-03-03", (1012, 1014, 1015, 1016, 1017)


def talking(number: int) -> Any:
    """A document with the numbered spelling of each kind in every place that can hold several."""

    def change(body: bytes) -> bytes:
        document = json.loads(body)
        things: dict[str, Any] = {}
        for kind, (name, spellings) in KINDS.items():
            for place in (*BY_VALUE[:2], *BY_NAME[:7], *BY_NAME[8:]):
                part: dict[str, Any] = {"shipping_address": {}}
                place(part, name, spellings[number])
                things[f"{kind} {len(things)}"] = part
        for value, names in NAMED.items():
            things[f"named {len(things)}"] = {names[number]: value}
        document["extra_field"] = {"all": list(things.values())}
        document["unheard_of"] = {"all": list(things.values())}
        return json.dumps(document, ensure_ascii=False).encode()

    return change


@pytest.mark.long
@pytest.mark.parametrize("mode", ["tokenise", "drop"])
def test_no_byte_of_anybody_is_left_after_a_run_and_what_was_masked_is_counted(
    project: Project, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("ORDER_ASSETS_PII", mode)
    project.tampered.rules += [detail_of(pk, talking(number)) for number, pk in enumerate(ORDERS)]
    project.sync()
    assert project.refresh(DAY).succeeded
    values = {spelling for _, spellings in KINDS.values() for spelling in spellings} | set(NAMED)
    left = found_in(project.root, values)
    assert left == []
    counted = {
        kind: (masked, orders)
        for kind, masked, orders in project.query(
            """SELECT kind, sum(masked), max(orders) FROM meta.masked_values
            WHERE path LIKE 'extra_field.all%' GROUP BY kind"""
        )
    }
    assert counted.keys() >= {"card", "identity", "phone", "email", "name", "address"}
    assert counted["card"][1] == len(ORDERS)
    event = project.instance.get_latest_materialization_event(order_documents_key())
    assert event is not None
    assert event.asset_materialization is not None
    said = event.asset_materialization.metadata["masked_by_path"].value
    assert isinstance(said, dict)
    assert any(path.startswith("detail:extra_field.all[]") for path in said)
