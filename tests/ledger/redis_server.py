"""A real redis-server for tests: on a socket file, with the settings a ledger needs."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.patience import PATIENCE_S, until

PROGRAM = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(PROGRAM is None, reason="needs redis-server (Debian: redis-server)")


class RedisServer:
    """A server on a socket file in a short folder; it keeps its data over kills and restarts."""

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jiaohao-redis-"))
        self.options = options or ("--appendonly", "yes", "--appendfsync", "always")
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, db: int = 0, **more: object) -> str:
        """Give the address of a database."""
        return f"unix://{self.folder}/redis.sock?" + "&".join(f"{k}={v}" for k, v in {"db": db, **more}.items())

    def client(self, db: int = 0) -> Redis:
        """Give a plain client, to look and to damage."""
        return Redis(unix_socket_path=f"{self.folder}/redis.sock", db=db)

    def start(self) -> "RedisServer":
        """Start and wait until it answers."""
        assert PROGRAM is not None
        arguments = ["--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--dir", str(self.folder)]
        with (self.folder / "log").open("ab") as out:
            self.process = subprocess.Popen(
                [PROGRAM, *arguments, "--save", "", *self.options], stdout=out, stderr=subprocess.STDOUT
            )
        until(self._answers, "redis-server answers")
        return self

    def kill(self) -> None:
        """End it as a power cut would, as far as the process goes."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(PATIENCE_S)
            self.process = None

    def remove(self) -> None:
        """End it and take its folder away."""
        self.kill()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        client = self.client()
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()
