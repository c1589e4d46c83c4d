"""The server process: everything is made here once, joined, run, and put away again in order.

What is where: the data folder holds one `HALL.sqlite` per hall (its ledger), `HALL.snapshot` (where its next start
begins) and `archive` (months that left the ledgers' files); for halls in Redis, which several servers write, the same
of what is over in `copies`; `replays` (the starts of past days that somebody looked at); `accounts.sqlite` (people and
devices), `devices.sqlite` (the register and the places of the job feeds), `notify.sqlite` (what is to be told to other
systems), `lock`, and in a drill the file `drill`.

Needs gevent's monkey patch before anything else is imported (`server.main` does it): sockets, locks, threads and
sleeping are then the loop's own. Blocking writes go to a thread of their own per hall.
"""

import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn, TypeVar

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from config import HallFileError, Problem, check_report, find
from server import timers
from server.accounts import AccountsAway, SharedAccounts
from server.ballast import Ballast
from server.clock import Clock, DrillClock, SteadyClock, instant_of, machine_clock
from server.copying import Copying, name_of
from server.domain.terms import HallId
from server.feeds.devices import JobFeed
from server.feeds.handover import HandOvers
from server.feeds.journal import JobJournal, JournalBroken
from server.feeds.notify import Notifier, Outbox, OutboxBroken, Webhook, secret_of
from server.feeds.others import Others
from server.feeds.screens import Screens
from server.hall import Hall
from server.ledger import snapshot
from server.ledger.base import LedgerBroken, LedgerDoubtful, LedgerDown
from server.ledger.copies import FOLDER as COPIES
from server.ledger.copies import CopiedLedger, join, newest_start
from server.ledger.redis_address import SCHEMES, BadAddress, RedisAddress, address_of
from server.ledger.redis_stream import RedisLedger
from server.ledger.snapshot import Snapshot
from server.ledger.sqlite import SqliteLedger, engine
from server.people import People, PeopleError
from server.projections.common import instant
from server.register import Register
from server.replay import Replays
from server.settings import Seed, begin, seed_of, unlike
from server.upkeep import Upkeep
from server.web.app import create_app
from server.web.devices import device_rows
from server.web.doors import Doors
from server.web.listener import Listener, PortTaken, listen
from server.web.live import Live
from server.web.presence import Presence
from server.web.site import Check, PageFolders, Site
from server.web.socket_door import SocketDoor

STOP_WITHIN_S = 3.0
LATE_AFTER_S = 15.0  # a loop that has not gone round for this long is stuck
NAMES_FOR_S = 10.0
DISK_LEFT_MB = 50
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LOCK_FILE, DRILL_FILE = "lock", "drill"
SHARED_FILES = frozenset({"accounts.sqlite", "devices.sqlite", "notify.sqlite"})

T = TypeVar("T")
log = logging.getLogger("server")


class ServeError(Exception):
    """The server cannot start; `zh` and `en` say why in one clear line."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        self.zh, self.en = zh, en
        super().__init__(en)


class LedgerDamaged(ServeError):
    """A stored ledger contradicts itself: nothing is served from it until a backup is restored."""


def serve(
    hall_files: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    data: Path = Path("var"),
    ledger: str = "sqlite:",
    dev: bool = False,
    clock: str | None = None,
    take_file: bool = False,
) -> None:
    """Serve halls until SIGTERM or SIGINT; then finish what is under way and return within 5 s.

    `take_file`: the hall files count, whatever was applied on the halls' pages since (`server.settings`).

    Raises:
        ServeError: bad hall file, address in use, folder taken or not writable, drill and real day mixed, bad ledger.
    """
    _log_to_stderr()
    if dev and host not in LOOPBACK:
        raise ServeError(
            f"--dev 只能用于本机（127.0.0.1），不能用于 {host}",
            f"--dev is for this machine only (127.0.0.1), not for {host}",
        )
    seeds = _read_halls(hall_files)
    hall_clock = _clock(clock)
    redis = _redis_address(ledger)
    folder = data / COPIES if redis is not None else _ledger_folder(ledger, data)
    with _owned(data):
        _mark_drill([data, folder], drill=clock is not None)
        with _port_refused():
            socket = listen(host, port)
        bound_port = int(socket.getsockname()[1])
        log.info("%s", engine() if redis is None else f"ledger in Redis: {redis.shown}")
        server = _Server(seeds, folder, data, hall_clock, redis, drill=clock is not None, take_file=take_file)
        try:
            server.open_doors(socket, host, bound_port, dev=dev)
            _say(f"listening on http://{_shown(host)}:{bound_port}")
            server.run()
        finally:
            server.close()


class _Server:
    """The parts of a running server."""

    def __init__(
        self,
        seeds: Mapping[HallId, Seed],
        folder: Path,
        data: Path,
        clock: Clock,
        redis: RedisAddress | None,
        *,
        drill: bool,
        take_file: bool,
    ) -> None:
        """Open ledgers, accounts and register, and bring the halls up to their files."""
        self._drill, self._data, self._seeds = drill, data, seeds
        self._stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._stop.set)
        self._loops: list[gevent.Greenlet[..., None]] = []
        self._beats: dict[str, Callable[[], float]] = {}
        self._clock_beat = monotonic()
        self._listener: Listener | None = None
        self._live: Live | None = None
        self._screens: dict[HallId, Screens] = {}
        self._jobs: dict[HallId, JobFeed] = {}
        self._others: dict[HallId, Others] = {}  # of halls in Redis: what other servers do
        self._notifiers: dict[HallId, Notifier] = {}
        self._copying: dict[HallId, Copying] = {}
        self._accounts: SharedAccounts | None = None  # of several servers
        self._upkeep: dict[HallId, Upkeep] = {}
        self._ledger_faults: dict[HallId, str] = {}
        self._ballast = Ballast(folder)
        self._was_held = True
        self._names: dict[str, str] = {}
        self._names_at = -NAMES_FOR_S
        self._presence = Presence()
        self._replays = Replays(folder / "replays")
        self._small_writes = ThreadPool(2)  # journal of jobs, password checks
        upkeep = in_thread(ThreadPool(1))
        self.halls: dict[HallId, Hall] = {}
        for hall, seed in seeds.items():
            place = snapshot.beside(folder / f"{hall}.sqlite")
            start = snapshot.load(place, hall)
            if redis is not None:
                shared = _open_shared(hall, redis, folder, clock, self._ledger_faults, start, drill=drill)
                self.halls[hall], store = shared.hall, shared.copy
                self._others[hall] = Others(shared.hall, shared.stream)
                self._copying[hall] = Copying(
                    shared.hall,
                    shared.stream,
                    store,
                    folder / f"{hall}.sqlite",
                    server=name_of(folder),
                    keep_days=redis.keep_days,
                    offload=upkeep,
                )
            else:
                self.halls[hall], store = _open_hall(hall, folder, clock, self._ledger_faults, self._ballast, start)
            self._upkeep[hall] = Upkeep(self.halls[hall], place, kept=start, ledger=store, offload=upkeep)
            _take_over(self.halls[hall], seed, take_file=take_file)
        if isinstance(clock, DrillClock):
            clock.at_least(max(hall.read(lambda state, _: state.last_ms) for hall in self.halls.values()))
        timers.tick(self.halls.values())
        self._handovers = HandOvers(self.halls)
        try:
            accounts: Path | SharedAccounts = (own := data / "accounts.sqlite")
            if redis is not None:
                accounts = self._accounts = SharedAccounts(folder / own.name, redis, first=own)
            self._people = People(accounts, steady=SteadyClock(), offload=in_thread(self._small_writes))
            self._journal = JobJournal(data / "devices.sqlite", offload=in_thread(self._small_writes))
            self._register = Register(data / "devices.sqlite")
        except (LedgerDown, AccountsAway) as error:
            raise ServeError(f"读不到共用账号：{error}", f"cannot reach the shared accounts: {error}") from error
        except (PeopleError, JournalBroken) as error:
            raise ServeError(f"数据文件损坏：{error}", str(error)) from error

    def open_doors(self, socket: Any, host: str, port: int, *, dev: bool) -> None:
        """Begin to answer on a listening socket."""
        doors = Doors(hosts=[host], port=port, public_urls=self._public_urls)
        site = Site(
            halls=self.halls,
            people=self._people,
            register=self._register,
            doors=doors,
            pages=_pages(),
            folder=self._data,
            photos=self._data / "photos",
            media=self._data / "media",
            prompts=self._data / "prompts",
            checks=self._checks(),
            has_reserve=lambda: self._ballast.held,
            dev=dev,
            drill=self._drill,
            presence=self._presence,
            seeds=self._seeds,
            offload=in_thread(ThreadPool(1)),
            replays=self._replays,
        )
        for id_, hall in self.halls.items():
            screens = Screens(
                hall,
                drill=self._drill,
                names=self._known_names,
                devices=partial(self._rows, site, id_),
                disk_full=lambda: not self._ballast.held,
                shown=partial(site.presented.at, id_),
            )
            feed = JobFeed(
                hall,
                self._journal,
                rows=self._register.rows,
                drill=self._drill,
                changed=screens.changed,
            )
            self._screens[id_], self._jobs[id_] = screens, feed
        self._register.follow(self._register_changed)
        site.presented.follow(lambda hall: self._screens[hall].changed() if hall in self._screens else None)
        self._live = Live(site, self._screens, self._jobs)
        app = create_app(site)
        self._live.attach(SocketDoor(app, self._live, is_origin=doors.is_origin, async_mode="gevent"))
        self._listener = Listener(socket, app, doors)
        self._begin("live", self._live.run, lambda: self._live.beat if self._live else 0.0)
        for id_ in self.halls:
            self._begin(f"screens {id_}", self._screens[id_].run, partial(_beat, self._screens[id_]))
            self._begin(f"devices {id_}", self._jobs[id_].run, partial(_beat, self._jobs[id_]))
        self._begin_notifiers()
        for id_, others in self._others.items():
            self._begin(f"other servers {id_}", others.run, partial(_beat, others))
        if self._accounts is not None:
            self._begin("accounts", self._accounts.run, partial(_beat, self._accounts))
        for id_, copying in self._copying.items():
            self._begin(f"copying {id_}", copying.run, monotonic)  # as below
        for id_, upkeep in self._upkeep.items():
            self._begin(f"upkeep {id_}", upkeep.run, monotonic)  # may wait for the disk: nobody waits for it
        self._begin("handover", self._handovers.run, partial(_beat, self._handovers))
        self._begin("clock", self._tick, lambda: self._clock_beat)
        self._listener.start()

    def _public_urls(self) -> list[str]:
        return [url for hall in self.halls.values() if (url := hall.plan.public_url) is not None]

    def _begin_notifiers(self) -> None:
        """Let other systems be told what happens, in halls that say whom; nobody tells them of a drill."""
        halls = [hall for id_, hall in self.halls.items() if hall.plan.notify.url and id_ not in self._notifiers]
        if self._drill or not halls:
            return
        try:
            outbox = Outbox(self._data / "notify.sqlite", offload=in_thread(self._small_writes))
        except OutboxBroken as error:
            raise ServeError(f"数据文件损坏：{error}", str(error)) from error
        for hall in halls:
            webhook = Webhook(partial(_notify_url, hall), secret_of(self._people.keyed_hash, hall.id))
            notifier = self._notifiers[hall.id] = Notifier(hall, outbox, webhook)
            self._begin(f"notices {hall.id}", notifier.run, partial(_beat, notifier))

    def run(self) -> None:
        """Wait for SIGTERM or SIGINT."""
        self._stop.wait()
        log.info("stopping")

    def close(self) -> None:
        """Take nothing new, finish what is under way, let go of the ledgers."""
        if self._listener is not None:
            self._listener.stop_accepting()
        if self._live is not None:
            self._live.stop()
        for screens in self._screens.values():
            screens.stop()
        for feed in self._jobs.values():
            feed.stop()
        for notifier in self._notifiers.values():
            notifier.stop()
        self._handovers.stop()
        for others in self._others.values():
            others.stop()
        if self._accounts is not None:
            self._accounts.stop()
        for copying in self._copying.values():
            copying.stop()
        for upkeep in self._upkeep.values():
            upkeep.stop()
        if self._listener is not None:
            self._listener.stop(STOP_WITHIN_S)
        self._stop.set()
        gevent.joinall(self._loops, timeout=1.0)
        for hall in self.halls.values():
            hall.close()

    def _begin(self, name: str, loop: Callable[[], None], beat: Callable[[], float]) -> None:
        """Run a loop; one that dies is a bug, and the process stops so that it is started anew."""
        greenlet = gevent.spawn(loop)
        greenlet.link_exception(partial(_fail_stop_of, name))
        self._loops.append(greenlet)
        self._beats[name] = beat

    def _tick(self) -> None:
        timers.run(self.halls.values(), wait=self._wait, beat=self._note_tick, idle_of=self._presence.idle_s)

    def _wait(self, seconds: float) -> bool:
        return bool(self._stop.wait(seconds))

    def _note_tick(self) -> None:
        self._clock_beat = monotonic()
        self._begin_notifiers()  # of a hall that was told a moment ago whom to tell
        self._ballast.tend()
        if self._ballast.held != self._was_held:  # also a full disk that was met while writing
            self._was_held = self._ballast.held
            for screens in self._screens.values():
                screens.changed()

    def _checks(self) -> dict[str, Check]:
        def loops() -> str | None:
            late = [name for name, beat in self._beats.items() if monotonic() - beat() > LATE_AFTER_S]
            return f"stuck: {', '.join(late)}" if late else None

        def disk() -> str | None:
            if (fault := self._ballast.fault()) is not None:
                return fault
            free = os.statvfs(self._data)
            left_mb = free.f_bavail * free.f_frsize // 2**20
            return f"only {left_mb} MB left for {self._data}" if left_mb < DISK_LEFT_MB else None

        def ledger() -> str | None:
            unheard = {hall: others.fault for hall, others in self._others.items() if others.fault is not None}
            return "; ".join(f"{hall}: {fault}" for hall, fault in (unheard | self._ledger_faults).items()) or None

        return {"ledger": ledger, "loops": loops, "disk": disk}

    def _known_names(self) -> Mapping[str, str]:
        if monotonic() - self._names_at > NAMES_FOR_S:
            self._names, self._names_at = {user.work_id: user.name for user in self._people.users()}, monotonic()
        return self._names

    def _rows(self, site: Site, hall: HallId) -> list[dict[str, Any]]:
        """Give the devices of a hall for the manager's page: the register's rows, and how their jobs go."""
        feed = self._jobs[hall]
        rows = []
        for known in device_rows(site, hall):
            row = known.model_dump(mode="json")
            last = self._journal.last(hall, known.device)
            row["connected"] = feed.is_connected(known.device)
            row["last_job"] = last and {
                "id": last.job,
                "kind": last.kind,
                "ticket": last.ticket,
                "status": last.status,
                "detail": last.detail,
                "at": instant(self.halls[hall].plan, last.at_ms),
            }
            rows.append(row)
        return rows

    def _register_changed(self, hall: HallId) -> None:
        if hall in self._jobs:
            self._jobs[hall].wake()
            self._screens[hall].changed()


def in_thread(pool: ThreadPool) -> Callable[[Callable[[], T]], T]:
    """Give a function that runs work in the pool while the loop goes on, and returns or raises what it did.

    The work's exception is carried over by hand: the pool would print its traceback as well.
    """

    def attempt(work: Callable[[], T]) -> tuple[list[T], Exception | None]:
        try:
            return [work()], None
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller is the one to know it
            return [], error

    def run(work: Callable[[], T]) -> T:
        outcome: tuple[list[T], Exception | None] = pool.apply(attempt, (work,))
        done, error = outcome
        if error is not None:
            raise error
        return done[0]

    return run


def _read_halls(names: Sequence[str]) -> dict[HallId, Seed]:
    seeds: dict[HallId, Seed] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            seed = seed_of(find(name))
        except HallFileError as error:
            problems += error.problems
            continue
        hall = seed.plan.hall
        if hall in seeds:
            raise ServeError(f"两个文件都是大厅“{hall}”", f"two files are of the same hall, {hall}")
        if f"{hall}.sqlite" in SHARED_FILES:
            raise ServeError(f"大厅代号不能是“{hall}”", f"a hall cannot be called {hall}")
        seeds[hall] = seed
    if problems:
        raise ServeError(check_report(problems, "zh"), check_report(problems, "en"))
    return seeds


def _clock(clock: str | None) -> Clock:
    if clock is None:
        return machine_clock
    try:
        return DrillClock(instant_of(clock))
    except ValueError as error:
        raise ServeError(f"--clock 不正确：{error}", f"--clock: {error}") from error


def _ledger_folder(ledger: str, data: Path) -> Path:
    scheme, _, path = ledger.partition(":")
    if scheme != "sqlite":
        raise ServeError(
            f"不支持的账本地址：{ledger}，请用 sqlite:FOLDER 或 redis://HOST:PORT/DB",
            f"unknown ledger {ledger!r}; use sqlite:FOLDER or redis://HOST:PORT/DB",
        )
    return Path(path) if path else data


def _redis_address(ledger: str) -> RedisAddress | None:
    if ledger.partition(":")[0] not in SCHEMES:
        return None
    try:
        return address_of(ledger)
    except BadAddress as error:  # the address is not shown: it may hold a password
        raise ServeError(f"--ledger 的 Redis 地址不正确：{error}", f"--ledger: {error}") from error


@contextmanager
def _owned(data: Path) -> Iterator[None]:
    """Own the data folder while the block runs; the kernel lets go of it when the process ends, however it ends."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o750)
        lock = (data / LOCK_FILE).open("a+", encoding="ascii")
    except OSError as error:
        raise ServeError(
            f"不能写入数据文件夹 {data}：{error}", f"cannot write to the data folder {data}: {error}"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ServeError(
                f"数据文件夹 {data} 正被另一个进程使用", f"the data folder {data} is in use by another process"
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _mark_drill(folders: Sequence[Path], *, drill: bool) -> None:
    """Refuse to mix a drill with a real day: a folder belongs to one of them from its first ledger on."""
    for folder in dict.fromkeys(folders):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            mark = folder / DRILL_FILE
            used = any(path.name not in SHARED_FILES for path in folder.glob("*.sqlite"))
            if mark.exists() and not drill:
                raise ServeError(
                    f"{folder} 是演练用的数据文件夹，请换一个文件夹，或加上 --clock",
                    f"{folder} belongs to a drill: use another data folder, or --clock",
                )
            if drill and used and not mark.exists():
                raise ServeError(
                    f"{folder} 是真实营业的数据文件夹，演练请换一个文件夹",
                    f"{folder} belongs to real days: use another data folder for a drill",
                )
            if drill:
                mark.touch()
        except OSError as error:
            raise ServeError(
                f"不能写入文件夹 {folder}：{error}", f"cannot write to the folder {folder}: {error}"
            ) from error


@contextmanager
def _port_refused() -> Iterator[None]:
    try:
        yield
    except PortTaken as error:
        raise ServeError(f"不能使用该地址：{error}", str(error)) from error


def _open_hall(
    id_: HallId, folder: Path, clock: Clock, faults: dict[HallId, str], ballast: Ballast, start: Snapshot | None
) -> tuple[Hall, SqliteLedger]:
    """Replay a hall from `start` on; while its ledger cannot be written, `faults` says why."""
    in_its_thread = in_thread(ThreadPool(1))  # the one that writes this hall's ledger; the loop goes on meanwhile

    def offload(write: Callable[[], None]) -> None:
        try:
            in_its_thread(write)
        except (LedgerDown, LedgerDoubtful) as error:
            faults[id_] = str(error)
            raise
        faults.pop(id_, None)

    begun = time.perf_counter()
    path = folder / f"{id_}.sqlite"
    try:
        store = SqliteLedger(path)
        hall = Hall(id_, store, clock=clock, offload=offload, fail_stop=_fail_stop, ballast=ballast, start=start)
    except LedgerBroken as error:
        mend = f"jiaohao ledger restore BACKUP --hall {id_} --replace --data {folder}"
        raise LedgerDamaged(
            f"账本损坏，没有提供服务：{error}。请从备份恢复：{mend}",
            f"the ledger is damaged and nothing is served: {error}. Restore a backup: {mend}",
        ) from error
    except LedgerDown as error:
        raise ServeError(f"打不开账本：{error}", f"cannot open the ledger: {error}") from error
    _say_replayed(hall, time.perf_counter() - begun)
    return hall, store


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """A hall in Redis, its stream, and this server's copy of what is over."""

    hall: Hall
    stream: RedisLedger
    copy: SqliteLedger


def _open_shared(
    id_: HallId,
    address: RedisAddress,
    folder: Path,
    clock: Clock,
    faults: dict[HallId, str],
    start: Snapshot | None,
    *,
    drill: bool,
) -> _Shared:
    """Replay a hall that other servers may write too. Its sockets are the loop's own, so no thread is needed."""

    def offload(write: Callable[[], None]) -> None:
        try:
            write()
        except LedgerDown as error:
            faults[id_] = str(error)
            raise
        faults.pop(id_, None)

    begun = time.perf_counter()
    path = folder / f"{id_}.sqlite"
    try:
        copy = SqliteLedger(path)
        stream = RedisLedger(id_, address)
        stream.mark(drill=drill)
        join(stream, path, name_of(folder))
        start = newest_start(id_, stream, start)
        hall = Hall(id_, CopiedLedger(stream, path), clock=clock, offload=offload, fail_stop=_fail_stop, start=start)
    except LedgerBroken as error:
        raise LedgerDamaged(
            f"账本或其副本损坏，没有提供服务：{error}。如果坏的是副本，请移走 {path}，它会重新复制",
            f"the ledger or its copy is damaged and nothing is served: {error}. If it is the copy, move {path} away:"
            " it is copied again",
        ) from error
    except LedgerDown as error:
        raise ServeError(f"打不开账本：{error}", f"cannot open the ledger: {error}") from error
    _say_replayed(hall, time.perf_counter() - begun)
    return _Shared(hall=hall, stream=stream, copy=copy)


def _say_replayed(hall: Hall, took_s: float) -> None:
    log.info("hall %s: %d commits, %d of them replayed in %.2f s", hall.id, hall.seq, hall.replayed, took_s)


def _take_over(hall: Hall, seed: Seed, *, take_file: bool) -> None:
    """Let a hall run with the settings that count, and say so when those are not the file's."""
    try:
        begin(hall, seed, take_file=take_file)
    except LedgerDown as error:
        raise ServeError(f"不能写入账本：{error}", f"cannot write the ledger: {error}") from error
    if (said := hall.read(lambda state, _: unlike(state, seed))) is not None:
        log.warning("hall %s: %s", hall.id, said[1])


def _notify_url(hall: Hall) -> str | None:
    return hall.plan.notify.url


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _pages() -> PageFolders:
    root = Path(__file__).parent.parent
    return PageFolders(
        server=root / "server" / "pages", kiosk=root / "kiosk" / "pages", display=root / "display" / "pages"
    )


def _beat(follower: Screens | JobFeed | HandOvers | Notifier | Others | SharedAccounts) -> float:
    return follower.beat


def _fail_stop_of(name: str, dead: "gevent.Greenlet[..., None]") -> None:
    _fail_stop(RuntimeError(f"the loop {name} died: {dead.exception!r}"))


def _fail_stop(error: Exception) -> NoReturn:
    """End the process at once: what is in memory cannot be trusted, the ledger can."""
    log.critical("stopping at once: %s", error)
    logging.shutdown()
    os._exit(1)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _say(line: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
