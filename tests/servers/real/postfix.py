"""Postfix, Debian's package: the instance is ours alone, `/etc/postfix` is neither read nor started."""

from __future__ import annotations

import pwd
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from tests.needs import missing
from tests.servers.real.base import RealServer, Taken, needs_root
from tests.servers.real.maildir import read_maildir

__all__ = ["Postfix"]

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = postfix.example.net
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_client_event_limit_exceptions =
virtual_mailbox_domains = regexp:{folder}/everything
virtual_mailbox_maps = regexp:{folder}/boxes
virtual_mailbox_base = {folder}/boxes.d
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_transport = virtual
virtual_destination_concurrency_limit = 2
smtpd_recipient_restrictions = {restrictions}
smtputf8_enable = {smtputf8}
message_size_limit = {size}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_count_limit = {connections}
default_process_limit = 100
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
postlog   unix-dgram n - n - 1 postlogd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
proxymap  unix - - n - - proxymap
anvil     unix - - n - 1 anvil
tlsmgr    unix - - n 1000? 1 tlsmgr
"""

_QUEUES: Final = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)


class Postfix(RealServer):
    """Submission by anybody on this machine, into one Maildir."""

    name: ClassVar[str] = "postfix"
    limits_messages: ClassVar[Sequence[int]] = ()
    #: Further lines of main.cf and master.cf.
    main: str = ""
    master: str = ""

    @classmethod
    def need(cls) -> None:
        needs_root("postfix")
        if not Path("/usr/sbin/postfix").exists():
            missing("postfix")

    def configure(self) -> None:
        user = pwd.getpwnam("postfix")
        (self.folder / "queue").mkdir(exist_ok=True)
        for folder in ("data", "boxes.d", *(f"queue/{name}" for name in _QUEUES)):
            path = self.folder / folder
            path.mkdir(exist_ok=True)
            shutil.chown(path, user.pw_uid, user.pw_gid)
        (self.folder / "queue/pid").mkdir(exist_ok=True)
        manners = self.manners
        restrictions = [f"check_recipient_access regexp:{self.folder}/recipients"]
        restrictions += ["permit_mynetworks", "reject"]
        main = _MAIN.format(
            folder=self.folder,
            uid=user.pw_uid,
            gid=user.pw_gid,
            restrictions=", ".join(restrictions),
            smtputf8="yes" if manners.smtputf8 else "no",
            size=manners.size or 10_240_000,
            connections=manners.connections or 0,
        )
        (self.folder / "main.cf").write_text(main + self.main)
        master = _MASTER.format(port=self.port)
        (self.folder / "master.cf").write_text(master + self.master)
        (self.folder / "everything").write_text("/./ yes\n")
        (self.folder / "boxes").write_text("/./ box/\n")
        recipients = "/^refused/ 550 5.1.1 No such user here\n"
        if manners.greylisting:
            recipients += "/^greylisted/ 450 4.7.1 Greylisted, please try again later\n"
        (self.folder / "recipients").write_text(recipients)

    def command(self) -> Sequence[str | Path]:
        return ["/usr/lib/postfix/sbin/master", "-d", "-c", self.folder]

    def _log(self) -> str:
        return (self.folder / "mail.log").read_text("utf-8", "replace")

    def count(self) -> int:
        self._settle()
        return len(re.findall(r"/virtual\[\d+\]: \w+: to=<.*status=sent", self._log()))

    def taken(self) -> list[Taken]:
        self._settle()
        return read_maildir(self.folder / "boxes.d/box", recipient="X-Original-To")

    def _settle(self) -> None:
        def done() -> bool:
            log = self._log()
            return len(re.findall(r"/cleanup\[\d+\]: \w+: message-id=", log)) == len(
                re.findall(r"/qmgr\[\d+\]: \w+: removed", log)
            )

        self.settle(done)
