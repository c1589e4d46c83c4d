"""The ledger behind real sentinels: masters that die, hang, and come back; replicas that lag; and what WAIT is for."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from server.ledger.base import LedgerDown, LedgerUnknown
from server.ledger.redis_address import address_of
from server.ledger.redis_stream import RedisLedger
from tests.checker.history import End
from tests.checker.judge import judge, rules
from tests.hall.crowd import CLIENT, Servers
from tests.hall.test_hall import HALL, press
from tests.ledger.redis_group import Group, Node, group
from tests.ledger.redis_server import needs_redis
from tests.patience import until

pytestmark = needs_redis


@pytest.fixture
def three() -> Iterator[Group]:
    """Give a group of the test's own."""
    with group() as made:
        yield made


def servers_on(made: Group, of_first: Node | None = None, **options: object) -> Servers:
    """Give two servers of one hall on a group; the first knows it by one sentinel only, if that is said."""
    urls = (made.url([of_first] if of_first else (), **options), made.url((), **options))
    return Servers([RedisLedger(HALL, address_of(url)) for url in urls])


def follows(node: Node) -> bool:
    """Say whether a node is a replica."""
    return node.role() == "replica"


def test_a_killed_master_loses_nothing_and_may_come_back(three: Group) -> None:
    servers = servers_on(three)
    crowd = servers.crowd()
    crowd.go_on()
    old = three.master()
    old.kill()
    crowd.go_on()
    assert three.master() is not old
    old.start()  # for some seconds it thinks that it is the master
    crowd.go_on()
    servers.check(crowd)
    servers.close()


def test_what_lagging_replicas_do_not_have_is_not_acknowledged_and_a_careless_one_is_refused(
    three: Group, caplog: pytest.LogCaptureFixture
) -> None:
    servers = servers_on(three, wait_ms=100)
    hall, other = servers.halls
    before = hall.seq
    with stopped(three.replicas()):
        for _ in range(2):
            with pytest.raises(LedgerUnknown, match="0 of 1 replicas"):
                hall.handle(press("a"), actor=CLIENT, key="a")
        with pytest.raises(LedgerDown):
            other.refresh()  # it is there, and nobody is shown what may be taken back
    told = hall.handle(press("a"), actor=CLIENT, key="a")
    assert (told.seq, other.handle(press("a"), actor=CLIENT, key="a")) == (before + 1, told)
    servers.close()

    three.replicas()[0].ask("CONFIG", "SET", "appendfsync", "everysec")  # it may be the master next
    with pytest.raises(LedgerDown, match="`appendfsync everysec`"):
        RedisLedger(HALL, address_of(three.url()))
    RedisLedger(HALL, address_of(three.url(unsafe=1))).close()
    assert "UNSAFE" in caplog.text


@pytest.mark.parametrize("wait", [1, 0], ids=["wait", "no wait"])
def test_without_wait_a_failover_loses_what_was_acknowledged(three: Group, wait: int) -> None:
    """The control: the same mishap shows that the rig bites, and that WAIT is what helps."""
    servers = servers_on(three, wait=wait, wait_ms=100)
    crowd = servers.crowd()
    crowd.go_on()
    master, replicas = three.master(), three.replicas()
    for node in replicas:
        node.kill()
    if wait:
        until(lambda: sum(op.end is End.INFO for op in list(crowd.history.ops)) > 5, "nobody knows")
    else:
        crowd.go_on()
    master.kill()
    for node in replicas:
        node.start()
    crowd.go_on()
    history = crowd.stop()
    found = rules(judge(crowd.truth(), history))
    assert ("L3" in found) is (not wait), found
    assert not wait or not found
    servers.close()


@contextmanager
def stopped(nodes: Sequence[Node]) -> Iterator[None]:
    """Hold processes still while the block runs."""
    for node in nodes:
        node.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for node in nodes:
            node.send(signal.SIGCONT)
