"""`jiaohao ledger` for ledgers in Redis: what each command does there, and how a Redis is named.

The words and tables are those of ledgers in files (`ledger_commands`).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from server.console import Trouble, say, show_table
from server.ledger import streams
from server.ledger.copies import FOLDER
from server.ledger.files import Verdict
from server.ledger.redis_address import SCHEMES, BadAddress, RedisAddress, address_of
from server.ledger.streams import Stream

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def redis_of(ledger: str) -> RedisAddress | None:
    """Give the Redis that `--ledger` names, None when it names files.

    Raises:
        Trouble: the address cannot be understood.
    """
    if ledger.partition(":")[0] not in SCHEMES:
        return None
    try:
        return address_of(ledger)
    except BadAddress as error:  # the address is not shown: it may hold a password
        raise Trouble(say(f"--ledger 的 Redis 地址不正确：{error}", f"--ledger: {error}")) from error


def status(address: RedisAddress, data: Path, hall: str | None, format_: str) -> None:
    """Show each hall's ledger at a glance: what is in Redis, what has left it, how far each server has copied it."""
    rows: list[dict[str, object]] = []
    for stream in _streams(address, data, hall):
        it = streams.status(stream)
        copies = [
            f"{server} {seq} ({datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%MZ})"
            for server, (seq, at_s) in sorted(it.copies.items())
        ]
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
                "head": it.head[:16],
                "left_redis": it.begin,
                "copies": tuple(copies),
            }
        )
    show_table(rows, format_)


def verify(
    address: RedisAddress, data: Path, hall: str | None, *, rules: bool, progress: Progress
) -> Iterator[Verdict]:
    """Check each ledger from its first commit on; what has left Redis is read from this machine's copy."""
    for stream in _streams(address, data, hall):
        with progress(stream.hall, streams.length(stream)) as tick:
            yield streams.verify(stream, rules=rules, tick=tick)


def backup(address: RedisAddress, data: Path, hall: str | None, folder: Path, progress: Progress) -> None:
    """Write each ledger into a file in a folder."""
    for stream in _streams(address, data, hall):
        to = folder / f"{stream.hall}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite"
        with progress(stream.hall, streams.length(stream)) as tick:
            verdict = streams.backup(stream, to, tick=tick)
        click.echo(f"{to}: {verdict.commits} {say('次提交', 'commits')}, {verdict.head[:16]}")


def export(address: RedisAddress, data: Path, hall: str, to: BinaryIO, after: int) -> int:
    """Write a ledger as text; give how many commits there were."""
    (stream,) = _streams(address, data, hall)
    return streams.export(stream, to, after)


def restore(address: RedisAddress, data: Path, hall: str, source: Path, *tails: Path, anew: bool) -> None:
    """Put a backup or an export into Redis, and exports of what came later."""
    there = streams.at(hall, address, data / FOLDER)
    if not anew and hall in streams.ledgers(address, data / FOLDER):
        raise Trouble(
            say(
                f"{address.shown} 里已有 {hall} 的账本；要换成 {source} 请加 --replace（原账本移到一旁，不会删除）",
                f"there is a ledger of {hall} in {address.shown}; add --replace to put {source} in its place"
                " (it is moved aside, not deleted)",
            )
        )
    aside = streams.restore(source, there, *tails, anew=anew)
    it = streams.status(there)
    click.echo(f"{address.shown}, {hall}: {it.commits} {say('次提交', 'commits')}, {it.head[:16]}")
    if aside is not None:
        click.echo(
            say(
                f"原账本在 {aside}，不再需要时用 redis-cli UNLINK 删除",
                f"the ledger that was there is {aside}; UNLINK it with redis-cli when nobody needs it",
            )
        )


def _streams(address: RedisAddress, data: Path, hall: str | None) -> list[Stream]:
    found = streams.ledgers(address, data / FOLDER)
    if not found:
        raise Trouble(say(f"{address.shown} 里没有账本", f"no ledger in {address.shown}"))
    if hall is None:
        return list(found.values())
    if hall not in found:
        there = ", ".join(found)
        raise Trouble(
            say(
                f"{address.shown} 里没有 {hall} 的账本，有：{there}",
                f"no ledger of {hall} in {address.shown}; there are {there}",
            )
        )
    return [found[hall]]
