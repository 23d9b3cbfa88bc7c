"""Defines the limits of pictures: their number in an issue, their sizes, and when `check` warns."""

from __future__ import annotations

__all__ = [
    "MAX_COUNT",
    "MAX_FILE",
    "MAX_HEIGHT",
    "MAX_PIXELS",
    "MAX_TOTAL",
    "MAX_WIDTH",
    "WARN_ANIMATION",
    "WARN_FILE",
]

#: Bytes of one picture file, that of the logo too.
MAX_FILE = 10_000_000
#: Width times height of one picture.
MAX_PIXELS = 40_000_000
#: Bytes of all picture files of one issue.
MAX_TOTAL = 40_000_000
#: Picture files of one issue.
MAX_COUNT = 100

#: The largest width in which a mail shows a picture, in CSS px.
MAX_WIDTH = 600
#: The largest height in which a mail shows a picture that has no width of its own, in CSS px: about the
#: height of a phone's screen.
MAX_HEIGHT = 720

#: Bytes of a published file above which `check` warns: phones load pictures over the air.
WARN_FILE = 1_000_000
#: The same for an animation.
WARN_ANIMATION = 2_000_000
