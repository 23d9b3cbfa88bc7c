"""A real edition over SMTP to real servers here: announced, not announced, and as `mailer` decides.

    python -m bench.servers [--readers N] [--rounds N] [--only NAME …] [--markdown]

The servers are those of `tests/servers/real` (`.ci/servers.sh` unpacks them), Postfix's `smtp-sink` plain and
behind stunnel's TLS, and beside them `smtp-source` with the same bytes where it speaks their dialect. The
rounds of all ways are interleaved at each server, medians are printed, ratios are medians of the ratios of
single rounds, and each count is held against the server's own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.measuring import Failed, Run, machine, median, run, script, started, table
from bench.sink import smtp_sink, source_command
from bench.workspace import ISSUE, MAILER, ROOT, Workspace, environment
from tests.servers.certificates import server_file
from tests.servers.real.base import SERVERS, RealServer, free_port
from tests.servers.real.exim import Exim
from tests.servers.real.node import Haraka, Nodemailer
from tests.servers.real.opensmtpd import OpenSmtpd
from tests.servers.real.postfix import Discard
from tests.servers.real.sendmail import Sendmail

__all__ = ["PLACES", "Place"]

#: The ways to send, and how `mailer` is started for each.
WAYS = {
    "measured": MAILER,
    "announced": (sys.executable, "-m", "bench.forced", "always"),
    "not announced": (sys.executable, "-m", "bench.forced", "never"),
}
#: The yardstick, with all messages to one recipient, and with each to another as `mailer` has it.
_ONE, _EACH = "smtp-source", "smtp-source -N"
#: So much of the better way is wanted of the measured one.
TARGET = 0.95


class TlsDiscard(Discard):
    """Postfix with STARTTLS."""

    name = "postfix-starttls"

    def main(self) -> str:
        return (
            super().main()
            + f"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {server_file(self.folder)}\n"
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs: the transport's URL, and how many messages it has taken by its own account."""

    url: str
    port: int
    count: Callable[[], int]


@contextmanager
def _real(kind: type[RealServer]) -> Iterator[Target]:
    with kind() as server:
        yield Target(server.url, server.port, server.count)


@contextmanager
def _sink() -> Iterator[Target]:
    with smtp_sink() as sink:
        yield Target(sink.url, sink.port, sink.messages)


@contextmanager
def _tls_sink() -> Iterator[Target]:
    """The sink behind stunnel, which speaks TLS from the start."""
    program = SERVERS / "stunnel/usr/bin/stunnel4"
    if not program.exists():
        raise Failed("stunnel is missing; run .ci/servers.sh")
    with smtp_sink() as sink, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        port = free_port()
        config = Path(folder, "stunnel.conf")
        config.write_text(
            f"foreground = yes\npid =\n[smtps]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{sink.port}\n"
            f"cert = {server_file(Path(folder))}\nTIMEOUTclose = 0\n"
        )
        with Path(folder, "log").open("w") as log, started([program, config], stdout=log, stderr=log):
            until = time.monotonic() + 10
            while time.monotonic() < until:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield Target(f"smtps://127.0.0.1:{port}", 0, sink.messages)


@dataclass(frozen=True, slots=True)
class Place:
    """A server to send to. `share` of the readers are sent to at the slow ones; `source`: smtp-source too."""

    name: str
    start: Callable[[], object]
    share: float = 1.0
    source: bool = True


PLACES = (
    Place("smtp-sink", _sink, share=4),
    Place("smtp-sink behind TLS", _tls_sink, share=2, source=False),
    Place("Postfix", lambda: _real(Discard)),
    Place("Postfix, STARTTLS", lambda: _real(TlsDiscard), source=False),
    Place("Exim", lambda: _real(Exim), share=0.4),
    Place("OpenSMTPD", lambda: _real(OpenSmtpd), share=0.4),
    Place("Sendmail", lambda: _real(Sendmail), share=0.4),
    Place("Haraka", lambda: _real(Haraka), share=0.4),
    Place("nodemailer", lambda: _real(Nodemailer), share=0.4),
)


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending: messages a second while messages left, and what it took."""

    rate: float
    run: Run
    messages: int

    @property
    def cpu(self) -> float:
        """CPU seconds a thousand messages."""
        return self.run.cpu / self.messages * 1000


def _send(way: str, target: Target, workspace: Workspace, folder: Path) -> Sending:
    fresh = workspace.fresh(folder)
    before = target.count()
    command = [*WAYS[way], "--workspace", str(fresh.root), "send", ISSUE, "--yes", "--json"]
    took = run([*command, "--transport", target.url], env=environment(PYTHONPATH=str(ROOT)), cwd=ROOT)
    shutil.rmtree(folder)
    result = json.loads(took.output)
    taken = target.count() - before
    if not result["counts"]["accepted"] == taken == workspace.readers:
        raise Failed(f"of {workspace.readers} readers {result['counts']} and the server counts {taken}")
    return Sending(taken / result["seconds"], took, taken)


def _source(target: Target, message: Path, workspace: Workspace, *, numbered: bool) -> Sending:
    before, count = target.count(), workspace.readers
    words = source_command(
        target.port, message, count=count, sessions=workspace.connections, numbered=numbered
    )
    took = run(words, cwd=Path("/"))
    taken = target.count() - before
    if taken != count:
        raise Failed(f"smtp-source sent {count} messages and the server counts {taken}")
    return Sending(count / took.seconds, took, count)


def measure(place: Place, workspace: Workspace, scratch: Path, rounds: int) -> dict[str, list[Sending]]:
    """All ways to one server, in turn. Raises Failed where one does not reach everybody."""
    raw = scratch / "message"
    raw.write_bytes(workspace.message().replace(b"\r\n", b"\n"))
    found: dict[str, list[Sending]] = {}
    with place.start() as target:  # type: ignore[attr-defined]
        for number in range(rounds):
            first = number % len(WAYS)  # whichever comes first finds the disk busy with the round before
            for way in [*list(WAYS)[first:], *list(WAYS)[:first]]:
                found.setdefault(way, []).append(_send(way, target, workspace, scratch / "sending"))
            for name in (_ONE, _EACH) if place.source else ():
                sending = _source(target, raw, workspace, numbered=name == _EACH)
                found.setdefault(name, []).append(sending)
    return found


def _paired(one: list[Sending], other: list[Sending]) -> float:
    """How many times as fast one way is as another, in the median of the rounds."""
    return median(a.rate / b.rate for a, b in zip(one, other, strict=True))


def _beside(found: dict[str, list[Sending]], name: str) -> str:
    """The rate of a yardstick, and the ratio to it; empty where it was not measured."""
    if name not in found:
        return ""
    rate = median(sending.rate for sending in found[name])
    return f"{rate:,.0f} ({_paired(found['measured'], found[name]):.2f})"


def row(name: str, found: dict[str, list[Sending]]) -> list[str]:
    """One line of the table."""
    rate = {way: median(sending.rate for sending in sendings) for way, sendings in found.items()}
    # Each round by itself: a machine that grows slower changes all ways alike.
    of_better = min(_paired(found["measured"], found[way]) for way in ("announced", "not announced"))
    return [
        name,
        f"{rate['measured']:,.0f}",
        f"{rate['announced']:,.0f}",
        f"{rate['not announced']:,.0f}",
        f"{of_better:.2f}",
        *(_beside(found, name) for name in (_ONE, _EACH)),
        f"{median(sending.cpu for sending in found['measured']):.2f}",
    ]


def main() -> None:
    """Measures all servers, one after the other, and prints one table for each number of connections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, nargs="*", default=[16])
    parser.add_argument("--only", nargs="*", metavar="NAME", help="servers whose name begins so")
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    places = [p for p in PLACES if not arguments.only or p.name.startswith(tuple(arguments.only))]
    head = ["", "messages/s", "announced", "not announced", f"of the better (wanted: {TARGET})"]
    head += [f"{_ONE} (ratio)", f"{_EACH} (ratio)", "CPU s per 1,000"]
    for connections in arguments.connections:
        rows, failures = [], []
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            for place in places:
                readers = max(1, int(arguments.readers * place.share))
                folder = Path(scratch, place.name)
                workspace = Workspace.make(folder / "workspace", readers, connections=connections)
                try:
                    rows.append(row(place.name, measure(place, workspace, folder, arguments.rounds)))
                    print(f"  {' | '.join(rows[-1])}", file=sys.stderr, flush=True)
                except (
                    Failed,
                    OSError,
                    AssertionError,
                    pytest.skip.Exception,
                    pytest.fail.Exception,
                ) as error:
                    failures.append(f"{place.name}: not measured, {error}")
        print(f"\n{connections} connections, {arguments.readers:,} readers (more or fewer at some), ", end="")
        print(f"median of {arguments.rounds} rounds\n\n{table(head, rows, markdown=arguments.markdown)}")
        print("\n".join(failures))


if __name__ == "__main__":
    script(main)
