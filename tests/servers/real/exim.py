"""Exim, Debian's light daemon, unpacked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from tests.servers.real.accounts import accounts
from tests.servers.real.base import RealServer, Taken, find, needs_root
from tests.servers.real.maildir import read_maildir

__all__ = ["Exim"]

_CONFIG = """\
exim_path = {program}
primary_hostname = exim.example.net
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
acl_smtp_rcpt = recipient
smtp_accept_max = {connections}
smtp_accept_max_per_connection = {messages}
smtp_accept_queue_per_connection = 0
queue_only_load = 1000
message_size_limit = {size}
{smtputf8}
tls_advertise_hosts =
never_users =

begin acl

recipient:
  deny    local_parts = ^refused
          message = 550 5.1.1 No such user here
{greylisting}
  accept

begin routers

everything:
  driver = accept
  transport = maildir

begin transports

maildir:
  driver = appendfile
  directory = {folder}/box
  maildir_format
  return_path_add
  delivery_date_add = false
  envelope_to_add
  user = Debian-exim
"""

_GREYLISTING = """\
  defer   local_parts = ^greylisted
          message = 450 4.7.1 Greylisted, please try again later
"""
#: The user and the group that are there for its processes alone.
_USER: Final = (64101, 64101)
#: Where its processes find it, whoever they run as.
_PROGRAM: Final = "/usr/libexec/exim4"


class Exim(RealServer):
    """Submission by anybody on this machine, into one Maildir."""

    name: ClassVar[str] = "exim"
    limits_messages: ClassVar[Sequence[int]] = (421,)

    @classmethod
    def need(cls) -> None:
        needs_root("exim")
        cls.program()

    @classmethod
    def program(cls) -> Path:
        """Where it lies."""
        return find("exim/usr/sbin/exim4", name="exim")

    def configure(self) -> None:
        for name in ("box", "spool"):
            (self.folder / name).mkdir(exist_ok=True)
            os.chown(self.folder / name, *_USER)
        os.chown(self.folder, *_USER)  # for its logs
        manners = self.manners
        config = _CONFIG.format(
            program=_PROGRAM,
            folder=self.folder,
            port=self.port,
            connections=manners.connections,
            messages=manners.messages or 1000,
            size=manners.size or "50M",
            smtputf8="smtputf8_advertise_hosts = " + ("*" if manners.smtputf8 else ""),
            greylisting=_GREYLISTING if manners.greylisting else "",
        )
        (self.folder / "exim.conf").write_text(config)
        accounts(self.folder, {"Debian-exim": _USER})

    def mounts(self) -> Mapping[str, Path]:
        return {
            "/etc/passwd": self.folder / "passwd",
            "/etc/group": self.folder / "group",
            "/usr/libexec": self.program().parent,
        }

    def command(self) -> Sequence[str | Path]:
        return [_PROGRAM, "-C", self.folder / "exim.conf", "-bdf", "-q1h"]

    def count(self) -> int:
        self._settle()
        return len(re.findall(r"^\S+ \S+ \S+ => ", self._log(), re.MULTILINE))

    def taken(self) -> list[Taken]:
        self._settle()
        return read_maildir(self.folder / "box", recipient="Envelope-to")

    def _log(self) -> str:
        path = self.folder / "mainlog"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def _settle(self) -> None:
        def done() -> bool:
            log = self._log()
            came = len(re.findall(r"^\S+ \S+ \S+ <= ", log, re.MULTILINE))
            return came == len(re.findall(r"^\S+ \S+ \S+ Completed", log, re.MULTILINE))

        self.settle(done)
