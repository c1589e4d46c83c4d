"""Puts the kiosk's server together: journal, link, printer, desk, door; one process on one folder."""

import logging
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from config.kiosk_file import KioskFile
from kiosk.desk import Desk
from kiosk.door import HOST, Door
from kiosk.journal import Journal, JournalBroken
from kiosk.link import Link
from kiosk.printing import LocalPrinter

FOLDER = "kiosk"
LOCK = "lock.sqlite"
STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGBREAK")
"""What ends the kiosk; SIGBREAK (Ctrl+Break, the end of a service) is what Windows has for SIGTERM."""
STOP_S = 2.0

log = logging.getLogger(__name__)


class KioskError(Exception):
    """The kiosk cannot start; `zh` and `en` say why and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        self.zh, self.en = zh, en
        super().__init__(en)


def run(file: KioskFile, *, token: str, data: Path) -> None:
    """Serve the touch page until SIGTERM or SIGINT.

    Raises:
        KioskError: the folder is in use or cannot be written, the journal is damaged, the port is taken.
    """
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    with _owned(data / FOLDER) as folder:
        try:
            journal = Journal(folder / "journal.sqlite")
        except JournalBroken as error:
            raise KioskError(
                f"离线号日志不能使用：{error}。请保留该文件备查，移走后再启动；未用的离线号会自动重新领取。",
                f"the journal cannot be used: {error}. Keep the file, move it away and start again: "
                "new numbers are leased then.",
            ) from error
        printer = None
        if file.printing is not None:
            printer = LocalPrinter(file.printing.socket, file.printing.printer, file.id)
        desk = Desk(file.hall, Link(file.server, token), journal, printer)
        tickets_path = f"/api/v1/halls/{quote(file.hall, safe='')}/tickets"
        try:
            door = Door(file.port, desk, file.server, token, tickets_path)
        except OSError as error:
            raise KioskError(
                f"不能使用端口 {file.port}（{error.strerror}），请在 kiosk.toml 中换一个",
                f"port {file.port} cannot be used ({error.strerror}): choose another one in kiosk.toml",
            ) from error
        try:
            _serve(door, desk)
        finally:
            door.server_close()
            journal.close()


def _serve(door: Door, desk: Desk) -> None:
    stop = threading.Event()
    for name in STOP_SIGNALS:
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, lambda *_: stop.set())
    desk.start()
    serving = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.1}, name="door", daemon=True)
    serving.start()
    sys.stdout.write(f"listening on http://{HOST}:{door.server_address[1]}\n")
    sys.stdout.flush()
    while not stop.wait(0.5):
        pass
    door.shutdown()
    serving.join(STOP_S)
    desk.stop()


@contextmanager
def _owned(folder: Path) -> Iterator[Path]:
    """Hold the folder; a second kiosk on it is refused. SQLite locks files on every system."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _no_folder(folder, error) from error
    with closing(lock):
        try:
            lock.execute("begin exclusive")
        except sqlite3.Error as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise _no_folder(folder, error) from error
            raise KioskError(
                f"{folder} 正由另一个取号机程序使用，请用 --data 另指文件夹",
                f"another kiosk uses {folder}; give this one its own --data folder",
            ) from None
        yield folder


def _no_folder(folder: Path, error: Exception) -> KioskError:
    why = getattr(error, "strerror", None) or error
    return KioskError(f"不能写入 {folder}：{why}", f"cannot write to {folder}: {why}")
