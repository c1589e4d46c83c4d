"""`jiaohao report`: a day or a month of a hall for people, spreadsheets and machines."""

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from server.console import BAD_INPUT, FOUND_TROUBLE, Trouble, data_option, say, token_of


@click.group()
def report() -> None:
    """Statistics: a business day, or attendance and work of a month.

    Example: jiaohao report month --month 2026-03 --format xlsx --output march.xlsx
    """


def _report_options(command: "Callable[..., None]") -> "Callable[..., None]":
    """Give a report command the options that day and month share."""
    options = (
        click.option("--hall", help="Id of the hall, where there are several."),
        click.option(
            "--format",
            "format_",
            type=click.Choice(["table", "csv", "xlsx", "json"]),
            default="table",
            show_default=True,
            help="For people, spreadsheets or machines.",
        ),
        click.option(
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write to this file (xlsx: HALL-WHEN.xlsx in this folder without it).",
        ),
        click.option("--server", "server_url", metavar="URL", help="Ask this server instead of reading its ledger."),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File with an integration's token for --server (or JIAOHAO_TOKEN).",
        ),
        data_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@report.command("day")
@click.option("--date", "day", metavar="YYYY-MM-DD", default="", help="The business day; otherwise the last one.")
@_report_options
def report_day(day: str, **how: Any) -> None:
    """Show a business day: the hall, its zones, services, windows and clerks.

    Reads the ledger in the data folder, also while its server runs; a server elsewhere is asked with --server.

    Example: jiaohao report day --date 2026-03-02 --data /var/lib/jiaohao
    """
    if day and not _is_date(day):
        raise Trouble(say(f"没有 {day} 这一天，请写成 2026-03-02", f"{day} is no date: write it as 2026-03-02"))
    _report(day=day, **how)


@report.command("month")
@click.option("--month", metavar="YYYY-MM", default="", help="The month; otherwise that of the last business day.")
@_report_options
def report_month(month: str, **how: Any) -> None:
    """Show attendance and work of a month: by clerk, window, department, service and tenant.

    Reads the ledger in the data folder, also while its server runs; a server elsewhere is asked with --server.

    Example: jiaohao report month --month 2026-03 --format xlsx --output march.xlsx
    """
    if month and not _is_date(f"{month}-01"):
        raise Trouble(say(f"没有 {month} 这个月，请写成 2026-03", f"{month} is no month: write it as 2026-03"))
    _report(month=month, **how)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _report(
    *,
    day: str | None = None,
    month: str | None = None,
    hall: str | None,
    format_: str,
    output: Path | None,
    server_url: str | None,
    token_file: Path | None,
    data: Path,
) -> None:
    from server.reporting import ReportError, as_csv, as_text, as_xlsx, of_ledger, of_server, tables

    language = say("zh", "en")
    try:
        if server_url is None:
            found = of_ledger(data, hall, day=day, month=month)
        else:
            found = of_server(server_url, token_of(token_file, role="integration"), hall, day=day, month=month)
        if format_ == "json":
            text = json.dumps(found.answer, ensure_ascii=False, indent=2) + "\n"
        elif format_ == "csv":
            text = as_csv(tables(found, language))
        elif format_ == "xlsx":
            output = output or Path(f"{found.hall}-{found.when}.xlsx")
            as_xlsx(tables(found, language), output)
            click.echo(say(f"已写入 {output}", f"wrote {output}"), err=True)
            return
        else:
            text = f"{found.hall} · {found.when}\n\n{as_text(tables(found, language))}\n"
        if output is None:
            click.echo(text, nl=False)
        else:  # with its mark, so that spreadsheets take it for what it is
            output.write_text(text, encoding="utf-8-sig" if format_ == "csv" else "utf-8", newline="")
            click.echo(say(f"已写入 {output}", f"wrote {output}"), err=True)
    except ReportError as error:
        click.echo(f"jiaohao: {say(error.zh, error.en)}", err=True)
        sys.exit(BAD_INPUT if error.bad_input else FOUND_TROUBLE)
    except OSError as error:
        raise Trouble(say(f"不能写入文件：{error}", f"cannot write the file: {error}")) from error
