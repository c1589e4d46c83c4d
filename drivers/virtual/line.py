"""The device's end of a line: TCP or a pseudo terminal, one interface, with the misbehaviour of real cables.

    VirtualLine("tcp://127.0.0.1:0", on_bytes)        url -> tcp://127.0.0.1:40123
    VirtualLine("pty:///tmp/demo/pad", on_bytes)      url -> serial:///tmp/demo/pad   (a symlink)

A TCP device takes one connection at a time, as cheap 9100 boards do; others wait. Unplugging a pty closes both of its
ends and removes the link, plugging in again makes another pty behind the same link, as USB adapters do.
"""

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

Cut: TypeAlias = Literal["close", "reset", "unplug"]
"""How a connection ends: FIN, RST, or the whole device gone until replug()."""

_READ_BYTES = 4096
_SEND_TIMEOUT_S = 1.0


class VirtualLine:
    """The device's end of one line, with a thread that hands arriving bytes to `on_bytes`."""

    def __init__(self, place: str, on_bytes: Callable[[bytes], None]) -> None:
        """Open at `place`: tcp://HOST:PORT (port 0 picks one) or pty:///PATH of the link to make."""
        self._on_bytes = on_bytes
        self._port: _Port = _TcpPort(place) if place.startswith("tcp://") else _PtyPort(place)
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = socket.socketpair()  # and no pipe: Windows selects sockets only
        self._wake_read.setblocking(False)
        self._wake_handle = self._wake_read.fileno()
        self._closed = False
        self._reading = True
        self._bytes_per_s: float | None = None
        self._cut: tuple[int, Cut] | None = None
        self._port.plug()
        self.url = self._port.url
        self._thread = threading.Thread(target=self._run, name=f"virtual {self.url}", daemon=True)
        self._thread.start()

    def suffer(self, fault: str | None, known: Sequence[str]) -> None:
        """Begin one of the `known` faults of a device, or end it with None: "unplug" is the line's own.

        Raises ValueError for another word; nothing is changed then.
        """
        if fault is not None and fault not in known:
            raise ValueError(f"this device knows {', '.join(known)}, not {fault!r}")
        if fault == "unplug":
            self.unplug()
        else:
            self.replug()

    @property
    def plugged(self) -> bool:
        """Whether the device is there at all."""
        with self._lock:
            return self._port.plugged

    def send(self, data: bytes) -> None:
        """Send bytes to the agent; lost when nobody listens, as on a cable."""
        with self._lock:
            self._port.send(data)

    def cut(self, how: Cut) -> None:
        """End the connection now."""
        with self._lock:
            self._port.cut(how)
        self._wake()

    def cut_after(self, count: int, how: Cut) -> None:
        """End the connection as soon as `count` more bytes were taken; bytes behind them are lost."""
        with self._lock:
            self._cut = (count, how)

    def unplug(self) -> None:
        """Take the device away: the port vanishes."""
        self.cut("unplug")

    def replug(self) -> None:
        """Put the device back at the same address."""
        with self._lock:
            self._port.plug()
        self._wake()

    def stop_reading(self, stopped: bool = True) -> None:
        """Take no more bytes (and leave them in the cable) until called with False."""
        with self._lock:
            self._reading = not stopped
        self._wake()

    def slow(self, bytes_per_s: float | None) -> None:
        """Take bytes at this rate only; None is as fast as they come."""
        with self._lock:
            self._bytes_per_s = bytes_per_s
        self._wake()

    def close(self) -> None:
        """Put the device away for good."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._port.cut("unplug")
        self._wake()
        self._thread.join(5)
        self._wake_read.close()
        self._wake_write.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_write.send(b".")

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._closed:
                    return
                watched = self._port.watched(reading=self._reading)
            try:
                select.select([self._wake_handle, *watched], [], [])
            except (OSError, ValueError):
                continue  # a port was closed under select: look again at what there is
            with contextlib.suppress(BlockingIOError):
                self._wake_read.recv(64)
            with self._lock:
                if self._closed:
                    return
                rate = self._bytes_per_s  # as it is now: it may have changed while we waited
                most = _READ_BYTES if rate is None else max(1, int(rate / 20))
                if self._cut is not None:
                    most = max(1, min(most, self._cut[0]))
                data = self._port.receive(most, reading=self._reading)
            if data:
                self._on_bytes(data)
                self._count(len(data))
            if data and rate is not None:
                time.sleep(len(data) / rate)

    def _count(self, taken: int) -> None:
        with self._lock:
            if self._cut is None:
                return
            left, how = self._cut[0] - taken, self._cut[1]
            self._cut = (left, how) if left > 0 else None
            if left <= 0:
                self._port.cut(how)


class _Port(Protocol):
    """What VirtualLine needs of a kind of port; every call is made under its lock and does not block for long."""

    @property
    def url(self) -> str: ...
    @property
    def plugged(self) -> bool: ...
    def plug(self) -> None: ...
    def watched(self, *, reading: bool) -> list[int]: ...
    def receive(self, most: int, *, reading: bool) -> bytes: ...
    def send(self, data: bytes) -> None: ...
    def cut(self, how: Cut) -> None: ...


class _TcpPort:
    """A listener and at most one connection."""

    def __init__(self, place: str) -> None:
        host, _, port = place.removeprefix("tcp://").rpartition(":")
        self._address = (host or "127.0.0.1", int(port))
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"tcp://{self._address[0]}:{self._address[1]}"

    @property
    def plugged(self) -> bool:
        return self._listener is not None

    def plug(self) -> None:
        if self._listener is not None:
            return
        listener = socket.create_server(self._address, backlog=4)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # small, as in a printer: a stop is felt soon
        listener.setblocking(False)
        self._listener = listener
        self._address = (self._address[0], listener.getsockname()[1])

    def watched(self, *, reading: bool) -> list[int]:
        if self._client is not None:
            return [self._client.fileno()] if reading else []
        return [self._listener.fileno()] if self._listener is not None else []

    def receive(self, most: int, *, reading: bool) -> bytes:
        try:
            if self._client is None:
                if self._listener is not None:
                    self._client, _ = self._listener.accept()
                    self._client.setblocking(False)
                return b""
            if not reading:
                return b""
            data = self._client.recv(most)
        except BlockingIOError:
            return b""
        except OSError:
            self._drop()
            return b""
        if not data:
            self._drop()
        return data

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and self._client is not None:
            try:
                _, ready, _ = select.select([], [self._client], [], _SEND_TIMEOUT_S)
                rest = rest[self._client.send(rest) :] if ready else rest[:0]  # the agent reads nothing: bytes are lost
            except OSError:
                self._drop()

    def cut(self, how: Cut) -> None:
        if self._client is not None and how == "reset":
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._drop()
        if how == "unplug" and self._listener is not None:
            self._listener.close()
            self._listener = None

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


class _PtyPort:
    """A pseudo terminal behind a link.

    We hold a copy of the agent's end: else the first close by the agent would end it.
    """

    def __init__(self, place: str) -> None:
        self._link = Path(place.removeprefix("pty://"))
        self._master: int | None = None
        self._copy: int | None = None

    @property
    def url(self) -> str:
        return f"serial://{self._link}"

    @property
    def plugged(self) -> bool:
        return self._master is not None

    def plug(self) -> None:
        if self._master is not None:
            return
        import pty  # not on Windows, where virtual devices are on TCP
        import tty

        self._master, self._copy = pty.openpty()
        tty.setraw(self._copy)
        os.set_blocking(self._master, False)
        self._link.parent.mkdir(parents=True, exist_ok=True)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(self._copy))

    def watched(self, *, reading: bool) -> list[int]:
        return [self._master] if self._master is not None and reading else []

    def receive(self, most: int, *, reading: bool) -> bytes:
        if self._master is None or not reading:
            return b""
        try:
            return os.read(self._master, most)
        except OSError:
            return b""

    def send(self, data: bytes) -> None:
        if self._master is not None:
            with contextlib.suppress(OSError):  # the cable is full: nobody reads, the bytes are lost
                os.write(self._master, data)

    def cut(self, how: Cut) -> None:
        """Unplug; a serial line has no connection that could be closed apart from that."""
        if self._master is None or self._copy is None:
            return
        self._link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._copy)
        self._master = self._copy = None
        if how != "unplug":
            self.plug()
