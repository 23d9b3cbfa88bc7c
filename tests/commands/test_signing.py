"""`plan`, `send`, `send --test` and what goes on later, with `[dkim]` in mailer.toml."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.message.dkim import Signer
from mailer.transports.registry import signer_for_transport
from tests.cli import run
from tests.commands.test_sending import READERS, TEXT
from tests.desk import ISSUE
from tests.servers.sendgrid import KEY, SendGridApi
from tests.servers.smtp import SmtpServer
from tests.signing import ED25519, RSA, ed25519_key, pem, rsa_key, signatures, verified, write_key

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.name for path in (ROOT / "issues").glob("*.yaml"))
SECTION = f'[dkim]\nkeys = {{ {RSA} = ".dkim/{RSA}.pem", {ED25519} = ".dkim/{ED25519}.pem" }}\n'

pytestmark = pytest.mark.desk(readers=READERS, text=TEXT)


def keyed(desk: Path, section: str = SECTION) -> Path:
    """The desk with keys, in place of those that it had."""
    config = desk / "mailer.toml"
    text = re.split(r"^\[dkim\]$", config.read_text("utf-8"), flags=re.MULTILINE)[0]
    config.write_text(text + section, encoding="utf-8")
    write_key(desk / f".dkim/{RSA}.pem", pem(rsa_key()))
    write_key(desk / f".dkim/{ED25519}.pem", pem(ed25519_key()))
    return desk


@pytest.fixture
def desk(desk: Path) -> Path:
    """A workspace with an issue, four readers and two keys."""
    return keyed(desk)


def signer(desk: Path) -> Signer:
    found = signer_for_transport("smtp:", load_settings(desk))
    assert found is not None
    return found


def untouched(desk: Path) -> bool:
    """Whether nothing was frozen and nothing sent."""
    assert run(desk, "campaigns", "list", "--json").json == []
    return not (desk / "campaigns").exists() and not (desk / "outbox").exists()


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_that_is_sent_to_an_outbox_verifies(tmp_path: Path, sample: str) -> None:
    root = tmp_path / "desk"
    root.mkdir()
    shutil.copy(ROOT / "mailer.toml", root)
    for folder in ("issues", "templates", "samples"):
        shutil.copytree(ROOT / folder, root / folder)
    assert run(root, "subscribers", "import", "samples/readers.csv").status == 0
    keyed(root)
    ran = run(root, "send", f"issues/{sample}", "--yes", "--json")
    assert ran.status == 0, ran.err
    files = sorted((root / "outbox").glob("*.eml"))
    assert len(files) == 200
    for path in files[::8]:
        assert verified(path.read_bytes(), signer(root)) == [True, True], path.name
    assert all(path.read_bytes().count(b"\r\nDKIM-Signature: ") == 1 for path in files)


def test_a_test_copy_is_signed(desk: Path) -> None:
    with SmtpServer() as server:
        ran = run(desk, "send", ISSUE, "--test", "editor@example.org", "--transport", server.url)
        assert ran.status == 0, ran.err
    (received,) = server.received
    assert b"[Test] " in received.data
    assert verified(received.data, signer(desk)) == [True, True]


@pytest.mark.parametrize("words", [("plan",), ("send", "--yes"), ("send", "--test", "a@example.org")])
def test_a_key_of_no_use_is_told_before_anything_happens(desk: Path, words: tuple[str, ...]) -> None:
    (desk / f".dkim/{ED25519}.pem").unlink()
    (desk / f".dkim/{RSA}.pem").chmod(0o644)
    ran = run(desk, words[0], ISSUE, *words[1:])
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err == (
        f".dkim/{RSA}.pem: the DKIM key of {RSA} can be read or changed by everybody on this machine; "
        f"run `chmod 600 .dkim/{RSA}.pem`\n"
        f".dkim/{ED25519}.pem: the DKIM key of {ED25519} does not exist; create the file, or remove it from "
        "[dkim] keys in mailer.toml\n"
    )
    assert untouched(desk)


def test_what_goes_on_later_is_signed_with_the_keys_of_then(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_DELIVERY_CONNECTIONS", "1")
    with SmtpServer() as server:
        server.fail("MAIL", "reply", "530 5.7.0 Authentication required", after=1)
        ran = run(desk, "send", ISSUE, "--yes", "--transport", server.url)
        assert ran.status == 1
        assert len(server.received) == 1
        before = signer(desk)
        keyed(desk, '[dkim]\ndomain = "example.org"\nkeys = { next = ".dkim/next.pem" }\n')
        refused = run(desk, "send", ISSUE, "--yes", "--transport", server.url)
        assert refused.status == 2
        assert ".dkim/next.pem: the DKIM key of next does not exist" in refused.err
        assert len(server.received) == 1
        write_key(desk / ".dkim/next.pem", pem(rsa_key(number=1)))
        again = run(desk, "send", ISSUE, "--yes", "--transport", server.url)
        assert again.status == 0, again.err
    first, last = server.received[:1], server.received[1:]
    assert len(last) == 3
    assert all(verified(received.data, before) == [True, True] for received in first)
    for received in last:
        assert [(tags["s"], tags["d"]) for tags in signatures(received.data)] == [("next", "example.org")]
        assert verified(received.data, signer(desk)) == [True]


def test_sendgrid_signs_by_itself_and_needs_no_key(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(desk / ".dkim")
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    with SendGridApi() as api:
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        ran = run(desk, "send", ISSUE, "--yes", "--transport", "sendgrid:")
    assert ran.status == 0, ran.err
    assert len(api.delivered) == 4
    assert not any("DKIM-Signature" in delivered.headers for delivered in api.delivered)


def test_a_domain_that_dmarc_cannot_count_is_a_warning(desk: Path) -> None:
    warning = "dkim.domain provider.example does not align with news.example.org, the domain of From"
    assert warning not in run(desk, "plan", ISSUE).out
    keyed(desk, SECTION.replace("[dkim]", '[dkim]\ndomain = "provider.example"'))
    ran = run(desk, "plan", ISSUE, "--json")
    assert ran.status == 0, ran.err
    assert any(line.startswith(warning) for line in ran.json["warnings"])
    assert warning not in run(desk, "plan", ISSUE, "--transport", "sendgrid:").out


def test_no_key_is_in_what_a_campaign_keeps_or_prints(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes", "--json")
    assert ran.status == 0, ran.err
    secret = pem(ed25519_key()).decode().split("\n")[1]
    assert secret not in ran.out + ran.err
    kept = [path for folder in ("campaigns", ".mailer", "outbox") for path in (desk / folder).rglob("*")]
    assert all(secret.encode() not in path.read_bytes() for path in kept if path.is_file())
