"""The theme is valid MJML, not only what MRML puts up with: JS MJML's strict validation says so."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mailer.config import load_settings
from mailer.issue.load import LoadedIssue, load_issue
from mailer.render import render as render_module
from mailer.render.html import mjml as mjml_module
from mailer.render.render import render_variants
from tests.full_issue import ROOT, full_issue
from tests.needs import missing, node_package

pytestmark = pytest.mark.node

SCRIPT = """
const { createRequire } = require("module");
const mjml2html = createRequire(process.argv[1] + "/x.js")("mjml");
const convert = mjml2html.default || mjml2html;
let input = "";
process.stdin.on("data", (chunk) => { input += chunk; }).on("end", async () => {
  const answers = {};
  for (const [name, markup] of Object.entries(JSON.parse(input))) {
    try {
      const result = await convert(markup, { validationLevel: "strict", fonts: {} });
      answers[name] = { errors: result.errors.map((e) => e.formattedMessage), size: result.html.length };
    } catch (error) {
      answers[name] = { errors: [String(error.message)], size: 0 };
    }
  }
  process.stdout.write(JSON.stringify(answers));
});
"""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        missing("node")
    return found


def validated(node: str, markups: dict[str, str]) -> dict[str, Any]:
    ran = subprocess.run(
        [node, "-e", SCRIPT, "--", str(node_package("mjml").parent)],
        input=json.dumps(markups),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answers: dict[str, Any] = json.loads(ran.stdout)
    return answers


def mjml_of(loaded: LoadedIssue, root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The MJML that the templates give, as it reaches MRML."""
    seen: list[str] = []

    def spy(theme: Any, name: str, context: Any, **options: Any) -> str:
        seen.append(theme.render(name, context))
        return mjml_module.render_mjml(theme, name, context, **options)

    with monkeypatch.context() as patch:
        patch.setattr(render_module, "render_mjml", spy)
        render_variants(loaded, load_settings(root), slug="strict", variants=[0])
    (markup,) = seen
    return markup


def test_every_layout_passes_strict_validation(
    node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(ROOT)
    markups = {
        path.name: mjml_of(load_issue(path, settings), ROOT, monkeypatch)
        for path in sorted((ROOT / "issues").glob("*.yaml"))
    }
    for edition in ("morning", "evening", "feature"):
        for sections in (False, True):
            name = f"{edition}-{'sections' if sections else 'items'}"
            loaded = full_issue(tmp_path / name, edition=edition, sections=sections)
            markups[name] = mjml_of(loaded, tmp_path / name, monkeypatch)
    answers = validated(node, markups)
    assert {name: answer["errors"] for name, answer in answers.items() if answer["errors"]} == {}
    assert len(answers) == 9
    assert all(answer["size"] > 10_000 for answer in answers.values())


def test_the_validator_would_have_noticed(node: str) -> None:
    text = "<mj-text colour='red'>x</mj-text>"
    wrong = f"<mjml><mj-body><mj-section><mj-column>{text}</mj-column></mj-section></mj-body></mjml>"
    assert "colour" in str(validated(node, {"wrong": wrong})["wrong"]["errors"])
