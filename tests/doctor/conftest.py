"""A small internet on loopback: a nameserver, a web server and a mail server, all in good order.

.alt is a top-level domain that the real DNS never has (RFC 9476). The addresses are public ones, and lead to
loopback here; any other connection is refused.
"""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mailer.config import Settings, load_settings
from mailer.doctor.dns.resolver import DnsResolver
from mailer.store.database import open_store
from mailer.transports.finding import Finding
from tests.cli import Ran, run
from tests.servers.certificates import authority_file, server_tls
from tests.servers.dns import DnsServer, Zones
from tests.servers.smtp import SmtpServer
from tests.servers.web import WebServer

DOMAIN = "news.harbour.alt"
HOST = "mail.harbour.alt"
WEB_ADDRESS, MAIL_ADDRESS = "44.0.0.1", "44.0.0.2"
KEY_RECORD = f"s2026._domainkey.{DOMAIN}"


def txt(value: str) -> str:
    """A TXT value as in a zone file, cut into strings."""
    return " ".join(f'"{value[start : start + 200]}"' for start in range(0, len(value), 200))


def make_key(path: Path, bits: int = 2048) -> str:
    """Writes a private key; gives the p= of its public half."""
    key = generate_private_key(65537, bits)
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


@dataclass
class World:
    """The workspace and what surrounds it. Change what is to be wrong, then look."""

    root: Path
    dns: DnsServer
    web: WebServer
    smtp: SmtpServer
    public_key: str

    @property
    def zones(self) -> Zones:
        return self.dns.zones

    @property
    def resolver(self) -> DnsResolver:
        return DnsResolver(self.dns.address, server_seconds=0.2, seconds=0.4)

    @property
    def settings(self) -> Settings:
        return load_settings(self.root)

    def configure(self, pattern: str, replacement: str) -> None:
        """Replaces a line of mailer.toml."""
        path = self.root / "mailer.toml"
        changed, count = re.subn(pattern, replacement, path.read_text(), flags=re.MULTILINE)
        assert count, pattern
        path.write_text(changed)

    def doctor(self, *words: str) -> Ran:
        return run(self.root, "doctor", *words)

    def found(self, name: str) -> list[dict[str, str]]:
        """What the command finds under `name`."""
        return [check for check in self.doctor("--json").json["checks"] if check["name"] == name]


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A private key, made once, and the p= of its public half."""
    path = tmp_path_factory.mktemp("keys") / "s2026.pem"
    return path, make_key(path)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_file: tuple[Path, str]) -> Iterator[World]:
    root = tmp_path / "workspace"
    root.mkdir()
    pem, public_key = key_file
    key = root / "s2026.pem"
    key.touch(mode=0o600)
    key.write_bytes(pem.read_bytes())
    zones: Zones = {
        DOMAIN: {
            "A": [WEB_ADDRESS],
            "TXT": [txt("some-verification=1"), txt(f"v=spf1 a:{HOST} ~all")],
            "MX": [f"10 {HOST}."],
        },
        "harbour.alt": {},
        HOST: {"A": [MAIL_ADDRESS]},
        "2.0.0.44.in-addr.arpa": {"PTR": [f"{HOST}."]},
        "_dmarc.harbour.alt": {"TXT": [txt("v=DMARC1; p=quarantine; rua=mailto:dmarc@harbour.alt")]},
        KEY_RECORD: {"TXT": [txt(f"v=DKIM1; k=rsa; p={public_key}")]},
    }
    with (
        DnsServer(zones) as dns,
        WebServer({"/healthz": (200, "ok\n")}, tls=server_tls(DOMAIN)) as web,
        SmtpServer(tls=server_tls(HOST), login=("desk", "secret")) as smtp,
    ):
        (root / "mailer.toml").write_text(
            f"""\
[publication]
name = "Harbour Brief"
from = "Harbour Brief <desk@{DOMAIN}>"
postal_address = "Harbour Brief, 12 Quay Street, 20457 Hamburg"
base_url = "https://{DOMAIN}:{web.port}"

[editions.morning]
name = "Morning"

[delivery]
transport = "smtp://desk@{HOST}:{smtp.port}"

[dkim]
keys = {{ s2026 = "s2026.pem" }}
"""
        )
        open_store(root / "subscribers.db").conn.close()
        monkeypatch.setenv("MAILER_DNS_SERVER", dns.setting)
        monkeypatch.setenv("MAILER_SECRET_KEY", "correct-horse-battery-staple-0123456789")
        monkeypatch.setenv("MAILER_SMTP_PASSWORD", "secret")
        monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(authority_file(tmp_path)))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority_file(tmp_path)))
        _lead_to_loopback(monkeypatch)
        yield World(root, dns, web, smtp, public_key)


def _lead_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, look_up = socket.create_connection, socket.getaddrinfo

    def lead(host: str) -> str:
        if host in (DOMAIN, HOST, WEB_ADDRESS, MAIL_ADDRESS, "127.0.0.1", "localhost"):
            return "127.0.0.1"
        raise ConnectionRefusedError(f"no way to {host} in a test")

    def to_loopback(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        return connect((lead(address[0]), address[1]), *rest, **more)

    def look_up_here(host: str, *rest: Any, **more: Any) -> Any:
        if host == "away.harbour.alt":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return look_up("127.0.0.1" if host in (DOMAIN, HOST) else host, *rest, **more)

    monkeypatch.setattr(socket, "create_connection", to_loopback)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


def lines(findings: Iterator[Finding] | list[Finding]) -> list[str]:
    """Findings as `status message`, for comparing."""
    return [f"{finding.status} {finding.message}" for finding in findings]
