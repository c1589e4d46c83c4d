"""SIGKILL of the real server in the middle of requests, again and again.

Nothing that was acknowledged is lost, doubled or called twice, and what screens and auditors saw all that time are
prefixes of one ledger.
"""

import gc
import random
import signal

import pytest

from tests.checker.judge import rules
from tests.faults.clients import Clients
from tests.faults.spawned import SpawnedHouse

# websocket-client leaves its socket open when the server dies in the handshake
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

SEED = 20260302
KILLS = 50  # on one ledger; each start replays it


def killed(house: SpawnedHouse, kills: int, seed: int) -> Clients:
    """Kill the server so many times while clients work; give them and what they saw."""
    dice = random.Random(seed)
    house.server.start()
    clients = Clients(house, seed=seed)
    for _ in range(kills):
        clients.until_answers(dice.randrange(1, 40))
        house.server.end(signal.SIGKILL)
        house.server.start()
    clients.until_answers(20)
    clients.stop()
    assert house.server.end(signal.SIGTERM) == 0
    gc.collect()  # here, where those sockets are forgiven
    return clients


@pytest.mark.parametrize(
    ("seed", "kills"),
    [(SEED, 10), *(pytest.param(SEED + turn, KILLS, marks=pytest.mark.faults) for turn in range(1000 // KILLS))],
)
def test_a_server_that_is_killed_again_and_again_keeps_every_promise(
    spawned: SpawnedHouse, seed: int, kills: int
) -> None:
    clients = killed(spawned, kills, seed)
    found = clients.judged()
    assert not found, f"seed {seed}: {[str(it) for it in found[:20]]}"
    assert clients.answers > 2 * kills


def test_a_server_that_answers_before_it_writes_is_found_out(spawned: SpawnedHouse) -> None:
    """The control."""
    spawned.server.broken = "acknowledges first"
    assert "L3" in rules(killed(spawned, 2, SEED).judged())
