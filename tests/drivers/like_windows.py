"""Runs `jiaohao` in an interpreter that has taken away from itself what Python has on POSIX systems only.

    python like_windows.py devices DEVICES.toml --server URL --data DIR

What of the standard library and of pyserial differs on Windows has its own ways there and is imported first; all of
ours comes after. It is no Windows, and finds every import and call that would stop us there.
"""

import asyncio  # noqa: F401 - as above: it has another loop on Windows
import os
import select
import signal
import socket
import socketserver
import subprocess  # noqa: F401
import sys

import serial  # noqa: F401

_MODULES = "fcntl termios pty tty pwd grp resource syslog readline evdev gpiozero"
_OS = """fork forkpty getuid geteuid getgid getegid getgroups getpgid getpgrp setsid killpg openpty ttyname mkfifo uname
statvfs fstatvfs chown fchown fchmod lchown nice getloadavg pread pwrite set_blocking sched_getaffinity posix_fadvise
O_CLOEXEC O_SYNC O_DSYNC O_DIRECTORY O_NOFOLLOW"""
_SIGNALS = "alarm setitimer pthread_sigmask sigwait SIGALRM SIGHUP SIGUSR1 SIGUSR2 SIGCHLD SIGPIPE"
_SOCKET = "AF_UNIX MSG_DONTWAIT SO_REUSEPORT"


def become_like_windows() -> None:
    """Take it all away; for this process only."""
    for name in _MODULES.split():
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    taken: list[tuple[object, str]] = [
        (os, _OS),
        (signal, _SIGNALS),
        (socket, _SOCKET),
        (socketserver, "UnixStreamServer UnixDatagramServer ThreadingUnixStreamServer"),
        (select, "poll epoll"),
    ]
    for module, names in taken:
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)


if __name__ == "__main__":
    become_like_windows()
    from server.main import main

    main()
