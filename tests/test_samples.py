"""The three sample issues, sent for real: over SMTP with STARTTLS and AUTH, and to SendGrid's stand-in."""

from __future__ import annotations

import csv
import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailer.links.urls import Purpose, TokenCodec
from tests.cli import run
from tests.desk import copy_repository
from tests.servers.certificates import authority_file, server_tls
from tests.servers.sendgrid import KEY, SendGridApi
from tests.servers.smtp import SmtpServer

ROOT = Path(__file__).parents[1]
SAMPLES = sorted(path.name for path in (ROOT / "issues").glob("*.yaml"))
LONG_BASE = "https://news.example.org/" + "/".join(["a-long-folder-name"] * 30)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository as the workspace that it is, with its 200 readers imported."""
    root = copy_repository(tmp_path / "desk", "issues", "templates", "samples")
    monkeypatch.setenv("MAILER_SECRET_KEY", "k")
    ran = run(root, "subscribers", "import", "samples/readers.csv", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["added"] == 200
    return root


def readers() -> set[str]:
    with (ROOT / "samples/readers.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["email"].lower() for row in csv.DictReader(file)}


def sound(data: bytes) -> EmailMessage:
    """The message, parsed strictly, with no defect in any header or part."""
    message = email.message_from_bytes(data, policy=email.policy.strict)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        for name, value in part.items():
            assert getattr(value, "defects", ()) == (), name
    return message


def own_link(header: str, base: str) -> bytes:
    """The stable id of the subscriber whom a List-Unsubscribe header belongs to."""
    link = header.removeprefix("<").removesuffix(">")
    assert link.startswith(f"{base}/u/")
    token = TokenCodec(("k",)).read(link.rpartition("/")[2], Purpose.UNSUBSCRIBE)
    assert token is not None
    assert token.campaign_id > 0
    assert not token.is_of_test_copy
    return token.stable_id


def test_there_are_three_samples() -> None:
    assert len(SAMPLES) == 3
    assert len(readers()) == 200
    assert all(address.endswith((".org", ".com", ".net", ".test")) for address in readers())


@pytest.mark.parametrize("base", ["https://news.example.org", LONG_BASE], ids=["short", "long"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_over_smtp(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: str, base: str
) -> None:
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "secret")
    monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(authority_file(tmp_path)))
    monkeypatch.setenv("MAILER_PUBLICATION_BASE_URL", base)
    segment = "" if base != LONG_BASE else 'domain == "example.net"'
    with SmtpServer(tls=server_tls(), login=("desk", "secret")) as server:
        ran = run(
            desk,
            "send",
            f"issues/{sample}",
            "--yes",
            "--json",
            "--transport",
            server.url,
            "--segment",
            segment,
        )
        assert ran.status == 0, ran.err
        again = run(
            desk, "send", f"issues/{sample}", "--yes", "--transport", server.url, "--segment", segment
        )
        assert again.status == 0, again.err
    expected = {a for a in readers() if not segment or a.endswith("@example.net")}
    assert ran.json["counts"]["accepted"] == len(expected)
    assert len(server.received) == len(expected)
    assert {address.lower() for address in server.recipients} == expected
    assert all(received.tls and received.user == "desk" for received in server.received)
    people = set()
    for received in server.received:
        message = sound(received.data)
        assert message["To"].addresses[0].addr_spec.lower() == received.recipient.lower()
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        people.add(own_link(str(message["List-Unsubscribe"]), base))
        assert str(message["Subject"]) == ran.json["plan"]["subject"]
        html = message.get_body(("html",))
        text = message.get_body(("plain",))
        assert html is not None
        assert text is not None
        assert f"{base}/u/" in html.get_content()
        assert f"{base}/u/" in text.get_content().replace("\n", "")
    assert len(people) == len(expected)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_by_sendgrid(desk: Path, monkeypatch: pytest.MonkeyPatch, sample: str) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    with SendGridApi() as api:
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        ran = run(desk, "send", f"issues/{sample}", "--yes", "--json", "--transport", "sendgrid:")
        assert ran.status == 0, ran.err
        assert run(desk, "send", f"issues/{sample}", "--yes", "--transport", "sendgrid:").status == 0
    assert ran.json["counts"]["accepted"] == 200
    assert {address.lower() for address in api.recipients} == readers()
    assert len(api.delivered) == 200
    people = set()
    for delivered in api.delivered:
        stable_id = own_link(delivered.headers["List-Unsubscribe"], "https://news.example.org")
        assert delivered.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert delivered.subject == ran.json["plan"]["subject"]
        assert "/u/" in delivered.html
        assert "/u/" in delivered.text
        assert "@" not in "".join(delivered.custom_args.values())
        people.add(stable_id)
    assert len(people) == 200


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_is_sound(desk: Path, sample: str) -> None:
    ran = run(desk, "check", f"issues/{sample}", "--strict", "--json")
    assert ran.status == 0, ran.out + ran.err
    plan = run(desk, "plan", f"issues/{sample}", "--json").json
    assert plan["html_bytes"] < 80 * 1024
    assert plan["warnings"] == []
