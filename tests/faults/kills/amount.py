"""How much these tests try: `MAILER_TEST_KILLS` random kills, and the rest in proportion.

`make faults` sets it to 1,000; every other run of the tests has the default.
"""

from __future__ import annotations

import os

__all__ = ["CANCELS", "FULL", "KILLS", "KILLS_A_TEST"]

#: Processes that are killed at random moments over both transports.
KILLS = int(os.environ.get("MAILER_TEST_KILLS", "40"))
#: A test has so many of them.
KILLS_A_TEST = 5
#: Campaigns that are cancelled at a random moment of a living run; as many after a SIGKILL of the run.
CANCELS = max(2, KILLS // 10)
#: Whether readers leave runs of full length, for `make faults`, or short ones.
FULL = KILLS >= 1000
