"""Writes the gallery of simulated clients: `python -m tools.clients [--data caniemail.json] [NAME ...]`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools.clients.documents import documents
from tools.clients.facts import load_facts
from tools.clients.gallery import Look, take_looks, write_gallery
from tools.clients.html_check import HtmlCheck, check_html, read_support
from tools.clients.simulate import Client, clients
from tools.screenshots import ROOT, chromium

#: The environment variable with the path of caniemail.json.
DATA = "CANIEMAIL_JSON"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.clients", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="samples or fixtures; all without any")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/clients", help="where the page goes")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA),
        help=f"caniemail.json, for Mailpit's HTML check; default: ${DATA}",
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in documents()]
    if unknown:
        parser.error(f"there is no mail {', '.join(unknown)}; there are {', '.join(documents())}")
    names = options.names or list(documents())
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, clients(browser) as client:
        checks = _html_checks(client, names, options.data)
        looks = take_looks(client, folder, names, _report)
    print(write_gallery(folder, looks, checks))  # noqa: T201


def _report(look: Look) -> None:
    faults = f"  {len(look.faults)} faults: {look.faults[0]}" if look.faults else ""
    print(f"{look.document:24} {look.simulation.key:22} {look.width:4} px{faults}")  # noqa: T201


def _html_checks(client: Client, names: list[str], data: Path | None) -> dict[str, HtmlCheck]:
    """Prints and returns Mailpit's figures of these mails; none where there are no data."""
    if data is None or not data.exists():
        print(f"Mailpit's HTML check is left out: give caniemail.json with --data or {DATA}.")  # noqa: T201
        return {}
    support, plain = read_support(data), load_facts().simulations["plain"]
    checks = {}
    for name in names:
        checks[name] = check_html(client.show(documents()[name], plain, 375), support)
        print(f"{name:24} HTML check: {checks[name].sentence}")  # noqa: T201
    return checks


if __name__ == "__main__":
    main()
