"""A server behind two cables of which a test pulls one: a network namespace and veth pairs (ip-netns(8), veth(4)).

Needs root on Linux.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from tests.faults.disk import ROOT

needs_cables = pytest.mark.skipif(
    not (ROOT and shutil.which("ip")), reason="pulls a cable of a network namespace: needs root on Linux and iproute2"
)


@dataclass(frozen=True, slots=True)
class Cable:
    """A cable with the address `host` at its far end."""

    room: str
    near: str
    far: str
    host: str

    def pull(self) -> None:
        """Pull it at the far end: packets go out, and nothing comes back."""
        _ip("-n", self.room, "link", "set", self.far, "down")

    def plug(self) -> None:
        """Put it in again."""
        _ip("-n", self.room, "link", "set", self.far, "up")


class Room:
    """A room with two cables; a process runs there when its command begins with `before`."""

    def __init__(self) -> None:
        number = os.getpid() % 2**14
        self.name = f"jiaohao-{number}"
        self.before = ("ip", "netns", "exec", self.name)
        self.cables: list[Cable] = []
        try:
            _ip("netns", "add", self.name)
            _ip("-n", self.name, "link", "set", "lo", "up")
            self.cables += [
                self._lay(which, f"10.{200 + which}.{number // 64}.{number % 64 * 4}") for which in range(2)
            ]
        except subprocess.CalledProcessError as error:
            self.remove()
            pytest.skip(f"no network namespaces here: {error.stderr}")

    def remove(self) -> None:
        """Take everything away; with the room go its cables."""
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)

    def _lay(self, which: int, net: str) -> Cable:
        front, _, last = net.rpartition(".")
        near, far = (f"j{end}{which}-{self.name[8:]}" for end in "nf")
        host = f"{front}.{int(last) + 2}"
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
        _ip("addr", "add", f"{front}.{int(last) + 1}/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("-n", self.name, "addr", "add", f"{host}/30", "dev", far)
        _ip("-n", self.name, "link", "set", far, "up")
        return Cable(self.name, near, far, host)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
