"""django-newsletter, by its own command: templates of an edition, subscriptions and a submission in SQLite.

    driver.py prepare FOLDER ADDRESS
    driver.py send FOLDER ADDRESS

`prepare` reads FOLDER/edition.json and list.csv; `send` runs `submit_newsletter` and writes
FOLDER/result.json.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path

import django
from django.core.management import call_command


def literal(text: str, name: str) -> str:
    """Text in which Django's templates see nothing but the reader's name."""
    pieces = text.split(name)
    return "{{ subscription.name }}".join("{% verbatim %}" + piece + "{% endverbatim %}" for piece in pieces)


def prepare(folder: Path) -> None:
    from newsletter.models import Message, Newsletter, Submission, Subscription

    edition = json.loads((folder / "edition.json").read_text(encoding="utf-8"))
    templates = folder / "templates" / "newsletter" / "message" / "evening"
    templates.mkdir(parents=True)
    (templates / "message.html").write_text(literal(edition["html"], edition["name"]), encoding="utf-8")
    (templates / "message.txt").write_text(literal(edition["text"], edition["name"]), encoding="utf-8")
    (templates / "message_subject.txt").write_text(edition["subject"], encoding="utf-8")
    call_command("migrate", verbosity=0)
    newsletter = Newsletter.objects.create(
        title="Evening", slug="evening", email="desk@news.example.org", sender="Harbour Brief", send_html=True
    )
    with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            Subscription.objects.create(
                newsletter=newsletter,
                name_field=row["name"],
                email_field=row["email"],
                subscribed=True,
            )
    message = Message.objects.create(title=edition["subject"], slug="evening", newsletter=newsletter)
    submission = Submission.from_message(message)
    submission.prepared = True
    submission.save()


def send(folder: Path) -> None:
    begun = time.perf_counter()
    call_command("submit_newsletter", verbosity=0)
    (folder / "result.json").write_text(json.dumps({"seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    os.environ.update(
        DJANGO_SETTINGS_MODULE="bench_settings", BENCH_FOLDER=sys.argv[2], BENCH_ADDRESS=sys.argv[3]
    )
    django.setup()
    {"prepare": prepare, "send": send}[sys.argv[1]](Path(sys.argv[2]))
