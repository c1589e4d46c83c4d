"""The same doors in the real server process, monkey-patched by gevent, with the ledger on disk."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from server.people import People
from tests.patience import PATIENCE_S, past_the_turn_of_the_day

PASSWORD = "correct horse"


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Give the address of a running server and its process."""
    past_the_turn_of_the_day()
    command = [sys.executable, "-m", "server.main", "serve", str(root / "config/demo.toml")]
    process = subprocess.Popen(
        [*command, "--port", "0", "--data", str(tmp_path)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()  # bounded by the test's own time limit
    assert line.startswith("listening on http://"), line
    yield line.removeprefix("listening on ").strip(), process
    if process.poll() is None:
        process.kill()
    process.wait(PATIENCE_S)
    process.stdout.close()


def test_presses_and_sign_ins_at_the_same_time(server: tuple[str, "subprocess.Popen[str]"], tmp_path: Path) -> None:
    url, process = server
    people = People(tmp_path / "accounts.sqlite")  # as the command line does while the server runs
    token = people.add_device("kiosk-1", role="kiosk")
    people.add_user("1001", PASSWORD, role="clerk")
    api = f"{url}/api/v1"
    hall = requests.get(f"{api}/halls", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S).json()[
        "halls"
    ][0]["hall"]
    structure = requests.get(
        f"{api}/halls/{hall}", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
    ).json()
    service = structure["services"][0]["service"]

    def press(number: int) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"press-{number % 10}"}
        answer = requests.post(
            f"{api}/halls/{hall}/tickets", json={"service": service}, headers=headers, timeout=PATIENCE_S
        )
        return answer.status_code, answer.text

    def sign_in(_: int) -> int:
        body = {"work_id": "1001", "password": PASSWORD}
        return requests.post(f"{api}/login", json=body, timeout=PATIENCE_S).status_code

    with ThreadPoolExecutor(12) as pool:
        presses, sign_ins = pool.map(press, range(60)), pool.map(sign_in, range(8))
        answers = list(presses)
        assert set(sign_ins) == {200}
    assert {status for status, _ in answers} == {201}
    assert len({text for _, text in answers}) == 10, "one ticket for each key"

    assert requests.get(f"{url}/readyz", timeout=PATIENCE_S).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
