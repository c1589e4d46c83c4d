"""`jiaohao voice`: what a hall records or renders for its loudspeakers, and whether a folder of it is whole."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.console import FOUND_TROUBLE, Trouble, format_option, say, show_table

if TYPE_CHECKING:
    from config import HallFile

NUMBERS = 300

folder_path = click.Path(path_type=Path, file_okay=False)
numbers_option = click.option(
    "--numbers",
    type=click.IntRange(1, 9999),
    default=NUMBERS,
    show_default=True,
    help="Numbers of a busy day in each series; a call above them goes to the next voice.",
)


@click.group()
def voice() -> None:
    """Record or render the voice of a hall: what to say, describe the recordings, check them.

    Example: jiaohao voice list qiaocheng.toml
    """


@voice.command("list")
@click.argument("hall", metavar="HALL.toml")
@click.option("--language", default="zh", show_default=True, help="zh and en are spelled out; others say it their way.")
@click.option("--yao", is_flag=True, help="Read the 1 of a ticket 幺, not 一.")
@numbers_option
@format_option
def list_(hall: str, language: str, yao: bool, numbers: int, format_: str) -> None:
    """Write the recording script of a hall: the name of each file and what to say in it.

    Example: jiaohao voice list qiaocheng.toml --language zh --numbers 300
    """
    rows: list[dict[str, object]] = [
        {"file": f"{unit}.wav", "say": _words(unit, language, yao=yao)} for unit in _units(_hall(hall), numbers)
    ]
    show_table(rows, format_)


@voice.command()
@click.argument("folder", type=folder_path)
@click.option("--language", required=True, help="What is spoken: zh, en, zh-sichuan, ii ...")
@click.option(
    "--order",
    default="please,letter,number,window",
    show_default=True,
    help="How the language puts a call together.",
)
def pack(folder: Path, language: str, order: str) -> None:
    """Describe the recordings in a folder: writes manifest.json, which the devices agent reads.

    Example: jiaohao voice pack /srv/jiaohao/voice-zh --language zh
    """
    from drivers.speech.clips import BadPack, write_manifest

    try:
        taken, wrong = write_manifest(folder, language, order.split(","))
    except BadPack as bad:
        raise Trouble(say(bad.zh, bad.en)) from bad
    click.echo(say(f"{folder}：登记了 {taken} 段录音", f"{folder}: {taken} recordings"))
    for each in wrong:
        click.echo(f"✗ {say(each.zh, each.en)}")
    sys.exit(FOUND_TROUBLE if wrong or not taken else 0)


@voice.command()
@click.argument("hall", metavar="HALL.toml")
@click.option(
    "--voice",
    "voice_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A voice of Kokoro v1.0, like zf_xiaoxiao.bin for Chinese, af_heart.bin for English.",
)
@click.option("--into", required=True, type=folder_path, help="The folder to make: for `clips` of DEVICES.toml.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--yao", is_flag=True, help="Read the 1 of a ticket 幺, not 一.")
@click.option("--speed", type=click.FloatRange(0.5, 2.0), default=0.92, show_default=True, help="1: as trained.")
@click.option(
    "--numbers",
    type=click.IntRange(0, 9999),
    default=0,
    show_default=True,
    help="Numbers of each series to render now; the others are rendered when their ticket is issued.",
)
def build(hall: str, voice_file: Path, into: Path, language: str, yao: bool, speed: float, numbers: int) -> None:
    """Render the voice of a hall on this machine: letters and windows now, each number when its ticket is issued.

    Run again, it renders what is missing. Needs pip install 'jiaohao[voice]' and a voice file.
    Example: jiaohao voice build qiaocheng.toml --voice zf_xiaoxiao.bin --into /srv/jiaohao/voice-rendered
    """
    from drivers.speech.build import build_pack
    from drivers.speech.clips import BadPack

    units = list(_units(_hall(hall), numbers))
    count = 0
    try:
        for count, unit in enumerate(
            build_pack(into, units, voice_file, language=language, speed=speed, yao=yao), start=1
        ):
            click.echo(f"{count}  {unit}")
    except BadPack as bad:
        raise Trouble(say(bad.zh, bad.en)) from bad
    zh = f'{into}：新生成 {count} 段，共 {len(units)} 段。在 DEVICES.toml 中写 clips = ["{into}"]'
    en = f'{into}: {count} rendered now, {len(units)} in all. In DEVICES.toml: clips = ["{into}"]'
    click.echo(say(zh, en))


@voice.command()
@click.argument("folder", type=folder_path)
@click.option("--hall", metavar="HALL.toml", help="Also say which units of this hall are missing.")
@numbers_option
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(folder: Path, hall: str | None, numbers: int, format_: str) -> None:
    """Open every recording of a folder and say what is wrong or missing.

    Exit status 1: something is. Example: jiaohao voice check /srv/jiaohao/voice-zh --hall qiaocheng.toml
    """
    from drivers.speech.clips import BadPack, faults_of, read_pack

    try:
        found = read_pack(folder)
    except BadPack as bad:
        raise Trouble(say(bad.zh, bad.en)) from bad
    # a rendered voice makes the numbers when their tickets are issued
    wanted = list(_units(_hall(hall), numbers if found.voice is None else 0)) if hall is not None else []
    wrong = faults_of(found, wanted)
    if format_ == "json":
        rows = [{"zh": each.zh, "en": each.en} for each in wrong]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for each in wrong:
            click.echo(f"✗ {say(each.zh, each.en)}")
        count = len(found.clips)
        zh = f"{folder}：{found.language}，{count} 段录音，{len(wrong)} 处问题"
        click.echo(say(zh, f"{folder}: {found.language}, {count} recordings, {len(wrong)} to put right"))
    sys.exit(FOUND_TROUBLE if wrong else 0)


def _hall(name: str) -> "HallFile":
    from config import HallFileError, check_report, find, load_hall

    try:
        return load_hall(find(name))
    except HallFileError as error:
        raise Trouble(check_report(error.problems, say("zh", "en"))) from error


def _units(hall: "HallFile", numbers_a_day: int) -> Iterator[str]:
    """Give every unit that calls of this hall are made of, 请 first, numbers last."""
    yield "please"
    letters = sorted({letter for service in hall.services for letter in service.prefix})
    yield from (f"letter-{letter}" for letter in letters)
    yield from (f"window-{window.no}" for window in hall.windows if window.staffed)
    numbers = {
        number
        for service in hall.services
        for number in range(service.first, min(service.last, service.first + numbers_a_day - 1) + 1)
    }
    yield from (f"number-{number:03}" for number in sorted(numbers))


def _words(unit: str, language: str, *, yao: bool) -> str:
    """Give what to say for a unit; the Chinese words where the language has no phrase file."""
    from drivers.speech import phrases_en, phrases_zh

    english = language == "en"
    role, _, what = unit.partition("-")
    read: dict[str, Callable[[], str]] = {
        "please": lambda: "Ticket" if english else "请",
        "letter": lambda: what,
        "number": lambda: (
            phrases_en.ticket(what)
            if english
            else f"{phrases_zh.ticket(what, phrases_zh.YAO if yao else phrases_zh.ONE)}号"
        ),
        "window": lambda: (
            f"please proceed to window {phrases_en.window_name(what)}"
            if english
            else f"到{phrases_zh.window_name(what)}窗口办理"
        ),
    }
    return read[role]()
