"""Keeps the refresh token that replaces an earlier one, in `.mailer/oauth` (mode 0600).

Many providers give a new refresh token with each renewal, and some revoke the old one. The file is bound to
the application, the user and the token endpoint, and to the token of MAILER_OAUTH_REFRESH_TOKEN that it
replaces: a new value of that variable takes precedence over the file.
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
    """Keeps one application's refresh token for one user. `given` is the environment's, never shown by repr.

    `owner` is the client id, the user and the token endpoint; `folder` is the workspace's `.mailer`.
    """

    folder: Path
    owner: tuple[str, str, str]
    given: str = field(default="", repr=False)

    def current(self) -> str:
        """Returns the token to use now, or '' where there is none. Raises TransportError."""
        kept = self._kept()
        if kept is None or (self.given and kept["follows"] != _fingerprint(self.given)):
            return self.given
        return kept["refresh_token"]

    @contextmanager
    def renewal(self) -> Iterator[_Renewal]:
        """Locks the token for a renewal, so that no other process renews it at the same time.

        The file for the next token is created first, with room on the disk, because the old token may be
        revoked as soon as the provider is asked. Raises TransportError.
        """
        with self._locked():
            with _sentence():
                remove_leftover_files(self.folder, "oauth")
                file = NewFile(self.folder / "oauth", mode=0o600, encoding="utf-8")
            try:
                with _sentence():
                    file.file.write(" " * _RESERVED)
                    file.file.flush()
                yield _Renewal(self, file)
            finally:
                file.discard()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _sentence():
            self.folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.folder / ".oauth.lock", flags, 0o600)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _kept(self) -> dict[str, str] | None:
        """Returns what the file holds for this owner, or None."""
        try:
            descriptor = os.open(
                self.folder / "oauth", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TransportError(_file_problem(error, "read")) from None
        with _sentence("read"), os.fdopen(descriptor, "rb") as file:
            text = file.read(_LONGEST_FILE)
        try:
            kept = json.loads(text)
        except (ValueError, RecursionError):
            return None
        fields = ("owner", "follows", "refresh_token")
        if not isinstance(kept, dict) or not all(isinstance(kept.get(name), str) for name in fields):
            return None
        return kept if kept["owner"] == _fingerprint(*self.owner) and kept["refresh_token"] else None


class _Renewal:
    """Represents a renewal in progress: `token` is the one to use, and `keep` stores the next one."""

    def __init__(self, place: RefreshToken, file: NewFile) -> None:
        self._place, self._file = place, file
        self.token = place.current()

    def keep(self, token: str) -> None:
        """Stores `token` on disk for the next renewal. Raises TransportError."""
        if not token or token == self.token:
            return
        given, kept = self._place.given, self._place._kept()
        follows = _fingerprint(given) if given or kept is None else kept["follows"]
        content = {"owner": _fingerprint(*self._place.owner), "follows": follows, "refresh_token": token}
        with _sentence():
            self._file.file.seek(0)
            self._file.file.write(json.dumps(content) + "\n")
            self._file.file.truncate()
            self._file.commit()


def _fingerprint(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


@contextmanager
def _sentence(done: str = "written") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransportError(_file_problem(error, done)) from None


def _file_problem(error: OSError, done: str) -> str:
    why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror or error
    return (
        f"{_SHOWN}, which keeps the refresh token, cannot be {done}: {why}; make this "
        "file and its folder writable for the user that runs mailer"
    )
