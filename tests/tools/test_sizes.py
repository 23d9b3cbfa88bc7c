"""What the samples weigh, as `make sizes` prints it."""

from __future__ import annotations

from tools.sizes import Size, sample_sizes, table

KB = 1024


def test_the_sample_morning_edition_is_light() -> None:
    morning = next(size for size in sample_sizes() if size.name.endswith("morning"))
    assert morning.html <= 40 * KB
    assert morning.message <= 70 * KB


def test_every_sample_is_shown_whole_by_gmail() -> None:
    for size in sample_sizes():
        assert max(size.html, size.message) < 102 * KB, size


def test_sizes_are_printed_in_kilobytes() -> None:
    assert table([Size("one", 40 * KB, 1536, 71_680)]).splitlines() == [
        "KB                           HTML     text  message",
        "one                          40.0      1.5     70.0",
    ]
