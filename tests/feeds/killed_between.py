"""A server in little that dies by SIGKILL when the receiving hall has the case and the giving hall does not know it.

python -m tests.feeds.killed_between FOLDER
"""

import os
import signal
import sys
from pathlib import Path

from server.domain import commands as c
from server.feeds.handover import HandOvers
from server.ledger.base import Commit
from tests.feeds.halls import ACTOR, COUNTY, VILLAGE, a_hall, hand_one_over


def main(folder: Path) -> None:
    """Hand one case over and die half-way."""
    village, county = a_hall(VILLAGE, folder), a_hall(COUNTY, folder)
    hand_one_over(village)
    really = village.handle

    def handle(command: c.Command, **more: object) -> Commit:
        if isinstance(command, c.ConfirmHandOver):
            os.kill(os.getpid(), signal.SIGKILL)
        return really(command, actor=ACTOR)

    village.handle = handle  # type: ignore[method-assign]  # dies where it would write
    HandOvers({VILLAGE: village, COUNTY: county}).step()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
