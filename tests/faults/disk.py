"""Disks that a test fills or whose power it cuts. Both need root on Linux.

The cut is the ioctl FS_IOC_SHUTDOWN with NOLOGFLUSH (linux/fs.h; as xfstests' godown does): whatever was not synced is
gone. It proves what reaches the disk, not that the disk keeps its own promises.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)
NEVER_S = 3600  # else what nobody synced is on the disk after 5 s, which a busy machine lets pass before the cut
ROOT = sys.platform == "linux" and os.geteuid() == 0


class PowerDisk:
    """An ext4 disk in a file, whose power can be cut."""

    def __init__(self, folder: Path, *, mb: int = 16) -> None:
        self.image, self.folder = folder / "disk.img", folder / "disk"
        self.folder.mkdir()
        with self.image.open("wb") as image:
            image.truncate(mb * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True)

    def mount(self) -> None:
        """Switch the power on."""
        done = subprocess.run(
            ["mount", "-o", f"loop,commit={NEVER_S}", str(self.image), str(self.folder)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no loop mounts here: {done.stderr.strip()}")

    def cut(self) -> None:
        """Cut the power."""
        folder = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(folder, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        os.close(folder)

    def unmount(self) -> None:
        """Let the folder go."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


needs_power_disk = pytest.mark.skipif(
    not (ROOT and shutil.which("mkfs.ext4")), reason="cuts the power of a loop disk: needs root on Linux and mkfs.ext4"
)
