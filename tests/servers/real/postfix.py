"""Postfix, Debian's package: the instance is ours alone, `/etc/postfix` is neither read nor started."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Final

from tests.needs import missing
from tests.servers.certificates import server_file
from tests.servers.real.base import Manners, RealServer, Taken, needs_root
from tests.servers.real.dovecot import Dovecot
from tests.servers.real.maildir import read_maildir
from tests.servers.real.policy import SessionPolicy

__all__ = ["PASSWORD", "USER", "Discard", "Postfix", "Postscreen", "Submission"]

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
virtual_mailbox_domains =
default_transport = virtual
virtual_mailbox_maps = regexp:{folder}/boxes
virtual_mailbox_base = {folder}/boxes.d
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_destination_concurrency_limit = 2
smtpd_relay_restrictions = {relay}, defer_unauth_destination
smtpd_recipient_restrictions = check_recipient_access regexp:{folder}/recipients{policy}
smtputf8_enable = {smtputf8}
message_size_limit = {size}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_count_limit = {connections}
default_process_limit = 100
"""

_MASTER = """\
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

_SUBMISSION = """\
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {pem}
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{port}
"""

#: The tests of what a client says come after those before the greeting, and end a first session with 450.
_POSTSCREEN = """\
postscreen_access_list =
postscreen_greet_wait = 1s
postscreen_greet_action = enforce
postscreen_pipelining_enable = yes
postscreen_pipelining_action = enforce
postscreen_non_smtp_command_enable = yes
postscreen_non_smtp_command_action = enforce
postscreen_bare_newline_enable = yes
postscreen_bare_newline_action = enforce
postscreen_cache_map = btree:$data_directory/postscreen
"""

_SCREENED = """\
127.0.0.1:{port} inet n - n - 1 postscreen
smtpd     pass - - n - - smtpd
dnsblog   unix - - n - 0 dnsblog
tlsproxy  unix - - n - 0 tlsproxy
"""

#: The login that Submission knows unless told otherwise.
USER: Final = "desk"
PASSWORD: Final = "a password of the tests"
_QUEUES: Final = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)


class Postfix(RealServer):
    """Submission by anybody on this machine, into one Maildir."""

    name: ClassVar[str] = "postfix"
    #: Who may send: the restriction of smtpd_relay_restrictions that says so.
    relay: ClassVar[str] = "permit_mynetworks"

    def __init__(self, manners: Manners | None = None) -> None:
        super().__init__(manners)
        self._beside = ExitStack()  # what runs as long as its processes do

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
        policy = ""
        if manners.messages:
            port = self._beside.enter_context(SessionPolicy(manners.messages, manners.then)).port
            policy = f", check_policy_service inet:127.0.0.1:{port}"
        main = _MAIN.format(
            folder=self.folder,
            uid=user.pw_uid,
            gid=user.pw_gid,
            relay=self.relay,
            policy=policy,
            smtputf8="yes" if manners.smtputf8 else "no",
            size=manners.size or 10_240_000,
            connections=manners.connections or 0,
        )
        (self.folder / "main.cf").write_text(main + self.main())
        (self.folder / "master.cf").write_text(self.entrance() + _MASTER)
        (self.folder / "boxes").write_text("/./ box/\n")
        recipients = "/^refused/ 550 5.1.1 No such user here\n"
        if manners.greylisting:
            recipients += "/^greylisted/ 450 4.7.1 Greylisted, please try again later\n"
        (self.folder / "recipients").write_text(recipients)
        for name in ("main.cf", "master.cf"):  # it waits until they are some seconds old
            os.utime(self.folder / name, (0, 0))

    def main(self) -> str:
        """Further lines of main.cf. What has to run beside it is started here, and put into `_beside`."""
        return ""

    def entrance(self) -> str:
        """The lines of master.cf about the port."""
        return f"127.0.0.1:{self.port} inet n - n - - smtpd\n"

    def command(self) -> Sequence[str | Path]:
        return ["/usr/lib/postfix/sbin/master", "-d", "-c", self.folder]

    def end(self) -> None:
        super().end()
        self._beside.close()

    def count(self) -> int:
        self._settle()
        return len(re.findall(r"/(?:virtual|discard)\[\d+\]: \w+: to=<.*status=sent", self._log()))

    def taken(self) -> list[Taken]:
        self._settle()
        return read_maildir(self.folder / "boxes.d/box", recipient="X-Original-To")

    def _log(self) -> str:
        return (self.folder / "mail.log").read_text("utf-8", "replace")

    def says(self, words: str) -> None:
        """Waits until the log has these words: Postfix writes it by another process."""
        self.settle(lambda: words in self._log())

    def _settle(self) -> None:
        def done() -> bool:
            log = self._log()
            came = len(re.findall(r"/cleanup\[\d+\]: \w+: message-id=", log))
            return came == len(re.findall(r"/qmgr\[\d+\]: \w+: removed", log))

        self.settle(done)


class Discard(Postfix):
    """Postfix that throws away what it has taken, for measurements: it counts, and has nothing to show."""

    name: ClassVar[str] = "postfix-discard"

    def main(self) -> str:
        return "default_transport = discard\nin_flow_delay = 0\n"


class Submission(Postfix):
    """Postfix as a provider runs it: STARTTLS, and a login that Dovecot decides on. Nobody sends without.

    `dovecot` is one with mechanisms or users of its own; by default it knows the user of the manners.
    """

    name: ClassVar[str] = "postfix-submission"
    relay: ClassVar[str] = "permit_sasl_authenticated"

    def __init__(self, manners: Manners | None = None, dovecot: Dovecot | None = None) -> None:
        super().__init__(manners or Manners(user=USER, password=PASSWORD))
        self._dovecot = dovecot

    @classmethod
    def need(cls) -> None:
        super().need()
        Dovecot.need()

    def main(self) -> str:
        dovecot = self._dovecot or Dovecot(USER, PASSWORD)
        port = self._beside.enter_context(dovecot).port
        return _SUBMISSION.format(port=port, pem=server_file(self.folder))


class Postscreen(Postfix):
    """Postfix behind postscreen(8) with all of its tests, which sends a stranger's first sessions away."""

    name: ClassVar[str] = "postscreen"

    def main(self) -> str:
        return _POSTSCREEN

    def entrance(self) -> str:
        return _SCREENED.format(port=self.port)
