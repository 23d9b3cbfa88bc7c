"""Stores the refresh token that replaces an earlier token, in the file `.mailer/oauth` (mode 0600).

Many providers return a new refresh token with each renewal, and some revoke the old token. The file names the
application, the user, the token endpoint, and a hash of the value of MAILER_OAUTH_REFRESH_TOKEN that its
token replaces: if this variable gets a new value, the file is ignored.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailer.errors import TransportError
from mailer.files import NewFile, remove_leftover_files

__all__ = ["RefreshToken"]

_SHOWN: Final = ".mailer/oauth"
_LONGEST_FILE: Final = 100_000
#: Octets for which there must be room before the provider is asked; Microsoft's tokens have some 2,000.
_RESERVED: Final = 16_384


@dataclass(frozen=True)
class RefreshToken:
    """Represents the refresh token of one application for one user.

    `folder` is the folder `.mailer` of the workspace. `owner` is the client id, the user and the token
    endpoint. `given` is the value of MAILER_OAUTH_REFRESH_TOKEN; repr never shows it.
    """

    folder: Path
    owner: tuple[str, str, str]
    given: str = field(default="", repr=False)

    def current_token(self) -> str:
        """Returns the refresh token to use now, or '' if there is none. Raises TransportError."""
        kept = self._read_file()
        if kept is None or (self.given and kept["follows"] != _combined_hash(self.given)):
            return self.given
        return kept["refresh_token"]

    @contextmanager
    def locked_for_renewal(self) -> Iterator[_TokenRenewal]:
        """Locks the token while it is renewed, so that no other process renews it at the same time.

        The file for the next token is created first, with space reserved on the disk, because the provider
        may revoke the old token as soon as it answers. Raises TransportError.
        """
        with self._holding_lock_file():
            with _os_errors_as_transport_errors():
                remove_leftover_files(self.folder, "oauth")
                file = NewFile(self.folder / "oauth", mode=0o600, encoding="utf-8")
            try:
                with _os_errors_as_transport_errors():
                    file.file.write(" " * _RESERVED)
                    file.file.flush()
                yield _TokenRenewal(self, file)
            finally:
                file.discard()

    @contextmanager
    def _holding_lock_file(self) -> Iterator[None]:
        with _os_errors_as_transport_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.folder / ".oauth.lock", flags, 0o600)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read_file(self) -> dict[str, str] | None:
        """Returns the content of the file, or None if there is no valid file for this owner."""
        try:
            descriptor = os.open(
                self.folder / "oauth", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TransportError(_file_error_text(error, "read")) from None
        with _os_errors_as_transport_errors("read"), os.fdopen(descriptor, "rb") as file:
            text = file.read(_LONGEST_FILE)
        try:
            kept = json.loads(text)
        except (ValueError, RecursionError):
            return None
        fields = ("owner", "follows", "refresh_token")
        if not isinstance(kept, dict) or not all(isinstance(kept.get(name), str) for name in fields):
            return None
        return kept if kept["owner"] == _combined_hash(*self.owner) and kept["refresh_token"] else None


class _TokenRenewal:
    """Represents a renewal in progress.

    `token` is the refresh token to send, and `store_next_token` stores the token that replaces it.
    """

    def __init__(self, refresh_token: RefreshToken, file: NewFile) -> None:
        self._refresh_token, self._file = refresh_token, file
        self.token = refresh_token.current_token()

    def store_next_token(self, token: str) -> None:
        """Stores `token` on disk for the next renewal. Raises TransportError.

        Does nothing if `token` is '' or is not new.
        """
        if not token or token == self.token:
            return
        given, kept = self._refresh_token.given, self._refresh_token._read_file()
        follows = _combined_hash(given) if given or kept is None else kept["follows"]
        content = {
            "owner": _combined_hash(*self._refresh_token.owner),
            "follows": follows,
            "refresh_token": token,
        }
        with _os_errors_as_transport_errors():
            self._file.file.seek(0)
            self._file.file.write(json.dumps(content) + "\n")
            self._file.file.truncate()
            self._file.commit()


def _combined_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@contextmanager
def _os_errors_as_transport_errors(action: str = "written") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransportError(_file_error_text(error, action)) from None


def _file_error_text(error: OSError, action: str) -> str:
    why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror or error
    return (
        f"{_SHOWN}, which keeps the refresh token, cannot be {action}: {why}; make this "
        "file and its folder writable for the user that runs mailer"
    )
