"""Runs the Nu HTML checker over many documents at once, and knows what a mail may have that HTML does not."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.needs import java_program, node_package

__all__ = ["ALLOWED_IN_MAILS", "Allowed", "Remark", "checked", "not_allowed"]

_JAR = Path("build/dist/vnu.jar")
_TABLE_ATTRIBUTES = (
    "Outlook for Windows lays out by this attribute, and other programs keep it where they drop styles"
)


@dataclass(frozen=True)
class Remark:
    """Holds what the checker says at one place. `kind` is `error`, `warning` or `info`."""

    kind: str
    message: str
    line: int
    extract: str


@dataclass(frozen=True)
class Allowed:
    """Names remarks that a mail may get, by a pattern of the whole message, with the reason why."""

    pattern: str
    reason: str


#: All that the checker may say about a mail.
ALLOWED_IN_MAILS = (
    Allowed(
        r"CSS: “mso-[a-z-]+”: Property “mso-[a-z-]+” doesn't exist\.",
        "a property of Word, by which Outlook for Windows sets what it gets wrong otherwise; others skip it",
    ),
    Allowed(
        r"Attribute “xmlns:[vo]” not allowed here\.",
        "a namespace of VML, which Outlook for Windows wants on the root element",
    ),
    Allowed(
        r"The “(?:align|bgcolor|valign|width)” attribute on the “(?:body|table|td|th)” element is obsolete\."
        r" .*",
        _TABLE_ATTRIBUTES,
    ),
    Allowed(
        r"The “(?:border|cellpadding|cellspacing)” attribute on the “table” element is obsolete\. .*",
        _TABLE_ATTRIBUTES,
    ),
    Allowed(
        r"The “align” attribute on the “div” element is obsolete\. .*",
        "it centres the sheet, which automatic margins do not where mail programs drop them",
    ),
    Allowed(
        r"The “type” attribute for the “style” element is not needed and should be omitted\.",
        "MRML writes it, and old mail programs skip a style element without it",
    ),
)


def checked(documents: Mapping[str, str], folder: Path) -> dict[str, list[Remark]]:
    """Returns what the checker says about each document, by its name; CSS is checked too.

    Files are written into `folder`, which must be empty. One Java process checks all documents.
    """
    names: dict[str, str] = {}
    for number, (name, html) in enumerate(documents.items()):
        path = folder / f"{number}.html"
        path.write_text(html, encoding="utf-8")
        names[path.name] = name
    jar = node_package("vnu-jar") / _JAR
    # The checker's own default of the stack does not hold deep tables under every version of Java.
    command = [
        java_program(),
        "-Xss8m",
        "-XX:+UseSerialGC",
        "-jar",
        str(jar),
        "--format",
        "json",
        "--stdout",
        "--exit-zero-always",
    ]
    ran = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[Remark]] = {name: [] for name in documents}
    for message in json.loads(ran.stdout)["messages"]:
        assert message["type"] in ("error", "info"), message
        kind = message.get("subType", message["type"])
        file = message["url"].rpartition("/")[2]
        remark = Remark(kind, message["message"], message.get("lastLine", 0), message.get("extract", ""))
        found[names[file]].append(remark)
    return found


def not_allowed(remarks: Iterable[Remark], allowed: Iterable[Allowed]) -> list[Remark]:
    """Returns the remarks that no entry of `allowed` names."""
    pattern = re.compile("|".join(f"(?:{entry.pattern})" for entry in allowed), re.DOTALL)
    return [remark for remark in remarks if not pattern.fullmatch(remark.message)]
