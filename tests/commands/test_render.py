from __future__ import annotations

import email
import email.policy
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mailer.commands.program import main

ISSUE = """\
edition: morning
date: 2026-11-21
language: en
title: The news
intro: Dear {{ subscriber.name or "reader" }}
items:
- title: One
  image: {src: quay.png, alt: A quay}
- {title: Two, only: language == "en"}
"""


@pytest.fixture
def issue(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "navy").save(out, "PNG")
    (workspace / "issues/quay.png").write_bytes(out.getvalue())
    path = workspace / "issues/test.yaml"
    path.write_text(ISSUE, "utf-8")
    monkeypatch.chdir(workspace)
    return path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["render", *words])
    return int(ended.value.code or 0)


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_an_issue_is_rendered_into_files_that_can_be_looked_at(
    issue: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("issues/test.yaml", "-o", "out") == 0
    found = files(workspace / "out")
    (picture,) = [name for name in found if name.startswith("images/")]
    assert set(found) == {
        picture,
        *(
            f"{folder}{name}"
            for folder in ("", "variants/0/", "variants/1/")
            for name in ("email.html", "email.txt", "web.html", "message.eml")
        ),
    }
    assert f'src="{picture}"' in found["email.html"].decode()
    assert f'src="{picture}"' in found["web.html"].decode()
    assert f'src="../../{picture}"' in found["variants/0/email.html"].decode()
    assert ("Two" in found["web.html"].decode(), "Two" in found["variants/0/web.html"].decode()) == (
        True,
        False,
    )
    assert "Dear Alex Reader" in found["email.txt"].decode()
    said = capsys.readouterr().out
    assert "out: email.html (" in said
    assert "out/variants/0: what is for everybody; its web.html is the public page\n" in said
    assert 'out/variants/1: what readers see for whom only `language == "en"` is true' in said


def test_the_message_is_as_it_would_be_sent(issue: Path, workspace: Path) -> None:
    run("issues/test.yaml", "-o", "out")
    message = email.message_from_bytes(
        (workspace / "out/message.eml").read_bytes(), policy=email.policy.default
    )
    assert not message.defects
    assert message["List-Unsubscribe"].startswith("<https://news.example.org/u/")
    assert message["Date"].datetime.isoformat() == "2026-11-21T08:00:00+08:00"
    html = message.get_body(("html",))
    assert html is not None
    assert "https://news.example.org/archive/2026-11-21-morning/images/" in html.get_content()


@pytest.mark.parametrize("sample", ["2026-11-21-morning", "2026-11-21-evening", "2026-11-22-feature"])
def test_every_slot_of_a_sample_is_filled(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert run(f"issues/{sample}.yaml", "-o", str(tmp_path)) == 0
    message = email.message_from_bytes((tmp_path / "message.eml").read_bytes(), policy=email.policy.default)
    shown = [(tmp_path / name).read_text("utf-8") for name in ("email.html", "email.txt")]
    for kind in ("html", "plain"):
        part = message.get_body((kind,))
        assert part is not None
        shown.append(part.get_content())
    for text in shown:
        assert "reader@example.org" in text
        assert not re.search(r" at\s+because|您用\s+订阅了", text)
        assert re.search("https://news.example.org/u/[a-z0-9]{40}", text)
        assert 'href="#"' not in text


def test_rendering_again_gives_the_same_bytes_and_leaves_foreign_files_alone(
    issue: Path, workspace: Path
) -> None:
    run("issues/test.yaml", "-o", "out")
    before = files(workspace / "out")
    (workspace / "out/notes.txt").write_text("mine", "utf-8")
    run("issues/test.yaml", "-o", "out")
    assert files(workspace / "out") == {**before, "notes.txt": b"mine"}


def test_no_secret_key_is_needed_to_look_at_an_issue(
    issue: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILER_SECRET_KEY")
    assert run("issues/test.yaml", "-o", "out") == 0
    assert (workspace / "out/message.eml").exists()


def test_wrong_input_writes_nothing(issue: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    issue.write_text(ISSUE.replace("subscriber.name", "subscriber.nmae"), "utf-8")
    assert run("issues/test.yaml", "-o", "out") == 2
    assert capsys.readouterr().err.startswith(
        "issues/test.yaml:5: subscriber.nmae is not known; did you mean"
    )
    assert not (workspace / "out").exists()
    (workspace / "file").write_text("x", "utf-8")
    issue.write_text(ISSUE, "utf-8")
    assert run("issues/test.yaml", "-o", "file") == 2
    assert capsys.readouterr().err == "mailer: file is a file; name a folder for the rendered files\n"
    assert run("issues/none.yaml", "-o", "out") == 2


def test_what_must_not_be_sent_is_written_and_told(
    issue: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    issue.write_text(ISSUE + "- {title: Three, body: '" + "words and " * 9990 + "'}\n", "utf-8")
    assert run("issues/test.yaml", "-o", "out") == 1
    assert "Gmail hides everything after 100 KB" in capsys.readouterr().err
    assert (workspace / "out/email.html").exists()


def test_a_full_disk_leaves_no_half_file(
    issue: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("issues/test.yaml", "-o", "out")
    before = files(workspace / "out")
    issue.write_text(ISSUE.replace("The news", "Other news"), "utf-8")
    monkeypatch.setattr("mailer.services.issues.render.put_file", _refusing_after(2))
    assert run("issues/test.yaml", "-o", "out") == 1
    after = files(workspace / "out")
    assert set(after) == set(before)
    assert "no space left on device" in capsys.readouterr().err


def _refusing_after(number: int) -> Any:
    from mailer.files import put_file

    done = 0

    def put(path: Path, data: bytes) -> None:
        nonlocal done
        done += 1
        if done > number:
            raise OSError(28, "No space left on device", str(path))
        put_file(path, data)

    return put
