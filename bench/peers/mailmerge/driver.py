"""mailmerge, by its own command: a template of headers and two parts, a CSV file, a server.

    driver.py prepare FOLDER ADDRESS
    driver.py send FOLDER ADDRESS

`prepare` reads FOLDER/edition.json and list.csv; `send` writes FOLDER/result.json.
"""

import json
import sys
import time
from pathlib import Path

from mailmerge.__main__ import main


def literal(text: str, name: str) -> str:
    """Text in which Jinja sees nothing but the reader's name."""
    return "{{name}}".join("{% raw %}" + piece + "{% endraw %}" for piece in text.split(name))


def prepare(folder: Path, address: str) -> None:
    edition = json.loads((folder / "edition.json").read_text(encoding="utf-8"))
    text, html = (literal(edition[kind], edition["name"]) for kind in ("text", "html"))
    host, port = address.rsplit(":", 1)
    (folder / "mailmerge_server.conf").write_text(f"[smtp_server]\nhost = {host}\nport = {port}\n")
    (folder / "mailmerge_database.csv").write_bytes((folder / "list.csv").read_bytes())
    (folder / "mailmerge_template.txt").write_text(
        'TO: "{{name}}" <{{email}}>\n'
        f"SUBJECT: {edition['subject']}\n"
        f"FROM: {edition['sender']}\n"
        "LIST-UNSUBSCRIBE: <https://news.example.org/u/{{email}}>\n"
        "MIME-Version: 1.0\n"
        'Content-Type: multipart/alternative; boundary="edition"\n\n'
        f'--edition\nContent-Type: text/plain; charset="utf-8"\n\n{text}\n'
        f'--edition\nContent-Type: text/html; charset="utf-8"\n\n{html}\n--edition--\n',
        encoding="utf-8",
    )


def send(folder: Path) -> None:
    begun = time.perf_counter()
    # Without --no-dry-run it only prints. What it prints goes to a file here; "raw" costs it least.
    main(args=["--no-dry-run", "--no-limit", "--output-format", "raw"], standalone_mode=False)
    (folder / "result.json").write_text(json.dumps({"seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), sys.argv[3])
    else:
        send(Path(sys.argv[2]))
