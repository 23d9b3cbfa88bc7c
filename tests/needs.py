"""What a test needs of the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["java_program", "missing", "node_package"]

#: Read when the module is loaded, because no test sees a variable MAILER_….
_MODULES = Path(os.environ.get("MAILER_TEST_NODE_MODULES") or Path(__file__).parents[1] / ".ci/node_modules")
#: The first version of Java that runs the Nu HTML checker.
_JAVA = 17


def missing(what: str) -> NoReturn:
    """Where it must not be missed, in CI, that is a failure; elsewhere there is nothing to test with."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed here", pytrace=False)
    pytest.skip(f"there is no {what}")


def node_package(name: str) -> Path:
    """Returns the folder of an npm package that .ci/run installs, or that MAILER_TEST_NODE_MODULES has."""
    folder = _MODULES / name
    if not folder.is_dir():
        missing(f"npm package {name} in {_MODULES}")
    return folder.resolve()


def java_program() -> str:
    """Returns the path of Java, of version 17 or later."""
    found = shutil.which("java")
    if found is None:
        missing("Java")
    ran = subprocess.run([found, "-version"], capture_output=True, text=True, check=True)
    version = re.search(r'version "(\d+)', ran.stderr)
    if version is None or int(version[1]) < _JAVA:
        missing(f"Java of version {_JAVA} or later")
    return found
