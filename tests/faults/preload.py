"""A clock for real servers that a test sets while they run; see `tests/faults/clock.c`."""

import shutil
import struct
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

COMPILERS = ("cc", "gcc", "clang")


class SetClock:
    """The wall clock of processes that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
        if compiler is None or not sys.platform.startswith("linux"):
            pytest.skip("a clock that can be set needs Linux and a C compiler")
        library = folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True
        )
        self._step = folder / "step"
        self._step.write_bytes(struct.pack("=q", 0))
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_STEP": str(self._step)}

    def set(self, instant: str) -> None:
        """Let it be this instant (RFC 3339) now, and go on from there."""
        ns = int(datetime.fromisoformat(instant).timestamp() * 1e9) - time.time_ns()
        with self._step.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("=q", ns))
