"""Writes plain values as YAML that every reader understands alike."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped]

Node = dict[str, Any]


def yaml_text(node: Node) -> str:
    """The values as YAML, in their order."""
    text: str = yaml.dump(node, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return text


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes no anchors, and quotes whatever could be a number to some reader."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class asks with it
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if text[:1].isdigit() else None)


_Dumper.add_representer(str, _text)
