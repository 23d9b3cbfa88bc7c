"""A transport is known in its own folder and by a line of the registry, and nowhere else."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.errors import ConfigError
from mailer.transports import registry
from mailer.transports.driver import Driver

ROOT = Path(__file__).parents[2]
SCHEMES = [form.scheme for driver in registry.all_drivers() for form in driver.urls]
#: A scheme as a string by itself, or at the beginning of a URL.
URL = re.compile(rf"(?:{'|'.join(SCHEMES)})", re.IGNORECASE)
BEGINNING = re.compile(rf"(?<![\w.-])(?:{'|'.join(SCHEMES)}):(?! )", re.IGNORECASE)
#: The files that may name one, and why.
EXCEPTIONS = {
    "mailer/config/sections.py": "the default of delivery.transport, and the sentence about it",
    "mailer/store/": "migrations, which know the schemes of their time",
    "mailer/commands/sending/send.py": "the help of --transport, shown without importing any",
}


def named(path: Path) -> Iterator[str]:
    """The strings of a module that are a scheme or begin a URL with one, without docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
            continue
        if URL.fullmatch(node.value) or BEGINNING.search(node.value):
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"


def test_no_scheme_stands_outside_the_transports() -> None:
    found = [
        one
        for path in sorted((ROOT / "mailer").rglob("*.py"))
        if "transports" not in path.relative_to(ROOT / "mailer").parts[:1]
        for one in named(path)
    ]
    assert [one for one in found if not one.startswith(tuple(EXCEPTIONS))] == []
    for place in EXCEPTIONS:
        assert any(one.startswith(place) for one in found), f"{place} is an exception no more"


def test_each_line_of_the_registry_is_a_scheme_of_its_driver() -> None:
    assert list(registry._MODULES) == SCHEMES
    for scheme in SCHEMES:
        driver = registry.driver_of(f"{scheme}:")
        assert driver is registry.find_driver(scheme.upper())
        assert registry.is_folder_transport(f"{scheme}:x") is driver.is_folder


@pytest.mark.parametrize("driver", registry.all_drivers(), ids=lambda driver: driver.source)
def test_a_driver_states_what_others_ask(driver: Driver) -> None:
    for form in driver.urls:
        assert form.syntax.startswith(f"{form.scheme}:")
        assert form.example.startswith(f"{form.scheme}:")
    assert re.fullmatch("[a-z]+", driver.source)
    assert registry.find_driver(driver.source) is driver, "events name it, and its driver is found by that"
    assert all(re.fullmatch("[A-Z][A-Z0-9_]+", name) for name in driver.secrets + driver.variables)
    assert not set(driver.secrets) & set(driver.variables)
    page = (ROOT / "docs/transports.md").read_text("utf-8") + (ROOT / "docs/smtp.md").read_text("utf-8")
    for name in driver.secrets + driver.variables:
        assert f"{name}" in page, f"{name} is not in the documents"
    if driver.dns is not None:
        assert not driver.signed_by_us


def test_a_transport_is_imported_when_it_is_opened() -> None:
    program = """
import sys
from mailer.transports import registry
registry.is_folder_transport("outbox:x"), registry.check_url("smtp://h")
registry.unwritable_addresses_of("sendgrid:")
registry.all_drivers()
begins = ("mailer.transports", "mailer.render", "smtplib", "ssl", "http", "sendgrid")
print(*sorted(name for name in sys.modules if name.startswith(begins)))
"""
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = ran.stdout.split()
    assert not [name for name in loaded if not name.startswith("mailer.transports")]
    transports = [name for name in loaded if re.fullmatch(r"mailer\.transports\..+\..+", name)]
    assert {name.rpartition(".")[2] for name in transports} == {"driver"}


def test_an_unknown_scheme_belongs_to_nobody() -> None:
    assert registry.find_driver("pigeon:coop") is None
    assert not registry.is_folder_transport("pigeon:coop")
    assert registry.unwritable_addresses_of("pigeon:coop") is None
    assert registry.event_source_of("pigeon:coop") == "pigeon"
    for url in ("pigeon:coop", "smtp", "", ":"):
        with pytest.raises(ConfigError, match="is not a transport; use outbox:PATH, smtp://user@host:port"):
            registry.driver_of(url)


@pytest.mark.parametrize("url", ["SMTP://host", "pigeon:x", "smtp://me:word@host", "smtp://h:99999", "smtp"])
def test_a_setting_is_stricter_than_what_was_stored(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not|holds a password") as caught:
        registry.check_url(url)
    assert "me:word" not in str(caught.value)
