"""Compressed bodies: the same content in whatever pieces they come, and never a part of it."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from order_assets.omnitron.transport import BrokenCallError, unpacked

CONTENT = random.Random(3).randbytes(200_000) + bytes(1_000_000)
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
FORMS = {
    "gzip": ("gzip", gzip.compress(CONTENT)),
    "two parts": ("gzip", gzip.compress(CONTENT[:5000]) + gzip.compress(CONTENT[5000:])),
    "padding behind": ("gzip", gzip.compress(CONTENT) + bytes(20)),
    "deflate": ("deflate", zlib.compress(CONTENT)),
    "deflate without a header": ("deflate", RAW.compress(CONTENT) + RAW.flush()),
    "not packed": ("", CONTENT),
}


def pieces(packed: bytes, size: int) -> list[bytes]:
    return [packed[start : start + size] for start in range(0, len(packed), size)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1000, 65_536, 10_000_000])
def test_the_content_is_the_same_in_any_pieces_and_comes_in_bounded_ones(form: str, size: int) -> None:
    encoding, packed = FORMS[form]
    found = list(unpacked(pieces(packed, size), encoding))
    assert b"".join(found) == CONTENT
    assert max(map(len, found)) <= max(size if not encoding else 0, 64 * 1024)


@pytest.mark.parametrize("form", ["gzip", "two parts", "deflate", "deflate without a header"])
@pytest.mark.parametrize("lost", [1, 8, 1000])
def test_a_body_that_ends_early_is_broken(form: str, lost: int) -> None:
    encoding, packed = FORMS[form]
    with pytest.raises(BrokenCallError, match="cut short"):
        list(unpacked(pieces(packed[:-lost], 65_536), encoding))


def test_a_body_that_was_changed_on_its_way_is_broken() -> None:
    packed = bytearray(gzip.compress(CONTENT))
    packed[1000] ^= 1
    with pytest.raises(BrokenCallError):
        list(unpacked([bytes(packed)], "gzip"))


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_nothing_is_nothing(encoding: str) -> None:
    assert list(unpacked([], encoding)) == []
