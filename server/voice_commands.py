"""`jiaohao voice`: what a hall records or renders for its loudspeakers, and whether a folder of it is whole."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drivers.speech.render import SPEED
from server.console import FOUND_TROUBLE, Trouble, data_option, format_option, say, show_table

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
speed_option = click.option(
    "--speed", type=click.FloatRange(0.5, 2.0), default=SPEED, show_default=True, help="1: as trained."
)


@click.group()
def voice() -> None:
    """Record or render the voice of a hall: what to say, describe the recordings, check them.

    Example: jiaohao voice list qiaocheng.toml
    """


@voice.command("list")
@click.argument("hall", metavar="HALL.toml")
@click.option("--language", default="zh", show_default=True, help="zh and en are spelled out; others say it their way.")
@numbers_option
@format_option
def list_(hall: str, language: str, numbers: int, format_: str) -> None:
    """Write the recording script of a hall: the name of each file and what to say in it.

    Example: jiaohao voice list qiaocheng.toml --language zh --numbers 300
    """
    plan = _hall(hall)
    rows: list[dict[str, object]] = [
        {"file": f"{unit}.wav", "say": _words(unit, language, yao=plan.speech.yao)} for unit in _units(plan, numbers)
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
@speed_option
@click.option(
    "--numbers",
    type=click.IntRange(0, 9999),
    default=0,
    show_default=True,
    help="Tickets of each series to render now; the others are rendered when they are issued.",
)
def build(hall: str, voice_file: Path, into: Path, language: str, speed: float, numbers: int) -> None:
    """Render the voice of a hall on this machine: its windows now, each ticket when it is issued.

    Run again, it renders what is missing. Needs pip install 'jiaohao[voice]' and a voice file.
    Example: jiaohao voice build qiaocheng.toml --voice zf_xiaoxiao.bin --into /srv/jiaohao/voice-rendered
    """
    from drivers.speech.build import build_pack
    from drivers.speech.clips import BadPack

    plan = _hall(hall)
    units = list(_rendered_units(plan, numbers))
    count = 0
    try:
        for count, unit in enumerate(
            build_pack(into, units, voice_file, language=language, speed=speed, yao=plan.speech.yao), start=1
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
    wanted: list[str] = []
    if hall is not None:  # a rendered voice makes tickets when they are issued
        wanted = list(_units(_hall(hall), numbers) if found.voice is None else _rendered_units(_hall(hall), 0))
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


@voice.command()
@click.argument("hall", metavar="HALL.toml")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option(
    "--voice",
    "voice_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Render what is missing with this voice of Kokoro v1.0 (Chinese only); without it recordings are registered.",
)
@speed_option
@numbers_option
@data_option
@format_option
def prompts(
    hall: str, language: str, voice_file: Path | None, speed: float, numbers: int, data: Path, format_: str
) -> None:
    """Make what the kiosks of a hall say: records are registered, what is missing is rendered or listed.

    The clips lie in prompts/HALL/LANGUAGE of the data folder; the kiosk page takes them from the server. Run it again
    when the hall's services changed. Example: jiaohao voice prompts qiaocheng.toml --voice zf_xiaoxiao.bin --data var
    """
    from drivers.speech.build import known_voice, render
    from drivers.speech.clips import BadPack
    from drivers.speech.prompts import file_of, signs_of, texts, to_record, write_manifest
    from drivers.speech.signs import Unsayable

    plan = _hall(hall)
    wanted = texts(_kiosk_words(language), _kiosk_values(plan, language, numbers))
    folder = data / "prompts" / plan.hall.id / language
    if voice_file is not None and language != "zh":
        raise Trouble(say("--voice 只会说中文；英文请录音", "--voice speaks Chinese only: record the English"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if voice_file is not None:
            pieces: dict[Path, str] = {}
            for text in wanted:
                with contextlib.suppress(Unsayable):  # listed as missing below
                    pieces[folder / file_of(text)] = signs_of(text, yao=plan.speech.yao)
            for count, made in enumerate(render(known_voice(voice_file, speed=speed), pieces), start=1):
                click.echo(f"{count}  {made.name}", err=True)
        there, wrong = write_manifest(folder, language, wanted)
    except OSError as error:
        raise Trouble(f"{folder}：{error.strerror}") from error
    except BadPack as bad:
        raise Trouble(say(bad.zh, bad.en)) from bad
    missing = [text for text in wanted if not (folder / file_of(text)).exists()]
    show_table([{"file": file_of(text), "say": to_record(text, yao=plan.speech.yao)} for text in missing], format_)
    for each in wrong:
        click.echo(f"✗ {say(each.zh, each.en)}", err=True)
    zh = f"{folder}：登记了 {there} 段，共 {len(wanted)} 段"
    click.echo(say(zh, f"{folder}: {there} of {len(wanted)} clips are there"), err=True)
    sys.exit(FOUND_TROUBLE if wrong or missing else 0)


def _kiosk_words(language: str) -> list[str]:
    words = json.loads((resources.files("kiosk") / "prompts.json").read_text(encoding="utf-8"))
    return list(dict[str, str](words[language]).values())


def _kiosk_values(hall: "HallFile", language: str, numbers: int) -> dict[str, list[str]]:
    """Give what stands in the holes of the kiosk's words."""
    from drivers.speech.prompts import MOST_AHEAD

    units = list(_units(hall, numbers))

    def named(names: Mapping[str, str]) -> str:
        return names.get(language) or names["zh"]

    return {
        "service": [named(each.name) for each in hall.services],
        "zone": [named(each.name) for each in hall.zones],
        "priority": [named(each.question) for each in hall.priorities if each.question is not None],
        "n": [str(n) for n in range(MOST_AHEAD + 1)],
        "letter": [unit.removeprefix("letter-") for unit in units if unit.startswith("letter-")],
        "number": [unit.removeprefix("number-") for unit in units if unit.startswith("number-")],
    }


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


def _rendered_units(hall: "HallFile", numbers_a_day: int) -> Iterator[str]:
    """Give the units that are rendered for calls of this hall: a ticket is one unit, the windows first."""
    yield from (f"window-{window.no}" for window in hall.windows if window.staffed)
    yield from sorted(
        {
            f"ticket-{service.prefix}{number:03}"
            for service in hall.services
            for number in range(service.first, min(service.last, service.first + numbers_a_day - 1) + 1)
        }
    )


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
