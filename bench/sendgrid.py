"""A real edition to 100,000 readers through SendGrid's API with the ledger on, to a stand-in on this machine.

    python -m bench.sendgrid [--readers N] [--rounds N] [--markdown]

The stand-in is another process that counts requests and answers 202. What it counts is held against the
spool, and the first request is read as SendGrid would read it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Failed, Run, machine, median, run, script, table
from bench.standin import Report, stand_in
from bench.workspace import ISSUE, Workspace, environment

__all__ = ["Sending", "send"]

#: What the project wants of one process, in recipients a second.
TARGET = 30_000
#: As many requests in flight as a workspace has by default.
CONNECTIONS = 8
_KEY = "SG.bench"


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending: `delivering` are the seconds of it in which requests left."""

    run: Run
    delivering: float
    report: Report


def send(workspace: Workspace, folder: Path) -> Sending:
    """`mailer send` as an editor runs it, on a fresh copy. Raises Failed where a count differs."""
    fresh = workspace.fresh(folder)
    with stand_in() as served:
        command = (*fresh.mailer, "send", ISSUE, "--yes", "--json", "--transport", "sendgrid:")
        env = environment(
            MAILER_SENDGRID_URL=served.url,
            SENDGRID_API_KEY=_KEY,
            MAILER_DELIVERY_CONNECTIONS=str(CONNECTIONS),
        )
        took = run(command, env=env)
    shutil.rmtree(folder)
    result = json.loads(took.output)
    accepted, arrived = result["counts"]["accepted"], served.report.recipients
    if not accepted == arrived == workspace.readers:
        raise Failed(
            f"of {workspace.readers} recipients the spool counts {accepted} and the stand-in {arrived}"
        )
    _check(served.report)
    return Sending(took, result["seconds"], served.report)


def _check(report: Report) -> None:
    """The first request is one that SendGrid would take, and not the same for everybody."""
    body = json.loads(report.body)
    people = body["personalizations"]
    addresses = {person["to"][0]["email"] for person in people}
    links = {person["headers"]["List-Unsubscribe"] for person in people}
    kinds = [part["type"] for part in body["content"]]
    wrong = [
        f"Authorization: Bearer {_KEY}\r\n".lower() not in report.head.lower(),
        not report.head.startswith("POST /v3/mail/send HTTP/1.1\r\n"),
        not 1 <= len(people) <= 1000,
        not len(addresses) == len(links) == len(people),
        kinds != ["text/plain", "text/html"],
        min((len(part["value"]) for part in body["content"]), default=0) < 1000,
    ]
    if any(wrong):
        raise Failed(f"the first request is not what SendGrid takes; checks that failed: {wrong}")


def main() -> None:
    """Measures several times and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        workspace = Workspace.make(Path(scratch, "workspace"), arguments.readers)
        sendings = [send(workspace, Path(scratch, f"round{n}")) for n in range(arguments.rounds)]
    report = sendings[0].report
    print(
        f"{arguments.readers:,} recipients in {report.requests:,} requests of "
        f"{report.size / report.requests / 1e6:.2f} MB over {report.connections} connections, "
        f"processes of the sender: {sendings[0].run.processes}"
    )
    cpu = median(s.run.cpu / arguments.readers * 1000 for s in sendings)
    peak = median(s.run.peak for s in sendings)
    rows = []
    for label, seconds in (
        ("mailer, delivering", [s.delivering for s in sendings]),
        ("mailer, whole command", [s.run.seconds for s in sendings]),
    ):
        rate = median(arguments.readers / s for s in seconds)
        rows.append([label, f"{rate:,.0f}", f"{rate / TARGET:.2f}", f"{cpu:.3f}", f"{peak:.0f} MB"])
    head = ["", "recipients/s", f"of {TARGET:,}", "CPU s per 1,000", "peak memory"]
    print(table(head, rows, markdown=arguments.markdown))


if __name__ == "__main__":
    script(main)
