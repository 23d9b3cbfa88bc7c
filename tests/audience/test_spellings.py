"""An address is found and left out however it is spelled, and a longer address is another."""

from __future__ import annotations

import base64
import json
import quopri
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.spellings import AddressSpellings, redact_addresses
from mailer.audience.values.address import normalize_address

ANN = "ann@example.org"
KEYS = {ANN, "o'neil@example.org", "li@xn--bcher-kva.example"}


def cleared(text: str) -> str:
    return redact_addresses(text, KEYS.__contains__)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("550 5.1.1 <ann@example.org>: no such user", "550 5.1.1 <[erased]>: no such user"),
        ("<ann@example.org> x1 Saved", "<[erased]> x1 Saved"),
        ("no Ann@EXAMPLE.org.", "no [erased]"),
        ("to=ann@example.org, relay=none", "to=[erased], relay=none"),
        ("rfc822;ann@example.org", "rfc822;[erased]"),
        ("mailto:ann%40example.org?x", "[erased]"),
        ("%3Cann%40example.org%3E gone", "[erased] gone"),
        ("ann&#64;example.org ann&#x40;example.org", "[erased] [erased]"),
        ("ann=40example.org", "[erased]"),
        ("ann\\u0040example.org", "[erased]"),
        ("o'neil@example.org and 'o'neil@example.org'", "[erased] and '[erased]'"),
        ('250 2.1.5 <"ann"@example.org>... ok', "250 2.1.5 <[erased]>... ok"),
        ('"Ann" <ann@example.org> "Ann"@example.org', '"Ann" <[erased]> [erased]'),
        ("bounce-7-ann=example.org@lists.example.net refused", "[erased] refused"),
        ("li@bücher.example, LI@XN--BCHER-KVA.EXAMPLE", "[erased], [erased]"),
        ("bob@example.org joann@example.org ann@example.org.uk", None),
        ("250 2.0.0 Ok: queued as 40ann", None),
        ("@ @@ a@ @b %40 a@b@c", None),
        ("", None),
    ],
)
def test_addresses_are_left_out_of_words(text: str, left: str | None) -> None:
    assert cleared(text) == (text if left is None else left)


@given(st.text())
def test_other_words_stay_as_they_are(text: str) -> None:
    assert cleared(text) == text.replace("\\u0040", "@") or "@" in text or "40" in text


@given(st.text(alphabet=" <>()\"'=;:,/ab%4043&#@.\\\r\n"), st.text(alphabet=' <>()",\r\n\t', min_size=1))
def test_no_surrounding_hides_an_address(before: str, after: str) -> None:
    text = f"{before} {ANN}{after}"
    assert not AddressSpellings(normalize_address(ANN)).is_in(cleared(text).encode())


FORMS = {
    "plain": lambda text: text.encode(),
    "capitals": lambda text: text.upper().encode(),
    "percent": lambda text: quote(text, safe="").encode(),
    "every letter": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()).encode(),
    "quoted-printable": lambda text: "".join(f"={byte:02X}" for byte in text.encode()).encode(),
    "soft line breaks": lambda text: "=\r\n".join(text).encode(),
    "in a body": lambda text: quopri.encodestring(("x" * 70 + " " + text).encode()),
    "base64": lambda text: b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(text.encode()),
    "encoded word": lambda text: b"=?utf-8?B?" + base64.b64encode(text.encode()) + b"?=",
    "json": lambda text: json.dumps({"to": text}).encode(),
    "escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
    "html": lambda text: "".join(f"&#{ord(letter)};" for letter in text).encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "big-endian": lambda text: text.encode("utf-16-be"),
    "a database": lambda text: b"\x00\x01" + text.encode() * 2 + b"more",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "address", [ANN, "o'neil+news@example.org", "li@bücher.example", "jürgen@example.org"]
)
def test_an_address_is_found_in_every_form(address: str, form: str) -> None:
    spellings = AddressSpellings(normalize_address(address))
    assert spellings.is_in(FORMS[form](f'"Ann" <{address}>, and so on'))
    assert not spellings.is_in(FORMS[form]('"Ann" <bob@example.net>, and so on'))


@given(st.binary())
def test_whatever_a_file_holds_can_be_looked_at(data: bytes) -> None:
    assert not AddressSpellings(normalize_address(ANN)).is_in(data)
