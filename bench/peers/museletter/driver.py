"""museletter, by its own API: a template, a list and a campaign in its SQLite file, sent by its own loop.

    driver.py prepare FOLDER ADDRESS
    driver.py send FOLDER ADDRESS

It speaks no SMTP, only the APIs of Amazon SES and Cloudflare. So it runs its client for SES, with
signatures, against a stand-in at ADDRESS. Its pace is set to none. `prepare` reads FOLDER/edition.json and
list.csv and starts the campaign; `send` lets its loop work until nothing is left, and writes
FOLDER/result.json.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import httpx
from museletter.app import create_app
from museletter.config import Settings
from museletter.ses import SESClient

_HEAD = {"Authorization": "Bearer bench"}


def application(folder: Path, address: str):
    """The server as `museletter serve` has it, its loop in our hands, its provider on this machine."""
    client = SESClient("us-east-1")
    client.endpoint = f"http://{address}"
    return create_app(
        Settings(
            api_key="bench",
            db_path=str(folder / "museletter.db"),
            base_url="https://news.example.org",
            from_email="desk@news.example.org",
            from_name="Harbour Brief",
            postal_address="12 Quay Street, Port Example 200080",
            send_rate=float("inf"),
            extra={"mailer": client, "disable_sender": True},
        )
    )


async def prepare(folder: Path, app) -> None:
    edition = json.loads((folder / "edition.json").read_text(encoding="utf-8"))
    # Only the content is personalised there; the rest of the edition is the template around it.
    html = edition["html"].replace(edition["name"], "reader").replace("$", "$$")
    html = html.replace("</body>", "<div>$content</div><div>$footer</div></body>")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=_HEAD) as client:

        async def post(path: str, body: dict) -> dict:
            answer = await client.post(f"/v1{path}", json=body)
            answer.raise_for_status()
            return answer.json()

        name = (await client.get("/v1/lists")).json()["lists"][0]["slug"]
        await post("/templates", {"name": "edition", "html": html})
        await post(
            f"/lists/{name}/subscribers/import", {"csv": (folder / "list.csv").read_text(encoding="utf-8")}
        )
        body = edition["text"].replace(edition["name"], "{{name|reader}}")
        campaign = await post(
            f"/lists/{name}/campaigns",
            {"subject": edition["subject"], "body_markdown": body, "template": "edition"},
        )
        await post(f"/campaigns/{campaign['id']}/send", {"confirm": True, "skip_test": True})


async def send(folder: Path, app) -> None:
    begun = time.perf_counter()
    while await app.state.sender.tick():
        pass
    (folder / "result.json").write_text(json.dumps({"seconds": time.perf_counter() - begun}))


async def main(what: str, folder: Path, address: str) -> None:
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")
    app = application(folder, address)
    async with app.router.lifespan_context(app):
        await {"prepare": prepare, "send": send}[what](folder, app)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
