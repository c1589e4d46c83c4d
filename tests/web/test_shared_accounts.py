"""Accounts of several servers: what one is told counts at all, whoever was slower, whatever became of Redis."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.accounts import CHANGES_MAX, AccountsAway, SharedAccounts
from server.ledger.redis_address import address_of
from server.main import main
from server.people import CodeUnknown, Locked, People, PeopleError, SignInFailed
from tests.ledger.redis_server import RedisServer, needs_redis
from tests.patience import PATIENCE_S, until

pytestmark = needs_redis
PASSWORD = "correct horse"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Give a server of the test's own."""
    server = RedisServer().start()
    yield server
    server.remove()


class Town:
    """Servers that share accounts; each has a folder of its own."""

    def __init__(self, redis: RedisServer, folder: Path) -> None:
        self.redis, self.folder = redis, folder
        self.made: list[SharedAccounts] = []

    def server(self, name: str, first: Path | None = None) -> People:
        """Start a server."""
        path = self.folder / name / "accounts.sqlite"
        accounts = SharedAccounts(path, address_of(self.redis.url()), first=first)
        self.made.append(accounts)
        return People(accounts)

    def rows(self, people: People) -> list[tuple[object, ...]]:
        """Give everything a server has, in its order."""
        with closing(people.accounts.open()) as base:
            names = ("users", "failures", "sessions", "devices", "tokens", "codes", "facts")
            return [(name, *row) for name in names for row in base.execute(f"select rowid, * from {name} order by 1")]

    def close(self) -> None:
        for accounts in self.made:
            accounts.stop()
            accounts.close()


@pytest.fixture
def town(redis: RedisServer, tmp_path: Path) -> Iterator[Town]:
    """Give a town."""
    made = Town(redis, tmp_path)
    yield made
    made.close()


def follow(people: People) -> threading.Thread:
    """Let a server hear of the others."""
    accounts = people.accounts
    assert isinstance(accounts, SharedAccounts)
    thread = threading.Thread(target=accounts.run, daemon=True)
    thread.start()
    return thread


def test_who_signs_in_at_one_server_is_known_at_the_other_and_signed_out_at_both(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    user = one.add_user("1001", PASSWORD, role="clerk", windows=("1",))
    token, identity = two.sign_in(two.check_password("1001", PASSWORD), hall="qiao", window="1")
    assert one.by_session(token) == identity == two.by_session(token)
    assert one.clerk_at("qiao", "1") == "1001"
    one.sign_out(identity)
    two.accounts.catch_up()
    assert two.by_session(token) is None
    again, _ = one.sign_in(user)
    assert two.by_session(again) is not None
    two.disable_user("1001")
    one.accounts.catch_up()
    assert one.by_session(again) is None


def test_a_token_and_a_code_are_good_at_all_servers_and_a_code_once(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    token = one.add_device("agent", role="devices", hall="qiao")
    assert two.by_token(token) is not None
    code = one.new_code("kiosk-1", role="kiosk")
    given, _ = two.use_code(code)
    with pytest.raises(CodeUnknown):
        one.use_code(code)
    assert one.by_token(given) == two.by_token(given)
    two.revoke_device("kiosk-1")
    one.accounts.catch_up()
    assert one.by_token(given) is None
    assert one.keyed_hash("visitor", b"x") == two.keyed_hash("visitor", b"x")


def test_a_server_that_follows_hears_of_a_closed_account_by_itself(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    user = one.add_user("1001", PASSWORD, role="clerk")
    token, identity = one.sign_in(user)
    assert two.is_valid(identity)
    follow(two)
    one.disable_user("1001")
    until(lambda: not two.is_valid(identity), "an open line hears of it")
    assert two.by_session(token) is None


def test_failures_lock_at_all_servers(town: Town) -> None:
    servers = [town.server("one"), town.server("two")]
    servers[0].add_user("1001", PASSWORD, role="clerk")
    for number in range(5):
        with pytest.raises(SignInFailed):
            servers[number % 2].check_password("1001", "wrong")
    for server in servers:
        server.accounts.catch_up()
        with pytest.raises(Locked):
            server.check_password("1001", PASSWORD)


def test_a_name_is_given_once_whoever_was_quicker(town: Town) -> None:
    servers = [town.server(str(number)) for number in range(3)]
    ready = threading.Barrier(3)
    outcomes: list[str] = []

    def add(number: int) -> None:
        ready.wait(PATIENCE_S)
        for turn in range(4):
            try:
                servers[number].add_user(f"{turn}", PASSWORD, role="clerk", name=str(number))
                outcomes.append("made")
            except PeopleError:
                outcomes.append("taken")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] * 4 + ["taken"] * 8
    for server in servers:
        server.accounts.catch_up()
    first = town.rows(servers[0])
    assert [town.rows(server) for server in servers] == [first] * 3


def test_a_refused_change_changes_nothing_anywhere(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    one.add_user("1001", PASSWORD, role="clerk")
    before = town.rows(one)
    with pytest.raises(PeopleError, match="taken"):
        two.add_user("1001", PASSWORD, role="admin")
    one.accounts.catch_up()
    assert town.rows(one) == town.rows(two) == before


def test_while_redis_is_away_who_is_known_stays_and_nobody_new_comes(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    user = one.add_user("1001", PASSWORD, role="clerk")
    token, identity = one.sign_in(user)
    assert two.by_session(token) == identity
    town.redis.kill()
    assert one.by_session(token) == two.by_session(token) == identity
    with pytest.raises(AccountsAway):
        one.sign_in(user)
    with pytest.raises(sqlite3.OperationalError):  # what the doors answer with 503
        two.by_session("a token that nobody knows here")
    town.redis.start()
    assert two.by_session("a token that nobody knows here") is None
    again, _ = one.sign_in(user)
    assert two.by_session(again) is not None


def test_the_accounts_of_one_pc_come_along_and_a_lost_redis_gets_them_back(town: Town, tmp_path: Path) -> None:
    pc = People(tmp_path / "accounts.sqlite")
    pc.add_user("1001", PASSWORD, role="clerk")
    token = pc.add_device("agent", role="devices")
    other = People(tmp_path / "other.sqlite")
    other.add_user("2002", PASSWORD, role="admin")
    one, two = town.server("one", tmp_path / "accounts.sqlite"), town.server("two", tmp_path / "other.sqlite")
    for server in (one, two):
        assert [user.work_id for user in server.users()] == ["1001"]
        assert server.by_token(token) is not None
        assert server.keyed_hash("visitor", b"x") == pc.keyed_hash("visitor", b"x")
    one.add_user("1002", PASSWORD, role="clerk")
    with town.redis.client() as client:
        client.flushall()
    with pytest.raises(AccountsAway, match="no accounts in Redis"):
        one.add_user("1003", PASSWORD, role="clerk")
    again = town.server("one")
    assert [user.work_id for user in again.users()] == ["1001", "1002"]
    two.accounts.catch_up()
    assert town.rows(two) == town.rows(again)


def test_who_missed_many_changes_or_saw_one_that_was_lost_reads_everything(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    one.add_user("1001", PASSWORD, role="clerk")
    with town.redis.client() as client:
        client.xtrim("jiaohao:{accounts}:changes", 1)
    for number in range(3):
        one.add_device(f"kiosk-{number}", role="kiosk")
    two.accounts.catch_up()
    assert town.rows(two) == town.rows(one)
    with closing(two.accounts.open()) as base, base:  # it saw what a failover took back
        base.execute(
            "insert into users (work_id, name, role, windows, password) values ('lost', 'x', 'clerk', '', 'x')"
        )
        base.execute("update replica set mark = 'another'")
    assert two.accounts.catch_up()
    assert town.rows(two) == town.rows(one)
    assert CHANGES_MAX > 100


def test_a_row_of_a_later_version_is_taken_as_far_as_it_is_known(town: Town) -> None:
    one, two = town.server("one"), town.server("two")
    with closing(one.accounts.open()) as base, base:
        base.execute("alter table devices add column colour text")
    one.add_device("kiosk-1", role="kiosk")
    two.accounts.catch_up()
    assert [device.name for device in two.devices()] == ["kiosk-1"]


def test_nothing_secret_is_readable_in_redis(town: Town) -> None:
    one = town.server("one")
    session, _ = one.sign_in(one.add_user("1001", PASSWORD, role="clerk"))
    token, code = one.add_device("agent", role="devices"), one.new_code("kiosk-1", role="kiosk")
    with town.redis.client() as client:
        kept = repr([client.hgetall("jiaohao:{accounts}:rows"), client.xrange("jiaohao:{accounts}:changes")])
    assert "$argon2id$" in kept
    for secret in (PASSWORD, session, token, code, code.replace("-", "")):
        assert secret not in kept


def test_the_command_line_changes_shared_accounts_and_says_when_it_must_be_told_where(
    town: Town, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    words = ["--lang", "en", "user", "add", "1001", "--role", "clerk", "--password-stdin", "--data", str(data)]
    said = CliRunner().invoke(main, [*words, "--ledger", town.redis.url()], input=PASSWORD)
    assert said.exit_code == 0, said.stderr
    one = town.server("one")
    assert one.check_password("1001", PASSWORD).role == "clerk"
    said = CliRunner().invoke(main, words, input=PASSWORD)
    assert (said.exit_code, "JIAOHAO_LEDGER" in said.stderr) == (2, True)
    another = [*words[:4], "1002", *words[5:-1], str(data / "copies")]
    said = CliRunner().invoke(main, another, input=PASSWORD)
    assert (said.exit_code, "copy of shared accounts" in said.stderr) == (2, True)
    said = CliRunner().invoke(
        main, [*words[:2], "user", "list", "--data", str(data)], env={"JIAOHAO_LEDGER": town.redis.url()}
    )
    assert "1001" in said.stdout
    town.redis.kill()
    said = CliRunner().invoke(main, [*words, "--ledger", town.redis.url()], input=PASSWORD)
    assert (said.exit_code, "shared accounts" in said.stderr) == (2, True)
