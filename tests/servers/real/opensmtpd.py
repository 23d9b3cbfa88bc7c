"""OpenSMTPD, Debian's package, unpacked. Its paths are fixed, so folders are mounted over the machine's."""

from __future__ import annotations

import pwd
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.real.accounts import accounts
from tests.servers.real.base import RealServer, Taken, find, needs_root
from tests.servers.real.maildir import read_maildir

__all__ = ["OpenSmtpd", "OpenSmtpdForUsers"]

_CONFIG = """\
filter refused phase rcpt-to match rcpt-to regex {{ "^refused" }} reject "550 5.1.1 No such user here"
filter greylisted phase rcpt-to match rcpt-to regex {{ "{greylisted}" }} \\
    reject "450 4.7.1 Greylisted, please try again later"
filter recipients chain {{ refused, greylisted }}
listen on 127.0.0.1 port {port} hostname opensmtpd.example.net filter recipients
smtp max-message-size {size}
smtp limit max-mails {messages}
table everybody {{ "@" = "nobody" }}
action box maildir "{folder}/box" virtual <everybody>
match {who} from any for any action box
"""


class OpenSmtpd(RealServer):
    """Submission by anybody on this machine, into one Maildir."""

    name: ClassVar[str] = "opensmtpd"
    limits_messages: ClassVar[Sequence[int]] = (452,)
    limits_connections: ClassVar[bool] = False
    speaks_smtputf8: ClassVar[bool] = False
    #: Whose mail it takes.
    who: ClassVar[str] = "!auth"

    @classmethod
    def need(cls) -> None:
        needs_root("opensmtpd")
        cls.program()

    @classmethod
    def program(cls) -> Path:
        """Where it lies."""
        return find("opensmtpd/usr/sbin/smtpd", name="opensmtpd")

    def configure(self) -> None:
        for name in ("spool/smtpd", "run", "lib/opensmtpd/empty", "box"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        nobody = pwd.getpwnam("nobody")
        shutil.chown(self.folder / "box", nobody.pw_uid, nobody.pw_gid)
        (self.folder / "spool/smtpd").chmod(0o711)
        manners = self.manners
        config = _CONFIG.format(
            folder=self.folder,
            who=self.who,
            port=self.port,
            messages=manners.messages or 1000,
            size=manners.size or "35M",
            greylisted="^greylisted" if manners.greylisting else "^nobody-at-all$",
        )
        path = self.folder / "smtpd.conf"
        path.write_text(config)
        path.chmod(0o600)
        accounts(self.folder, {"opensmtpd": (64102, 64102), "opensmtpq": (64103, 64103)})

    def mounts(self) -> Mapping[str, Path]:
        return {
            "/etc/passwd": self.folder / "passwd",
            "/etc/group": self.folder / "group",
            "/usr/libexec": self.program().parents[1] / "libexec",
            "/var/lib": self.folder / "lib",
            "/var/spool": self.folder / "spool",
            "/run": self.folder / "run",
        }

    def command(self) -> Sequence[str | Path]:
        return [self.program(), "-d", "-f", self.folder / "smtpd.conf"]

    def _said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def count(self) -> int:
        self._settle()
        return len(re.findall(r" mda delivery .*result=Ok", self._said()))

    def taken(self) -> list[Taken]:
        self._settle()
        return read_maildir(self.folder / "box", recipient="Delivered-To")

    def _settle(self) -> None:
        def done() -> bool:
            said = self._said()
            return len(re.findall(r" smtp message ", said)) == len(re.findall(r" mda delivery ", said))

        self.settle(done)


class OpenSmtpdForUsers(OpenSmtpd):
    """It takes mail from people who are logged in, and has no way to log in."""

    name: ClassVar[str] = "opensmtpd-for-users"
    who: ClassVar[str] = "auth"
