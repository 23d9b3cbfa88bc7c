"""`subscribers export -o` writes to devices, pipes and links; it takes the place of nothing but files.

The devices are made for the test: those of the machine would be lost where this did not hold.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from mailer.commands.output_files import output_target
from tests.commands.subprocesses import run_here, run_shell

NULL, FULL = os.makedev(1, 3), os.makedev(1, 7)

pytestmark = pytest.mark.desk(readers="email,name\nann@example.org,Zoë\n")


def device(path: Path, number: int) -> Path:
    """A character device that works, where the machine lets one be made."""
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, number)
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        pytest.skip("no device can be made here")
    return path


@pytest.mark.parametrize(
    ("path", "descriptor"),
    [
        ("/dev/stdout", 1),
        ("/dev/stderr", 2),
        ("/dev/fd/1", 1),
        ("/proc/self/fd/7", 7),
        ("/dev/../dev/fd/3", 3),
    ],
)
def test_the_names_of_open_streams_are_known(path: str, descriptor: int) -> None:
    assert output_target(Path(path)).descriptor == descriptor


@pytest.mark.parametrize("target", ["/dev/fd/1", "/proc/self/fd/1", "link"])
def test_an_open_stream_is_written_to(desk: Path, target: str) -> None:
    (desk / "link").symlink_to("/proc/self/fd/1")
    plain = run_shell(desk, "MAILER subscribers export").stdout
    ended = run_here(desk, "subscribers", "export", "-o", target)
    assert (ended.returncode, ended.stdout) == (0, plain)
    assert ended.stderr.decode() == f"1 people are in {target}.\n"
    assert (desk / "link").is_symlink()


def test_what_standard_output_holds_already_stays(desk: Path) -> None:
    assert run_shell(desk, "echo before > out; MAILER subscribers export -o /dev/fd/1 >> out").returncode == 0
    text = (desk / "out").read_text()
    assert text.startswith("before\naddress,")
    assert "ann@example.org" in text


def test_another_open_descriptor_is_written_to(desk: Path) -> None:
    assert run_shell(desk, "MAILER subscribers export -o /dev/fd/3 3> out").returncode == 0
    assert (desk / "out").read_text().startswith("address,")


def test_json_and_the_list_do_not_share_standard_output(desk: Path) -> None:
    ended = run_here(desk, "subscribers", "export", "-o", "/dev/fd/1", "--json")
    assert (ended.returncode, list(json.loads(ended.stdout))) == (2, ["error"])
    assert b"cannot both go to standard output" in ended.stderr


def test_a_device_is_not_replaced(desk: Path) -> None:
    null = device(desk / "null", NULL)
    assert run_here(desk, "subscribers", "export", "-o", "null").returncode == 0
    assert null.is_char_device()


def test_a_named_pipe_is_written_to(desk: Path) -> None:
    os.mkfifo(desk / "pipe")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append((desk / "pipe").read_text()))
    reader.start()
    ended = run_here(desk, "subscribers", "export", "-o", "pipe")
    reader.join(30)
    assert ended.returncode == 0
    assert got[0].startswith("address,")
    assert (desk / "pipe").is_fifo()


def test_a_link_is_followed(desk: Path) -> None:
    (desk / "elsewhere").mkdir()
    (desk / "elsewhere" / "there.csv").write_text("old")
    (desk / "link.csv").symlink_to("elsewhere/there.csv")
    (desk / "new.csv").symlink_to("elsewhere/new.csv")
    for name, target in (("link.csv", "there.csv"), ("new.csv", "new.csv")):
        ended = run_here(desk, "subscribers", "export", "-o", name)
        assert (ended.returncode, ended.stdout.decode()) == (0, f"1 people are in {name}.\n")
        assert (desk / name).is_symlink()
        assert "ann@example.org" in (desk / "elsewhere" / target).read_text()


def test_a_link_to_itself_and_a_socket_are_refused(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(desk)
        server.bind("socket")
    for name in ("loop", "socket"):
        ended = run_here(desk, "subscribers", "export", "-o", name)
        assert ended.returncode == 2
        assert f'mailer: "{name}" ' in ended.stderr.decode()


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("MAILER subscribers export > full", "standard output"),
        ("MAILER subscribers export -o full", "full"),
        ("MAILER subscribers export -o /dev/fd/1 > full", "/dev/fd/1"),
    ],
)
def test_a_full_disk_is_told(desk: Path, line: str, place: str) -> None:
    device(desk / "full", FULL)
    ended = run_shell(desk, line)
    assert ended.returncode == 1
    assert (
        ended.stderr.decode()
        == f"mailer: {place}: no space left on device; correct that and run this again\n"
    )


def test_a_folder_that_is_not_there_is_told(desk: Path) -> None:
    ended = run_here(desk, "subscribers", "export", "-o", "nowhere/list.csv")
    assert ended.returncode == 1
    assert ended.stderr.decode() == (
        "mailer: nowhere/list.csv: no such file or directory; correct that and run this again\n"
    )
