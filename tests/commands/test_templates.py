"""Commands refuse templates that they cannot find, instead of the built-in look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import run
from tests.desk import ISSUE, fill


@pytest.mark.parametrize("command", [("check",), ("plan",), ("send", "--yes"), ("render", "-o", "out")])
def test_no_command_takes_the_built_in_look_for_one_that_cannot_be_found(
    workspace: Path, command: tuple[str, ...]
) -> None:
    fill(workspace, 2)
    (workspace / "templates").symlink_to("on-another-disk")
    ran = run(workspace, command[0], ISSUE, *command[1:])
    assert ran.status == 2
    assert (
        "templates: is a link to a file that does not exist or that this user may not read; correct it"
        in ran.out + ran.err
    )
    assert not (workspace / "outbox").exists()
    assert not (workspace / "campaigns").exists()
