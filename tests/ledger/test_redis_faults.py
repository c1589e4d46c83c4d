"""The long forms of the tests of a group: partitions, and one mishap after the other. `make test-faults`."""

import signal
import time
from collections.abc import Callable
from random import Random

import pytest

from tests.checker.judge import judge, rules
from tests.ledger.own_network import HOSTS, cut_off, in_own_network, mend, needs_own_network
from tests.ledger.redis_group import Group, Node, group
from tests.ledger.redis_server import needs_redis
from tests.ledger.test_redis_group import follows, servers_on
from tests.patience import until

pytestmark = [needs_redis, pytest.mark.faults]
ROUNDS = 8
PARTITION_S = 6.0


@needs_own_network
@pytest.mark.parametrize("wait", [1, 0], ids=["wait", "no wait"])
def test_a_master_cut_off_with_a_server_beside_it(wait: int) -> None:
    """One server reaches the old master and its sentinel only; without WAIT (the control) it loses what it told."""

    def play() -> None:
        with group(HOSTS) as three:
            old = three.master()
            beside = three.sentinels[three.nodes.index(old)]
            servers = servers_on(three, wait=wait, wait_ms=200, of_first=beside)
            crowd = servers.crowd()
            crowd.go_on()
            cut_off(old.host)
            begun = time.monotonic()
            until(lambda: votes_for_another(three, old) == 2, "two sentinels have chosen another")
            crowd.go_on(30)
            until(lambda: time.monotonic() - begun > PARTITION_S, "it lasts")
            mend(old.host)
            until(lambda: follows(old), "the old master follows")
            crowd.go_on(30)
            if wait:
                servers.check(crowd)
            else:
                history = crowd.stop()
                assert "L3" in rules(judge(crowd.truth(), history))
            servers.close()

    in_own_network(play)


def test_a_master_that_hung_is_not_believed_when_it_wakes() -> None:
    with group() as three:
        servers = servers_on(three)
        crowd = servers.crowd()
        crowd.go_on()
        old = three.master()
        old.send(signal.SIGSTOP)
        crowd.go_on()
        assert three.master() is not old
        old.send(signal.SIGCONT)
        crowd.go_on()
        servers.check(crowd)
        servers.close()


def test_one_mishap_after_the_other() -> None:
    seed = Random().randrange(2**32)
    dice = Random(seed)
    with group() as three:
        servers = servers_on(three)
        crowd = servers.crowd()
        told: list[str] = []
        try:
            for _ in range(ROUNDS):
                crowd.go_on(40)
                mishap = dice.choice(MISHAPS)
                told.append(mishap.__name__)
                mishap(three)
                crowd.go_on(40)
                until(three.is_ready, "all is mended")
            servers.check(crowd)
        except BaseException as error:
            error.add_note(f"seed {seed}: {', '.join(told)}")
            raise
        servers.close()


def master_killed(three: Group) -> None:
    old = three.master()
    old.kill()
    three.master()
    old.start()


def master_hung(three: Group) -> None:
    old = three.master()
    old.send(signal.SIGSTOP)
    until(lambda: votes_for_another(three, old) >= 2, "another is chosen")
    old.send(signal.SIGCONT)


def master_hung_for_a_moment(three: Group) -> None:
    old = three.master()
    old.send(signal.SIGSTOP)
    time.sleep(0.3)  # shorter than sentinels mind
    old.send(signal.SIGCONT)


def master_restarted(three: Group) -> None:
    old = three.master()
    old.kill()
    old.start()


def replica_killed(three: Group) -> None:
    one = three.replicas()[0]
    one.kill()
    one.start()


def replicas_hung(three: Group) -> None:
    replicas = three.replicas()
    for one in replicas:
        one.send(signal.SIGSTOP)
    time.sleep(0.3)
    for one in replicas:
        one.send(signal.SIGCONT)


def replica_hung_and_master_killed(three: Group) -> None:
    hung, old = three.replicas()[0], three.master()
    hung.send(signal.SIGSTOP)
    old.kill()
    until(lambda: votes_for_another(three, old) >= 2, "the other replica is chosen")
    hung.send(signal.SIGCONT)
    old.start()


def sentinel_killed_and_master_too(three: Group) -> None:
    sentinel, old = three.sentinels[0], three.master()
    sentinel.kill()
    old.kill()
    until(lambda: votes_for_another(three, old) >= 2, "two sentinels choose")
    sentinel.start()
    old.start()


MISHAPS: list[Callable[[Group], None]] = [
    master_killed,
    master_hung,
    master_hung_for_a_moment,
    master_restarted,
    replica_killed,
    replicas_hung,
    replica_hung_and_master_killed,
    sentinel_killed_and_master_too,
]


def votes_for_another(three: Group, old: Node) -> int:
    """Give how many sentinels name another master."""
    return sum(named is not None and named is not old for named in map(three.named_by, three.sentinels))
