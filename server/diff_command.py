"""`jiaohao check --diff`: how the halls that run differ from their files, asked of a server or read from ledgers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import requests

from config import HallFileError, check_report, find, load_hall
from config.compare import Change, Difference, differences
from server.console import FOUND_TROUBLE, Trouble, say, token_of
from server.domain.terms import HallId
from server.ledger import files as ledgers
from server.ledger import snapshot
from server.ledger.base import LedgerBroken, LedgerDown
from server.ledger.snapshot import Picture
from server.settings import live, read

ASK_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """What a hall runs with: the edition and text of its settings, and what is assigned live."""

    version: int
    text: str
    live: Sequence[Difference]


def diff_halls(
    files: Sequence[str], *, server_url: str | None, token_file: Path | None, format_: str, data: Path
) -> int:
    """Print how each hall differs from its file, and give the exit status: 0 for not at all, else 1.

    Raises:
        Trouble: a file, the server or a ledger cannot be read.
    """
    answers: list[dict[str, Any]] = []
    for name in files:
        path = find(name)
        try:
            file = load_hall(path)
        except HallFileError as error:
            raise Trouble(check_report(error.problems, say("zh", "en"))) from error
        hall = file.hall.id
        if server_url is None:
            running = _of_ledger(data, hall)
        else:
            running = _of_server(server_url, token_of(token_file, role="integration"), hall)
        reading = read(running.text, path)
        if reading.hall is None:
            raise Trouble(
                say(
                    f"大厅 {hall} 的账本里没有可读的设置；请用本版本启动一次服务器",
                    f"the ledger of {hall} has no settings that can be read: start the server of this version once",
                )
            )
        found = [*differences(file, reading.hall), *running.live]
        answers.append({"file": str(path), "hall": hall, "version": running.version, "differences": found})
    click.echo(_as_json(answers) if format_ == "json" else "\n".join(_as_text(one) for one in answers))
    return FOUND_TROUBLE if any(one["differences"] for one in answers) else 0


def _as_json(answers: Sequence[Mapping[str, Any]]) -> str:
    rows = [{**one, "differences": [asdict(it) | _said(it) for it in one["differences"]]} for one in answers]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def _said(one: Difference) -> dict[str, str]:
    return {"zh": one.sentence("zh"), "en": one.sentence("en")}


def _as_text(answer: Mapping[str, Any]) -> str:
    file, hall, version, found = answer["file"], answer["hall"], answer["version"], answer["differences"]
    if not found:
        return say(
            f"{file}: 与大厅 {hall} 运行的设置（第 {version} 版）相同。",
            f"{file}: the hall {hall} runs with the same settings (version {version}).",
        )
    head = say(
        f"{file} → 大厅 {hall} 运行的设置（第 {version} 版），{len(found)} 处不同：",
        f"{file} -> what the hall {hall} runs with (version {version}), {len(found)} difference(s):",
    )
    return "\n".join([head, *(f"  {one.sentence(say('zh', 'en'))}" for one in found)])


def _of_ledger(data: Path, hall: str) -> _Running:
    path = ledgers.ledgers(data).get(hall)
    if path is None:
        raise Trouble(
            say(
                f"{data} 里没有大厅 {hall} 的账本；请用 --data 写明数据文件夹，或用 --server 向服务器要",
                f"{data} has no ledger of {hall}: name the data folder with --data, or ask a server with --server",
            )
        )
    try:
        start = snapshot.load(snapshot.beside(path), HallId(hall))
        picture = start.picture() if start else Picture()
        for commit in ledgers.commits(path, picture.seq):
            picture.apply(commit)
    except (LedgerDown, LedgerBroken) as error:
        raise Trouble(say(f"账本读不了：{error}", f"the ledger cannot be read: {error}")) from error
    state = picture.state
    version = state.edition.version if state.edition else 0
    return _Running(version=version, text=state.text, live=list(live(state)))


def _of_server(url: str, token: str, hall: str) -> _Running:
    address = f"{url.rstrip('/')}/api/v1/halls/{quote(hall, safe='')}/settings"
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": say("zh", "en")}
    try:
        response = requests.get(address, headers=headers, timeout=ASK_WITHIN_S, allow_redirects=False)
        answer = response.json()
    except (requests.RequestException, ValueError) as error:
        raise Trouble(say(f"服务器 {url} 没有应答：{error}", f"no answer from {url}: {error}")) from error
    if not response.ok:
        detail = answer.get("detail", response.reason)
        raise Trouble(say(f"服务器拒绝：{detail}", f"the server says no: {detail}"))
    return _Running(version=answer["version"], text=answer["text"], live=[_difference(one) for one in answer["live"]])


def _difference(row: Mapping[str, Any]) -> Difference:
    known = {field.name: row[field.name] for field in fields(Difference)}
    return Difference(**{**known, "change": Change(row["change"])})
