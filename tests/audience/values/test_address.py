from __future__ import annotations

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.values.address import ascii_domain, normalize_address, quote
from mailer.errors import AudienceError


@pytest.mark.parametrize(
    "spelling",
    [
        "Li.Wei@bücher.example",
        "li.wei@BÜCHER.example",
        "LI.WEI@xn--bcher-kva.example",
        " li.wei@XN--BCHER-KVA.EXAMPLE\n",
        "\ufeffli.wei@bu\u0308cher.example\u200b",
        "li.wei@bücher。example",
    ],
)
def test_every_spelling_of_an_address_is_one_person(spelling: str) -> None:
    assert normalize_address(spelling).key == "li.wei@xn--bcher-kva.example"


@pytest.mark.parametrize(("one", "other"), [("ÉVA@x.test", "éva@x.test"), ("E\u0301va@x.test", "éva@x.test")])
def test_case_and_composition_do_not_matter_in_international_local_parts(one: str, other: str) -> None:
    assert normalize_address(one).key == normalize_address(other).key


def test_the_local_part_is_written_to_as_it_was_given() -> None:
    address = normalize_address("Li.Wei@EXAMPLE.org")
    assert (address.address, address.domain) == ("Li.Wei@example.org", "example.org")
    assert normalize_address("李伟@例え.test").address == "李伟@xn--r8jz45g.test"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the address is empty"),
        (" \u3000 ", "the address is empty"),
        ("li", '"li" is not an e-mail address: it has no @'),
        ("@example.org", "there must be something before the @-sign"),
        ("li@localhost", '"li@localhost" is not an e-mail address: the part after the @-sign is not valid'),
        ("li@host.local", "special-use"),
        ("a b@example.org", "space"),
        ("a\x00b@example.org", '"a\ufffdb@example.org" is not an e-mail address'),
        ("a@b\r\nBcc: c@d.test", "is not an e-mail address"),
        ("li＠example.org", "it has no @"),
        ("a" * 65 + "@example.org", "too long"),
        ("a@" + "b" * 2000, "it is too long"),
        ("a" * 60 + "@" + ".".join(["b" * 49] * 4) + ".test", "it is too long"),
        ("李伟李伟李伟李伟李伟李伟李伟李伟李伟李伟李伟李伟@example.org", "too long"),
        ("<li@example.org>", "is not an e-mail address"),
        ('"li wei"@example.org', "quoting"),
        ("li@[127.0.0.1]", "bracketed"),
    ],
)
def test_what_is_no_address_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(AudienceError) as caught:
        normalize_address(text)
    message = str(caught.value)
    assert sentence.lower() in message.lower()
    assert message.isprintable()
    assert len(message) < 400


@given(st.emails(), st.booleans())
def test_the_key_does_not_depend_on_case_and_is_its_own_key(text: str, upper: bool) -> None:
    try:
        address = normalize_address(text)
    except AudienceError:
        return
    assert normalize_address(text.upper() if upper else text.lower()).key == address.key
    assert normalize_address(address.key).key == address.key
    assert normalize_address(address.address) == address


@given(st.text(alphabet="éÉßſKİıΣσςǅ李a", min_size=1, max_size=8))
def test_an_international_key_is_its_own_key(local: str) -> None:
    address = normalize_address(f"{local}@example.org")
    assert normalize_address(address.key).key == address.key
    assert normalize_address(address.address).key == address.key


@given(
    st.lists(st.text(alphabet="ab1-", min_size=1, max_size=65), min_size=1, max_size=5),
    st.sampled_from(["org", "test", "local", "c", "x1", "ORG", "co-m", "onion"]),
)
def test_plain_domains_are_judged_as_email_validator_does(labels: list[str], last: str) -> None:
    domain = ".".join([*labels, last])
    try:
        expected = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        with pytest.raises(AudienceError):
            normalize_address(f"a@{domain}")
    else:
        assert normalize_address(f"a@{domain}").domain == expected.ascii_domain


def test_a_domain_is_compared_in_ascii() -> None:
    assert ascii_domain("Bücher.Example") == "xn--bcher-kva.example"
    with pytest.raises(AudienceError, match='"x y" is not the domain of an address'):
        ascii_domain("x y")


def test_shown_text_is_short_and_printable() -> None:
    assert quote("a\x1b[2J\n" + "b" * 100) == '"a\ufffd[2J\ufffd' + "b" * 73 + '…"'


@pytest.mark.parametrize("domain", sorted({*SPECIAL_USE_DOMAIN_NAMES} - {"test"}))
def test_every_special_use_domain_of_email_validator_is_refused(domain: str) -> None:
    with pytest.raises(AudienceError, match="special-use"):
        normalize_address(f"li@host.{domain}")
