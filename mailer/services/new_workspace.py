"""Creates the folder of a new workspace, whole or not at all."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from importlib.resources import files
from pathlib import Path
from string import Template
from zoneinfo import available_timezones

from mailer.config import CONFIG_NAME
from mailer.errors import ConfigError, FailureError
from mailer.files import make_missing_folders, remove_created_paths, sync_folder

__all__ = ["create_workspace"]

_FOLDERS = ("issues", "templates", "campaigns")


def create_workspace(folder: Path, today: dt.date) -> str:
    """Creates a workspace in `folder`, and returns the path of the first issue in it, dated `today`.

    Raises ConfigError if a file would be overwritten. After any error nothing has changed. mailer.toml is
    written last, so that an interruption leaves no folder that counts as a workspace.
    """
    issue = f"issues/{today.isoformat()}-morning.yaml"
    contents = {
        ".env": "# Signs the links to unsubscribe. Never lose it, never publish it.\n"
        f"MAILER_SECRET_KEY={secrets.token_urlsafe(32)}\n",
        ".gitignore": _starter_text("gitignore"),
        "campaigns/.gitkeep": "",
        "issues/README.md": _starter_text("issues-README.md"),
        "templates/README.md": _starter_text("templates-README.md"),
        issue: _starter_text("first-issue.yaml", date=today.isoformat(), path=issue),
        CONFIG_NAME: _starter_text("mailer.toml", timezone=_machine_time_zone()),
    }
    _check_nothing_is_overwritten(folder, contents)
    created: list[Path] = []
    try:
        for place in (folder, *(folder / name for name in _FOLDERS)):
            make_missing_folders(place, created)
        for name, text in contents.items():
            path = folder / name
            mode = 0o600 if name == ".env" else 0o666
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            created.append(path)
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            sync_folder(path.parent)
    except BaseException as error:
        remove_created_paths(created)
        if isinstance(error, FileExistsError):
            raise ConfigError(
                f"{error.filename} appeared just now and was left as it is; no workspace was made"
            ) from None
        if isinstance(error, OSError):
            reason = (error.strerror or str(error)).lower()
            raise FailureError(
                f"{folder}: no workspace was made: {reason}; correct that and try again"
            ) from None
        raise
    return issue


def _starter_text(name: str, **values: str) -> str:
    text = (files("mailer.services") / "starter" / name).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _machine_time_zone() -> str:
    """Returns the name of the machine's time zone, or UTC if the name cannot be found."""
    target = Path("/etc/localtime").resolve().as_posix()
    _, found, name = target.partition("/zoneinfo/")
    return name if found and name in available_timezones() else "UTC"


def _check_nothing_is_overwritten(folder: Path, contents: dict[str, str]) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; nothing was changed")
    if os.path.lexists(folder / CONFIG_NAME):
        raise ConfigError(
            f"{folder / CONFIG_NAME} exists already, so this is a workspace; nothing was changed"
        )
    blocked = [name for name in _FOLDERS if os.path.lexists(folder / name) and not (folder / name).is_dir()]
    blocked += [name for name in contents if os.path.lexists(folder / name)]
    if blocked:
        names = ", ".join(blocked)
        raise ConfigError(f"{names} in {folder} would be overwritten; move it away, or choose another folder")
