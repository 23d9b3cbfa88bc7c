"""The settings by provider in docs/transports.md are settings that load."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailer.config import load_settings
from mailer.config.model import Delivery
from mailer.config.urls import split_url
from mailer.delivery.transports import open_transport

DOCUMENT = Path(__file__).parent.parent / "docs" / "transports.md"
SECTION = DOCUMENT.read_text("utf-8").partition("## Settings by provider\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```toml\n(.*?)```", SECTION, re.S)
#: What a workspace has beside what the providers differ in.
REST = """\
name = "Heron Notes"
postal_address = "Heron Notes, 3 Reed Lane, Marshby"
base_url = "https://heron.example"
"""
#: Services where the user is not the sender.
OTHER_USER = ("amazonaws.com", "mail.heron.example")
LOADED = [block for block in BLOCKS if "[delivery.oauth]" not in block or "oauth" in Delivery.model_fields]


def test_every_provider_has_a_block_and_a_page_of_its_own() -> None:
    parts = re.split(r"^### ", SECTION, flags=re.M)[1:]
    assert len(parts) == 8
    for part in parts:
        assert "```toml\n" in part, part[:40]
        assert re.search(r"Pages?:\s+\[[^]]+\]\(https://", part), part[:40]


@pytest.mark.parametrize("block", LOADED, ids=lambda block: re.search(r"@([^@\s\"]+)\"\n", block)[1])
def test_a_block_loads_and_its_user_may_write_from_there(
    tmp_path: Path, block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "x")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": "mailer@heron-notes.example", "private_key": pem}
    (tmp_path / "key.json").write_text(json.dumps(account), "utf-8")
    monkeypatch.setenv("MAILER_OAUTH_CLIENT_SECRET", "x")
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
