"""A damaged ledger is found by `serve` and by `ledger verify`, never served, and a restored backup goes on."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.faults.spawned import SpawnedHouse
from tests.patience import PATIENCE_S


def command(house: SpawnedHouse, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "server.main", "--lang", "en", *arguments],
        cwd=house.server.root,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_damaged_ledger_is_refused_with_what_to_do_and_goes_on_after_it(
    spawned: SpawnedHouse, tmp_path: Path
) -> None:
    spawned.server.start()
    data = str(spawned.server.data)
    ledger = spawned.server.data / "demo.sqlite"
    kiosk = spawned.api("kiosk")
    given = [kiosk.press()["number"] for _ in range(30)]
    backup = tmp_path / "backup.jsonl"
    exported = command(spawned, "ledger", "export", "--hall", "demo", "--data", data, "--out", str(backup))
    assert exported.returncode == 0, exported.stderr
    assert spawned.server.end(signal.SIGTERM) == 0
    body = ledger.read_bytes()
    at = body.index(b'"kiosk-1"')
    ledger.write_bytes(body[:at] + b'"kiosk-9"' + body[at + 9 :])

    refused = command(spawned, "serve", "config/demo.toml", "--port", "0", "--data", data)
    assert refused.returncode == 1
    assert refused.stdout == ""  # it never listened
    said = refused.stderr.splitlines()[-1]
    assert "the ledger is damaged and nothing is served" in said
    assert f"jiaohao ledger restore BACKUP --hall demo --replace --data {data}" in said
    assert "Traceback" not in refused.stderr
    assert command(spawned, "ledger", "verify", "--data", data).returncode == 1

    restore = command(spawned, "ledger", "restore", str(backup), "--hall", "demo", "--replace", "--data", data)
    assert restore.returncode == 0, restore.stderr
    spawned.server.start()
    assert kiosk.press()["number"] == given[-1] + 1


def test_what_is_no_database_any_more_is_moved_aside_whole(spawned: SpawnedHouse, tmp_path: Path) -> None:
    spawned.server.start()
    data = str(spawned.server.data)
    ledger = spawned.server.data / "demo.sqlite"
    kiosk = spawned.api("kiosk")
    last = kiosk.press()["number"]
    backup = tmp_path / "backup.jsonl"
    assert not command(spawned, "ledger", "export", "--hall", "demo", "--data", data, "--out", str(backup)).returncode
    spawned.server.end(signal.SIGKILL)  # the write-ahead file stays beside it, and alone it would mend the ledger
    for path in (ledger, ledger.with_name("demo.sqlite-wal")):
        path.write_bytes(b"x" * path.stat().st_size)
    assert command(spawned, "serve", "config/demo.toml", "--port", "0", "--data", data).returncode == 1
    restore = command(spawned, "ledger", "restore", str(backup), "--hall", "demo", "--replace", "--data", data)
    assert restore.returncode == 0, restore.stderr
    spawned.server.start()
    assert kiosk.press()["number"] == last + 1


def test_what_a_damaged_write_ahead_file_has_lost_is_noticed(spawned: SpawnedHouse, tmp_path: Path) -> None:
    """Numbers that visitors hold must not be given again because a start knows nothing of them."""
    spawned.server.start()
    data = str(spawned.server.data)
    kiosk = spawned.api("kiosk")
    last = [kiosk.press()["number"] for _ in range(10)][-1]
    export = ("ledger", "export", "--hall", "demo", "--data", data, "--out", str(tmp_path / "backup.jsonl"))
    assert not command(spawned, *export).returncode
    spawned.server.end(signal.SIGKILL)
    written = spawned.server.data / "demo.sqlite-wal"
    body = bytearray(written.read_bytes())
    body[len(body) // 2] ^= 1
    written.write_bytes(body)
    refused = command(spawned, "serve", "config/demo.toml", "--port", "0", "--data", data)
    assert refused.returncode == 1
    assert "jiaohao ledger restore BACKUP --hall demo" in refused.stderr
    verified = command(spawned, "ledger", "verify", "--data", data)
    assert verified.returncode == 1
    assert "write-ahead file is damaged" in verified.stdout
    restore = ("ledger", "restore", str(tmp_path / "backup.jsonl"), "--hall", "demo", "--replace", "--data", data)
    assert not command(spawned, *restore).returncode
    spawned.server.start()
    assert kiosk.press()["number"] == last + 1
