"""A workspace for a benchmark: one edition of about 40 KB, and as many readers as are asked for.

The list is read in by `mailer subscribers import`, so that nothing here knows how it is kept.
`Workspace.fresh` gives a copy in which nothing was sent yet.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.measuring import run
from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.render import render_variants

__all__ = ["CONNECTIONS", "ISSUE", "KEY", "MAILER", "Workspace", "address", "environment", "name"]

ROOT = Path(__file__).parents[1]
#: The command line, as a process of its own.
MAILER = (sys.executable, str(ROOT / "cli.py"))
#: Where the issue lies within the workspace.
ISSUE = "issues/evening.yaml"
KEY = "bench-bench-bench-bench-bench-bench"
CONNECTIONS = 16
_NAMES = ("Ana Silva", "Jo O'Neill", "Chen Jing", "Mary Ann Fields", "Tom Ng", "Li Wei", "Noor Haddad")
_DOMAINS = 2000
_CONFIG = """\
[publication]
name = "Harbour Brief"
from = "Harbour Brief <desk@news.example.org>"
postal_address = "12 Quay Street, Port Example 200080"
base_url = "https://news.example.org"

[editions.evening]
name = "Evening Brief"
layout = "evening"
language = "en"

[delivery]
connections = {connections}
"""


def address(number: int) -> str:
    """The address of a reader, by number from 1."""
    return f"reader{number}@d{number * 7919 % _DOMAINS}.example.org"


def name(number: int) -> str:
    """The name of a reader, by number from 1."""
    return _NAMES[number % len(_NAMES)]


def environment(**more: str) -> dict[str, str]:
    """What `mailer` is run with. Settings of this machine's own do not count."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAILER_")}
    return {**kept, "MAILER_SECRET_KEY": KEY, **more}


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with mailer.toml, the issue and subscribers.db."""

    root: Path
    readers: int
    connections: int = CONNECTIONS

    @classmethod
    def make(cls, root: Path, readers: int, *, connections: int = CONNECTIONS) -> Workspace:
        """Writes it all; 100,000 readers take about five seconds. Raises Failed where the import does."""
        (root / "issues").mkdir(parents=True)
        (root / "mailer.toml").write_text(_CONFIG.format(connections=connections), encoding="utf-8")
        shutil.copy(Path(__file__).with_name("edition.yaml"), root / ISSUE)
        with (root / "list.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["email", "name", "language", "joined"])
            writer.writerows((address(n), name(n), "en", "2025-06-17") for n in range(1, readers + 1))
        workspace = cls(root, readers, connections)
        run((*workspace.mailer, "subscribers", "import", "list.csv"), env=environment(), cwd=root)
        return workspace

    @property
    def mailer(self) -> tuple[str, ...]:
        """The beginning of a command in this workspace."""
        return (*MAILER, "--workspace", str(self.root))

    def sign(self, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        """From now on every message is signed with this key (DKIM)."""
        folder = self.root / ".dkim"
        folder.mkdir(exist_ok=True)
        path = folder / "bench.pem"
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        config = _CONFIG.format(connections=self.connections)
        config += '\n[dkim]\nkeys = { bench = ".dkim/bench.pem" }\n'
        (self.root / "mailer.toml").write_text(config, encoding="utf-8")

    def fresh(self, root: Path) -> Workspace:
        """A copy of it at `root`, where another sending can begin."""
        shutil.copytree(self.root, root)
        return Workspace(root, self.readers, self.connections)

    def message(self, reader: str = "") -> bytes:
        """What the first reader is sent over SMTP: the bytes on the wire, but for the dots."""
        settings = load_settings(self.root, {"MAILER_SECRET_KEY": KEY})
        slug = "2026-11-21-evening"
        loaded = load_issue(self.root / ISSUE, settings)
        rendition = render_variants(loaded, settings, slug=slug, variants=[0])[0]
        envelope = Envelope(settings, campaign_id=1, slug=slug, edition="evening", sent_at=datetime.now(UTC))
        person = Person(1, address(1), reader or name(1), "en")
        return Message(MessageTemplate(rendition, envelope), person).raw()
