"""`mailer` that always or never announces the next message, so that its own choice can be measured.

    python -m bench.forced always|never WORDS…

WORDS are those of `mailer`.
"""

from __future__ import annotations

import sys

from cli import main
from mailer.transports.smtp.comparison import EarlyCommandsComparison

if __name__ == "__main__":
    way = {"always": True, "never": False}[sys.argv.pop(1)]
    EarlyCommandsComparison.should_send_commands_early = lambda _: way  # type: ignore[assignment,method-assign]
    main()
