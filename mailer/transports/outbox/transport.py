"""Writes each message as one `.eml` file into a folder (`outbox:PATH`). Nothing leaves the machine.

The file is named after the Message-ID, so that sending a message again replaces its file. Each file is first
written under a temporary name, so that the folder contains only complete messages.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from mailer.config import Settings
from mailer.errors import ConfigError, TransportError
from mailer.files import NewFile, remove_leftover_files
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage

__all__ = ["Outbox", "message_file_name"]

_STRANGE = re.compile(r"[^A-Za-z0-9._-]")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Outbox:
    """Represents the transport that writes messages into `folder`, which is created with the first message.

    `label` is the name of the folder in error messages.
    """

    batch_size = 1
    concurrency = 4

    def __init__(self, folder: Path, label: str) -> None:
        self.folder = folder
        self.label = label

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> Outbox:
        """Returns the transport for the URL `outbox:PATH`. PATH is relative to the workspace.

        Raises ConfigError if there is no path.
        """
        path = url.partition(":")[2]
        if not path.strip():
            raise ConfigError('the transport "outbox:" names no folder; write outbox:PATH')
        return cls(settings.root / Path(path), path)

    def channel(self) -> OutboxChannel:
        """Returns a new channel. Channels share only the folder."""
        return OutboxChannel(self.folder, self.label)


class OutboxChannel:
    """Writes messages as files. A message counts as accepted when its file is completely on disk."""

    def __init__(self, folder: Path, label: str) -> None:
        self._folder = folder
        self._label = label
        self._ready = False

    def send(self, batch: Sequence[OutgoingMessage]) -> list[Outcome]:
        """Writes each message to a file. Raises TransportError if the first message cannot be written."""
        outcomes: list[Outcome] = []
        for message in batch:
            name = message_file_name(message)
            try:
                if not self._ready:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    remove_leftover_files(self._folder)
                    self._ready = True
                self._write_message_file(name, message.raw())
            except OSError as error:
                failure = self._explained_error(error)
                if not outcomes:
                    raise failure from None
                left = len(batch) - len(outcomes)
                return outcomes + [Outcome(OutcomeKind.DEFERRED, reason=str(failure))] * left
            outcomes.append(Outcome(OutcomeKind.ACCEPTED, provider_id=name))
        return outcomes

    def close(self) -> None:
        """Does nothing, because no file stays open between two messages."""

    def _write_message_file(self, file_name: str, data: bytes) -> None:
        new = NewFile(self._folder / file_name, mode=0o600)  # it holds a reader's links
        try:
            new.file.write(data)
            new.commit_with_one_sync()
        except BaseException:
            new.discard()
            raise

    def _explained_error(self, error: OSError) -> TransportError:
        why = error.strerror or str(error)
        if error.errno in _FULL:
            advice = "free some space on its disk, then run this again"
        elif isinstance(error, (FileExistsError, NotADirectoryError)):
            why, advice = "it is a file, not a folder", "move it away or name another folder in outbox:PATH"
        elif isinstance(error, FileNotFoundError):
            why, advice = "the folder was removed meanwhile", "run this again, which creates the folder"
        else:
            advice = "make the folder writable or name another in outbox:PATH"
        return TransportError(f"the outbox {self._label} cannot be written: {why}; {advice}")


def message_file_name(message: OutgoingMessage) -> str:
    """Returns the name of the file for a message.

    A message always gets the same name, and the name never leads out of the folder.
    """
    own = message.message_id.strip("<>").rpartition("@")[0]
    name = _STRANGE.sub("_", own)[:120].strip(".") or "message"
    if name != own:
        name += "-" + _short_hash(message.message_id)
    if not message.subscriber_id:  # a test copy: the address distinguishes it
        name += "-" + _short_hash(message.address)
    return f"{name}.eml"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
