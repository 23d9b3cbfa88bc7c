"""Asks Debian's SpamAssassin about messages: its packaged rules, no network, no learning."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.needs import missing

__all__ = ["Verdict", "verdicts"]

_SCRIPT = Path(__file__).with_name("spamassassin.pl")


@dataclass(frozen=True)
class Verdict:
    """Holds the score of a message in points, and the points of each rule that it met."""

    score: float
    rules: dict[str, float]


def verdicts(messages: Mapping[str, bytes], folder: Path) -> dict[str, Verdict]:
    """Returns what SpamAssassin says about each message, by the names of `messages`.

    Files are written into `folder`, which must be empty. One process checks all messages.
    """
    if shutil.which("spamassassin") is None:
        missing("spamassassin")
    files: dict[str, str] = {}
    for number, (name, message) in enumerate(messages.items()):
        path = folder / f"{number}.eml"
        path.write_bytes(message)
        files[str(path)] = name
    state = folder / "state"
    state.mkdir()
    ran = subprocess.run(
        ["perl", str(_SCRIPT), str(state), *files], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    return {files[file]: Verdict(answer["score"], answer["rules"]) for file, answer in answers.items()}
