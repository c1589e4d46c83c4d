"""Space on the disk that is kept for the day when it is full: a file that is given up then, and taken again later.

With it a full disk stops new numbers and nothing else: whoever waits is called, served and finished, the day is closed,
numbers expire, people sign in. Without it a full disk would stop all of that at once.

The rule has one state. While the file is there, everything goes on. When the disk has no space the file is deleted,
and until there is room for it again, what would begin something new is refused (`server.hall.BEGINNING`).
"""

import logging
import os
from contextlib import suppress
from pathlib import Path

FILE = "reserve"
RESERVE_BYTES = 16 * 2**20
SHARE = 8  # of a small disk the reserve takes at most this part
LOW, ROOM = 16, 4  # given up below 1/16 of the reserve; after taking it again 1/4 must be left

log = logging.getLogger(__name__)


class Ballast:
    """The reserve of a folder. One process at a time owns it; its calls come from one thread."""

    def __init__(self, folder: Path, *, size: int = RESERVE_BYTES) -> None:
        """Take the reserve (`size` in bytes, less on a small disk), or give it up at once where the disk is full."""
        self._path = folder / FILE
        disk = os.statvfs(folder)
        self._size = min(size, disk.f_blocks * disk.f_frsize // SHARE)
        self._given = False
        if self._path.exists() and self._path.stat().st_size == self._size:
            self.tend()
        elif not self._take():
            self.give()

    @property
    def held(self) -> bool:
        """Say whether the reserve is there."""
        return not self._given

    def fault(self) -> str | None:
        """Say what is wrong in a line for the health page, None while the reserve is there."""
        need = (self._size + self._size // ROOM) // 2**10
        return f"the disk is full: no new numbers until {need} KiB are free" if self._given else None

    def give(self) -> bool:
        """Give the reserve up, and say whether there was one: then trying again may help."""
        try:
            self._path.unlink()
            had = True
        except OSError:  # given up already, or a disk that may not be written
            had = False
        if not self._given:
            self._given = True
            log.error("%s: the disk is full; the reserve is given up, no new numbers until there is space", self._path)
        return had

    def ready(self) -> bool:
        """Say whether something new may begin, after taking the reserve again if there is room."""
        if self._given and self._take():
            self._given = False
            log.warning("%s: there is space again; the reserve is back, new numbers are given out", self._path)
        return not self._given

    def tend(self) -> None:
        """Give up or take again as the space says: now and then, for whoever else writes on this disk."""
        if not self._given and self._free() < self._size // LOW:
            self.give()
        self.ready()

    def _free(self) -> int:
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize

    def _take(self) -> bool:
        """Write the reserve where there is room for it; a file with holes would keep nothing."""
        try:
            self._path.unlink(missing_ok=True)  # half a reserve, or one of another size
            if self._free() < self._size + self._size // ROOM:
                return False
            with self._path.open("wb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, self._size)
                else:
                    file.write(bytes(self._size))
                os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                self._path.unlink()
            return False
        return True
