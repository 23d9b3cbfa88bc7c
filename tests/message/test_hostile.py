"""Whatever a subscriber, an issue or the configuration holds: the same header fields, whole lines, no dot."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.config import Mailbox, Settings, TextByLanguage
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.rendition import Rendition
from mailer.render.slots import slots
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext, escape_for_context
from mailer.transports.sendgrid.request import REFERENCE, RequestTemplate, encoded_header_value

#: What has broken mailers before, more often than by chance.
NASTY = st.sampled_from('. \t\r\n=\x00\x0b\x0c\x1c\x1d\x1e\x1f\x7f\x85\u2028\u2029\ufeff"\\<>@;,:?_-{}F')
ANY = st.text(NASTY | st.characters(exclude_categories=["Cs"]), max_size=200)
LINE = ANY.map(lambda text: re.sub(r"[\x00-\x1f\x7f]", "", text).strip())
LOCAL = st.text(st.sampled_from("abc.+'\"李é=?_"), min_size=1, max_size=60)
PATHS = st.sampled_from(
    [("subscriber.name",), ("subscriber.attributes.url", "subscriber.name"), ("links.unsubscribe",)]
)
SLOTS = st.builds(Slot, PATHS, ANY, st.sampled_from(list(SlotContext)))
PARTS = st.lists(st.tuples(ANY, SLOTS), max_size=4).flatmap(
    lambda pairs: ANY.map(
        lambda end: RenditionPart((*(text for text, _ in pairs), end), tuple(slot for _, slot in pairs))
    )
)
FIELDS = (
    *("Date", "Message-ID", "From", "To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"),
    *("List-Help", "List-Archive", "List-Post", "Feedback-ID", "Precedence", "Content-Language"),
    *("MIME-Version", "Content-Type"),
)


def envelope(settings: Settings, sender: str, edition: str) -> Envelope:
    publication = settings.publication.model_copy(
        update={"sender": Mailbox(name=sender, address="desk@news.example.org"), "reply_to": None}
    )
    editions = {
        "morning": settings.editions["morning"].model_copy(update={"name": TextByLanguage(edition or "M")})
    }
    changed = settings.model_copy(update={"publication": publication, "editions": MappingProxyType(editions)})
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return Envelope(changed, campaign_id=7, slug="2026-11-21-morning", edition="morning", sent_at=at)


@hypothesis_settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(name=ANY, url=ANY, sender=LINE, edition=LINE, local=LOCAL, parts=st.tuples(PARTS, PARTS, PARTS))
@example(
    ".",
    ".\r\n.\r\n",
    "." * 900,
    "m" * 3000,
    "li",
    (RenditionPart((".",)), RenditionPart((".\n.",)), RenditionPart(("\n.",))),
)
@example(
    "a" * 900,
    "",
    "é" * 900,
    "é" * 3000,
    "li",
    (RenditionPart((".",)), RenditionPart((".\n.",)), RenditionPart(("\n.",))),
)
def test_a_message_is_whole(
    settings: Settings,
    name: str,
    url: str,
    sender: str,
    edition: str,
    local: str,
    parts: tuple[RenditionPart, RenditionPart, RenditionPart],
) -> None:
    shared = envelope(settings, sender, edition)
    person = Person(12, f"{local}@example.org", name, "zh", {"url": f"https://{url}"})
    message = Message(MessageTemplate(Rendition(0, "zh", *parts, "", "theme"), shared), person)

    raw = message.raw()
    lines = raw.split(b"\r\n")
    assert not [line for line in lines if line.startswith(b".")]
    assert not [line for line in lines if re.search(rb"[\r\n\0]", line)]
    assert max(map(len, lines)) <= 998
    head = raw.partition(b"\r\n\r\n")[0].decode()
    assert tuple(line.partition(":")[0] for line in head.split("\r\n") if line[0] != " ") == FIELDS

    form = RequestTemplate(message)
    own = form.personalization(message)
    document = json.loads(form.request_body([own, own]))
    shown_name = re.sub(r"[;,]", " ", message.name).strip()
    headers = {
        **{field: encoded_header_value(field, value) for field, value in shared.shared_headers},
        "Content-Language": "zh",
        "Message-ID": message.message_id,
        **message.headers,
    }
    wanted = {
        "to": [{"email": message.address, **({"name": shown_name} if shown_name else {})}],
        "headers": headers,
        "custom_args": {REFERENCE: message.reference},
    }
    filled = {tag: slot.fill(message.values) for slot, tag in form._slots.items()}
    assert document["personalizations"] == [{**wanted, **({"substitutions": filled} if filled else {})}] * 2
    assert own == json.dumps(document["personalizations"][0], separators=(",", ":"))
    assert all(value.isascii() and value.isprintable() for value in headers.values())


@given(ANY, st.sampled_from([SlotContext.HTML, SlotContext.ATTRIBUTE, SlotContext.HREF, SlotContext.URL]))
def test_no_value_leaves_its_place(value: str, context: SlotContext) -> None:
    for text in (value, f"https://{value}", f"javascript:{value}"):
        filled = escape_for_context(text, context)
        assert not set(filled) & set("<>\"'")
        assert context is not SlotContext.HREF or filled.startswith(("https://", "http://", "#"))


@given(st.from_regex(r"(?:https?://)?[\w @.:/+-]*", fullmatch=True), st.sampled_from(list(SlotContext)))
def test_the_short_way_of_escaping_gives_what_the_long_way_gives(value: str, context: SlotContext) -> None:
    short = escape_for_context(value, context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "_PLAIN", re.compile(r"(?!)"))
        patch.setattr(slots, "_PLAIN_LETTERS", re.compile(r"(?!)"))
        assert escape_for_context(value, context) == short
