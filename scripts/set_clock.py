"""`jiaohao serve` with a clock that is set by hand: `python -m scripts.set_clock HALL.toml... --data DIR`.

The time stands in the file `CLOCK` beside the data folder, as an instant: whoever writes there moves the clock of all
halls, and from there it goes on at its usual speed. No page says that it is a drill, because pictures for a manual must
look like a real day. The file `PROCESS` says which process it is, for who wants to show a server that has gone silent.
"""

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()  # before anything else is imported, as in server.main

import os
import sys
from collections.abc import Sequence
from pathlib import Path

CLOCK, PROCESS = "pictured-clock", "pictured-process"


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM."""
    from server import serve
    from server.clock import DrillClock, instant_of
    from server.main import main as jiaohao

    beside = Path(arguments[list(arguments).index("--data") + 1])
    path = beside.with_name(CLOCK)
    beside.with_name(PROCESS).write_text(str(os.getpid()))

    class SetClock(DrillClock):
        """Goes on from the instant in the file, and from another as soon as another stands there."""

        def __init__(self) -> None:
            self._written_ns = path.stat().st_mtime_ns
            super().__init__(instant_of(path.read_text()))

        def __call__(self) -> int:
            if path.stat().st_mtime_ns != self._written_ns:
                self.__init__()  # type: ignore[misc]  # it begins again
            return super().__call__()

    vars(serve)["_clock"] = lambda _: SetClock()
    jiaohao(["serve", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
