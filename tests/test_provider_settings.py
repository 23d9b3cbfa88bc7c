"""The settings by provider in docs/providers.md are settings that load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailer.config import load_settings
from mailer.config.urls import split_url
from mailer.transports.registry import open_transport

DOCS = Path(__file__).parent.parent / "docs"
PARTS = re.split(r"^## ", (DOCS / "providers.md").read_text("utf-8"), flags=re.M)[1:]
TABLE = re.compile(r"\[delivery\.oauth\]\n(?:[^\[\n].*\n)*\n?")


def blocks_of(part: str) -> Iterator[str]:
    """The blocks of one provider, whole: one with [delivery.oauth] alone belongs into the first."""
    first, *more = re.findall(r"```toml\n(.*?)```", part, re.S)
    yield first
    for block in more:
        yield block if "[publication]" in block else f"{TABLE.sub('', first)}\n{block}"


BLOCKS = [block for part in PARTS for block in blocks_of(part)]
#: What a workspace has beside what the providers differ in.
REST = """\
name = "Heron Notes"
postal_address = "Heron Notes, 3 Reed Lane, Marshby"
base_url = "https://heron.example"
"""
#: Services where the user is not the sender.
OTHER_USER = ("amazonaws.com", "mail.heron.example")


def name_of(block: str) -> str:
    found = re.search(r"@([^@\s\"]+)\"\n", block)
    grant = re.search(r"grant = \"(.*)\"", block)
    return f"{found[1] if found else ''} {grant[1] if grant else ''}".strip()


def test_every_provider_has_a_block_and_a_page_of_its_own() -> None:
    assert len(PARTS) == 8
    for part in PARTS:
        assert "```toml\n" in part, part[:40]
        assert re.search(r"Pages?:\s+\[[^]]+\]\(https://", part), part[:40]


@pytest.mark.parametrize("block", BLOCKS, ids=name_of)
def test_a_block_loads_and_its_user_may_write_from_there(
    tmp_path: Path, block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "x")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": "mailer@heron-notes.example", "private_key": pem}
    (tmp_path / "key.json").write_text(json.dumps(account), "utf-8")
    monkeypatch.setenv("MAILER_OAUTH_CLIENT_SECRET", "x")
    monkeypatch.setenv("MAILER_OAUTH_REFRESH_TOKEN", "x")
    monkeypatch.setenv("MAILER_OAUTH_KEY_FILE", str(tmp_path / "key.json"))
    text = block.replace("[publication]\n", f"[publication]\n{REST}", 1)
    (tmp_path / "mailer.toml").write_text(f'{text}\n[editions.morning]\nname = "Morning"\n', "utf-8")
    settings = load_settings(tmp_path)
    url = split_url(settings.delivery.transport)
    assert url.port == (465 if url.scheme == "smtps" else 587)
    assert url.username
    if not (url.hostname or "").endswith(OTHER_USER):
        assert unquote(url.username) == settings.publication.sender.address
        assert settings.delivery.return_path is None
    assert settings.pace.limit or settings.pace.warm_up
    assert open_transport(settings.delivery.transport, settings).concurrency >= settings.delivery.connections


def test_the_block_of_another_provider_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_OAUTH_CLIENT_SECRET", "x")
    (block,) = re.findall(r"```toml\n(.*?)```", (DOCS / "smtp.md").read_text("utf-8"), re.S)
    first = next(blocks_of(PARTS[-1])).replace("[publication]\n", f"[publication]\n{REST}", 1)
    (tmp_path / "mailer.toml").write_text(
        f'{first}\n{block}\n[editions.morning]\nname = "Morning"\n', "utf-8"
    )
    settings = load_settings(tmp_path)
    assert settings.delivery.oauth is not None
    assert open_transport(settings.delivery.transport, settings).concurrency


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_links_between_pages_lead_somewhere(page: Path) -> None:
    for name, anchor in re.findall(r"\]\(((?:[\w./-]+\.(?:md|py))?)#?([\w-]*)\)", page.read_text("utf-8")):
        target = (page.parent / name) if name else page
        assert target.exists(), name
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.M)
            known = [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
            assert anchor in known, f"{name}#{anchor}"
