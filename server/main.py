"""The command `jiaohao`: every process of the system starts here. Imports are lazy, so that `--help` is quick."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from server.console import (
    ACCOUNTS_IN,
    BAD_INPUT,
    FOUND_TROUBLE,
    Trouble,
    accounts_option,
    data_option,
    format_option,
    ledger_option,
    say,
    show_table,
    token_of,
)
from server.ledger_commands import ledger
from server.report_commands import report
from server.simulate_commands import plan_skills, simulate
from server.voice_commands import voice

if TYPE_CHECKING:
    from server.people import People

T = TypeVar("T")

HOLIDAYS_WARNING_DAYS = 60  # the State Council announces a year's holidays in October or November of the year before
PASSWORD_PROMPT = ("密码", "Password")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of messages; otherwise by locale.")
@click.version_option(package_name="jiaohao")
def main(lang: str | None) -> None:
    """Jiaohao (叫号): queue-ticketing and hall display for service halls.

    First contact: jiaohao demo
    """
    if lang:
        os.environ["JIAOHAO_LANG"] = lang


@main.command()
@click.argument("halls", nargs=-1, required=True, metavar="HALL.toml...")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for the hall's LAN."
)
@click.option("--port", default=8080, show_default=True, help="Port; 0 picks a free one.")
@ledger_option
@click.option("--dev", is_flag=True, help="Everybody on this machine may read (loopback only).")
@click.option("--clock", metavar="INSTANT", help="A drill: the hall's clock starts here, 2026-03-02T09:00:00+08:00.")
@click.option("--take-file", is_flag=True, help="The hall files count, whatever was applied on the manager's page.")
@data_option
def serve(
    halls: Sequence[str],
    host: str,
    port: int,
    ledger: str,
    dev: bool,
    clock: str | None,
    take_file: bool,
    data: Path,
) -> None:
    """Run the ticket server for one or several halls.

    Example: jiaohao serve config/qiaocheng.toml --host 0.0.0.0 --port 8080
    """
    from gevent import monkey

    monkey.patch_all()  # before anything else is imported: sockets, locks and threads become the loop's own
    from server.serve import LedgerDamaged, ServeError
    from server.serve import serve as run

    try:
        run(halls, host=host, port=port, ledger=ledger, dev=dev, clock=clock, data=data, take_file=take_file)
    except ServeError as error:
        if isinstance(error, LedgerDamaged):
            click.echo(f"jiaohao: {say(error.zh, error.en)}", err=True)
            sys.exit(FOUND_TROUBLE)
        raise Trouble(say(error.zh, error.en)) from error


@main.command()
@click.argument("devices_file", metavar="DEVICES.toml", type=click.Path(path_type=Path))
@click.option("--server", "server_url", required=True, metavar="URL", help="Address of the ticket server.")
@click.option(
    "--token-file", type=click.Path(path_type=Path, dir_okay=False), help="File with the token (or JIAOHAO_TOKEN)."
)
@click.option("--enrol", "code", metavar="CODE", help="First start: the one-time code of `jiaohao device enrol`.")
@data_option
def devices(devices_file: Path, server_url: str, token_file: Path | None, code: str | None, data: Path) -> None:
    """Run the agent beside printers, LED strips, loudspeakers and keypads.

    The token that --enrol gets is kept in the data folder: later starts need neither code nor token.

    Example: jiaohao devices devices.toml --server http://127.0.0.1:8080 --enrol ABCD-EFGH
    """
    from drivers.agent import run

    token = _token(server_url, code, data / "devices" / "token", token_file, role="devices")
    sys.exit(run(devices_file, server_url, token, data))


@main.command()
@click.argument("device")
@data_option
def roll(device: str, data: Path) -> None:
    """Say that a printer has a new paper roll, where the agent counts its paper (option roll_m or roll_tickets).

    On the computer of the devices agent, with the same --data. The running agent begins to count anew at once.

    Example: jiaohao roll printer-1
    """
    from drivers.printer.roll import put_new_roll

    try:
        known = put_new_roll(data / "devices", device)
    except OSError as error:
        raise Trouble(say(f"无法写入 {data}：{error}", f"cannot write to {data}: {error}")) from error
    if known is not None:
        counted = ", ".join(known) or say("无", "none")
        raise Trouble(
            say(
                f"这里没有给 {device} 计纸。计纸的打印机：{counted}（选项 roll_m 或 roll_tickets）",
                f"the paper of {device} is not counted here. Counted: {counted} (option roll_m or roll_tickets)",
            )
        )
    click.echo(say(f"{device}：已换新纸卷", f"{device}: new roll"))


@main.command()
@click.argument("kiosk_file", metavar="KIOSK.toml", type=click.Path(path_type=Path))
@click.option(
    "--token-file", type=click.Path(path_type=Path, dir_okay=False), help="File with the token (or JIAOHAO_TOKEN)."
)
@click.option("--enrol", "code", metavar="CODE", help="First start: the one-time code of `jiaohao device enrol`.")
@data_option
def kiosk(kiosk_file: Path, token_file: Path | None, code: str | None, data: Path) -> None:
    """Run the kiosk's own server: the touch page, and numbers of its own while the ticket server is out of reach.

    The token that --enrol gets is kept in the data folder: later starts need neither code nor token.

    Example: jiaohao kiosk kiosk.toml --enrol ABCD-EFGH
    """
    from config import check_report
    from config.kiosk_file import KioskFileError, load_kiosk
    from kiosk.main import FOLDER, KioskError, run

    try:
        file = load_kiosk(kiosk_file)
    except KioskFileError as error:
        raise Trouble(check_report(error.problems, say("zh", "en"))) from error
    token = _token(file.server, code, data / FOLDER / "token", token_file, role="kiosk")
    try:
        run(file, token=token, data=data)
    except KioskError as error:
        raise Trouble(say(error.zh, error.en)) from error


@main.command()
@click.argument("hall", default="demo", metavar="[HALL.toml]")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, help="Port; another free one is taken when it is in use.")
@click.option("--speed", type=click.FloatRange(0.1, 100), default=2.0, show_default=True, help="How fast people live.")
@click.option("--visitors/--no-visitors", default=True, show_default=True, help="Simulated visitors and clerks.")
@data_option
def demo(hall: str, host: str, port: int, speed: float, visitors: bool, data: Path) -> None:
    """Run a whole hall on this machine: server, virtual printer, strips, keypads, loudspeaker, people.

    Example: jiaohao demo qiaocheng --speed 4
    """
    from config import HallFileError, check_report, find, load_hall
    from server.demo.stage import Stage, StageError

    path = find(hall)
    try:
        file = load_hall(path)
    except HallFileError as error:
        raise Trouble(check_report(error.problems, say("zh", "en"))) from error
    try:
        stage = Stage(file, path, host=host, port=port, speed=speed, visitors=visitors, data=data / "demo")
        sys.exit(stage.run())
    except StageError as error:
        click.echo(f"jiaohao: {error}", err=True)
        sys.exit(FOUND_TROUBLE)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--diff", is_flag=True, help="Show how the halls that run differ from these hall files.")
@click.option("--server", "server_url", metavar="URL", help="With --diff: ask this server instead of reading ledgers.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with an integration's token for --server (or JIAOHAO_TOKEN).",
)
@format_option
@data_option
def check(
    files: Sequence[str], diff: bool, server_url: str | None, token_file: Path | None, format_: str, data: Path
) -> None:
    """Check hall, devices and kiosk files: every error at once, with its line.

    With --diff, exit status 1 says that a hall runs with other settings than its file has.

    Example: jiaohao check config/qiaocheng.toml devices.toml kiosk.toml

    Example: jiaohao check --diff my-hall.toml --data /var/lib/jiaohao
    """
    if diff:
        from server.diff_command import diff_halls

        sys.exit(diff_halls(files, server_url=server_url, token_file=token_file, format_=format_, data=data))
    if server_url is not None or token_file is not None:
        raise Trouble(say("--server 和 --token-file 只与 --diff 一起使用", "--server and --token-file go with --diff"))
    from config import Problem, check_report, find
    from config import check as check_halls
    from config.kiosk_file import check_kiosk, is_kiosk_file
    from drivers.devices_file import check as check_devices
    from drivers.devices_file import is_devices_file

    paths = [find(file) for file in files]
    kiosk_files = [path for path in paths if is_kiosk_file(path)]
    devices_files = [path for path in paths if path not in kiosk_files and is_devices_file(path)]
    halls = [path for path in paths if path not in devices_files + kiosk_files]
    problems = check_halls(halls)
    problems += [problem for path in kiosk_files for problem in check_kiosk(path)]
    for path in devices_files:
        problems += [Problem(**asdict(problem)) for problem in check_devices(path)]
    if format_ == "json":
        click.echo(json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=2))
    else:
        click.echo(check_report(problems, say("zh", "en"), files=len(paths)))
    if problems:
        sys.exit(BAD_INPUT)
    for path in halls:
        _warn_of_unknown_holidays(path)


def _warn_of_unknown_holidays(path: Path) -> None:
    """Say when the calendar data ends soon or has ended: a year is announced late in the year before."""
    from config import load_hall
    from server.plan import holidays_known_to

    known_to = holidays_known_to(load_hall(path))
    if known_to is None or known_to > datetime.now(UTC).date() + timedelta(days=HOLIDAYS_WARNING_DAYS):
        return
    zh = (
        f"{path}: 已知的节假日和调休到 {known_to} 为止，之后按星期几开放；请更新程序，或写 extra_closed 和 extra_open。"
    )
    en = (
        f"{path}: holidays and make-up workdays are known to {known_to}, later days go by their weekday; update the"
        " program, or write extra_closed and extra_open."
    )
    click.echo(say(zh, en), err=True)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def scenario(files: Sequence[Path], format_: str) -> None:
    """Play hall-days written as text on the real rules and say what happened.

    Exit status 1: something went otherwise than the file expects. How to write one: docs/scenarios.md

    Example: jiaohao scenario tests/scenarios/qiaocheng-day.txt
    """
    from config import Problem, check_report
    from server.scenario import Scenario, ScenarioError, play, read, report

    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    for file in files:
        try:
            scenarios.append(read(file))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        as_json = json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=2)
        click.echo(as_json if format_ == "json" else check_report(problems, say("zh", "en")))
        sys.exit(BAD_INPUT)
    played = [(each, play(each)) for each in scenarios]
    if format_ == "json":
        rows = [{"file": each.file, "steps": [asdict(it) for it in results]} for each, results in played]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        click.echo("\n\n".join(report(each, results, say("zh", "en")) for each, results in played))
    if not all(it.ok for _, results in played for it in results):
        sys.exit(FOUND_TROUBLE)


@main.command()
@click.argument("devices_file", required=False, metavar="[DEVICES.toml]", type=click.Path(path_type=Path))
@click.option("--server", "server_url", metavar="URL", help="Compare clocks with this ticket server.")
@click.option("--test/--no-test", default=False, help="Print a test ticket, show A888 on the strips, speak a sentence.")
@click.option("--presses", default=0.0, metavar="SECONDS", help="Listen to keypads for so long while you press keys.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
@data_option
def doctor(
    devices_file: Path | None, server_url: str | None, test: bool, presses: float, format_: str, data: Path
) -> None:
    """Look at machine, data folder and devices, and say what to do. Nothing that runs is disturbed.

    Exit status 1: something is wrong.

    Example: jiaohao doctor devices.toml --test --presses 20
    """
    from server.doctor import run

    as_json = format_ == "json"
    sys.exit(run(devices_file, server_url=server_url, test=test, presses_s=presses, as_json=as_json, data=data))


@main.command()
def openapi() -> None:
    """Print the OpenAPI description of the server's interface.

    Example: jiaohao openapi > openapi.json
    """
    from server.web.openapi import openapi_json

    click.echo(openapi_json(), nl=False)


@main.group()
def user() -> None:
    """People: clerks, guides, managers, admins, auditors.

    Example: jiaohao user add 1001 --role clerk --windows 1,2
    """


@user.command("add")
@click.argument("work_id")
@click.option("--role", required=True, type=click.Choice(["clerk", "guide", "manager", "admin", "auditor"]))
@click.option("--name", default="", help="Shown to visitors and managers; otherwise the work id.")
@click.option("--windows", default="", help="Windows a clerk may sign in at: 1,2 (otherwise any).")
@click.option("--hall", help="Only in this hall (otherwise in every hall of the server).")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@accounts_option
@data_option
def user_add(
    work_id: str, role: str, name: str, windows: str, hall: str | None, password_stdin: bool, data: Path
) -> None:
    """Make an account.

    Example: echo 'a long password' | jiaohao user add 1001 --role clerk --windows 1,2 --password-stdin
    """
    allowed = tuple(no.strip() for no in windows.split(",") if no.strip())
    password = _password(password_stdin)
    _people(data, lambda p: p.add_user(work_id, password, role=role, name=name, windows=allowed, hall=hall))
    click.echo(say(f"已建立账号 {work_id}（{role}）", f"made account {work_id} ({role})"))


@user.command("passwd")
@click.argument("work_id")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@accounts_option
@data_option
def user_passwd(work_id: str, password_stdin: bool, data: Path) -> None:
    """Set a new password; the person is signed out everywhere.

    Example: jiaohao user passwd 1001
    """
    password = _password(password_stdin)
    _people(data, lambda people: people.set_password(work_id, password))
    click.echo(say(f"已更改 {work_id} 的密码", f"set a new password for {work_id}"))


@user.command("disable")
@click.argument("work_id")
@click.option("--undo", is_flag=True, help="Open the account again.")
@accounts_option
@data_option
def user_disable(work_id: str, undo: bool, data: Path) -> None:
    """Close an account; the person is signed out at once.

    Example: jiaohao user disable 1001
    """
    _people(data, lambda people: people.disable_user(work_id, disabled=not undo))
    click.echo(
        say(f"已恢复 {work_id}", f"{work_id} may sign in again")
        if undo
        else say(f"已停用 {work_id}", f"closed account {work_id}")
    )


@user.command("list")
@format_option
@accounts_option
@data_option
def user_list(format_: str, data: Path) -> None:
    """List the accounts.

    Example: jiaohao user list --format json
    """
    show_table([asdict(row) for row in _people(data, lambda people: people.users())], format_)


@main.group()
def device() -> None:
    """Kiosks, boards, device agents and integrations.

    Example: jiaohao device enrol kiosk-1 --role kiosk
    """


@device.command("enrol")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(["kiosk", "devices", "display", "integration"]))
@click.option("--hall", help="Only in this hall (otherwise in every hall of the server).")
@click.option("--window", help="A display of this window: its rating tablet may send grades. Needs --hall.")
@click.option("--print-token", is_flag=True, help="Print a token for a program instead of a one-time code for a page.")
@accounts_option
@data_option
def device_enrol(name: str, role: str, hall: str | None, window: str | None, print_token: bool, data: Path) -> None:
    """Let a device in: a one-time code to type on its page, or a token for a program.

    Example: jiaohao device enrol kiosk-1 --role kiosk
    """
    if print_token:
        click.echo(_people(data, lambda people: people.add_device(name, role=role, hall=hall, window=window)))
        return
    click.echo(_people(data, lambda people: people.new_code(name, role=role, hall=hall, window=window)))
    click.echo(
        say(
            "在该设备的页面上输入此代码（24 小时内有效，只能用一次）。",
            "Type this code on the device's page (valid for 24 hours, once).",
        ),
        err=True,
    )


@device.command("revoke")
@click.argument("name")
@accounts_option
@data_option
def device_revoke(name: str, data: Path) -> None:
    """Take a device's tokens and codes away, at once.

    Example: jiaohao device revoke kiosk-1
    """
    _people(data, lambda people: people.revoke_device(name))
    click.echo(say(f"已注销 {name}", f"revoked {name}"))


@device.command("list")
@format_option
@accounts_option
@data_option
def device_list(format_: str, data: Path) -> None:
    """List the enrolled devices.

    Example: jiaohao device list
    """
    show_table([asdict(row) for row in _people(data, lambda people: people.devices())], format_)


def _people(data: Path, work: "Callable[[People], T]") -> T:
    """Do something with the accounts: those of the data folder, or those that several servers share in Redis."""
    from server.accounts import AccountsAway, SharedAccounts
    from server.ledger.base import LedgerDown
    from server.ledger.copies import FOLDER
    from server.people import People, PeopleError
    from server.stream_commands import redis_of

    alone, shared = data / "accounts.sqlite", data / FOLDER / "accounts.sqlite"
    redis = redis_of(click.get_current_context().meta[ACCOUNTS_IN])
    if redis is None and shared.exists():
        raise Trouble(
            say(
                f"{data} 的账号与其他服务器共用，请用 --ledger 或 JIAOHAO_LEDGER 指明 Redis",
                f"the accounts of {data} are shared with other servers: name Redis with --ledger or JIAOHAO_LEDGER",
            )
        )
    try:
        return work(People(alone if redis is None else SharedAccounts(shared, redis, first=alone)))
    except PeopleError as error:
        raise Trouble(str(error)) from error
    except (LedgerDown, AccountsAway) as error:
        raise Trouble(say(f"不能更改共用账号：{error}", f"cannot change the shared accounts: {error}")) from error
    except OSError as error:
        raise Trouble(say(f"不能写入 {data}：{error}", f"cannot write to {data}: {error}")) from error


def _token(server_url: str, code: str | None, kept: Path, token_file: Path | None, *, role: str) -> str:
    """Give a device's token: for a one-time code, the one kept since, or the one that is named."""
    if code is not None:
        return _enrolled(server_url, code, kept, role=role)
    own = kept if token_file is None and "JIAOHAO_TOKEN" not in os.environ and kept.exists() else token_file
    return token_of(own, role=role)


def _enrolled(server_url: str, code: str, kept: Path, *, role: str) -> str:
    from drivers.server_link import ServerAway, ServerRefused, enrol

    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        return enrol(server_url, code, kept)
    except ServerRefused as error:
        zh = f"启用码不对、已用过或已过期，请在服务器上重新取得：jiaohao device enrol 名称 --role {role}（{error}）"
        en = f"the code is wrong, used or too old; make a new one: jiaohao device enrol NAME --role {role} ({error})"
        raise Trouble(say(zh, en)) from error
    except (ServerAway, OSError) as error:
        click.echo(f"jiaohao: {say(f'没有启用：{error}', f'not enrolled: {error}')}", err=True)
        sys.exit(FOUND_TROUBLE)


@main.group()
def notify() -> None:
    """Tell visitors' phones through another system (SMS, WeChat): the shared secret, a test message.

    Example: jiaohao notify secret qiaocheng
    """


@notify.command("secret")
@click.argument("hall")
@accounts_option
@data_option
def notify_secret(hall: str, data: Path) -> None:
    """Print the secret with which a hall signs its messages: the receiver needs it to trust them.

    Example: jiaohao notify secret qiaocheng
    """
    click.echo(_notify_secret(hall, data))


@notify.command("test")
@click.argument("hall_file", metavar="HALL.toml")
@accounts_option
@data_option
def notify_test(hall_file: str, data: Path) -> None:
    """Send a signed test message to the address in [notify] of a hall file, and tell what became of it.

    Example: jiaohao notify test qiaocheng.toml
    """
    from config import HallFileError, check_report, find, load_hall
    from server.domain.terms import HallId
    from server.feeds.notify import NotTaken, Webhook, test_message

    try:
        hall = load_hall(find(hall_file))
    except HallFileError as error:
        raise Trouble(say(check_report(error.problems, "zh"), check_report(error.problems, "en"))) from error
    url = hall.notify.url
    if url is None:
        raise Trouble(say("大厅文件没有写 [notify] url", "the hall file has no [notify] url"))
    try:
        Webhook(lambda: url, _notify_secret(hall.hall.id, data)).send(test_message(HallId(hall.hall.id)))
    except NotTaken as error:
        click.echo(f"jiaohao: {say(f'{url} 没有收下：{error}', f'{url} did not take it: {error}')}", err=True)
        sys.exit(FOUND_TROUBLE)
    click.echo(say(f"{url} 已收下", f"{url} took it"))


def _notify_secret(hall: str, data: Path) -> str:
    from server.domain.terms import HallId
    from server.feeds.notify import secret_of

    return _people(data, lambda people: secret_of(people.keyed_hash, HallId(hall)))


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    prompt = say(*PASSWORD_PROMPT)
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=True))


main.add_command(ledger)
main.add_command(report)
main.add_command(simulate)
main.add_command(plan_skills)
main.add_command(voice)

if __name__ == "__main__":
    main()
