"""Every request that is made, against the vendor's own description of the API.

The description is not part of this repository: it is looked for in `../shared/data`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mailer.config import Mailbox, Settings
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart
from mailer.transports.base import OutgoingMessage
from mailer.transports.sendgrid.request import RequestTemplate
from mailer.transports.sendgrid.transport import SendGrid
from tests.cli import run
from tests.message.test_message import SENT, simple
from tests.needs import missing
from tests.servers.sendgrid import KEY, SendGridApi, problems
from tests.transports.outgoing import FakeEnvelope, FakeMessage, fake_rendition, messages

DESCRIPTION = Path(__file__).parents[3] / "shared" / "data" / "sendgrid-mail.json"
ISSUE = "issues/issue.yaml"
TEXT = "edition: evening\ndate: 2026-11-21\nitems:\n  - title: Cranes stand still\n    body: Quiet.\n"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The body of POST /v3/mail/send as JSON Schema, closed: a property that it does not name is an error."""
    if not DESCRIPTION.exists():
        missing("../shared/data/sendgrid-mail.json")
    described = json.loads(DESCRIPTION.read_text("utf-8"))
    name = described["paths"]["/v3/mail/send"]["post"]["requestBody"]["$ref"].rpartition("/")[2]
    body = described["components"]["requestBodies"][name]["content"]["application/json"]["schema"]
    closed = _closed(copy.deepcopy(body))
    closed["components"] = {"schemas": _closed(copy.deepcopy(described["components"]["schemas"]))}
    jsonschema.Draft202012Validator.check_schema(closed)
    return closed


def _closed(part: Any) -> Any:
    if isinstance(part, dict):
        for value in part.values():
            _closed(value)
        if isinstance(part.get("properties"), dict):
            part.setdefault("additionalProperties", False)
    if isinstance(part, list):
        for value in part:
            _closed(value)
    return part


def check(schema: dict[str, Any], document: Any) -> None:
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(document)] == []
    assert problems(document) == []


def request_for(batch: Sequence[OutgoingMessage]) -> Any:
    form = RequestTemplate(batch[0])
    return json.loads(form.request_body([form.personalization(message) for message in batch]))


def test_the_check_finds_what_is_wrong(schema: dict[str, Any]) -> None:
    for spoil in (
        lambda d: d["personalizations"][0].update(to=[{"name": "x"}]),
        lambda d: d["personalizations"][0]["substitutions"].update(x=1),
        lambda d: d.update(subject=""),
        lambda d: d["mail_settings"].update(sandbox={"enable": False}),
        lambda d: d["tracking_settings"]["ganalytics"].update(enable="no"),
        lambda d: d.update(personalizations=d["personalizations"] * 1001),
    ):
        document = request_for(messages(1))
        check(schema, document)
        spoil(document)
        with pytest.raises(AssertionError):
            check(schema, document)


PLAIN = Rendition(0, "en", RenditionPart(("S",)), RenditionPart(("<p>H</p>",)), RenditionPart(("",)), "", "t")
WIDE = Mailbox(name="晨报, “Desk”; Ж", address="desk@新闻.example.org")
CATEGORIES = FakeEnvelope(
    shared_headers=(
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", '"晨报" <morning.example.org>'),
        ("Feedback-ID", "2026-11-21:morning:mailer:example"),
        ("X-Category", "морнинг"),
    )
)


@pytest.mark.parametrize(
    "batch",
    [
        messages(1),
        messages(2),
        messages(1000),
        messages(3, rendition=fake_rendition(1, "Зима 冬 👩‍👩‍👧 \u202e \x00 \ud7ff")),
        [FakeMessage(rendition=PLAIN)],
        [FakeMessage(envelope=FakeEnvelope(sender=WIDE, reply_to=WIDE))],
        [FakeMessage(envelope=FakeEnvelope(reply_to=None))],
        [FakeMessage(envelope=CATEGORIES)],
        [FakeMessage(name="")],
        [
            FakeMessage(n, f"reader{n}@example.org", name=name)
            for n, name in enumerate(
                ("王小明", "Smith; John, Jr.", '"', "\\", "-x-", "ё" * 900, ";", "👩‍👩‍👧")
            )
        ],
        [FakeMessage(1, "o'brien+news/x={y}@xn--fsq.example.org"), FakeMessage(2, '"a b"@example.org')],
    ],
    ids=lambda batch: f"{len(batch)}",
)
def test_a_request_is_as_described(batch: Sequence[OutgoingMessage], schema: dict[str, Any]) -> None:
    document = request_for(batch)
    validator = jsonschema.Draft202012Validator(schema)
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(document)] == []
    assert len(document["personalizations"]) == len(batch)


def test_a_message_of_the_delivery_loop_is_as_described(settings: Settings, schema: dict[str, Any]) -> None:
    envelope = Envelope(settings, campaign_id=7, slug="2026-11-21-morning", edition="morning", sent_at=SENT)
    template = MessageTemplate(simple(), envelope)
    people = [Person(n, f"reader{n}@example.org", name, "zh") for n, name in enumerate(("", "王", "A; B"))]
    check(schema, request_for([Message(template, person, 1) for person in people]))


def test_requests_of_every_kind_that_a_fault_makes_are_as_described(schema: dict[str, Any]) -> None:
    with SendGridApi() as api:
        bad = {"errors": [{"message": "bad", "field": "personalizations.3.to.0.email"}]}
        for status, body in ((413, b""), (429, b""), (400, bad)):
            api.answer(status, body)
        channel = SendGrid(api.url, KEY, sleep=lambda _: False).channel()
        channel.send(messages(2001))
        channel.close()
        assert len(api.requests) == 8
        for document in api.requests:
            check(schema, document)


def test_a_campaign_and_a_test_copy_are_as_described(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, schema: dict[str, Any]
) -> None:
    (workspace / ISSUE).write_text(TEXT)
    rows = "\n".join(f"reader{i}@example.org,Reader {i} 王" for i in range(1, 1002))
    (workspace / "readers.csv").write_text(f"email,name\n{rows}\n")
    assert run(workspace, "subscribers", "import", "readers.csv").status == 0
    with SendGridApi() as api:
        monkeypatch.setenv("SENDGRID_API_KEY", KEY)
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        by = ("--transport", "sendgrid:")
        copied = run(workspace, "send", ISSUE, *by, "--test", "me@example.org", "--test", "you@例え.jp")
        assert copied.status == 0, copied.err
        sent = run(workspace, "send", ISSUE, "--yes", *by)
        assert sent.status == 0, sent.err
        assert sorted(len(d["personalizations"]) for d in api.requests) == [1, 1, 1, 1000]
        assert api.requests[0]["subject"].startswith("[Test] ")
        for document in api.requests:
            check(schema, document)
