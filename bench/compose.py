"""A message for each reader: joined from fragments, beside the standard library's way, in one run.

    python -m bench.compose [--rounds N]

Prints the median of microseconds a message for both, and the ratio. Both write the same edition (the
sample morning issue) to the same people; the test suite holds that both parse equal.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.render import render_variants

ROOT = Path(__file__).parents[1]
SLUG = "2026-11-21-morning"


def main() -> None:
    """Measures both ways in turn, several times, and prints one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    os.environ.setdefault("MAILER_SECRET_KEY", "bench")
    settings = load_settings(ROOT)
    loaded = load_issue(ROOT / "issues" / f"{SLUG}.yaml", settings)
    rendition = render_variants(loaded, settings, slug=SLUG, variants=[0])[0]
    envelope = Envelope(settings, campaign_id=1, slug=SLUG, edition="morning")
    template = MessageTemplate(rendition, envelope)
    people = [Person(number, f"reader{number}@example.org", "李雷", "zh") for number in range(2000)]

    def spliced() -> int:
        for person in people:
            Message(template, person).raw()
        return len(people)

    def built() -> int:
        for person in people[:40]:
            values = envelope.slot_values(person)
            message = EmailMessage(policy=SMTP)
            message["From"] = str(settings.publication.sender)
            message["To"] = f"{person.name} <{person.address}>"
            message["Subject"] = rendition.subject.fill(values)
            message.set_content(rendition.text.fill(values), cte="quoted-printable")
            message.add_alternative(rendition.html.fill(values), subtype="html", cte="quoted-printable")
            message.as_bytes()
        return 40

    times: dict[str, list[float]] = {"spliced": [], "EmailMessage": []}
    for _ in range(rounds):
        for name, way in (("spliced", spliced), ("EmailMessage", built)):
            begun = time.perf_counter()
            number = way()
            times[name].append((time.perf_counter() - begun) / number * 1e6)
    size = len(Message(template, people[0]).raw())
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"messages of {size / 1024:.0f} KB, median of {rounds} rounds")
    for name, median in medians.items():
        print(f"  {name:14}{median:>10.1f} µs a message")
    print(f"  ratio         {medians['EmailMessage'] / medians['spliced']:>10.0f}")


if __name__ == "__main__":
    main()
