"""A real edition to 100,000 readers over SMTP with the ledger on, beside other senders, in one run.

    python -m bench.smtp [--readers N] [--rounds N] [--markdown]

Everything goes to Postfix's `smtp-sink` on this machine. `smtp-source`, Postfix's own load generator in C,
sends the very same bytes over as many connections; it composes nothing and records nothing. Rounds are
interleaved, medians are printed, and every sender's count is held against the sink's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Failed, Run, machine, median, run, table
from bench.sink import smtp_sink, source_command
from bench.workspace import CONNECTIONS, ISSUE, Workspace, environment


@dataclass(frozen=True, slots=True)
class Sending:
    """One sender in one round: `delivering` are the seconds of it in which messages left."""

    run: Run
    messages: int
    delivering: float


def send(workspace: Workspace, folder: Path) -> Sending:
    """`mailer send` as an editor runs it, on a fresh copy of the workspace."""
    fresh = workspace.fresh(folder)
    with smtp_sink() as sink:
        command = (*fresh.mailer, "send", ISSUE, "--yes", "--json", "--transport", sink.url)
        took = run(command, env=environment())
        taken = sink.messages()
    shutil.rmtree(folder)
    result = json.loads(took.output)
    accepted = result["counts"]["accepted"]
    if not accepted == taken == workspace.readers:
        raise Failed(f"of {workspace.readers} messages the spool counts {accepted} and the sink {taken}")
    return Sending(took, accepted, result["seconds"])


def source(message: Path, count: int) -> Sending:
    """The yardstick: the same bytes, as fast as C can."""
    with smtp_sink() as sink:
        took = run(source_command(sink, message, count=count, sessions=CONNECTIONS), cwd=Path("/"))
        taken = sink.messages()
    if taken != count:
        raise Failed(f"smtp-source sent {count} messages and the sink counts {taken}")
    return Sending(took, count, took.seconds)


def main() -> None:
    """Measures all senders in turn, several times, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    sendings: dict[str, list[Sending]] = {"mailer": [], "smtp-source": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        # smtp-source reads the message as whoever runs this; everybody else may look as well.
        Path(scratch).chmod(0o755)
        workspace = Workspace.make(Path(scratch, "workspace"), arguments.readers)
        raw = workspace.message()
        message = Path(scratch, "message")
        message.write_bytes(raw.replace(b"\r\n", b"\n"))
        print(
            f"{arguments.readers:,} readers, {len(raw):,} bytes a message, {CONNECTIONS} connections",
            flush=True,
        )
        for number in range(arguments.rounds):
            sendings["mailer"].append(send(workspace, Path(scratch, f"round{number}")))
            sendings["smtp-source"].append(source(message, arguments.readers))
    print(report(sendings, markdown=arguments.markdown))


def report(sendings: dict[str, list[Sending]], *, markdown: bool) -> str:
    """The table. `mailer` stands in it twice: while it delivers, and from the command's start to its end."""
    rate = {name: median(s.messages / s.delivering for s in rounds) for name, rounds in sendings.items()}
    rows = []
    for name, rounds in sendings.items():
        cpu = median(s.run.cpu / s.messages * 1000 for s in rounds)
        peak = median(s.run.peak for s in rounds)
        lines = [(name, rate[name])]
        if name == "mailer":
            whole = median(s.messages / s.run.seconds for s in rounds)
            lines = [("mailer, delivering", rate[name]), ("mailer, whole command", whole)]
        for label, speed in lines:
            ratio = speed / rate["smtp-source"]
            rows.append([label, f"{speed:,.0f}", f"{ratio:.2f}", f"{cpu:.2f}", f"{peak:.0f} MB"])
    head = ["", "messages/s", "of smtp-source", "CPU s per 1,000", "peak memory"]
    return table(head, rows, markdown=markdown)


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(str(error))
