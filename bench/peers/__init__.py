"""Other senders of personalised mail, each in an environment of its own under build/bench/.

A peer is a folder here: `constraints.txt` with the exact versions, and `driver.py`, which runs in the
peer's environment and drives its own command or public API as its documentation says. The driver makes
everything ready (`prepare`, not measured), then sends (`send`, measured), and times from the call to its
return.
"""

from __future__ import annotations

import csv
import email
import email.policy
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Failed, Run, run
from bench.sink import smtp_sink
from bench.standin import stand_in
from bench.workspace import address, environment, name

__all__ = ["NAME", "PEERS", "Peer", "Round"]

_HERE = Path(__file__).parent
_BUILT = _HERE.parents[1] / "build" / "bench"
#: Stands for a reader's name in what drivers are given.
NAME = "READERNAME"


@dataclass(frozen=True, slots=True)
class Round:
    """One sending by a peer: what the process took, the seconds in which it sent, and, where weighed, the
    bytes of a message as they arrived."""

    run: Run
    messages: int
    sending: float
    size: float


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them. `smtp` is False where it only knows HTTP APIs; `also` is what it needs besides."""

    name: str
    smtp: bool = True
    also: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return _BUILT / self.name / "bin" / "python"

    @property
    def version(self) -> str:
        """Which release it is, as its constraints say."""
        for line in self._constraints.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{self.name}=="):
                return line.partition("==")[2]
        raise Failed(f"{self._constraints} does not name {self.name}")

    @property
    def _constraints(self) -> Path:
        return _HERE / self.name / "constraints.txt"

    def install(self) -> None:
        """Makes its environment, where that is not there already. Raises Failed where that fails."""
        folder = _BUILT / self.name
        wanted = self._constraints.read_text(encoding="utf-8")
        made_from = folder / "made-from.txt"
        if made_from.exists() and made_from.read_text(encoding="utf-8") == wanted:
            return
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [
                *(str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--constraint", str(self._constraints), self.name, *self.also),
            ],
        ):
            run(command, limit=600)
        made_from.write_text(wanted, encoding="utf-8")

    def send(self, raw: bytes, readers: int, *, weigh: bool = False) -> Round:
        """Sends the edition in `raw`, made for the reader NAME, to so many readers. Raises Failed.

        With `weigh` the sink keeps what it gets, to tell its size; that costs it time.
        """
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            folder = Path(scratch)
            _write(folder, raw, readers)
            driver = (self.python, _HERE / self.name / "driver.py")
            env = environment(PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore")
            with self._server(weigh=weigh) as server:
                run((*driver, "prepare", folder, server.where), env=env, cwd=folder, limit=300)
                took = run((*driver, "send", folder, server.where), env=env, cwd=folder, limit=300)
            seconds = json.loads((folder / "result.json").read_text(encoding="utf-8"))["seconds"]
        if server.arrived != readers:
            raise Failed(f"of {readers} messages {server.arrived} arrived")
        return Round(took, readers, seconds, server.size / readers)

    @contextmanager
    def _server(self, *, weigh: bool) -> Iterator[_Server]:
        """Where it sends to."""
        if self.smtp:
            with smtp_sink(keep=weigh) as sink:
                server = _Server(f"127.0.0.1:{sink.port}")
                yield server
                server.arrived, server.size = sink.messages(), sink.kept()
        else:
            with stand_in() as served:
                server = _Server(served.url.removeprefix("http://"))
                yield server
            server.arrived, server.size = served.report.requests, served.report.size


@dataclass(slots=True)
class _Server:
    """A server that runs; what arrived is known once it has ended."""

    where: str
    arrived: int = 0
    size: int = 0


def _write(folder: Path, raw: bytes, readers: int) -> None:
    """What a driver needs: edition.json and list.csv."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    bodies = {part: message.get_body((part,)) for part in ("plain", "html")}
    text, html = (body.get_content() if body else "" for body in bodies.values())
    if NAME not in text or NAME not in html:
        raise Failed("the edition for the peers is not personalised")
    edition = {
        "subject": str(message["Subject"]),
        "sender": str(message["From"]),
        "text": text.replace("\r\n", "\n"),
        "html": html.replace("\r\n", "\n"),
        "name": NAME,
    }
    (folder / "edition.json").write_text(json.dumps(edition), encoding="utf-8")
    with (folder / "list.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name"])
        writer.writerows((address(number), name(number)) for number in range(1, readers + 1))


#: Those that the benchmark sends beside.
PEERS = (
    Peer("mailmerge"),
    Peer("django-newsletter", also=("sorl-thumbnail",)),
    Peer("museletter", smtp=False),
)
