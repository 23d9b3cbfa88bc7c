"""The words of an answer are told and compared without what names a recipient."""

from __future__ import annotations

import pytest

from mailer.transports.refusal.answers import without_addresses


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("550 <eve@example.org>: unknown", "550 <the address>: unknown"),
        ("550 eve@example.org and desk=eve@news.example.org", "550 the address and the address"),
        ("see https://example.org/?a=eve%40example.org now", "see https:the address now"),
        ("550 eve&#64;example.org", "550 the address"),
        ("550 eve&#x0040;example.org is unknown", "550 the address is unknown"),
        ("550 user unknown", "550 user unknown"),
        ("550 @ home", "550 @ home"),
    ],
)
def test_every_address_is_taken_out_however_it_is_written(words: str, told: str) -> None:
    assert without_addresses(words) == told
