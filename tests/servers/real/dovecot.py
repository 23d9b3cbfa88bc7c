"""Dovecot 2.3, Debian's package, unpacked: its authentication service alone, for Postfix to ask (SASL)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from tests.servers.real.accounts import accounts
from tests.servers.real.base import Guarded, find, needs_root

__all__ = ["Dovecot"]

#: Its programs and libraries, as its processes find them, whoever they run as.
_LIBRARY: Final = "/usr/libexec"
_CONFIG = """\
protocols = none
base_dir = {folder}/run
state_dir = {folder}/state
libexec_dir = {library}
log_path = {folder}/dovecot.log
auth_verbose = yes
import_environment = TZ LD_LIBRARY_PATH
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = {mechanisms}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5
  args = scheme=plain username_format=%u {folder}/users
}}
{more}
"""


class Dovecot(Guarded):
    """Knows one user and the password; `more` are lines of configuration, such as another passdb."""

    name: ClassVar[str] = "dovecot"

    def __init__(
        self, user: str, password: str, *, mechanisms: str = "plain login cram-md5", more: str = ""
    ) -> None:
        super().__init__()
        self._user, self._password = user, password
        self._mechanisms, self._more = mechanisms, more

    @classmethod
    def need(cls) -> None:
        needs_root("dovecot")
        cls.root()

    @classmethod
    def root(cls) -> Path:
        """Where it lies."""
        return find("dovecot/usr/sbin/dovecot", name="dovecot").parents[2]

    def configure(self) -> None:
        for name in ("run", "state"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "users").write_text(f"{self._user}:{{PLAIN}}{self._password}\n")
        config = _CONFIG.format(
            folder=self.folder,
            library=_LIBRARY,
            port=self.port,
            mechanisms=self._mechanisms,
            more=self._more,
        )
        (self.folder / "dovecot.conf").write_text(config)
        accounts(self.folder, {"dovecot": (64106, 64106), "dovenull": (64107, 64107)})

    def mounts(self) -> Mapping[str, Path]:
        return {
            "/etc/passwd": self.folder / "passwd",
            "/etc/group": self.folder / "group",
            _LIBRARY: self.root() / "usr/lib/dovecot",
            "/usr/bin": self.root() / "usr/bin",  # it calls doveconf
        }

    def command(self) -> Sequence[str | Path]:
        return [self.root() / "usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf"]

    def environment(self) -> Mapping[str, str]:
        return {"LD_LIBRARY_PATH": f"{_LIBRARY}:{_LIBRARY}/modules/old-stats"}

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(f"VERSION\t1\t2\nCPID\t{os.getpid()}\n".encode())
            return connection.recv(1000).startswith(b"VERSION")
