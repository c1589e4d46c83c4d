"""A real group for tests: a master, two replicas, three sentinels, on free ports of addresses of this machine."""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests.ledger.redis_server import PROGRAM
from tests.patience import PATIENCE_S, until

SERVICE = "hall"
SAFE = {"appendonly": "yes", "appendfsync": "always"}
DOWN_AFTER_MS = 600  # without a word for so long: down, for a sentinel


class Node:
    """One process of a group: a Redis server, or a sentinel."""

    def __init__(self, folder: Path, host: str, settings: Sequence[str], *, sentinel: bool = False) -> None:
        self.folder, self.host, self.port, self.sentinel = folder, host, free_port(host), sentinel
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        lines = [f"port {self.port}", f"bind {host}", f"dir {folder}", "protected-mode no", *settings]
        (folder / "conf").write_text("\n".join(lines) + "\n")

    def start(self) -> "Node":
        assert PROGRAM is not None
        words = [PROGRAM, str(self.folder / "conf"), *(["--sentinel"] if self.sentinel else [])]
        with (self.folder / "log").open("ab") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT)
        until(self.answers, f"{self.folder.name} answers")
        return self

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would, as far as the process goes."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(PATIENCE_S)
            self.process = None

    def client(self) -> Redis:
        return Redis(host=self.host, port=self.port, socket_timeout=2.0, socket_connect_timeout=2.0)

    def ask(self, *words: str) -> Any:
        client: Any = self.client()
        with contextlib.closing(client):
            return client.execute_command(*words)

    def answers(self) -> bool:
        with contextlib.suppress(RedisError, OSError):
            return bool(self.ask("PING"))
        return False

    def role(self) -> str:
        """Give master, replica, or gone."""
        with contextlib.suppress(RedisError, OSError):
            said = self.ask("ROLE")[0]
            return {"slave": "replica"}.get(text(said), text(said))
        return "gone"


class Group:
    """Three Redis servers and three sentinels; `hosts` are the addresses that each pair of them has."""

    def __init__(
        self, hosts: Sequence[str] = ("127.0.0.1",) * 3, settings: Mapping[str, str] | None = None, **of_last: str
    ) -> None:
        """Start all. `settings` go to all Redis servers, `of_last` to the last replica only."""
        self.folder = Path(tempfile.mkdtemp(prefix="jiaohao-group-"))
        self.hosts = hosts
        self.nodes: list[Node] = []
        self.sentinels: list[Node] = []
        try:
            self._start(settings or {}, of_last)
        except BaseException:
            self.close()
            raise

    def _start(self, settings: Mapping[str, str], of_last: Mapping[str, str]) -> None:
        for number, host in enumerate(self.hosts):
            own = SAFE | dict(settings) | (dict(of_last) if number == len(self.hosts) - 1 else {})
            lines = [f"{name} {value}" for name, value in own.items()] + ['save ""', "repl-diskless-sync-delay 0"]
            lines += ["repl-ping-replica-period 1", "repl-timeout 5"]
            lines += [f"bind-source-addr {host}", f"replica-announce-ip {host}"]
            if self.nodes:
                lines.append(f"replicaof {self.nodes[0].host} {self.nodes[0].port}")
            self.nodes.append(Node(self.folder / f"redis{number}", host, lines))
            self.nodes[-1].start()
        until(lambda: all(self._in_step(node) for node in self.nodes[1:]), "the replicas follow")
        for number, host in enumerate(self.hosts):
            lines = [
                f"sentinel monitor {SERVICE} {self.nodes[0].host} {self.nodes[0].port} 2",
                f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {SERVICE} 3000",
                f"sentinel announce-ip {host}",
                f"bind-source-addr {host}",
            ]
            self.sentinels.append(Node(self.folder / f"sentinel{number}", host, lines, sentinel=True))
            self.sentinels[-1].start()
        until(self.is_ready, "the sentinels know each other and the replicas")

    def url(self, by: Sequence[Node] = (), **more: object) -> str:
        """Give the address of the ledger, by all sentinels or by some."""
        hosts = ",".join(f"{node.host}:{node.port}" for node in by or self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}?" + "&".join(f"{k}={v}" for k, v in more.items())

    def master(self) -> Node:
        """Give the node that most sentinels name and that says so itself."""
        found: list[Node] = []

        def one() -> bool:
            votes = [node for it in self.sentinels if (node := self.named_by(it)) is not None]
            found[:] = [node for node in self.nodes if votes.count(node) >= 2 and node.role() == "master"]
            return len(found) == 1

        until(one, "a master")
        return found[0]

    def replicas(self) -> list[Node]:
        """Give all but the master."""
        master = self.master()
        return [node for node in self.nodes if node is not master]

    def is_ready(self) -> bool:
        """Say whether every sentinel knows two others and two replicas that are up."""
        for it in self.sentinels:
            try:
                said = fields(it.ask("SENTINEL", "MASTER", SERVICE))
                replicas = [fields(row) for row in it.ask("SENTINEL", "REPLICAS", SERVICE)]
            except (RedisError, OSError):
                return False
            up = [row for row in replicas if "down" not in row["flags"] and row["master-link-status"] == "ok"]
            if said["num-other-sentinels"] != "2" or len(up) != 2 or "down" in said["flags"]:
                return False
        return True

    def close(self) -> None:
        """End all and take the folder away."""
        for node in [*self.sentinels, *self.nodes]:
            node.kill()
        shutil.rmtree(self.folder)

    def _in_step(self, node: Node) -> bool:
        with contextlib.suppress(RedisError, OSError):
            return text(node.ask("ROLE")[3]) == "connected"
        return False

    def named_by(self, sentinel: Node) -> Node | None:
        """Give whom a sentinel names as the master."""
        with contextlib.suppress(RedisError, OSError):
            said = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
            place = (text(said[0]), int(said[1]))
            return next((node for node in self.nodes if (node.host, node.port) == place), None)
        return None


@contextlib.contextmanager
def group(*args: Any, **how: Any) -> Iterator[Group]:
    """Give a group while the block runs."""
    made = Group(*args, **how)
    try:
        yield made
    finally:
        made.close()


def free_port(host: str) -> int:
    """Give a port that is free, and below those that the kernel gives to others' connections."""
    dice = SystemRandom()  # other test runs of this machine look for ports, too, and not in the same order
    for _ in range(1000):
        port = dice.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port
    raise AssertionError("no free port")


def text(word: bytes | str) -> str:
    """Give an answer of Redis as text."""
    return word.decode() if isinstance(word, bytes) else word


def fields(row: Any) -> dict[str, str]:
    """Give a row of names and values by name."""
    if isinstance(row, Mapping):
        return {text(name): text(value) for name, value in row.items()}
    words = [text(word) for word in row]
    return dict(zip(words[::2], words[1::2], strict=True))
