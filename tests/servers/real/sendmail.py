"""Sendmail, Debian's package, unpacked. It keeps what it takes in its queue, and there we read it."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.real.accounts import accounts
from tests.servers.real.base import RealServer, Taken, find, needs_root

__all__ = ["Sendmail"]

#: In the language of m4 (cf/README of Sendmail); a rule's two halves have a tab between them.
_CONFIG = """\
include(`{cf}/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `sendmail.example.net')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`STATUS_FILE', `{folder}/statistics')dnl
define(`confPID_FILE', `{folder}/sendmail.pid')dnl
define(`ALIAS_FILE', `')dnl
define(`confDONT_BLAME_SENDMAIL', `MapInUnsafeDirPath')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confTO_IDENT', `0s')dnl
define(`confMAX_MESSAGE_SIZE', `{size}')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={port}')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`access_db', `text -k0 -v1 {folder}/access')dnl
FEATURE(`delay_checks')dnl
FEATURE(`conncontrol', `nodelay', `terminate')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
Krefused regex -a@MATCH ^<?refused
Kgreylisted regex -a@MATCH ^<?{greylisted}
LOCAL_RULESETS
SLocal_check_rcpt
R$*	$: $1 $| $(refused $1 $)
R$* $| @MATCH	$#error $@ 5.1.1 $: "550 No such user here"
R$* $| $*	$: $1 $| $(greylisted $1 $)
R$* $| @MATCH	$#error $@ 4.7.1 $: "450 Greylisted, please try again later"
R$* $| $*	$: $1
"""


class Sendmail(RealServer):
    """Submission by anybody on this machine, into the queue, which nobody runs."""

    name: ClassVar[str] = "sendmail"
    limits_messages: ClassVar[Sequence[int]] = ()
    speaks_smtputf8: ClassVar[bool] = False

    @classmethod
    def need(cls) -> None:
        needs_root("sendmail")
        cls.program()

    @classmethod
    def program(cls) -> Path:
        """Where it lies."""
        return find("sendmail/usr/libexec/sendmail/sendmail", name="sendmail")

    def configure(self) -> None:
        (self.folder / "queue").mkdir(exist_ok=True, mode=0o700)
        cf = self.program().parents[2] / "share/sendmail/cf"
        manners = self.manners
        limit = f"ClientConn:127.0.0.1\t{manners.connections}\n" if manners.connections else ""
        (self.folder / "access").write_text(limit)
        config = _CONFIG.format(
            cf=cf,
            folder=self.folder,
            port=self.port,
            size=manners.size,
            greylisted="greylisted" if manners.greylisting else "nobody-at-all$",
        )
        (self.folder / "sendmail.mc").write_text(config)
        made = subprocess.run(
            ["m4", f"-D_CF_DIR_={cf}/", self.folder / "sendmail.mc"], capture_output=True, check=True
        )
        assert b"ERROR" not in made.stderr, made.stderr
        (self.folder / "sendmail.cf").write_bytes(made.stdout)
        accounts(self.folder, {"smmta": (64104, 64104), "smmsp": (64105, 64105)})
        # It sleeps for a minute where the machine has no full name.
        (self.folder / "hosts").write_text(
            f"127.0.0.1 sendmail.example.net {socket.gethostname()} localhost\n"
        )

    def mounts(self) -> Mapping[str, Path]:
        return {f"/etc/{name}": self.folder / name for name in ("passwd", "group", "hosts")}

    def command(self) -> Sequence[str | Path]:
        return [self.program(), "-C", self.folder / "sendmail.cf", "-bD"]

    def count(self) -> int:
        return sum(control.count("\nRP") for control in self._queued())

    def taken(self) -> list[Taken]:
        return [taken for path in self._controls() for taken in self._read(path)]

    def _controls(self) -> list[Path]:
        return sorted(self.folder.glob("queue/qf*"))

    def _queued(self) -> Iterator[str]:
        for path in self._controls():
            yield path.read_text("utf-8", "replace")

    def _read(self, path: Path) -> Iterator[Taken]:
        """The envelope and the fields are in one file (`qf`), the body is in another (`df`)."""
        control = path.read_bytes()
        fields = b"".join(
            re.findall(rb"^H\?[^?]*\?(?:\?[^?]*\?)?(.*\n(?:[ \t].*\n)*)", control, re.MULTILINE)
        )
        fields = re.sub(rb"^Return-Path:.*\n", b"", fields, flags=re.IGNORECASE)  # a pattern, not yet a field
        body = path.with_name("d" + path.name[1:]).read_bytes()
        sender = re.findall(rb"^S<?(.*?)>?$", control, re.MULTILINE)[0].decode()
        for recipient in re.findall(rb"^R[^:\n]*:<?(.*?)>?$", control, re.MULTILINE):
            yield Taken(sender, recipient.decode(), fields + b"\n" + body)
