"""All readings of an address agree: the configuration's, the list's, those of messages and of providers."""

from __future__ import annotations

import email
import email.policy
import json
import re
from datetime import UTC, datetime
from email.headerregistry import AddressHeader
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlite_utils import Database

from mailer.addresses import strip_invisible_characters
from mailer.audience.people import find
from mailer.audience.values.address import Address, ascii_domain, normalize_address
from mailer.config import Mailbox, Settings, load_settings
from mailer.config.fields import Domain, Sender
from mailer.config.mailboxes import BOUNCE_TOKEN_LENGTH
from mailer.errors import AudienceError, ConfigError
from mailer.links.urls import Purpose, TokenCodec
from mailer.message.envelope import Envelope, Person
from mailer.message.header_fields import mailbox_value
from mailer.message.message import Message, MessageTemplate
from mailer.transports.sendgrid.request import RequestTemplate
from tests.cli import run
from tests.message.test_message import simple
from tests.spooled import add_readers

SENDER: TypeAdapter[Mailbox] = TypeAdapter(Sender)
DOMAIN: TypeAdapter[str] = TypeAdapter(Domain)

#: Each is read by every place, or by none.
SPELLINGS = [
    "li@example.org",
    " li@example.org\t",
    "\u00a0li@example.org\u00a0",
    "\u3000li@example.org\u3000",
    "\ufeffli@example.org",
    "\u200bli@example.org\u200b",
    "\u00a0\u200b\u00a0li@example.org\u200b\u00a0\u200b",
    "\u200eli@example.org\u200f",
    "\u202ali@example.org\u202c",
    "\u2066li@example.org\u2069",
    "li@example.org\u00ad",
    "l\u200bi@example.org",
    "l\u00adi@example.org",
    "li@exa\u200bmple.org",
    "li@exa\u00admple.org",
    "li+tag@example.org",
    "LI.Wei@EXAMPLE.ORG",
    "li@example.org.",
    "li@example。org",
    "li@example．org",
    "li＠example.org",
    "ｌｉ@example.org",
    "li@ｅｘａｍｐｌｅ.org",
    "li@bücher.example",
    "li@bu\u0308cher.example",
    "li@BÜCHER.example",
    "li@xn--bcher-kva.example",
    "li@XN--BCHER-KVA.EXAMPLE",
    "li@straße.example",
    "li@STRASSE.example",
    "li@faß.example",
    "li@ශ්\u200dරී.example",
    "li@a\u200db.example",
    "li@نامه\u200cای.example",
    "li@例え.test",
    "li@xn--zzzzzz.example",
    "li@xn--a.example",
    "li@ab--cd.example",
    "li@-ab.example",
    "li@a_b.example",
    "li@example.org>",
    "<li@example.org",
    "mailto:li@example.org",
    "MAILTO:li@example.org",
    "'li@example.org'",
    '"li@example.org"',
    '"li"@example.org',
    '"li wei"@example.org',
    '"li@home"@example.org',
    "li\\@home@example.org",
    "li@home@example.org",
    "li(at work)@example.org",
    "li@example.org (Li)",
    "(Li) li@example.org",
    "li@(home)example.org",
    "li@[127.0.0.1]",
    "li@[IPv6:::1]",
    "li@127.0.0.1",
    "li@localhost",
    "li@host.local",
    "li@example.test",
    "li@test",
    "li.@example.org",
    ".li@example.org",
    "l..i@example.org",
    "li @example.org",
    "li@ example.org",
    "l i@example.org",
    "li@exam ple.org",
    "li@",
    "@example.org",
    "li",
    "",
    "li@example.org,bo@example.org",
    "li@example.org; bo@example.org",
    "li@example.org bo@example.org",
    "li@example.org\nbo@example.org",
    "o'neill@example.org",
    "li/wei=x@example.org",
    "li!home@example.org",
    "li%home@example.org",
    "=?utf-8?q?li?=@example.org",
    "l" * 64 + "@example.org",
    "l" * 65 + "@example.org",
    "li@" + "a" * 63 + ".org",
    "li@" + "a" * 64 + ".org",
    "l" * 64 + "@" + ".".join(["b" * 44] * 4) + ".test",
    "l" * 64 + "@" + ".".join(["b" * 46] * 4) + ".test",
    "li@" + ".".join(["b" * 49] * 5) + ".test",
    "li@" + ".".join(["ü" * 30] * 5) + ".test",
    "李伟@example.org",
    "é@example.org",
    "e\u0301@example.org",
]
_LOCALS = st.one_of(
    st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[A-Za-z0-9+_-]{1,10})?", fullmatch=True),
    st.text(alphabet="aB1.+\"'\\() <>@:;,éß李\u200b\u00ad\u00a0\u200d＠", max_size=70),
)
_LABELS = st.text(alphabet="abZ09-_.é\u0308ßςσ李例\u200d\u200c\u200b\u00ad。．ＡxXn", min_size=1, max_size=20)
_DOMAINS = st.one_of(
    st.lists(_LABELS, min_size=1, max_size=4).map(".".join),
    st.tuples(_LABELS, st.sampled_from(["org", "test", "example", "ORG", "org.", "中国"])).map(".".join),
)
_AROUND = st.text(alphabet=" \t\u00a0\u3000\ufeff\u200b\u200e\u200f\u2060\u00ad<>\"'", max_size=3)
TEXTS = st.one_of(
    st.sampled_from(SPELLINGS),
    st.builds(lambda a, local, domain, b: f"{a}{local}@{domain}{b}", _AROUND, _LOCALS, _DOMAINS, _AROUND),
    st.emails(),
)


def listed(text: str) -> Address | None:
    """As a list is read, or None where it is refused."""
    try:
        return normalize_address(text)
    except AudienceError:
        return None


def configured(text: str) -> Mailbox | None:
    """As a sender is read, or None where it is refused."""
    try:
        return SENDER.validate_python(text)
    except ValidationError:
        return None


def field_of(name: str, line: bytes) -> AddressHeader:
    """A field of a message, as the standard library reads it."""
    policy = email.policy.SMTPUTF8.clone(raise_on_defect=True)
    header = email.message_from_string(f"{name}: {line.decode()}\r\n\r\n", policy=policy)[name]
    assert hasattr(header, "addresses")
    return header


@given(TEXTS)
@example("\u200bli@example.org")
def test_a_sender_is_read_as_a_reader_is(text: str) -> None:
    reader, sender = listed(text), configured(text)
    if reader is None or not reader.address.isascii():
        # What is around an address is syntax in a sender: `<li@example.org>`, `"Li" <li@example.org>`.
        inner = re.fullmatch(r".*<([^<>]*)>\s*", text, re.S)
        assert sender is None or (inner and listed(inner[1]) is not None), (text, sender)
        return
    assert sender is not None, text
    assert normalize_address(sender.address) == reader
    assert sender.name == ""


@given(TEXTS)
def test_what_is_read_once_is_read_so_again(text: str) -> None:
    reader = listed(text)
    if reader is None:
        return
    for again in (reader.address, reader.key, reader.address.upper(), f" {reader.address}\u200b"):
        assert normalize_address(again).key == reader.key
    assert normalize_address(reader.address) == reader
    assert reader.domain == ascii_domain(reader.domain) == DOMAIN.validate_python(reader.domain)
    assert ascii_domain(strip_invisible_characters(text).rpartition("@")[2]) == reader.domain


@given(TEXTS)
def test_a_message_is_addressed_to_what_was_read(text: str) -> None:
    reader = listed(text)
    if reader is None:
        return
    message = Message(TEMPLATE, Person(1, reader.address, 'Li, "Wei"'))
    assert message.address == reader.address
    (to,) = field_of("To", mailbox_value("To", "", message.address)).addresses
    assert (to.username, to.domain) == tuple(reader.address.rpartition("@")[::2])
    if reader.address.isascii():
        (named,) = field_of("To", mailbox_value("To", 'Li, "Wei"', message.address)).addresses
        assert (named.display_name, named.addr_spec) == ('Li, "Wei"', reader.address)
    (one,) = json.loads(RequestTemplate(message).personalization(message))["to"]
    assert one["email"] == reader.address


@pytest.mark.parametrize("stable_id", [bytes(8), b"\xff" * 8])
def test_the_token_of_a_return_path_is_as_long_as_the_settings_say(stable_id: bytes) -> None:
    assert len(TokenCodec(("k",)).make(Purpose.BOUNCE, stable_id, 2**32 - 1)) == BOUNCE_TOKEN_LENGTH


@pytest.fixture(scope="module", autouse=True)
def _template(tmp_path_factory: pytest.TempPathFactory) -> None:
    global TEMPLATE
    root = tmp_path_factory.mktemp("desk")
    (root / "mailer.toml").write_text(CONFIG.format(sender="Desk <desk@example.org>", more=""), "utf-8")
    settings = load_settings(root, {"MAILER_SECRET_KEY": "k"})
    TEMPLATE = MessageTemplate(simple(), envelope_of(settings))


CONFIG = """\
[publication]
name = "Heron Notes"
from = '{sender}'
postal_address = "Heron Notes, 3 Reed Lane, Marshby"
base_url = "https://heron.example"

[editions.morning]
name = "Morning"

[delivery]
transport = "outbox:outbox"
{more}
"""
TEMPLATE: MessageTemplate


def envelope_of(settings: Settings) -> Envelope:
    sent = datetime(2026, 11, 21, 6, tzinfo=UTC)
    return Envelope(settings, campaign_id=4, slug="s", edition="morning", sent_at=sent)


def settings_of(root: Path, sender: str, more: str = "") -> Settings:
    (root / "mailer.toml").write_text(CONFIG.format(sender=sender, more=more), "utf-8")
    return load_settings(root, {"MAILER_SECRET_KEY": "k"})


@pytest.mark.parametrize("text", [text for text in SPELLINGS if text and "\n" not in text])
def test_every_command_reads_the_same(workspace: Path, text: str) -> None:
    reader = listed(text)
    (workspace / "list.csv").write_text('email\n"' + text.replace('"', '""') + '"\n', encoding="utf-8")
    imported = run(workspace, "subscribers", "import", "list.csv")
    (workspace / "other").mkdir()
    (workspace / "mailer.toml").rename(workspace / "other" / "mailer.toml")
    workspace /= "other"
    added = run(workspace, "subscribers", "add", "--", text)
    shown = run(workspace, "subscribers", "show", "--json", "--", text)
    if reader is None:
        # A list's address is read out of what stands around it, and that is said; a command's is not.
        assert (imported.status == 0) == (" was written with " in imported.out)
        assert added.status == shown.status == 2, (added, shown)
        return
    assert imported.status == 0, imported.err
    assert added.status == 0, added.err
    assert shown.json["address"] == reader.address


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        (r'"Heron \"Daily\" Notes" <desk@heron.example>', 'Heron "Daily" Notes'),
        ('Heron "Daily" Notes <desk@heron.example>', 'Heron "Daily" Notes'),
        ('"Daily" Heron <desk@heron.example>', '"Daily" Heron'),
        ('Heron "Daily" <desk@heron.example>', 'Heron "Daily"'),
        ('""Heron Daily"" <desk@heron.example>', '"Heron Daily"'),
        ('"Heron Notes" <desk@heron.example>', "Heron Notes"),
        ('" Heron Notes " <desk@heron.example>', "Heron Notes"),
        (" \u00a0Heron Notes\u3000 <desk@heron.example> ", "Heron Notes"),
        ('"" <desk@heron.example>', ""),
        ("<desk@heron.example>", ""),
        ("< desk@heron.example >", ""),
        ("desk@heron.example", ""),
        ("Heron, Reed & Co. <desk@heron.example>", "Heron, Reed & Co."),
        ('"Heron, Reed & Co." <desk@heron.example>', "Heron, Reed & Co."),
        ("Heron (Notes) <desk@heron.example>", "Heron (Notes)"),
        ("Heron: Notes; daily <desk@heron.example>", "Heron: Notes; daily"),
        ("Heron's Notes <desk@heron.example>", "Heron's Notes"),
        ("“Heron” Notes <desk@heron.example>", "“Heron” Notes"),
        ("Heron @ Home <desk@heron.example>", "Heron @ Home"),
        ("desk@heron.example <desk@heron.example>", "desk@heron.example"),
        ('"Heron <3 reeds" <desk@heron.example>', "Heron <3 reeds"),
        (r'"Heron \\ Notes" <desk@heron.example>', r"Heron \ Notes"),
        (r"Heron \ Notes <desk@heron.example>", r"Heron \ Notes"),
        ("苍鹭日报 <desk@heron.example>", "苍鹭日报"),
        ("苍鹭「日报」，每日 <desk@heron.example>", "苍鹭「日报」，每日"),
        ("نشرة البلشون <desk@heron.example>", "نشرة البلشون"),
        ("=?utf-8?B?6IuN6bmt?= <desk@heron.example>", "苍鹭"),
        ("=?utf-8?q?Caf=C3=A9?= Notes <desk@heron.example>", "Café Notes"),
        ('"=?utf-8?q?Caf=C3=A9?=" <desk@heron.example>', "Café"),
        ("Heron <desk@heron.example>\u200b", "Heron"),
    ],
)
def test_a_name_is_read_and_written_as_it_is_meant(tmp_path: Path, sender: str, name: str) -> None:
    quoted = json.dumps(sender, ensure_ascii=False)
    text = CONFIG.format(sender="SENDER", more="").replace("'SENDER'", f"{quoted}\nreply_to = {quoted}")
    (tmp_path / "mailer.toml").write_text(text, "utf-8")
    settings = load_settings(tmp_path, {"MAILER_SECRET_KEY": "k"})
    mailbox = settings.publication.sender
    assert (mailbox.name, mailbox.address) == (name, "desk@heron.example")
    assert settings.publication.reply_to == mailbox
    message = Message(MessageTemplate(simple(), envelope_of(settings)), Person(1, "li@example.org"))
    parsed = email.message_from_bytes(message.raw(), policy=email.policy.SMTP.clone(raise_on_defect=True))
    for field in ("From", "Reply-To"):
        (one,) = parsed[field].addresses
        assert (one.display_name, one.addr_spec) == (name, "desk@heron.example")
    assert json.loads(RequestTemplate(message).request_body([]))["from"]["email"] == "desk@heron.example"


@pytest.mark.parametrize(
    ("sender", "sentence"),
    [
        ("Heron <desk@heron.example", 'is not a sender; write "Name <name@example.org>"'),
        ("Heron desk@heron.example", "is not a"),
        ("A <a@heron.example>, B <b@heron.example>", "contains two addresses"),
        ("a@heron.example, b@heron.example", "is not an e-mail address"),
        ("Heron <>", "the address is empty"),
        ("Heron <desk@heron.example> Notes", 'is not a sender; write "Name <name@example.org>"'),
        ("Heron <désk@heron.example>", "letters beyond ASCII before the @"),
        ("苍鹭 <苍鹭@heron.example>", "letters beyond ASCII before the @"),
        ("苍鹭@heron.example", "letters beyond ASCII before the @"),
        ('Heron <"désk"@heron.example>', "is not an e-mail address"),
        ('Heron <"desk notes"@heron.example>', "is not an e-mail address"),
        ("=?nowhere?q?a?= <desk@heron.example>", "cannot be read"),
        ("=?utf-8?q?a=0Ab?= <desk@heron.example>", "one line"),
        ("Heron <mailto:desk@heron.example>", "is not an e-mail address"),
    ],
)
def test_a_wrong_sender_is_told_at_its_line(tmp_path: Path, sender: str, sentence: str) -> None:
    wanted = {
        "mailer.toml:3: publication.from: ": (sender, ""),
        "mailer.toml:12: delivery.return_path: ": ("desk@heron.example", f"return_path = '{sender}'"),
    }
    for place, (own, more) in wanted.items():
        with pytest.raises(ConfigError) as caught:
            settings_of(tmp_path, own, more)
        (problem,) = str(caught.value).split("\n")
        assert problem.startswith(place)
        assert sentence in problem


def test_an_edition_has_no_sender_of_its_own(tmp_path: Path) -> None:
    text = CONFIG.format(sender="desk@heron.example", more="").replace(
        'name = "Morning"', 'name = "Morning"\nfrom = "désk@heron.example"'
    )
    (tmp_path / "mailer.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"mailer.toml:9: editions.morning.from is not known"):
        load_settings(tmp_path, {})


@pytest.mark.parametrize("length", [1, 22, 23])
def test_a_return_path_leaves_room_for_its_token(tmp_path: Path, length: int) -> None:
    settings = settings_of(tmp_path, "desk@heron.example", f'return_path = "{"b" * length}@heron.example"')
    path = envelope_of(settings).return_path(Person(1, "li@example.org", stable_id=b"\xff" * 8))
    local, _, domain = path.rpartition("@")
    assert len(local) <= 64
    assert domain == "heron.example"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("b" * 24 + "@heron.example", "1 octet too long"),
        ("bounces-of-the-morning-and-more@heron.example", "8 octets too long"),
        ("b" * 64 + "@heron.example", "41 octets too long"),
    ],
)
def test_a_return_path_that_is_too_long_is_told_with_how_much(tmp_path: Path, path: str, told: str) -> None:
    for value in (path, f"Bounces <{path}>"):
        with pytest.raises(ConfigError) as caught:
            settings_of(tmp_path, "desk@heron.example", f'return_path = "{value}"')
        assert str(caught.value).startswith("mailer.toml:12: delivery.return_path: ")
        assert told in str(caught.value)
        assert "64 octets before the @ (RFC 5321 section 4.5.3.1.1)" in str(caught.value)
        assert "at most 23 before the @" in str(caught.value)


def test_a_whole_return_path_that_is_too_long_is_told_with_how_much(tmp_path: Path) -> None:
    domain = ".".join(["b" * 46] * 4) + ".heron.example"
    fits = 254 - 41 - 1 - len(domain)
    assert 0 < fits < 23
    path = f"{'b' * (fits + 2)}@{domain}"
    settings_of(tmp_path, "desk@heron.example", f'return_path = "{path[2:]}"')
    with pytest.raises(ConfigError, match=r"_path: .* 2 octets too long.* 254 octets") as caught:
        settings_of(tmp_path, "desk@heron.example", f'return_path = "{path}"')
    assert str(caught.value).startswith("mailer.toml:12: ")


def test_the_environments_return_path_is_checked_too(tmp_path: Path) -> None:
    settings_of(tmp_path, "desk@heron.example")
    with pytest.raises(ConfigError, match=r"too long.*\(from MAILER_DELIVERY_RETURN_PATH\)"):
        load_settings(tmp_path, {"MAILER_DELIVERY_RETURN_PATH": "b" * 24 + "@heron.example"})


def test_the_domains_of_a_sender_are_one_everywhere(tmp_path: Path) -> None:
    for domain in ("BÜCHER.example", "bu\u0308cher.example", "xn--bcher-kva.example", "bücher。example"):
        settings = settings_of(tmp_path, f"Heron <desk@{domain}>")
        assert settings.dkim_domain == "xn--bcher-kva.example"
        assert envelope_of(settings).return_path(Person(1, "li@example.org")) == "desk@xn--bcher-kva.example"
        assert DOMAIN.validate_python(domain) == "xn--bcher-kva.example"
        assert ascii_domain(domain) == "xn--bcher-kva.example"


def test_a_reader_is_found_by_every_spelling(settings: Settings, db: Database) -> None:
    add_readers(db, 1, "bücher.example")
    spellings = ["READER1@BÜCHER.example", "reader1@xn--bcher-kva.example"]
    for text in (*spellings, "\u200ereader1@bücher.example\u00a0"):
        found = find(db, text)
        assert found is not None
        assert found.address == "reader1@xn--bcher-kva.example"
