"""`jiaohao ledger`: look at the ledgers of a data folder, check them, copy them, put a copy back."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from server.console import FOUND_TROUBLE, Trouble, data_option, format_option, ledger_option, say, show_table

hall_option = click.option("--hall", help="Only this hall's ledger; otherwise all of the data folder.")


@click.group()
def ledger() -> None:
    """Look at, check, copy and restore ledgers. Reading works while the server runs."""


@ledger.command()
@format_option
@hall_option
@ledger_option
@data_option
def status(format_: str, hall: str | None, ledger: str, data: Path) -> None:
    """Show each hall's ledger at a glance; `snapshot` is the day whose start is kept, with the hash of the state then.

    Example: jiaohao ledger status --data /var/lib/jiaohao
    """
    from server import stream_commands
    from server.ledger import files

    if (redis := stream_commands.redis_of(ledger)) is not None:
        with _trouble():
            stream_commands.status(redis, data, hall, format_)
        return
    rows: list[dict[str, object]] = []
    notes: list[str] = []
    with _trouble():
        for path in _ledgers(data, hall).values():
            it = files.status(path)
            last = None if it.last_ms is None else datetime.fromtimestamp(it.last_ms / 1000, UTC)
            rows.append(
                {
                    "hall": it.hall,
                    "commits": it.commits,
                    "days": it.days,
                    "first_day": it.first_day,
                    "last_day": it.last_day,
                    "last_at": None if last is None else last.isoformat(timespec="seconds"),
                    "bytes": it.bytes,
                    "archives": len(it.archives),
                    "head": it.head[:16],
                    "snapshot": None if it.snapshot is None else it.snapshot.day or "-",
                    "snapshot_seq": None if it.snapshot is None else it.snapshot.seq,
                    "state_hash": None if it.snapshot is None else it.snapshot.state_hash[:16],
                }
            )
            notes += [f"{it.hall}: {why}" for why in (*it.missing, *([it.unusable] if it.unusable else []))]
    show_table(rows, format_)
    for note in notes:
        click.echo(note, err=True)


@ledger.command()
@click.option("--rules/--no-rules", default=True, help="Check the rules of the hall, too, not only the bytes.")
@format_option
@hall_option
@ledger_option
@data_option
def verify(rules: bool, format_: str, hall: str | None, ledger: str, data: Path) -> None:
    """Check ledgers with their archives: pages, the chain of hashes, every rule of the hall. Exit status 1 if not good.

    The commits are folded again from the very first: the hash of the state is shown, the snapshot is held against it.

    Example: jiaohao ledger verify --hall qiaocheng
    """
    from server import stream_commands
    from server.ledger import files

    verdicts: list[files.Verdict] = []
    with _trouble():
        if (redis := stream_commands.redis_of(ledger)) is not None:
            verdicts += stream_commands.verify(redis, data, hall, rules=rules, progress=_bar)
        else:
            for path in _ledgers(data, hall).values():
                with _progress(path) as tick:
                    verdicts.append(files.verify(path, rules=rules, tick=tick))
    rows = [
        {
            "hall": it.hall,
            "good": it.good,
            "commits": it.commits,
            "head": it.head,
            "state_hash": it.state_hash,
            "broken": it.broken,
            "findings": [str(finding) for finding in it.findings],
        }
        for it in verdicts
    ]
    if format_ == "json":
        show_table(rows, "json")
    else:
        for it in verdicts:
            good = say("完好", "whole") if it.good else say("有问题", "NOT GOOD")
            click.echo(f"{it.hall}: {good}, {it.commits} {say('次提交', 'commits')}, {it.head[:16]}")
            if it.state_hash:
                click.echo(f"  {say('状态', 'state')} {it.state_hash}")
            for line in ([it.broken] if it.broken else []) + [str(finding) for finding in it.findings[:50]]:
                click.echo(f"  {line}")
    if not all(it.good for it in verdicts):
        sys.exit(FOUND_TROUBLE)


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@hall_option
@ledger_option
@data_option
def backup(folder: Path, hall: str | None, ledger: str, data: Path) -> None:
    """Copy ledgers into a folder while the hall works; each copy is checked before it gets its name.

    Months that left the ledger's file are copied into FOLDER/archive once, and belong to every backup in FOLDER.

    Example: jiaohao ledger backup /mnt/usb --data /var/lib/jiaohao
    """
    from server import stream_commands
    from server.ledger import files

    if folder.resolve() == data.resolve():
        raise Trouble(
            say("备份不能放在数据文件夹里，请另选文件夹", "a backup does not belong in the data folder: choose another")
        )
    with _trouble():
        folder.mkdir(parents=True, exist_ok=True)
        if (redis := stream_commands.redis_of(ledger)) is not None:
            stream_commands.backup(redis, data, hall, folder, _bar)
            return
        for name, path in _ledgers(data, hall).items():
            to = folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite"
            with _progress(path) as tick:
                verdict = files.backup(path, to, tick=tick)
            click.echo(f"{to}: {verdict.commits} {say('次提交', 'commits')}, {verdict.head[:16]}")


@ledger.command()
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; otherwise standard output."
)
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only commits after this one.")
@click.option("--hall", required=True, help="Whose ledger.")
@ledger_option
@data_option
def export(out: Path | None, after: int, hall: str, ledger: str, data: Path) -> None:
    """Write a ledger as text, one line of JSON a commit, with everything from which its hashes can be computed.

    Example: jiaohao ledger export --hall qiaocheng --out qiaocheng.jsonl
    """
    from server import stream_commands
    from server.ledger import files

    redis = stream_commands.redis_of(ledger)
    path = None if redis is not None else _ledgers(data, hall)[hall]

    def write(to: BinaryIO) -> int:
        if redis is not None:
            return stream_commands.export(redis, data, hall, to, after)
        return files.export(path, to, after) if path is not None else 0

    with _trouble():
        if out is None:
            write(sys.stdout.buffer)
            return
        if out.exists():
            raise FileExistsError(out)
        half = out.with_name(f"{out.name}.part")
        try:
            with half.open("wb") as to:
                count = write(to)
            half.rename(out)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(out)) from error
        finally:
            half.unlink(missing_ok=True)
        click.echo(f"{out}: {count} {say('次提交', 'commits')}", err=True)


@ledger.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("tails", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[TAIL]...")
@click.option("--hall", required=True, help="Whose ledger it is.")
@click.option("--replace", is_flag=True, help="Allow it although there is a ledger: that one is moved aside.")
@ledger_option
@data_option
def restore(source: Path, tails: tuple[Path, ...], hall: str, replace: bool, ledger: str, data: Path) -> None:
    """Put a backup or an export back. The server must be stopped; a ledger that is there is moved aside, never deleted.

    TAILs are exports of what came after it (`jiaohao ledger export --after N`), in order; they may overlap.

    Example: jiaohao ledger restore /mnt/usb/qiaocheng-20260302T100000Z.sqlite --hall qiaocheng --replace
    """
    from server import stream_commands
    from server.ledger import files

    if (redis := stream_commands.redis_of(ledger)) is not None:
        with _trouble():
            stream_commands.restore(redis, data, hall, source, *tails, anew=replace)
        return
    to = data / f"{hall}{files.SUFFIX}"
    if to.exists() and not replace:
        raise Trouble(
            say(
                f"{to} 已存在；确认要换成 {source} 请加 --replace（原账本会移到一旁，不会删除）",
                f"there is a {to}; add --replace to put {source} in its place (it is moved aside, not deleted)",
            )
        )
    with _trouble():
        data.mkdir(parents=True, exist_ok=True, mode=0o750)
        aside = files.restore(source, to, *tails)
        it = files.status(to)
    click.echo(f"{to}: {it.commits} {say('次提交', 'commits')}, {it.head[:16]}")
    if aside is not None:
        click.echo(say(f"原账本在 {aside}", f"the ledger that was there is {aside}"))


@ledger.command()
@hall_option
@data_option
def archive(hall: str | None, data: Path) -> None:
    """Move months that are over out of the ledgers' files into DATA/archive, and give free space back to the disk.

    A running server does this by itself when a month begins; this command is for a server that is stopped.

    Example: jiaohao ledger archive --data /var/lib/jiaohao
    """
    from server.ledger import files
    from server.ledger.archive import first_of_month
    from server.ledger.sqlite import SqliteLedger

    with _trouble():
        for name, path in _ledgers(data, hall).items():
            before = files.status(path)
            store = SqliteLedger(path)
            try:
                with _progress(path) as tick:
                    for step, _ in enumerate(store.archive(first_of_month(before.last_day)) if before.last_day else ()):
                        tick(step)
                store.compact()
            finally:
                store.close()
            after = files.status(path)
            for month in after.archives[len(before.archives) :]:
                click.echo(f"{name}: {month.name}, {month.last - month.first + 1} {say('次提交', 'commits')}")
            size = f"{path.stat().st_size // 2**10} KiB"
            click.echo(f"{name}: {len(after.archives)} {say('个归档', 'archives')}, {path.name} {size}")


def _ledgers(data: Path, hall: str | None) -> dict[str, Path]:
    from server.ledger import files

    found = files.ledgers(data)
    if not found:
        raise Trouble(
            say(f"{data} 里没有账本，请用 --data 指明数据文件夹", f"no ledger in {data}: name the folder with --data")
        )
    if hall is None:
        return found
    if hall not in found:
        there = ", ".join(found)
        raise Trouble(
            say(f"{data} 里没有 {hall} 的账本，有：{there}", f"no ledger of {hall} in {data}; there are {there}")
        )
    return {hall: found[hall]}


@contextmanager
def _trouble() -> Iterator[None]:
    """Say what went wrong in one line."""
    from server.ledger.base import LedgerBroken, LedgerDown

    try:
        yield
    except LedgerBroken as error:
        click.echo(f"jiaohao: {say('账本损坏', 'the ledger is damaged')}: {error}", err=True)
        sys.exit(FOUND_TROUBLE)
    except FileExistsError as error:
        raise Trouble(say(f"{error} 已存在", f"{error} exists already")) from error
    except (LedgerDown, OSError) as error:
        raise Trouble(str(error)) from error


@contextmanager
def _progress(path: Path) -> Iterator[Callable[[int], None]]:
    """Show how far long work has come, when somebody watches."""
    from server.ledger import files

    with _bar(path.stem, files.status(path).commits if sys.stderr.isatty() else 0) as tick:
        yield tick


@contextmanager
def _bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    if not total or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield lambda seen: bar.update(seen - bar.pos)
