"""Accounts, devices and codes in their file, without the web around them."""

import sqlite3
import stat
from pathlib import Path

import pytest

from server.people import (
    CODE_LIFE_S,
    FAILURES_MAX,
    LOCK_S,
    SESSION_IDLE_S,
    TOKENS_PER_DEVICE,
    CodeUnknown,
    Locked,
    People,
    PeopleError,
    SignInFailed,
)

PASSWORD = "correct horse"


class Wall:
    def __init__(self) -> None:
        self.s = 1_772_413_200.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def people(tmp_path: Path, wall: Wall) -> People:
    return People(tmp_path / "accounts.sqlite", clock=wall)


@pytest.mark.parametrize(
    ("work_id", "password", "role", "windows", "says"),
    [
        ("1001", "short", "clerk", (), "too short"),
        ("1001", "x" * 129, "clerk", (), "too long"),
        ("10011001", "10011001", "clerk", (), "too easy"),
        ("1001", "aaaaaaaaaa", "clerk", (), "too easy"),
        ("1001", PASSWORD, "kiosk", (), "unknown role 'kiosk'"),
        ("1001", PASSWORD, "king", (), "admin, auditor, clerk, guide, manager"),
        ("", PASSWORD, "clerk", (), "no work id"),
        ("a b", PASSWORD, "clerk", (), "no work id"),
        ("1001", PASSWORD, "manager", ("1",), "for clerks only"),
    ],
)
def test_a_bad_account_is_refused_with_the_reason(
    people: People, work_id: str, password: str, role: str, windows: tuple[str, ...], says: str
) -> None:
    with pytest.raises(PeopleError, match=says):
        people.add_user(work_id, password, role=role, windows=windows)
    assert people.users() == []


def test_a_work_id_is_given_once(people: People) -> None:
    made = people.add_user("1001", PASSWORD, role="clerk", name="一号岗", windows=("1", "2"))
    assert (made.name, made.windows) == ("一号岗", ("1", "2"))
    with pytest.raises(PeopleError, match="taken"):
        people.add_user("1001", PASSWORD, role="admin")
    assert people.users() == [made]


def test_a_new_password_ends_sessions_and_lifts_the_lock(people: People) -> None:
    user = people.add_user("1001", PASSWORD, role="clerk")
    token, _ = people.sign_in(user)
    for _ in range(5):
        with pytest.raises(SignInFailed):
            people.check_password("1001", "wrong")
    people.set_password("1001", "another horse")
    assert people.by_session(token) is None
    assert people.check_password("1001", "another horse") == user
    with pytest.raises(PeopleError, match="no account"):
        people.set_password("1002", PASSWORD)


def test_what_the_command_line_does_counts_at_once_in_the_server(people: People, tmp_path: Path) -> None:
    other = People(tmp_path / "accounts.sqlite")  # as another process would open it
    user = other.add_user("1001", PASSWORD, role="clerk")
    token, identity = people.sign_in(people.check_password("1001", PASSWORD))
    assert people.by_session(token) == identity
    other.disable_user(user.work_id)
    assert people.by_session(token) is None
    other.disable_user(user.work_id, disabled=False)
    assert people.by_session(token) is None, "a session that ended does not come back"
    device = other.add_device("kiosk-1", role="kiosk")
    assert people.by_token(device) is not None
    other.revoke_device("kiosk-1")
    assert people.by_token(device) is None


def test_sessions_and_the_secret_survive_a_restart(people: People, tmp_path: Path) -> None:
    user = people.add_user("1001", PASSWORD, role="clerk", hall="qiao")
    token, identity = people.sign_in(user, window="7")
    again = People(tmp_path / "accounts.sqlite", clock=people._clock)
    assert again.by_session(token) == identity
    assert again.keyed_hash("visitor", b"x") == people.keyed_hash("visitor", b"x")
    assert again.keyed_hash("other", b"x") != people.keyed_hash("visitor", b"x")
    assert again.clerk_at("qiao", "7") == "1001"
    assert again.clerk_at("qiao", "8") is None


def test_a_code_is_good_once_for_a_day(people: People, wall: Wall) -> None:
    code = people.new_code("kiosk-1", role="kiosk", hall="qiao")
    token, device = people.use_code(code)
    assert (device.name, device.role, device.hall) == ("kiosk-1", "kiosk", "qiao")
    assert people.by_token(token) is not None
    with pytest.raises(CodeUnknown):
        people.use_code(code)
    late = people.new_code("kiosk-1", role="kiosk", hall="qiao")
    wall.s += CODE_LIFE_S + 1
    with pytest.raises(CodeUnknown):
        people.use_code(late)


def test_a_code_for_many_is_good_for_many(people: People) -> None:
    code = people.new_code("kiosk-1", role="kiosk", many=True)
    first, second = people.use_code(code)[0], people.use_code(code)[0]
    assert first != second
    assert people.by_token(first) == people.by_token(first)
    people.revoke_device("kiosk-1")
    with pytest.raises(CodeUnknown):
        people.use_code(code)
    assert people.by_token(second) is None


def test_a_device_keeps_its_newest_tokens_only(people: People) -> None:
    tokens = [people.add_device("agent", role="devices") for _ in range(TOKENS_PER_DEVICE + 2)]
    assert [people.by_token(token) is not None for token in tokens] == [False, False] + [True] * TOKENS_PER_DEVICE


def test_a_device_does_not_change_its_role_unnoticed(people: People) -> None:
    people.add_device("board", role="display", hall="qiao")
    with pytest.raises(PeopleError, match="enrolled already as display in qiao"):
        people.add_device("board", role="integration", hall="qiao")
    with pytest.raises(PeopleError, match="unknown role 'manager'"):
        people.add_device("other", role="manager")
    people.revoke_device("board")
    people.add_device("board", role="integration", hall="qiao")
    (device,) = people.devices()
    assert (device.role, device.revoked) == ("integration", False)
    with pytest.raises(PeopleError, match="no device"):
        people.revoke_device("nothing")


def test_nothing_secret_is_readable_in_the_file(people: People, tmp_path: Path) -> None:
    user = people.add_user("1001", PASSWORD, role="clerk")
    session, _ = people.sign_in(user)
    token, code = people.add_device("kiosk-1", role="kiosk"), people.new_code("kiosk-2", role="kiosk")
    path = tmp_path / "accounts.sqlite"
    raw = path.read_bytes()
    for secret in (PASSWORD, session, token, code, code.replace("-", "")):
        assert secret.encode() not in raw
    assert b"$argon2id$" in raw
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_no_accounts_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    path.write_bytes(b"these are no accounts, " * 100)
    with pytest.raises(PeopleError, match=r"accounts\.sqlite cannot be used"):
        People(path)


def test_a_failure_to_write_is_a_fault_and_reading_goes_on(people: People, tmp_path: Path) -> None:
    token = people.add_device("kiosk-1", role="kiosk")
    identity = people.by_token(token)
    assert identity is not None
    blocker = sqlite3.connect(tmp_path / "accounts.sqlite", isolation_level=None)
    blocker.execute("begin immediate")
    people.accounts.busy_wait_s = 0.01
    people.seen(identity, "10.0.0.1")
    assert people.by_token(token) == identity
    with pytest.raises(sqlite3.OperationalError):
        people.add_device("kiosk-2", role="kiosk")
    blocker.execute("rollback")
    blocker.close()


def test_a_clock_that_is_set_signs_nobody_out_and_lifts_no_lock(tmp_path: Path, wall: Wall) -> None:
    passed = Wall()
    people = People(tmp_path / "accounts.sqlite", clock=wall, steady=passed)
    user = people.add_user("1001", PASSWORD, role="clerk")
    token, _ = people.sign_in(user)
    people.add_user("1002", PASSWORD, role="clerk")
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInFailed):
            people.check_password("1002", "wrong")
    for step_s in (86_400, -2 * 86_400):
        wall.s += step_s
        assert people.by_session(token) is not None
        with pytest.raises(Locked):
            people.check_password("1002", PASSWORD)
    passed.s += LOCK_S
    assert people.check_password("1002", PASSWORD).work_id == "1002"
    passed.s += SESSION_IDLE_S
    assert people.by_session(token) is None


def test_after_a_start_under_a_clock_that_was_set_back_a_lock_lasts_no_longer_than_ever(
    tmp_path: Path, wall: Wall
) -> None:
    before = People(tmp_path / "accounts.sqlite", clock=wall)
    user = before.add_user("1001", PASSWORD, role="clerk")
    token, _ = before.sign_in(user)
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInFailed):
            before.check_password("1001", "wrong")
    wall.s -= 86_400
    after = People(tmp_path / "accounts.sqlite", clock=wall, steady=wall)
    with pytest.raises(Locked) as locked:
        after.check_password("1001", PASSWORD)
    assert locked.value.retry_after_s == LOCK_S
    wall.s += SESSION_IDLE_S + 1
    assert after.by_session(token) is None
