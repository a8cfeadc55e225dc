"""The rows of a page that cannot be read as a whole, each as a text of its own.

One row that is nested a thousand times, has a number of ten thousand digits, or half a character must not cost the
other ninety-nine. Belongs here: where a row begins and ends. Not here: what a page or a row means (`pagination`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from order_assets.omnitron.response import parse_json

# Strings as a whole, since brackets in them mean nothing; what stands between does not matter here.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
_RESULTS = b'"results"'


@dataclass(frozen=True)
class RowsApart:
    """A page in pieces: its envelope with an empty list of rows, and the text of each row."""

    envelope: object
    texts: list[bytes]


def rows_apart(body: bytes) -> RowsApart:
    """Take the rows of a page apart. Raises ValueError where even their borders cannot be found."""
    depth, rows_at, begin = 0, 0, 0
    texts: list[bytes] = []
    last, span = b"", (0, 0)
    for token in _TOKEN.finditer(body):
        sign = token.group()
        if sign in b"[{":
            depth += 1
            if sign == b"[" and not rows_at and (depth == 1 or (depth == 2 and last == _RESULTS)):
                rows_at, begin, span = depth, token.end(), (token.end(), 0)
        elif sign in b"]}":
            if depth == rows_at and span[0] and not span[1]:
                texts.append(body[begin : token.start()])
                span = (span[0], token.start())
            depth -= 1
        elif sign == b"," and depth == rows_at and span[0] and not span[1]:
            texts.append(body[begin : token.start()])
            begin = token.end()
        last = sign
    if depth != 0 or not span[1]:
        raise ValueError("it does not end, or has no list of rows")
    if not texts[-1].strip():
        texts.pop()
    return RowsApart(parse_json(body[: span[0]] + body[span[1] :]), texts)
