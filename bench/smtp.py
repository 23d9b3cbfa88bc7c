"""A real edition to 100,000 readers over SMTP with the ledger on, beside other senders, in one run.

    python -m bench.smtp [--readers N] [--rounds N] [--peer-readers N] [--signed-readers N] [--markdown]

Everything goes to Postfix's `smtp-sink` on this machine. `smtp-source`, Postfix's own load generator in C,
sends the very same bytes over as many connections; it composes nothing and records nothing. The peers
(`bench/peers/`) send the same edition to 1,000 readers, each message in the encoding that they choose.
Rounds are interleaved, medians are printed, and every sender's count is held against the sink's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from bench.leaving import command as leaving_command
from bench.measuring import Failed, Run, machine, median, run, script, started, table
from bench.peers import NAME, PEERS, Peer
from bench.sink import smtp_sink, source_command
from bench.workspace import CONNECTIONS, ISSUE, Workspace, environment

__all__ = ["Sending", "send"]

#: How many times as fast as these the project wants to be.
TARGETS = {"smtp-source": 1.0, "mailmerge": 20.0, "museletter": 10.0}


#: So many readers unsubscribe each second of the row that has leavers.
LEAVERS_A_SECOND = 100
_LEAVING = f"mailer, {LEAVERS_A_SECOND} readers leaving a second"


@dataclass(frozen=True, slots=True)
class Sending:
    """One sender in one round: `delivering` are the seconds of it in which messages left."""

    run: Run
    messages: int
    delivering: float


def send(workspace: Workspace, folder: Path, *, leaving: int = 0) -> Sending:
    """`mailer send` as an editor runs it, on a fresh copy. Raises Failed where a count differs.

    With `leaving`, so many readers a second unsubscribe meanwhile, from the end of the list.
    """
    fresh = workspace.fresh(folder)
    with smtp_sink() as sink, ExitStack() as beside:
        if leaving:
            last = workspace.readers
            words = leaving_command(fresh.root / "subscribers.db", last // 2, last, leaving)
            beside.enter_context(started(words))
        command = (*fresh.mailer, "send", ISSUE, "--yes", "--json", "--transport", sink.url)
        took = run(command, env=environment())
        taken = sink.messages()
    shutil.rmtree(folder)
    result = json.loads(took.output)
    accepted, skipped = result["counts"]["accepted"], result["counts"]["skipped"]
    planned = result["plan"]["recipients"]
    if accepted != taken or accepted + skipped != planned or planned > workspace.readers:
        raise Failed(
            f"of {planned} planned the spool counts {accepted}, {skipped} left, and the sink {taken}"
        )
    if not leaving and accepted != workspace.readers:
        raise Failed(f"of {workspace.readers} readers {accepted} have it")
    return Sending(took, accepted, result["seconds"])


def _source(message: Path, count: int) -> Sending:
    """The yardstick: the same bytes, as fast as C can."""
    with smtp_sink() as sink:
        took = run(source_command(sink.port, message, count=count, sessions=CONNECTIONS), cwd=Path("/"))
        taken = sink.messages()
    if taken != count:
        raise Failed(f"smtp-source sent {count} messages and the sink counts {taken}")
    return Sending(took, count, took.seconds)


def _signed(scratch: Path, readers: int) -> dict[str, Workspace]:
    """A workspace for each kind of key that DKIM knows, where any readers are asked for."""
    if not readers:
        return {}
    keys: dict[str, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey] = {
        "mailer, DKIM by RSA-2048": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "mailer, DKIM by Ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    plain = Workspace.make(scratch / "unsigned", readers)
    made = {}
    for number, (name, key) in enumerate(keys.items()):
        made[name] = plain.fresh(scratch / f"signed{number}")
        made[name].sign(key)
    return made


class _Peers:
    """The peers that could be installed and run; who could not is told and left out."""

    def __init__(self, wanted: Sequence[Peer], raw: bytes, readers: int) -> None:
        self.sendings: dict[str, list[Sending]] = {}
        self.sizes: dict[str, float] = {}
        self.failures: dict[str, str] = {}
        self._raw = raw
        self._readers = readers
        self._ready: list[Peer] = []
        for peer in wanted:
            try:
                peer.install()
                self.sizes[peer.name] = peer.send(raw, 10, weigh=True).size
                self._ready.append(peer)
            except (Failed, OSError) as error:
                self.failures[peer.name] = str(error)

    def round(self) -> None:
        """All of them, once."""
        for peer in list(self._ready):
            try:
                sent = peer.send(self._raw, self._readers)
            except (Failed, OSError) as error:
                self.failures[peer.name] = str(error)
                self._ready.remove(peer)
                self.sendings.pop(peer.name, None)
                continue
            sending = Sending(sent.run, sent.messages, sent.sending)
            self.sendings.setdefault(peer.name, []).append(sending)


def main() -> None:
    """Measures all senders in turn, several times, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-readers", type=int, default=1000, help="0 leaves the peers out")
    parser.add_argument("--signed-readers", type=int, default=10_000, help="with DKIM; 0 leaves that out")
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    sendings: dict[str, list[Sending]] = {"mailer": [], _LEAVING: [], "smtp-source": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        workspace = Workspace.make(Path(scratch, "workspace"), arguments.readers)
        raw = workspace.message()
        message = Path(scratch, "message")
        message.write_bytes(raw.replace(b"\r\n", b"\n"))
        wanted = PEERS if arguments.peer_readers else ()
        peers = _Peers(wanted, workspace.message(NAME), arguments.peer_readers)
        signed = _signed(Path(scratch), arguments.signed_readers)
        print(
            f"{arguments.readers:,} readers ({arguments.signed_readers:,} with DKIM, "
            f"{arguments.peer_readers:,} for the peers), ",
            end="",
        )
        print(f"{CONNECTIONS} connections, median of {arguments.rounds} rounds\n", flush=True)
        for number in range(arguments.rounds):
            sendings["mailer"].append(send(workspace, Path(scratch, f"round{number}")))
            sendings[_LEAVING].append(
                send(workspace, Path(scratch, f"leaving{number}"), leaving=LEAVERS_A_SECOND)
            )
            sendings["smtp-source"].append(_source(message, arguments.readers))
            for name, signing in signed.items():
                sendings.setdefault(name, []).append(send(signing, Path(scratch, f"{name}{number}")))
            peers.round()
    sizes = {**dict.fromkeys(sendings, len(raw)), **peers.sizes}
    print(report({**sendings, **peers.sendings}, sizes, markdown=arguments.markdown))
    for name, reason in peers.failures.items():
        print(f"{name}: not measured, {reason}")


def report(sendings: dict[str, list[Sending]], sizes: dict[str, float], *, markdown: bool) -> str:
    """The table, and how it stands beside what is wanted. `mailer` is in it twice."""
    rate = {name: median(s.messages / s.delivering for s in rounds) for name, rounds in sendings.items()}
    whole = median(s.messages / s.run.seconds for s in sendings["mailer"])
    versions = {p.name: f"{p.name} {p.version}{'' if p.smtp else ', HTTP'}" for p in PEERS}
    rows = []
    for name, rounds in sendings.items():
        cpu = median(s.run.cpu / s.messages * 1000 for s in rounds)
        peak = median(s.run.peak for s in rounds)
        lines = [(versions.get(name, name), rate[name])]
        if name == "mailer":
            lines = [("mailer, delivering", rate[name]), ("mailer, whole command", whole)]
        for label, speed in lines:
            ratio = speed / rate["smtp-source"]
            size = f"{sizes[name] / 1000:.0f} KB"
            rows.append([label, size, f"{speed:,.0f}", f"{ratio:.3f}", f"{cpu:.2f}", f"{peak:.0f} MB"])
    head = ["", "a message", "messages/s", "of smtp-source", "CPU s per 1,000", "peak memory"]
    beside = [
        [
            name,
            f"{rate['mailer'] / rate[name]:.2f}",
            f"{whole / rate[name]:.2f}",
            f"{TARGETS[name]:.0f}" if name in TARGETS else "",
        ]
        for name in rate
        if not name.startswith("mailer,") and name != "mailer"
    ]
    second = ["mailer is so many times", "delivering", "whole command", "wanted"]
    return f"{table(head, rows, markdown=markdown)}\n\n{table(second, beside, markdown=markdown)}"


if __name__ == "__main__":
    script(main)
